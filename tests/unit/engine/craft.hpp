// An app that does as it likes: what it writes into the messages of its person.
#pragma once

#include "client-cli/engine/content.hpp"
#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/outbox.hpp"
#include "client-cli/engine/turn.hpp"
#include "common/crypto/hash.hpp"
#include "tests/unit/engine/world.hpp"

namespace interlude::tests {

/// The record of a message that waits, changed.
inline void change_outgoing(World& world, Home& home, engine::MessageId const& id,
                            std::function<void(engine::Turn&, engine::OutgoingRecord&)> const& change) {
    engine::Turn turn(home.vault, home.entropy, world.now);
    for (auto& waiting : engine::outgoing(turn)) {
        if (waiting.record.message != id) continue;
        change(turn, waiting.record);
        turn.rows.put(engine::Table::outgoing, waiting.request.bytes, waiting.record);
    }
    turn.rows.commit();
}

/// Another content for the next message.
inline engine::MessageId craft(World& world, Home& from, std::function<void(engine::Content&)> const& change) {
    auto const id = world.send(from, "hello");
    change_outgoing(world, from, id, [&](engine::Turn&, engine::OutgoingRecord& record) {
        auto content = engine::decode_content(record.content);
        ASSERT_TRUE(content);
        change(*content);
        record.content = engine::encode(*content);
        record.body = engine::kind_of(content->body);
    });
    return id;
}

/// The next message holds these bytes, whatever they are.
inline engine::MessageId craft_bytes(World& world, Home& from, bytes::ByteView plaintext) {
    auto const id = world.send(from, "hello");
    change_outgoing(world, from, id, [&](engine::Turn& turn, engine::OutgoingRecord& record) {
        auto group = engine::load_group(turn, world.conversation, 1);
        ASSERT_TRUE(group);
        auto sealed = group->protect(plaintext, {}, turn.entropy);
        ASSERT_TRUE(sealed);
        engine::save_group(turn, world.conversation, 1, *group);
        record.generation = 1;
        record.epoch = sealed->epoch;
        record.variants.push_back(crypto::sha256(sealed->message));
        record.sealed = sealed->message;
    });
    return id;
}

}  // namespace interlude::tests

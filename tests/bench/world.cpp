#include "tests/bench/world.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::bench {

namespace {

void write(bytes::Writer& writer, DeviceKeys const& keys) {
    writer.id(keys.account).id(keys.device).raw(keys.key.expose_seed());
}

base::Result<DeviceKeys> read_keys(bytes::Reader& reader) {
    INTERLUDE_TRY(auto account, reader.id<base::AccountId>());
    INTERLUDE_TRY(auto device, reader.id<base::DeviceId>());
    INTERLUDE_TRY(auto seed, reader.raw(crypto::ed25519_seed_size));
    INTERLUDE_TRY(auto key, crypto::SigningKey::from_seed(seed));
    return DeviceKeys{account, device, std::move(key)};
}

base::Result<Conversation> read_conversation(bytes::Reader& reader) {
    INTERLUDE_TRY(auto id, reader.id<base::ConversationId>());
    INTERLUDE_TRY(auto group_id, reader.opaque());
    INTERLUDE_TRY(auto therapist, read_keys(reader));
    INTERLUDE_TRY(auto client, read_keys(reader));
    INTERLUDE_TRY(auto open, reader.boolean());
    return Conversation{id, bytes::copy(group_id), std::move(therapist), std::move(client), open};
}

}  // namespace

std::size_t first_open(World const& world) {
    auto const found = std::find_if(world.begin(), world.end(), [](auto const& each) { return each.open; });
    return static_cast<std::size_t>(found - world.begin());
}

bytes::Bytes encode(World const& world) {
    bytes::Writer writer;
    for (auto const& conversation : world) {
        writer.id(conversation.id).opaque(conversation.group_id);
        write(writer, conversation.therapist);
        write(writer, conversation.client);
        writer.boolean(conversation.open);
    }
    return std::move(writer).take();
}

std::optional<World> decode_world(bytes::ByteView from) {
    World world;
    for (bytes::Reader reader(from); !reader.empty();) {
        auto conversation = read_conversation(reader);
        if (!conversation) return std::nullopt;
        world.push_back(std::move(*conversation));
    }
    return world;
}

void write_world(World const& world, std::filesystem::path const& file) {
    auto const content = encode(world);
    std::ofstream out(file, std::ios::binary);
    out.write(reinterpret_cast<char const*>(content.data()), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

World read_world(std::filesystem::path const& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file.string() + ": make it with --prepare");
    bytes::Bytes const content{std::istreambuf_iterator<char>(in), {}};
    auto world = decode_world(content);
    if (!world) throw std::runtime_error(file.string() + " is no file of --prepare");
    return std::move(*world);
}

}  // namespace interlude::bench

// The people of a run: therapists and clients that one server knows, with what their apps need to come back and write.
// A file keeps them between runs. Throw-away accounts: their keys stand in it as they are.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "common/base/ids.hpp"
#include "common/crypto/sign.hpp"

namespace interlude::bench {

struct DeviceKeys {
    base::AccountId account;
    base::DeviceId device;
    crypto::SigningKey key;
};

struct Conversation {
    base::ConversationId id;
    bytes::Bytes group_id;
    DeviceKeys therapist;
    DeviceKeys client;
    bool open = true;  // her hours are published, and it is always now; else she has none yet
};

using World = std::vector<Conversation>;  // those without hours first

/// The number of the first conversation with hours; the world's size if there is none.
std::size_t first_open(World const& world);

bytes::Bytes encode(World const& world);
/// nullopt: no such file as encode() makes.
std::optional<World> decode_world(bytes::ByteView from);

void write_world(World const& world, std::filesystem::path const& file);
/// Throws with words where it cannot.
World read_world(std::filesystem::path const& file);

}  // namespace interlude::bench

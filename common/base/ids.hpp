// Strong identifiers: fixed-size byte strings that cannot be mixed up.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>

namespace interlude::base {

template <class Tag, std::size_t N>
struct Id {
    static constexpr std::size_t size = N;
    std::array<std::uint8_t, N> bytes{};

    auto operator<=>(Id const&) const = default;
    std::span<std::uint8_t const, N> span() const { return bytes; }
    bool is_zero() const { return *this == Id{}; }

    /// nullopt unless `from` has exactly N bytes.
    static std::optional<Id> from(std::span<std::uint8_t const> from) {
        if (from.size() != N) return std::nullopt;
        Id id;
        std::copy(from.begin(), from.end(), id.bytes.begin());
        return id;
    }
};

using AccountId = Id<struct AccountTag, 32>;            // SHA-256 of the labelled account key (exact.md, Bytes)
using DeviceId = Id<struct DeviceTag, 16>;              // random
using ConversationId = Id<struct ConversationTag, 16>;  // random; never the MLS group id
using MessageId = Id<struct MessageTag, 16>;            // random, inside MLS only
using RequestId = Id<struct RequestTag, 16>;            // random, of one request (of the message, for send)
using InvitationId = Id<struct InvitationTag, 32>;      // SHA-256 of the labelled invitation public key
using SubjectId = Id<struct SubjectTag, 32>;            // of an audit subject: account, conversation or operator
using Hash32 = Id<struct HashTag, 32>;                  // a SHA-256 digest
using InstanceId = Id<struct InstanceTag, 16>;          // random, of one store

/// Which side of a conversation an account is on; fixed in version 1 of its device list.
enum class Side : std::uint8_t { client = 1, therapist = 2 };

}  // namespace interlude::base

template <class Tag, std::size_t N>
struct std::hash<interlude::base::Id<Tag, N>> {
    std::size_t operator()(interlude::base::Id<Tag, N> const& id) const noexcept {
        std::size_t h;  // ids are random or hashes: their first bytes are a hash already
        static_assert(N >= sizeof h);
        std::memcpy(&h, id.bytes.data(), sizeof h);
        return h;
    }
};

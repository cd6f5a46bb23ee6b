// Mutations of bytes in the presentation language of RFC 9420 §2.1.2, at its length-prefixed vectors: the content of
// one changes, and the lengths of those around it are put right, so that the change reaches the reader of that content.
#pragma once

#include <functional>
#include <optional>
#include <random>

#include "common/bytes/bytes.hpp"

namespace interlude::fuzz {

/// A length-prefixed vector: its header begins at `header`, its content at `content`, and it ends before `end`.
struct Vector {
    std::size_t header, content, end;
    bool holds(Vector const& other) const { return content <= other.header && other.end <= end; }
    bool operator==(Vector const&) const = default;
};

/// Whether the parser takes these bytes.
using Takes = std::function<bool(bytes::ByteView)>;
/// Changes bytes that have no structure.
using Scramble = std::function<bytes::Bytes(bytes::ByteView)>;

/// What may be a vector at this place: a minimal length that the rest can hold.
std::optional<Vector> vector_at(bytes::ByteView input, std::size_t header);
/// The same that is one, as far as the parser of a valid `input` can tell: it takes no other length there.
std::optional<Vector> real_vector_at(bytes::ByteView input, std::size_t header, Takes const& takes);
/// The vectors around it, the innermost first.
std::vector<Vector> around(bytes::ByteView input, Vector const& vector, Takes const& takes);
/// `input` with another content of `vector`, and the lengths of `outer` (innermost first) put right.
bytes::Bytes with_content(bytes::ByteView input, Vector const& vector, std::vector<Vector> const& outer,
                          bytes::ByteView content);

/// One mutation; nullopt where no vector was found, as in bytes that `takes` refuses.
std::optional<bytes::Bytes> mutate_vector(bytes::ByteView input, Takes const& takes, Scramble const& scramble,
                                          std::minstd_rand& dice);

}  // namespace interlude::fuzz

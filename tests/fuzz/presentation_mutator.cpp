#include "tests/fuzz/presentation_mutator.hpp"

#include <algorithm>

#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::fuzz {

using bytes::Bytes;
using bytes::ByteView;

namespace {

constexpr int tries = 16;  // places that are looked at for a vector

Bytes length_header(std::size_t length) {
    return bytes::Writer().varint(static_cast<std::uint32_t>(length)).take();
}

/// `input` with the bytes from `from` to `to` replaced.
Bytes spliced(ByteView input, std::size_t from, std::size_t to, ByteView between) {
    auto out = bytes::copy(input.first(from));
    bytes::append(out, between);
    bytes::append(out, input.subspan(to));
    return out;
}

Bytes changed_content(ByteView content, Scramble const& scramble, std::minstd_rand& dice) {
    auto const below = [&](std::size_t bound) { return dice() % std::max<std::size_t>(bound, 1); };
    auto const from = below(content.size() + 1);
    auto const to = from + below(content.size() - from + 1);
    switch (below(6)) {
        case 0:
            return bytes::copy(content.first(from));  // cut short
        case 1:
            return spliced(content, from, to, {});  // a part left out
        case 2:
            return spliced(content, to, to, content.subspan(from, to - from));  // a part twice
        case 3:
            return spliced(content, content.size(), content.size(), content);  // everything twice
        default:
            return scramble(content);
    }
}

}  // namespace

std::optional<Vector> vector_at(ByteView input, std::size_t header) {
    bytes::Reader reader(input.subspan(header));
    auto const content = reader.opaque();
    if (!content) return std::nullopt;
    auto const end = input.size() - reader.size();
    return Vector{header, end - content->size(), end};
}

std::optional<Vector> real_vector_at(ByteView input, std::size_t header, Takes const& takes) {
    auto const found = vector_at(input, header);
    if (!found) return std::nullopt;
    auto const length = found->end - found->content;
    auto const other = length == 0 ? length + 1 : length - 1;
    if (takes(spliced(input, header, found->content, length_header(other)))) return std::nullopt;
    return found;
}

std::vector<Vector> around(ByteView input, Vector const& vector, Takes const& takes) {
    std::vector<Vector> outer;
    auto inner = vector;
    for (auto at = vector.header; at-- > 0;) {
        auto const candidate = vector_at(input, at);
        if (!candidate || !candidate->holds(inner) || !real_vector_at(input, at, takes)) continue;
        outer.push_back(*candidate);
        inner = *candidate;
    }
    return outer;
}

Bytes with_content(ByteView input, Vector const& vector, std::vector<Vector> const& outer, ByteView content) {
    auto inner = vector;
    auto now = bytes::copy(content);
    auto const prefix = [&] { return spliced(now, 0, 0, length_header(now.size())); };
    for (auto const& next : outer) {
        auto const whole = prefix();
        now = spliced(input.subspan(next.content, next.end - next.content), inner.header - next.content,
                      inner.end - next.content, whole);
        inner = next;
    }
    return spliced(input, inner.header, inner.end, prefix());
}

std::optional<Bytes> mutate_vector(ByteView input, Takes const& takes, Scramble const& scramble,
                                   std::minstd_rand& dice) {
    if (input.empty() || !takes(input)) return std::nullopt;
    for (int i = 0; i < tries; ++i) {
        auto const found = real_vector_at(input, dice() % input.size(), takes);
        if (!found) continue;
        auto const content = input.subspan(found->content, found->end - found->content);
        return with_content(input, *found, around(input, *found, takes), changed_content(content, scramble, dice));
    }
    return std::nullopt;
}

}  // namespace interlude::fuzz

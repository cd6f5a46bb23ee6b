// What a device acked in one conversation: everything below the cursor, and ranges beyond it (exact.md, Delivery).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/result.hpp"
#include "common/bytes/bytes.hpp"

namespace interlude::core {

class AckedSet {
  public:
    struct Range {
        std::uint64_t first, last;  // inclusive
        bool operator==(Range const&) const = default;
    };
    static constexpr std::size_t ranges_max = 1024;

    /// The lowest seq that is not yet acked.
    std::uint64_t cursor() const { return cursor_; }
    std::vector<Range> const& ranges() const { return ranges_; }
    bool contains(std::uint64_t seq) const;

    /// False when it already was, or when a further range would be one too many (the device is offered it again).
    bool add(std::uint64_t seq);
    /// Nothing below `seq` waits for the device any more (own, recalled, expired, before it joined).
    void advance_to(std::uint64_t seq);

    bytes::Bytes encode() const;
    static base::Result<AckedSet> decode(bytes::ByteView from);
    bool operator==(AckedSet const&) const = default;

  private:
    std::uint64_t cursor_ = 1;
    std::vector<Range> ranges_;  // sorted, apart by at least one, all beyond the cursor
};

}  // namespace interlude::core

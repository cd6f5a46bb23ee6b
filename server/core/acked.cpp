#include "server/core/acked.hpp"

#include <algorithm>

#include "common/bytes/reader.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::core {

bool AckedSet::contains(std::uint64_t seq) const {
    if (seq < cursor_) return true;
    return std::any_of(ranges_.begin(), ranges_.end(), [&](Range r) { return r.first <= seq && seq <= r.last; });
}

bool AckedSet::add(std::uint64_t seq) {
    if (contains(seq)) return false;
    auto const after = std::find_if(ranges_.begin(), ranges_.end(), [&](Range r) { return r.first > seq; });
    bool const joins_next = after != ranges_.end() && after->first == seq + 1;
    bool const joins_previous = after != ranges_.begin() && std::prev(after)->last + 1 == seq;
    if (joins_previous && joins_next) {
        std::prev(after)->last = after->last;
        ranges_.erase(after);
    } else if (joins_previous) {
        std::prev(after)->last = seq;
    } else if (joins_next) {
        after->first = seq;
    } else {
        if (ranges_.size() == ranges_max && seq != cursor_) return false;
        ranges_.insert(after, {seq, seq});
    }
    advance_to(cursor_);
    return true;
}

void AckedSet::advance_to(std::uint64_t seq) {
    cursor_ = std::max(cursor_, seq);
    while (!ranges_.empty() && ranges_.front().first <= cursor_) {
        cursor_ = std::max(cursor_, ranges_.front().last + 1);
        ranges_.erase(ranges_.begin());
    }
}

bytes::Bytes AckedSet::encode() const {
    bytes::Writer to;
    to.u64(cursor_);
    to.vector_of(ranges_, [](bytes::Writer& one, Range r) { one.u64(r.first).u64(r.last); });
    return std::move(to).take();
}

base::Result<AckedSet> AckedSet::decode(bytes::ByteView from) {
    bytes::Reader reader(from);
    AckedSet set;
    INTERLUDE_TRY(set.cursor_, reader.u64());
    INTERLUDE_TRY(auto ranges, reader.vector(ranges_max * 16));
    INTERLUDE_TRY_VOID(reader.finish());
    auto end = set.cursor_;
    while (!ranges.empty()) {
        INTERLUDE_TRY(auto first, ranges.u64());
        INTERLUDE_TRY(auto last, ranges.u64());
        if (first <= end || last < first || last == UINT64_MAX) return base::Errc::malformed;
        set.ranges_.push_back({first, last});
        end = last + 1;
    }
    return set;
}

}  // namespace interlude::core

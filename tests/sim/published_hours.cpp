#include "tests/sim/published_hours.hpp"

namespace interlude::sim {

void PublishedHours::publish(AccountId const& account, WallTime from, std::vector<base::Interval> open) {
    auto& instants = instants_[account];
    instants.insert(from);
    for (auto const& span : open) instants.insert(span.start);
    documents_[account].push_back({from, std::move(open)});
}

std::vector<AccountId> PublishedHours::accounts() const {
    std::vector<AccountId> accounts;
    for (auto const& [account, documents] : documents_) accounts.push_back(account);
    return accounts;
}

bool PublishedHours::open(AccountId const& account, WallTime t, WallTime known) const {
    auto const found = documents_.find(account);
    if (found == documents_.end()) return false;
    Document const* speaks = nullptr;
    for (auto const& document : found->second)
        if (document.from <= t && document.from <= known) speaks = &document;
    if (!speaks) return false;
    for (auto const& span : speaks->open)
        if (span.start <= t && t < span.end) return true;
    return false;
}

std::optional<WallTime> PublishedHours::first_open(AccountId const& account, WallTime from, WallTime known) const {
    if (open(account, from, known)) return from;
    auto const found = instants_.find(account);
    if (found == instants_.end()) return std::nullopt;
    // Nothing else can be the first instant of open time; those of documents that are not known yet do no harm.
    for (auto t = found->second.upper_bound(from); t != found->second.end(); ++t)
        if (open(account, *t, known)) return *t;
    return std::nullopt;
}

std::optional<WallTime> PublishedHours::passes_from(WallTime stamp, Party const& sender, Party const& reader,
                                                    WallTime known) const {
    if (sender.account == reader.account) return stamp;
    auto from = std::optional(stamp);
    if (sender.therapist) from = first_open(sender.account, stamp, known);  // a 2 a.m. reply waits too
    if (!from || !reader.therapist) return from;
    return first_open(reader.account, *from, known);
}

std::vector<PublishedHours::Bound> PublishedHours::bounds(AccountId const& account, WallTime until) const {
    std::set<WallTime> instants;
    for (auto const& document : documents_.at(account)) {
        instants.insert(document.from);
        for (auto const& span : document.open) {
            instants.insert(span.start);
            instants.insert(span.end);
        }
    }
    std::vector<Bound> bounds;
    bool was_open = false;
    for (auto const t : instants) {
        if (t > until) break;
        bool const is_open = open(account, t, until);
        if (is_open != was_open) bounds.push_back({t, is_open});
        was_open = is_open;
    }
    return bounds;
}

}  // namespace interlude::sim

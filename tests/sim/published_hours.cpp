#include "tests/sim/published_hours.hpp"

#include <algorithm>

namespace interlude::sim {

void PublishedHours::publish(AccountId const& account, WallTime from, std::vector<base::Interval> open) {
    auto& instants = instants_[account];
    instants.insert(from);
    for (auto const& span : open) instants.insert({span.start, span.end});
    documents_[account].push_back({from, std::move(open), std::nullopt});
}

void PublishedHours::override_with(AccountId const& account, WallTime from, base::Interval span, bool opens) {
    instants_[account].insert({from, span.start, span.end});
    std::vector<base::Interval> open;
    if (opens) open.push_back(span);
    documents_[account].push_back({from, std::move(open), span});
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
    auto const is_in = [t](base::Interval const& span) { return span.start <= t && t < span.end; };
    for (auto const& document : found->second) {
        bool const in_force = document.from <= t && document.from <= known;
        bool const beaten = speaks && speaks->only_in && !document.only_in;  // a schedule, by an override
        if (in_force && !beaten && (!document.only_in || is_in(*document.only_in))) speaks = &document;
    }
    if (!speaks) return false;
    return std::any_of(speaks->open.begin(), speaks->open.end(), is_in);
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
    std::vector<Bound> bounds;
    bool was_open = false;
    for (auto const t : instants_.at(account)) {
        if (t > until) break;
        bool const is_open = open(account, t, until);
        if (is_open != was_open) bounds.push_back({t, is_open});
        was_open = is_open;
    }
    return bounds;
}

}  // namespace interlude::sim

// The gate a second time, written from docs (product.md, Audited availability windows) and by no code that the server
// or an app uses: what the published hours say about an instant, and from when on a message passes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace interlude::sim {

using base::AccountId;
using base::WallTime;

struct Party {
    AccountId account;
    bool therapist = false;
};

class PublishedHours {
  public:
    /// A document that was taken at `from`: its signed intervals.
    void publish(AccountId const& account, WallTime from, std::vector<base::Interval> open);
    /// An override that was taken at `from`: open or closed during `span`, whatever else is published.
    void override_with(AccountId const& account, WallTime from, base::Interval span, bool opens);
    std::vector<AccountId> accounts() const;

    /// At t the document in force at t speaks. Only what was published by `known` counts.
    bool open(AccountId const& account, WallTime t, WallTime known) const;
    std::optional<WallTime> first_open(AccountId const& account, WallTime from, WallTime known) const;
    /// The first instant at which a message passes; absent: no published hours say.
    std::optional<WallTime> passes_from(WallTime stamp, Party const& sender, Party const& reader, WallTime known) const;

    struct Bound {
        WallTime instant{};
        bool opens = false;
        auto operator<=>(Bound const&) const = default;
    };
    /// Every opening and closing up to `until`.
    std::vector<Bound> bounds(AccountId const& account, WallTime until) const;

  private:
    struct Document {
        WallTime from{};
        std::vector<base::Interval> open;
        std::optional<base::Interval> only_in;  // an override speaks nowhere else
    };
    std::map<AccountId, std::vector<Document>> documents_;
    std::map<AccountId, std::set<WallTime>> instants_;  // at which anything may change
};

}  // namespace interlude::sim

// Sees every frame at the server's end of every link, and every entry of the log, and judges them: nothing twice or
// early, seqs without a gap, `held` exactly where the published hours hold, each decision with its one entry.
#pragma once

#include <set>

#include "common/audit/payload.hpp"
#include "server/store/memory/disk.hpp"
#include "tests/sim/clock.hpp"
#include "tests/sim/happening.hpp"
#include "tests/sim/published_hours.hpp"

namespace interlude::sim {

using base::ConversationId;
using base::RequestId;
using bytes::Bytes;
using bytes::ByteView;
using core::DeviceRef;

std::string clock_time(WallTime t);
std::string short_name(ByteView id);

class Witness {
  public:
    using Place = std::pair<ConversationId, std::uint64_t>;  // conversation and seq

    /// What is known of one link.
    struct Seen {
        std::string who;                  // for the story
        std::optional<DeviceRef> device;  // once it said hello
        std::optional<WallTime> ready_at;
        std::set<Place> offered;
    };

    Witness(Clock& clock, Story& story, store_memory::Disk const& disk) : clock_(clock), story_(story), disk_(disk) {}

    void app_said(Seen& link, ByteView message);
    void server_said(Seen& link, wire::ServerFrame const& frame);
    /// An app showed it to its person.
    void shown(AccountId const& reader, Place const& place);
    void read_hours();
    void take(AccountId const& id, wire::SignedDocument const& published, WallTime from);
    /// Entries that were made since.
    void read_log();
    /// The log has what it should, no more; every place of every conversation was answered to its author.
    void judge_log();

  private:
    struct Sent {
        ConversationId conversation;
        DeviceRef by;
        std::set<WallTime> arrivals;
    };
    struct Accepted {
        std::optional<RequestId> request;  // absent: its author was not answered yet
        AccountId sender;
        WallTime stamp{};
        base::Hash32 envelope;
        std::map<AccountId, std::optional<WallTime>> holds;  // as the hours say
    };
    struct Entry {
        base::SubjectId subject;
        audit::Payload payload;
    };

    Accepted* find_accepted(Place const& place);
    void on_stored(Seen& link, RequestId const& request, wire::Stored const& stored);
    void on_envelope(Seen& link, wire::Envelope const& envelope);
    std::vector<Party> members(ConversationId const& conversation) const;
    std::map<AccountId, std::optional<WallTime>> holds_at(WallTime stamp, Party const& sender,
                                                          ConversationId const& conversation, WallTime known) const;
    std::optional<WallTime> passes_from(Accepted const& accepted, AccountId const& reader, WallTime known) const;
    void judge_held(std::vector<Entry const*> const& entries);
    void judge_schedules(std::vector<Entry const*> const& entries);
    void judge_recalls(std::vector<Entry const*> const& entries);
    void judge_windows(std::vector<Entry const*> const& entries);
    void judge_epochs(std::vector<Entry const*> const& entries);

    Clock& clock_;
    Story& story_;
    store_memory::Disk const& disk_;
    std::set<Place> recalled_;  // of which an author was told
    PublishedHours hours_;
    std::set<RequestId> puts_;  // of hours
    std::set<RequestId> commits_;
    std::map<AccountId, std::vector<wire::SignedDocument>> published_;  // in the order of their numbers
    std::map<std::pair<DeviceRef, RequestId>, Sent> sent_;
    std::map<Place, Accepted> accepted_;
    std::map<std::pair<DeviceRef, Place>, WallTime> first_offered_;
    std::vector<Entry> log_;
};

}  // namespace interlude::sim

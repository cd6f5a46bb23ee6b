// May this commit be accepted? First of its epoch, declared truly, by somebody who may change what it changes
// (protocol.md, MLS profile; exact.md, Declaration and Commit limits).
#pragma once

#include <variant>

#include "common/identity/device_list.hpp"
#include "common/mls_framing/declaration.hpp"
#include "common/wire/frames.hpp"
#include "server/core/audit_events.hpp"
#include "server/core/types.hpp"

namespace interlude::core {

using mls_framing::KeyPackageRef;

struct CommitSubmission {
    DeviceRef sender;
    wire::Commit commit;
    WallTime stamp{};
    Seed seed;
};

struct CommitFacts {
    bool member = false;  // the conversation exists and the device is in its delivery list
    bool closed = false;
    std::uint32_t generation = 1;
    std::uint64_t epoch = 0;
    Bytes group_id;
    std::vector<wire::MemberState> roster;  // accounts, sides, devices of the delivery list
    /// The newest lists of the roster's accounts.
    std::map<AccountId, identity::DeviceList> lists;
    std::map<KeyPackageRef, DeviceRef>
        packages;                         // of the refs that the declaration names: whose they are, spent or not
    int commits_last_hour = 0;            // accepted from this device in this conversation
    bool committed_today = false;         // likewise within 24 hours
    std::uint64_t sent_since_commit = 0;  // envelopes accepted from this device here since its last commit
    std::uint64_t retained_epochs = 0;    // from the oldest epoch of a kept envelope to the present one
    bool gate_closed = false;             // a gate of the conversation is closed now
    /// The handshake that ended the submission's epoch, if there is one.
    std::optional<wire::Handshake> winner;
};

struct JoinedDevice {
    DeviceRef device;
    Side side{};
    Bytes welcome;
    bool operator==(JoinedDevice const&) const = default;
};

struct CommitAcceptance {
    std::uint64_t epoch_begun = 0;
    std::vector<JoinedDevice> added;
    std::vector<DeviceRef> removed;
    EntryDraft entry;  // `epoch`
};

/// wire::Accepted: the same commit was accepted before.
using CommitVerdict = std::variant<CommitAcceptance, wire::Accepted, wire::Conflict, wire::Refused>;

CommitVerdict check_epoch(CommitFacts const& facts, CommitSubmission const& submission, WallTime now,
                          Policy const& policy);

/// The refs for which facts are to be loaded; none if the declaration does not parse.
struct CommitNeeds {
    std::vector<KeyPackageRef> refs;
};
CommitNeeds needs_of(wire::Commit const& commit);

/// At most 8 accounts, 2 of them gated, 8 devices each, none twice.
bool roster_fits(std::vector<wire::MemberState> const& roster);

/// Finds for each declared device the Welcome that names its package. invalid (nullopt) unless the Welcomes name
/// exactly the declared packages, each once.
std::optional<std::vector<JoinedDevice>> match_welcomes(mls_framing::Declaration const& declaration,
                                                        std::vector<Bytes> const& welcomes);

}  // namespace interlude::core

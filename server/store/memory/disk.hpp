// The rows of a memory store. They outlive the store that works on them, as a disk outlives a process: a store opened
// on the same Disk goes on where the last one ended.
#pragma once

#include <map>
#include <set>

#include "common/audit/entry.hpp"
#include "common/identity/device_list.hpp"
#include "server/core/admission.hpp"
#include "server/core/decide.hpp"
#include "server/core/delivery.hpp"
#include "server/core/key_directory.hpp"
#include "server/ports/store_types.hpp"

namespace interlude::store_memory {

using base::AccountId;
using base::ConversationId;
using base::DeviceId;
using base::Hash32;
using base::InvitationId;
using base::RequestId;
using base::Side;
using base::SubjectId;
using base::WallTime;
using bytes::Bytes;
using core::DeviceRef;
using mls_framing::KeyPackageRef;

struct AccountRow {
    Side side{};
    bool suspended = false;
    std::vector<wire::PublishedDocument> lists;          // the chain, oldest first
    std::optional<identity::VerifiedDeviceList> newest;  // always there
    std::vector<wire::PublishedDocument> schedules;      // oldest first
    std::vector<WallTime> schedules_at;                  // when each was published
    core::CalendarPtr calendar;
    WallTime marked_up_to{};
};

struct KeyPackageRow {
    DeviceRef device;
    Bytes bytes;  // empty once handed out for good
    WallTime not_after{};
    bool last_resort = false;
    bool handed_out = false;  // reserved counts
};

struct MemberRow {
    Side side{};
    std::uint64_t kept_messages = 0;  // its envelopes that are not yet forgotten
    std::uint64_t kept_bytes = 0;
};

struct DeviceRow {
    core::DeliveryRow delivery;
    bool dropped = false;  // by its account's list; stays in the roster until a commit removes it
    std::uint64_t last_own_seq = 0;
    std::uint64_t sent_since_commit = 0;
};

struct EnvelopeData {
    core::EnvelopeRow row;
    Bytes mls;
};

struct FateRow {
    std::uint64_t number = 0;  // from 1, within the conversation
    AccountId author;
    DeviceRef by;  // of a recall
    WallTime at{};
    wire::Fate fate;
};

struct ConversationRow {
    std::uint32_t generation = 1;
    std::uint64_t epoch = 1;
    WallTime epoch_began{};
    Bytes group_id;
    bool closed = false;
    std::uint64_t next_seq = 1;
    std::map<AccountId, MemberRow> members;
    std::map<DeviceRef, DeviceRow> devices;
    std::map<DeviceRef, std::vector<WallTime>> commits;   // of a day, of devices that were removed too
    std::map<std::uint64_t, wire::Handshake> handshakes;  // by the epoch that they ended
    std::map<DeviceRef, wire::Welcome> welcomes;
    std::map<std::uint64_t, EnvelopeData> envelopes;  // by seq
    std::vector<FateRow> fates;
    std::uint64_t fates_made = 0;
};

struct SubjectRow {
    audit::SubjectKind kind{};
    std::optional<AccountId> account;
    std::optional<ConversationId> conversation;
    Bytes k_tag;
    core::ChainHead head;
    std::vector<std::uint64_t> entries;  // indices in the log, by counter - 1
    std::map<DeviceRef, std::uint64_t> acked;
};

struct EntryRow {
    ports::LogRow row;  // salt and payload are emptied by retention
    std::optional<core::Veil> veil;
    WallTime decided_at{};
    audit::EntryType type{};
};

struct RequestRow {
    core::BoundAnswer answer;
    std::optional<WallTime> confirmed_at;
};

struct TileRow {
    unsigned width = 0;
    Bytes content;
};

struct LeaseRow {
    std::string holder;
    WallTime until{};
};

struct Disk {
    ports::OpenInfo info;
    std::map<AccountId, AccountRow> accounts;
    std::map<KeyPackageRef, KeyPackageRow> key_packages;
    std::map<InvitationId, core::InvitationRow> invitations;
    std::map<InvitationId, std::map<DeviceRef, KeyPackageRef>> reservations;
    std::map<ConversationId, ConversationRow> conversations;
    std::map<std::pair<DeviceRef, RequestId>, RequestRow> requests;
    std::map<SubjectId, SubjectRow> subjects;
    std::vector<EntryRow> log;
    std::uint64_t checkpoint_size = 0;
    std::string checkpoint_note;
    std::map<std::pair<int, std::uint64_t>, TileRow> tiles;  // by level and index
    std::map<std::string, LeaseRow> leases;
};

}  // namespace interlude::store_memory

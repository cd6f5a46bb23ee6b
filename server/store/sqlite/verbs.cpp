// The store itself, and the readings and writings that several verbs share.
#include "server/store/sqlite/verbs.hpp"

#include <algorithm>
#include <map>

namespace interlude::store_sqlite {

using namespace ports;

Verbs::Verbs(Database& database, core::Policy policy, Hooks hooks, std::function<void(std::string const&)> disk_failed)
    : db_(database), policy_(policy), hooks_(std::move(hooks)), disk_failed_(std::move(disk_failed)) {
    instance_ = db_.value<base::InstanceId>("SELECT instance FROM store").value();
}

void Verbs::verb_begins() {
    announced_before_verb_ = announced_.size();
}

void Verbs::verb_undone() {
    announced_.resize(announced_before_verb_);
    calendars_.clear();
    members_.clear();
    envelopes_kept_.reset();
}

void Verbs::batch_undone() {
    announced_before_verb_ = 0;
    verb_undone();
}

void Verbs::durable() {
    auto const announced = std::exchange(announced_, {});
    if (!hooks_.changed) return;
    for (auto const& changed : announced) hooks_.changed(changed);
}

OpenInfo Verbs::open_info() {
    auto const [instance, restores, high_water] =
        db_.first<base::InstanceId, std::uint64_t, WallTime>("SELECT instance, restore_count, high_water FROM store")
            .value();
    auto const schema = db_.value<std::uint32_t>("PRAGMA user_version").value();
    return {instance, restores, schema, high_water};
}

void Verbs::mark_time(WallTime time) {
    db_.run("UPDATE store SET high_water = ?1 WHERE high_water < ?1", time);
}

bool Verbs::acquire_lease(std::string const& name, std::string const& holder, base::Millis term) {
    auto const time = now().now;
    auto const changed = db_.run(
        "INSERT INTO leases VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET holder = ?2, until = ?3"
        " WHERE holder = ?2 OR until <= ?4",
        name, holder, time + term, time);
    return changed == 1;
}

Counts Verbs::counts() {
    Counts counts;
    counts.accounts = db_.value<std::uint64_t>("SELECT count(*) FROM accounts").value();
    counts.conversations = db_.value<std::uint64_t>("SELECT count(*) FROM conversations").value();
    if (!envelopes_kept_) envelopes_kept_ = db_.value<std::uint64_t>("SELECT count(*) FROM envelopes");
    counts.envelopes = *envelopes_kept_;
    auto const head = log_head();
    counts.entries = head.entries;
    counts.sequenced = head.size;
    return counts;
}

// ---- Accounts ------------------------------------------------------------------------------------------------------

std::optional<identity::VerifiedDeviceList> Verbs::newest_list(AccountId const& account) {
    auto row = db_.first<Bytes, crypto::Signature>(
        "SELECT bytes, signature FROM lists WHERE account = ? ORDER BY generation DESC, version DESC LIMIT 1", account);
    if (!row) return std::nullopt;
    auto list = identity::VerifiedDeviceList::from_own_store({std::move(std::get<0>(*row)), std::get<1>(*row)});
    if (!list) throw_damaged("a device list does not parse");
    return std::move(*list);
}

std::optional<identity::VerifiedDeviceList> Verbs::newest_list_if_listed(DeviceRef const& device) {
    auto list = newest_list(device.account);
    if (!list || !list->list().find(device.device)) return std::nullopt;
    return list;
}

bool Verbs::listed(DeviceRef const& device) {
    return newest_list_if_listed(device).has_value();
}

std::vector<AccountId> Verbs::related_to(AccountId const& account) {
    std::vector<AccountId> related{account};
    auto rows = db_.query(
        "SELECT DISTINCT theirs.account FROM members mine JOIN members theirs USING (conversation)"
        " WHERE mine.account = ?1 AND theirs.account <> ?1",
        account);
    while (rows.next()) related.push_back(rows.get<AccountId>(0));
    std::sort(related.begin(), related.end());
    return related;
}

bool Verbs::share_conversation(AccountId const& one, AccountId const& other) {
    if (one == other) return true;
    return db_.exists(
        "SELECT 1 FROM members mine WHERE mine.account = ?1 AND EXISTS (SELECT 1 FROM members theirs WHERE"
        " theirs.conversation = mine.conversation AND theirs.account = ?2) LIMIT 1",
        one, other);
}

bool Verbs::may_look_up(Fetcher const& reader, AccountId const& account) {
    if (auto const* device = std::get_if<DeviceRef>(&reader))
        return listed(*device) && share_conversation(device->account, account);
    return db_.exists("SELECT 1 FROM invitations WHERE invitation = ? AND inviter = ?", std::get<InvitationId>(reader),
                      account) &&
           newest_list(account).has_value();
}

std::vector<wire::PublishedDocument> Verbs::schedules_after(AccountId const& account, std::uint64_t number,
                                                            std::size_t max) {
    std::vector<wire::PublishedDocument> documents;
    auto rows = db_.query(
        "SELECT kind, bytes, signature, in_force_from FROM schedules WHERE account = ? AND number > ?"
        " ORDER BY number LIMIT ?",
        account, number, max);
    while (rows.next()) {
        auto [kind, bytes, signature, from] = rows.as<wire::DocumentKind, Bytes, Bytes, WallTime>();
        documents.push_back({{kind, std::move(bytes), std::move(signature)}, from});
    }
    return documents;
}

std::vector<wire::PublishedDocument> Verbs::lists_after(AccountId const& account, identity::ListPosition after,
                                                        std::size_t max) {
    std::vector<wire::PublishedDocument> documents;
    auto rows = db_.query(
        "SELECT bytes, signature, published_at FROM lists WHERE account = ? AND (generation, version) > (?, ?)"
        " ORDER BY generation, version LIMIT ?",
        account, after.generation, after.version, max);
    while (rows.next()) {
        auto [bytes, signature, at] = rows.as<Bytes, Bytes, WallTime>();
        documents.push_back({{wire::DocumentKind::device_list, std::move(bytes), std::move(signature)}, at});
    }
    return documents;
}

core::CalendarPtr Verbs::calendar_of(AccountId const& account) {
    auto const cached = calendars_.find(account);
    if (cached != calendars_.end()) return cached->second;
    if (calendars_.size() >= calendars_cached_max) calendars_.clear();
    auto const calendar = core::calendar_of(schedules_after(account, 0));
    calendars_.emplace(account, calendar);
    return calendar;
}

// ---- Conversations -------------------------------------------------------------------------------------------------

std::optional<ConversationRow> Verbs::conversation(ConversationId const& id) {
    auto rows = db_.query(
        "SELECT generation, epoch, epoch_began, group_id, closed, next_seq FROM conversations WHERE conversation = ?",
        id);
    if (!rows.next()) return std::nullopt;
    auto [generation, epoch, began, group, closed, seq] =
        rows.as<std::uint32_t, std::uint64_t, WallTime, Bytes, bool, std::uint64_t>();
    return ConversationRow{generation, epoch, began, std::move(group), closed, seq};
}

namespace {

core::AckedSet acked_set(Bytes const& encoded) {
    auto acked = core::AckedSet::decode(encoded);
    if (!acked) throw_damaged("a device's cursor does not parse");
    return std::move(*acked);
}

}  // namespace

std::optional<PlaceRow> Verbs::place_of(ConversationId const& id, DeviceRef const& device) {
    auto rows = db_.query(
        "SELECT joined_epoch, handshake_acked, acked, last_own_seq, sent_since_commit FROM places"
        " WHERE conversation = ? AND account = ? AND device = ? AND dropped = 0",
        id, device.account, device.device);
    if (!rows.next()) return std::nullopt;
    auto [joined, handshake, acked, own, sent] =
        rows.as<std::uint64_t, std::uint64_t, Bytes, std::uint64_t, std::uint64_t>();
    return PlaceRow{{device, joined, handshake, acked_set(acked)}, false, own, sent};
}

std::vector<Member> Verbs::members_of(ConversationId const& id) {
    if (auto const cached = members_.find(id); cached != members_.end()) return cached->second;
    std::vector<Member> members;
    auto rows = db_.query("SELECT account, side FROM members WHERE conversation = ? ORDER BY account", id);
    while (rows.next()) members.push_back({rows.get<AccountId>(0), rows.get<Side>(1)});
    if (members_.size() >= members_cached_max) members_.clear();
    if (!members.empty()) members_.emplace(id, members);
    return members;
}

std::vector<AccountId> Verbs::accounts_of(ConversationId const& id) {
    std::vector<AccountId> accounts;
    for (auto const& member : members_of(id)) accounts.push_back(member.account);
    return accounts;
}

std::vector<wire::MemberState> Verbs::roster_of(ConversationId const& id) {
    std::vector<wire::MemberState> roster;
    for (auto const& member : members_of(id)) {
        wire::MemberState state{member.account, member.side, {}};
        auto rows = db_.query("SELECT device FROM places WHERE conversation = ? AND account = ? ORDER BY device", id,
                              member.account);
        while (rows.next()) state.devices.push_back(rows.get<DeviceId>(0));
        roster.push_back(std::move(state));
    }
    return roster;
}

std::vector<core::DeliveryRow> Verbs::deliveries_of(ConversationId const& id) {
    std::vector<core::DeliveryRow> deliveries;
    auto rows = db_.query(
        "SELECT account, device, joined_epoch, handshake_acked, acked FROM places"
        " WHERE conversation = ? AND dropped = 0 ORDER BY account, device",
        id);
    while (rows.next()) {
        auto [account, device, joined, handshake, acked] =
            rows.as<AccountId, DeviceId, std::uint64_t, std::uint64_t, Bytes>();
        deliveries.push_back({{account, device}, joined, handshake, acked_set(acked)});
    }
    return deliveries;
}

core::Calendars Verbs::calendars_of(ConversationId const& id) {
    return calendars_of(members_of(id));
}

core::Calendars Verbs::calendars_of(std::vector<Member> const& members) {
    core::Calendars calendars;
    for (auto const& member : members)
        if (member.side == Side::therapist) calendars[member.account] = calendar_of(member.account);
    return calendars;
}

Verbs::Surroundings Verbs::surroundings_of(ConversationId const& id) {
    auto const members = members_of(id);
    Surroundings around{{}, deliveries_of(id), calendars_of(members)};
    for (auto const& member : members) around.accounts.push_back(member.account);
    return around;
}

wire::ConversationState Verbs::state_of(ConversationId const& id, ConversationRow const& row,
                                        std::uint64_t last_own_seq) {
    return {id, row.generation, row.epoch, roster_of(id), last_own_seq, row.closed};
}

std::vector<wire::SubjectState> Verbs::subjects_of(ConversationId const& id) {
    std::vector<wire::SubjectState> subjects{subject_state(audit::subject_of(id))};
    for (auto const& member : members_of(id)) subjects.push_back(subject_state(audit::subject_of(member.account)));
    return subjects;
}

std::optional<core::EnvelopeRow> Verbs::envelope(ConversationId const& id, std::uint64_t seq) {
    auto rows = db_.query(
        "SELECT generation, epoch, account, device, late_sender, stamp, hash, size FROM envelopes"
        " WHERE conversation = ? AND seq = ?",
        id, seq);
    if (!rows.next()) return std::nullopt;
    auto const [generation, epoch, account, device, late_sender, stamp, hash, size] =
        rows.as<std::uint32_t, std::uint64_t, AccountId, DeviceId, std::optional<AccountId>, WallTime, Hash32,
                std::uint64_t>();
    return core::EnvelopeRow{seq, generation, epoch, {account, device}, late_sender, stamp, hash, size};
}

void Verbs::forget(ConversationId const& id, std::vector<core::EnvelopeRow> const& envelopes,
                   std::vector<AccountId> const& members) {
    struct Sum {
        std::uint64_t messages = 0, bytes = 0;
    };
    std::map<AccountId, Sum> written;
    for (auto const& envelope : envelopes) {
        db_.run("DELETE FROM envelopes WHERE conversation = ? AND seq = ?", id, envelope.seq);
        auto& sum = written[envelope.sender.account];
        ++sum.messages;
        sum.bytes += envelope.size;
        if (envelopes_kept_) --*envelopes_kept_;
    }
    for (auto const& [author, sum] : written) {
        db_.run(
            "UPDATE members SET kept_messages = kept_messages - ?, kept_bytes = kept_bytes - ?"
            " WHERE conversation = ? AND account = ?",
            sum.messages, sum.bytes, id, author);
        for (auto const& account : members)
            if (account != author)
                db_.run(
                    "UPDATE accounts SET undelivered_messages = undelivered_messages - ?,"
                    " undelivered_bytes = undelivered_bytes - ? WHERE account = ?",
                    sum.messages, sum.bytes, account);
    }
}

void Verbs::settle(ConversationId const& id) {
    auto const accounts = accounts_of(id);
    auto const deliveries = deliveries_of(id);
    std::vector<core::EnvelopeRow> done;
    std::vector<std::uint64_t> kept;
    auto rows = db_.query("SELECT seq FROM envelopes WHERE conversation = ? ORDER BY seq", id);
    while (rows.next()) kept.push_back(rows.get<std::uint64_t>(0));
    for (auto const seq : kept) {
        auto const row = envelope(id, seq);
        if (core::is_done(*row, accounts, deliveries)) done.push_back(*row);
    }
    forget(id, done, accounts);
}

void Verbs::note_fate(DeviceRef const& by, WallTime at, wire::Fate const& fate) {
    auto const number =
        db_.value<std::uint64_t>("UPDATE conversations SET fates = fates + 1 WHERE conversation = ? RETURNING fates",
                                 fate.conversation)
            .value();
    db_.run("INSERT INTO fates VALUES (?, ?, ?, ?, ?, ?, ?, ?)", fate.conversation, number, by.account, by.device, at,
            fate.seq, fate.kind, fate.account);
}

void Verbs::announce(std::optional<ConversationId> conversation, std::vector<AccountId> accounts,
                     std::vector<DeviceRef> dropped) {
    ++changes_;
    announced_.push_back({conversation, 0, std::move(accounts), std::move(dropped), std::nullopt});
}

void Verbs::announce_envelope(ConversationId const& conversation, std::uint64_t seq, std::vector<AccountId> accounts,
                              DeviceRef const& author) {
    announced_.push_back({conversation, seq, std::move(accounts), {}, author});
}

}  // namespace interlude::store_sqlite

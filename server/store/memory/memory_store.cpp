// The store itself, and the readings and writings that several verbs share.
#include "server/store/memory/memory_store.hpp"

#include <algorithm>

namespace interlude::store_memory {

using namespace ports;

MemoryStore::MemoryStore(std::shared_ptr<Disk> disk, core::Policy policy, Hooks hooks, core::Seed seed)
    : disk_(std::move(disk)), policy_(policy), hooks_(std::move(hooks)) {
    if (!disk_->info.instance.is_zero()) return;
    core::Draws draws(seed);
    auto const instance = draws.next();
    disk_->info.instance = *base::InstanceId::from(bytes::ByteView(instance.bytes).first(base::InstanceId::size));
    disk_->info.schema = 1;
    make_subject(audit::operator_subject(disk_->info.instance), audit::SubjectKind::operator_, {}, {}, draws.next());
}

MemoryStore::Awaitable<OpenInfo> MemoryStore::open_info() {
    co_return disk_->info;
}

MemoryStore::Awaitable<void> MemoryStore::mark_time(WallTime time) {
    disk_->info.high_water = std::max(disk_->info.high_water, time);
    co_return;
}

MemoryStore::Awaitable<bool> MemoryStore::acquire_lease(std::string name, std::string holder, base::Millis term) {
    auto const time = now().now;
    auto& lease = disk_->leases[name];
    bool const free = lease.holder.empty() || lease.holder == holder || lease.until <= time;
    if (free) lease = {holder, time + term};
    co_return free;
}

MemoryStore::Awaitable<Counts> MemoryStore::counts() {
    Counts counts;
    counts.accounts = disk_->accounts.size();
    counts.conversations = disk_->conversations.size();
    for (auto const& [id, conversation] : disk_->conversations) counts.envelopes += conversation.envelopes.size();
    counts.entries = disk_->log.size();
    counts.sequenced = disk_->checkpoint_size;
    co_return counts;
}

// ---- Reading -------------------------------------------------------------------------------------------------------

AccountRow* MemoryStore::account(AccountId const& id) {
    auto const found = disk_->accounts.find(id);
    return found == disk_->accounts.end() ? nullptr : &found->second;
}

ConversationRow* MemoryStore::conversation(ConversationId const& id) {
    auto const found = disk_->conversations.find(id);
    return found == disk_->conversations.end() ? nullptr : &found->second;
}

bool MemoryStore::listed(DeviceRef const& device) const {
    auto const found = disk_->accounts.find(device.account);
    return found != disk_->accounts.end() && found->second.newest->list().find(device.device);
}

DeviceRow* MemoryStore::delivery_of(ConversationRow& conversation, DeviceRef const& device) {
    auto const found = conversation.devices.find(device);
    return found == conversation.devices.end() || found->second.dropped ? nullptr : &found->second;
}

std::vector<AccountId> MemoryStore::accounts_of(ConversationRow const& conversation) const {
    std::vector<AccountId> accounts;
    for (auto const& [id, member] : conversation.members) accounts.push_back(id);
    return accounts;
}

std::vector<wire::MemberState> MemoryStore::roster_of(ConversationRow const& conversation) const {
    std::vector<wire::MemberState> roster;
    for (auto const& [id, member] : conversation.members) {
        wire::MemberState state{id, member.side, {}};
        for (auto const& [device, row] : conversation.devices)
            if (device.account == id) state.devices.push_back(device.device);
        roster.push_back(std::move(state));
    }
    return roster;
}

std::vector<core::DeliveryRow> MemoryStore::deliveries_of(ConversationRow const& conversation) const {
    std::vector<core::DeliveryRow> rows;
    for (auto const& [device, row] : conversation.devices)
        if (!row.dropped) rows.push_back(row.delivery);
    return rows;
}

core::Calendars MemoryStore::calendars_of(ConversationRow const& conversation) const {
    core::Calendars calendars;
    for (auto const& [id, member] : conversation.members)
        if (member.side == Side::therapist) calendars[id] = disk_->accounts.at(id).calendar;
    return calendars;
}

std::set<AccountId> MemoryStore::related_to(AccountId const& account) const {
    std::set<AccountId> related{account};
    for (auto const& [id, conversation] : disk_->conversations)
        if (conversation.members.contains(account))
            for (auto const& [member, row] : conversation.members) related.insert(member);
    return related;
}

bool MemoryStore::may_look_up(Fetcher const& reader, AccountId const& account) const {
    if (auto const* device = std::get_if<DeviceRef>(&reader))
        return listed(*device) && related_to(device->account).contains(account);
    auto const invitation = disk_->invitations.find(std::get<InvitationId>(reader));
    return invitation != disk_->invitations.end() && invitation->second.document.inviter == account;
}

bool MemoryStore::is_party(AccountId const& account, SubjectRow const& subject) const {
    switch (subject.kind) {
        case audit::SubjectKind::conversation:
            return disk_->conversations.at(*subject.conversation).members.contains(account);
        case audit::SubjectKind::account:
            return related_to(account).contains(*subject.account);
        case audit::SubjectKind::operator_:
            return false;
    }
    return false;
}

wire::SubjectState MemoryStore::state_of(SubjectId const& subject) const {
    auto const& row = disk_->subjects.at(subject);
    return {subject, row.k_tag, row.head.counter, row.head.head};
}

wire::ConversationState MemoryStore::state_of(ConversationId const& id, ConversationRow const& conversation,
                                              DeviceRef const& device) const {
    return {id,
            conversation.generation,
            conversation.epoch,
            roster_of(conversation),
            conversation.devices.at(device).last_own_seq,
            conversation.closed};
}

std::vector<wire::SubjectState> MemoryStore::subjects_of(ConversationId const& id,
                                                         ConversationRow const& conversation) const {
    std::vector<wire::SubjectState> subjects{state_of(audit::subject_of(id))};
    for (auto const& [account, member] : conversation.members) subjects.push_back(state_of(audit::subject_of(account)));
    return subjects;
}

// ---- Writing -------------------------------------------------------------------------------------------------------

void MemoryStore::make_subject(SubjectId const& id, audit::SubjectKind kind, std::optional<AccountId> account,
                               std::optional<ConversationId> conversation, Hash32 const& k_tag) {
    disk_->subjects[id] = {kind, account, conversation, bytes::copy(k_tag.span()), {}, {}, {}};
}

std::uint64_t MemoryStore::append(core::EntryDraft draft, core::Draws& draws) {
    auto& subject = disk_->subjects.at(draft.subject);
    auto const decided_at = draft.decided_at;
    auto const type = audit::type_of(draft.body);
    audit::SubjectKey const key{bytes::SecretBytes(bytes::ByteView(subject.k_tag))};
    auto sealed = core::seal_entry(std::move(draft), key, subject.head, draws.next());

    auto const index = disk_->log.size();
    subject.head = {sealed.counter, sealed.hash};
    subject.entries.push_back(index);
    LogRow row{sealed.subject,          sealed.counter,         index,
               std::move(sealed.entry), std::move(sealed.salt), std::move(sealed.payload)};
    disk_->log.push_back({std::move(row), std::move(sealed.veil), decided_at, type});
    return index;
}

void MemoryStore::announce(std::optional<ConversationId> conversation, std::vector<AccountId> accounts,
                           std::vector<DeviceRef> dropped) {
    if (hooks_.changed) hooks_.changed({conversation, 0, std::move(accounts), std::move(dropped), std::nullopt});
}

void MemoryStore::announce_envelope(ConversationId const& conversation, std::uint64_t seq,
                                    std::vector<AccountId> accounts, DeviceRef const& author) {
    if (hooks_.changed) hooks_.changed({conversation, seq, std::move(accounts), {}, author});
}

void MemoryStore::forget(ConversationRow& conversation, std::uint64_t seq) {
    auto const found = conversation.envelopes.find(seq);
    auto& sender = conversation.members.at(found->second.row.sender.account);
    sender.kept_messages -= 1;
    sender.kept_bytes -= found->second.row.size;
    conversation.envelopes.erase(found);
}

void MemoryStore::settle(ConversationRow& conversation) {
    auto const deliveries = deliveries_of(conversation);
    auto const accounts = accounts_of(conversation);
    std::vector<std::uint64_t> done;
    for (auto const& [seq, envelope] : conversation.envelopes)
        if (core::is_done(envelope.row, accounts, deliveries)) done.push_back(seq);
    for (auto const seq : done) forget(conversation, seq);

    for (auto& [device, row] : conversation.devices) {
        auto const waiting =
            std::find_if(conversation.envelopes.begin(), conversation.envelopes.end(),
                         [&row = row](auto const& item) { return core::waits_for(item.second.row, row.delivery); });
        row.delivery.acked.advance_to(waiting == conversation.envelopes.end() ? conversation.next_seq : waiting->first);
    }
}

}  // namespace interlude::store_memory

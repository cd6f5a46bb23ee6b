// Commits, messages and what ends them before delivery.
#include <algorithm>

#include "server/core/recall.hpp"
#include "server/core/refusals.hpp"
#include "server/store/memory/memory_store.hpp"

namespace interlude::store_memory {

using namespace ports;

// ---- Commits -------------------------------------------------------------------------------------------------------

MemoryStore::Awaitable<CommitOutcome> MemoryStore::accept_commit(core::CommitSubmission submission) {
    auto const time = now().now;
    auto const& commit = submission.commit;
    core::CommitFacts facts;
    auto* row = conversation(commit.conversation);
    auto const* sender = row ? delivery_of(*row, submission.sender) : nullptr;
    if (sender) {
        facts.member = true;
        facts.closed = row->closed;
        facts.generation = row->generation;
        facts.epoch = row->epoch;
        facts.group_id = row->group_id;
        facts.roster = roster_of(*row);
        for (auto const& [id, member] : row->members) facts.lists.emplace(id, disk_->accounts.at(id).newest->list());
        for (auto const& ref : core::needs_of(commit).refs) {
            auto const package = disk_->key_packages.find(ref);
            if (package != disk_->key_packages.end()) facts.packages[ref] = package->second.device;
        }
        auto const& commits = row->commits[submission.sender];
        auto const since = [&](base::Millis span) {
            return std::count_if(commits.begin(), commits.end(), [&](WallTime at) { return at > time - span; });
        };
        facts.commits_last_hour = static_cast<int>(since(std::chrono::hours{1}));
        facts.committed_today = since(std::chrono::hours{24}) > 0;
        facts.sent_since_commit = sender->sent_since_commit;
        for (auto const& [seq, envelope] : row->envelopes)
            facts.retained_epochs = std::max(facts.retained_epochs, row->epoch - envelope.row.epoch);
        for (auto const& [id, calendar] : calendars_of(*row))
            facts.gate_closed = facts.gate_closed || !calendar || !calendar->open(time);
        auto const winner = row->handshakes.find(commit.epoch);
        if (winner != row->handshakes.end()) facts.winner = winner->second;
    }
    auto const verdict = core::check_epoch(facts, submission, time, policy_);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) co_return CommitOutcome{*refusal};
    if (auto const* conflict = std::get_if<wire::Conflict>(&verdict)) co_return CommitOutcome{*conflict};
    if (auto const* again = std::get_if<wire::Accepted>(&verdict)) co_return CommitOutcome{*again};
    auto const& acceptance = std::get<core::CommitAcceptance>(verdict);
    core::Draws draws(submission.seed);
    carry_out(submission, acceptance, *row, draws);
    announce(commit.conversation, accounts_of(*row));
    co_return CommitOutcome{wire::Accepted{acceptance.epoch_begun}};
}

void MemoryStore::carry_out(core::CommitSubmission const& submission, core::CommitAcceptance const& acceptance,
                            ConversationRow& conversation, core::Draws& draws) {
    auto const& commit = submission.commit;
    auto const time = acceptance.entry.decided_at;
    conversation.handshakes[commit.epoch] = {commit.conversation,      commit.generation, commit.epoch,
                                             submission.sender.device, submission.stamp,  commit.mls,
                                             commit.declaration};
    conversation.epoch = acceptance.epoch_begun;
    conversation.epoch_began = time;
    for (auto const& removed : acceptance.removed) {
        conversation.devices.erase(removed);
        conversation.welcomes.erase(removed);
    }
    for (auto const& added : acceptance.added) {
        DeviceRow row;
        row.delivery = {added.device, acceptance.epoch_begun, acceptance.epoch_begun, {}};
        row.delivery.acked.advance_to(conversation.next_seq);
        conversation.devices[added.device] = std::move(row);
        conversation.welcomes[added.device] = {commit.conversation,
                                               commit.generation,
                                               acceptance.epoch_begun,
                                               submission.sender.device,
                                               submission.stamp,
                                               added.welcome,
                                               commit.declaration,
                                               std::nullopt,
                                               {},
                                               {}};
    }
    auto& sender = conversation.devices.at(submission.sender);
    conversation.commits[submission.sender].push_back(time);
    sender.sent_since_commit = 0;
    append(acceptance.entry, draws);
    settle(conversation);
}

// ---- Messages ------------------------------------------------------------------------------------------------------

MemoryStore::Awaitable<AcceptOutcome> MemoryStore::accept(core::Submission submission) {
    auto const time = now();
    core::SubmissionFacts facts;
    auto* row = conversation(submission.send.conversation);
    auto const bound = disk_->requests.find({submission.sender, submission.request});
    if (bound != disk_->requests.end()) {
        facts.bound = bound->second.answer;
    } else if (row && delivery_of(*row, submission.sender)) {
        facts.member = true;
        facts.closed = row->closed;
        facts.generation = row->generation;
        facts.epoch = row->epoch;
        facts.epoch_began = row->epoch_began;
        facts.group_id = row->group_id;
        facts.next_seq = row->next_seq;
        facts.instance = disk_->info.instance;
        if (submission.send.replaces) {
            auto const replaced = row->envelopes.find(*submission.send.replaces);
            if (replaced != row->envelopes.end()) facts.replaced = replaced->second.row;
        }
        for (auto const& [id, member] : row->members) {
            core::MemberFacts one{id, member.side, disk_->accounts.at(id).calendar, 0, 0};
            for (auto const& [other_id, other] : disk_->conversations) {
                if (!other.members.contains(id)) continue;
                for (auto const& [author, kept] : other.members) {
                    if (author == id) continue;
                    one.undelivered_messages += kept.kept_messages;
                    one.undelivered_bytes += kept.kept_bytes;
                    if (other_id != submission.send.conversation) continue;
                    one.undelivered_messages_here += kept.kept_messages;
                    one.undelivered_bytes_here += kept.kept_bytes;
                }
            }
            facts.members.push_back(std::move(one));
        }
    }

    AcceptOutcome outcome{core::decide_submission(facts, submission, time, policy_), std::nullopt};
    std::optional<std::uint64_t> entry;
    if (auto* acceptance = std::get_if<core::Acceptance>(&outcome.verdict)) {
        core::Draws draws(submission.seed);
        if (acceptance->recall)
            recall_from(*row, submission.sender, submission.send.conversation, *submission.send.replaces,
                        std::move(*acceptance->recall), draws);
        if (acceptance->entry) entry = append(*acceptance->entry, draws);
        carry_out(submission, *acceptance, *row);
        core::BoundAnswer const answer{
            submission.send.conversation, submission.send.wish, acceptance->seq, acceptance->stamp,
            acceptance->envelope,         acceptance->holds,    entry,           submission.send.replaces};
        disk_->requests[{submission.sender, submission.request}] = {answer, std::nullopt};
        announce_envelope(submission.send.conversation, acceptance->seq, accounts_of(*row), submission.sender);
    } else if (auto const* again = std::get_if<core::BoundAnswer>(&outcome.verdict)) {
        entry = again->entry;
    }
    if (entry && !disk_->log.at(*entry).row.payload.empty()) outcome.entry = disk_->log.at(*entry).row;
    co_return outcome;
}

void MemoryStore::carry_out(core::Submission const& submission, core::Acceptance const& acceptance,
                            ConversationRow& conversation) {
    auto const size = submission.send.mls.size();
    conversation.next_seq = acceptance.seq + 1;
    conversation.envelopes[acceptance.seq] = {
        {acceptance.seq, submission.send.generation, submission.send.epoch, submission.sender, acceptance.late_sender,
         acceptance.stamp, acceptance.envelope, size},
        submission.send.mls};
    auto& member = conversation.members.at(submission.sender.account);
    member.kept_messages += 1;
    member.kept_bytes += size;
    auto& device = conversation.devices.at(submission.sender);
    device.last_own_seq = acceptance.seq;
    device.sent_since_commit += 1;
}

MemoryStore::Awaitable<RecallAnswer> MemoryStore::recall(DeviceRef by, ConversationId conversation_id,
                                                         std::uint64_t seq, core::Seed seed) {
    auto const time = now();
    core::RecallFacts facts;
    auto* row = conversation(conversation_id);
    if (row && delivery_of(*row, by)) {
        facts.member = true;
        auto const envelope = row->envelopes.find(seq);
        if (envelope != row->envelopes.end()) facts.envelope = envelope->second.row;
        facts.recalled_before = std::any_of(row->fates.begin(), row->fates.end(), [&](FateRow const& fate) {
            return fate.fate.kind == wire::FateKind::recalled && fate.fate.seq == seq && fate.by == by;
        });
        facts.recipients = accounts_of(*row);
        facts.calendars = calendars_of(*row);
    }
    auto const verdict = core::decide_recall(facts, by, conversation_id, time);
    if (auto const* refusal = std::get_if<wire::Refused>(&verdict)) co_return *refusal;
    if (std::holds_alternative<wire::TooLate>(verdict)) co_return wire::TooLate{};
    if (std::holds_alternative<wire::Done>(verdict)) co_return wire::Done{};
    core::Draws draws(seed);
    recall_from(*row, by, conversation_id, seq, std::get<core::Recalling>(verdict).entry, draws);
    co_return wire::Done{};
}

void MemoryStore::recall_from(ConversationRow& row, DeviceRef const& by, ConversationId const& id, std::uint64_t seq,
                              core::EntryDraft entry, core::Draws& draws) {
    append(std::move(entry), draws);
    forget(row, seq);
    settle(row);
    row.fates.push_back(
        {++row.fates_made, by.account, by, now().now, {id, seq, wire::FateKind::recalled, std::nullopt}});
    announce(id, {by.account});
}

MemoryStore::Awaitable<PutAnswer> MemoryStore::close_conversation(DeviceRef by, ConversationId conversation_id) {
    auto* row = conversation(conversation_id);
    if (!row || !delivery_of(*row, by)) co_return core::refused(wire::Rule::not_a_member);
    auto const clients = std::count_if(row->members.begin(), row->members.end(),
                                       [](auto const& item) { return item.second.side == Side::client; });
    if (row->members.at(by.account).side == Side::client && clients > 1) co_return core::refused(wire::Rule::invalid);
    row->closed = true;
    announce(conversation_id, accounts_of(*row));
    co_return wire::Done{};
}

MemoryStore::Awaitable<void> MemoryStore::confirm(DeviceRef by, std::vector<RequestId> ids) {
    auto const time = now().now;
    for (auto const& id : ids) {
        auto const found = disk_->requests.find({by, id});
        if (found != disk_->requests.end() && !found->second.confirmed_at) found->second.confirmed_at = time;
    }
    co_return;
}

}  // namespace interlude::store_memory

#include "client-cli/engine/membership.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/hours.hpp"
#include "common/base/limits.hpp"
#include "common/mls/labels.hpp"
#include "common/mls/messages.hpp"

namespace interlude::engine {

using base::Errc;
namespace limits = base::limits;
using mls_framing::Declaration;

namespace {

using namespace std::chrono_literals;

constexpr auto healing_interval = std::chrono::days{7};
constexpr auto healing_interval_while_closed = std::chrono::days{1};
constexpr std::uint32_t healing_jitter_minutes_max = 12 * 60;
constexpr std::uint64_t retry_seconds_max = 30;
constexpr auto clock_margin = 1h;  // key packages are good for clocks that are behind ours or ahead of it

using DeviceOf = std::pair<AccountId, DeviceId>;

std::optional<identity::LeafIdentity> identity_of(mls::Member const& member) {
    auto leaf = identity::decode_leaf_identity(member.identity);
    if (!leaf) return std::nullopt;
    return std::move(*leaf);
}

std::vector<DeviceOf> devices_of(std::vector<mls::Member> const& members) {
    std::vector<DeviceOf> devices;
    for (auto const& member : members)
        if (auto const leaf = identity_of(member)) devices.emplace_back(leaf->account, leaf->device);
    std::sort(devices.begin(), devices.end());
    return devices;
}

std::vector<DeviceOf> devices_of(std::vector<wire::MemberState> const& members) {
    std::vector<DeviceOf> devices;
    for (auto const& member : members)
        for (auto const& device : member.devices) devices.emplace_back(member.account, device);
    std::sort(devices.begin(), devices.end());
    return devices;
}

bool is_listed(Turn& turn, AccountId const& account, DeviceId const& device) {
    auto const list = newest_list(turn, account);
    return list && list->list().find(device) != nullptr;
}

/// Leaves whose device its account's newest list no longer has.
std::vector<mls::Member> dropped_members(Turn& turn, mls::Group const& group) {
    std::vector<mls::Member> dropped;
    for (auto const& member : group.roster()) {
        auto const leaf = identity_of(member);
        if (leaf && newest_list(turn, leaf->account) && !is_listed(turn, leaf->account, leaf->device))
            dropped.push_back(member);
    }
    return dropped;
}

/// The commit did what it declared, and its committer may do that (protocol.md, Who may change what).
Result<std::vector<wire::MemberState>> check_commit(Turn& turn, ConversationId const& id,
                                                    ConversationRecord const& conversation, std::uint64_t epoch,
                                                    ByteView declaration_bytes, mls::ProcessedCommit const& commit) {
    if (commit.external || commit.beyond_members) return Errc::bad_commit;
    INTERLUDE_TRY(auto declaration, mls_framing::decode_declaration(declaration_bytes));
    if (declaration.conversation != id || declaration.generation != conversation.generation ||
        declaration.epoch_before != epoch)
        return Errc::bad_commit;
    auto const committer = identity_of(commit.committer);
    if (!committer) return Errc::bad_leaf;

    std::vector<DeviceOf> added;
    for (auto const& device : declaration.added) {
        if (device.account != committer->account || side_of(conversation, device.account) != device.side)
            return Errc::not_allowed;
        added.emplace_back(device.account, device.device);
    }
    std::vector<DeviceOf> removed;
    for (auto const& device : declaration.removed) {
        if (device.account != committer->account && is_listed(turn, device.account, device.device))
            return Errc::not_allowed;
        removed.emplace_back(device.account, device.device);
    }
    std::sort(added.begin(), added.end());
    std::sort(removed.begin(), removed.end());
    if (added != devices_of(commit.added) || removed != devices_of(commit.removed)) return Errc::bad_commit;
    for (auto const& member : commit.updated)  // a new key, never another device
        if (auto const leaf = identity_of(member);
            !leaf || leaf->account != committer->account || leaf->device != committer->device)
            return Errc::not_allowed;
    INTERLUDE_TRY(auto members, members_after(declaration, conversation.members));
    if (commit.next && !roster_matches(*commit.next, members)) return Errc::bad_commit;
    return members;
}

/// Another epoch began: what follows from it for every kind of commit.
void begin_epoch(Turn& turn, ConversationId const& id, ConversationRecord& conversation, mls::Group const& group,
                 std::vector<wire::MemberState> members) {
    bool const changed = members != conversation.members;
    conversation.members = std::move(members);
    conversation.ended.push_back({group.epoch() - 1, turn.now});
    conversation.server_epoch = std::max(conversation.server_epoch, group.epoch());
    save_group(turn, id, conversation.generation, group);
    turn.save(id, conversation);
    turn.say(wire::HandshakeAck{id, conversation.generation, group.epoch()});
    if (changed) turn.tell(MembersChanged{id});
}

void merge_pending(Turn& turn, ConversationId const& id, PendingCommitRecord const& pending) {
    auto conversation = turn.conversation(id);
    auto group = conversation ? load_group(turn, id, conversation->generation) : std::nullopt;
    INTERLUDE_CHECK(group);
    turn.rows.erase(Table::pending, id.bytes);
    if (group->epoch() != pending.epoch) return;  // merged before
    auto next = mls::Group::decode(pending.next.expose());
    INTERLUDE_CHECK(next);
    auto const declaration = mls_framing::decode_declaration(pending.declaration);
    INTERLUDE_CHECK(declaration);
    auto members = members_after(*declaration, conversation->members);
    INTERLUDE_CHECK(members);
    auto const merged = std::move(*group).merge(std::move(*next));
    conversation->last_commit = turn.now;
    conversation->healing_jitter_minutes = static_cast<std::uint32_t>(turn.entropy.below(healing_jitter_minutes_max));
    conversation->replace_leaf = false;
    conversation->lost_state = false;
    begin_epoch(turn, id, *conversation, merged, std::move(*members));
}

struct PendingOf {
    ConversationId id;
    PendingCommitRecord record;
};
std::optional<PendingOf> pending_by(Turn& turn, RequestId const& request) {
    for (auto& [key, record] : turn.rows.scan<PendingCommitRecord>(Table::pending))
        if (record.request == request) return PendingOf{*ConversationId::from(key), std::move(record)};
    return std::nullopt;
}

void refuse_commit(Turn& turn, ConversationId const& id, ConversationRecord& conversation,
                   wire::Handshake const& handshake, Errc why) {
    conversation.broken = true;
    turn.save(id, conversation);
    turn.alarm("commit_refused", "a change of the group does not hold (" + std::string(base::name(why)) + ")", id,
               handshake.mls, handshake.declaration);
    turn.ask(turn.entropy.id<RequestId>(),
             wire::CommitRejected{id, handshake.generation, handshake.epoch, static_cast<std::uint32_t>(why)});
}

/// Why a commit should be made now, if any reason there is.
struct Due {
    std::vector<mls::Member> removes;
    bool new_identity = false;
    bool any = false;
};
Due commit_due(Turn& turn, ConversationId const& id, ConversationRecord const& conversation, mls::Group const& group) {
    Due due;
    due.removes = dropped_members(turn, group);
    due.new_identity = conversation.replace_leaf || conversation.lost_state;
    due.any = !due.removes.empty() || due.new_identity;
    if (due.any) return due;
    auto const spent = group.spent_generations();
    if (spent >= limits::healing_generations_forced) {
        due.any = true;
        return due;
    }
    auto const since = turn.now - conversation.last_commit;
    bool const weekly = since >= healing_interval + std::chrono::minutes(conversation.healing_jitter_minutes);
    if (!weekly && spent < limits::healing_generations) return due;
    due.any = every_gate_open(turn, id, conversation) || since >= healing_interval_while_closed;
    return due;
}

std::optional<PendingCommitRecord> make_commit(Turn& turn, ConversationId const& id,
                                               ConversationRecord const& conversation, mls::Group& group,
                                               Due const& due) {
    Declaration declaration;
    declaration.conversation = id;
    declaration.generation = conversation.generation;
    declaration.epoch_before = group.epoch();
    mls::CommitArgs args;
    for (auto const& member : due.removes) {
        auto const leaf = identity_of(member);
        declaration.removed.push_back({leaf->account, leaf->device});
        args.removes.push_back(member.leaf);
    }
    PendingCommitRecord pending;
    pending.declaration = mls_framing::encode(declaration);
    args.authenticated_data = bytes::copy(mls_framing::declaration_hash(pending.declaration).bytes);
    if (due.new_identity) {
        auto const account = turn.account();
        auto key = crypto::SigningKey::generate(turn.entropy);
        auto const leaf = identity::attest_leaf(device_key(account), account.account, account.device,
                                                own_list(turn).list().position(), key.public_key().bytes);
        args.new_identity = mls::NewIdentity{identity::encode(leaf), std::move(key)};
    }
    args.outside.check_leaf = leaf_check(turn);
    auto made = group.commit(std::move(args), turn.entropy);
    if (!made) return std::nullopt;
    save_group(turn, id, conversation.generation, group);  // one generation of the handshake ratchet is spent
    pending.request = turn.entropy.id<RequestId>();
    pending.epoch = group.epoch();
    pending.mls = std::move(made->commit);
    pending.next = made->next.encode();
    turn.rows.put(Table::pending, id.bytes, pending);
    return pending;
}

}  // namespace

Result<void> check_leaf(Turn& turn, ByteView identity, ByteView signature_key) {
    INTERLUDE_TRY(auto leaf, identity::decode_leaf_identity(identity));
    auto const list = newest_list(turn, leaf.account);
    if (!list) return Errc::not_listed;
    return identity::verify_leaf(leaf, signature_key, list->list());
}

mls::LeafCheck leaf_check(Turn& turn) {
    return [&turn](mls::LeafNode const& leaf) -> Result<void> {
        auto const* identity = leaf.credential.identity();
        if (!identity) return Errc::bad_leaf;
        return check_leaf(turn, *identity, leaf.signature_key);
    };
}

mls::KeyPackageBundle make_key_package(Turn& turn, std::chrono::seconds life) {
    auto const account = turn.account();
    auto key = crypto::SigningKey::generate(turn.entropy);
    auto const leaf = identity::attest_leaf(device_key(account), account.account, account.device,
                                            own_list(turn).list().position(), key.public_key().bytes);
    auto const suite = crypto::find_suite(crypto::suite_x25519_chacha20poly1305);
    INTERLUDE_CHECK(suite);
    mls::KeyPackageArgs args{**suite, mls::Credential::basic(identity::encode(leaf)), std::move(key),
                             mls::lifetime_from(turn.now - clock_margin, life)};
    return mls::generate_key_package(std::move(args), turn.entropy);
}

Result<std::vector<wire::MemberState>> members_after(Declaration const& declaration,
                                                     std::vector<wire::MemberState> members) {
    for (auto const& device : declaration.removed) {
        auto const member = std::find_if(members.begin(), members.end(),
                                         [&](auto const& known) { return known.account == device.account; });
        if (member == members.end() || std::erase(member->devices, device.device) != 1) return Errc::bad_commit;
        if (member->devices.empty()) members.erase(member);
    }
    for (auto const& device : declaration.added) {
        auto member = std::find_if(members.begin(), members.end(),
                                   [&](auto const& known) { return known.account == device.account; });
        if (member == members.end()) member = members.insert(members.end(), {device.account, device.side, {}});
        auto& devices = member->devices;
        if (member->side != device.side || std::find(devices.begin(), devices.end(), device.device) != devices.end())
            return Errc::bad_commit;
        devices.push_back(device.device);
    }
    return members;
}

bool roster_matches(mls::Group const& group, std::vector<wire::MemberState> const& members) {
    auto const roster = group.roster();
    auto const leaves = devices_of(roster);
    return leaves.size() == roster.size() && leaves == devices_of(members);
}

bool removal_due(Turn& turn, mls::Group const& group) {
    return !dropped_members(turn, group).empty();
}

namespace {

/// A member of this epoch signed the commit, and over this declaration. Anything else the server may have made up or
/// changed: it says nothing about what the conversation's members did.
bool is_authentic(mls::Group const& group, wire::Handshake const& handshake) {
    auto const signed_data = group.authenticate_commit(handshake.mls);
    return signed_data && bytes::equal(*signed_data, mls_framing::declaration_hash(handshake.declaration).bytes);
}

}  // namespace

HandshakeOutcome take_handshake(Turn& turn, wire::Handshake const& handshake) {
    auto const& id = handshake.conversation;
    auto conversation = turn.conversation(id);
    if (!conversation || conversation->generation != handshake.generation || conversation->broken)
        return HandshakeOutcome::taken;
    auto const group = load_group(turn, id, conversation->generation);
    if (!group) return HandshakeOutcome::taken;
    if (handshake.epoch < group->epoch()) {  // seen before
        turn.say(wire::HandshakeAck{id, handshake.generation, handshake.epoch + 1});
        return HandshakeOutcome::taken;
    }
    if (handshake.epoch > group->epoch()) {
        turn.alarm("handshake_missing", "the server left out a change of the group", id);
        return HandshakeOutcome::taken;
    }
    auto const pending = turn.rows.get<PendingCommitRecord>(Table::pending, id.bytes);
    if (pending && pending->mls == handshake.mls) {
        merge_pending(turn, id, *pending);
        return HandshakeOutcome::taken;
    }
    mls::Outside outside;
    outside.check_leaf = leaf_check(turn);
    auto commit = group->process(handshake.mls, outside);
    if (!commit && commit.error() == Errc::stale) {
        for (auto const& member : conversation->members) ask_for_lists(turn, member.account);
        return HandshakeOutcome::needs_lists;
    }
    // A change of the declaration can make a true commit look wrong, and garbage is no commit: the honest copy may
    // come.
    if (!is_authentic(*group, handshake)) {
        turn.alarm("bad_handshake", "the server sent a change of the group that no member made", id, handshake.mls,
                   handshake.declaration);
        return HandshakeOutcome::not_authentic;
    }
    if (!commit) {
        refuse_commit(turn, id, *conversation, handshake, commit.error());
        return HandshakeOutcome::taken;
    }
    auto members = check_commit(turn, id, *conversation, handshake.epoch, handshake.declaration, *commit);
    if (!members) {
        refuse_commit(turn, id, *conversation, handshake, members.error());
        return HandshakeOutcome::taken;
    }
    if (pending) turn.rows.erase(Table::pending, id.bytes);  // it lost
    if (commit->removed_self()) {
        conversation->closed = true;
        conversation->members = std::move(*members);
        turn.save(id, *conversation);
        turn.rows.erase(Table::groups, key_of(id, conversation->generation));
        turn.tell(MembersChanged{id});
        return HandshakeOutcome::taken;
    }
    begin_epoch(turn, id, *conversation, *commit->next, std::move(*members));
    return HandshakeOutcome::taken;
}

void flush_commits(Turn& turn, InFlight& in_flight, bool make_new) {
    for (auto const& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
        auto const id = *ConversationId::from(key);
        if (conversation.closed || conversation.broken) continue;
        if (auto const patience = in_flight.commits_not_before.find(id);
            patience != in_flight.commits_not_before.end() && turn.now < patience->second)
            continue;
        auto pending = turn.rows.get<PendingCommitRecord>(Table::pending, id.bytes);
        if (!pending && make_new) {
            auto group = load_group(turn, id, conversation.generation);
            if (!group || group->epoch() < conversation.server_epoch) continue;
            auto const due = commit_due(turn, id, conversation, *group);
            if (due.any) pending = make_commit(turn, id, conversation, *group, due);
        }
        if (!pending || in_flight.sent.contains(pending->request)) continue;
        wire::Commit commit;
        commit.conversation = id;
        commit.generation = conversation.generation;
        commit.epoch = pending->epoch;
        commit.mls = pending->mls;
        commit.declaration = pending->declaration;
        commit.welcomes = pending->welcomes;
        turn.ask(pending->request, std::move(commit));
        in_flight.sent.insert(pending->request);
    }
}

bool take_accepted(Turn& turn, RequestId const& request, wire::Accepted const& accepted) {
    auto const pending = pending_by(turn, request);
    if (!pending || accepted.epoch != pending->record.epoch + 1) return false;
    merge_pending(turn, pending->id, pending->record);
    return true;
}

bool take_conflict(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Conflict const& conflict) {
    auto const pending = pending_by(turn, request);
    if (!pending) return false;
    if (conflict.winner && conflict.winner->mls == pending->record.mls) {
        merge_pending(turn, pending->id, pending->record);
        return true;
    }
    turn.rows.erase(Table::pending, pending->id.bytes);
    in_flight.commits_not_before[pending->id] =
        turn.now + std::chrono::seconds(1 + turn.entropy.below(retry_seconds_max));
    if (conflict.winner) take_handshake(turn, *conflict.winner);
    return true;
}

bool take_commit_error(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Error const& error) {
    auto const pending = pending_by(turn, request);
    if (!pending) return false;
    switch (error.code) {
        case wire::ErrorCode::too_fast:
        case wire::ErrorCode::overloaded:
        case wire::ErrorCode::store:  // nobody looked at it this time; it may have been accepted before
            in_flight.commits_not_before[pending->id] =
                turn.now + std::chrono::seconds(std::max(1u, error.retry_after_seconds));
            return true;
        case wire::ErrorCode::malformed:
        case wire::ErrorCode::out_of_state:
        case wire::ErrorCode::not_authenticated:
        case wire::ErrorCode::not_allowed:
        case wire::ErrorCode::not_yet:
            break;
    }
    return take_commit_refused(turn, in_flight, request, error.retry_after_seconds);
}

bool take_commit_refused(Turn& turn, InFlight& in_flight, RequestId const& request, std::uint32_t retry_after_seconds) {
    auto const pending = pending_by(turn, request);
    if (!pending) return false;
    turn.rows.erase(Table::pending, pending->id.bytes);
    in_flight.commits_not_before[pending->id] = turn.now + std::chrono::seconds(std::max(600u, retry_after_seconds));
    return true;
}

void take_states(Turn& turn, std::vector<wire::ConversationState> const& states) {
    for (auto const& state : states) {
        auto conversation = turn.conversation(state.conversation);
        if (!conversation || conversation->generation != state.generation) continue;
        conversation->server_epoch = state.epoch;  // its word of today: nothing proves it
        conversation->closed = conversation->closed || state.closed;
        if (state.last_own_seq > conversation->last_own_seq) conversation->told_own_seq = state.last_own_seq;
        turn.save(state.conversation, *conversation);
    }
    notice_lost_state(turn);
}

void notice_lost_state(Turn& turn) {
    std::set<ConversationId> unanswered;
    bool looked = false;
    for (auto& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
        if (conversation.told_own_seq == 0) continue;
        auto const id = *ConversationId::from(key);
        // The message itself has to be here. A greater number is no answer: what the copy sent again may be a new one
        // to a server that forgot it after the answer was confirmed.
        auto const there = turn.rows.get<MessageRecord>(Table::messages, key_of(id, conversation.told_own_seq));
        if (there && there->own) {
            conversation.told_own_seq = 0;
            turn.save(id, conversation);
            continue;
        }
        if (!std::exchange(looked, true))
            for (auto const& [request, record] : outgoing(turn))
                if (record.kind == OutgoingKind::message && record.state == OutgoingState::waiting &&
                    !record.sealed.empty())
                    unanswered.insert(record.conversation);
        if (unanswered.contains(id)) continue;  // one of those may be what the server has: they go as they are
        conversation.lost_state = true;         // the server knows messages of this device that this home never wrote
        conversation.last_own_seq = std::max(conversation.last_own_seq, conversation.told_own_seq);
        conversation.told_own_seq = 0;
        turn.save(id, conversation);
        turn.alarm("restored_copy", "this home is an older copy of itself: its keys are renewed before it sends", id);
    }
}

void ask_for_lists(Turn& turn, AccountId const& account) {
    auto const known = newest_list(turn, account);
    if (!known) return;
    auto const at = known->list().position();
    turn.ask(turn.entropy.id<RequestId>(), wire::DeviceListGet{account, at.generation, at.version});
}

}  // namespace interlude::engine

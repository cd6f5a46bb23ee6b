#include "client-cli/engine/membership.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/hours.hpp"
#include "client-cli/engine/outbox.hpp"
#include "client-cli/engine/own_commits.hpp"
#include "common/base/limits.hpp"
#include "common/mls/labels.hpp"
#include "common/mls/messages.hpp"

namespace interlude::engine {

using base::Errc;
namespace limits = base::limits;
using mls_framing::Declaration;

namespace {

using namespace std::chrono_literals;

constexpr auto clock_margin = 1h;  // key packages are good for clocks that are behind ours or ahead of it

using DeviceOf = std::pair<AccountId, DeviceId>;

bool is_listed(Turn& turn, AccountId const& account, DeviceId const& device) {
    auto const list = newest_list(turn, account);
    return list && list->list().find(device) != nullptr;
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

void refuse_commit(Turn& turn, ConversationId const& id, ConversationRecord& conversation,
                   wire::Handshake const& handshake, Errc why) {
    conversation.broken = true;
    turn.save(id, conversation);
    turn.alarm("commit_refused", "a change of the group does not hold (" + std::string(base::name(why)) + ")", id,
               handshake.mls, handshake.declaration);
    turn.ask(turn.entropy.id<RequestId>(),
             wire::CommitRejected{id, handshake.generation, handshake.epoch, static_cast<std::uint32_t>(why)});
}

}  // namespace

std::optional<identity::LeafIdentity> identity_of(mls::Member const& member) {
    auto leaf = identity::decode_leaf_identity(member.identity);
    if (!leaf) return std::nullopt;
    return std::move(*leaf);
}

std::vector<mls::Member> dropped_members(Turn& turn, std::vector<mls::Member> const& roster) {
    std::vector<mls::Member> dropped;
    for (auto const& member : roster) {
        auto const leaf = identity_of(member);
        auto const list = leaf ? newest_list(turn, leaf->account) : std::nullopt;
        if (list && !list->list().find(leaf->device)) dropped.push_back(member);
    }
    return dropped;
}

void begin_epoch(Turn& turn, ConversationId const& id, ConversationRecord& conversation, mls::Group const& group,
                 std::vector<wire::MemberState> members) {
    bool const changed = members != conversation.members;
    conversation.members = std::move(members);
    conversation.ended.push_back({group.epoch() - 1, turn.now});
    conversation.server_epoch = std::max(conversation.server_epoch, group.epoch());
    forget_own_commits(turn, id);
    save_group(turn, id, conversation.generation, group);
    turn.save(id, conversation);
    turn.say(wire::HandshakeAck{id, conversation.generation, group.epoch()});
    if (changed) turn.tell(MembersChanged{id});
}

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
    if (merge_own_commit(turn, id, handshake.mls)) return HandshakeOutcome::taken;
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
    if (commit->removed_self()) {
        conversation->closed = true;
        conversation->members = std::move(*members);
        forget_own_commits(turn, id);
        turn.save(id, *conversation);
        turn.rows.erase(Table::groups, key_of(id, conversation->generation));
        turn.tell(MembersChanged{id});
        return HandshakeOutcome::taken;
    }
    begin_epoch(turn, id, *conversation, *commit->next, std::move(*members));
    return HandshakeOutcome::taken;
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

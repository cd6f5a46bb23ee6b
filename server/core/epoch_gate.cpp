#include "server/core/epoch_gate.hpp"

#include <algorithm>
#include <set>

#include "common/crypto/hash.hpp"
#include "common/mls_framing/outer.hpp"
#include "server/core/refusals.hpp"

namespace interlude::core {
namespace {

using mls_framing::Declaration;
using Refusal = std::optional<wire::Refused>;

bool has(std::vector<DeviceId> const& devices, DeviceId const& device) {
    return std::find(devices.begin(), devices.end(), device) != devices.end();
}

wire::MemberState const* find_account(std::vector<wire::MemberState> const& roster, AccountId const& account) {
    auto const found = std::find_if(roster.begin(), roster.end(), [&](auto const& m) { return m.account == account; });
    return found == roster.end() ? nullptr : &*found;
}

/// The declaration, if the commit is one of this group and says in its authenticated_data what is declared beside it.
std::optional<Declaration> read_declaration(CommitFacts const& facts, wire::Commit const& commit) {
    auto const outer = mls_framing::read_private_message_outer(commit.mls);
    auto const declaration = mls_framing::decode_declaration(commit.declaration);
    if (!outer || !declaration) return std::nullopt;
    bool const of_group = outer->content_type == mls_framing::ContentType::commit && outer->epoch == commit.epoch &&
                          outer->group_id == facts.group_id;
    auto const hash = mls_framing::declaration_hash(commit.declaration);
    bool const declared = bytes::equal(outer->authenticated_data, hash.span()) &&
                          declaration->conversation == commit.conversation &&
                          declaration->generation == commit.generation && declaration->epoch_before == commit.epoch;
    return of_group && declared ? std::optional(*declaration) : std::nullopt;
}

/// One's own devices by one's newest list; nobody else's yet (a new account needs confirmations, a later version's).
Refusal check_added(CommitFacts const& facts, DeviceRef const& sender, Declaration const& declaration) {
    for (auto const& added : declaration.added) {
        if (!find_account(facts.roster, added.account)) return refused(wire::Rule::not_yet);
        if (added.account != sender.account) return refused(wire::Rule::invalid);
        auto const list = facts.lists.find(added.account);
        auto const package = facts.packages.find(added.ref);
        bool const good = list != facts.lists.end() && list->second.find(added.device) &&
                          list->second.identity.side == added.side && package != facts.packages.end() &&
                          package->second == DeviceRef{added.account, added.device};
        if (!good) return refused(wire::Rule::invalid);
    }
    return std::nullopt;
}

/// Devices that their account's newest list dropped; and one's own that the same commit adds anew.
Refusal check_removed(CommitFacts const& facts, DeviceRef const& sender, Declaration const& declaration) {
    for (auto const& removed : declaration.removed) {
        auto const* member = find_account(facts.roster, removed.account);
        auto const list = facts.lists.find(removed.account);
        if (!member || !has(member->devices, removed.device) || list == facts.lists.end())
            return refused(wire::Rule::invalid);
        bool const dropped = !list->second.find(removed.device);
        bool const anew = removed.account == sender.account && removed.device != sender.device &&
                          std::any_of(declaration.added.begin(), declaration.added.end(),
                                      [&](auto const& a) { return a.device == removed.device; });
        if (!dropped && !anew) return refused(wire::Rule::invalid);
    }
    return std::nullopt;
}

/// The roster that the commit would make.
std::vector<wire::MemberState> changed_roster(std::vector<wire::MemberState> roster, Declaration const& declaration) {
    for (auto& member : roster)
        for (auto const& removed : declaration.removed)
            if (removed.account == member.account) std::erase(member.devices, removed.device);
    for (auto const& added : declaration.added)
        for (auto& member : roster)
            if (added.account == member.account) member.devices.push_back(added.device);
    return roster;
}

bool without_repetition(std::vector<wire::MemberState> const& roster) {
    return std::all_of(roster.begin(), roster.end(), [](auto const& member) {
        return std::set(member.devices.begin(), member.devices.end()).size() == member.devices.size();
    });
}

/// exact.md, Commit limits.
Refusal check_rate(CommitFacts const& facts, Declaration const& declaration, Policy const& policy) {
    if (facts.sent_since_commit >= base::limits::healing_generations_forced) return std::nullopt;  // never refused
    if (facts.commits_last_hour >= policy.commits_per_hour_max) return too_fast(std::chrono::hours{1});
    bool const healing = declaration.added.empty() && declaration.removed.empty();
    if (!healing) return std::nullopt;
    bool const many_epochs = facts.retained_epochs > base::limits::retained_epochs_before_pause;
    if (facts.gate_closed && (facts.committed_today || many_epochs)) return too_fast(std::chrono::days{1});
    return std::nullopt;
}

std::size_t bytes_max(Declaration const& declaration) {
    using namespace base::limits;
    return handshake_bytes_max + declaration.added.size() * handshake_bytes_per_added_leaf;
}

}  // namespace

bool roster_fits(std::vector<wire::MemberState> const& roster) {
    using namespace base::limits;
    auto const gated =
        std::count_if(roster.begin(), roster.end(), [](auto const& m) { return m.side == Side::therapist; });
    return roster.size() <= accounts_per_conversation_max && gated <= gated_accounts_per_conversation_max &&
           std::all_of(roster.begin(), roster.end(),
                       [](auto const& m) { return m.devices.size() <= devices_per_account_max; }) &&
           without_repetition(roster);
}

std::optional<std::vector<JoinedDevice>> match_welcomes(Declaration const& declaration,
                                                        std::vector<Bytes> const& welcomes) {
    // Each names one at least: before any is read, so that nobody makes us read what cannot match.
    if (welcomes.size() > declaration.added.size() || welcomes.empty() != declaration.added.empty())
        return std::nullopt;
    std::map<KeyPackageRef, Bytes const*> by_ref;
    for (auto const& welcome : welcomes) {
        auto const outer = mls_framing::read_welcome_outer(welcome);
        if (!outer) return std::nullopt;
        for (auto const& ref : outer->refs)
            if (!by_ref.emplace(ref, &welcome).second) return std::nullopt;
    }
    if (by_ref.size() != declaration.added.size()) return std::nullopt;
    std::vector<JoinedDevice> joined;
    for (auto const& added : declaration.added) {
        auto const found = by_ref.find(added.ref);
        if (found == by_ref.end()) return std::nullopt;
        joined.push_back({{added.account, added.device}, added.side, *found->second});
    }
    return joined;
}

CommitNeeds needs_of(wire::Commit const& commit) {
    CommitNeeds needs;
    auto const declaration = mls_framing::decode_declaration(commit.declaration);
    if (!declaration) return needs;
    for (auto const& added : declaration->added) needs.refs.push_back(added.ref);
    return needs;
}

CommitVerdict check_epoch(CommitFacts const& facts, CommitSubmission const& submission, WallTime now,
                          Policy const& policy) {
    auto const& commit = submission.commit;
    if (commit.generation != 1) return refused(wire::Rule::not_yet);
    if (!facts.member) return refused(wire::Rule::not_a_member);
    if (facts.closed) return refused(wire::Rule::closed_conversation);

    if (commit.epoch != facts.epoch) {
        bool const own =
            facts.winner && facts.winner->sender_device == submission.sender.device && facts.winner->mls == commit.mls;
        if (own) return wire::Accepted{commit.epoch + 1};
        return wire::Conflict{facts.winner};
    }
    auto const declaration = read_declaration(facts, commit);
    if (!declaration) return refused(wire::Rule::invalid);
    if (commit.mls.size() > bytes_max(*declaration)) return refused(wire::Rule::too_big);
    if (auto const refusal = check_added(facts, submission.sender, *declaration)) return *refusal;
    if (auto const refusal = check_removed(facts, submission.sender, *declaration)) return *refusal;
    if (!roster_fits(changed_roster(facts.roster, *declaration))) return refused(wire::Rule::invalid);
    auto const joined = match_welcomes(*declaration, commit.welcomes);
    if (!joined) return refused(wire::Rule::invalid);
    if (auto const refusal = check_rate(facts, *declaration, policy)) return *refusal;

    CommitAcceptance acceptance;
    acceptance.epoch_begun = commit.epoch + 1;
    acceptance.added = *joined;
    for (auto const& removed : declaration->removed) acceptance.removed.push_back({removed.account, removed.device});
    audit::EpochAccepted const entry{commit.generation, acceptance.epoch_begun, crypto::sha256(commit.mls),
                                     mls_framing::declaration_hash(commit.declaration)};
    acceptance.entry = {audit::subject_of(commit.conversation), now, entry, std::nullopt};
    return acceptance;
}

}  // namespace interlude::core

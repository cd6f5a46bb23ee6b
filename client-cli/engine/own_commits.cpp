#include "client-cli/engine/own_commits.hpp"

#include <algorithm>

#include "client-cli/engine/account.hpp"
#include "client-cli/engine/conversation.hpp"
#include "client-cli/engine/hours.hpp"
#include "client-cli/engine/membership.hpp"
#include "client-cli/engine/outbox.hpp"
#include "common/base/limits.hpp"

namespace interlude::engine {

namespace limits = base::limits;
using mls_framing::Declaration;

namespace {

using namespace std::chrono_literals;

constexpr auto healing_interval = std::chrono::days{7};
constexpr auto healing_interval_while_closed = std::chrono::days{1};
constexpr std::uint32_t healing_jitter_minutes_max = 12 * 60;
constexpr std::uint64_t retry_seconds_max = 30;
constexpr std::chrono::seconds patience_after_refusal = 10min;
constexpr std::chrono::seconds patience_longest = 24h;          // whatever the server asks for
constexpr std::chrono::seconds patience_longest_urgently = 1h;  // where nothing can be sent before
constexpr std::size_t kept_commits_max = 16;                    // of an epoch; the oldest refused ones go first

struct OwnCommit {
    ConversationId conversation;
    PendingCommitRecord record;
};

void save(Turn& turn, OwnCommit const& own) {
    turn.rows.put(Table::pending, key_of(own.conversation, own.record.request), own.record);
}

std::vector<OwnCommit> own_commits(Turn& turn, ConversationId const& id) {
    std::vector<OwnCommit> all;
    for (auto& [key, record] : turn.rows.scan<PendingCommitRecord>(Table::pending, id.bytes))
        all.push_back({id, std::move(record)});
    return all;
}

std::optional<OwnCommit> own_commit_by(Turn& turn, RequestId const& request) {
    for (auto& [key, record] : turn.rows.scan<PendingCommitRecord>(Table::pending))
        if (record.request == request)
            return OwnCommit{bytes::Reader(key).id<ConversationId>().value(), std::move(record)};
    return std::nullopt;
}

void merge(Turn& turn, OwnCommit const& own) {
    auto const& id = own.conversation;
    auto conversation = turn.conversation(id);
    auto group = conversation ? load_group(turn, id, conversation->generation) : std::nullopt;
    INTERLUDE_CHECK(group);
    if (group->epoch() != own.record.epoch) return forget_own_commits(turn, id);  // of another epoch: merged before
    auto next = mls::Group::decode(own.record.next.expose());
    INTERLUDE_CHECK(next);
    auto const declaration = mls_framing::decode_declaration(own.record.declaration);
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

/// Why a commit should be made now, if any reason there is.
struct Due {
    std::vector<mls::Member> removes;
    bool new_identity = false;
    bool any = false;
};
Due commit_due(Turn& turn, ConversationId const& id, ConversationRecord const& conversation,
               mls::GroupGlance const& group) {
    Due due;
    due.removes = dropped_members(turn, group.roster);
    due.new_identity = conversation.replace_leaf || conversation.lost_state;
    due.any = !due.removes.empty() || due.new_identity;
    if (due.any) return due;
    auto const spent = group.spent_generations;
    if (spent >= limits::healing_generations_forced) {
        due.any = true;
        return due;
    }
    auto const since = turn.now - conversation.last_commit;
    bool const weekly = since >= healing_interval + std::chrono::minutes(conversation.healing_jitter_minutes);
    if (!weekly && spent < limits::healing_generations) return due;
    due.any = since >= healing_interval_while_closed || every_gate_open(turn, id, conversation);
    return due;
}

std::optional<OwnCommit> make_commit(Turn& turn, ConversationId const& id, ConversationRecord const& conversation,
                                     Due const& due) {
    auto loaded = load_group(turn, id, conversation.generation);
    INTERLUDE_CHECK(loaded);
    auto& group = *loaded;
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
    OwnCommit own{id, std::move(pending)};
    save(turn, own);
    return own;
}

bool removes_all(PendingCommitRecord const& record, std::vector<mls::Member> const& members) {
    auto const declaration = mls_framing::decode_declaration(record.declaration);
    INTERLUDE_CHECK(declaration);
    auto const& removed = declaration->removed;
    return std::all_of(members.begin(), members.end(), [&](mls::Member const& member) {
        auto const leaf = identity_of(member);
        return std::any_of(removed.begin(), removed.end(), [&](auto const& device) {
            return leaf && device.account == leaf->account && device.device == leaf->device;
        });
    });
}

/// The commits of one conversation's epoch, and which of them may go now.
struct OfEpoch {
    std::optional<OwnCommit> current;  // not given up
    std::vector<OwnCommit> given_up;
    bool refused = false;  // and the wait is not over
};
OfEpoch of_epoch(Turn& turn, ConversationId const& id, ConversationRecord const& conversation) {
    OfEpoch all;
    for (auto& own : own_commits(turn, id)) {
        bool const waits = turn.now < own.record.not_before &&
                           own.record.not_before <= turn.now + patience_longest &&  // else this clock was wrong then
                           !(own.record.while_closed && every_gate_open(turn, id, conversation));
        all.refused = all.refused || waits;
        if (own.record.given_up)
            all.given_up.push_back(std::move(own));
        else
            all.current = std::move(own);
    }
    return all;
}

void keep_few(Turn& turn, std::vector<OwnCommit> given_up) {
    if (given_up.size() < kept_commits_max) return;
    auto const oldest = std::min_element(given_up.begin(), given_up.end(), [](auto const& a, auto const& b) {
        return a.record.not_before < b.record.not_before;
    });
    turn.rows.erase(Table::pending, key_of(oldest->conversation, oldest->record.request));
}

/// The commit that should go now, made if there is a reason for one.
std::optional<OwnCommit> commit_to_send(Turn& turn, ConversationId const& id, ConversationRecord const& conversation,
                                        bool make_new) {
    auto commits = of_epoch(turn, id, conversation);
    if (commits.current && !commits.refused) return std::move(commits.current);
    if (!make_new) return std::nullopt;
    auto const group = glance_at_group(turn, id, conversation.generation);
    if (!group || group->epoch < conversation.server_epoch) return std::nullopt;
    auto const due = commit_due(turn, id, conversation, *group);
    if (!due.any) return std::nullopt;
    if (commits.refused) {
        // What the server puts off is healing (exact.md, Commit limits), and that only up to a number of messages.
        bool const forced = group->spent_generations >= limits::healing_generations_forced;
        bool const removes =
            !due.removes.empty() && (!commits.current || !removes_all(commits.current->record, due.removes));
        if (!forced && !removes) return std::nullopt;
        if (commits.current && !removes) return std::move(commits.current);
        if (commits.current) {
            commits.current->record.given_up = true;
            save(turn, *commits.current);
            commits.given_up.push_back(std::move(*commits.current));
        }
    }
    keep_few(turn, std::move(commits.given_up));
    return make_commit(turn, id, conversation, due);
}

}  // namespace

void flush_commits(Turn& turn, InFlight& in_flight, bool make_new) {
    for (auto const& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
        auto const id = *ConversationId::from(key);
        if (conversation.closed || conversation.broken) continue;
        if (auto const patience = in_flight.commits_not_before.find(id);
            patience != in_flight.commits_not_before.end() && turn.now < patience->second)
            continue;
        auto const own = commit_to_send(turn, id, conversation, make_new);
        if (!own || in_flight.sent.contains(own->record.request)) continue;
        wire::Commit commit;
        commit.conversation = id;
        commit.generation = conversation.generation;
        commit.epoch = own->record.epoch;
        commit.mls = own->record.mls;
        commit.declaration = own->record.declaration;
        commit.welcomes = own->record.welcomes;
        turn.ask(own->record.request, std::move(commit));
        in_flight.sent.insert(own->record.request);
    }
}

bool take_accepted(Turn& turn, RequestId const& request, wire::Accepted const& accepted) {
    auto const own = own_commit_by(turn, request);
    if (!own || accepted.epoch != own->record.epoch + 1) return false;
    merge(turn, *own);
    return true;
}

void put_off_commit(Turn& turn, InFlight& in_flight, RequestId const& request) {
    if (auto const own = own_commit_by(turn, request))
        in_flight.commits_not_before[own->conversation] = turn.now + patience_after_refusal;
}

bool take_conflict(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Conflict const& conflict) {
    auto const own = own_commit_by(turn, request);
    if (!own) return false;
    // The winner ends the epoch, and what is pending in it, when it is followed: now, or when it comes by itself.
    in_flight.commits_not_before[own->conversation] =
        turn.now + std::chrono::seconds(1 + turn.entropy.below(retry_seconds_max));
    if (conflict.winner) take_handshake(turn, *conflict.winner);
    return true;
}

bool take_commit_error(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Error const& error) {
    auto const own = own_commit_by(turn, request);
    if (!own) return false;
    if (!may_pass_later(error.code))
        return take_commit_refused(turn, in_flight, request,
                                   {wire::Rule::invalid, {}, {}, error.retry_after_seconds, {}});
    in_flight.commits_not_before[own->conversation] =
        turn.now + std::chrono::seconds(std::max(1u, error.retry_after_seconds));
    return true;
}

bool take_commit_refused(Turn& turn, InFlight& in_flight, RequestId const& request, wire::Refused const& refused) {
    auto own = own_commit_by(turn, request);
    if (!own) return false;
    auto const conversation = turn.conversation(own->conversation);
    INTERLUDE_CHECK(conversation);
    auto const declaration = mls_framing::decode_declaration(own->record.declaration);
    bool const urgent = conversation->lost_state || !declaration || !declaration->removed.empty();
    auto const wait =
        std::clamp<std::chrono::seconds>(std::chrono::seconds(refused.retry_after_seconds), patience_after_refusal,
                                         urgent ? patience_longest_urgently : patience_longest);
    own->record.not_before = turn.now + wait;
    own->record.while_closed = !every_gate_open(turn, own->conversation, *conversation);
    own->record.given_up = own->record.given_up || !may_pass_later(refused.rule);
    save(turn, *own);
    in_flight.commits_not_before[own->conversation] = turn.now + patience_after_refusal;
    return true;
}

bool merge_own_commit(Turn& turn, ConversationId const& id, bytes::ByteView mls) {
    for (auto const& own : own_commits(turn, id)) {
        if (!bytes::equal(own.record.mls, mls)) continue;
        merge(turn, own);
        return true;
    }
    return false;
}

void forget_own_commits(Turn& turn, ConversationId const& id) {
    for (auto const& own : own_commits(turn, id)) turn.rows.erase(Table::pending, key_of(id, own.record.request));
}

}  // namespace interlude::engine

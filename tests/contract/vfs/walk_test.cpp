// The memory store and SQLite do the same: random walks over all verbs, every answer, entry and announcement compared.
#include <iostream>
#include <random>

#include "common/audit/tiles.hpp"
#include "common/mls_framing/declaration.hpp"
#include "server/core/draws.hpp"
#include "server/store/memory/memory_store.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {
namespace {

using namespace std::chrono_literals;
using base::AccountId;
using base::ConversationId;
using base::RequestId;
using base::SubjectId;
using core::DeviceRef;

// ---- Answers that have no == of their own --------------------------------------------------------------------------

template <class T>
requires std::equality_comparable<T>
bool same(T const& a, T const& b) {
    return a == b;
}
bool same(ports::OpenInfo const& a, ports::OpenInfo const& b) {
    return a.instance == b.instance && a.restore_count == b.restore_count && a.high_water == b.high_water;
}
bool same(ports::Counts const& a, ports::Counts const& b) {
    return a.accounts == b.accounts && a.conversations == b.conversations && a.envelopes == b.envelopes &&
           a.entries == b.entries && a.sequenced == b.sequenced;
}
bool same(std::optional<ports::LoginFacts> const& a, std::optional<ports::LoginFacts> const& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return a->auth_key == b->auth_key && a->side == b->side && a->suspended == b->suspended;
}
bool same(std::optional<core::InvitationRow> const& a, std::optional<core::InvitationRow> const& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return a->document == b->document && a->as_signed == b->as_signed && a->revoked == b->revoked &&
           a->second_attempt == b->second_attempt && a->redemption == b->redemption && a->answer == b->answer;
}
bool same(ports::Snapshot const& a, ports::Snapshot const& b) {
    return a.conversations == b.conversations && a.subjects == b.subjects;
}
bool same(ports::CommitOutcome const& a, ports::CommitOutcome const& b) {
    return a.answer == b.answer;
}
bool same(ports::AcceptOutcome const& a, ports::AcceptOutcome const& b) {
    if (a.verdict.index() != b.verdict.index() || a.entry != b.entry) return false;
    if (auto const* acceptance = std::get_if<core::Acceptance>(&a.verdict)) {
        auto const& other = std::get<core::Acceptance>(b.verdict);
        return acceptance->seq == other.seq && acceptance->stamp == other.stamp &&
               acceptance->envelope == other.envelope && acceptance->late_sender == other.late_sender &&
               acceptance->holds == other.holds;
    }
    if (auto const* bound = std::get_if<core::BoundAnswer>(&a.verdict))
        return *bound == std::get<core::BoundAnswer>(b.verdict);
    if (auto const* refused = std::get_if<wire::Refused>(&a.verdict))
        return *refused == std::get<wire::Refused>(b.verdict);
    return std::get<wire::EpochStale>(a.verdict) == std::get<wire::EpochStale>(b.verdict);
}
bool same(ports::Offer const& a, ports::Offer const& b) {
    return a.member == b.member && a.items == b.items && a.documents == b.documents && a.more == b.more &&
           a.seen.known == b.seen.known && a.seen.epoch == b.seen.epoch && a.seen.closed == b.seen.closed &&
           a.seen.welcomed == b.seen.welcomed && a.seen.handshakes == b.seen.handshakes &&
           a.seen.offered == b.seen.offered && a.seen.epoch_ended == b.seen.epoch_ended && a.seen.fates == b.seen.fates;
}
bool same(std::vector<ports::AccountCalendar> const& a, std::vector<ports::AccountCalendar> const& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto const& x, auto const& y) {
        return x.account == y.account && x.calendar->windows() == y.calendar->windows() &&
               x.marked_up_to == y.marked_up_to;
    });
}
bool same(ports::LogHead const& a, ports::LogHead const& b) {
    return a.size == b.size && a.note == b.note && a.entries == b.entries;
}
bool same(std::optional<ports::LogPage> const& a, std::optional<ports::LogPage> const& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return a->rows == b->rows && a->head_counter == b->head_counter && a->head == b->head;
}
bool same(ports::Swept const& a, ports::Swept const& b) {
    return a.rows == b.rows && a.more == b.more;
}

/// What a new memory store draws from its seed, as the entropy of a new file.
class DrawnEntropy final : public crypto::Entropy {
  public:
    explicit DrawnEntropy(core::Seed const& seed) : draws_(seed) {}
    void fill(std::span<std::uint8_t> out) override {
        auto const drawn = draws_.next();
        std::copy_n(drawn.bytes.begin(), out.size(), out.begin());
    }

  private:
    core::Draws draws_;
};

// ---- The walk ------------------------------------------------------------------------------------------------------

struct Conversation {
    ConversationId id;
    Bytes group_id;
    std::size_t client = 0;
    std::uint64_t epoch = 1;
    bool second_device = false;  // of the therapist, in the roster
};

/// How often things happened, over all walks: a zero would prove nothing.
std::map<std::string, int> happened;

class Walk {
  public:
    explicit Walk(std::uint64_t seed)
        : random_(seed), entropy_(seed), seed_(entropy_.id<core::Seed>()), therapist_(Side::therapist, entropy_, noon) {
        policy_.undelivered_messages_max = 12;
        if (seed % 3 > 0) policy_.hold_life = seed % 3 == 1 ? 30h : 96h;
        ports::Hooks hooks = hooks_for(memory_changes_);
        memory_ = std::make_unique<store_memory::MemoryStore>(std::make_shared<store_memory::Disk>(), policy_,
                                                              std::move(hooks), seed_);
        open();
        begin();
    }

    void go(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
            SCOPED_TRACE("step " + std::to_string(i));
            step();
        }
    }

  private:
    ports::Hooks hooks_for(std::vector<core::Changed>& changes) {
        ports::Hooks hooks;
        hooks.now = [this] { return core::TimeReading{now_.load(), believed_.load()}; };
        hooks.changed = [&changes](core::Changed changed) { changes.push_back(std::move(changed)); };
        return hooks;
    }
    void open() {
        sqlite_.reset();
        store_sqlite::Options options;
        options.file = folder_ / "store.db";
        options.policy = policy_;
        options.vfs = vfs_.name();
        DrawnEntropy entropy(seed_);
        sqlite_ = store_sqlite::open(io_.get_executor(), std::move(options), hooks_for(sqlite_changes_), entropy);
    }

    /// The verb on both; the answer if it is the same.
    template <class Verb>
    auto both(char const* name, Verb verb) {
        auto answer = wait(io_, verb(static_cast<ports::Store&>(*memory_)));
        EXPECT_TRUE(same(answer, wait(io_, verb(*sqlite_)))) << name << " differs";
        expect_same_changes(name);
        return answer;
    }
    template <class Verb>
    void both_void(char const* name, Verb verb) {
        wait(io_, verb(static_cast<ports::Store&>(*memory_)));
        wait(io_, verb(*sqlite_));
        expect_same_changes(name);
    }
    void expect_same_changes(char const* name) {
        EXPECT_EQ(memory_changes_, sqlite_changes_) << name << " announces something else";
        memory_changes_.clear();
        sqlite_changes_.clear();
    }

    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    bool chance(int percent) { return below(100) < static_cast<std::uint64_t>(percent); }
    core::Seed fresh_seed() { return entropy_.id<core::Seed>(); }
    Conversation& any_conversation() { return conversations_.at(below(conversations_.size())); }
    /// Hers or his; sometimes one that has no place there.
    DeviceRef any_device(Conversation const& in) {
        if (chance(3)) return clients_.at(below(clients_.size())).device(1);
        if (chance(3)) return clients_.at(below(clients_.size())).device();
        return chance(50) ? clients_.at(in.client).device() : therapist_.device(chance(30) ? 1 : 0);
    }

    void begin() {
        auto const key = crypto::SigningKey::generate(entropy_);
        auto const seed = fresh_seed();
        auto const document = identity::operators_invitation(key.public_key(), noon + std::chrono::days{7});
        both_void("put_operator_invitation",
                  [&](auto& store) { return store.put_operator_invitation(document, seed); });
        auto const request = signed_redemption(key, therapists_redemption(therapist_, key), fresh_seed());
        both("redeem", [&](auto& store) { return store.redeem(request); });
        while (conversations_.empty() && !testing::Test::HasFailure()) meet_client();  // the first may be revoked
    }

    /// One ordinary package for each of her devices, so that both stores hand out the same one.
    void restock() {
        for (std::size_t i = 0; i < 2; ++i) {
            auto const device = therapist_.device(i);
            auto const stock =
                both("key_packages_put", [&](auto& store) { return store.put_key_packages(device, {}); });
            auto const* left = std::get_if<wire::KeyPackageStock>(&stock);
            if (!left || left->left > 0) continue;
            wire::KeyPackagesPut put;
            put.key_packages.push_back(therapist_.key_package(entropy_, now_.load(), i));
            if (chance(20)) put.last_resort = therapist_.key_package(entropy_, now_.load(), i);
            both("key_packages_put", [&](auto& store) { return store.put_key_packages(device, put); });
        }
    }

    void meet_client() {
        restock();
        auto const key = crypto::SigningKey::generate(entropy_);
        auto const document = signed_invitation(therapist_, key, now_.load() + std::chrono::days{7});
        auto const put =
            both("put_invitation", [&](auto& store) { return store.put_invitation(therapist_.device(), document); });
        if (!std::holds_alternative<wire::Done>(put)) return;
        auto const id = identity::invitation_id(key.public_key());
        invitations_.push_back(id);
        if (chance(15)) {
            both("revoke", [&](auto& store) { return store.revoke_invitation(therapist_.device(), id); });
            ++happened["revoked"];
        }
        auto const fetch = [&](auto& store) { return store.fetch_key_packages(id, therapist_.account()); };
        auto const fetched = both("fetch by invitation", fetch);
        both("fetch by invitation again", fetch);
        auto const* packages = std::get_if<wire::KeyPackages>(&fetched);
        if (!packages) return;
        Person client(Side::client, entropy_, now_.load());
        Conversation conversation{entropy_.id<ConversationId>(), entropy_.bytes(32), clients_.size()};
        auto const founding =
            clients_redemption(client, therapist_, key, conversation.id, conversation.group_id, *packages);
        auto const request = signed_redemption(key, founding, fresh_seed());
        auto const redeem = [&](auto& store) { return store.redeem(request); };
        auto const founded = both("redeem", redeem);
        both("redeem again", redeem);
        if (!std::holds_alternative<wire::Redeemed>(founded)) return;
        ++happened["founded"];
        if (chance(30)) {
            Person stranger(Side::client, entropy_, now_.load());
            auto const attempt = signed_redemption(
                key, clients_redemption(stranger, therapist_, key, conversation.id, conversation.group_id, *packages),
                fresh_seed());
            both("second attempt", [&](auto& store) { return store.redeem(attempt); });
            ++happened["second attempt"];
        }
        conversation.second_device = packages->packages.size() == 2;
        clients_.push_back(std::move(client));
        conversations_.push_back(conversation);
    }

    void send() {
        auto const& in = any_conversation();
        core::Submission submission;
        if (!sent_.empty() && chance(12)) {
            submission = sent_.at(below(sent_.size()));
        } else {
            submission.sender = any_device(in);
            submission.request = entropy_.id<RequestId>();
            submission.send.conversation = in.id;
            submission.send.epoch = in.epoch - (chance(12) ? 1 : 0) + (chance(2) ? 1 : 0);
            submission.send.mls =
                application_message(in.group_id, submission.send.epoch, entropy_.bytes(50 + below(800)));
            submission.stamp = now_.load() - std::chrono::milliseconds{below(9000)};
            sent_.push_back(submission);
        }
        submission.seed = fresh_seed();
        auto const outcome = both("accept", [&](auto& store) { return store.accept(submission); });
        if (auto const* acceptance = std::get_if<core::Acceptance>(&outcome.verdict)) {
            ++happened[acceptance->holds.empty() ? "accepted" : "held"];
            if (acceptance->late_sender) ++happened["late sender"];
            if (submission.send.epoch != in.epoch) ++happened["straggler"];
        }
        if (std::holds_alternative<core::BoundAnswer>(outcome.verdict)) ++happened["bound"];
        if (std::holds_alternative<wire::EpochStale>(outcome.verdict)) ++happened["stale"];
        if (auto const* refused = std::get_if<wire::Refused>(&outcome.verdict)) {
            ++happened["refused"];
            if (refused->rule == wire::Rule::quota) ++happened["over quota"];
        }
    }

    void offer() {
        auto const& in = any_conversation();
        auto const device = any_device(in);
        auto& link = links_[{device, in.id}];
        if (chance(10)) link = {};  // it comes anew
        ports::OfferRequest request{device, in.id, link.first, link.second};
        if (chance(30)) request.messages_max = 1 + below(3);
        if (chance(20)) request.bytes_max = 500 + below(2000);
        auto const answer = both("offer_from", [&](auto& store) { return store.offer_from(request); });
        link = {answer.seen, answer.documents};
        for (auto const& item : answer.items) {
            if (std::holds_alternative<wire::Envelope>(item)) ++happened["envelope"];
            if (std::holds_alternative<wire::Handshake>(item)) ++happened["handshake"];
            if (std::holds_alternative<wire::Welcome>(item)) ++happened["welcome"];
            if (std::holds_alternative<wire::EpochEnd>(item)) ++happened["epoch end"];
            if (std::holds_alternative<wire::Documents>(item)) ++happened["documents"];
            if (auto const* fate = std::get_if<wire::Fate>(&item))
                ++happened[fate->kind == wire::FateKind::recalled ? "recalled" : "expired"];
        }
        if (answer.more) ++happened["more"];
        if (!answer.member) ++happened["no place"];
    }

    void ack() {
        auto const& in = any_conversation();
        auto const device = any_device(in);
        std::vector<std::uint64_t> seqs;
        for (auto const seq : links_[{device, in.id}].first.offered)
            if (chance(60)) seqs.push_back(seq);
        if (seqs.empty() || chance(10)) seqs.push_back(1 + below(40));  // perhaps never offered
        if (chance(10)) seqs.push_back(seqs.front());
        both_void("ack", [&](auto& store) { return store.ack(device, in.id, seqs); });
        auto const epoch = below(in.epoch + 2);
        if (chance(40))
            both_void("ack_handshake", [&](auto& store) { return store.ack_handshake(device, in.id, 1, epoch); });
    }

    void commit() {
        auto& in = any_conversation();
        mls_framing::Declaration declaration;
        declaration.conversation = in.id;
        declaration.epoch_before = in.epoch - (chance(15) ? 1 : 0);
        core::CommitSubmission submission;
        submission.sender = any_device(in);
        bool const listed = second_device_listed();
        bool const adds = listed && !in.second_device && chance(70);
        bool const removes = !listed && in.second_device && chance(70);
        if (adds) {
            restock();
            submission.sender = therapist_.device();
            auto const fetched = both("fetch", [&](auto& store) {
                return store.fetch_key_packages(therapist_.device(), therapist_.account());
            });
            auto const* const packages = std::get_if<wire::KeyPackages>(&fetched);
            if (!packages || packages->packages.size() != 2) return;
            auto const second = therapist_.device(1).device;
            auto const& package = packages->packages[packages->packages[1].device == second ? 1 : 0];
            auto const ref = mls_framing::read_key_package_outer(package.key_package).value().ref;
            declaration.added = {{therapist_.account(), Side::therapist, second, ref}};
            submission.commit.welcomes = {welcome_message(ref)};
        }
        if (removes) declaration.removed = {{therapist_.account(), therapist_.device(1).device}};
        submission.commit.conversation = in.id;
        submission.commit.epoch = declaration.epoch_before;
        submission.commit.declaration = mls_framing::encode(declaration);
        submission.commit.mls = commit_message(in.group_id, submission.commit.declaration, entropy_.bytes(100));
        submission.stamp = now_.load();
        submission.seed = fresh_seed();
        auto const commit_it = [&](auto& store) { return store.accept_commit(submission); };
        auto const outcome = both("commit", commit_it);
        if (chance(20)) both("commit again", commit_it);
        if (std::holds_alternative<wire::Conflict>(outcome.answer)) ++happened["conflict"];
        if (!std::holds_alternative<wire::Accepted>(outcome.answer)) return;
        ++happened[adds ? "added" : removes ? "removed" : "healed"];
        in.epoch += 1;
        in.second_device = adds || (in.second_device && !removes);
    }

    bool second_device_listed() const { return therapist_.list.list().find(therapist_.devices.at(1).id) != nullptr; }

    void change_list() {
        bool const listed = second_device_listed();
        auto const document =
            therapist_.next_list(listed ? std::vector<std::size_t>{0} : std::vector<std::size_t>{0, 1}, now_.load());
        auto const seed = fresh_seed();
        both("put_device_list",
             [&](auto& store) { return store.put_device_list(therapist_.device(), document, seed); });
        ++happened[listed ? "device dropped" : "device listed"];
    }

    void recall() {
        auto const& in = any_conversation();
        auto const& by = any_device(in);
        auto const seq = 1 + below(30 + happened["accepted"] % 30);
        auto const seed = fresh_seed();
        both("recall", [&](auto& store) { return store.recall(by, in.id, seq, seed); });
        // And surely the newest of somebody.
        auto const newest = both("snapshot", [&](auto& store) { return store.snapshot(by); });
        for (auto const& state : newest.conversations)
            if (state.conversation == in.id && state.last_own_seq > 0)
                both("recall", [&](auto& store) { return store.recall(by, in.id, state.last_own_seq, seed); });
    }

    void hours() {
        auto const from = static_cast<std::uint16_t>(below(20));
        auto const to = static_cast<std::uint16_t>(from + 1 + below(4));
        auto const request = hours_.next(therapist_, from, to, now_.load(), fresh_seed());
        auto const answer = both("put_calendar", [&](auto& store) { return store.put_calendar(request); });
        if (std::holds_alternative<wire::Done>(answer)) {
            ++happened["hours"];
        } else {
            ++happened["hours refused"];
            hours_.take_back();
        }
    }

    void read_log() {
        auto const& in = any_conversation();
        auto const reader = any_device(in);
        std::vector<SubjectId> const subjects{audit::subject_of(in.id), audit::subject_of(therapist_.account()),
                                              audit::subject_of(clients_.at(below(clients_.size())).account())};
        auto const subject = subjects.at(below(subjects.size()));
        auto const from = below(8);
        auto const page =
            both("log_entries", [&](auto& store) { return store.log_entries(reader, subject, from, 20); });
        if (!page) {
            ++happened["no party"];
            return;
        }
        for (auto const& row : page->rows) ++happened[row.payload.empty() ? "payload hidden" : "payload shown"];
        auto const counter = below(page->head_counter + 2);
        if (chance(50)) both_void("ack_log", [&](auto& store) { return store.ack_log(reader, subject, counter); });
    }

    void sweep() {
        auto const seed = fresh_seed();
        auto const expired = both("expire", [&](auto& store) { return store.expire(100'000, seed); });
        auto const another = fresh_seed();
        auto const purged = both("purge", [&](auto& store) { return store.purge(100'000, another); });
        happened["swept expired"] += static_cast<int>(expired.rows);
        happened["purged"] += static_cast<int>(purged.rows);
    }

    void checkpoint() {
        auto const head = both("log_head", [](auto& store) { return store.log_head(); });
        auto const entries = both("entries_from", [&](auto& store) { return store.entries_from(head.size, 100'000); });
        for (auto const& entry : entries) tiles_.append(entry);
        ports::CheckpointBatch const batch{head.size, tiles_.size(), "note " + std::to_string(tiles_.size()),
                                           tiles_.flush()};
        auto const append = [&](auto& store) { return store.append_checkpoint(batch); };
        EXPECT_TRUE(both("append_checkpoint", append));
        if (!entries.empty()) {
            EXPECT_FALSE(both("append_checkpoint of another", append));
        }
        auto wanted = audit::right_edge_tiles(below(tiles_.size() + 1));
        wanted.push_back({0, 99, 1});
        both("tiles", [&](auto& store) { return store.tiles(wanted); });
    }

    void look() {
        auto const& in = any_conversation();
        auto const device = any_device(in);
        both("open_info", [](auto& store) { return store.open_info(); });
        both("counts", [](auto& store) { return store.counts(); });
        both("snapshot", [&](auto& store) { return store.snapshot(device); });
        both("login_facts", [&](auto& store) { return store.login_facts(device); });
        both("calendars", [](auto& store) { return store.calendars(); });
        both("list_invitations", [&](auto& store) { return store.list_invitations(therapist_.device()); });
        auto const id = invitations_.at(below(invitations_.size()));
        both("invitation", [&](auto& store) { return store.invitation(id); });
        identity::ListPosition const after{1, below(4)};
        both("lists", [&](auto& store) { return store.device_lists_after(device, therapist_.account(), after); });
        both("lists", [&](auto& store) { return store.device_lists_after(id, therapist_.account(), after); });
        auto const account = clients_.at(below(clients_.size())).account();
        both("lists", [&](auto& store) { return store.device_lists_after(device, account, after); });
        auto const* const holder = chance(50) ? "one" : "another";
        both("lease", [&](auto& store) { return store.acquire_lease("ticker", holder, 1h); });
        both_void("mark_time", [&](auto& store) { return store.mark_time(now_.load()); });
    }

    void let_time_pass() {
        believed_ = !chance(5);
        base::Millis const spans[]{1s, 20s, 10min, 3h, 9h};
        auto span = spans[below(5)];
        if (chance(6)) span = std::chrono::days{10};
        if (chance(4)) span = std::chrono::days{40};
        now_ = now_.load() + span;
        auto const seed = fresh_seed();
        if (chance(70)) {
            auto const noted =
                both("note_windows", [&](auto& store) { return store.note_windows(therapist_.account(), seed); });
            happened["window bounds"] += static_cast<int>(noted);
        }
    }

    void confirm() {
        if (sent_.empty()) return;
        auto const& one = sent_.at(below(sent_.size()));
        both_void("confirm", [&](auto& store) { return store.confirm(one.sender, {one.request}); });
    }

    void step() {
        auto const dice = below(100);
        if (dice < 28) return send();
        if (dice < 48) return offer();
        if (dice < 62) return ack();
        if (dice < 70) return let_time_pass();
        if (dice < 76) return commit();
        if (dice < 80) return recall();
        if (dice < 84) return read_log();
        if (dice < 87) return sweep();
        if (dice < 89) return hours();
        if (dice < 91) return checkpoint();
        if (dice < 93) return look();
        if (dice < 95) return change_list();
        if (dice < 97) return confirm();
        if (dice < 98 && clients_.size() < 4) return meet_client();
        if (dice < 99) return open();  // as after a crash or a restart
        if (chance(10)) {
            auto const& in = any_conversation();
            auto const by = any_device(in);
            both("close", [&](auto& store) { return store.close_conversation(by, in.id); });
            ++happened["closed"];
        }
    }

    std::mt19937_64 random_;
    crypto::SeededEntropy entropy_;
    core::Seed seed_;
    core::Policy policy_;
    std::atomic<WallTime> now_{noon};
    std::atomic<bool> believed_{true};
    ScratchFolder folder_;
    FaultVfs vfs_{"walk"};
    boost::asio::io_context io_;
    std::vector<core::Changed> memory_changes_, sqlite_changes_;
    std::unique_ptr<ports::Store> memory_, sqlite_;

    Person therapist_;
    std::vector<Person> clients_;
    std::vector<Conversation> conversations_;
    std::vector<base::InvitationId> invitations_;
    std::vector<core::Submission> sent_;
    std::map<std::pair<DeviceRef, ConversationId>, std::pair<core::ConversationSeen, core::DocumentsSeenByAccount>>
        links_;
    HoursChain hours_;
    audit::TileWriter tiles_;
};

TEST(SameAsMemory, over_random_walks) {
    happened.clear();
    for (std::uint64_t seed = 1; seed <= 30 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Walk(seed).go(400);
    }
    for (auto const* what :
         {"accepted",      "held",       "late sender",    "straggler",      "bound",         "stale",
          "refused",       "over quota", "envelope",       "handshake",      "welcome",       "epoch end",
          "documents",     "recalled",   "expired",        "more",           "no place",      "conflict",
          "added",         "removed",    "healed",         "device dropped", "device listed", "hours",
          "hours refused", "no party",   "payload hidden", "payload shown",  "swept expired", "purged",
          "window bounds", "founded",    "second attempt", "revoked",        "closed"})
        EXPECT_GT(happened[what], 0) << what << " never happened";
    for (auto const& [what, times] : happened) std::cout << what << ' ' << times << " · ";
    std::cout << '\n';
}

}  // namespace
}  // namespace interlude::test

#include "tests/sim/world.hpp"

#include <algorithm>

namespace interlude::sim {

using namespace std::chrono_literals;

namespace {

/// Monday 2027-01-04, 10:00 UTC.
constexpr WallTime beginning = base::wall_seconds(1799056800);
constexpr auto look_every = 5s;

}  // namespace

World::World(std::uint64_t seed, Story& story)
    : story_(story),
      dice_(seed),
      clock_(beginning),
      weather_{Dice{dice_.next()}},
      entropy_(seed),
      log_key_(crypto::SigningKey::generate(entropy_)),
      witness_(clock_, story_, *disk_),
      around_{clock_, story_, weather_, witness_, server_} {}

void World::play() {
    start_server();
    bring_together();
    if (story_.failed()) return;
    for (auto const& person : people_) person->live();
    auto const wild = Millis{dice_.between(30 * 60'000, 3 * 3'600'000)};
    plan_accidents(clock_.now() + wild);
    run_for(wild);
    if (dice_.one_in(3)) quiet_week();
    calm_down();
    if (!story_.failed()) judge();
}

// ---- Time goes on --------------------------------------------------------------------------------------------------

void World::run_until(WallTime until) {
    while (!story_.failed() && clock_.step(until)) settle();
}

template <class Done>
bool World::run_until_done(Millis longest, Done done, std::string const& what) {
    auto const until = clock_.now() + longest;
    while (!story_.failed() && clock_.now() < until) {
        if (done()) return true;
        run_for(look_every);
    }
    if (!story_.failed() && !done()) story_.fail(what);
    return !story_.failed();
}

void World::settle() {
    if (!server_) return;
    auto const before = handlers_left_;
    if (before == UINT64_MAX) {
        server_->settle();
    } else if (!server_->settle(before)) {
        story_.count(Happening::server_killed_midway);
        kill_server(Millis{dice_.between(500, 120'000)});
    }
    witness_.read_log();
}

// ---- The server ----------------------------------------------------------------------------------------------------

void World::start_server() {
    handlers_left_ = UINT64_MAX;
    server_ = std::make_unique<Server>(clock_, disk_, entropy_, log_key_);
    settle();
}

void World::kill_server(Millis down_for) {
    story_.tell(clock_time(clock_.now()) + " the server is killed");
    server_.reset();
    clock_.after(down_for, [this] {
        story_.tell(clock_time(clock_.now()) + " the server starts");
        start_server();
    });
}

void World::plan_accidents(WallTime until) {
    for (auto left = dice_.between(0, 3); left > 0; --left) {
        auto const when =
            clock_.now() + Millis{dice_.below(static_cast<std::uint64_t>((until - clock_.now()).count()))};
        clock_.at(when, [this] {
            if (!server_ || weather_.calm) return;
            if (dice_.one_in(2)) {
                handlers_left_ = dice_.below(12);  // of the next instant at which there is so much to do
            } else {
                story_.count(Happening::server_killed);
                kill_server(Millis{dice_.between(500, 600'000)});
            }
        });
    }
}

// ---- People --------------------------------------------------------------------------------------------------------

Person& World::add(std::string name, base::Side side) {
    people_.push_back(std::make_unique<Person>(around_, std::move(name), side, dice_.next()));
    return *people_.back();
}

void World::bring_together() {
    auto const therapists = dice_.between(1, 2);
    for (std::uint64_t i = 0; i < therapists; ++i) {
        auto& therapist = add(i == 0 ? "Adler" : "Brandt", base::Side::therapist);
        therapist.join(server_->invite_therapist(clock_.now()));
        for (auto left = dice_.between(1, 2); left > 0; --left) {
            static constexpr std::array<char const*, 4> names{"Kim", "Lou", "Max", "Noa"};
            auto& client = add(names[pairs_.size()], base::Side::client);
            pairs_.push_back({&therapist, &client, client.name()});
        }
    }
    run_until_done(
        1h,
        [this] {
            move_in();
            return everybody_joined();
        },
        "not everybody could join within an hour");
}

/// What each of them does next on the way to their conversations.
void World::move_in() {
    for (auto const& pair : pairs_) {
        if (!pair.therapist->joined()) continue;
        if (!pair.therapist->has_hours()) pair.therapist->publish_weekly_hours();
        auto const made = pair.therapist->invitations();
        auto const mine =
            std::find_if(made.begin(), made.end(), [&](auto const& i) { return i.name == pair.invited_as; });
        if (mine == made.end()) {
            pair.therapist->invite(pair.invited_as);
        } else if (mine->on_server && !pair.client->has_account()) {
            pair.client->join(mine->link);
        }
    }
}

bool World::everybody_joined() {
    return std::all_of(pairs_.begin(), pairs_.end(), [](Pair const& pair) {
        auto const known = pair.therapist->conversations();
        return pair.client->joined() && pair.client->conversations().size() == 1 &&
               std::any_of(known.begin(), known.end(),
                           [&](auto const& c) { return c.id == pair.client->conversations().front().id; });
    });
}

// ---- The end -------------------------------------------------------------------------------------------------------

/// The server is away for so long that everybody renews the keys when it is back, all at once.
void World::quiet_week() {
    story_.tell(clock_time(clock_.now()) + " a week without the server");
    // Some of this is sealed and on its way when the server goes: it comes again in an epoch that is over by then.
    for (auto const& person : people_)
        if (person->joined()) person->write();
    run_for(Millis{dice_.between(200, 1'500)});
    for (auto const& person : people_) person->rest(8 * 24h);
    server_.reset();
    handlers_left_ = UINT64_MAX;
    run_for(8 * 24h);
    start_server();
    run_for(20min);
}

void World::calm_down() {
    story_.tell(clock_time(clock_.now()) + " calm");
    run_until_done(
        1h, [this] { return server_ != nullptr; }, "the server does not come back");
    weather_.calm = true;
    handlers_left_ = UINT64_MAX;
    for (auto const& person : people_) person->calm_down();
    for (auto const& person : people_)
        if (person->side() == base::Side::therapist) person->open_hours(clock_.now() + 10min, clock_.now() + 40min);
    auto const all_settled = [this] {
        return std::all_of(people_.begin(), people_.end(), [](auto const& person) { return person->settled(); });
    };
    if (!run_until_done(26h, all_settled, "the calm did not bring everything to its place")) {
        for (auto const& person : people_)
            if (!person->settled()) story_.fail(person->unsettled());
        return;
    }
    std::vector<std::size_t> audits;
    for (auto const& person : people_) audits.push_back(person->audits());
    auto ask = clock_.now();
    run_until_done(
        5min,
        [&] {
            bool const asking = clock_.now() >= ask;  // again: a link can be dead without knowing
            if (asking) ask += 1min;
            bool all = true;
            for (std::size_t i = 0; i < people_.size(); ++i) {
                if (people_[i]->audits() > audits[i]) continue;
                if (asking) people_[i]->ask_for_log();
                all = false;
            }
            return all;
        },
        "the log was not given to everybody");
}

void World::judge() {
    witness_.judge_log();
    for (auto const& pair : pairs_) judge_messages(pair);
}

namespace {

/// Without what was taken back, or came too late to replace anything: nobody else sees that.
std::vector<engine::MessageView> seen_by_both(std::vector<engine::MessageView> messages) {
    std::erase_if(messages, [](engine::MessageView const& message) {
        return message.state == engine::MessageState::recalled || message.too_late;
    });
    return messages;
}

}  // namespace

/// Both see the same messages in the same order, and they are what both typed, in the order of typing.
void World::judge_messages(Pair const& pair) {
    auto const conversation = pair.client->conversations().front().id;
    auto const theirs = seen_by_both(pair.therapist->messages(conversation));
    auto const mine = seen_by_both(pair.client->messages(conversation));
    if (theirs.size() != mine.size())
        return story_.fail(pair.client->name() + " sees " + std::to_string(mine.size()) + " messages, " +
                           pair.therapist->name() + " " + std::to_string(theirs.size()));
    for (std::size_t i = 0; i < mine.size(); ++i) {
        if (mine[i].text != theirs[i].text || mine[i].seq != theirs[i].seq || mine[i].cannot_open ||
            theirs[i].cannot_open || mine[i].from_me == theirs[i].from_me)
            story_.fail("message " + std::to_string(i) + " of " + pair.client->name() + " is \"" + mine[i].text +
                        "\" on one side and \"" + theirs[i].text + "\" on the other");
    }
    for (auto const* author : {pair.therapist, pair.client}) {
        std::vector<std::string> typed, arrived;
        for (auto const& message : mine)
            if (message.from_me == (author == pair.client)) arrived.push_back(message.text);
        for (auto const& message : author->typed()) {
            bool const came = std::find(arrived.begin(), arrived.end(), message.text) != arrived.end();
            if (message.conversation == conversation && (came || !message.unwanted)) typed.push_back(message.text);
        }
        if (arrived == typed) continue;
        story_.fail(author->name() + " typed " + std::to_string(typed.size()) + " messages, " +
                    std::to_string(arrived.size()) + " arrived, or in another order");
        for (auto const& text : typed) story_.tell("  typed   " + text);
        for (auto const& text : arrived) story_.tell("  arrived " + text);
    }
}

}  // namespace interlude::sim

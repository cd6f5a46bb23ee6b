// Two people, one relay, a clock that tests move: homes whose links can be cut after any number of frames.
#pragma once

#include <gtest/gtest.h>

#include "client-cli/engine/link_driver.hpp"
#include "tests/support/failing_vault.hpp"
#include "tests/unit/engine/fake_relay.hpp"

namespace interlude::tests {

using engine::Engine;
using engine::Event;
using engine::LinkDriver;
using engine::MessageState;
using engine::MessageView;
using namespace std::chrono_literals;

/// Monday 2027-01-04, 10:00 UTC: inside the usual hours of these tests (every day 09:00-17:00 UTC).
inline constexpr WallTime monday_ten = base::wall_seconds(1799056800);

inline engine::EngineOptions test_options() {
    engine::EngineOptions options;
    options.load_zone = [](std::string_view, WallTime, WallTime) -> base::Result<schedule::ZoneRules> {
        return schedule::ZoneRules::utc();
    };
    options.key_packages = 3;
    return options;
}

struct PowerFails {
    /// At the commit after this many more; -1: never.
    int commits_left = -1;
    CommitFate next_commit() {
        if (commits_left == 0) return CommitFate::lost;
        if (commits_left > 0) --commits_left;
        return CommitFate::well;
    }
};

/// One person's home. Copying it is what a backup of the folder would be.
struct Home {
    explicit Home(std::uint64_t seed) : entropy(seed) {}
    FailingVault<PowerFails> vault;
    crypto::SeededEntropy entropy;
    std::vector<Event> events;
    Engine engine() { return Engine(vault, entropy, test_options()); }

    template <class E>
    std::vector<E> all() const {
        std::vector<E> found;
        for (auto const& event : events)
            if (auto const* one = std::get_if<E>(&event)) found.push_back(*one);
        return found;
    }
    template <class E>
    bool has() const {
        return !all<E>().empty();
    }
    std::vector<std::string> alarm_codes() {
        std::vector<std::string> codes;
        for (auto const& alarm : engine().alarms()) codes.push_back(alarm.code);
        return codes;
    }
};

/// One link of a home: frames go back and forth until nothing moves, or until it is cut.
class TestLink {
  public:
    TestLink(Home& home, FakeRelay& relay, WallTime now)
        : home_(home), engine_(home.engine()), relay_(relay), driver_(engine_, "relay.test"), id_(relay.connect(now)) {}
    ~TestLink() { relay_.disconnect(id_); }

    /// Exchanges frames while anything moves. False: cut (after `frames_left` frames in either direction), or closed.
    bool run(WallTime now) {
        for (bool moved = true; moved && open_;) {
            moved = false;
            while (open_) {
                auto const frame = relay_.take(id_, now);
                if (!frame) break;
                moved = true;
                if (!spend()) return false;
                carry_out(driver_.on_message(wire::encode(*frame), now), now);
            }
            if (open_) moved = carry_out(driver_.poll(now), now) || moved;
        }
        return open_;
    }
    /// One frame in, or one poll. False: nothing moved.
    bool step(WallTime now) {
        if (!open_) return false;
        if (auto const frame = relay_.take(id_, now)) {
            if (spend()) carry_out(driver_.on_message(wire::encode(*frame), now), now);
            return true;
        }
        return carry_out(driver_.poll(now), now);
    }
    void fetch_log(WallTime now) { carry_out(driver_.fetch_log(now), now); }
    /// Cuts the link after this many more frames.
    void cut_after(int frames) { frames_left_ = frames; }
    int frames_spent() const { return spent_; }
    bool open() const { return open_; }
    LinkDriver const& driver() const { return driver_; }
    /// What this link told since it was asked last.
    std::vector<Event> told() { return std::exchange(events_, {}); }

  private:
    bool spend() {
        if (frames_left_ == 0) open_ = false;
        if (frames_left_ > 0) --frames_left_;
        ++spent_;
        return open_;
    }
    bool carry_out(engine::Actions actions, WallTime now) {
        for (auto& event : actions.events) {
            home_.events.push_back(event);
            events_.push_back(event);
        }
        for (auto const& frame : actions.frames) {
            if (!spend()) return true;
            relay_.receive(id_, frame, now);
        }
        if (actions.close) open_ = false;
        return !actions.frames.empty();
    }

    Home& home_;
    Engine engine_;
    FakeRelay& relay_;
    LinkDriver driver_;
    int id_;
    std::vector<Event> events_;
    int frames_left_ = -1;
    int spent_ = 0;
    bool open_ = true;
};

struct World {
    WallTime now = monday_ten;
    FakeRelay relay{1};
    Home therapist{2};
    Home client{3};
    ConversationId conversation;

    /// Connects, exchanges everything, and hangs up.
    void sync(Home& home) {
        TestLink link(home, relay, now);
        link.run(now);
        now += 1s;
        link.run(now);
    }
    void sync_both() {
        for (int round = 0; round < 2; ++round) {
            sync(client);
            sync(therapist);
        }
    }
    void therapist_joins() {
        ASSERT_TRUE(therapist.engine().join_begin(relay.operator_invites(now), "", "Dr. Adler", now));
        sync(therapist);  // redeems
        sync(therapist);  // logs in, publishes key packages
        ASSERT_TRUE(therapist.has<engine::Joined>());
    }
    void publishes_hours() {
        std::vector<schedule::WeeklyInterval> weekly;
        for (int day = 0; day < 7; ++day) weekly.push_back({static_cast<schedule::Weekday>(day), 9 * 60, 17 * 60});
        ASSERT_TRUE(therapist.engine().hours_set(weekly, "UTC", now));
        sync(therapist);
    }
    std::string invites() {
        auto const made = therapist.engine().invite("Kim", now);
        EXPECT_TRUE(made);
        sync(therapist);
        return made->link;
    }
    void client_joins(std::string const& link) {
        ASSERT_TRUE(client.engine().join_begin(link, "therapy", "Kim", now));
        sync(client);
        auto const joined = client.all<engine::Joined>();
        ASSERT_EQ(joined.size(), 1u);
        conversation = joined.front().conversation.value();
        sync(client);
        sync(therapist);
    }
    /// Everybody is there, hours are published and the window is open.
    void begin() {
        therapist_joins();
        publishes_hours();
        client_joins(invites());
    }
    void at_hour(int hour) {  // of the next day on which it is later than now
        auto const day = std::chrono::floor<std::chrono::days>(now.time_since_epoch());
        WallTime const then{std::chrono::duration_cast<base::Millis>(day) + std::chrono::hours{hour}};
        now = then > now ? then : then + std::chrono::days{1};
    }
    engine::MessageId send(Home& home, std::string text) {
        auto const id = home.engine().send(conversation, std::move(text), now);
        EXPECT_TRUE(id);
        return *id;
    }
    std::vector<std::string> texts(Home& home) {
        std::vector<std::string> texts;
        for (auto const& message : home.engine().messages(conversation, now))
            texts.push_back(message.cannot_open ? "(cannot open)" : message.text);
        return texts;
    }
    std::optional<MessageView> view(Home& home, engine::MessageId const& id) {
        return home.engine().message(conversation, id, now);
    }
    engine::AuditReport audit(Home& home) {
        TestLink link(home, relay, now);
        link.run(now);
        link.fetch_log(now);
        link.run(now);
        return home.engine().audit_verify(now);
    }
};

/// `what` while the machine of `home` fails at the commit after so many more. True: it failed.
template <class What>
bool fails_at_commit(Home& home, int commits, What what) {
    home.vault.commits_left = commits;
    bool failed = false;
    try {
        what();
    } catch (PowerFailure const&) {
        failed = true;
    }
    home.vault.commits_left = -1;
    return failed;
}

inline std::vector<std::string> codes(engine::AuditReport const& report) {
    std::vector<std::string> codes;
    for (auto const& problem : report.problems) codes.push_back(problem.code + ": " + problem.text);
    return codes;
}
inline bool names(engine::AuditReport const& report, std::string const& code) {
    for (auto const& problem : report.problems)
        if (problem.code == code) return true;
    return false;
}

}  // namespace interlude::tests

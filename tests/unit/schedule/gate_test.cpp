// The gate: the table that all apps share, and the properties that make it one comparison.
#include "common/schedule/gate.hpp"

#include "tests/support/vectors.hpp"
#include "tests/unit/schedule/builders.hpp"

namespace interlude::schedule {
namespace {

using test::arbitrary_documents;
using test::arbitrary_set;
using test::calendar;
using test::hour;
using test::hours;

TEST(Gate, decision_table_of_all_apps) {
    auto const table = tests::read_json(tests::case_file("schedule/gate.json"));
    std::map<std::string, Calendar> calendars;
    for (auto const& [name, windows] : table["calendars"].items()) {
        Intervals open;
        for (auto const& w : windows) open.push_back({base::wall_ms(w[0]), base::wall_ms(w[1])});
        if (!open.empty())
            calendars[name] = Calendar({PublishedSchedule{1, {}, {{}, open.back().end}, open}});
        else
            calendars[name] = Calendar();
    }
    auto const gate_of = [&](std::string const& name) -> GateCalendar {
        return calendars.contains(name) ? &calendars.at(name) : nullptr;
    };
    auto const time = [](nlohmann::json const& row, char const* key) {
        return row.contains(key) ? std::optional(base::wall_ms(row[key])) : std::nullopt;
    };
    ASSERT_GE(table["rows"].size(), 390u);
    for (auto const& row : table["rows"]) {
        std::string const sender = row["sender"], to = row["to"];
        bool const sender_gates = sender != to && !row["send_now"].get<bool>();
        auto const* by_sender = sender_gates ? gate_of(sender) : nullptr;
        auto const* account = gate_of(to);
        auto const stamp = base::wall_ms(row["stamp"]);
        auto const from = envelope_from(stamp, by_sender);
        EXPECT_EQ(from, time(row, "from")) << row;
        EXPECT_EQ(passes(from, account, stamp), row["passes"].get<bool>()) << row;
        EXPECT_EQ(passes_at(from, account), time(row, "until")) << row;
        auto const decision = decide_gate(stamp, by_sender, account);
        EXPECT_EQ(decision.passes_now, row["passes"].get<bool>()) << row;
        EXPECT_EQ(decision.until, decision.passes_now ? std::nullopt : time(row, "until")) << row;
        for (auto const& later : row["later"]) {
            auto const now = base::wall_ms(later[0]);
            EXPECT_EQ(passes(from, account, now), later[1].get<bool>()) << row << " at " << later;
            auto const cut_now = stamp_cut(by_sender, account, now);
            EXPECT_EQ(cut_now && stamp <= *cut_now, later[1].get<bool>()) << row << " at " << later;
        }
    }
}

TEST(Gate, what_arrived_in_time_passes_after_the_closing_too) {
    auto const c = calendar({hours(9, 17)});
    auto const in_time = hour(17) - Millis{1};
    EXPECT_TRUE(passes(in_time, &c, in_time));
    EXPECT_TRUE(passes(in_time, &c, hour(17)));
    EXPECT_TRUE(passes(in_time, &c, hour(18)));
    EXPECT_FALSE(passes(hour(17), &c, hour(18)));
}

TEST(Gate, a_therapist_who_published_nothing_is_closed_and_no_time_is_promised) {
    Calendar const none;
    EXPECT_EQ(decide_gate(hour(5), nullptr, &none), (GateDecision{false, std::nullopt}));
    EXPECT_EQ(decide_gate(hour(5), &none, nullptr), (GateDecision{false, std::nullopt}));
    EXPECT_FALSE(stamp_cut(&none, nullptr, hour(5)));
    // Once she publishes, what waited passes by the new calendar: only the stamp is kept, never a computed time.
    auto const published_later = calendar({hours(9, 12)});
    EXPECT_EQ(stamp_cut(&published_later, nullptr, hour(9)), hour(9));
    EXPECT_LT(*stamp_cut(&published_later, nullptr, hour(13)), hour(12));
}

TEST(Gate, her_late_reply_waits_for_her_own_opening_and_not_when_sent_now) {
    auto const hers = calendar({hours(9, 12), hours(33, 36)});
    EXPECT_EQ(decide_gate(hour(20), &hers, nullptr), (GateDecision{false, hour(33)}));
    EXPECT_EQ(decide_gate(hour(20), nullptr, nullptr), (GateDecision{true, std::nullopt}));
    EXPECT_EQ(decide_gate(hour(10), &hers, nullptr), (GateDecision{true, std::nullopt}));
}

TEST(Gate, towards_a_colleague_both_calendars_count) {
    auto const hers = calendar({hours(33, 36)});
    auto const his = calendar({hours(30, 34), hours(40, 41)});
    EXPECT_EQ(decide_gate(hour(20), &hers, &his), (GateDecision{false, hour(33)}));
    auto const his_later = calendar({hours(30, 31), hours(40, 41)});
    EXPECT_EQ(decide_gate(hour(20), &hers, &his_later), (GateDecision{false, hour(40)}));
}

TEST(Gate, passes_is_the_formula_and_one_comparison_with_the_cut) {
    EXPECT_TRUE(rc::check([] {
        auto const [schedules, overrides] = *arbitrary_documents();
        Calendar const c(schedules, overrides);
        for (int s = 0; s < 60; s += 3)
            for (int n = 0; n < 60; n += 2) {
                auto const from = base::wall_seconds(s), now = base::wall_seconds(n);
                auto const last = c.last_open_span_end(now);
                bool const formula = from <= now && (c.open(now) || (last && from < *last));
                RC_ASSERT(passes(from, &c, now) == formula);
                auto const limit = cut(&c, now);
                RC_ASSERT((limit && from <= *limit) == formula);
                RC_ASSERT(passes(from, nullptr, now) == (from <= now));
                RC_ASSERT(!passes(std::nullopt, &c, now));
            }
    }));
}

TEST(Gate, passes_means_open_at_some_instant_since) {
    EXPECT_TRUE(rc::check([] {
        auto const [schedules, overrides] = *arbitrary_documents();
        Calendar const c(schedules, overrides);
        for (int s = 0; s < 60; s += 2) {
            bool was_open = false;
            for (int n = s; n < 60; ++n) {
                auto const now = base::wall_seconds(n);
                was_open = was_open || c.open(now);
                RC_ASSERT(passes(base::wall_seconds(s), &c, now) == was_open);  // so: from then on for ever
                auto const at = passes_at(base::wall_seconds(s), &c);
                RC_ASSERT(was_open == (at && *at <= now));
            }
        }
    }));
}

TEST(Gate, one_cut_for_stamps_goes_through_both_calendars) {
    EXPECT_TRUE(rc::check([] {
        auto const [schedules, overrides] = *arbitrary_documents();
        Calendar const sender(schedules, overrides);
        auto const account = Calendar({PublishedSchedule{1, {}, {{}, base::wall_seconds(60)}, *arbitrary_set()}});
        for (GateCalendar by_sender : {static_cast<GateCalendar>(nullptr), static_cast<GateCalendar>(&sender)})
            for (GateCalendar to : {static_cast<GateCalendar>(nullptr), static_cast<GateCalendar>(&account)})
                for (int n = 0; n < 60; n += 2) {
                    auto const now = base::wall_seconds(n);
                    auto const limit = stamp_cut(by_sender, to, now);
                    for (int s = 0; s < 60; ++s) {
                        auto const stamp = base::wall_seconds(s);
                        RC_ASSERT(passes(envelope_from(stamp, by_sender), to, now) == (limit && stamp <= *limit));
                    }
                }
    }));
}

TEST(Gate, no_new_document_takes_back_what_passed) {
    EXPECT_TRUE(rc::check([] {
        auto const [schedules, overrides] = *arbitrary_documents();
        auto const now = base::wall_seconds(*rc::gen::inRange(0, 60));
        auto more = schedules;
        more.push_back({schedules.size() + 1, now, {{}, base::wall_seconds(60)}, *arbitrary_set()});
        auto closed = overrides;
        closed.push_back({OverrideKind::close_now, now, {now, base::wall_seconds(60)}, 9});
        Calendar const before(schedules, overrides);
        for (auto const& after : {Calendar(more, overrides), Calendar(schedules, closed)})
            for (int s = 0; s < 60; ++s)
                for (auto t = base::wall_seconds(0); t < now; t += std::chrono::seconds{1})
                    if (passes(base::wall_seconds(s), &before, t))
                        for (auto later = now; later < base::wall_seconds(60); later += std::chrono::seconds{7})
                            RC_ASSERT(passes(base::wall_seconds(s), &after, later));
    }));
}

TEST(Gate, a_life_ends_one_hold_life_after_it_passed_and_two_after_its_stamp_at_the_latest) {
    auto const life = Millis{std::chrono::hours{100}};
    EXPECT_EQ(expires_at(hour(0), hour(0), life), hour(100));
    EXPECT_EQ(expires_at(hour(0), hour(60), life), hour(160));
    EXPECT_EQ(expires_at(hour(0), hour(150), life), hour(200));
    EXPECT_EQ(expires_at(hour(0), std::nullopt, life), hour(200));
}

}  // namespace
}  // namespace interlude::schedule

// Ticker and janitor: what the services do by the clock, not before and not twice.
#include "server/service/janitor.hpp"
#include "server/service/window_ticker.hpp"
#include "tests/unit/service/shop.hpp"

namespace interlude::test {
namespace {

class Ticker : public Shop {
  protected:
    ~Ticker() override {
        ticker.stop();
        timers.stopped = true;
        timers.moved();
        settle();
    }
    service::WindowTicker ticker{*store, timers, pair.entropy, diag, metrics};
};

TEST_F(Ticker, notes_a_bound_at_its_millisecond_and_once) {
    meet_with_hours(13, 14);
    begin(ticker.run());
    auto const before = entries();
    move_to(noon + 30min);
    move_to(noon + 1h - 1ms);
    EXPECT_EQ(entries(), before);
    changes.clear();
    move_to(noon + 1h);
    EXPECT_EQ(entries(), before + 1);
    EXPECT_EQ(changes.size(), 1u);  // the couriers are woken by it
    move_to(noon + 1h + 1ms);
    move_to(noon + 1h + 30min);
    EXPECT_EQ(entries(), before + 1);
    move_to(noon + 2h);
    EXPECT_EQ(entries(), before + 2);
}

TEST_F(Ticker, notes_late_what_passed_while_nobody_looked) {
    meet_with_hours(13, 14);
    auto const before = entries();
    timers.now = noon + 3h;
    begin(ticker.run());
    move_to(timers.now + 2ms);
    move_to(timers.now + 2ms);
    EXPECT_EQ(entries(), before + 2);
}

TEST_F(Ticker, waits_until_the_time_is_believed) {
    meet_with_hours(13, 14);
    timers.believed = false;
    begin(ticker.run());
    auto const before = entries();
    move_to(noon + 90min);
    EXPECT_EQ(entries(), before);
    timers.believed = true;
    move_to(noon + 90min + 1s);
    EXPECT_EQ(entries(), before + 1);
}

TEST_F(Ticker, reads_calendars_again_when_they_changed) {
    pair.meet(io, *store);
    begin(ticker.run());
    run(store->put_calendar(pair.hours(13, 14, noon)));
    auto const before = entries();
    ticker.calendars_changed();
    move_to(noon + 1s);
    move_to(noon + 1h);
    EXPECT_EQ(entries(), before + 1);
}

TEST_F(Ticker, notes_a_bound_that_passed_while_the_disk_was_full) {
    meet_with_hours(13, 14);
    begin(ticker.run());
    auto const before = entries();
    store->full = true;
    move_to(noon + 1h);
    let_seconds_pass(5);
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(ended, 0);
    EXPECT_EQ(diag.said, std::vector<std::string_view>{"openings_cannot_be_noted_trying_again"});
    store->full = false;
    let_seconds_pass(2);
    EXPECT_EQ(entries(), before + 1);
    EXPECT_EQ(diag.said.size(), 2u);
}

class Cleaning : public Shop {
  protected:
    ~Cleaning() override {
        janitor.stop();
        timers.stopped = true;
        timers.moved();
        settle();
    }
    std::uint64_t envelopes() { return run(store->counts()).envelopes; }
    service::Janitor janitor{*store, timers, pair.entropy, diag, metrics};
};

TEST_F(Cleaning, ends_what_is_over_at_the_start_and_once_a_minute) {
    pair.meet(io, *store);
    send(pair.client, 1);
    begin(janitor.run());
    EXPECT_EQ(envelopes(), 1u);
    auto const over = noon + 2 * base::limits::hold_life_default;
    move_to(over);
    for (int i = 0; i < 59; ++i) move_to(timers.now + 1s);
    EXPECT_EQ(envelopes(), 0u);
}

TEST_F(Cleaning, that_a_full_disk_stopped_goes_on_in_a_later_round) {
    pair.meet(io, *store);
    send(pair.client, 1);
    store->full = true;
    begin(janitor.run());
    move_to(noon + 2 * base::limits::hold_life_default);
    let_seconds_pass(120);
    EXPECT_EQ(ended, 0);
    EXPECT_EQ(diag.said.size(), 1u);
    store->full = false;
    let_seconds_pass(61);
    EXPECT_EQ(envelopes(), 0u);
}

TEST_F(Cleaning, goes_on_until_nothing_more_is_over) {
    pair.meet(io, *store);
    for (std::uint64_t number = 1; number <= 1100; ++number) send(pair.client, number);
    timers.now = noon + 2 * base::limits::hold_life_default;
    begin(janitor.run());
    EXPECT_EQ(envelopes(), 0u);
}

}  // namespace
}  // namespace interlude::test

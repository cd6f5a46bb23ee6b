// put_calendar, calendars, note_windows: a therapist's hours, numbered and logged, and their bounds as they come.
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class Hours : public World {
  protected:
    ports::PutAnswer put(core::CalendarPutRequest const& request) { return run(store->put_calendar(request)); }
    std::uint64_t note() { return run(store->note_windows(therapist.account(), seed())); }
    SubjectId hers() const { return audit::subject_of(therapist.account()); }
};
INTERLUDE_BOTH_STORES(Hours);

// ---- Publishing ----------------------------------------------------------------------------------------------------

TEST_P(Hours, that_are_published_are_logged_announced_and_in_force) {
    meet();
    auto const before = entries();
    EXPECT_TRUE(done(put(pair.hours(13, 14, noon))));
    EXPECT_EQ(entries(), before + 1);
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_FALSE(changes[0].conversation);
    EXPECT_THAT(changes[0].accounts, testing::UnorderedElementsAre(therapist.account(), client.account()));
    auto const entry = std::get<audit::SchedulePublished>(opened(client.device(), hers()).back().body);
    EXPECT_EQ(entry.account, therapist.account());
    EXPECT_EQ(entry.number, 1u);
    EXPECT_GE(entry.in_force_from, noon);
    EXPECT_LT(entry.in_force_from, noon + 1s);

    auto const calendars = run(store->calendars());
    ASSERT_THAT(calendars, SizeIs(1));
    EXPECT_EQ(calendars[0].account, therapist.account());
    EXPECT_FALSE(calendars[0].calendar->open(noon + 1h - 1ms));
    EXPECT_TRUE(calendars[0].calendar->open(noon + 1h));
    EXPECT_TRUE(calendars[0].calendar->open(noon + 2h - 1ms));
    EXPECT_FALSE(calendars[0].calendar->open(noon + 2h));
}

TEST_P(Hours, that_come_again_change_nothing) {
    meet();
    auto const request = pair.hours(13, 14, noon);
    EXPECT_TRUE(done(put(request)));
    auto const before = entries();
    announced();
    now = noon + 1min;
    EXPECT_TRUE(done(put(request)));
    EXPECT_EQ(entries(), before);
    EXPECT_THAT(announced(), IsEmpty());
}

TEST_P(Hours, of_one_account_are_published_at_most_fifty_times_a_day) {
    meet();
    for (int i = 0; i < policy.schedules_per_day_max; ++i) {
        ASSERT_TRUE(done(put(pair.hours(13, 14, now.load())))) << i;
        now = now.load() + 2ms;
    }
    auto const first = noon;
    auto const before = entries();
    auto const one_more = pair.hours(13, 14, now.load());
    auto const answer = put(one_more);
    EXPECT_EQ(rule_of(answer), Rule::too_fast);
    EXPECT_GT(std::get<wire::Refused>(answer).retry_after_seconds, 0u);
    EXPECT_EQ(entries(), before);
    now = first + 24h - 1ms;
    EXPECT_EQ(rule_of(put(one_more)), Rule::too_fast);
}

TEST_P(Hours, whose_number_is_not_the_next_conflict) {
    meet();
    HoursChain another;
    EXPECT_TRUE(done(put(pair.hours(13, 14, noon))));
    auto const answer = put(another.next(therapist, 12, 14, noon, seed()));  // number 1 again
    EXPECT_EQ(rule_of(answer), Rule::conflict);
    EXPECT_EQ(std::get<wire::Refused>(answer).problem, wire::ScheduleProblem::wrong_number);
    auto const skipped = another.next(therapist, 12, 14, noon, seed());  // number 2, of another first
    EXPECT_EQ(rule_of(put(skipped)), Rule::conflict);
    EXPECT_TRUE(done(put(pair.hours(12, 14, noon))));
}

TEST_P(Hours, of_two_at_once_one_wins) {
    meet();
    HoursChain one, another;
    int won = 0, lost = 0;
    auto const note = [&](std::exception_ptr error, ports::PutAnswer answer) {
        EXPECT_FALSE(error);
        won += done(answer);
        lost += rule_of(answer) == Rule::conflict;
    };
    boost::asio::co_spawn(io, store->put_calendar(one.next(therapist, 13, 14, noon, seed())), note);
    boost::asio::co_spawn(io, store->put_calendar(another.next(therapist, 14, 15, noon, seed())), note);
    io.restart();
    io.run();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 1);
}

TEST_P(Hours, that_would_open_later_than_promised_are_refused_and_kept_nowhere) {
    meet();
    EXPECT_TRUE(done(put(pair.hours(13, 14, noon))));
    auto const before = entries();
    auto const answer = put(pair.hours(15, 16, noon));
    EXPECT_EQ(rule_of(answer), Rule::schedule);
    EXPECT_EQ(std::get<wire::Refused>(answer).problem, wire::ScheduleProblem::next_opening_later);
    EXPECT_EQ(entries(), before);
    open();
    EXPECT_TRUE(run(store->calendars()).at(0).calendar->open(noon + 1h));
}

TEST_P(Hours, of_who_may_not_publish_them_are_refused) {
    meet();
    auto request = pair.hours(13, 14, noon);
    request.by = therapist.device(1);
    EXPECT_EQ(rule_of(put(request)), Rule::invalid);
    request.by = client.device();
    EXPECT_EQ(rule_of(put(request)), Rule::invalid);
    request.by = therapist.device();
    request.document.signature[1] ^= 1;
    EXPECT_EQ(rule_of(put(request)), Rule::invalid);
    EXPECT_THAT(run(store->calendars()), IsEmpty());
}

TEST_P(Hours, that_change_leave_what_was_accepted_where_it_was) {
    meet();
    EXPECT_TRUE(done(put(pair.hours(13, 14, noon))));
    send(client, 1);
    now = noon + 1min;
    EXPECT_TRUE(done(put(pair.hours(12, 14, now.load()))));  // opens at once
    now = noon + 2min;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1));
}

TEST_P(Hours, may_be_overridden_and_are_brought_with_what_overrides_them) {
    meet();
    EXPECT_TRUE(done(put(pair.hours(13, 14, noon))));
    send(client, 1);
    EXPECT_THAT(seqs_offered(therapist.device()), IsEmpty());
    auto const before = entries();
    now = noon + 1min;
    auto const opening = pair.override_with(schedule::OverrideKind::open_now, {now.load(), noon + 30min});
    EXPECT_TRUE(done(put(opening)));
    EXPECT_TRUE(done(put(opening)));
    EXPECT_EQ(entries(), before + 1);
    auto const entry = std::get<audit::OverridePublished>(opened(client.device(), hers()).back().body);
    EXPECT_EQ(entry.number, 2u);
    EXPECT_EQ(entry.in_force_from, noon + 1min + 1ms);
    open();
    now = noon + 2min;
    EXPECT_THAT(seqs_offered(therapist.device()), ElementsAre(1));
    now = noon + 61min;  // her window has begun
    EXPECT_TRUE(done(put(pair.override_with(schedule::OverrideKind::close_now, {now.load(), noon + 3h}))));
    now = noon + 62min;
    send(client, 2);
    EXPECT_THAT(seqs_offered(therapist.device()), testing::Not(testing::Contains(2)));
    EXPECT_TRUE(done(put(pair.hours(12, 20, now.load()))));  // schedules go on behind overrides
    std::vector<wire::PublishedDocument> documents;
    for (auto const& frame : items<wire::Documents>(offer(client.device())))
        for (auto const& document : frame.documents)
            if (document.document.kind != wire::DocumentKind::device_list) documents.push_back(document);
    ASSERT_THAT(documents, SizeIs(4));
    EXPECT_EQ(documents[0].document.kind, wire::DocumentKind::schedule);
    EXPECT_EQ(documents[1].document, opening.document);
    EXPECT_EQ(documents[2].document.kind, wire::DocumentKind::override_all);
    EXPECT_EQ(documents[3].document.kind, wire::DocumentKind::schedule);
}

// ---- Their bounds --------------------------------------------------------------------------------------------------

TEST_P(Hours, have_an_entry_for_each_bound_by_the_millisecond_once) {
    meet_with_hours(13, 14);
    now = noon + 1h - 1ms;
    EXPECT_EQ(note(), 0u);
    EXPECT_THAT(announced(), IsEmpty());
    now = noon + 1h;
    EXPECT_EQ(note(), 1u);
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_THAT(changes[0].accounts, testing::UnorderedElementsAre(therapist.account(), client.account()));
    EXPECT_EQ(note(), 0u);
    open();
    EXPECT_EQ(note(), 0u);
    now = noon + 2h - 1ms;
    EXPECT_EQ(note(), 0u);
    now = noon + 2h;
    EXPECT_EQ(note(), 1u);
    auto const payloads = opened(client.device(), hers());
    auto const& opening = std::get<audit::WindowOpened>(payloads.at(payloads.size() - 2).body);
    auto const& closing = std::get<audit::WindowClosed>(payloads.back().body);
    EXPECT_EQ(opening, (audit::WindowOpened{therapist.account(), noon + 1h, 1}));
    EXPECT_EQ(closing, (audit::WindowClosed{therapist.account(), noon + 2h, 1}));
    EXPECT_EQ(run(store->calendars()).at(0).marked_up_to, noon + 2h);
}

TEST_P(Hours, that_are_open_when_they_are_published_open_then) {
    meet_with_hours(9, 17);
    EXPECT_EQ(note(), 1u);
    auto const payloads = opened(client.device(), hers());
    auto const& published = std::get<audit::SchedulePublished>(payloads.at(payloads.size() - 2).body);
    EXPECT_EQ(std::get<audit::WindowOpened>(payloads.back().body).instant, published.in_force_from);
}

TEST_P(Hours, have_late_entries_for_what_passed_while_nobody_looked) {
    meet_with_hours(13, 14);
    now = noon + std::chrono::days{40};
    EXPECT_EQ(note(), 64u);  // a transaction's worth
    EXPECT_EQ(note(), 16u);
    EXPECT_EQ(note(), 0u);
}

TEST_P(Hours, have_no_entry_while_the_time_is_not_believed) {
    meet_with_hours(13, 14);
    now = noon + 3h;
    believed = false;
    EXPECT_EQ(note(), 0u);
    believed = true;
    EXPECT_EQ(note(), 2u);
}

TEST_P(Hours, of_who_has_none_have_no_bounds) {
    meet();
    EXPECT_EQ(note(), 0u);
    EXPECT_EQ(run(store->note_windows(client.account(), seed())), 0u);
    EXPECT_EQ(run(store->note_windows(AccountId{}, seed())), 0u);
}

}  // namespace
}  // namespace interlude::test

// Logins, device lists and key packages.
#include "common/identity/invitation.hpp"
#include "tests/contract/store/world.hpp"

namespace interlude::test {
namespace {

class DeviceLists : public World {
  protected:
    ports::PutAnswer put(Person& person, std::vector<std::size_t> const& devices) {
        return run(store->put_device_list(person.device(), person.next_list(devices, now.load()), seed()));
    }
};
INTERLUDE_BOTH_STORES(DeviceLists);

TEST_P(DeviceLists, say_who_may_log_in) {
    meet();
    auto const facts = run(store->login_facts(therapist.device()));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->auth_key, therapist.devices[0].key.public_key());
    EXPECT_EQ(facts->side, Side::therapist);
    EXPECT_FALSE(facts->suspended);
    EXPECT_FALSE(run(store->login_facts(therapist.device(1))));
    EXPECT_FALSE(run(store->login_facts({client.account(), therapist.device().device})));
    Person const stranger(Side::client, pair.entropy, noon);
    EXPECT_FALSE(run(store->login_facts(stranger.device())));
}

TEST_P(DeviceLists, that_follow_are_logged_and_announced_to_everybody_related) {
    meet();
    auto const before = entries();
    EXPECT_TRUE(done(put(therapist, {0, 1})));
    EXPECT_TRUE(run(store->login_facts(therapist.device(1))));
    EXPECT_EQ(entries(), before + 1);
    auto const changes = announced();
    ASSERT_THAT(changes, SizeIs(1));
    EXPECT_FALSE(changes[0].conversation);
    EXPECT_THAT(changes[0].accounts, testing::UnorderedElementsAre(therapist.account(), client.account()));
    auto const entry = std::get<audit::DeviceListPublished>(
        opened(client.device(), audit::subject_of(therapist.account())).back().body);
    EXPECT_EQ(entry, (audit::DeviceListPublished{therapist.account(), 1, 2, therapist.list.hash()}));
}

TEST_P(DeviceLists, that_come_again_change_nothing) {
    meet();
    auto const list = therapist.next_list({0, 1}, noon);
    EXPECT_TRUE(done(run(store->put_device_list(therapist.device(), list, seed()))));
    auto const before = entries();
    announced();
    EXPECT_TRUE(done(run(store->put_device_list(therapist.device(), list, seed()))));
    EXPECT_EQ(entries(), before);
    EXPECT_THAT(announced(), IsEmpty());
}

TEST_P(DeviceLists, that_lose_a_race_conflict) {
    meet();
    auto const before = therapist.list;
    EXPECT_TRUE(done(put(therapist, {0, 1})));
    therapist.list = before;  // continued elsewhere
    EXPECT_EQ(rule_of(put(therapist, {0})), Rule::conflict);
    EXPECT_TRUE(run(store->login_facts(therapist.device(1))));
}

TEST_P(DeviceLists, of_others_or_broken_or_by_unlisted_devices_are_refused) {
    meet();
    auto const before = entries();
    auto const list = therapist.next_list({0, 1}, noon);
    EXPECT_EQ(rule_of(run(store->put_device_list(client.device(), list, seed()))), Rule::invalid);
    EXPECT_EQ(rule_of(run(store->put_device_list(therapist.device(1), list, seed()))), Rule::invalid);
    auto forged = list;
    forged.signature[0] ^= 1;
    EXPECT_EQ(rule_of(run(store->put_device_list(therapist.device(), forged, seed()))), Rule::invalid);
    auto other_kind = list;
    other_kind.kind = wire::DocumentKind::schedule;
    EXPECT_EQ(rule_of(run(store->put_device_list(therapist.device(), other_kind, seed()))), Rule::invalid);
    EXPECT_EQ(entries(), before);
    EXPECT_FALSE(run(store->login_facts(therapist.device(1))));
}

TEST_P(DeviceLists, that_drop_a_device_take_its_links_packages_places_and_answers) {
    meet(true);
    auto submission = message(therapist, 1, noon);
    submission.sender = therapist.device(1);
    accepted(run(store->accept(submission)));
    announced();
    EXPECT_TRUE(done(put(therapist, {0})));
    auto const changes = announced();
    ASSERT_FALSE(changes.empty());
    EXPECT_THAT(changes.back().dropped, ElementsAre(therapist.device(1)));
    EXPECT_FALSE(run(store->login_facts(therapist.device(1))));
    EXPECT_THAT(run(store->snapshot(therapist.device(1))).conversations, IsEmpty());
    EXPECT_EQ(rule_of(run(store->accept(submission)).verdict), Rule::not_a_member);  // no bound answer any more
    EXPECT_EQ(rule_of(run(store->put_key_packages(therapist.device(1), {}))), Rule::invalid);
    auto const packages = run(store->fetch_key_packages(client.device(), therapist.account()));
    ASSERT_TRUE(std::holds_alternative<wire::KeyPackages>(packages));
    for (auto const& package : std::get<wire::KeyPackages>(packages).packages)
        EXPECT_EQ(package.device, therapist.device().device);
    // Listed again it begins anew, without packages or places.
    EXPECT_TRUE(done(put(therapist, {0, 1})));
    EXPECT_EQ(std::get<wire::KeyPackageStock>(run(store->put_key_packages(therapist.device(1), {}))).left, 0u);
    EXPECT_FALSE(offer(therapist.device(1)).member);
}

TEST_P(DeviceLists, are_read_from_a_position_on_by_who_is_related) {
    meet();
    std::vector<wire::SignedDocument> lists;
    for (auto const& devices : {std::vector<std::size_t>{0, 1}, {0}, {0, 1}}) {
        lists.push_back(therapist.next_list(devices, noon));
        run(store->put_device_list(therapist.device(), lists.back(), seed()));
    }
    auto const read = [&](ports::Fetcher reader, identity::ListPosition after) {
        return run(store->device_lists_after(reader, therapist.account(), after));
    };
    auto const all = read(client.device(), {});
    ASSERT_TRUE(all);
    ASSERT_THAT(all->documents, SizeIs(4));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(all->documents[i + 1].document, lists[i]);
    auto const later = read(therapist.device(), {1, 3});
    ASSERT_THAT(later->documents, SizeIs(1));
    EXPECT_EQ(later->documents[0].document, lists[2]);
    EXPECT_THAT(read(therapist.device(), {1, 4})->documents, IsEmpty());
    auto const key = invite(therapist);
    EXPECT_THAT(read(identity::invitation_id(key.public_key()), {})->documents, SizeIs(4));
}

TEST_P(DeviceLists, are_not_for_strangers) {
    meet();
    Person another(Side::therapist, pair.entropy, noon);
    join(another);
    EXPECT_FALSE(run(store->device_lists_after(another.device(), client.account(), {})));
    EXPECT_FALSE(run(store->device_lists_after(client.device(1), therapist.account(), {})));
    EXPECT_FALSE(run(store->device_lists_after(client.device(), another.account(), {})));
    EXPECT_FALSE(run(store->device_lists_after(base::InvitationId{}, therapist.account(), {})));
    auto const key = invite(therapist);
    EXPECT_FALSE(run(store->device_lists_after(identity::invitation_id(key.public_key()), client.account(), {})));
}

TEST_P(DeviceLists, of_one_account_are_at_most_twenty_a_day) {
    meet();
    now = noon + 24h;
    auto const next = [&](int i) {
        auto const list =
            therapist.next_list(i % 2 ? std::vector<std::size_t>{0} : std::vector<std::size_t>{0, 1}, now);
        return run(store->put_device_list(therapist.device(), list, seed()));
    };
    for (int i = 0; i < policy.lists_per_day_max; ++i) ASSERT_TRUE(done(next(i))) << i;
    auto const before = entries();
    auto const one_more = therapist.next_list({0, 1}, now);
    auto const answer = run(store->put_device_list(therapist.device(), one_more, seed()));
    EXPECT_EQ(rule_of(answer), Rule::too_fast);
    EXPECT_GT(std::get<wire::Refused>(answer).retry_after_seconds, 0u);
    EXPECT_EQ(entries(), before);
    now = noon + 48h - 1ms;
    EXPECT_EQ(rule_of(run(store->put_device_list(therapist.device(), one_more, seed()))), Rule::too_fast);
    now = noon + 48h;
    EXPECT_TRUE(done(run(store->put_device_list(therapist.device(), one_more, seed()))));
}

TEST_P(DeviceLists, come_at_most_64_at_a_time_oldest_first) {
    policy.lists_per_day_max = 100;
    open();
    meet();
    for (int i = 0; i < 70; ++i) put(therapist, i % 2 ? std::vector<std::size_t>{0} : std::vector<std::size_t>{0, 1});
    auto const first = run(store->device_lists_after(client.device(), therapist.account(), {}));
    ASSERT_THAT(first->documents, SizeIs(64));
    auto const rest = run(store->device_lists_after(client.device(), therapist.account(), {1, 64}));
    ASSERT_THAT(rest->documents, SizeIs(7));
    EXPECT_EQ(rest->documents.back().document.bytes, therapist.list.as_signed().bytes);
}

// ---- Key packages --------------------------------------------------------------------------------------------------

class KeyPackages : public World {
  protected:
    KeyPackages() { join(therapist); }
    std::uint32_t put(wire::KeyPackagesPut const& packages) {
        auto const answer = run(store->put_key_packages(therapist.device(), packages));
        auto const* left = std::get_if<wire::KeyPackageStock>(&answer);
        EXPECT_TRUE(left);
        return left ? left->left : 0;
    }
    std::vector<Bytes> fetch(ports::Fetcher const& fetcher) {
        auto const answer = run(store->fetch_key_packages(fetcher, therapist.account()));
        std::vector<Bytes> packages;
        if (auto const* some = std::get_if<wire::KeyPackages>(&answer))
            for (auto const& package : some->packages) packages.push_back(package.key_package);
        return packages;
    }
    std::optional<Rule> refusal(ports::Fetcher const& fetcher) {
        return rule_of(run(store->fetch_key_packages(fetcher, therapist.account())));
    }
    Bytes package() { return therapist.key_package(pair.entropy, now.load()); }
    base::InvitationId invited() { return identity::invitation_id(invite(therapist).public_key()); }
};
INTERLUDE_BOTH_STORES(KeyPackages);

TEST_P(KeyPackages, are_handed_out_once_each) {
    auto const stocked = stock(therapist, 3);
    std::set<Bytes> got;
    for (int i = 0; i < 3; ++i)
        for (auto const& one : fetch(therapist.device())) got.insert(one);
    EXPECT_EQ(got, std::set<Bytes>(stocked.begin(), stocked.end()));
    EXPECT_EQ(refusal(therapist.device()), Rule::unreachable);
    EXPECT_EQ(put({}), 0u);
}

TEST_P(KeyPackages, in_flight_together_are_still_handed_out_once) {
    stock(therapist, 10);
    std::set<Bytes> got;
    auto const note = [&](std::exception_ptr error, ports::KeyPackagesAnswer answer) {
        EXPECT_FALSE(error);
        got.insert(std::get<wire::KeyPackages>(answer).packages.at(0).key_package);
    };
    for (int i = 0; i < 10; ++i)
        boost::asio::co_spawn(io, store->fetch_key_packages(therapist.device(), therapist.account()), note);
    io.restart();
    io.run();
    EXPECT_THAT(got, SizeIs(10));
}

TEST_P(KeyPackages, that_come_again_are_not_stored_twice) {
    wire::KeyPackagesPut put_twice;
    put_twice.key_packages = {package(), package()};
    EXPECT_EQ(put(put_twice), 2u);
    EXPECT_EQ(put(put_twice), 2u);
    fetch(therapist.device());
    EXPECT_EQ(put(put_twice), 1u);  // nor when one is spent
}

TEST_P(KeyPackages, of_the_last_resort_are_given_when_nothing_else_is_left_as_often_as_asked) {
    wire::KeyPackagesPut both;
    both.key_packages = {package()};
    both.last_resort = package();
    EXPECT_EQ(put(both), 1u);
    EXPECT_THAT(fetch(therapist.device()), ElementsAre(both.key_packages[0]));
    EXPECT_THAT(fetch(therapist.device()), ElementsAre(*both.last_resort));
    EXPECT_THAT(fetch(therapist.device()), ElementsAre(*both.last_resort));
    wire::KeyPackagesPut newer;
    newer.last_resort = package();
    EXPECT_EQ(put(newer), 0u);
    EXPECT_THAT(fetch(therapist.device()), ElementsAre(*newer.last_resort));
}

TEST_P(KeyPackages, for_an_invitation_are_the_same_on_every_retry_and_nobody_elses) {
    stock(therapist, 2);
    auto const one = invited(), another = invited();
    auto const first = fetch(one);
    ASSERT_THAT(first, SizeIs(1));
    EXPECT_EQ(fetch(one), first);
    open();
    EXPECT_EQ(fetch(one), first);
    EXPECT_NE(fetch(another), first);
    EXPECT_EQ(refusal(therapist.device()), Rule::unreachable);
    EXPECT_EQ(fetch(one), first);
    EXPECT_EQ(put({}), 0u);
}

TEST_P(KeyPackages, of_the_last_resort_that_are_reserved_outlast_their_successor) {
    wire::KeyPackagesPut old, newer;
    old.last_resort = package();
    newer.last_resort = package();
    put(old);
    auto const key = invite(therapist);
    auto const packages = fetched(key, therapist);
    put(newer);
    EXPECT_THAT(fetch(identity::invitation_id(key.public_key())), ElementsAre(*old.last_resort));
    EXPECT_THAT(fetch(therapist.device()), ElementsAre(*newer.last_resort));
    EXPECT_THAT(fetch(invited()), ElementsAre(*newer.last_resort));
    auto const answer = run(store->redeem(founding(key, client, pair.conversation, packages)));
    EXPECT_TRUE(std::holds_alternative<wire::Redeemed>(answer));
}

TEST_P(KeyPackages, are_refused_as_a_whole) {
    wire::KeyPackagesPut mixed;
    mixed.key_packages = {package(), client.key_package(pair.entropy, noon)};
    EXPECT_EQ(rule_of(run(store->put_key_packages(therapist.device(), mixed))), Rule::invalid);
    EXPECT_EQ(put({}), 0u);
    EXPECT_EQ(rule_of(run(store->put_key_packages(therapist.device(1), {}))), Rule::invalid);
    EXPECT_EQ(rule_of(run(store->put_key_packages(client.device(), {}))), Rule::invalid);
}

TEST_P(KeyPackages, have_a_limit_per_device) {
    policy.key_packages_per_device = 3;
    open();
    stock(therapist, 3);
    wire::KeyPackagesPut more;
    more.key_packages = {package()};
    EXPECT_EQ(rule_of(run(store->put_key_packages(therapist.device(), more))), Rule::quota);
    fetch(therapist.device());
    EXPECT_EQ(put(more), 3u);
}

TEST_P(KeyPackages, are_handed_out_until_the_millisecond_of_their_end) {
    stock(therapist, 2);
    auto const end = noon + std::chrono::days{20} - 1h;  // see Person::key_package
    now = end - 1ms;
    EXPECT_EQ(put({}), 2u);
    EXPECT_THAT(fetch(therapist.device()), SizeIs(1));
    now = end;
    EXPECT_EQ(put({}), 0u);
    EXPECT_EQ(refusal(therapist.device()), Rule::unreachable);
}

TEST_P(KeyPackages, are_for_who_is_related_or_invited_while_the_invitation_is_open) {
    stock(therapist, 3);
    Person another(Side::therapist, pair.entropy, noon);
    join(another);
    EXPECT_EQ(refusal(another.device()), Rule::unreachable);
    EXPECT_EQ(refusal(base::InvitationId{}), Rule::unreachable);
    auto const ends = identity::invitation_id(invite(therapist, noon + 1h).public_key());
    auto const revoked = invited();
    run(store->revoke_invitation(therapist.device(), revoked));
    EXPECT_EQ(refusal(revoked), Rule::expired);
    now = noon + 1h;
    EXPECT_EQ(refusal(ends), Rule::expired);
    auto const key = invite(therapist);
    auto const spent = identity::invitation_id(key.public_key());
    run(store->redeem(founding(key, client, pair.conversation, fetched(key, therapist))));
    EXPECT_EQ(refusal(spent), Rule::spent);
    EXPECT_THAT(fetch(client.device()), SizeIs(1));  // they share a conversation now
}

TEST_P(KeyPackages, come_one_for_each_device) {
    stock(therapist, 2);
    run(store->put_device_list(therapist.device(), therapist.next_list({0, 1}, noon), seed()));
    EXPECT_THAT(fetch(therapist.device()), SizeIs(1));  // the second has none yet
    stock(therapist, 1, 1);
    EXPECT_THAT(fetch(therapist.device()), SizeIs(2));
}

}  // namespace
}  // namespace interlude::test

// Which device lists and key packages may be published.
#include "server/core/key_directory.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/parts.hpp"

namespace interlude::test {
namespace {

using namespace core;

template <class Verdict>
std::optional<wire::Rule> rule_of(Verdict const& verdict) {
    auto const* refusal = std::get_if<wire::Refused>(&verdict);
    return refusal ? std::optional(refusal->rule) : std::nullopt;
}

class Directory : public testing::Test {
  protected:
    crypto::SeededEntropy entropy{6};
    Human human{Side::therapist, entropy, monday_noon, 2};
    Policy policy;
};

// ---- Lists ---------------------------------------------------------------------------------------------------------

TEST_F(Directory, takes_the_next_list_and_names_whom_it_drops) {
    auto const before = human.list();
    auto const dropped = human.device(1);
    auto const document = human.drop_device(1, monday_noon + 1h);
    auto const verdict = decide_device_list(before, human.account(), document, monday_noon + 1h, 0, {});
    ASSERT_TRUE(std::holds_alternative<ListChange>(verdict));
    auto const& change = std::get<ListChange>(verdict);
    EXPECT_EQ(change.dropped, std::vector{dropped});
    EXPECT_EQ(change.list.list().position(), (identity::ListPosition{1, 2}));
    EXPECT_EQ(change.entry.subject, audit::subject_of(human.account()));
    EXPECT_EQ(std::get<audit::DeviceListPublished>(change.entry.body),
              (audit::DeviceListPublished{human.account(), 1, 2, change.list.hash()}));
    EXPECT_FALSE(change.entry.veil);
}

TEST_F(Directory, drops_nobody_when_a_device_is_added) {
    auto const before = human.list();
    auto const document = human.add_device(entropy, monday_noon);
    auto const verdict = decide_device_list(before, human.account(), document, monday_noon, 0, {});
    ASSERT_TRUE(std::holds_alternative<ListChange>(verdict));
    EXPECT_TRUE(std::get<ListChange>(verdict).dropped.empty());
}

TEST_F(Directory, has_done_with_the_newest_list_already) {
    auto const verdict = decide_device_list(human.list(), human.account(), human.list_document(), monday_noon, 0, {});
    EXPECT_TRUE(std::holds_alternative<wire::Done>(verdict));
}

TEST_F(Directory, conflicts_where_a_list_follows_an_older_one) {
    auto const before = human.list();
    auto const mine = human.drop_device(1, monday_noon);
    auto const newest = human.list();
    auto const older = core::as_document(before.as_signed());
    EXPECT_EQ(rule_of(decide_device_list(newest, human.account(), older, monday_noon, 0, {})), wire::Rule::conflict);
    EXPECT_TRUE(
        std::holds_alternative<ListChange>(decide_device_list(before, human.account(), mine, monday_noon, 0, {})));
}

TEST_F(Directory, refuses_lists_of_others_of_another_kind_or_with_a_broken_signature) {
    Human const other(Side::client, entropy, monday_noon);
    auto const before = human.list();
    auto const document = human.drop_device(1, monday_noon);
    EXPECT_EQ(rule_of(decide_device_list(before, other.account(), document, monday_noon, 0, {})), wire::Rule::invalid);
    EXPECT_EQ(rule_of(decide_device_list(other.list(), other.account(), document, monday_noon, 0, {})),
              wire::Rule::invalid);
    auto broken = document;
    broken.signature[10] ^= 1;
    EXPECT_EQ(rule_of(decide_device_list(before, human.account(), broken, monday_noon, 0, {})), wire::Rule::invalid);
    broken = document;
    broken.signature.pop_back();
    EXPECT_EQ(rule_of(decide_device_list(before, human.account(), broken, monday_noon, 0, {})), wire::Rule::invalid);
    broken = document;
    broken.kind = wire::DocumentKind::invitation;
    EXPECT_EQ(rule_of(decide_device_list(before, human.account(), broken, monday_noon, 0, {})), wire::Rule::invalid);
    broken = document;
    broken.bytes.push_back(0);
    EXPECT_EQ(rule_of(decide_device_list(before, human.account(), broken, monday_noon, 0, {})), wire::Rule::invalid);
}

// ---- Key packages --------------------------------------------------------------------------------------------------

class Packages : public Directory {
  protected:
    auto check(wire::KeyPackagesPut const& put, int left = 0, WallTime now = monday_noon) {
        return check_key_packages(put, human.device(), human.list().list(), left, now, policy);
    }
    static wire::KeyPackagesPut ordinary(Bytes package) { return {{std::move(package)}, std::nullopt}; }
    static wire::KeyPackagesPut last_resort(Bytes package) { return {{}, std::move(package)}; }
};

TEST_F(Packages, of_the_device_are_taken_with_ref_and_end) {
    auto const package = human.key_package(entropy, monday_noon);
    auto const checked = check(ordinary(package));
    ASSERT_TRUE(std::holds_alternative<std::vector<CheckedKeyPackage>>(checked));
    auto const& one = std::get<std::vector<CheckedKeyPackage>>(checked).at(0);
    EXPECT_EQ(one.ref, ref_of(package));
    EXPECT_EQ(one.bytes, package);
    EXPECT_EQ(one.not_after, monday_noon - 1h + std::chrono::days{20});
    EXPECT_FALSE(one.last_resort);
}

TEST_F(Packages, fill_the_stock_and_no_more) {
    wire::KeyPackagesPut two{{human.key_package(entropy, monday_noon), human.key_package(entropy, monday_noon)}, {}};
    EXPECT_FALSE(rule_of(check(two, policy.key_packages_per_device - 2)));
    EXPECT_EQ(rule_of(check(two, policy.key_packages_per_device - 1)), wire::Rule::quota);
    EXPECT_FALSE(rule_of(check(last_resort(human.key_package(entropy, monday_noon)), policy.key_packages_per_device)));
}

TEST_F(Packages, that_are_large_are_refused) {
    EXPECT_EQ(rule_of(check(ordinary(Bytes(4 * 1024 + 1)))), wire::Rule::too_big);
    EXPECT_EQ(rule_of(check(last_resort(Bytes(4 * 1024 + 1)))), wire::Rule::too_big);
    EXPECT_EQ(rule_of(check(ordinary(Bytes(4 * 1024)))), wire::Rule::invalid);  // nothing that parses
}

TEST_F(Packages, of_another_device_or_account_are_refused) {
    EXPECT_EQ(rule_of(check(ordinary(human.key_package(entropy, monday_noon, 1)))), wire::Rule::invalid);
    Human const other(Side::client, entropy, monday_noon);
    EXPECT_EQ(rule_of(check(ordinary(other.key_package(entropy, monday_noon)))), wire::Rule::invalid);
}

TEST_F(Packages, of_a_device_that_the_newest_list_lacks_are_refused) {
    auto const device = human.device(1);
    auto const package = human.key_package(entropy, monday_noon, 1);
    auto const put = ordinary(package);
    EXPECT_FALSE(rule_of(check_key_packages(put, device, human.list().list(), 0, monday_noon, policy)));
    human.drop_device(1, monday_noon);
    EXPECT_EQ(rule_of(check_key_packages(put, device, human.list().list(), 0, monday_noon, policy)),
              wire::Rule::invalid);
}

TEST_F(Packages, that_repeat_one_another_are_refused) {
    auto const package = human.key_package(entropy, monday_noon);
    EXPECT_EQ(rule_of(check({{package, package}, {}})), wire::Rule::invalid);
    EXPECT_EQ(rule_of(check({{package}, package})), wire::Rule::invalid);
}

TEST_F(Packages, that_are_none_are_refused) {
    EXPECT_EQ(rule_of(check(ordinary(Bytes(200, 1)))), wire::Rule::invalid);
    auto cut = human.key_package(entropy, monday_noon);
    cut.pop_back();
    EXPECT_EQ(rule_of(check(ordinary(cut))), wire::Rule::invalid);
}

TEST_F(Packages, are_good_from_their_begin_to_their_end) {
    auto const package = human.key_package(entropy, monday_noon);  // from an hour before, for twenty days
    auto const begin = monday_noon - 1h, end = begin + std::chrono::days{20};
    EXPECT_FALSE(rule_of(check(ordinary(package), 0, begin)));
    EXPECT_FALSE(rule_of(check(ordinary(package), 0, begin - base::limits::clock_tolerance)));
    EXPECT_EQ(rule_of(check(ordinary(package), 0, begin - base::limits::clock_tolerance - 1ms)), wire::Rule::invalid);
    EXPECT_FALSE(rule_of(check(ordinary(package), 0, end - 1ms)));
    EXPECT_EQ(rule_of(check(ordinary(package), 0, end)), wire::Rule::invalid);
}

TEST_F(Packages, live_no_longer_than_their_kind_may) {
    auto const month = human.key_package(entropy, monday_noon + 1h, 0, base::limits::key_package_life);
    auto const longer = human.key_package(entropy, monday_noon + 1h, 0, base::limits::key_package_life + 10min);
    auto const longest = human.key_package(entropy, monday_noon + 1h, 0, base::limits::last_resort_key_package_life);
    auto const too_long =
        human.key_package(entropy, monday_noon + 1h, 0, base::limits::last_resort_key_package_life + 10min);
    EXPECT_FALSE(rule_of(check(ordinary(month))));
    EXPECT_EQ(rule_of(check(ordinary(longer))), wire::Rule::invalid);
    EXPECT_FALSE(rule_of(check(last_resort(longer))));
    EXPECT_FALSE(rule_of(check(last_resort(longest))));
    EXPECT_EQ(rule_of(check(last_resort(too_long))), wire::Rule::invalid);
}

}  // namespace
}  // namespace interlude::test

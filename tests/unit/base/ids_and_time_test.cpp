// Ids that cannot be mixed up, two kinds of time, names of errors, values safe to log.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <unordered_set>

#include "common/base/ids.hpp"
#include "common/base/limits.hpp"
#include "common/base/log_safe.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace interlude::base {
namespace {

static_assert(!std::is_convertible_v<AccountId, Hash32> && !std::is_convertible_v<DeviceId, ConversationId>);
static_assert(!std::is_convertible_v<WallTime, MonoTime>);

DeviceId device(std::uint8_t first) {
    DeviceId id;
    id.bytes[0] = first;
    return id;
}

TEST(Ids, come_only_from_exactly_their_size) {
    std::array<std::uint8_t, 17> bytes{};
    bytes[0] = 5;
    EXPECT_EQ(DeviceId::from(std::span(bytes).first(16)), device(5));
    EXPECT_EQ(DeviceId::from(std::span(bytes).first(15)), std::nullopt);
    EXPECT_EQ(DeviceId::from(bytes), std::nullopt);
    EXPECT_EQ(DeviceId::from({}), std::nullopt);
}

TEST(Ids, order_and_hash_by_their_bytes) {
    EXPECT_LT(device(1), device(2));
    EXPECT_EQ(device(3), device(3));
    EXPECT_TRUE(DeviceId{}.is_zero());
    EXPECT_FALSE(device(1).is_zero());
    std::unordered_set<DeviceId> const set{device(1), device(2), device(1)};
    EXPECT_EQ(set.size(), 2u);
}

TEST(Time, keeps_milliseconds_before_and_after_1970) {
    EXPECT_EQ(to_ms(wall_ms(1'700'000'000'123)), 1'700'000'000'123);
    EXPECT_EQ(wall_seconds(-1), wall_ms(-1000));
    EXPECT_EQ(to_ms(mono_ms(17)), 17);
}

TEST(Interval, contains_its_start_and_not_its_end) {
    Interval const span{wall_ms(1000), wall_ms(2000)};
    EXPECT_FALSE(span.contains(wall_ms(999)));
    EXPECT_TRUE(span.contains(wall_ms(1000)));
    EXPECT_TRUE(span.contains(wall_ms(1999)));
    EXPECT_FALSE(span.contains(wall_ms(2000)));
}

TEST(Errc, every_code_has_its_own_name) {
    std::set<std::string_view> names;
    for (int code = 0; code <= static_cast<int>(Errc::out_of_state); ++code) {
        auto const text = name(static_cast<Errc>(code));
        EXPECT_NE(text, "unknown errc") << code;
        EXPECT_TRUE(names.insert(text).second) << text;
    }
    EXPECT_EQ(name(Errc::bad_signature), "bad_signature");
}

Result<int> half(int value) {
    if (value % 2 != 0) return Errc::malformed;
    return value / 2;
}
Result<int> quarter(int value) {
    INTERLUDE_TRY(auto once, half(value));
    INTERLUDE_TRY(auto twice, half(once));
    return twice;
}
Result<void> is_even(int value) {
    INTERLUDE_TRY_VOID(half(value));
    return {};
}

TEST(Result, try_hands_on_the_value_or_the_error) {
    EXPECT_EQ(quarter(12).value(), 3);
    EXPECT_EQ(quarter(6).error(), Errc::malformed);
    EXPECT_TRUE(is_even(2));
    EXPECT_EQ(is_even(3).error(), Errc::malformed);
}

TEST(CheckDeathTest, a_failed_check_ends_the_process_with_70) {
    EXPECT_EXIT(INTERLUDE_CHECK(1 == 2), testing::ExitedWithCode(70), "1 == 2");
    EXPECT_EXIT(half(1).value(), testing::ExitedWithCode(70), "malformed");
}

static_assert(!std::is_constructible_v<LogSafe, std::string>);
static_assert(!std::is_constructible_v<LogSafe, std::string_view>);

TEST(LogSafe, holds_numbers_names_and_literals) {
    EXPECT_EQ(LogSafe(42).view(), "42");
    EXPECT_EQ(LogSafe(Errc::stale).view(), "stale");
    EXPECT_EQ(LogSafe(LogLiteral("started")).view(), "started");
    EXPECT_EQ(LogSafe::operator_text("/etc/interlude").view(), "/etc/interlude");
}

}  // namespace
}  // namespace interlude::base

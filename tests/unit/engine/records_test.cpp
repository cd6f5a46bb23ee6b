// What is written into the vault and into messages comes back the same, and nothing else does.
#include "client-cli/engine/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "client-cli/engine/content.hpp"
#include "client-cli/engine/memory_vault.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/entropy.hpp"

namespace interlude::engine {
namespace {

TEST(Records, message_comes_back_as_it_was) {
    crypto::SeededEntropy entropy(1);
    MessageRecord message;
    message.id = entropy.id<MessageId>();
    message.kind = MessageKind::text;
    message.from = entropy.id<AccountId>();
    message.own = true;
    message.sent_at = base::wall_ms(1234);
    message.text = "Grüße";
    message.holds = {{entropy.id<AccountId>(), base::wall_ms(99)}, {entropy.id<AccountId>(), std::nullopt}};
    message.opened_by = {entropy.id<AccountId>()};
    message.fate = wire::FateKind::expired;
    auto const back = records::decode<MessageRecord>(records::encode(message));
    EXPECT_EQ(back.id, message.id);
    EXPECT_EQ(back.text, message.text);
    EXPECT_EQ(back.holds, message.holds);
    EXPECT_EQ(back.opened_by, message.opened_by);
    EXPECT_EQ(back.fate, message.fate);
    EXPECT_EQ(records::encode(back), records::encode(message));
}

TEST(Records, another_version_a_short_or_a_long_record_is_refused) {
    auto const good = records::encode(CountersRecord{7, 8});
    EXPECT_EQ(records::decode<CountersRecord>(good).alarms, 8u);
    auto other = good;
    other[1] ^= 2;
    EXPECT_THROW(records::decode<CountersRecord>(other), BadRecord);
    auto longer = good;
    longer.push_back(0);
    EXPECT_THROW(records::decode<CountersRecord>(longer), BadRecord);
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_THROW(records::decode<CountersRecord>(bytes::ByteView(good).first(size)), BadRecord) << size;
}

TEST(Records, a_number_too_large_for_its_member_is_refused_not_cut_off) {
    bytes::Writer to;  // an AccountRecord up to `index`
    to.u16(records::record_version).opaque({}).u64(std::uint64_t{1} << 32);
    try {
        records::decode<AccountRecord>(to.bytes());
        ADD_FAILURE();
    } catch (BadRecord const& bad) {
        EXPECT_THAT(bad.what(), testing::HasSubstr("larger than it can be"));
    }
}

TEST(ContentCodec, every_body_comes_back) {
    crypto::SeededEntropy entropy(2);
    std::vector<ContentBody> const bodies{Text{"hello"},
                                          Opened{{1, 2, 300}},
                                          Receipt{{4}},
                                          Profile{"Kim"},
                                          CardContent{"112", base::wall_ms(5)},
                                          EarlyDelivery{9, base::wall_ms(6)},
                                          CannotOpen{{5, 6}},
                                          UnknownBody{}};
    for (auto const& body : bodies) {
        Content content;
        content.id = entropy.id<base::MessageId>();
        content.sent_at = base::wall_ms(1000);
        content.log = {"note", 3, entropy.id<base::Hash32>()};
        content.own_list = {1, 2, entropy.id<base::Hash32>()};
        content.lists = {{entropy.bytes(50), entropy.bytes(64)}};
        content.own_name = "Dr. Adler";
        content.body = body;
        auto const back = decode_content(encode(content));
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, content);
    }
}

TEST(ContentCodec, what_is_too_long_or_out_of_range_is_refused) {
    Content content;
    content.body = Text{std::string(text_bytes_max, 'x')};
    EXPECT_TRUE(decode_content(encode(content)));
    content.body = Text{std::string(text_bytes_max + 1, 'x')};
    EXPECT_EQ(decode_content(encode(content)).error(), base::Errc::too_long);
    content.body = Profile{std::string(name_bytes_max + 1, 'x')};
    EXPECT_EQ(decode_content(encode(content)).error(), base::Errc::too_long);
    content.body = Opened{std::vector<std::uint64_t>(1025, 1)};
    EXPECT_EQ(decode_content(encode(content)).error(), base::Errc::too_long);
    content.body = Opened{};
    EXPECT_EQ(decode_content(encode(content)).error(), base::Errc::malformed);
    EXPECT_EQ(decode_content({}).error(), base::Errc::malformed);
}

RC_GTEST_PROP(ContentCodec, any_bytes_decode_or_are_refused, ()) {
    auto const bytes = *rc::gen::arbitrary<bytes::Bytes>();
    auto const content = decode_content(bytes);
    if (!content) return;
    bool const same = *decode_content(encode(*content)) == *content;
    RC_ASSERT(same);
}

TEST(MemoryVault, transaction_without_commit_never_happened) {
    MemoryVault vault;
    Bytes const key(16, 1);
    {
        auto transaction = vault.begin();
        transaction->put(Table::home, key, bytes::view("gone"));
        EXPECT_TRUE(transaction->get(Table::home, key));
    }
    EXPECT_FALSE(vault.begin()->get(Table::home, key));
    {
        auto transaction = vault.begin();
        transaction->put(Table::home, key, bytes::view("kept"));
        transaction->commit();
    }
    EXPECT_EQ(vault.begin()->get(Table::home, key), bytes::copy(bytes::view("kept")));
}

TEST(MemoryVault, scan_sees_own_changes_in_order_and_only_its_prefix) {
    MemoryVault vault;
    auto const key = [](std::uint8_t first, std::uint8_t last) {
        Bytes bytes(17, first);
        bytes.back() = last;
        return bytes;
    };
    auto transaction = vault.begin();
    transaction->put(Table::messages, key(1, 2), bytes::view("b"));
    transaction->put(Table::messages, key(1, 1), bytes::view("a"));
    transaction->put(Table::messages, key(2, 1), bytes::view("other"));
    transaction->put(Table::groups, key(1, 1), bytes::view("other table"));
    transaction->commit();
    transaction.reset();
    transaction = vault.begin();
    transaction->put(Table::messages, key(1, 3), bytes::view("c"));
    transaction->erase(Table::messages, key(1, 2));
    auto const rows = transaction->scan(Table::messages, Bytes(16, 1));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(bytes::text(rows[0].value), "a");
    EXPECT_EQ(bytes::text(rows[1].value), "c");
}

}  // namespace
}  // namespace interlude::engine

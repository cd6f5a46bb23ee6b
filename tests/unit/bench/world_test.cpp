// The people of a run come out of their file as they went in, and the relay's frames are as large as those they stand
// for.
#include "tests/bench/world.hpp"

#include <gtest/gtest.h>

#include "common/wire/codec.hpp"
#include "tests/bench/relay_frames.hpp"

namespace interlude::test {
namespace {

using bench::Conversation;
using bench::DeviceKeys;
using bench::World;

DeviceKeys somebody(crypto::Entropy& entropy) {
    return {entropy.id<base::AccountId>(), entropy.id<base::DeviceId>(), crypto::SigningKey::generate(entropy)};
}

World two_conversations() {
    crypto::SeededEntropy entropy(5);
    World world;
    for (bool const open : {false, true})
        world.push_back(
            {entropy.id<base::ConversationId>(), entropy.bytes(16), somebody(entropy), somebody(entropy), open});
    return world;
}

TEST(World, comes_out_of_its_file_as_it_went_in) {
    auto const world = two_conversations();
    auto const bytes = bench::encode(world);
    auto const read = bench::decode_world(bytes);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->size(), 2u);
    EXPECT_EQ(bench::encode(*read), bytes);
    EXPECT_FALSE(read->front().open);
    EXPECT_TRUE(read->back().open);
    EXPECT_EQ(bench::first_open(*read), 1u);
    EXPECT_EQ(bench::first_open({}), 0u);
    EXPECT_EQ(read->back().id, world.back().id);
    EXPECT_EQ(read->back().client.key.public_key(), world.back().client.key.public_key());
    EXPECT_EQ(read->back().therapist.account, world.back().therapist.account);
}

TEST(World, is_not_read_from_half_a_file) {
    auto const bytes = bench::encode(two_conversations());
    auto const of_one = bytes.size() / 2;
    for (std::size_t size = 1; size < bytes.size(); ++size)
        EXPECT_EQ(bench::decode_world(bytes::ByteView(bytes).first(size)).has_value(), size == of_one) << size;
}

TEST(RelayFrames, are_as_large_as_those_of_Interlude) {
    crypto::SeededEntropy entropy(6);
    auto const request = entropy.id<base::RequestId>();
    constexpr std::size_t size = 1024, seq = 100'000;
    wire::Send send;
    send.conversation = entropy.id<base::ConversationId>();
    send.epoch = 1;
    send.mls = entropy.bytes(size);
    EXPECT_EQ(wire::encode(wire::ClientFrame{request, send}).size(), size + bench::send_frame_extra);
    EXPECT_EQ(wire::encode(wire::ClientFrame{{}, wire::Ack{send.conversation, {seq}}}).size(), bench::ack_frame_bytes);
    auto const stamp = base::wall_seconds(1'800'000'000);
    wire::Stored const stored{seq, stamp, entropy.id<base::Hash32>(), {}, {}, {}};
    EXPECT_EQ(wire::encode(wire::ServerFrame{request, stored}).size(), bench::stored_frame_bytes);
    wire::Envelope const envelope{
        send.conversation,          seq,     1, 1, entropy.id<base::AccountId>(), entropy.id<base::DeviceId>(), stamp,
        entropy.id<base::Hash32>(), send.mls};
    EXPECT_EQ(wire::encode(wire::ServerFrame{{}, envelope}).size(), size + bench::envelope_frame_extra);
}

TEST(RelayFrames, say_kind_and_number) {
    auto const frame = bench::relay_frame(bench::RelayKind::ack, 0x0102030405060708, 25);
    EXPECT_EQ(frame.size(), 25u);
    EXPECT_EQ(bench::read_relay_header(frame).kind, bench::RelayKind::ack);
    EXPECT_EQ(bench::read_relay_header(frame).number, 0x0102030405060708u);
    EXPECT_EQ(bench::relay_frame(bench::RelayKind::hello, 1, 0).size(), bench::relay_header_bytes);
}

}  // namespace
}  // namespace interlude::test

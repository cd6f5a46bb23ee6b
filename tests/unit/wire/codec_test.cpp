#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/limits.hpp"
#include "common/bytes/text.hpp"
#include "common/wire/codec.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/wire/sample_frames.hpp"

namespace interlude::tests {

using base::Errc;
using bytes::Bytes;

namespace {

template <class Frames>
nlohmann::json as_cases(Frames const& frames) {
    auto cases = nlohmann::json::array();
    for (auto const& frame : frames)
        cases.push_back({{"name", wire::name(frame.body)}, {"frame", bytes::to_hex(wire::encode(frame))}});
    return cases;
}

/// Every prefix and every single-bit flip is decoded without a crash; what still decodes encodes again.
template <class Decode>
void poke(Bytes const& frame, Decode decode) {
    for (std::size_t length = 0; length < frame.size(); ++length) {
        if (auto cut = decode(bytes::ByteView(frame).first(length))) {
            EXPECT_FALSE(wire::encode(*cut).empty());
        }
    }
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
        auto flipped = frame;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        if (auto decoded = decode(flipped)) {
            EXPECT_TRUE(decode(wire::encode(*decoded)).has_value());
        }
    }
}

}  // namespace

TEST(Codec, every_client_frame_comes_back_as_it_was) {
    auto const frames = sample_client_frames();
    for (auto const& frame : frames) {
        auto const decoded = wire::decode_client_frame(wire::encode(frame));
        ASSERT_TRUE(decoded) << wire::name(frame.body);
        EXPECT_EQ(*decoded, frame) << wire::name(frame.body);
    }
    std::set<std::size_t> kinds;
    for (auto const& frame : frames) kinds.insert(frame.body.index());
    EXPECT_EQ(kinds.size(), std::variant_size_v<wire::ClientBody>);
}

TEST(Codec, every_server_frame_comes_back_as_it_was) {
    auto const frames = sample_server_frames();
    for (auto const& frame : frames) {
        auto const decoded = wire::decode_server_frame(wire::encode(frame));
        ASSERT_TRUE(decoded) << wire::name(frame.body);
        EXPECT_EQ(*decoded, frame) << wire::name(frame.body);
    }
    std::set<std::size_t> kinds;
    for (auto const& frame : frames) kinds.insert(frame.body.index());
    EXPECT_EQ(kinds.size(), std::variant_size_v<wire::ServerBody>);
}

// The bytes are the contract with other people's apps: a change here is a change of the protocol.
// INTERLUDE_UPDATE_CASES=1 writes the file anew.
TEST(Codec, golden_frames_have_not_changed) {
    nlohmann::json const now{{"client", as_cases(sample_client_frames())},
                             {"server", as_cases(sample_server_frames())}};
    auto const file = case_file("frames.json");
    if (std::getenv("INTERLUDE_UPDATE_CASES")) std::ofstream(file) << now.dump(1) << '\n';
    EXPECT_EQ(read_json(file), now);
}

TEST(Codec, a_frame_beyond_the_limit_is_too_long) {
    wire::ClientFrame frame{{}, wire::Send{{}, 1, 1, Bytes(base::limits::frame_bytes_max), {}, {}, {}}};
    EXPECT_EQ(wire::decode_client_frame(wire::encode(frame)).error(), Errc::too_long);
}

TEST(Codec, nothing_noise_and_unknown_bodies_are_refused) {
    EXPECT_EQ(wire::decode_client_frame({}).error(), Errc::unsupported);
    EXPECT_EQ(wire::decode_server_frame({}).error(), Errc::unsupported);
    EXPECT_EQ(wire::decode_client_frame(Bytes{0xff, 0xff, 0xff}).error(), Errc::malformed);
    Bytes const unknown_body{0xfa, 0x3f, 0x00};  // field 1023
    EXPECT_EQ(wire::decode_client_frame(unknown_body).error(), Errc::unsupported);
}

TEST(Codec, ids_of_a_wrong_size_are_malformed) {
    Bytes const short_request{0x0a, 0x02, 0x01, 0x02, 0x32, 0x00};
    EXPECT_EQ(wire::decode_client_frame(short_request).error(), Errc::malformed);
    Bytes const empty_revoke{0x2a, 0x00};
    EXPECT_EQ(wire::decode_client_frame(empty_revoke).error(), Errc::malformed);
}

TEST(Codec, cut_and_flipped_frames_never_crash) {
    for (auto const& frame : sample_client_frames()) poke(wire::encode(frame), wire::decode_client_frame);
    for (auto const& frame : sample_server_frames()) poke(wire::encode(frame), wire::decode_server_frame);
}

}  // namespace interlude::tests

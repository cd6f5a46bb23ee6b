// The table "which frame, when" of docs/PROTOCOL.md: every number of interlude.proto, sent as bytes to a link in every
// state, and what became of it. INTERLUDE_UPDATE_CASES=1 writes it anew.
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "common/wire/codec.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/core/link.hpp"
#include "tests/unit/wire/sample_frames.hpp"

namespace interlude::test {
namespace {

std::string content_of(std::filesystem::path const& file) {
    std::stringstream content;
    content << std::ifstream(std::filesystem::path(INTERLUDE_SOURCE_DIR) / file).rdbuf();
    return content.str();
}

/// Number and name of each frame in ClientFrame's oneof.
std::map<int, std::string> frames_of_the_schema() {
    auto const schema = content_of("common/wire/interlude.proto");
    auto const begin = schema.find("message ClientFrame");
    auto const body = schema.substr(begin, schema.find("\n}", begin) - begin);
    std::regex const field("    \\w+ (\\w+) = (\\d+);");
    std::map<int, std::string> frames;
    for (std::sregex_iterator at(body.begin(), body.end(), field), end; at != end; ++at)
        frames.emplace(std::stoi((*at)[2]), (*at)[1]);
    return frames;
}

std::uint64_t varint(ByteView from, std::size_t& at) {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        auto const byte = from[at++];
        value |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return value;
    }
}

/// The number of the body's field: the first after the request id, which a frame begins with.
int number_of(ByteView frame) {
    std::size_t at = 0;
    auto const key = varint(frame, at);
    if (key >> 3 != 1) return static_cast<int>(key >> 3);
    auto const id_size = varint(frame, at);
    at += id_size;
    return static_cast<int>(varint(frame, at) >> 3);
}

/// A frame with an empty body of this number.
Bytes numbered(int number) {
    auto frame = wire::encode(wire::ClientFrame{request(5), wire::InvitationList{}});
    frame.resize(frame.size() - 2);  // its key and its length
    auto const key = static_cast<unsigned>(number) << 3 | 2;
    frame.push_back(static_cast<std::uint8_t>(key | 0x80));
    frame.push_back(static_cast<std::uint8_t>(key >> 7));
    frame.push_back(0);
    return frame;
}

class ProtocolTable : public Link {
  protected:
    /// As the link's coroutine does.
    Step take(Bytes const& frame) {
        auto decoded = wire::decode_client_frame(frame);
        return decoded ? core.on_frame(std::move(*decoded), frame, now, monday_noon) : core.on_bad_frame();
    }
    static std::string words(Step const& step) {
        if (submitted(step) || std::holds_alternative<LoadFacts>(step) || std::holds_alternative<Welcomed>(step))
            return "yes";
        if (std::holds_alternative<Ignore>(step)) return "ignored";
        if (auto const code = closed_with(step)) return std::to_string(*code);
        if (auto const refusal = refusal_in(step)) return refusal->rule == wire::Rule::invalid ? "refused" : "?";
        auto const error = error_in(step);
        if (error && error->code == wire::ErrorCode::not_allowed) return "not allowed";
        if (error && error->code == wire::ErrorCode::not_yet) return "not yet";
        return "?";
    }
    std::string row(std::string const& number, std::string const& frame_name, Bytes const& frame) {
        auto out = "| " + number + " | " + frame_name + " |";
        for (auto const state : all_states) {
            come_to(state);
            out += " " + words(take(frame)) + " |";
        }
        return out + "\n";
    }
    std::string table() {
        std::map<int, Bytes> samples;
        for (auto const& frame : tests::sample_client_frames()) {
            auto const encoded = wire::encode(frame);
            samples.emplace(number_of(encoded), encoded);
        }
        wire::Authenticate const proof{signature()};
        auto const authenticate = wire::encode(wire::ClientFrame{request(5), proof});
        samples[number_of(authenticate)] = authenticate;

        std::string out =
            "| number | frame | fresh | hello received | device, therapist | device, client | invitee | closing |\n"
            "|---|---|---|---|---|---|---|---|\n";
        auto const frames = frames_of_the_schema();
        for (auto const& [number, frame_name] : frames) {
            auto const sample = samples.extract(number);
            EXPECT_FALSE(sample.empty()) << "nobody sent a " << frame_name;
            if (!sample.empty()) out += row(std::to_string(number), "`" + frame_name + "`", sample.mapped());
        }
        EXPECT_TRUE(samples.empty()) << "not in the schema";
        return out + row("other", "none of these", numbered(frames.rbegin()->first + 1));
    }
};

TEST_F(ProtocolTable, says_what_becomes_of_every_frame_in_every_state) {
    auto text = content_of("docs/PROTOCOL.md");
    std::string const begin = "<!-- frames begin -->\n";
    auto const first = text.find(begin);
    auto const last = text.find("<!-- frames end -->");
    ASSERT_NE(first, std::string::npos);
    ASSERT_NE(last, std::string::npos);
    auto const start = first + begin.size();
    auto const now_so = table();
    EXPECT_EQ(now_so.find('?'), std::string::npos) << "an answer that the page does not explain";
    if (std::getenv("INTERLUDE_UPDATE_CASES")) {
        text.replace(start, last - start, now_so);
        std::ofstream(std::filesystem::path(INTERLUDE_SOURCE_DIR) / "docs" / "PROTOCOL.md") << text;
    } else {
        EXPECT_EQ(text.substr(start, last - start), now_so);
    }
}

TEST_F(ProtocolTable, is_the_same_for_every_number_that_nobody_knows) {
    for (int const number : {0, 32, 33, 100, 1000, 2047}) {
        for (auto const state : all_states) {
            come_to(state);
            EXPECT_EQ(words(take(numbered(number))), state == LinkState::closing ? "ignored" : "4400")
                << number << " when " << name(state);
        }
    }
}

}  // namespace
}  // namespace interlude::test

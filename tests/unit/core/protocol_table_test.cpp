// The table "which frame, when" of docs/PROTOCOL.md is core::legality, every frame in every state, no row missing.
// INTERLUDE_UPDATE_CASES=1 writes it anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "common/wire/codec.hpp"
#include "server/core/link_core.hpp"
#include "tests/support/vectors.hpp"

namespace interlude::tests {

namespace {

using core::Legality;
using core::LinkState;

std::string words(Legality legality) {
    switch (legality) {
        case Legality::legal:
            return "yes";
        case Legality::not_yet:
            return "not yet";
        case Legality::not_allowed:
            return "not allowed";
        case Legality::ends_link:
            return "ends link";
        case Legality::ignored:
            return "ignored";
    }
    return "?";
}

template <std::size_t... Body>
std::string rows(std::index_sequence<Body...>) {
    std::string out;
    auto const row = [&out](std::size_t body, std::string_view frame) {
        out += "| `" + std::string(frame) + "` |";
        for (auto state : {LinkState::fresh, LinkState::hello_received, LinkState::authenticated, LinkState::invited,
                           LinkState::closing})
            out += " " + words(core::legality(state, body)) + " |";
        out += "\n";
    };
    (row(Body, wire::name(wire::ClientBody(std::in_place_index<Body>))), ...);
    return out;
}

std::string table() {
    return "| frame | fresh | hello received | device | invitee | closing |\n|---|---|---|---|---|---|\n" +
           rows(std::make_index_sequence<std::variant_size_v<wire::ClientBody>>());
}

}  // namespace

TEST(ProtocolTable, docs_say_which_frame_is_legal_when) {
    auto const file = std::filesystem::path(INTERLUDE_SOURCE_DIR) / "docs" / "PROTOCOL.md";
    std::stringstream content;
    content << std::ifstream(file).rdbuf();
    auto text = content.str();
    std::string const begin = "<!-- frames begin -->\n";
    auto const first = text.find(begin);
    auto const last = text.find("<!-- frames end -->");
    ASSERT_NE(first, std::string::npos);
    ASSERT_NE(last, std::string::npos);
    auto const start = first + begin.size();
    if (std::getenv("INTERLUDE_UPDATE_CASES")) {
        text.replace(start, last - start, table());
        std::ofstream(file) << text;
    }
    auto const now = text.substr(start, std::getenv("INTERLUDE_UPDATE_CASES") ? table().size() : last - start);
    EXPECT_EQ(now, table());
}

}  // namespace interlude::tests

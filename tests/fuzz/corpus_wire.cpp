// Frames of the link, and what people write into messages.
#include "client-cli/engine/content.hpp"
#include "common/wire/codec.hpp"
#include "tests/fuzz/make_corpus.hpp"
#include "tests/unit/wire/sample_frames.hpp"

namespace interlude::fuzz {

namespace {

constexpr auto beyond_9999 = base::wall_ms(253'402'300'800'000);

/// What protobuf takes and a frame may not say: an answer of each kind of error.
void make_refused_frames() {
    using namespace wire;
    auto const conversation = id_of<base::ConversationId>(1);
    auto const account = id_of<base::AccountId>(2);
    std::pair<char const*, ClientBody> const from_apps[] = {
        {"short_signature", Authenticate{Bytes(63)}},
        {"short_redeem_signature", Redeem{{}, Bytes(65)}},
        {"no_document_kind", SchedulePut{{DocumentKind{}, {}, Bytes(64)}}},
        {"high_document_kind", SchedulePut{{DocumentKind{7}, {}, Bytes(64)}}},
        {"short_document_signature", SchedulePut{{DocumentKind::schedule, {}, Bytes(1)}}},
        {"no_wish", Send{conversation, 1, 4, {}, Wish{}, {}, {}}},
        {"with_blob", Send{conversation, 1, 4, {}, Wish::hold, {}, {}, {Bytes(3)}}},
        {"no_seqs", Ack{conversation, {}}}};
    for (auto const& [name, body] : from_apps)
        seed("wire_frame", std::string("client_bad_") + name, 0, encode(ClientFrame{{}, body}));
    std::pair<char const*, ServerBody> const from_servers[] = {
        {"late_stamp", Nonce{Bytes(32), "localhost", beyond_9999}},
        {"short_nonce", Nonce{Bytes(31), "localhost", noon}},
        {"no_phase", Invitations{{{id_of<base::InvitationId>(1), InvitationPhase{}, noon, false}}}},
        {"no_rule", wire::Refused{}},
        {"no_problem", wire::Refused{Rule::off_hours, {}, {}, 0, {}}},
        {"no_fate", Fate{conversation, 7, FateKind{}, {}}},
        {"fate_of_all", Fate{conversation, 7, FateKind::recalled, {}}},
        {"no_error", Error{}},
        {"low_goodbye", Goodbye{999, 1}},
        {"no_side", StateChanged{{{conversation, 1, 4, {{account, base::Side{}, {}}}, 12, true}}, {}}}};
    for (auto const& [name, body] : from_servers)
        seed("wire_frame", std::string("server_bad_") + name, 1, encode(ServerFrame{{}, body}));
    for (unsigned side : {0, 1}) {
        auto const of = side == 0 ? std::string("client_bad_") : std::string("server_bad_");
        seed("wire_frame", of + "no_protobuf", side, Bytes{0xff});
        seed("wire_frame", of + "no_body", side, Bytes{});
        seed("wire_frame", of + "later_body", side, Bytes{0xfa, 0x3f, 0x00});  // field 1023, empty
        seed("wire_frame", of + "short_request", side, Bytes{0x0a, 0x01, 0x06});
        seed("wire_frame", of + "empty_first_body", side, Bytes{0x12, 0x00});  // a Hello of nobody, a Nonce of none
    }
}

}  // namespace

void make_wire_seeds() {
    int number = 0;
    for (auto const& frame : tests::sample_client_frames())
        seed("wire_frame", "client_" + std::to_string(number++) + "_" + std::string(wire::name(frame.body)), 0,
             wire::encode(frame));
    number = 0;
    for (auto const& frame : tests::sample_server_frames())
        seed("wire_frame", "server_" + std::to_string(number++) + "_" + std::string(wire::name(frame.body)), 1,
             wire::encode(frame));
    using namespace engine;
    std::pair<char const*, ContentBody> const bodies[] = {{"text", Text{"Grüße"}},
                                                          {"opened", Opened{{1, 2, 300}}},
                                                          {"receipt", Receipt{{4}}},
                                                          {"profile", Profile{"Kim"}},
                                                          {"card", CardContent{"112", noon}},
                                                          {"early", EarlyDelivery{9, noon}},
                                                          {"cannot_open", CannotOpen{{5, 6}}},
                                                          {"unknown", UnknownBody{}}};
    for (auto const& [name, body] : bodies)
        seed("content", name,
             encode(Content{id_of<base::MessageId>(1),
                            noon,
                            {"note", 3, id_of<base::Hash32>(2)},
                            {1, 2, id_of<base::Hash32>(3)},
                            {{Bytes(50, 4), Bytes(64, 5)}},
                            "Dr. Adler",
                            body}));
    make_refused_frames();
    Content const sound{id_of<base::MessageId>(1), noon, {}, {}, {}, {}, Text{"x"}};
    auto const refused = [&](char const* name, auto change) {
        auto content = sound;
        change(content);
        seed("content", std::string("bad_") + name, encode(content));
    };
    refused("late", [](Content& content) { content.sent_at = beyond_9999; });
    refused("no_seqs", [](Content& content) { content.body = Receipt{}; });
    refused("long_own_name", [](Content& content) { content.own_name.assign(name_bytes_max + 1, 'x'); });
    refused("long_name", [](Content& content) { content.body = Profile{std::string(name_bytes_max + 1, 'x')}; });
    refused("late_card", [](Content& content) { content.body = CardContent{"112", beyond_9999}; });
    refused("long_signature", [](Content& content) { content.lists = {{Bytes(1), Bytes(65)}}; });
    seed("content", "bad_protobuf", Bytes{0xff});
    seed("content", "bad_id", Bytes{0x0a, 0x01, 0x06});
}

}  // namespace interlude::fuzz

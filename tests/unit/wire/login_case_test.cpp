// One whole login of a device and one of an invitee, byte for byte: tests/cases/login.json, from fixed keys. Other
// people's apps check their own bytes against it, as tests/e2e/python_app does.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/audit/checkpoint.hpp"
#include "common/audit/entry.hpp"
#include "common/bytes/text.hpp"
#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/invitation.hpp"
#include "common/identity/login.hpp"
#include "common/wire/codec.hpp"
#include "tests/support/vectors.hpp"

namespace interlude::tests {

using bytes::Bytes;

namespace {

constexpr std::string_view server_name = "messages.example.org";

template <class IdType>
IdType counted(std::uint8_t first) {
    IdType out;
    for (auto& byte : out.bytes) byte = first++;
    return out;
}
crypto::SigningKey key_of(std::uint8_t with) {
    return *crypto::SigningKey::from_seed(Bytes(crypto::ed25519_seed_size, with));
}

auto const now = base::wall_ms(1'795'000'000'123);
auto const account_key_seed = std::uint8_t{0xa1};
auto const device_key_seed = std::uint8_t{0xa2};
auto const log_key_seed = std::uint8_t{0xa3};
Bytes const invitation_seed(identity::invitation_seed_size, 0xa4);

base::AccountId account() {
    return identity::account_id(key_of(account_key_seed).public_key());
}
auto const device = counted<base::DeviceId>(2);

wire::ServerFrame nonce_frame() {
    return {{}, wire::Nonce{Bytes(32, 0x4e), std::string(server_name), now}};
}
wire::ClientFrame hello_frame(wire::Hello hello, std::uint8_t request) {
    return {counted<base::RequestId>(request), std::move(hello)};
}
wire::ClientFrame authenticate_frame(crypto::Signature const& signature) {
    return {counted<base::RequestId>(0x20), wire::Authenticate{bytes::copy(signature.span())}};
}

/// `interlude/v1 NAME`, a zero byte, {server name, nonce, SHA-256 of the hello frame, whoever it is}: written out here
/// once more, so that the file does not follow a change of common/identity unseen.
Bytes statement(std::string_view name, Bytes const& hello, std::initializer_list<bytes::ByteView> who) {
    bytes::Writer out;
    out.raw(bytes::view("interlude/v1 ")).raw(bytes::view(name)).u8(0);
    out.opaque(bytes::view(server_name)).opaque(Bytes(32, 0x4e)).id(crypto::sha256(hello));
    for (auto part : who) out.raw(part);
    return std::move(out).take();
}

wire::ServerFrame ready_frame(bool invited) {
    auto const log_key = key_of(log_key_seed);
    auto const origin = audit::log_origin(server_name);
    wire::Ready ready;
    ready.time = now + base::Millis{40};
    ready.limits = {256 * 1024, 75, 35 * 24 * 3600, 64};
    ready.instance = counted<base::InstanceId>(7);
    ready.checkpoint = audit::sign_checkpoint({origin, 1, audit::leaf_hash(Bytes(104, 0xe0)), {}}, log_key);
    ready.log_vkey = audit::LogKey{origin, log_key.public_key()}.vkey();
    if (!invited) {
        auto const conversation = counted<base::ConversationId>(3);
        ready.conversations = {{conversation, 1, 4, {{account(), base::Side::therapist, {device}}}, 12, false}};
        ready.subjects = {{audit::subject_of(conversation), Bytes(32, 0xaa), 1, audit::leaf_hash(Bytes(104, 0xe0))}};
    }
    return {counted<base::RequestId>(0x20), ready};
}

nlohmann::json as_json(nlohmann::json keys, Bytes const& hello, Bytes const& signed_bytes,
                       crypto::Signature const& signature, bool invited) {
    keys["server_name"] = server_name;
    keys["nonce"] = bytes::to_hex(wire::encode(nonce_frame()));
    keys["hello"] = bytes::to_hex(hello);
    keys["signed"] = bytes::to_hex(signed_bytes);
    keys["authenticate"] = bytes::to_hex(wire::encode(authenticate_frame(signature)));
    keys["ready"] = bytes::to_hex(wire::encode(ready_frame(invited)));
    return keys;
}

identity::LinkFacts facts(Bytes const& nonce, Bytes const& hello) {
    return {server_name, nonce, hello};
}

nlohmann::json device_login() {
    Bytes const nonce(32, 0x4e);
    auto const key = key_of(device_key_seed);
    auto const hello = wire::encode(
        hello_frame({1, 0, wire::DeviceLogin{account(), device}, 1, {counted<base::RequestId>(0x30)}}, 0x10));
    auto const signature = identity::sign_login(key, facts(nonce, hello), account(), device);
    EXPECT_TRUE(identity::verify_login(key.public_key(), facts(nonce, hello), account(), device, signature.span()));
    return as_json({{"account_key_seed", bytes::to_hex(Bytes(32, account_key_seed))},
                    {"device_key_seed", bytes::to_hex(Bytes(32, device_key_seed))},
                    {"account", bytes::to_hex(account().bytes)},
                    {"device", bytes::to_hex(device.bytes)}},
                   hello, statement("login", hello, {account().bytes, device.bytes}), signature, false);
}

nlohmann::json invited_login() {
    Bytes const nonce(32, 0x4e);
    auto const key = identity::invitation_key(invitation_seed);
    auto const id = identity::invitation_id(key.public_key());
    auto const hello = wire::encode(hello_frame({1, 0, id, 0, {}}, 0x11));
    auto const signature = identity::sign_invited_login(key, facts(nonce, hello));
    EXPECT_TRUE(identity::verify_invited_login(key.public_key(), facts(nonce, hello), signature.span()));
    return as_json({{"invitation_seed", bytes::to_hex(invitation_seed)}, {"invitation_id", bytes::to_hex(id.bytes)}},
                   hello, statement("invited login", hello, {id.bytes}), signature, true);
}

}  // namespace

// INTERLUDE_UPDATE_CASES=1 writes the file anew: that is a change of the protocol.
TEST(LoginCase, golden_logins_have_not_changed) {
    nlohmann::json const now_made{{"device", device_login()}, {"invited", invited_login()}};
    auto const file = case_file("login.json");
    if (std::getenv("INTERLUDE_UPDATE_CASES")) std::ofstream(file) << now_made.dump(1) << '\n';
    EXPECT_EQ(read_json(file), now_made);
}

TEST(LoginCase, what_is_signed_is_what_the_document_says) {
    auto const both = read_json(case_file("login.json"));
    auto const holds = [&](std::string const& kind, crypto::VerifyKey const& key) {
        auto const frame = wire::decode_client_frame(hex(both[kind]["authenticate"]));
        ASSERT_TRUE(frame) << kind;
        auto const* authenticate = std::get_if<wire::Authenticate>(&frame->body);
        ASSERT_NE(authenticate, nullptr) << kind;
        EXPECT_TRUE(crypto::verify(key.bytes, hex(both[kind]["signed"]), authenticate->signature)) << kind;
    };
    holds("device", key_of(device_key_seed).public_key());
    holds("invited", identity::invitation_key(invitation_seed).public_key());
}

}  // namespace interlude::tests

// Passive clients: join from a Welcome, then follow every proposal, commit and message that others sent.
#include <map>

#include "common/mls/group.hpp"
#include "tests/vectors/mls/expect.hpp"
#include "tests/vectors/mls/group_vectors.hpp"

namespace interlude::mls_vectors {

using namespace mls;
using nlohmann::json;

namespace {

// Part of MLS that is not in our profile: the entry is skipped, with this as its reason.
struct OutsideProfile {
    std::string reason;
};

// ts-mls writes Ed25519 keys as PKCS#8 (RFC 8410), whose last 32 bytes are the seed.
crypto::SigningKey signature_key_of(json const& value) {
    auto const encoded = hex(value);
    constexpr std::size_t pkcs8_size = 48;
    auto const seed =
        encoded.size() == pkcs8_size ? ByteView(encoded).last(crypto::ed25519_seed_size) : ByteView(encoded);
    return need(crypto::SigningKey::from_seed(seed), "signature_priv");
}

KeyPackageBundle bundle_of(crypto::Suite const& suite, json const& entry) {
    auto const message = need(decode(hex(entry.at("key_package")), read_mls_message), "key_package");
    auto const* package = message.as<KeyPackage>();
    expect(package != nullptr, "key_package is of another wire format");
    return {*package, need(crypto::hpke_key_pair_from_private(suite, hex(entry.at("init_priv"))), "init_priv"),
            need(crypto::hpke_key_pair_from_private(suite, hex(entry.at("encryption_priv"))), "encryption_priv"),
            signature_key_of(entry.at("signature_priv"))};
}

Outside outside_of(json const& entry) {
    std::map<Bytes, Bytes> psks;
    for (auto const& psk : entry.at("external_psks")) psks.emplace(hex(psk.at("psk_id")), hex(psk.at("psk")));
    Outside outside;
    outside.find_psk = [psks](ByteView id) -> std::optional<SecretBytes> {
        auto const known = psks.find(bytes::copy(id));
        if (known == psks.end()) return std::nullopt;
        return SecretBytes(ByteView(known->second));
    };
    return outside;
}

Group through_sealed_state(Group const& group) {
    auto const state = group.encode();
    auto decoded = need(Group::decode(state.expose()), "sealed state");
    expect(bytes::equal(decoded.encode().expose(), state.expose()), "sealed state differs after a round trip");
    return decoded;
}

void receive_proposals(Group& group, json const& proposals, Outside const& outside) {
    for (auto const& proposal : proposals) {
        auto const received = group.receive_proposal(hex(proposal), outside);
        if (!received && received.error() == base::Errc::unsupported &&
            find_extension(group.extensions(), extension_type::external_senders)) {
            throw OutsideProfile{"external_senders"};
        }
        need(received, "proposal");
    }
}

// The messages that arrive after the epoch of that index (-1: after the Welcome).
void open_messages(Group& group, json const& entry, int after) {
    if (!entry.contains("messages")) return;
    for (auto const& message : entry.at("messages")) {
        if (message.at("after_epoch_index").get<int>() != after) continue;
        auto const opened = need(group.unprotect(hex(message.at("message"))), "message");
        expect(bytes::text(opened.plaintext) == message.at("plaintext").get<std::string>(), "plaintext");
        expect(bytes::text(opened.authenticated_data) == message.at("authenticated_data").get<std::string>(),
               "authenticated data");
        expect(opened.sender.value == message.at("sender_leaf").get<std::uint32_t>(), "sender");
        expect(opened.epoch == message.at("epoch").get<std::uint64_t>(), "epoch of a message");
        expect(!group.unprotect(hex(message.at("message"))), "a message opened twice");
    }
}

void expect_authenticator(Group const& group, json const& expected, std::string const& what) {
    expect(bytes::equal(group.epoch_authenticator(), hex(expected)), what);
}

void follow(json const& entry, crypto::Suite const& suite) {
    auto const own = bundle_of(suite, entry);
    auto const outside = outside_of(entry);
    auto const welcome = hex(entry.at("welcome"));
    JoinArgs args{.welcome = welcome, .own = own, .ratchet_tree = {}, .outside = outside};
    if (!entry.at("ratchet_tree").is_null()) args.ratchet_tree = hex(entry.at("ratchet_tree"));
    auto group = need(Group::join(args), "join");
    expect_authenticator(group, entry.at("initial_epoch_authenticator"), "initial epoch authenticator");
    group = through_sealed_state(group);
    open_messages(group, entry, -1);

    int index = 0;
    for (auto const& epoch : entry.at("epochs")) {
        auto const which = " of epoch " + std::to_string(index);
        receive_proposals(group, epoch.at("proposals"), outside);
        group = through_sealed_state(group);
        auto processed = need(group.process(hex(epoch.at("commit")), outside), "commit" + which);
        expect(processed.next.has_value(), "removed by the commit" + which);
        group = through_sealed_state(*processed.next);
        expect_authenticator(group, epoch.at("epoch_authenticator"), "authenticator" + which);
        open_messages(group, entry, index++);
    }
}

}  // namespace

Outcome check_passive_client(json const& entry) {
    auto const suite = crypto::find_suite(entry.at("cipher_suite").get<std::uint16_t>());
    if (!suite) return Outcome::skip("suite");
    try {
        return checked([&] { follow(entry, **suite); });
    } catch (OutsideProfile const& outside) {
        return Outcome::skip(outside.reason);
    }
}

}  // namespace interlude::mls_vectors

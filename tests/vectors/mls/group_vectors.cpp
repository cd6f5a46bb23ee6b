#include "tests/vectors/mls/group_vectors.hpp"

#include "common/crypto/aead.hpp"
#include "common/mls/epoch_step.hpp"
#include "common/mls/protect.hpp"
#include "common/mls/psk.hpp"
#include "common/mls/welcome.hpp"
#include "tests/vectors/mls/expect.hpp"

namespace interlude::mls_vectors {

using namespace mls;
using nlohmann::json;

namespace {

void expect_secret(SecretBytes const& actual, json const& expected, std::string const& what) {
    expect(bytes::equal(actual.expose(), hex(expected)), what);
}

void check_epoch(crypto::Suite const& suite, json const& epoch, GroupContext const& context, ByteView init_secret,
                 SecretBytes& next_init_secret) {
    expect(encode(context) == hex(epoch.at("group_context")), "group_context");
    auto const psk = hex(epoch.at("psk_secret"));
    auto const joiner = joiner_secret(suite, init_secret, hex(epoch.at("commit_secret")), context);
    expect_secret(joiner, epoch.at("joiner_secret"), "joiner_secret");
    expect_secret(welcome_secret(suite, joiner.expose(), psk), epoch.at("welcome_secret"), "welcome_secret");
    auto secrets = epoch_secrets(suite, joiner.expose(), psk, context);
    expect_secret(secrets.init_secret, epoch.at("init_secret"), "init_secret");
    expect_secret(secrets.sender_data_secret, epoch.at("sender_data_secret"), "sender_data_secret");
    expect_secret(secrets.encryption_secret, epoch.at("encryption_secret"), "encryption_secret");
    expect_secret(secrets.exporter_secret, epoch.at("exporter_secret"), "exporter_secret");
    expect_secret(secrets.epoch_authenticator, epoch.at("epoch_authenticator"), "epoch_authenticator");
    expect_secret(secrets.external_secret, epoch.at("external_secret"), "external_secret");
    expect_secret(secrets.confirmation_key, epoch.at("confirmation_key"), "confirmation_key");
    expect_secret(secrets.membership_key, epoch.at("membership_key"), "membership_key");
    expect_secret(secrets.resumption_psk, epoch.at("resumption_psk"), "resumption_psk");
    expect(external_key_pair(suite, secrets.external_secret.expose()).public_key == hex(epoch.at("external_pub")),
           "external_pub");
    auto const& exporter = epoch.at("exporter");
    expect_secret(export_from(suite, secrets.exporter_secret.expose(), exporter.at("label").get<std::string>(),
                              hex(exporter.at("context")), exporter.at("length").get<std::size_t>()),
                  exporter.at("secret"), "exporter");
    next_init_secret = std::move(secrets.init_secret);
}

void check_generation(SecretTree& tree, LeafIndex leaf, json const& expected) {
    auto const generation = expected.at("generation").get<std::uint32_t>();
    for (auto const kind : {RatchetKind::handshake, RatchetKind::application}) {
        std::string const name = kind == RatchetKind::handshake ? "handshake" : "application";
        auto found = need(tree.find(leaf, kind, generation), "find " + name);
        expect_secret(found.key.key, expected.at(name + "_key"), name + " key");
        expect_secret(found.key.nonce, expected.at(name + "_nonce"), name + " nonce");
        tree.consume(std::move(found));
        expect(!tree.find(leaf, kind, generation), "a consumed key is still there");
    }
}

// One vector of message-protection: the given keys, and the sender, who is always leaf 1 of 2.
struct Protection {
    crypto::Suite const& suite;
    GroupContext context;
    crypto::SigningKey signature_key;
    Bytes encryption_secret, sender_data_secret, membership_key;

    SecretTree keys() const { return {suite, TreeSize::for_leaves(2), SecretBytes(ByteView(encryption_secret))}; }
    ByteView signature_pub() const { return signature_key.public_key().span(); }

    ContentBody open(ByteView message) const {
        auto const decoded = need(decode(message, read_mls_message), "decode");
        AuthenticatedContent content;
        if (auto const* open_message = decoded.as<PublicMessage>()) {
            content = need(unprotect_public(*open_message, context, membership_key), "unprotect public");
        } else {
            auto tree = keys();
            auto const* sealed = decoded.as<PrivateMessage>();
            expect(sealed != nullptr, "wire format");
            content = std::move(
                need(unprotect_private(suite, *sealed, tree, sender_data_secret), "unprotect private").content);
        }
        expect(content.content.sender == Sender::member(LeafIndex{1}), "sender");
        need(verify_content(content, context, signature_pub()), "signature");
        return std::move(content.content.body);
    }

    Bytes seal(WireFormat format, ContentBody body) const {
        crypto::SeededEntropy entropy(3);
        auto content =
            sign_content(format, {context.group_id, context.epoch, Sender::member(LeafIndex{1}), {}, std::move(body)},
                         context, signature_key);
        if (content.content.type() == ContentType::commit) content.auth.confirmation_tag = Bytes(suite.hash_size, 7);
        if (format == WireFormat::mls_public_message) {
            return encode(MLSMessage{protect_public(std::move(content), context, membership_key)});
        }
        auto tree = keys();
        auto sealed = need(protect_private(suite, content, tree, sender_data_secret, entropy), "protect private");
        return encode(MLSMessage{std::move(sealed.message)});
    }

    void both_ways(ContentBody const& body, std::vector<Bytes> const& given, bool in_the_clear_too,
                   std::string const& what) const {
        for (auto const& message : given) expect(open(message) == body, what + " as given");
        expect(open(seal(WireFormat::mls_private_message, body)) == body, what + " as own PrivateMessage");
        if (in_the_clear_too) {
            expect(open(seal(WireFormat::mls_public_message, body)) == body, what + " as own PublicMessage");
        }
    }
};

}  // namespace

Outcome check_key_schedule(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        SecretBytes init_secret(hex(entry.at("initial_init_secret")));
        std::uint64_t number = 0;
        for (auto const& epoch : entry.at("epochs")) {
            GroupContext const context{.cipher_suite = suite->id,
                                       .group_id = hex(entry.at("group_id")),
                                       .epoch = number++,
                                       .tree_hash = hex(epoch.at("tree_hash")),
                                       .confirmed_transcript_hash = hex(epoch.at("confirmed_transcript_hash")),
                                       .extensions = {}};
            SecretBytes next;
            check_epoch(*suite, epoch, context, init_secret.expose(), next);
            init_secret = std::move(next);
        }
    });
}

Outcome check_psk_secret(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        std::vector<Psk> psks;
        for (auto const& psk : entry.at("psks")) {
            psks.push_back(
                {{ExternalPSK{hex(psk.at("psk_id"))}, hex(psk.at("psk_nonce"))}, SecretBytes(hex(psk.at("psk")))});
        }
        expect_secret(psk_secret(*suite, psks), entry.at("psk_secret"), "psk_secret");
    });
}

Outcome check_transcript_hashes(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        auto const content =
            need(decode(hex(entry.at("authenticated_content")), read_authenticated_content), "authenticated_content");
        expect(content.auth.confirmation_tag.has_value(), "not a commit");
        auto const confirmed =
            confirmed_transcript_hash(*suite, hex(entry.at("interim_transcript_hash_before")), content);
        expect(confirmed == hex(entry.at("confirmed_transcript_hash_after")), "confirmed_transcript_hash_after");
        auto const tag = confirmation_tag(hex(entry.at("confirmation_key")), confirmed);
        expect(tag == *content.auth.confirmation_tag, "confirmation tag");
        expect(interim_transcript_hash(*suite, confirmed, tag) == hex(entry.at("interim_transcript_hash_after")),
               "interim_transcript_hash_after");
    });
}

Outcome check_secret_tree(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        auto const& sender_data = entry.at("sender_data");
        auto const outer =
            sender_data_key(*suite, hex(sender_data.at("sender_data_secret")), hex(sender_data.at("ciphertext")));
        expect_secret(outer.key, sender_data.at("key"), "sender data key");
        expect_secret(outer.nonce, sender_data.at("nonce"), "sender data nonce");
        auto const& leaves = entry.at("leaves");
        SecretTree tree(*suite, TreeSize::for_leaves(static_cast<std::uint32_t>(leaves.size())),
                        SecretBytes(hex(entry.at("encryption_secret"))));
        for (std::uint32_t leaf = 0; leaf < leaves.size(); ++leaf) {
            for (auto const& generation : leaves[leaf]) check_generation(tree, LeafIndex{leaf}, generation);
        }
    });
}

Outcome check_message_protection(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        Protection const given{
            .suite = *suite,
            .context = {.cipher_suite = suite->id,
                        .group_id = hex(entry.at("group_id")),
                        .epoch = entry.at("epoch").get<std::uint64_t>(),
                        .tree_hash = hex(entry.at("tree_hash")),
                        .confirmed_transcript_hash = hex(entry.at("confirmed_transcript_hash")),
                        .extensions = {}},
            .signature_key = need(crypto::SigningKey::from_seed(hex(entry.at("signature_priv"))), "signature key"),
            .encryption_secret = hex(entry.at("encryption_secret")),
            .sender_data_secret = hex(entry.at("sender_data_secret")),
            .membership_key = hex(entry.at("membership_key"))};
        expect(bytes::equal(given.signature_pub(), hex(entry.at("signature_pub"))), "signature_pub");

        auto const proposal = need(decode(hex(entry.at("proposal")), read_proposal), "proposal");
        given.both_ways(proposal, {hex(entry.at("proposal_pub")), hex(entry.at("proposal_priv"))}, true, "proposal");
        auto const commit = need(decode(hex(entry.at("commit")), read_commit), "commit");
        given.both_ways(commit, {hex(entry.at("commit_pub")), hex(entry.at("commit_priv"))}, true, "commit");
        given.both_ways(ApplicationData{hex(entry.at("application"))}, {hex(entry.at("application_priv"))}, false,
                        "application");
    });
}

Outcome check_welcome(json const& entry) {
    auto const* suite = suite_of(entry);
    if (!suite) return Outcome::skip("suite");
    return checked([&] {
        auto const package_message = need(decode(hex(entry.at("key_package")), read_mls_message), "key_package");
        auto const welcome_message = need(decode(hex(entry.at("welcome")), read_mls_message), "welcome");
        auto const* package = package_message.as<KeyPackage>();
        auto const* welcome = welcome_message.as<Welcome>();
        expect(package && welcome, "wire formats");
        auto const init_key = need(crypto::hpke_key_pair_from_private(*suite, hex(entry.at("init_priv"))), "init key");
        expect(init_key.public_key == package->init_key, "init_priv is not the package's");

        auto const secrets = need(open_group_secrets(*suite, *welcome, *package, init_key), "group secrets");
        expect(secrets.psks.empty(), "PSKs");
        auto const psk = zero_secret(*suite);
        auto const info =
            need(open_group_info(*suite, *welcome, secrets.joiner_secret.expose(), psk.expose()), "group info");
        need(verify_with_label(hex(entry.at("signer_pub")), "GroupInfoTBS", group_info_tbs(info), info.signature),
             "group info signature");
        auto const epoch =
            first_epoch(*suite, info.group_context,
                        epoch_secrets(*suite, secrets.joiner_secret.expose(), psk.expose(), info.group_context));
        expect(epoch.confirmation_tag == info.confirmation_tag, "confirmation tag");
    });
}

}  // namespace interlude::mls_vectors

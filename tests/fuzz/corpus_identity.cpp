// Lists, leaves, invitations, redemptions and links.
#include "common/identity/invitation_link.hpp"
#include "common/identity/leaf_attestation.hpp"
#include "common/identity/redemption.hpp"
#include "tests/fuzz/make_corpus.hpp"

namespace interlude::fuzz {

void make_identity_seeds() {
    using namespace identity;
    crypto::SeededEntropy entropy(1);
    identity::tests::Person anna(entropy, base::Side::therapist);
    auto const carla = identity::tests::Person(entropy, base::Side::client);
    seed("identity", "first_list", 0, anna.newest.as_signed().bytes);
    anna.relist({anna.device.listed(), identity::tests::new_device(entropy).listed()});
    seed("identity", "second_list", 0, anna.newest.as_signed().bytes);
    seed("identity", "leaf", 1,
         encode(attest_leaf(anna.device.key, anna.account(), anna.device.id, {1, 2}, Bytes(32, 6))));
    auto const key = invitation_key(Bytes(32, 1));
    InvitationDocument const invitation{
        key.public_key(), InvitationKind::new_conversation, {}, anna.account(), anna.device.id, {1, 2}, noon};
    seed("identity", "invitation", 2, encode(invitation));
    seed("identity", "operators_invitation", 2, encode(operators_invitation(key.public_key(), noon)));
    Redemption redemption{invitation.id(),
                          "relay.example",
                          InvitationKind::new_conversation,
                          carla.account(),
                          carla.newest.as_signed(),
                          carla.device.id,
                          Founding{},
                          {}};
    redemption.founding->conversation = id_of<base::ConversationId>(7);
    redemption.founding->group_id = Bytes(32, 8);
    redemption.founding->declaration = Bytes(30, 9);
    redemption.founding->welcomes = {Bytes(50, 10), Bytes(20, 11)};
    seed("identity", "founding", 3, encode(redemption));
    redemption.kind = InvitationKind::join;
    redemption.founding.reset();
    redemption.key_packages = {Bytes(100, 12), Bytes(90, 13)};
    seed("identity", "joining", 3, encode(redemption));

    InvitationLink const link{"relay.example:8443",
                              {InvitationKind::new_conversation,
                               bytes::SecretBytes(Bytes(32, 1)),
                               anna.account(),
                               {1, 2},
                               anna.newest.hash(),
                               id_of<base::Hash32>(5),
                               noon}};
    seed_text("invitation_link", "link", 0, format_link(link));
    seed_text("invitation_link", "fragment", 1, encode_fragment(link.fragment));

    redemption.kind = InvitationKind::therapist;
    redemption.key_packages.clear();
    seed("identity", "therapist_redemption", 3, encode(redemption));
    redemption.kind = InvitationKind::new_conversation;
    seed("identity", "bad_redemption_without_founding", 3, encode(redemption));
    redemption.kind = InvitationKind{9};
    seed("identity", "bad_redemption_kind", 3, encode(redemption));
    redemption.kind = InvitationKind::new_conversation;
    redemption.founding = Founding{};
    redemption.founding->group_id = Bytes(1);
    seed("identity", "bad_half_founding", 3, encode(redemption));
    redemption.kind = InvitationKind::join;
    redemption.founding.reset();
    redemption.key_packages = {Bytes{}};
    seed("identity", "bad_empty_part", 3, encode(redemption));

    auto joining = invitation;
    joining.kind = InvitationKind::join;
    seed("identity", "bad_join_of_nothing", 2, encode(joining));
    joining.conversation = id_of<base::ConversationId>(4);
    seed("identity", "join_invitation", 2, encode(joining));
    joining.kind = InvitationKind{};
    seed("identity", "bad_invitation_kind", 2, encode(joining));
    seed("identity", "bad_invitation_version", 2, Bytes{9});
    seed("identity", "bad_leaf_version", 1, Bytes{9});
    seed("identity", "bad_leaf_floor", 1,
         encode(LeafIdentity{.account = anna.account(), .device = anna.device.id, .floor = {}, .signature = {}}));

    auto const list = anna.list();
    auto const refused = [&](char const* name, auto change) {
        auto changed = list;
        change(changed);
        seed("identity", std::string("bad_list_") + name, 0, encode(changed));
    };
    refused("side", [](DeviceList& changed) { changed.identity.side = base::Side{}; });
    refused("without_devices", [](DeviceList& changed) { changed.devices.clear(); });
    refused("twin", [](DeviceList& changed) { changed.devices.push_back(changed.devices.front()); });
    refused("number", [](DeviceList& changed) { changed.version = 0; });
    refused("high_number", [](DeviceList& changed) { changed.version = UINT64_MAX; });
    refused("link", [](DeviceList& changed) { changed.previous = {}; });

    auto const whole = format_link(link);
    auto const fragment = encode_fragment(link.fragment);
    for (auto const& [name, server] : {std::pair("ipv4", "192.0.2.1"), std::pair("ipv6", "[2001:db8::1]:443"),
                                       std::pair("bad_bracket", "[2001:db8::1"), std::pair("bad_port", "a:0443"),
                                       std::pair("bad_high_port", "a:70000"), std::pair("bad_host", "A"),
                                       std::pair("bad_no_host", ":1"), std::pair("bad_nothing", "")})
        seed_text("invitation_link", name, 0, "https://" + std::string(server) + "/i#" + fragment);
    seed_text("invitation_link", "bad_scheme", 0, "http" + whole.substr(5));
    seed_text("invitation_link", "bad_path", 0, "https://a/j#" + fragment);
    seed_text("invitation_link", "bad_no_path", 0, "https://a");
    seed_text("invitation_link", "bad_text", 1, "?");
    seed_text("invitation_link", "bad_version", 1, "AA");
    seed_text("invitation_link", "bad_kind", 1, "AQA");
    seed_text("invitation_link", "bad_nobody", 1, "AQ" + std::string(fragment.size() - 2, 'A'));
    seed_text("invitation_link", "bad_long", 1, std::string(513, 'A'));
    InvitationLink operators{
        "a", {InvitationKind::therapist, bytes::SecretBytes(Bytes(32, 1)), {}, {}, {}, id_of<base::Hash32>(5), noon}};
    seed_text("invitation_link", "operators_link", 0, format_link(operators));
}

}  // namespace interlude::fuzz

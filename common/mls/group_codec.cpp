// The whole state of a Group as bytes and back, for the caller to seal. Versioned: another version is refused, never
// guessed. Decoding checks that the parts belong together, so that a damaged state is an error and not a false Group.
#include "common/mls/group_state.hpp"

namespace interlude::mls {

namespace {

constexpr std::uint16_t state_version = 1;

void write(Writer& writer, PastEpoch const& past) {
    write(writer, past.context);
    writer.vector_of(past.senders, [](Writer& inner, auto const& sender) {
        write(inner, sender.first);
        inner.opaque(sender.second.identity).opaque(sender.second.signature_key);
    });
    writer.opaque(past.sender_data_secret.expose()).opaque(past.resumption_psk.expose());
    write(writer, past.messages);
}

Result<PastEpoch> read_past_epoch(Reader& reader, crypto::Suite const& suite) {
    INTERLUDE_TRY(auto context, read_group_context(reader));
    std::map<LeafIndex, PastEpoch::Sender> senders;
    INTERLUDE_TRY(auto listed, reader.vector());
    while (!listed.empty()) {
        INTERLUDE_TRY(auto const leaf, read_leaf_index(listed));
        INTERLUDE_TRY(auto identity, read_bytes(listed));
        INTERLUDE_TRY(auto signature_key, read_bytes(listed));
        if (!senders.try_emplace(leaf, PastEpoch::Sender{std::move(identity), std::move(signature_key)}).second) {
            return Errc::malformed;
        }
    }
    INTERLUDE_TRY(auto sender_data_secret, read_secret(reader));
    INTERLUDE_TRY(auto resumption_psk, read_secret(reader));
    INTERLUDE_TRY(auto messages, read_secret_tree(reader, suite));
    return PastEpoch{std::move(context), std::move(senders), std::move(sender_data_secret), std::move(resumption_psk),
                     std::move(messages)};
}

void write(Writer& writer, HeldProposal const& held) {
    writer.opaque(held.ref);
    write(writer, held.sent.proposal);
    write(writer, held.sent.sender);
}

Result<HeldProposal> read_held_proposal(Reader& reader) {
    INTERLUDE_TRY(auto ref, read_bytes(reader));
    INTERLUDE_TRY(auto proposal, read_proposal(reader));
    INTERLUDE_TRY(auto sender, read_sender(reader));
    return HeldProposal{std::move(ref), {std::move(proposal), sender}};
}

void write(Writer& writer, OwnUpdate const& update) {
    writer.opaque(update.encryption_key.private_key.expose()).opaque(update.signature_key.expose_seed());
}

Result<OwnUpdate> read_own_update(Reader& reader, crypto::Suite const& suite) {
    INTERLUDE_TRY(auto const private_key, reader.opaque());
    INTERLUDE_TRY(auto encryption_key, crypto::hpke_key_pair_from_private(suite, private_key));
    INTERLUDE_TRY(auto const seed, reader.opaque());
    INTERLUDE_TRY(auto signature_key, crypto::SigningKey::from_seed(seed));
    return OwnUpdate{std::move(encryption_key), std::move(signature_key)};
}

/// What every state begins with: all that it shows in public.
struct PublicPart {
    crypto::Suite const* suite;
    GroupContext context;
    RatchetTree tree;
};
Result<PublicPart> read_public_part(Reader& reader) {
    INTERLUDE_TRY(auto const version, reader.u16());
    if (version != state_version) return Errc::unsupported;
    INTERLUDE_TRY(auto const suite_id, reader.u16());
    INTERLUDE_TRY(auto const* suite, crypto::find_suite(suite_id));
    INTERLUDE_TRY(auto context, read_group_context(reader));
    INTERLUDE_TRY(auto nodes, read_node_list(reader));
    INTERLUDE_TRY(auto tree, RatchetTree::from_nodes(*suite, std::move(nodes)));
    return PublicPart{suite, std::move(context), std::move(tree)};
}

// What must hold between the parts of any state.
Result<void> check_state(Group::State const& state) {
    auto const* own = state.tree.leaf(state.keys.leaf);
    if (!own || !bytes::equal(own->signature_key, state.signature_key.public_key().span())) return Errc::inconsistent;
    if (!state.keys.is_consistent_with(state.tree)) return Errc::inconsistent;
    if (state.context.cipher_suite != state.suite->id || state.context.tree_hash != state.tree.tree_hash()) {
        return Errc::inconsistent;
    }
    for (auto const& [epoch, past] : state.past) {
        if (epoch >= state.context.epoch || past.context.group_id != state.context.group_id) return Errc::inconsistent;
    }
    return {};
}

}  // namespace

bytes::SecretBytes Group::encode() const {
    auto const& state = *state_;
    Writer writer;
    writer.u16(state_version).u16(state.suite->id);
    write(writer, state.context);
    write(writer, state.tree.nodes());
    write(writer, state.keys);
    writer.opaque(state.signature_key.expose_seed());
    write(writer, state.secrets);
    writer.opaque(state.interim_transcript_hash);
    write(writer, state.messages);
    writer.vector_of(state.past, [](Writer& inner, auto const& past) { write(inner, past.second); });
    writer.vector_of(state.proposals, [](Writer& inner, HeldProposal const& held) { write(inner, held); });
    writer.vector_of(state.own_updates, [](Writer& inner, OwnUpdate const& update) { write(inner, update); });
    return SecretBytes(std::move(writer).take());
}

base::Result<Group> Group::decode(bytes::ByteView state) {
    Reader reader(state);
    INTERLUDE_TRY(auto shown, read_public_part(reader));
    auto const* const suite = shown.suite;
    INTERLUDE_TRY(auto keys, read_tree_private(reader, *suite));
    INTERLUDE_TRY(auto const seed, reader.opaque());
    INTERLUDE_TRY(auto signature_key, crypto::SigningKey::from_seed(seed));
    INTERLUDE_TRY(auto secrets, read_epoch_secrets(reader));
    INTERLUDE_TRY(auto interim, read_bytes(reader));
    INTERLUDE_TRY(auto messages, read_secret_tree(reader, *suite));

    std::map<std::uint64_t, PastEpoch> past;
    INTERLUDE_TRY(auto listed, reader.vector());
    while (!listed.empty()) {
        INTERLUDE_TRY(auto epoch, read_past_epoch(listed, *suite));
        auto const number = epoch.context.epoch;
        if (!past.try_emplace(number, std::move(epoch)).second) return Errc::malformed;
    }
    INTERLUDE_TRY(auto proposals, read_vector(reader, read_held_proposal));
    INTERLUDE_TRY(auto own_updates, read_vector(reader, [&](Reader& inner) { return read_own_update(inner, *suite); }));
    INTERLUDE_TRY_VOID(reader.finish());

    auto decoded = std::make_unique<State>(State{suite, std::move(shown.context), std::move(shown.tree),
                                                 std::move(keys), std::move(signature_key), std::move(secrets),
                                                 std::move(interim), std::move(messages), std::move(past),
                                                 std::move(proposals), std::move(own_updates)});
    INTERLUDE_TRY_VOID(check_state(*decoded));
    return Group(std::move(decoded));
}

base::Result<GroupGlance> Group::glance(bytes::ByteView state) {
    Reader reader(state);
    INTERLUDE_TRY(auto const shown, read_public_part(reader));
    INTERLUDE_TRY(auto const own_leaf, read_tree_private_leaf(reader));
    INTERLUDE_TRY_VOID(reader.opaque());  // the seed of the signature key
    INTERLUDE_TRY_VOID(read_epoch_secrets(reader));
    INTERLUDE_TRY_VOID(reader.opaque());  // the interim transcript hash
    INTERLUDE_TRY(auto const messages, read_secret_tree(reader, *shown.suite));
    GroupGlance glance{shown.context.epoch, {}, messages.next_generation(own_leaf, RatchetKind::application)};
    for (auto const leaf : shown.tree.members()) glance.roster.push_back(member_of(shown.tree, leaf));
    return glance;
}

}  // namespace interlude::mls

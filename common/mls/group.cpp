#include "common/mls/group.hpp"

#include "common/mls/group_state.hpp"

namespace interlude::mls {

namespace {

Bytes identity_of(LeafNode const& leaf) {
    auto const* identity = leaf.credential.identity();
    return identity ? *identity : Bytes{};
}

}  // namespace

PastEpoch PastEpoch::clone() const {
    return {context, senders, sender_data_secret.clone(), resumption_psk.clone(), messages.clone()};
}

Group::State Group::State::clone() const {
    State copy{suite,
               context,
               tree,
               keys.clone(),
               signature_key.clone(),
               secrets.clone(),
               interim_transcript_hash,
               messages.clone(),
               {},
               proposals,
               {}};
    for (auto const& [epoch, kept] : past) copy.past.emplace(epoch, kept.clone());
    for (auto const& own : own_updates) {
        copy.own_updates.push_back({own.encryption_key.clone(), own.signature_key.clone()});
    }
    return copy;
}

PastEpoch Group::State::retire() const {
    PastEpoch kept{context, {}, secrets.sender_data_secret.clone(), secrets.resumption_psk.clone(), messages.clone()};
    kept.messages.forget(keys.leaf);
    for (auto const leaf : tree.members()) {
        kept.senders.emplace(leaf, PastEpoch::Sender{identity_of(*tree.leaf(leaf)), tree.leaf(leaf)->signature_key});
    }
    return kept;
}

std::map<std::uint64_t, PastEpoch> Group::State::past_with_present() && {
    auto all = std::move(past);
    all.emplace(context.epoch, retire());
    return all;
}

std::map<std::uint64_t, PastEpoch> Group::State::past_with_present() const& {
    std::map<std::uint64_t, PastEpoch> all;
    for (auto const& [epoch, kept] : past) all.emplace(epoch, kept.clone());
    all.emplace(context.epoch, retire());
    return all;
}

Member member_of(RatchetTree const& tree, LeafIndex leaf) {
    auto const* node = tree.leaf(leaf);
    INTERLUDE_CHECK(node != nullptr);
    return {leaf, identity_of(*node), node->signature_key};
}

Member Group::State::member_at(LeafIndex leaf) const {
    return member_of(tree, leaf);
}

Result<Psk> Group::State::find_psk(PreSharedKeyID const& id, Outside const& outside) const {
    if (auto const* external = std::get_if<ExternalPSK>(&id.body)) {
        auto secret = outside.find_psk ? outside.find_psk(external->psk_id) : std::nullopt;
        if (!secret) return Errc::unknown_psk;
        return Psk{id, std::move(*secret)};
    }
    auto const& resumption = std::get<ResumptionPSK>(id.body);
    if (resumption.psk_group_id != context.group_id) return Errc::unknown_psk;
    if (resumption.psk_epoch == context.epoch) return Psk{id, secrets.resumption_psk.clone()};
    auto const kept = past.find(resumption.psk_epoch);
    if (kept == past.end()) return Errc::unknown_psk;
    return Psk{id, kept->second.resumption_psk.clone()};
}

Result<std::vector<Psk>> Group::State::find_psks(std::vector<PreSharedKeyID> const& ids, Outside const& outside) const {
    std::vector<Psk> psks;
    for (auto const& id : ids) {
        INTERLUDE_TRY(auto psk, find_psk(id, outside));
        psks.push_back(std::move(psk));
    }
    return psks;
}

std::unique_ptr<Group::State> Group::State::enter(NewEpoch epoch, RatchetTree tree, TreePrivate keys,
                                                  crypto::SigningKey signature_key) {
    auto const& suite = tree.suite();
    SecretTree messages(suite, tree.size(), std::move(epoch.secrets.encryption_secret));
    return std::make_unique<State>(State{&suite,
                                         std::move(epoch.context),
                                         std::move(tree),
                                         std::move(keys),
                                         std::move(signature_key),
                                         std::move(epoch.secrets),
                                         std::move(epoch.interim_transcript_hash),
                                         std::move(messages),
                                         {},
                                         {},
                                         {}});
}

GroupContext next_context(GroupContext const& context, Extensions extensions) {
    auto next = context;
    next.epoch += 1;
    next.extensions = std::move(extensions);
    return next;
}

Group::Group(std::unique_ptr<State> state) : state_(std::move(state)) {}
Group::Group(Group&&) noexcept = default;
Group& Group::operator=(Group&&) noexcept = default;
Group::~Group() = default;
Group Group::clone() const {
    return Group(std::make_unique<State>(state_->clone()));
}

Group Group::merge(Group next) && {
    INTERLUDE_CHECK(next.group_id() == group_id() && next.epoch() == epoch() + 1);
    next.state_->past = std::move(*state_).past_with_present();
    return next;
}

std::uint16_t Group::suite() const {
    return state_->suite->id;
}
bytes::Bytes const& Group::group_id() const {
    return state_->context.group_id;
}
std::uint64_t Group::epoch() const {
    return state_->context.epoch;
}
LeafIndex Group::own_leaf() const {
    return state_->keys.leaf;
}

std::vector<Member> Group::roster() const {
    std::vector<Member> members;
    for (auto const leaf : state_->tree.members()) members.push_back(state_->member_at(leaf));
    return members;
}

std::optional<Member> Group::member(LeafIndex leaf) const {
    if (!state_->tree.leaf(leaf)) return std::nullopt;
    return state_->member_at(leaf);
}

LeafNode const* Group::leaf_node(LeafIndex leaf) const {
    return state_->tree.leaf(leaf);
}
std::vector<Extension> const& Group::extensions() const {
    return state_->context.extensions;
}
bytes::ByteView Group::epoch_authenticator() const {
    return state_->secrets.epoch_authenticator.expose();
}

bytes::SecretBytes Group::export_secret(std::string_view label, bytes::ByteView context, std::size_t length) const {
    return export_from(*state_->suite, state_->secrets.exporter_secret.expose(), label, context, length);
}

std::uint32_t Group::spent_generations() const {
    return state_->messages.next_generation(own_leaf(), RatchetKind::application);
}

std::vector<std::uint64_t> Group::retained_epochs() const {
    std::vector<std::uint64_t> epochs;
    for (auto const& [epoch, kept] : state_->past) epochs.push_back(epoch);
    return epochs;
}

void Group::drop_epochs_before(std::uint64_t epoch) {
    state_->past.erase(state_->past.begin(), state_->past.lower_bound(epoch));
}

}  // namespace interlude::mls

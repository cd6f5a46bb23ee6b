#include "tests/unit/engine/fake_relay.hpp"

#include "common/audit/receipt.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/invitation_link.hpp"
#include "common/identity/login.hpp"
#include "common/wire/calendar_documents.hpp"

namespace interlude::tests {

FakeRelay::FakeRelay(std::uint64_t seed, std::string server_name)
    : entropy_(std::make_shared<crypto::SeededEntropy>(seed)), server_name_(std::move(server_name)) {
    log_key_ = std::make_shared<crypto::SigningKey const>(crypto::SigningKey::generate(*entropy_));
}

std::string FakeRelay::operator_invites(WallTime now) {
    identity::InvitationFragment fragment;
    fragment.kind = identity::InvitationKind::therapist;
    fragment.seed = entropy_->secret(identity::invitation_seed_size);
    fragment.log_key_hash = audit::log_key_hash(log_key_->public_key());
    fragment.expiry = now + std::chrono::days{7};
    auto const key = identity::invitation_key(fragment.seed.expose()).public_key();
    auto const document = identity::operators_invitation(key, fragment.expiry);
    invitations_[document.id()] = {
        document, {wire::DocumentKind::invitation, identity::encode(document), {}}, {}, {}, {}, false};
    return identity::format_link({server_name_, std::move(fragment)});
}

int FakeRelay::connect(WallTime now) {
    auto const id = next_link_++;
    auto& link = links_[id];
    link.nonce = entropy_->bytes(32);
    link.out.push_back({{}, wire::Nonce{link.nonce, other_name.value_or(server_name_), now}});
    return id;
}

std::optional<wire::ServerFrame> FakeRelay::take(int id, WallTime now) {
    auto const found = links_.find(id);
    if (found == links_.end()) return std::nullopt;
    auto& link = found->second;
    if ((offer_at_once || link.out.empty()) && link.ready && !link.invited()) offer(link, now);
    if (link.out.empty()) return std::nullopt;
    auto frame = std::move(link.out.front());
    link.out.pop_front();
    return frame;
}

identity::VerifiedDeviceList FakeRelay::newest(AccountId const& account) const {
    auto const& document = accounts_.at(account).lists.back().document;
    return *identity::VerifiedDeviceList::from_own_store(
        {document.bytes, *crypto::Signature::from(document.signature)});
}

schedule::Calendar FakeRelay::calendar(AccountId const& account) const {
    wire::CalendarMaker maker;
    for (auto const& published : accounts_.at(account).schedules) maker.add(published);
    return std::move(maker).made();
}

bool FakeRelay::passes(Conversation const&, Envelope const& envelope, AccountId const& reader, WallTime now) const {
    auto const& sender = envelope.envelope.sender_account;
    auto const side = [&](AccountId const& account) { return accounts_.at(account).side; };
    std::optional<schedule::Calendar> from_calendar;
    if (side(sender) == Side::therapist && sender != reader) from_calendar = calendar(sender);
    auto const from = schedule::envelope_from(envelope.envelope.stamp, from_calendar ? &*from_calendar : nullptr);
    if (side(reader) != Side::therapist) return schedule::passes(from, nullptr, now);
    auto const gate = calendar(reader);
    return schedule::passes(from, &gate, now);
}

bool FakeRelay::knows(AccountId const& reader, AccountId const& other) const {
    if (reader == other) return true;
    for (auto const& [id, conversation] : conversations) {
        bool a = false, b = false;
        for (auto const& member : conversation.members) {
            a = a || member.account == reader;
            b = b || member.account == other;
        }
        if (a && b) return true;
    }
    return false;
}

wire::ConversationState FakeRelay::state_of(ConversationId const& id, DeviceId const& device) const {
    auto const& conversation = conversations.at(id);
    wire::ConversationState state;
    state.conversation = id;
    state.epoch = conversation.epoch;
    state.members = conversation.members;
    for (auto const& envelope : conversation.envelopes)
        if (envelope.sender == device) state.last_own_seq = envelope.envelope.seq;
    return state;
}

std::vector<wire::SubjectState> FakeRelay::subjects_of(AccountId const& account) {
    std::vector<SubjectId> ids;
    for (auto const& [other, record] : accounts_)
        if (knows(account, other)) ids.push_back(audit::subject_of(other));
    for (auto const& [id, conversation] : conversations)
        for (auto const& member : conversation.members)
            if (member.account == account) ids.push_back(audit::subject_of(id));
    std::vector<wire::SubjectState> states;
    for (auto const& id : ids) {
        auto const& subject = subjects_[id];
        Hash32 head;
        if (!subject.entries.empty()) head = audit::entry_hash(entries_[subject.entries.back()].entry);
        if (hides(id, account) && subject.entries.size() > 1) {
            states.push_back({id, subject.key, 1, audit::entry_hash(entries_[subject.entries.front()].entry)});
            continue;
        }
        states.push_back({id, subject.key, subject.entries.size(), head});
    }
    return states;
}

bool FakeRelay::hides(SubjectId const& subject, AccountId const& reader) const {
    for (auto const& [id, conversation] : conversations)
        if (audit::subject_of(id) == subject) return hide_from == reader;
    return false;
}

wire::ServerFrame FakeRelay::ready_for(Link const& link, WallTime now) {
    wire::Ready ready;
    ready.time = now;
    ready.limits = {256 * 1024, 60, hold_life_seconds, 8};
    ready.log_vkey = audit::LogKey{audit::log_origin(server_name_), log_key_->public_key()}.vkey();
    if (!leaves_.empty()) {
        ready.checkpoint = note();
        ready.consistency = consistency(link.said->log_size_seen);
    }
    if (!link.invited()) {
        for (auto const& [id, conversation] : conversations)
            for (auto const& member : conversation.members)
                if (member.account == link.account()) ready.conversations.push_back(state_of(id, link.device()));
        ready.subjects = subjects_of(link.account());
    }
    return {{}, ready};
}

void FakeRelay::offer(Link& link, WallTime now) {
    auto const me = link.account();
    auto const device = link.device();
    wire::Documents documents;
    for (auto const& [account, record] : accounts_) {
        if (!knows(me, account)) continue;
        auto& seen = link.documents[account];
        std::vector<wire::PublishedDocument> all = record.lists;
        all.insert(all.end(), record.schedules.begin(), record.schedules.end());
        for (; seen < all.size(); ++seen) {
            bool const hidden =
                hides_overrides_from == me && all[seen].document.kind == wire::DocumentKind::override_all;
            if (!hidden) documents.documents.push_back(all[seen]);
        }
    }
    if (!documents.documents.empty()) link.out.push_back({{}, documents});
    for (auto& [id, conversation] : conversations) {
        bool member = false;
        for (auto const& one : conversation.members)
            member = member || (one.account == me && std::count(one.devices.begin(), one.devices.end(), device) > 0);
        if (!member) continue;
        if (conversation.welcome && conversation.welcome->sender_device != device &&
            !conversation.welcomed.contains(device) && link.welcomes.insert(id).second) {
            link.out.push_back({{}, wire::StateChanged{{state_of(id, device)}, subjects_of(me)}});
            link.out.push_back({{}, *conversation.welcome});
        }
        for (auto const& handshake : conversation.handshakes)
            if (!withhold_handshakes && link.handshakes.insert({id, handshake.epoch}).second)
                link.out.push_back({{}, handshake});
        bool waits = false;
        for (auto const& envelope : conversation.envelopes) {
            auto const seq = envelope.envelope.seq;
            if (recalls_unasked == seq && envelope.sender == device && recalled_.insert({id, seq}).second) {
                audit::Recalled const entry{seq, envelope.envelope.hash, me, device};
                log(audit::subject_of(id), entry, now, std::pair(id, seq));
                link.out.push_back({{}, wire::Fate{id, seq, wire::FateKind::recalled, std::nullopt}});
            }
            if (envelope.sender == device || lost.contains(seq) || acked_[{device, id}].contains(seq)) continue;
            if (recalled_.contains({id, seq})) continue;
            waits = true;
            if (withheld.contains(seq)) continue;
            if (!deliver_early && !passes(conversation, envelope, me, now)) continue;
            if (!link.offered.insert({id, seq}).second) continue;
            ++offers[seq];
            link.out.push_back({{}, envelope.envelope});
            if (offer_twice) link.out.push_back({{}, envelope.envelope});
        }
        if (!waits && conversation.epoch > 1 && link.ended.insert({id, conversation.epoch - 1}).second)
            link.out.push_back({{}, wire::EpochEnd{id, 1, conversation.epoch - 1}});
    }
}

// ---- The log -------------------------------------------------------------------------------------------------------

std::uint64_t FakeRelay::log(SubjectId const& id, audit::Body body, WallTime now,
                             std::optional<std::pair<ConversationId, std::uint64_t>> about) {
    auto& subject = subjects_[id];
    if (subject.key.empty()) subject.key = entropy_->bytes(audit::subject_key_bytes);
    audit::SubjectKey const key{bytes::SecretBytes(bytes::ByteView(subject.key))};
    audit::Payload payload;
    if (!subject.entries.empty()) payload.previous = audit::entry_hash(entries_[subject.entries.back()].entry);
    payload.decided_at = now;
    payload.body = std::move(body);
    Entry entry;
    entry.subject = id;
    entry.counter = subject.entries.size() + 1;
    entry.salt = entropy_->bytes(audit::salt_bytes);
    entry.payload = audit::encode_payload(payload);
    entry.entry = audit::encode_entry(audit::make_entry(key, entry.counter, now, entry.salt, entry.payload));
    entry.about = about;
    auto const index = entries_.size();
    subject.entries.push_back(index);
    leaves_.push_back(audit::leaf_hash(entry.entry));
    entries_.push_back(std::move(entry));
    return index;
}

namespace {

audit::HashSource source_of(std::vector<Hash32> const& leaves) {
    return [&leaves](audit::Node node) -> std::optional<Hash32> {
        auto const width = std::uint64_t{1} << node.level;
        auto const first = node.index * width;
        if (first + width > leaves.size()) return std::nullopt;
        return audit::root_of(std::span(leaves).subspan(first, width));
    };
}

}  // namespace

std::string FakeRelay::note() const {
    auto const size = shown_size_.value_or(leaves_.size());
    audit::Checkpoint const checkpoint{
        audit::log_origin(server_name_), size, audit::root_of(std::span(leaves_).first(size)), {}};
    return audit::sign_checkpoint(checkpoint, *log_key_);
}

std::vector<Hash32> FakeRelay::consistency(std::uint64_t from) const {
    auto const size = shown_size_.value_or(leaves_.size());
    if (from == 0 || from >= size) return {};
    return *audit::prove_consistency(from, size, source_of(leaves_));
}

wire::LogItem FakeRelay::item(std::uint64_t index, bool open) {
    auto const& entry = entries_[index];
    wire::LogItem item{entry.subject, entry.counter, index, entry.entry, {}, {}, {}};
    if (open) {
        item.salt = entry.salt;
        item.payload = entry.payload;
    }
    if (corrupt_entry == index) item.entry[60] ^= 1;
    audit::LogProof proof;
    proof.index = index;
    proof.hashes = *audit::prove_inclusion(index, leaves_.size(), source_of(leaves_));
    proof.checkpoint = note();
    item.proof = audit::format_proof(proof);
    return item;
}

void FakeRelay::fork_log() {
    auto const filler = audit::operator_subject({});
    if (!leaves_.empty()) leaves_.back() = audit::leaf_hash(bytes::view("another story"));
    log(filler, audit::Filler{}, base::wall_seconds(0));
}

void FakeRelay::roll_back_log(std::uint64_t size) {
    shown_size_ = size;
}

// ---- Requests ------------------------------------------------------------------------------------------------------

struct FakeRelay::Serve {
    FakeRelay& relay;
    Link& link;
    RequestId request;
    WallTime now;

    void answer(wire::ServerBody body) {
        if (auto* stored = std::get_if<wire::Stored>(&body); stored && relay.says_stored) relay.says_stored(*stored);
        link.out.push_back({request, std::move(body)});
    }
    void refuse(wire::Rule rule) {
        wire::Refused refused;
        refused.rule = rule;
        answer(refused);
    }

    void operator()(wire::Hello const&) {}
    void operator()(wire::Authenticate const& authenticate) {
        identity::LinkFacts const facts{relay.server_name_, link.nonce, link.hello};
        bool good = false;
        if (link.invited()) {
            auto const invitation = relay.invitations_.find(std::get<InvitationId>(link.said->who));
            good = invitation != relay.invitations_.end() &&
                   identity::verify_invited_login(invitation->second.document.invitation_key, facts,
                                                  authenticate.signature)
                       .has_value();
        } else if (relay.accounts_.contains(link.account())) {
            auto const list = relay.newest(link.account());
            auto const* device = list.list().find(link.device());
            good = device && identity::verify_login(device->auth_key, facts, link.account(), link.device(),
                                                    authenticate.signature)
                                 .has_value();
        }
        if (!good) return answer(wire::Error{wire::ErrorCode::not_authenticated, 0});
        link.ready = true;
        if (!link.invited())
            for (auto const& id : link.said->confirmed) relay.bound_.erase({link.device(), id});
        auto frame = relay.ready_for(link, now);
        frame.request = request;
        link.out.push_back(std::move(frame));
    }
    void operator()(wire::InvitationPut const& put) {
        auto const document = *identity::decode_invitation(put.document.bytes);
        relay.invitations_.insert({document.id(), {document, put.document, {}, {}, {}, false}});
        answer(wire::Done{});
    }
    void operator()(wire::InvitationList const&) {
        wire::Invitations list;
        for (auto const& [id, invitation] : relay.invitations_)
            if (invitation.document.inviter == link.account())
                list.invitations.push_back(
                    {id, invitation.answer ? wire::InvitationPhase::redeemed : wire::InvitationPhase::open,
                     invitation.document.expiry, invitation.second_attempt});
        answer(std::move(list));
    }
    void operator()(wire::DeviceListGet const& get) {
        wire::Documents lists;
        for (auto const& published : relay.accounts_.at(get.account).lists) {
            auto const at = identity::decode_device_list(published.document.bytes)->position();
            if (at > identity::ListPosition{get.generation, get.version}) lists.documents.push_back(published);
        }
        answer(std::move(lists));
    }
    void operator()(wire::KeyPackagesFetch const& fetch) {
        auto& invitation = relay.invitations_.at(std::get<InvitationId>(link.said->who));
        if (invitation.reserved.empty()) {
            auto const list = relay.newest(fetch.account);
            for (auto const& device : list.list().devices) {
                auto& stock = relay.key_packages[device.id];
                if (stock.empty()) continue;
                invitation.reserved.push_back({device.id, stock.front(), false});
                stock.pop_front();
            }
        }
        if (invitation.reserved.empty()) return refuse(wire::Rule::unreachable);
        answer(wire::KeyPackages{invitation.reserved});
    }
    void operator()(wire::Redeem const& redeem) {
        auto& invitation = relay.invitations_.at(std::get<InvitationId>(link.said->who));
        identity::SignedRedemption const received{redeem.redemption, *crypto::Signature::from(redeem.signature)};
        auto const hash = identity::redemption_hash(redeem.redemption);
        if (invitation.redemption == hash) return answer(*invitation.answer);
        auto const verified = identity::verify_redemption(received, invitation.document, relay.server_name_);
        if (!verified) return refuse(wire::Rule::invalid);
        if (invitation.redemption) {
            invitation.second_attempt = true;
            return refuse(wire::Rule::spent);
        }
        if (std::exchange(relay.changed_list_once, false)) {
            invitation.reserved.clear();
            return answer(wire::ListChanged{});
        }
        auto const& redemption = verified->redemption;
        auto const& list = verified->device_list;
        auto& account = relay.accounts_[redemption.account];
        account.side = list.list().identity.side;
        account.lists.push_back(
            {{wire::DocumentKind::device_list, list.as_signed().bytes, bytes::copy(list.as_signed().signature.bytes)},
             now});
        relay.log(audit::subject_of(redemption.account),
                  audit::DeviceListPublished{redemption.account, 1, 1, list.hash()}, now);
        wire::Redeemed done{redemption.account, std::nullopt};
        if (auto const& founding = redemption.founding) {
            auto const declaration = *mls_framing::decode_declaration(founding->declaration);
            auto& conversation = relay.conversations[founding->conversation];
            conversation.group_id = founding->group_id;
            conversation.members = {{redemption.account, Side::client, {redemption.device}}};
            for (auto const& added : declaration.added)
                conversation.members.push_back({added.account, added.side, {added.device}});
            conversation.welcome = wire::Welcome{founding->conversation,
                                                 1,
                                                 1,
                                                 redemption.device,
                                                 now,
                                                 founding->welcomes.front(),
                                                 founding->declaration,
                                                 invitation.as_signed,
                                                 redeem.redemption,
                                                 redeem.signature};
            relay.log(audit::subject_of(founding->conversation),
                      audit::EpochAccepted{1, 1, {}, mls_framing::declaration_hash(founding->declaration)}, now);
            done.conversation = founding->conversation;
        }
        invitation.redemption = hash;
        invitation.answer = done;
        answer(done);
    }
    void operator()(wire::DeviceListPut const& put) {
        relay.accounts_.at(link.account()).lists.push_back({put.document, now});
        answer(wire::Done{});
    }
    bool fails() {
        if (relay.questions_failing == 0) return false;
        --relay.questions_failing;
        answer(wire::Error{wire::ErrorCode::store, 5});
        return true;
    }
    void operator()(wire::KeyPackagesPut const& put) {
        if (fails()) return;
        auto& stock = relay.key_packages[link.device()];
        for (auto const& package : put.key_packages) stock.push_back(package);
        answer(wire::KeyPackageStock{static_cast<std::uint32_t>(stock.size())});
    }
    void operator()(wire::Commit const& commit) {
        ++relay.commits_received;
        relay.different_commits.insert(commit.mls);
        if (!relay.instead_of_commits.empty()) {
            answer(std::move(relay.instead_of_commits.front()));
            return relay.instead_of_commits.pop_front();
        }
        auto& conversation = relay.conversations.at(commit.conversation);
        if (commit.epoch != conversation.epoch) {
            for (auto const& handshake : conversation.handshakes) {
                if (handshake.epoch != commit.epoch) continue;
                if (handshake.mls == commit.mls) return answer(wire::Accepted{commit.epoch + 1});
                return answer(wire::Conflict{handshake});
            }
            return answer(wire::Conflict{});
        }
        conversation.handshakes.push_back(
            {commit.conversation, 1, commit.epoch, link.device(), now, commit.mls, commit.declaration});
        ++conversation.epoch;
        relay.log(audit::subject_of(commit.conversation),
                  audit::EpochAccepted{1, conversation.epoch, crypto::sha256(commit.mls),
                                       mls_framing::declaration_hash(commit.declaration)},
                  now);
        answer(wire::Accepted{conversation.epoch});
    }
    void operator()(wire::CommitRejected const&) { answer(wire::Done{}); }

    void operator()(wire::Send const& send) {
        ++relay.sends_received;
        if (!relay.instead_of_answers.empty()) {
            answer(std::move(relay.instead_of_answers.front()));
            relay.instead_of_answers.pop_front();
            return;
        }
        auto const key = std::pair(link.device(), request);
        if (auto const bound = relay.bound_.find(key); bound != relay.bound_.end()) {
            answer(bound->second.stored);
            if (bound->second.entry)
                prove(wire::Held{send.conversation, bound->second.stored.seq, relay.item(*bound->second.entry, true)});
            return;
        }
        if (relay.refuse_sends) return refuse(wire::Rule::quota);
        auto& conversation = relay.conversations.at(send.conversation);
        if (send.epoch != conversation.epoch) return answer(wire::EpochStale{conversation.epoch});
        if (send.replaces && !recall(send.conversation, *send.replaces)) return answer(wire::TooLate{});
        accept(send, conversation, key);
    }
    void operator()(wire::Recall const& wish) {
        if (recall(wish.conversation, wish.seq)) return answer(wire::Done{});
        answer(wire::TooLate{});
    }
    bool recall(ConversationId const& id, std::uint64_t seq) {
        auto const& conversation = relay.conversations.at(id);
        if (seq == 0 || seq > conversation.envelopes.size() || relay.recalled_.contains({id, seq})) return false;
        auto const& envelope = conversation.envelopes[seq - 1];
        if (envelope.sender != link.device()) return false;
        for (auto const& member : conversation.members)
            if (member.account != link.account() && relay.passes(conversation, envelope, member.account, now))
                return false;
        relay.recalled_.insert({id, seq});
        audit::Recalled const entry{seq, envelope.envelope.hash, link.account(), link.device()};
        relay.log(audit::subject_of(id), entry, now, std::pair(id, seq));
        link.out.push_back({{}, wire::Fate{id, seq, wire::FateKind::recalled, std::nullopt}});
        return true;
    }

    void accept(wire::Send const& send, Conversation& conversation, std::pair<DeviceId, RequestId> const& key) {
        auto const seq = conversation.envelopes.size() + 1;
        wire::Stored stored{seq, now, crypto::sha256(send.mls), {}, {}, {}};
        std::optional<schedule::Calendar> sender_calendar;
        if (relay.accounts_.at(link.account()).side == Side::therapist)
            sender_calendar = relay.calendar(link.account());
        audit::Held held;
        held.stamp = now;
        held.seq = seq;
        held.envelope = stored.envelope;
        held.instance = {};
        for (auto const& member : conversation.members) {
            audit::Party party;
            party.account = member.account;
            party.sender = member.account == link.account();
            std::optional<schedule::Calendar> gate;
            if (member.side == Side::therapist) {
                gate = relay.calendar(member.account);
                party.gate = audit::GateNumbers{gate->document_at(now), 0};
            }
            if (!party.sender) {
                auto const decision =
                    schedule::decide_gate(now, sender_calendar ? &*sender_calendar : nullptr, gate ? &*gate : nullptr);
                if (!decision.passes_now) {
                    party.verdict = audit::Verdict::hold;
                    party.until = decision.until;
                    stored.holds.push_back({member.account, decision.until});
                }
            }
            held.parties.push_back(party);
        }
        conversation.envelopes.push_back(
            {{send.conversation, seq, 1, send.epoch, link.account(), link.device(), now, stored.envelope, send.mls},
             link.device()});
        Bound bound;
        if (!stored.holds.empty()) {
            audit::StoredReceipt receipt{
                relay.server_name_, send.conversation, link.device(), request, seq, now, stored.envelope, {}};
            for (auto const& hold : stored.holds) receipt.holds.push_back({hold.account, hold.until});
            stored.receipt = audit::encode_receipt(receipt);
            stored.receipt_signature = bytes::copy(audit::sign_receipt(*relay.log_key_, stored.receipt).bytes);
            if (relay.log_other_times)
                for (auto& party : held.parties)
                    if (party.until) *party.until += std::chrono::hours{1};
            if (!relay.forget_to_log)
                bound.entry =
                    relay.log(audit::subject_of(send.conversation), held, now, std::pair(send.conversation, seq));
        }
        bound.stored = stored;
        relay.bound_[key] = bound;
        answer(stored);
        if (bound.entry) prove(wire::Held{send.conversation, seq, relay.item(*bound.entry, true)});
    }
    void prove(wire::Held held) {
        if (!relay.withhold_proofs) answer(relay.instead_of_proof.value_or(wire::ServerBody(std::move(held))));
    }

    void operator()(wire::Ack const& ack) {
        for (auto seq : ack.seqs) relay.acked_[{link.device(), ack.conversation}].insert(seq);
    }
    void operator()(wire::HandshakeAck const& ack) {
        relay.conversations.at(ack.conversation).welcomed.insert(link.device());
    }
    void operator()(wire::SchedulePut const& put) { put_document(put.document); }
    void operator()(wire::OverridePut const& put) { put_document(put.document); }
    void put_document(wire::SignedDocument const& document) {
        auto const place = *wire::place_of(document);
        auto& account = relay.accounts_.at(link.account());
        if (place.number != account.schedules.size() + 1) {
            wire::Refused refused;
            refused.rule = wire::Rule::schedule;
            refused.problem = wire::ScheduleProblem::wrong_number;
            return answer(refused);
        }
        if (relay.forgets_documents) return answer(wire::Done{});
        auto const override_ = schedule::decode_override_document(document.bytes);
        if (override_ && override_->span.end <= now) {
            wire::Refused refused;
            refused.rule = wire::Rule::schedule;
            refused.problem = wire::ScheduleProblem::back_dated;
            return answer(refused);
        }
        auto const in_force = std::max(place.effective_from, now) + relay.puts_documents_off.value_or(base::Millis{0});
        account.schedules.push_back({document, in_force});
        auto const hash = crypto::labelled_hash(wire::calendar_label(document.kind), document.bytes);
        audit::Body body = audit::SchedulePublished{link.account(), place.number, hash, in_force};
        if (document.kind == wire::DocumentKind::override_all) {
            auto const reason = schedule::decode_override_document(document.bytes)->reason;
            body = audit::OverridePublished{
                link.account(), place.number, hash, in_force,
                static_cast<std::uint8_t>(relay.logs_other_reasons ? 0 : static_cast<int>(reason))};
        }
        relay.log(audit::subject_of(link.account()), body, now);
        answer(wire::Done{});
    }
    void operator()(wire::LogGet const& get) {
        ++relay.log_questions_received;
        if (!relay.instead_of_log.empty()) {
            answer(std::move(relay.instead_of_log.front()));
            return relay.instead_of_log.pop_front();
        }
        if (relay.log_questions_failing > 0) {
            --relay.log_questions_failing;
            return answer(wire::Error{wire::ErrorCode::store, 5});
        }
        auto const& subject = relay.subjects_[get.subject];
        wire::LogEntries entries;
        entries.subject = get.subject;
        for (auto const& state : relay.subjects_of(link.account())) {
            if (state.subject != get.subject) continue;
            entries.head_counter = state.counter;
            entries.head = state.head;
        }
        for (auto const index : subject.entries) {
            auto const& entry = relay.entries_[index];
            if (entry.counter < get.from_counter || entries.items.size() == 4) continue;
            if (relay.hides(get.subject, link.account()) && entry.counter > 1) continue;
            bool open = true;
            if (entry.about) {
                auto const& conversation = relay.conversations.at(entry.about->first);
                auto const& envelope = conversation.envelopes[entry.about->second - 1];
                open = envelope.envelope.sender_account == link.account() ||
                       relay.passes(conversation, envelope, link.account(), now);
            }
            entries.items.push_back(relay.item(index, open));
        }
        entries.checkpoint = relay.note();
        answer(std::move(entries));
    }
    void operator()(wire::CheckpointGet const& get) {
        if (fails()) return;
        if (relay.leaves_.empty()) return answer(wire::Checkpoint{});
        answer(wire::Checkpoint{relay.note(), relay.consistency(get.size_seen)});
    }
    void operator()(wire::LogAck const&) {}
    void operator()(wire::Confirm const& confirm) {
        relay.confirms_received.push_back(confirm.ids.size());
        for (auto const& id : confirm.ids) relay.bound_.erase({link.device(), id});
    }

    void operator()(wire::InvitationRevoke const&) { later(); }
    void operator()(wire::TermsPut const&) { later(); }
    void operator()(wire::Leave const&) { later(); }
    void operator()(wire::CloseConversation const&) { later(); }
    void operator()(wire::Later const&) { later(); }
    void later() { answer(wire::Error{wire::ErrorCode::not_yet, 0}); }
};

void FakeRelay::receive(int id, Bytes const& bytes, WallTime now) {
    auto const found = links_.find(id);
    if (found == links_.end()) return;
    auto& link = found->second;
    auto const frame = wire::decode_client_frame(bytes);
    INTERLUDE_CHECK(frame);
    if (auto const* hello = std::get_if<wire::Hello>(&frame->body)) {
        link.hello = bytes;
        link.said = *hello;
        return;
    }
    INTERLUDE_CHECK(link.said);
    std::visit(Serve{*this, link, frame->request, now}, frame->body);
}

}  // namespace interlude::tests

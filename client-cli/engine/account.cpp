#include "client-cli/engine/account.hpp"

#include "client-cli/engine/outbox.hpp"
#include "common/base/limits.hpp"
#include "common/bytes/text.hpp"

namespace interlude::engine {

namespace {

Bytes list_key_of(AccountId const& account, identity::ListPosition at) {
    return bytes::Writer().id(account).u64(at.generation).u64(at.version).take();
}

crypto::SigningKey key_from(SecretBytes const& seed) {
    auto key = crypto::SigningKey::from_seed(seed.expose());
    INTERLUDE_CHECK(key);
    return std::move(*key);
}

identity::VerifiedDeviceList from_store(ListRecord record) {
    auto list = identity::VerifiedDeviceList::from_own_store({std::move(record.bytes), record.signature});
    if (!list) throw BadRecord("a device list of the vault does not decode");
    return std::move(*list);
}

void tell_members_changed(Turn& turn, AccountId const& account) {
    for (auto const& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations))
        for (auto const& member : conversation.members)
            if (member.account == account) turn.tell(MembersChanged{*ConversationId::from(key)});
}

/// A list of a newer generation is shown as strongly as a new person.
void weaken_verification(Turn& turn, AccountId const& account) {
    for (auto& [key, conversation] : turn.rows.scan<ConversationRecord>(Table::conversations)) {
        for (auto const& member : conversation.members) {
            if (member.account != account) continue;
            conversation.verified = Verification::changed;
            auto const id = *ConversationId::from(key);
            turn.save(id, conversation);
            turn.alarm("identity_changed", "the account was taken over with its recovery kit: compare the words again",
                       id);
        }
    }
}

}  // namespace

std::string hex_id(ByteView id) {
    return bytes::to_hex(id);
}

AccountRecord create_account(Turn& turn, Side side, std::string own_name) {
    AccountRecord record;
    record.recovery_seed = turn.entropy.secret(identity::recovery_seed_size);
    auto const account = identity::account_key(record.recovery_seed.expose(), 0);
    record.account = identity::account_id(account.public_key());
    record.side = side;
    record.device = turn.entropy.id<DeviceId>();
    auto const device = crypto::SigningKey::generate(turn.entropy);
    auto const list_key = crypto::SigningKey::generate(turn.entropy);
    record.device_key = SecretBytes(device.expose_seed());
    record.list_key = SecretBytes(list_key.expose_seed());
    record.certificate = identity::certify_list_key(account, side, 1, list_key.public_key());
    for (auto& waiting : identity::certify_accounts_ahead(record.recovery_seed.expose(), 1, side, turn.entropy))
        record.ahead.push_back({waiting.index, SecretBytes(waiting.list_key.expose_seed()), waiting.certificate});
    record.own_name = std::move(own_name);
    turn.rows.put_home(home::account, record);

    auto list = identity::verify_first(
        identity::sign_first(list_key, record.certificate, {{record.device, device.public_key(), turn.now}}, turn.now));
    INTERLUDE_CHECK(list);
    keep_list(turn, *list);
    return record;
}

crypto::SigningKey device_key(AccountRecord const& account) {
    return key_from(account.device_key);
}

identity::VerifiedDeviceList own_list(Turn& turn) {
    auto list = newest_list(turn, turn.account().account);
    INTERLUDE_CHECK(list);
    return std::move(*list);
}

std::optional<identity::VerifiedDeviceList> newest_list(Turn& turn, AccountId const& account) {
    auto lists = turn.rows.scan<ListRecord>(Table::device_lists, account.bytes);
    if (lists.empty()) return std::nullopt;
    return from_store(std::move(lists.back().record));
}

void keep_list(Turn& turn, identity::VerifiedDeviceList const& list) {
    turn.rows.put(Table::device_lists, list_key_of(list.list().account(), list.list().position()),
                  ListRecord{list.as_signed().bytes, list.as_signed().signature});
}

ListHead head_of(identity::VerifiedDeviceList const& list) {
    auto const at = list.list().position();
    return {at.generation, at.version, list.hash()};
}

void take_list(Turn& turn, identity::SignedDeviceList const& received) {
    auto const decoded = identity::decode_device_list(received.bytes);
    if (!decoded) {
        turn.alarm("bad_list", "the server showed a device list that does not parse", std::nullopt, received.bytes);
        return;
    }
    auto const account = decoded->account();
    auto known = newest_list(turn, account);
    if (!known) return;
    auto const at = decoded->position();
    if (at <= known->list().position()) {
        auto const same = turn.rows.get<ListRecord>(Table::device_lists, list_key_of(account, at));
        if (!same || same->bytes == received.bytes) return;
        if (identity::verify_device_list(received))
            turn.alarm("two_lists", "two device lists of one account with the same number", std::nullopt, same->bytes,
                       received.bytes);
        else
            turn.alarm("bad_list", "the server showed a device list that its account did not sign", std::nullopt,
                       received.bytes);
        return;
    }
    auto const generation = known->list().position().generation;
    auto const next = identity::verify_next(*known, received);
    if (!next) {
        turn.alarm("bad_list", "a device list does not follow the one known here", std::nullopt,
                   known->as_signed().bytes, received.bytes);
        return;
    }
    keep_list(turn, *next);
    tell_members_changed(turn, account);
    if (at.generation != generation) weaken_verification(turn, account);
}

bool take_list_head(Turn& turn, ConversationId const& conversation, AccountId const& account, ListHead const& head) {
    auto const known = newest_list(turn, account);
    if (!known) return false;
    identity::ListPosition const at{head.generation, head.version};
    if (at > known->list().position()) return true;
    auto const same = turn.rows.get<ListRecord>(Table::device_lists, list_key_of(account, at));
    if (same && identity::device_list_hash(same->bytes) != head.hash)
        turn.alarm("other_says_two_lists", "the other side says that it has another list of its devices", conversation,
                   same->bytes, bytes::copy(head.hash.bytes));
    return false;
}

void renew_list_if_due(Turn& turn) {
    auto const account = turn.account();
    auto const current = own_list(turn);
    if (turn.now < current.list().time + base::limits::device_list_renewal) return;
    auto const next = identity::verify_next(
        current, identity::sign_next(key_from(account.list_key), current, current.list().devices, turn.now));
    INTERLUDE_CHECK(next);
    keep_list(turn, *next);
    wire::SignedDocument document{wire::DocumentKind::device_list, next->as_signed().bytes,
                                  bytes::copy(next->as_signed().signature.bytes)};
    queue_request(turn, OutgoingKind::document, wire::DeviceListPut{std::move(document)});
}

}  // namespace interlude::engine

// The store: what the server remembers. Verbs are use cases; each carries its pure decision (server/core) into one
// transaction: load Facts, decide, write what the verdict says together with its entries of the audit log.
//
// The contract, tested by tests/contract for every store:
// - An awaitable completes only after what it answers is durable. Many transactions may share one fsync.
// - Transactions are serial: the order of their entries is the order of the tree. A decision may be made again when a
//   database repeats a transaction, so nothing but the store's rows may depend on the first attempt.
// - A verb either did all of what it says or nothing. A broken environment (disk, database) is an exception.
// - Arguments are taken by value: a caller may end before the verb does, the verb then still happens or not as a whole.
// - After a transaction that others may wait for is durable, `Hooks::changed` is called, on any thread; it only posts.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "server/ports/store_types.hpp"

namespace interlude::ports {

/// What a store is given by its owner.
struct Hooks {
    /// The time of each transaction and reading; callable from any thread.
    std::function<core::TimeReading()> now;
    std::function<void(core::Changed)> changed;
};

class Store {
  public:
    template <class T>
    using Awaitable = boost::asio::awaitable<T>;

    Store() = default;
    Store(Store const&) = delete;
    Store& operator=(Store const&) = delete;
    virtual ~Store() = default;

    // ---- The store itself ----
    virtual Awaitable<OpenInfo> open_info() = 0;
    /// The high-water mark of believed time; never goes back.
    virtual Awaitable<void> mark_time(WallTime time) = 0;
    /// True if `holder` has the lease now, for `term`: nobody had it, it ran out, or it is renewed.
    virtual Awaitable<bool> acquire_lease(std::string name, std::string holder, base::Millis term) = 0;
    virtual Awaitable<Counts> counts() = 0;

    // ---- Links ----
    /// nullopt: unknown account, or a device that is not in its newest list.
    virtual Awaitable<std::optional<LoginFacts>> login_facts(DeviceRef device) = 0;
    /// nullopt: unknown.
    virtual Awaitable<std::optional<core::InvitationRow>> invitation(InvitationId invitation) = 0;
    virtual Awaitable<Snapshot> snapshot(DeviceRef device) = 0;

    // ---- Identity, invitations ----
    virtual Awaitable<PutAnswer> put_device_list(DeviceRef by, wire::SignedDocument document, Seed seed) = 0;
    /// The lists after `after`, oldest first, at most 64; nullopt where the reader has no relation to the account.
    virtual Awaitable<std::optional<wire::Documents>> device_lists_after(Fetcher reader, AccountId account,
                                                                         identity::ListPosition after) = 0;
    virtual Awaitable<StockAnswer> put_key_packages(DeviceRef by, wire::KeyPackagesPut put) = 0;
    /// One package per device of the newest list, each handed out once (a last-resort package when nothing else is
    /// left). For an invitation they are reserved: the same ones on every retry.
    virtual Awaitable<KeyPackagesAnswer> fetch_key_packages(Fetcher fetcher, AccountId account) = 0;

    virtual Awaitable<PutAnswer> put_invitation(DeviceRef by, wire::SignedDocument document) = 0;
    /// The operator's own: signed by nobody, with an entry `operator_action`.
    virtual Awaitable<void> put_operator_invitation(identity::InvitationDocument document, Seed seed) = 0;
    virtual Awaitable<PutAnswer> revoke_invitation(DeviceRef by, InvitationId invitation) = 0;
    virtual Awaitable<wire::Invitations> list_invitations(DeviceRef by) = 0;
    virtual Awaitable<RedeemAnswer> redeem(core::RedeemRequest request) = 0;

    // ---- Conversations ----
    virtual Awaitable<CommitOutcome> accept_commit(core::CommitSubmission submission) = 0;
    virtual Awaitable<AcceptOutcome> accept(core::Submission submission) = 0;
    virtual Awaitable<RecallAnswer> recall(DeviceRef by, ConversationId conversation, std::uint64_t seq, Seed seed) = 0;
    /// By a therapist-side account, or the last client-side one.
    virtual Awaitable<PutAnswer> close_conversation(DeviceRef by, ConversationId conversation) = 0;
    /// The final answers to these request ids are in the device's vault. They are forgotten an hour later: another
    /// process of its home may have sent a copy that is still under way.
    virtual Awaitable<void> confirm(DeviceRef by, std::vector<RequestId> ids) = 0;

    // ---- Delivery ----
    /// What the device is to be sent next in this conversation: state, documents, Welcome, handshakes in epoch order,
    /// then what passes by now in seq order, notices, ended epochs. While the time is not believed no envelope.
    virtual Awaitable<Offer> offer_from(OfferRequest request) = 0;
    /// Idempotent; seqs that were never offered are ignored.
    virtual Awaitable<void> ack(DeviceRef device, ConversationId conversation, std::vector<std::uint64_t> seqs) = 0;
    /// Everything up to the handshake that began `epoch` is in the vault.
    virtual Awaitable<void> ack_handshake(DeviceRef device, ConversationId conversation, std::uint32_t generation,
                                          std::uint64_t epoch) = 0;

    // ---- Hours ----
    virtual Awaitable<PutAnswer> put_calendar(core::CalendarPutRequest request) = 0;
    virtual Awaitable<std::vector<AccountCalendar>> calendars() = 0;
    /// Entries for all bounds of the account's calendar up to now that have none yet; how many it wrote. Announces
    /// `Changed` to everybody who shares a conversation with the account if there was one.
    virtual Awaitable<std::uint64_t> note_windows(AccountId account, Seed seed) = 0;

    // ---- The log ----
    virtual Awaitable<LogHead> log_head() = 0;
    /// The 104 bytes of the entries from `from` on, in order.
    virtual Awaitable<std::vector<Bytes>> entries_from(std::uint64_t from, std::size_t max) = 0;
    /// Tiles and checkpoint are durable when this completes. False: another sequencer was there first.
    virtual Awaitable<bool> append_checkpoint(CheckpointBatch batch) = 0;
    /// Content of each tile, empty where it is not stored. A partial tile may be answered by any wider one.
    virtual Awaitable<std::vector<Bytes>> tiles(std::vector<audit::Tile> wanted) = 0;
    /// nullopt unless the device is a party of the subject.
    virtual Awaitable<std::optional<LogPage>> log_entries(DeviceRef reader, SubjectId subject, std::uint64_t from,
                                                          std::size_t max) = 0;
    /// The device keeps this subject's payloads up to `counter`.
    virtual Awaitable<void> ack_log(DeviceRef reader, SubjectId subject, std::uint64_t counter) = 0;
    /// What the operator did, in the operator's subject.
    virtual Awaitable<void> record(audit::OperatorAction action, Seed seed) = 0;

    // ---- Housekeeping; does nothing while the time is not believed ----
    /// Ends envelopes whose hold life is over, with their entries and notices.
    virtual Awaitable<Swept> expire(std::size_t max, Seed seed) = 0;
    /// Forgets old request ids, handshakes, packages, notices and payloads.
    virtual Awaitable<Swept> purge(std::size_t max, Seed seed) = 0;
};

}  // namespace interlude::ports

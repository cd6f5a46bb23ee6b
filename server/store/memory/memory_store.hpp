// A store without a disk: for simulations and tests, and the plainest reading of the store's contract. Single-threaded;
// every verb decides first and writes afterwards, and nothing in between can fail, so a verb is a transaction.
#pragma once

#include <memory>

#include "server/core/draws.hpp"
#include "server/ports/store.hpp"
#include "server/store/memory/disk.hpp"

namespace interlude::store_memory {

class MemoryStore : public ports::Store {
  public:
    /// `seed` makes the instance id and the operator's subject of a new disk.
    MemoryStore(std::shared_ptr<Disk> disk, core::Policy policy, ports::Hooks hooks, core::Seed seed);

    Awaitable<ports::OpenInfo> open_info() override;
    Awaitable<void> mark_time(WallTime time) override;
    Awaitable<bool> acquire_lease(std::string name, std::string holder, base::Millis term) override;
    Awaitable<ports::Counts> counts() override;

    Awaitable<std::optional<ports::LoginFacts>> login_facts(DeviceRef device) override;
    Awaitable<std::optional<core::InvitationRow>> invitation(InvitationId invitation) override;
    Awaitable<ports::Snapshot> snapshot(DeviceRef device) override;

    Awaitable<ports::PutAnswer> put_device_list(DeviceRef by, wire::SignedDocument document, core::Seed seed) override;
    Awaitable<std::optional<wire::Documents>> device_lists_after(ports::Fetcher reader, AccountId account,
                                                                 identity::ListPosition after) override;
    Awaitable<ports::StockAnswer> put_key_packages(DeviceRef by, wire::KeyPackagesPut put) override;
    Awaitable<ports::KeyPackagesAnswer> fetch_key_packages(ports::Fetcher fetcher, AccountId account) override;

    Awaitable<ports::PutAnswer> put_invitation(DeviceRef by, wire::SignedDocument document) override;
    Awaitable<void> put_operator_invitation(identity::InvitationDocument document, core::Seed seed) override;
    Awaitable<ports::PutAnswer> revoke_invitation(DeviceRef by, InvitationId invitation) override;
    Awaitable<wire::Invitations> list_invitations(DeviceRef by) override;
    Awaitable<ports::RedeemAnswer> redeem(core::RedeemRequest request) override;

    Awaitable<ports::CommitOutcome> accept_commit(core::CommitSubmission submission) override;
    Awaitable<ports::AcceptOutcome> accept(core::Submission submission) override;
    Awaitable<ports::RecallAnswer> recall(DeviceRef by, ConversationId conversation, std::uint64_t seq,
                                          core::Seed seed) override;
    Awaitable<ports::PutAnswer> close_conversation(DeviceRef by, ConversationId conversation) override;
    Awaitable<void> confirm(DeviceRef by, std::vector<RequestId> ids) override;

    Awaitable<ports::Offer> offer_from(ports::OfferRequest request) override;
    Awaitable<void> ack(DeviceRef device, ConversationId conversation, std::vector<std::uint64_t> seqs) override;
    Awaitable<void> ack_handshake(DeviceRef device, ConversationId conversation, std::uint32_t generation,
                                  std::uint64_t epoch) override;

    Awaitable<ports::PutAnswer> put_calendar(core::CalendarPutRequest request) override;
    Awaitable<std::vector<ports::AccountCalendar>> calendars() override;
    Awaitable<std::uint64_t> note_windows(AccountId account, core::Seed seed) override;

    Awaitable<ports::LogHead> log_head() override;
    Awaitable<std::vector<Bytes>> entries_from(std::uint64_t from, std::size_t max) override;
    Awaitable<bool> append_checkpoint(ports::CheckpointBatch batch) override;
    Awaitable<std::vector<Bytes>> tiles(std::vector<audit::Tile> wanted) override;
    Awaitable<std::optional<ports::LogPage>> log_entries(DeviceRef reader, SubjectId subject, std::uint64_t from,
                                                         std::size_t max) override;
    Awaitable<void> ack_log(DeviceRef reader, SubjectId subject, std::uint64_t counter) override;
    Awaitable<void> record(audit::OperatorAction action, core::Seed seed) override;

    Awaitable<ports::Swept> expire(std::size_t max, core::Seed seed) override;
    Awaitable<ports::Swept> purge(std::size_t max, core::Seed seed) override;

  private:
    // Reading.
    core::TimeReading now() const { return hooks_.now(); }
    bool listed(DeviceRef const& device) const;
    AccountRow* account(AccountId const& id);
    ConversationRow* conversation(ConversationId const& id);
    /// The device's place, unless its list dropped it.
    DeviceRow* delivery_of(ConversationRow& conversation, DeviceRef const& device);
    std::vector<AccountId> accounts_of(ConversationRow const& conversation) const;
    std::vector<wire::MemberState> roster_of(ConversationRow const& conversation) const;
    /// Those to which envelopes are delivered.
    std::vector<core::DeliveryRow> deliveries_of(ConversationRow const& conversation) const;
    core::Calendars calendars_of(ConversationRow const& conversation) const;
    /// Accounts that share a conversation with it, itself included.
    std::set<AccountId> related_to(AccountId const& account) const;
    bool may_look_up(ports::Fetcher const& reader, AccountId const& account) const;
    bool is_party(AccountId const& account, SubjectRow const& subject) const;
    wire::ConversationState state_of(ConversationId const& id, ConversationRow const& conversation,
                                     DeviceRef const& device) const;
    std::vector<wire::SubjectState> subjects_of(ConversationId const& id, ConversationRow const& conversation) const;
    wire::SubjectState state_of(SubjectId const& subject) const;
    std::uint32_t stock_of(DeviceRef const& device) const;

    // Writing.
    void make_subject(SubjectId const& id, audit::SubjectKind kind, std::optional<AccountId> account,
                      std::optional<ConversationId> conversation, Hash32 const& k_tag);
    /// Seals the draft at the end of its chain and of the log; its index.
    std::uint64_t append(core::EntryDraft draft, core::Draws& draws);
    void drop_device(DeviceRef const& device);
    void admit(core::Admission const& admission, core::InvitationRow& invitation, core::Draws& draws);
    void found_conversation(core::Admission const& admission, core::InvitationRow const& invitation,
                            core::RedeemRequest const& request, core::Draws& draws);
    void carry_out(core::CommitSubmission const& submission, core::CommitAcceptance const& acceptance,
                   ConversationRow& conversation, core::Draws& draws);
    void carry_out(core::Submission const& submission, core::Acceptance const& acceptance,
                   ConversationRow& conversation);
    /// As its author wished: with its entry and its notice.
    void recall_from(ConversationRow& conversation, DeviceRef const& by, ConversationId const& id, std::uint64_t seq,
                     core::EntryDraft entry, core::Draws& draws);
    void forget(ConversationRow& conversation, std::uint64_t seq);
    /// Forgets every envelope that nobody waits for any more, and moves the devices' cursors on.
    void settle(ConversationRow& conversation);
    void announce(std::optional<ConversationId> conversation, std::vector<AccountId> accounts,
                  std::vector<DeviceRef> dropped = {});
    void announce_envelope(ConversationId const& conversation, std::uint64_t seq, std::vector<AccountId> accounts,
                           DeviceRef const& author);
    core::DocumentPages documents_after(ConversationRow const& conversation, core::DocumentsSeenByAccount& seen,
                                        std::size_t bytes_max) const;
    std::uint64_t purge_payloads(std::size_t max, core::Draws& draws);

    std::shared_ptr<Disk> disk_;
    core::Policy policy_;
    ports::Hooks hooks_;
};

}  // namespace interlude::store_memory

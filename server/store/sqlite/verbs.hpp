// The store's verbs on its thread, one at a time: load Facts from rows, ask server/core, write what the verdict says.
// Everything here runs inside a savepoint of the worker; an exception undoes the verb.
#pragma once

#include <functional>
#include <unordered_map>

#include "server/core/draws.hpp"
#include "server/ports/store.hpp"
#include "server/store/sqlite/database.hpp"
#include "server/store/sqlite/worker.hpp"

namespace interlude::store_sqlite {

using base::AccountId;
using base::ConversationId;
using base::DeviceId;
using base::Hash32;
using base::InvitationId;
using base::RequestId;
using base::Side;
using base::SubjectId;
using base::WallTime;
using bytes::Bytes;
using core::DeviceRef;
using mls_framing::KeyPackageRef;

struct ConversationRow {
    std::uint32_t generation = 1;
    std::uint64_t epoch = 1;
    WallTime epoch_began{};
    Bytes group_id;
    bool closed = false;
    std::uint64_t next_seq = 1;
};

/// A device's place in a conversation.
struct PlaceRow {
    core::DeliveryRow delivery;
    bool dropped = false;  // by its account's list; stays in the roster until a commit removes it
    std::uint64_t last_own_seq = 0;
    std::uint64_t sent_since_commit = 0;
};

struct Member {
    AccountId account;
    Side side{};
};

class Verbs final : public WorkerEvents {
  public:
    Verbs(Database& database, core::Policy policy, ports::Hooks hooks,
          std::function<void(std::string const&)> disk_failed);

    void verb_begins() override;
    void verb_undone() override;
    void batch_undone() override;
    void durable() override;
    void disk_failed(std::string const& what) override { disk_failed_(what); }

    // The verbs of ports::Store, in its order.
    ports::OpenInfo open_info();
    void mark_time(WallTime time);
    bool acquire_lease(std::string const& name, std::string const& holder, base::Millis term);
    ports::Counts counts();

    std::optional<ports::LoginFacts> login_facts(DeviceRef const& device);
    std::optional<core::InvitationRow> invitation(InvitationId const& id);
    ports::Snapshot snapshot(DeviceRef const& device);

    ports::PutAnswer put_device_list(DeviceRef const& by, wire::SignedDocument const& document, core::Seed const& seed);
    std::optional<wire::Documents> device_lists_after(ports::Fetcher const& reader, AccountId const& account,
                                                      identity::ListPosition after);
    ports::StockAnswer put_key_packages(DeviceRef const& by, wire::KeyPackagesPut const& put);
    ports::KeyPackagesAnswer fetch_key_packages(ports::Fetcher const& fetcher, AccountId const& account);

    ports::PutAnswer put_invitation(DeviceRef const& by, wire::SignedDocument const& document);
    void put_operator_invitation(identity::InvitationDocument const& document, core::Seed const& seed);
    ports::PutAnswer revoke_invitation(DeviceRef const& by, InvitationId const& id);
    wire::Invitations list_invitations(DeviceRef const& by);
    ports::RedeemAnswer redeem(core::RedeemRequest const& request);

    ports::CommitOutcome accept_commit(core::CommitSubmission const& submission);
    ports::AcceptOutcome accept(core::Submission const& submission);
    ports::RecallAnswer recall(DeviceRef const& by, ConversationId const& id, std::uint64_t seq,
                               core::Seed const& seed);
    ports::PutAnswer close_conversation(DeviceRef const& by, ConversationId const& id);
    void confirm(DeviceRef const& by, std::vector<RequestId> const& ids);

    ports::Offer offer_from(ports::OfferRequest const& request);
    void ack(DeviceRef const& device, ConversationId const& id, std::vector<std::uint64_t> const& seqs);
    void ack_handshake(DeviceRef const& device, ConversationId const& id, std::uint32_t generation,
                       std::uint64_t epoch);

    ports::PutAnswer put_calendar(core::CalendarPutRequest const& request);
    std::vector<ports::AccountCalendar> calendars();
    std::uint64_t note_windows(AccountId const& account, core::Seed const& seed);

    ports::LogHead log_head();
    std::vector<Bytes> entries_from(std::uint64_t from, std::size_t max);
    bool append_checkpoint(ports::CheckpointBatch const& batch);
    std::vector<Bytes> tiles(std::vector<audit::Tile> const& wanted);
    std::optional<ports::LogPage> log_entries(DeviceRef const& reader, SubjectId const& subject, std::uint64_t from,
                                              std::size_t max);
    void ack_log(DeviceRef const& reader, SubjectId const& subject, std::uint64_t counter);
    void record(audit::OperatorAction const& action, core::Seed const& seed);

    ports::Swept expire(std::size_t max, core::Seed const& seed);
    ports::Swept purge(std::size_t max, core::Seed const& seed);

  private:
    struct Subject {
        std::int64_t id = 0;
        audit::SubjectKind kind{};
        std::optional<AccountId> account;
        std::optional<ConversationId> conversation;
        core::ChainHead head;
    };
    struct KeptEnvelope {
        ConversationId conversation;
        core::EnvelopeRow row;
    };
    /// What is asked about each envelope of a conversation.
    struct Surroundings {
        std::vector<AccountId> accounts;
        std::vector<core::DeliveryRow> deliveries;  // without devices that their lists dropped
        core::Calendars calendars;
    };

    // Reading accounts.
    core::TimeReading now() const { return hooks_.now(); }
    std::optional<identity::VerifiedDeviceList> newest_list(AccountId const& account);
    std::optional<identity::VerifiedDeviceList> newest_list_if_listed(DeviceRef const& device);
    bool listed(DeviceRef const& device);
    bool share_conversation(AccountId const& one, AccountId const& other);
    std::vector<AccountId> related_to(AccountId const& account);
    bool may_look_up(ports::Fetcher const& reader, AccountId const& account);
    core::CalendarPtr calendar_of(AccountId const& account);
    std::vector<wire::PublishedDocument> schedules_after(AccountId const& account, std::uint64_t number,
                                                         std::size_t max = SIZE_MAX >> 1);
    std::vector<wire::PublishedDocument> lists_after(AccountId const& account, identity::ListPosition after,
                                                     std::size_t max);
    std::uint32_t stock_of(DeviceRef const& device);

    // Reading conversations.
    std::optional<ConversationRow> conversation(ConversationId const& id);
    /// nullopt also where the device's list dropped it.
    std::optional<PlaceRow> place_of(ConversationId const& id, DeviceRef const& device);
    std::vector<Member> members_of(ConversationId const& id);
    std::vector<AccountId> accounts_of(ConversationId const& id);
    std::vector<wire::MemberState> roster_of(ConversationId const& id);
    std::vector<core::DeliveryRow> deliveries_of(ConversationId const& id);
    core::Calendars calendars_of(ConversationId const& id);
    core::Calendars calendars_of(std::vector<Member> const& members);
    Surroundings surroundings_of(ConversationId const& id);
    wire::ConversationState state_of(ConversationId const& id, ConversationRow const& row, std::uint64_t last_own_seq);
    std::vector<wire::SubjectState> subjects_of(ConversationId const& id);
    std::optional<wire::Handshake> handshake(ConversationId const& id, std::uint64_t epoch);
    std::optional<core::EnvelopeRow> envelope(ConversationId const& id, std::uint64_t seq);
    /// Of the envelopes that are kept; the present one if there are none.
    std::uint64_t oldest_kept_epoch(ConversationId const& id, std::uint64_t present);
    core::CommitFacts commit_facts(core::CommitSubmission const& submission, WallTime time);
    core::SubmissionFacts submission_facts(core::Submission const& submission);

    // Reading the log.
    std::optional<Subject> subject(SubjectId const& id);
    wire::SubjectState subject_state(SubjectId const& id);
    bool is_party(AccountId const& account, Subject const& subject);
    ports::LogRow log_row(std::uint64_t index);

    // Writing.
    void make_subject(SubjectId const& id, audit::SubjectKind kind, std::optional<AccountId> account,
                      std::optional<ConversationId> conversation, Hash32 const& k_tag);
    /// Seals the draft at the end of its chain and of the log; its index.
    std::uint64_t append(core::EntryDraft draft, core::Draws& draws);
    void put_list(identity::VerifiedDeviceList const& list, WallTime time);
    void drop_device(DeviceRef const& device);
    void put_place(ConversationId const& id, core::DeliveryRow const& row);
    void put_welcome(DeviceRef const& device, wire::Welcome const& welcome);
    void remove_place(ConversationId const& id, DeviceRef const& device);
    void admit(core::Admission const& admission, core::RedeemRequest const& request, core::Draws& draws);
    void found(core::Admission const& admission, core::InvitationRow const& invitation,
               core::RedeemRequest const& request, core::Draws& draws);
    void carry_out(core::CommitSubmission const& submission, core::CommitAcceptance const& acceptance,
                   core::Draws& draws);
    void carry_out(core::Submission const& submission, core::SubmissionFacts const& facts,
                   core::Acceptance const& acceptance, std::optional<std::uint64_t> entry);
    /// As its author wished: with its entry and its notice.
    void recall_from(DeviceRef const& by, ConversationId const& id, core::EnvelopeRow const& envelope,
                     core::EntryDraft entry, core::Draws& draws);
    /// `members`: all accounts of the conversation.
    void forget(ConversationId const& id, std::vector<core::EnvelopeRow> const& envelopes,
                std::vector<AccountId> const& members);
    /// After devices left: forgets every envelope that nobody waits for any more.
    void settle(ConversationId const& id);
    void note_fate(DeviceRef const& by, WallTime at, wire::Fate const& fate);
    /// Something other than an envelope changed for these accounts.
    void announce(std::optional<ConversationId> conversation, std::vector<AccountId> accounts,
                  std::vector<DeviceRef> dropped = {});
    void announce_envelope(ConversationId const& conversation, std::uint64_t seq, std::vector<AccountId> accounts,
                           DeviceRef const& author);

    // Parts of offer_from.
    std::size_t offer_documents(ports::Offer& offer, ports::OfferRequest const& request);
    std::size_t offer_welcome(ports::Offer& offer, ports::OfferRequest const& request);
    std::size_t offer_handshakes(ports::Offer& offer, ports::OfferRequest const& request, std::size_t taken,
                                 core::DeliveryRow const& delivery);
    void offer_envelopes(ports::Offer& offer, ports::OfferRequest const& request, ConversationRow const& row,
                         core::DeliveryRow const& delivery, std::size_t bytes_max);
    /// The ciphertexts of what it puts into `facts.waiting`.
    std::vector<Bytes> load_waiting(core::OfferFacts& facts, ConversationId const& id,
                                    std::set<std::uint64_t> const& offered, core::TimeReading time,
                                    std::size_t messages_max, std::size_t bytes_max);
    void offer_fates(ports::Offer& offer, ports::OfferRequest const& request);
    void advance_cursor(ConversationId const& id, core::DeliveryRow& delivery, std::uint64_t next_seq);

    // Parts of purge.
    std::uint64_t purge_payloads(std::size_t max, core::Draws& draws);
    std::uint64_t purge_kept_by_all(std::size_t max);
    std::uint64_t purge_old_payloads(std::size_t max, core::Draws& draws);

    Database& db_;
    core::Policy policy_;
    ports::Hooks hooks_;
    std::function<void(std::string const&)> disk_failed_;
    base::InstanceId instance_;

    static constexpr std::size_t calendars_cached_max = 2048;
    std::unordered_map<AccountId, core::CalendarPtr> calendars_;  // parsed; null: none was published
    static constexpr std::size_t members_cached_max = 8192;
    std::unordered_map<ConversationId, std::vector<Member>> members_;  // of conversations; as they were founded
    std::optional<std::uint64_t> envelopes_kept_;                      // counted once, when first asked for
    std::vector<core::Changed> announced_;                             // of verbs that are not durable yet
    std::size_t announced_before_verb_ = 0;
    std::uint64_t changes_ = 1;  // announced other than of envelopes; what was undone counts too
};

}  // namespace interlude::store_sqlite

// A server in memory, just true enough for the engine's tests: it keeps frames, decides the gate from the documents it
// was given, keeps an honest log, and hands over what is due. With switches for dishonesty. The real one is server/.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "common/audit/entry.hpp"
#include "common/audit/payload.hpp"
#include "common/audit/proof.hpp"
#include "common/crypto/entropy.hpp"
#include "common/identity/redemption.hpp"
#include "common/mls_framing/declaration.hpp"
#include "common/schedule/gate.hpp"
#include "common/wire/codec.hpp"

namespace interlude::tests {

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

class FakeRelay {
  public:
    explicit FakeRelay(std::uint64_t seed, std::string server_name = "relay.test");

    std::string operator_invites(WallTime now);

    /// A new link; its first frame is the nonce.
    int connect(WallTime now);
    void disconnect(int link) { links_.erase(link); }
    /// What a link sends. Answers and everything that became due wait in take().
    void receive(int link, Bytes const& frame, WallTime now);
    /// The next frame for a link, if any.
    std::optional<wire::ServerFrame> take(int link, WallTime now);
    /// Unasked, to every link.
    void push(wire::ServerBody const& body) {
        for (auto& [id, link] : links_) link.out.push_back({{}, body});
    }

    // What the tests look at.
    struct Envelope {
        wire::Envelope envelope;
        DeviceId sender;
    };
    struct Conversation {
        Bytes group_id;
        std::uint64_t epoch = 1;
        std::vector<wire::MemberState> members;
        std::vector<wire::Handshake> handshakes;
        std::vector<Envelope> envelopes;  // seq 1 first
        std::optional<wire::Welcome> welcome;
        std::set<DeviceId> welcomed;  // who acked its Welcome
    };
    std::map<ConversationId, Conversation> conversations;
    std::map<DeviceId, std::deque<Bytes>> key_packages;
    std::uint64_t log_size() const { return leaves_.size(); }
    std::size_t invitations() const { return invitations_.size(); }
    int sends_received = 0;
    int commits_received = 0;
    std::vector<std::size_t> confirms_received;          // ids in each
    std::size_t bound() const { return bound_.size(); }  // request ids that are remembered
    std::set<Bytes> different_commits;
    std::map<std::uint64_t, int> offers;  // how often a seq was handed over

    // Dishonesty.
    bool deliver_early = false;
    std::set<std::uint64_t> lost;      // seqs that are never handed over
    std::set<std::uint64_t> withheld;  // not dishonest: nobody fetched them yet
    bool offer_at_once = false;        // before the answers to what the app sends once it is ready
    bool withhold_handshakes = false;
    bool offer_twice = false;      // every envelope comes twice
    bool log_other_times = false;  // holds are logged with another time than promised
    bool forget_to_log = false;    // holds are not logged at all
    std::optional<AccountId> hides_overrides_from;
    std::optional<base::Millis> puts_documents_off;  // they are in force so much later than they were taken
    bool logs_other_reasons = false;
    bool forgets_documents = false;                // after saying that it took them
    std::optional<std::uint64_t> recalls_unasked;  // this seq, when its author is there
    bool withhold_proofs = false;  // `stored`, and nothing after it: all parties have the entry, or nobody asks why
    bool refuse_sends = false;
    std::function<void(wire::Stored&)> says_stored;   // what it makes of its answers
    std::deque<wire::ServerBody> instead_of_answers;  // to the next sends, of which nothing happens
    std::deque<wire::ServerBody> instead_of_commits;  // to the next commits, of which nothing happens
    std::deque<wire::ServerBody> instead_of_log;      // to the next questions for entries
    int log_questions_received = 0;
    int log_questions_failing = 0;                     // so many of those for entries find no store
    int questions_failing = 0;                         // so many of those after a login find no store
    std::optional<wire::ServerBody> instead_of_proof;  // after `stored`
    std::uint32_t hold_life_seconds = 35 * 24 * 3600;  // as it says at login
    std::optional<std::uint64_t> corrupt_entry;        // index whose byte is changed when shown
    std::optional<AccountId> hide_from;                // is shown no new entry of any conversation
    std::optional<std::string> other_name;
    bool changed_list_once = false;  // the next redemption finds another list
    /// Everything but the log's history: another reader is told another story.
    void fork_log();
    void roll_back_log(std::uint64_t size);

  private:
    std::set<std::pair<ConversationId, std::uint64_t>> recalled_;
    struct Link {
        Bytes nonce;
        Bytes hello;
        std::optional<wire::Hello> said;
        bool ready = false;
        std::deque<wire::ServerFrame> out;
        std::set<std::pair<ConversationId, std::uint64_t>> offered;
        std::set<std::pair<ConversationId, std::uint64_t>> handshakes;
        std::set<ConversationId> welcomes;
        std::set<std::pair<ConversationId, std::uint64_t>> ended;
        std::map<AccountId, std::size_t> documents;
        AccountId account() const { return std::get<wire::DeviceLogin>(said->who).account; }
        DeviceId device() const { return std::get<wire::DeviceLogin>(said->who).device; }
        bool invited() const { return std::holds_alternative<InvitationId>(said->who); }
    };
    struct Account {
        Side side{};
        std::vector<wire::PublishedDocument> lists;
        std::vector<wire::PublishedDocument> schedules;
    };
    struct Invitation {
        identity::InvitationDocument document;
        wire::SignedDocument as_signed;
        std::optional<Hash32> redemption;
        std::optional<wire::Redeemed> answer;
        std::vector<wire::DeviceKeyPackage> reserved;
        bool second_attempt = false;
    };
    struct Entry {
        SubjectId subject;
        std::uint64_t counter;
        Bytes entry, salt, payload;
        std::optional<std::pair<ConversationId, std::uint64_t>> about;  // a held envelope
    };
    struct Subject {
        Bytes key;
        std::vector<std::uint64_t> entries;  // indices
    };
    struct Bound {
        wire::Stored stored;
        std::optional<std::uint64_t> entry;
    };
    struct Serve;

    identity::VerifiedDeviceList newest(AccountId const& account) const;
    schedule::Calendar calendar(AccountId const& account) const;
    bool passes(Conversation const& conversation, Envelope const& envelope, AccountId const& reader,
                WallTime now) const;
    bool hides(SubjectId const& subject, AccountId const& reader) const;
    wire::ServerFrame ready_for(Link const& link, WallTime now);
    std::vector<wire::SubjectState> subjects_of(AccountId const& account);
    wire::ConversationState state_of(ConversationId const& id, DeviceId const& device) const;
    bool knows(AccountId const& reader, AccountId const& other) const;
    void offer(Link& link, WallTime now);

    std::uint64_t log(SubjectId const& subject, audit::Body body, WallTime now,
                      std::optional<std::pair<ConversationId, std::uint64_t>> about = {});
    wire::LogItem item(std::uint64_t index, bool open);
    std::string note() const;
    std::vector<Hash32> consistency(std::uint64_t from) const;

    std::shared_ptr<crypto::SeededEntropy> entropy_;
    std::string server_name_;
    std::shared_ptr<crypto::SigningKey const> log_key_;
    std::map<int, Link> links_;
    int next_link_ = 1;
    std::map<AccountId, Account> accounts_;
    std::map<InvitationId, Invitation> invitations_;
    std::map<std::pair<DeviceId, RequestId>, Bound> bound_;
    std::map<std::pair<DeviceId, ConversationId>, std::set<std::uint64_t>> acked_;
    std::map<SubjectId, Subject> subjects_;
    std::vector<Entry> entries_;
    std::vector<Hash32> leaves_;
    std::optional<std::uint64_t> shown_size_;
};

}  // namespace interlude::tests

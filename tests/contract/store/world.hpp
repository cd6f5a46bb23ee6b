// A store of each kind with a therapist and a client, a clock that stands still until it is set, and everything that
// was announced. Each suite of this folder runs once per store.
#pragma once

#include <gmock/gmock.h>

#include "common/mls_framing/declaration.hpp"
#include "server/store/memory/memory_store.hpp"
#include "tests/contract/vfs/fixture.hpp"

namespace interlude::test {

using namespace std::chrono_literals;
using base::AccountId;
using base::ConversationId;
using base::RequestId;
using base::SubjectId;
using core::DeviceRef;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Rule;

enum class Kind { memory, sqlite };

class World : public testing::TestWithParam<Kind> {
  protected:
    explicit World(core::Policy const& policy = {});
    ~World() override;

    /// Opens the store; a second time on what the first left behind.
    void open();
    template <class T>
    T run(boost::asio::awaitable<T> verb) {
        return wait(io, std::move(verb));
    }
    void run(boost::asio::awaitable<void> verb) { wait(io, std::move(verb)); }
    /// What was announced since the last call.
    std::vector<core::Changed> announced();
    core::Seed seed() { return pair.entropy.id<core::Seed>(); }

    // ---- How things begin ----
    /// The two in one conversation.
    void meet(bool with_her_second_device = false);
    /// They have met, and her hours were published, a second before noon.
    void meet_with_hours(std::uint16_t from, std::uint16_t to, bool with_her_second_device = false);
    /// By an invitation of the operator.
    ports::RedeemAnswer join(Person const& therapist);
    std::vector<Bytes> stock(Person const& person, int count, std::size_t device = 0);
    crypto::SigningKey invite(Person const& inviter, WallTime expiry = noon + std::chrono::days{7});
    wire::KeyPackages fetched(crypto::SigningKey const& invitation, Person const& inviter);
    core::RedeemRequest founding(crypto::SigningKey const& invitation, Person const& client,
                                 ConversationId const& conversation, wire::KeyPackages const& packages);
    void put_hours(std::uint16_t from, std::uint16_t to);

    // ---- What people do ----
    core::Submission message(Person const& from, std::uint64_t number, WallTime stamp, std::size_t size = 300,
                             std::uint64_t epoch = 1);
    core::Submission of_epoch(core::Submission submission, std::uint64_t epoch, std::size_t size = 300);
    /// Accepted; its seq.
    std::uint64_t send(Person const& from, std::uint64_t number);
    core::CommitSubmission commit(DeviceRef const& sender, std::uint64_t epoch, mls_framing::Declaration declaration,
                                  std::vector<Bytes> welcomes = {});
    /// The account's second device joins: list, packages, commit.
    void add_second_device(Person& person, std::uint64_t epoch);

    // ---- What they see ----
    ports::Offer offer(DeviceRef const& device, core::ConversationSeen seen = {});
    std::vector<std::uint64_t> seqs_offered(DeviceRef const& device, core::ConversationSeen seen = {});
    std::uint64_t entries() { return run(store->log_head()).entries; }
    std::uint64_t envelopes() { return run(store->counts()).envelopes; }
    /// The payloads that the device may open, by counter.
    std::vector<audit::Payload> opened(DeviceRef const& reader, SubjectId const& subject);
    SubjectId subject() const { return audit::subject_of(pair.conversation); }

    core::Policy policy;
    boost::asio::io_context io;
    std::atomic<WallTime> now{noon};
    std::atomic<bool> believed{true};
    Pair pair{21, noon};
    Person& therapist = pair.therapist;
    Person& client = pair.client;
    std::unique_ptr<ports::Store> store;

  private:
    FaultVfs vfs_{"contract"};
    ScratchFolder folder_;
    std::shared_ptr<store_memory::Disk> disk_ = std::make_shared<store_memory::Disk>();
    std::mutex mutex_;
    std::vector<core::Changed> announced_;
};

template <class Answer>
std::optional<Rule> rule_of(Answer const& answer) {
    auto const* refusal = std::get_if<wire::Refused>(&answer);
    return refusal ? std::optional(refusal->rule) : std::nullopt;
}
template <class Answer>
bool done(Answer const& answer) {
    return std::holds_alternative<wire::Done>(answer);
}
/// Of one kind, in their order.
template <class Item>
std::vector<Item> items(ports::Offer const& offer) {
    std::vector<Item> found;
    for (auto const& item : offer.items)
        if (auto const* one = std::get_if<Item>(&item)) found.push_back(*one);
    return found;
}

inline std::string name_of(testing::TestParamInfo<Kind> const& kind) {
    return kind.param == Kind::memory ? "memory" : "sqlite";
}

}  // namespace interlude::test

#define INTERLUDE_BOTH_STORES(suite)                                                                        \
    INSTANTIATE_TEST_SUITE_P(Store, suite,                                                                  \
                             testing::Values(interlude::test::Kind::memory, interlude::test::Kind::sqlite), \
                             interlude::test::name_of)

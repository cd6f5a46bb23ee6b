// The services behind a link: takes every message to its LinkCore and carries out the step. One coroutine for each
// request under way; answers leave through the link's sink.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>

#include "common/crypto/entropy.hpp"
#include "server/core/link_core.hpp"
#include "server/ports/timers.hpp"
#include "server/service/audit_sequencer.hpp"
#include "server/service/link_host.hpp"
#include "server/service/link_registry.hpp"
#include "server/service/outage.hpp"

namespace interlude::service {

struct LinkServiceOptions {
    core::LinkSettings link;
    wire::LinkLimits limits;
    core::Millis login_time_max{10'000};
    base::InstanceId instance;
    std::uint64_t restore_count = 0;
};

/// Everything that the links of one server share. Outlives them.
struct Shared {
    boost::asio::any_io_executor executor;
    ports::Store& store;
    ports::Timers& timers;
    crypto::Entropy& entropy;
    AuditSequencer& sequencer;
    LinkRegistry& registry;
    ports::Diag& diag;
    ports::Metrics& metrics;
    LinkServiceOptions options;
    std::function<void()> calendars_changed;
    bool draining = false;
    std::map<core::DeviceRef, std::weak_ptr<core::RateBook>> rates;  // one book for all links of a device
    std::size_t rates_looked_through_at = 64;                        // books of ended links go when there are more
    // Likewise of an invitation; kept, or every new link would begin anew.
    std::map<base::InvitationId, std::shared_ptr<core::RateBook>> invited_rates{};
    Outage outage{diag, metrics, "the_store_does_not_write_requests_are_put_off", "the_store_writes_again"};

    std::shared_ptr<core::RateBook> rates_of(core::DeviceRef const& device);
    std::shared_ptr<core::RateBook> rates_of(base::InvitationId const& invitation);
    Turns offers{executor, offers_at_once};

    static constexpr std::size_t offers_at_once = 16;

    core::Seed seed() { return entropy.id<core::Seed>(); }
};

class LinkService final : public LinkHosts {
  public:
    explicit LinkService(Shared& shared) : shared_(shared) {}
    std::unique_ptr<LinkHost> host(std::shared_ptr<ports::DeliverySink> sink) override;

  private:
    Shared& shared_;
};

/// What the requests of one link know of it; they may outlive it.
struct LinkContext {
    LinkContext(Shared& of, core::LinkCore machine, std::shared_ptr<ports::DeliverySink> to)
        : shared(of), core(std::move(machine)), sink(std::move(to)) {}

    void answer(base::RequestId const& request, wire::ServerBody body) { sink->push({request, std::move(body)}); }
    void finish(std::uint16_t code, std::uint32_t retry_after_seconds = 0) {
        core.on_closing();
        sink->finish(code, retry_after_seconds);
    }

    Shared& shared;
    core::LinkCore core;
    std::shared_ptr<ports::DeliverySink> sink;
    std::shared_ptr<Courier> courier;  // once authenticated
    std::optional<LinkRegistry::Handle> entered;
    std::vector<bytes::Bytes> waiting;  // messages that came while login facts are loaded
    /// Acks until the store has them: those of a conversation that come during a visit go together with the next.
    std::map<base::ConversationId, std::deque<wire::Ack>> acks{};
    bool loading = false;
    bool closed = false;
};

/// An ack to the store: by itself, or with others of its conversation where a visit is under way.
void serve_ack(std::shared_ptr<LinkContext> const& link, core::DeviceRef const& device, wire::Ack ack);

/// One other legal request to its end: the store's verb, the answer, the proof. Never throws: where the store fails the
/// app is told to ask again, and what has no answer is tried again here.
boost::asio::awaitable<void> serve_request(std::shared_ptr<LinkContext> link, core::Submit submit);

}  // namespace interlude::service

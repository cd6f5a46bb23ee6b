#include "server/service/link_service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <set>

#include "common/audit/entry.hpp"
#include "common/wire/codec.hpp"

namespace interlude::service {

namespace asio = boost::asio;

namespace {

constexpr std::size_t messages_while_loading_max = 16;
constexpr std::size_t invited_rates_max = 10'000;  // kept; all of them are of invitations that exist

void on_bytes(std::shared_ptr<LinkContext> const& link, bytes::ByteView message);

/// Loads who the link says it is; what came meanwhile follows.
asio::awaitable<void> load_facts(std::shared_ptr<LinkContext> link, core::LoadFacts load) {
    auto& shared = link->shared;
    try {
        if (auto const* device = std::get_if<core::DeviceRef>(&load.who)) {
            auto const facts = co_await shared.store.login_facts(*device);
            std::optional<core::DeviceFacts> known;
            if (facts) known = core::DeviceFacts{facts->auth_key, facts->side, facts->suspended};
            link->core.on_device_facts(known, shared.rates_of(*device));
        } else {
            auto const invitation = std::get<base::InvitationId>(load.who);
            auto const row = co_await shared.store.invitation(invitation);
            if (row)
                link->core.on_invitation_facts(core::InvitationKeyFacts{row->document.invitation_key},
                                               shared.rates_of(invitation));
            else
                link->core.on_invitation_facts(std::nullopt);
        }
    } catch (std::exception const&) {
        shared.metrics.add(ports::Counter::store_errors);
        shared.diag.say(ports::Level::error, "store_failed_at_login");
        link->finish(core::close_code::overload, 5);
    }
    link->loading = false;
    auto const waiting = std::move(link->waiting);
    link->waiting.clear();
    for (auto const& message : waiting) on_bytes(link, message);
}

/// Leaves out closed conversations, which pile up over the years, and the chains that only they have to do with. The
/// courier tells their state like any other that the link does not know yet.
std::vector<base::ConversationId> take_out_closed(ports::Snapshot& snapshot, base::AccountId const& own) {
    std::vector<base::ConversationId> closed;
    std::set<base::SubjectId> wanted{audit::subject_of(own)};
    std::vector<wire::ConversationState> open;
    for (auto& state : snapshot.conversations) {
        if (state.closed) {
            closed.push_back(state.conversation);
            continue;
        }
        wanted.insert(audit::subject_of(state.conversation));
        for (auto const& member : state.members) wanted.insert(audit::subject_of(member.account));
        open.push_back(std::move(state));
    }
    snapshot.conversations = std::move(open);
    std::erase_if(snapshot.subjects, [&](auto const& state) { return !wanted.contains(state.subject); });
    return closed;
}

/// What a hello confirms. The login does not hang on it: what is not forgotten now goes after two hold lives.
asio::awaitable<void> confirm(Shared& shared, core::DeviceRef device, std::vector<base::RequestId> ids) {
    try {
        co_await shared.store.confirm(device, std::move(ids));
    } catch (std::exception const& error) {
        shared.outage.failed(error);
    }
}

/// `ready` and the courier, for a device; `ready` alone for an invitee.
asio::awaitable<void> welcome(std::shared_ptr<LinkContext> link, core::Welcomed welcomed) {
    auto& shared = link->shared;
    try {
        wire::Ready ready;
        ready.limits = shared.options.limits;
        ready.instance = shared.options.instance;
        ready.restore_count = shared.options.restore_count;
        ready.log_vkey = shared.sequencer.vkey();
        std::vector<base::ConversationId> closed_conversations;
        auto const* const device = std::get_if<core::DeviceRef>(&welcomed.who);
        if (link->closed) co_return;
        if (device) {
            // Before anything is read, so that no change can fall between the reading and the waking.
            link->courier = std::make_shared<Courier>(shared.executor, shared.store, *device, link->sink, shared.offers,
                                                      shared.diag, shared.metrics);
            link->entered = shared.registry.enter({*device, link->sink, link->courier, false, {}});
            if (!welcomed.confirmed.empty())
                asio::co_spawn(shared.executor, confirm(shared, *device, welcomed.confirmed), asio::detached);
            auto snapshot = co_await shared.store.snapshot(*device);
            closed_conversations = take_out_closed(snapshot, device->account);
            ready.conversations = std::move(snapshot.conversations);
            ready.subjects = std::move(snapshot.subjects);
            // Its facts are from before it proved who it is: a removal since then found no link to end.
            auto const facts = co_await shared.store.login_facts(*device);
            if (!facts || facts->suspended) {
                link->finish(core::close_code::removed);
                co_return;
            }
        }
        auto checkpoint = co_await shared.sequencer.checkpoint_after(welcomed.log_size_seen);
        ready.checkpoint = std::move(checkpoint.note);
        ready.consistency = std::move(checkpoint.consistency);
        ready.time = shared.timers.time().now;
        if (link->closed) co_return;
        auto const conversations = ready.conversations;
        link->answer(welcomed.request, std::move(ready));
        shared.metrics.add(ports::Counter::logins);
        if (!device) co_return;
        link->courier->began_with(conversations);
        for (auto const& conversation : closed_conversations) link->courier->changed(conversation);
        shared.registry.now_ready(*link->entered);
        auto const courier = link->courier;
        co_await courier->run();
    } catch (std::exception const&) {
        shared.metrics.add(ports::Counter::store_errors);
        shared.diag.say(ports::Level::error, "store_failed_while_delivering");
        link->finish(core::close_code::overload, 5);
    }
}

asio::awaitable<void> expect_login(std::shared_ptr<LinkContext> link) {
    auto& shared = link->shared;
    co_await shared.timers.sleep_until(shared.timers.mono_now() + shared.options.login_time_max);
    auto const state = link->core.state();
    if (!link->closed && (state == core::LinkState::fresh || state == core::LinkState::hello_received))
        link->finish(core::close_code::not_authenticated);
}

struct CarryOut {
    std::shared_ptr<LinkContext> const& link;

    void operator()(core::Ignore&) const {}
    void operator()(core::LoadFacts& load) const {
        link->loading = true;
        asio::co_spawn(link->shared.executor, load_facts(link, load), asio::detached);
    }
    void operator()(core::Welcomed& welcomed) const {
        asio::co_spawn(link->shared.executor, welcome(link, std::move(welcomed)), asio::detached);
    }
    void operator()(core::Submit& submit) const {
        if (auto* ack = std::get_if<wire::Ack>(&submit.frame.body))
            return serve_ack(link, std::get<core::DeviceRef>(submit.who), std::move(*ack));
        asio::co_spawn(link->shared.executor, serve_request(link, std::move(submit)), asio::detached);
    }
    void operator()(core::Reply& reply) const { link->sink->push(std::move(reply.frame)); }
    void operator()(core::CloseLink& close) const {
        if (close.code == core::close_code::not_authenticated) link->shared.metrics.add(ports::Counter::logins_refused);
        link->finish(close.code, close.retry_after_seconds);
    }
};

void on_bytes(std::shared_ptr<LinkContext> const& link, bytes::ByteView message) {
    auto& shared = link->shared;
    if (link->loading) {
        if (link->waiting.size() >= messages_while_loading_max) {
            link->finish(core::close_code::too_fast, 1);
        } else {
            link->waiting.push_back(bytes::copy(message));
        }
        return;
    }
    shared.metrics.add(ports::Counter::frames_received);
    auto frame = wire::decode_client_frame(message);
    core::Step step;
    if (frame) {
        step = link->core.on_frame(std::move(*frame), message, shared.timers.mono_now(), shared.timers.time().now);
    } else {
        shared.metrics.add(ports::Counter::frames_malformed);
        step = link->core.on_bad_frame();
    }
    std::visit(CarryOut{link}, step);
}

class Host final : public LinkHost {
  public:
    explicit Host(std::shared_ptr<LinkContext> link) : link_(std::move(link)) {}

    void opened() override {
        auto& shared = link_->shared;
        shared.metrics.add(ports::Counter::links_opened);
        link_->sink->push(link_->core.nonce_frame(shared.timers.time().now));
        asio::co_spawn(shared.executor, expect_login(link_), asio::detached);
    }
    void on_message(bytes::ByteView message) override { on_bytes(link_, message); }
    void closed() override {
        link_->closed = true;
        link_->core.on_closing();
        if (link_->courier) link_->courier->stop();
        if (link_->entered) link_->shared.registry.leave(*link_->entered);
        link_->entered.reset();
    }

  private:
    std::shared_ptr<LinkContext> link_;
};

}  // namespace

std::shared_ptr<core::RateBook> Shared::rates_of(core::DeviceRef const& device) {
    if (auto const known = rates[device].lock()) return known;
    // Now and then only: ten thousand devices that come back at once must not each look at all the others.
    if (rates.size() > rates_looked_through_at) {
        std::erase_if(rates, [](auto const& item) { return item.second.expired(); });
        rates_looked_through_at = 2 * rates.size() + 64;
    }
    auto const made = std::make_shared<core::RateBook>(options.link.device_rates);
    rates[device] = made;
    return made;
}

std::shared_ptr<core::RateBook> Shared::rates_of(base::InvitationId const& invitation) {
    if (auto const known = invited_rates.find(invitation); known != invited_rates.end()) return known->second;
    if (invited_rates.size() >= invited_rates_max)
        std::erase_if(invited_rates, [](auto const& item) { return item.second.use_count() == 1; });
    return invited_rates[invitation] = std::make_shared<core::RateBook>(options.link.invited_rates);
}

std::unique_ptr<LinkHost> LinkService::host(std::shared_ptr<ports::DeliverySink> sink) {
    if (shared_.draining) return nullptr;
    core::LinkCore core(shared_.options.link, shared_.entropy.bytes(32));
    return std::make_unique<Host>(std::make_shared<LinkContext>(shared_, std::move(core), std::move(sink)));
}

}  // namespace interlude::service

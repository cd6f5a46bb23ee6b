#include "tests/sim/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "common/audit/checkpoint.hpp"
#include "common/base/limits.hpp"
#include "common/identity/invitation.hpp"
#include "common/identity/invitation_link.hpp"

namespace interlude::sim {

namespace asio = boost::asio;

Server::Server(Clock& clock, std::shared_ptr<store_memory::Disk> disk, crypto::Entropy& entropy,
               crypto::SigningKey const& log_key)
    : entropy_(entropy),
      timers_(io_.get_executor(), clock),
      store_(disk, core::Policy{},
             {[this] { return timers_.time(); },
              [this](core::Changed changed) {
                  asio::post(io_, [this, changed = std::move(changed)] {
                      registry_.changed(changed);
                      sequencer_.wake();
                  });
              }},
             entropy.id<core::Seed>()),
      sequencer_(io_.get_executor(), store_, timers_, log_key.clone(), audit::log_origin(server_name), diag_, metrics_),
      ticker_(store_, timers_, entropy, diag_, metrics_),
      janitor_(store_, timers_, entropy, diag_, metrics_) {
    service::LinkServiceOptions options;
    options.link.server_name = server_name;
    options.limits.in_flight_max = static_cast<std::uint32_t>(options.link.in_flight_max);
    options.instance = disk->info.instance;
    shared_.emplace(service::Shared{io_.get_executor(),
                                    store_,
                                    timers_,
                                    entropy,
                                    sequencer_,
                                    registry_,
                                    diag_,
                                    metrics_,
                                    std::move(options),
                                    [this] { ticker_.calendars_changed(); },
                                    false,
                                    {}});
    links_.emplace(*shared_);
    spawn(sequencer_.resume());
    settle();
    spawn(sequencer_.run());
    spawn(ticker_.run());
    spawn(janitor_.run());
}

Server::~Server() {
    for (auto const& weak : accepted_)
        if (auto const link = weak.lock()) link->server_died();
    for (int round = 0; round < 4; ++round) io_.drop_everything();  // unwinding a coroutine posts what is above it
}

void Server::spawn(asio::awaitable<void> service) {
    asio::co_spawn(io_, std::move(service), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
}

void Server::accept(std::shared_ptr<Link> const& link) {
    std::erase_if(accepted_, [](auto const& weak) { return weak.expired(); });
    accepted_.push_back(link);
    link->accept(links_->host(link));
}

bool Server::settle(std::uint64_t handlers_max) {
    io_.restart();
    while (io_.poll_one() > 0)
        if (handlers_max-- == 0) return false;
    return true;
}

std::string Server::invite_therapist(WallTime now) {
    auto const seed = entropy_.secret(crypto::ed25519_seed_size);
    auto const key = identity::invitation_key(seed.expose());
    auto const expiry = now + base::limits::invitation_life_default;
    auto document = identity::operators_invitation(key.public_key(), expiry);
    identity::InvitationFragment fragment;
    fragment.kind = document.kind;
    fragment.seed = seed.clone();
    fragment.log_key_hash = audit::log_key_hash(sequencer_.log_key().public_key());
    fragment.expiry = expiry;
    spawn(store_.put_operator_invitation(std::move(document), entropy_.id<core::Seed>()));
    sequencer_.wake();
    settle();
    return identity::format_link({std::string(server_name), std::move(fragment)});
}

}  // namespace interlude::sim

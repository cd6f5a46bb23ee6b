// Sends one link what its device is to have, reading the store alone: state, documents, handshakes, then every envelope
// that passes by now. It never trusts a relay's hand, so a restart, a second link or a second server change nothing.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "server/ports/delivery_sink.hpp"
#include "server/ports/diag.hpp"
#include "server/ports/metrics.hpp"
#include "server/ports/store.hpp"
#include "server/service/outage.hpp"
#include "server/service/turns.hpp"

namespace interlude::service {

class Courier : public std::enable_shared_from_this<Courier> {
  public:
    /// `pause`: between two attempts to read what the store could not read.
    Courier(boost::asio::any_io_executor executor, ports::Store& store, core::DeviceRef device,
            std::shared_ptr<ports::DeliverySink> sink, Turns offers, ports::Diag& diag, ports::Metrics& metrics,
            std::chrono::milliseconds pause = std::chrono::seconds{5});

    /// What Ready told the app already.
    void began_with(std::vector<wire::ConversationState> const& conversations);
    /// Something may be due in this conversation; absent: in every one that the link knows.
    void changed(std::optional<base::ConversationId> conversation);
    /// These are in the device's vault.
    void acked(base::ConversationId conversation, std::vector<std::uint64_t> const& seqs);
    /// Offers until the link ends. The caller keeps a shared_ptr alive meanwhile. A conversation that the store cannot
    /// read keeps no other one waiting: the app and the operator are told, and it is tried again.
    boost::asio::awaitable<void> run();
    void stop();

  private:
    boost::asio::awaitable<void> offer(base::ConversationId conversation);
    /// They are no longer on their way to the link, which may make something else due.
    void forget(base::ConversationId const& conversation, std::vector<std::uint64_t> const& seqs);
    boost::asio::awaitable<void> drained();
    boost::asio::awaitable<void> sleep();
    void try_again();
    void failed(base::ConversationId const& conversation, std::exception const& error);
    void worked(base::ConversationId const& conversation);

    ports::Store& store_;
    core::DeviceRef device_;
    std::shared_ptr<ports::DeliverySink> sink_;
    Turns offers_;  // of all couriers: a crowd of them keeps nobody else waiting long
    ports::Metrics& metrics_;
    std::chrono::milliseconds pause_;
    std::map<base::ConversationId, core::ConversationSeen> seen_;
    core::DocumentsSeenByAccount documents_;
    std::set<base::ConversationId> due_;
    std::optional<base::ConversationId> reading_;  // by the store, which may not know what comes meanwhile
    std::vector<std::uint64_t> acked_meanwhile_;   // of that one
    base::ConversationId last_offered_;
    Outage outage_;
    std::map<base::ConversationId, int> troubled_;  // not read by so many attempts; due again at the time below
    std::chrono::steady_clock::time_point try_again_at_;
    bool stopped_ = false;
    boost::asio::steady_timer wake_;
};

}  // namespace interlude::service

// A link in memory: frames take time in both directions, in order, until it is cut. The server's end is the sink that
// services are given; after a cut either end may go on for a while without knowing.
#pragma once

#include <functional>
#include <memory>

#include "server/ports/delivery_sink.hpp"
#include "server/service/link_host.hpp"
#include "tests/sim/witness.hpp"

namespace interlude::sim {

/// How the network is: wild, or calm while everything is to be delivered.
struct Weather {
    Dice dice;
    bool calm = false;
    /// One frame's way.
    Millis delay(Story& story);
};

class Link final : public ports::DeliverySink, public std::enable_shared_from_this<Link> {
  public:
    /// Who has the app's end.
    class Receiver {
      public:
        virtual ~Receiver() = default;
        virtual void on_message(Link& link, Bytes const& message) = 0;
        virtual void on_end(Link& link) = 0;
    };

    Link(Clock& clock, Story& story, Weather& weather, Witness& witness, Receiver& receiver, std::string who);

    // The server's end.
    void accept(std::unique_ptr<service::LinkHost> host);
    bool push(wire::ServerFrame frame) override;
    void finish(std::uint16_t close_code, std::uint32_t retry_after_seconds) override;
    bool open() const override { return host_ && !finished_; }
    void when_drained(std::function<void()> drained) override;
    /// Its process is gone: nobody is told, the app finds out later.
    void server_died();

    // The app's end.
    void send(Bytes message);
    /// Everything sent before arrives.
    void hang_up();
    /// What is under way may be lost.
    void cut();
    /// Its process is gone.
    void forget_receiver() { receiver_ = nullptr; }

  private:
    void arrive_at_server(Bytes const& message);
    void arrive_at_app(Bytes const& message);
    void end_at_server();
    void end_at_app();

    Clock& clock_;
    Story& story_;
    Weather& weather_;
    Witness& witness_;
    Receiver* receiver_;
    Witness::Seen seen_;
    std::unique_ptr<service::LinkHost> host_;
    bool finished_ = false;   // the server said goodbye
    bool up_dead_ = false;    // frames of the app do not arrive any more
    bool down_dead_ = false;  // frames of the server do not arrive any more
    bool cut_ = false;
    WallTime last_up_{};
    WallTime last_down_{};
    std::size_t under_way_ = 0;  // bytes to the app
    std::vector<std::function<void()>> drained_;
};

}  // namespace interlude::sim

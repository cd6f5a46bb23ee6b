// Where frames to one link go: its outbox. Never waits.
#pragma once

#include <functional>

#include "common/wire/frames.hpp"

namespace interlude::ports {

class DeliverySink {
  public:
    virtual ~DeliverySink() = default;
    /// False when the link is closing or its outbox is full (which closes it): stop reading the store for it.
    virtual bool push(wire::ServerFrame frame) = 0;
    /// Goodbye with this close code, after everything pushed before.
    virtual void finish(std::uint16_t close_code, std::uint32_t retry_after_seconds) = 0;
    virtual bool open() const = 0;
    /// Calls `drained` once, when less than half of the outbox is in use (at once if so already); never after the end.
    virtual void when_drained(std::function<void()> drained) = 0;
};

}  // namespace interlude::ports

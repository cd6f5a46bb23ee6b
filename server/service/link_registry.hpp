// Which devices have links now. At most four of one device: a fifth ends the oldest.
#pragma once

#include <list>
#include <map>
#include <memory>

#include "server/ports/delivery_sink.hpp"
#include "server/service/courier.hpp"

namespace interlude::service {

struct LiveDevice {
    core::DeviceRef device;
    std::shared_ptr<ports::DeliverySink> sink;
    std::shared_ptr<Courier> courier;
    bool ready = true;                     // false: nothing may be sent before Ready; what it is told waits
    std::vector<wire::ServerBody> told{};  // meanwhile
};

class LinkRegistry {
  public:
    using Handle = std::list<LiveDevice>::iterator;

    /// Ends the device's oldest link (4409) when this is one too many.
    Handle enter(LiveDevice live);
    void leave(Handle handle);
    /// Ready was sent: what the link was told meanwhile follows.
    void now_ready(Handle handle);

    /// Wakes the couriers of these accounts and ends the links of dropped devices (4403).
    void changed(core::Changed const& changed);
    /// Wakes every courier: the time is believed again, what was accepted meanwhile may pass.
    void wake_all();
    /// To every link of the account.
    void tell(base::AccountId const& account, wire::ServerBody const& body);

    /// Some device of the account that has a link; nullopt: none has.
    std::optional<core::DeviceRef> device_with_link(base::AccountId const& account) const;

    std::size_t size() const { return size_; }

  private:
    std::map<base::AccountId, std::list<LiveDevice>> accounts_;  // oldest link first
    std::size_t size_ = 0;
};

}  // namespace interlude::service

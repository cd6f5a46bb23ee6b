// Which requests one link already carried, and which may not go before a time (the server asked for patience). Dies
// with the link.
#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"

namespace interlude::engine {

struct InFlight {
    std::set<base::RequestId> sent;   // and not answered
    std::size_t window_max = 16;      // what the server allows
    std::size_t window = 16;          // halved when it asks for patience, grows with every answer
    bool key_packages_there = false;  // the server said so: an invitation can be used
    std::map<base::RequestId, base::WallTime> not_before;
    std::map<base::RequestId, base::WallTime> proof_due;  // stored: the place is kept for the proof until then
    std::map<base::ConversationId, base::WallTime> commits_not_before;
    std::map<base::ConversationId, base::WallTime> messages_not_before;  // after an answer that cannot be true

    void allow(std::size_t max) {
        window_max = std::max<std::size_t>(1, max);
        window = std::min(window, window_max);
    }
    bool full() const { return sent.size() >= window; }
    void answered(base::RequestId const& request) {
        proof_due.erase(request);
        if (sent.erase(request) > 0 && window < window_max) ++window;
    }
    /// Nothing is wrong with it, and others should not wait for it: it is asked again then.
    void ask_again(base::RequestId const& request, base::WallTime then) {
        answered(request);
        not_before[request] = then;
    }
    /// Proofs that are due and did not come give their places back.
    void give_up_proofs(base::WallTime now) {
        for (auto it = proof_due.begin(); it != proof_due.end();) {
            if (it->second > now) {
                ++it;
                continue;
            }
            sent.erase(it->first);
            it = proof_due.erase(it);
        }
    }
    void be_patient(base::RequestId const& request, base::WallTime until) {
        proof_due.erase(request);
        sent.erase(request);
        not_before[request] = until;
        if (window > 1) window /= 2;
    }
};

}  // namespace interlude::engine

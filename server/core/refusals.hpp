// The dull answers to peers (house.md: few and dull; the reason goes to diagnostics).
#pragma once

#include "common/wire/frames.hpp"

namespace interlude::core {

inline wire::Refused refused(wire::Rule rule) {
    wire::Refused answer;
    answer.rule = rule;
    return answer;
}
inline wire::Refused refused(wire::ScheduleProblem problem) {
    wire::Refused answer;
    answer.rule = problem == wire::ScheduleProblem::wrong_number ? wire::Rule::conflict : wire::Rule::schedule;
    answer.problem = problem;
    return answer;
}
inline wire::Refused too_fast(std::chrono::seconds retry_after) {
    wire::Refused answer;
    answer.rule = wire::Rule::too_fast;
    answer.retry_after_seconds = static_cast<std::uint32_t>(retry_after.count());
    return answer;
}

}  // namespace interlude::core

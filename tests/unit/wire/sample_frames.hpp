// One filled-in frame of every kind, for round trips and for the golden bytes in tests/cases/frames.json.
#pragma once

#include <vector>

#include "common/wire/frames.hpp"

namespace interlude::tests {

std::vector<wire::ClientFrame> sample_client_frames();
std::vector<wire::ServerFrame> sample_server_frames();

}  // namespace interlude::tests

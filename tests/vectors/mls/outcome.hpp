// What checking one entry of an official MLS test vector file came to.
#pragma once

#include <string>

namespace interlude::mls_vectors {

struct Outcome {
    enum Status { passed, skipped, failed } status = passed;
    std::string reason{};  // of a skip or a failure

    static Outcome pass() { return {}; }
    static Outcome skip(std::string why) { return {skipped, std::move(why)}; }
    static Outcome fail(std::string why) { return {failed, std::move(why)}; }
};

}  // namespace interlude::mls_vectors

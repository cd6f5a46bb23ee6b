// How a vector check reads its entry and says what differed: the first difference ends the entry as failed.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "common/base/result.hpp"
#include "common/bytes/text.hpp"
#include "common/crypto/suite.hpp"
#include "tests/vectors/mls/outcome.hpp"

namespace interlude::mls_vectors {

inline void expect(bool condition, std::string const& what) {
    if (!condition) throw std::runtime_error(what);
}

/// The value of a Result, or the entry fails with its reason.
template <class T>
T need(base::Result<T> result, std::string const& what) {
    if (!result) throw std::runtime_error(what + ": " + std::string(name(result.error())));
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline bytes::Bytes hex(nlohmann::json const& value) {
    auto decoded = bytes::from_hex(value.get<std::string>());
    expect(decoded.has_value(), "not hex");
    return std::move(*decoded);
}

/// The suite of an entry. nullptr: none of ours, the entry is skipped.
inline crypto::Suite const* suite_of(nlohmann::json const& entry) {
    auto suite = crypto::find_suite(entry.at("cipher_suite").get<std::uint16_t>());
    return suite ? *suite : nullptr;
}

/// Runs a check; what it throws (ours or the JSON library's) is the reason of the failure.
template <class Check>
Outcome checked(Check&& check) {
    try {
        check();
        return Outcome::pass();
    } catch (std::exception const& difference) {
        return Outcome::fail(difference.what());
    }
}

}  // namespace interlude::mls_vectors

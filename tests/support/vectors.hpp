// Finds the public test vectors: INTERLUDE_VECTORS, else ../shared/vectors beside the checkout. Where they are absent a
// test skips visibly; with CI=true it fails.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/bytes/bytes.hpp"

namespace interlude::tests {

/// The folder of vectors, or nullopt where there is none.
std::optional<std::filesystem::path> vectors_folder();
nlohmann::json read_json(std::filesystem::path const& file);
/// Hex of a JSON string; fails the test on bad hex.
bytes::Bytes hex(nlohmann::json const& value);
/// A file of this repository's tests/cases.
std::filesystem::path case_file(std::string const& name);

}  // namespace interlude::tests

/// `INTERLUDE_VECTORS_OR_SKIP(json, "mls/tree-math.json");` declares the parsed file, skips, or (CI) fails.
#define INTERLUDE_VECTORS_OR_SKIP(variable, relative)                                       \
    auto const variable##_folder = ::interlude::tests::vectors_folder();                    \
    if (!variable##_folder) {                                                               \
        if (std::getenv("CI")) FAIL() << "test vectors are missing: set INTERLUDE_VECTORS"; \
        GTEST_SKIP() << "no test vectors here (set INTERLUDE_VECTORS to their folder)";     \
    }                                                                                       \
    auto const variable = ::interlude::tests::read_json(*variable##_folder / (relative))

#include "tests/support/vectors.hpp"

#include <cstdlib>
#include <fstream>

#include "common/bytes/text.hpp"

namespace interlude::tests {

std::optional<std::filesystem::path> vectors_folder() {
    std::filesystem::path folder;
    if (char const* set = std::getenv("INTERLUDE_VECTORS"))
        folder = set;
    else
        folder = std::filesystem::path(INTERLUDE_SOURCE_DIR) / ".." / "shared" / "vectors";
    if (!std::filesystem::is_directory(folder)) return std::nullopt;
    return folder;
}

nlohmann::json read_json(std::filesystem::path const& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    return nlohmann::json::parse(in);
}

bytes::Bytes hex(nlohmann::json const& value) {
    auto decoded = bytes::from_hex(value.get<std::string>());
    if (!decoded) throw std::runtime_error("not hex: " + value.get<std::string>());
    return *decoded;
}

std::filesystem::path case_file(std::string const& name) {
    return std::filesystem::path(INTERLUDE_SOURCE_DIR) / "tests" / "cases" / name;
}

}  // namespace interlude::tests

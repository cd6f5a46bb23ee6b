// Writes the seeds of the targets with our own encoders: `fuzz_make_corpus tests/fuzz/corpus`. Run it when a format
// changes; what a fuzzer found lies next to the seeds as regression_NAME and is never written over.
#include "tests/fuzz/make_corpus.hpp"

#include <filesystem>
#include <fstream>

namespace interlude::fuzz {

namespace {

std::filesystem::path root;

}  // namespace

void seed(std::string const& target, std::string const& name, bytes::ByteView content) {
    std::filesystem::create_directories(root / target);
    std::ofstream(root / target / name, std::ios::binary)
        .write(reinterpret_cast<char const*>(content.data()), static_cast<std::streamsize>(content.size()));
}
void seed(std::string const& target, std::string const& name, unsigned choice, bytes::ByteView content) {
    bytes::Bytes chosen{static_cast<std::uint8_t>(choice)};
    bytes::append(chosen, content);
    seed(target, name, chosen);
}
void seed_text(std::string const& target, std::string const& name, std::string_view content) {
    seed(target, name, bytes::view(content));
}
void seed_text(std::string const& target, std::string const& name, unsigned choice, std::string_view content) {
    seed(target, name, choice, bytes::view(content));
}

}  // namespace interlude::fuzz

int main(int argc, char** argv) {
    using namespace interlude::fuzz;
    if (argc != 2) return 2;
    root = argv[1];
    make_wire_seeds();
    make_identity_seeds();
    make_schedule_seeds();
    make_audit_seeds();
    make_mls_seeds();
    make_mls_group_seeds();
    make_home_seeds();
    make_text_seeds();
}

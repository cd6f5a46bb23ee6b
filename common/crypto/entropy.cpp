#include "common/crypto/entropy.hpp"

#include <sodium.h>

#include "common/base/check.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::crypto {

std::uint64_t Entropy::below(std::uint64_t bound) {
    INTERLUDE_CHECK(bound > 0);
    // Draws below 2^64 mod bound are thrown away, so that what is left divides evenly.
    std::uint64_t const uneven = (0 - bound) % bound;
    for (;;) {
        std::array<std::uint8_t, 8> raw;
        fill(raw);
        std::uint64_t draw = 0;
        for (auto byte : raw) draw = (draw << 8) | byte;
        if (draw >= uneven) return draw % bound;
    }
}

SystemEntropy::SystemEntropy() {
    INTERLUDE_CHECK(sodium_init() >= 0);
}

void SystemEntropy::fill(std::span<std::uint8_t> out) {
    if (!out.empty()) randombytes_buf(out.data(), out.size());
}

SeededEntropy::SeededEntropy(std::uint64_t seed) {
    bytes::Bytes text(8);
    for (int i = 0; i < 8; ++i) text[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(seed >> (8 * (7 - i)));
    key_ = labelled_hash("seeded entropy", text).bytes;
}

void SeededEntropy::fill(std::span<std::uint8_t> out) {
    if (out.empty()) return;
    std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce{};
    for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(block_ >> (8 * i));
    ++block_;  // a key stream of its own for every call
    crypto_stream_chacha20(out.data(), out.size(), nonce.data(), key_.data());
}

}  // namespace interlude::crypto

// Randomness as an argument: pure code receives an Entropy&, programs hand in the system's, simulations a seeded one.
#pragma once

#include "common/base/ids.hpp"
#include "common/bytes/secret.hpp"

namespace interlude::crypto {

class Entropy {
  public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;

    bytes::SecretBytes secret(std::size_t size) {
        bytes::SecretBytes out(size);
        fill(out.expose_mutable());
        return out;
    }
    bytes::Bytes bytes(std::size_t size) {
        bytes::Bytes out(size);
        fill(out);
        return out;
    }
    template <class IdType>
    IdType id() {
        IdType out;
        fill(out.bytes);
        return out;
    }
    /// Uniform in [0, bound); bound > 0.
    std::uint64_t below(std::uint64_t bound);
};

/// libsodium's randombytes (getrandom). Initialises libsodium.
class SystemEntropy final : public Entropy {
  public:
    SystemEntropy();
    void fill(std::span<std::uint8_t> out) override;
};

/// ChaCha20 key stream of a seed: the same seed gives the same bytes. For simulation and tests only.
class SeededEntropy final : public Entropy {
  public:
    explicit SeededEntropy(std::uint64_t seed);
    void fill(std::span<std::uint8_t> out) override;

  private:
    std::array<std::uint8_t, 32> key_{};
    std::uint64_t block_ = 0;
};

}  // namespace interlude::crypto

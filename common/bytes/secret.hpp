// SecretBytes: key material. Move-only, wiped when it ends, cannot be printed or compared by accident.
#pragma once

#include "common/bytes/bytes.hpp"

namespace interlude::bytes {

class SecretBytes {
  public:
    SecretBytes() = default;
    explicit SecretBytes(std::size_t size) : bytes_(size) {}
    explicit SecretBytes(ByteView from) : bytes_(from.begin(), from.end()) {}
    /// Takes over `from` and leaves it empty.
    explicit SecretBytes(Bytes&& from) : bytes_(std::move(from)) { from.clear(); }
    SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
    SecretBytes& operator=(SecretBytes&& other) noexcept;
    SecretBytes(SecretBytes const&) = delete;
    SecretBytes& operator=(SecretBytes const&) = delete;
    ~SecretBytes() { wipe(); }
    bool operator==(SecretBytes const&) const = delete;

    /// An explicit copy, easy to grep.
    SecretBytes clone() const { return SecretBytes(ByteView(bytes_)); }
    ByteView expose() const { return bytes_; }
    std::span<std::uint8_t> expose_mutable() { return bytes_; }
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }
    /// Overwrites and empties.
    void wipe() noexcept;

  private:
    Bytes bytes_;
};

}  // namespace interlude::bytes

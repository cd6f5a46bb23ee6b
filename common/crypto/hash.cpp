#include "common/crypto/hash.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <new>

#include "common/base/check.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::crypto {

using base::Hash32;
using bytes::ByteView;
using bytes::SecretBytes;

namespace {

/// An HMAC over several pieces; its state is wiped.
class Hmac {
  public:
    explicit Hmac(ByteView key) {
        static constexpr std::uint8_t nothing = 0;  // libsodium wants a pointer even for an empty key
        crypto_auth_hmacsha256_init(&state_, key.empty() ? &nothing : key.data(), key.size());
    }
    ~Hmac() { sodium_memzero(&state_, sizeof state_); }
    Hmac(Hmac const&) = delete;
    Hmac& operator=(Hmac const&) = delete;

    Hmac& update(ByteView data) {
        if (!data.empty()) crypto_auth_hmacsha256_update(&state_, data.data(), data.size());
        return *this;
    }
    void finish(std::span<std::uint8_t, 32> out) { crypto_auth_hmacsha256_final(&state_, out.data()); }

  private:
    crypto_auth_hmacsha256_state state_;
};

/// Looked up once: OpenSSL asks its providers each time otherwise, which costs more than a short hash.
EVP_MD const* sha256_of_openssl() {
    static EVP_MD const* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return found;
}

// What fails below is a lack of memory or a broken provider, never the data.
void require(bool ok) {
    if (!ok) throw std::bad_alloc();
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    require(context_ && EVP_DigestInit_ex2(context_.get(), sha256_of_openssl(), nullptr) == 1);
}

Sha256& Sha256::update(ByteView data) {
    require(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
    return *this;
}

Hash32 Sha256::finish() {
    Hash32 out;
    require(EVP_DigestFinal_ex(context_.get(), out.bytes.data(), nullptr) == 1);
    return out;
}

Hash32 sha256(ByteView data) {
    return Sha256().update(data).finish();
}

Hash32 labelled_hash(std::string_view name, ByteView structure) {
    return Sha256().update(bytes::labelled(name, {})).update(structure).finish();
}

Hash32 hmac_sha256(ByteView key, ByteView data) {
    Hash32 out;
    Hmac(key).update(data).finish(out.bytes);
    return out;
}

bool equal_constant_time(ByteView a, ByteView b) {
    if (a.size() != b.size()) return false;
    return a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// RFC 5869 §2.2. An absent salt is the empty one: HMAC pads both to the same zero block.
SecretBytes hkdf_extract(ByteView salt, ByteView input_key_material) {
    SecretBytes out(32);
    Hmac(salt).update(input_key_material).finish(out.expose_mutable().first<32>());
    return out;
}

// RFC 5869 §2.3.
SecretBytes hkdf_expand(ByteView pseudorandom_key, ByteView info, std::size_t length) {
    INTERLUDE_CHECK(length <= 255 * 32);
    SecretBytes out(length);
    SecretBytes block;
    std::uint8_t counter = 0;
    for (std::size_t done = 0; done < length;) {
        ++counter;
        SecretBytes next(32);
        Hmac(pseudorandom_key)
            .update(block.expose())
            .update(info)
            .update({&counter, 1})
            .finish(next.expose_mutable().first<32>());
        block = std::move(next);
        auto const take = std::min<std::size_t>(32, length - done);
        std::copy_n(block.expose().begin(), take, out.expose_mutable().begin() + static_cast<std::ptrdiff_t>(done));
        done += take;
    }
    return out;
}

}  // namespace interlude::crypto

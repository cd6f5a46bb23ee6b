// SHA-256 over OpenSSL, which uses the processor's own instructions for it; HMAC-SHA-256 (RFC 2104, 6234) and
// HKDF-SHA-256 (RFC 5869) over libsodium.
#pragma once

#include <memory>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/bytes/secret.hpp"

struct evp_md_ctx_st;  // OpenSSL's

namespace interlude::crypto {

base::Hash32 sha256(bytes::ByteView data);
/// SHA-256 of `interlude/v1 NAME`, a zero byte and the structure (exact.md, Bytes).
base::Hash32 labelled_hash(std::string_view name, bytes::ByteView structure);

/// Any key length.
base::Hash32 hmac_sha256(bytes::ByteView key, bytes::ByteView data);
/// Constant-time comparison; false when the lengths differ.
bool equal_constant_time(bytes::ByteView a, bytes::ByteView b);

bytes::SecretBytes hkdf_extract(bytes::ByteView salt, bytes::ByteView input_key_material);
/// At most 255 * 32 bytes (checked: more is our own bug).
bytes::SecretBytes hkdf_expand(bytes::ByteView pseudorandom_key, bytes::ByteView info, std::size_t length);

/// SHA-256 over several pieces.
class Sha256 {
  public:
    Sha256();
    Sha256& update(bytes::ByteView data);
    base::Hash32 finish();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace interlude::crypto

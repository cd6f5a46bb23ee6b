// HPKE's labelled key derivation (RFC 9180 §4), shared by the KEM and the key schedule. Internal to common/crypto.
#pragma once

#include "common/bytes/secret.hpp"

namespace interlude::crypto {

/// "KEM" ‖ id (RFC 9180 §4.1).
bytes::Bytes hpke_kem_suite_id(std::uint16_t kem_id);
bytes::SecretBytes hpke_labelled_extract(bytes::ByteView suite_id, bytes::ByteView salt, std::string_view label,
                                         bytes::ByteView input_key_material);
bytes::SecretBytes hpke_labelled_expand(bytes::ByteView suite_id, bytes::ByteView pseudorandom_key,
                                        std::string_view label, bytes::ByteView info, std::size_t length);

}  // namespace interlude::crypto

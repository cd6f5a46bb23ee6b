#include "common/mls_framing/labelled.hpp"

#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"

namespace interlude::mls_framing {

bytes::Bytes sign_content(std::string_view label, bytes::ByteView content) {
    bytes::Writer writer;
    writer.opaque(bytes::view("MLS 1.0 " + std::string(label))).opaque(content);
    return std::move(writer).take();
}

base::Hash32 ref_hash(std::string_view label, bytes::ByteView value) {
    bytes::Writer writer;
    writer.opaque(bytes::view(label)).opaque(value);
    return crypto::sha256(writer.bytes());
}

}  // namespace interlude::mls_framing

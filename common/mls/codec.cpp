#include "common/mls/codec.hpp"

namespace interlude::mls {

Result<Bytes> read_bytes(Reader& reader) {
    INTERLUDE_TRY(auto view, reader.opaque());
    return bytes::copy(view);
}

Result<SecretBytes> read_secret(Reader& reader) {
    INTERLUDE_TRY(auto view, reader.opaque());
    return SecretBytes(view);
}

}  // namespace interlude::mls

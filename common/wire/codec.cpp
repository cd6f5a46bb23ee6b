#include "common/wire/codec.hpp"

#include <google/protobuf/stubs/logging.h>

#include "common/base/limits.hpp"
#include "common/wire/codec_client.hpp"
#include "common/wire/codec_server.hpp"

namespace interlude::wire {

namespace {

// protobuf writes complaints about a peer's bytes to stderr; our diagnostics are the programs' business.
[[maybe_unused]] auto const silenced = google::protobuf::SetLogHandler(nullptr);

template <class Frame>
Bytes serialise(Frame const& frame) {
    Bytes out(frame.ByteSizeLong());
    INTERLUDE_CHECK(frame.SerializeToArray(out.data(), static_cast<int>(out.size())));
    return out;
}

template <class Typed, class Proto, class DecodeBody>
base::Result<Typed> decode(bytes::ByteView frame, DecodeBody decode_body) {
    if (frame.size() > base::limits::frame_bytes_max) return base::Errc::too_long;
    Proto proto;
    if (!proto.ParseFromArray(frame.data(), static_cast<int>(frame.size()))) return base::Errc::malformed;
    Typed typed;
    if (!proto.request_id().empty()) {
        INTERLUDE_TRY(typed.request, read_id<RequestId>(proto.request_id()));
    }
    INTERLUDE_TRY(typed.body, decode_body(proto));
    return typed;
}

}  // namespace

base::Result<ClientFrame> decode_client_frame(bytes::ByteView frame) {
    return decode<ClientFrame, v1::ClientFrame>(frame, read_client_body);
}

base::Result<ServerFrame> decode_server_frame(bytes::ByteView frame) {
    return decode<ServerFrame, v1::ServerFrame>(frame, read_server_body);
}

Bytes encode(ClientFrame const& frame) {
    v1::ClientFrame proto;
    if (!frame.request.is_zero()) put_id(*proto.mutable_request_id(), frame.request);
    write_client_body(proto, frame.body);
    return serialise(proto);
}

Bytes encode(ServerFrame const& frame) {
    v1::ServerFrame proto;
    if (!frame.request.is_zero()) put_id(*proto.mutable_request_id(), frame.request);
    write_server_body(proto, frame.body);
    return serialise(proto);
}

}  // namespace interlude::wire

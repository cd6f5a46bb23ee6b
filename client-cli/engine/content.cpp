#include "client-cli/engine/content.hpp"

#include "common/base/limits.hpp"
#include "common/bytes/text.hpp"
#include "content.pb.h"

namespace interlude::engine {

namespace proto = interlude::content::v1;
using base::Errc;
using base::Result;

namespace {

constexpr std::size_t seqs_max = 1024;
constexpr std::size_t checkpoint_bytes_max = 8 * 1024;
constexpr std::size_t lists_max = 2 * base::limits::accounts_per_conversation_max;
constexpr std::size_t list_bytes_max = 8 * 1024;

std::string to_string(bytes::ByteView from) {
    return std::string(from.begin(), from.end());
}
bytes::ByteView view(std::string const& text) {
    return bytes::view(text);
}

/// Whether what a person wrote in it is UTF-8.
struct IsText {
    bool operator()(Text const& body) const { return bytes::is_utf8(body.text); }
    bool operator()(Profile const& body) const { return bytes::is_utf8(body.name); }
    bool operator()(CardContent const& body) const { return bytes::is_utf8(body.text); }
    bool operator()(auto const&) const { return true; }
};

struct WriteBody {
    proto::Content& to;
    void operator()(UnknownBody const&) const {}
    void operator()(Text const& body) const { to.mutable_text()->set_text(body.text); }
    void operator()(Opened const& body) const {
        to.mutable_opened();
        for (auto seq : body.seqs) to.mutable_opened()->add_seqs(seq);
    }
    void operator()(Receipt const& body) const {
        to.mutable_receipt();
        for (auto seq : body.seqs) to.mutable_receipt()->add_seqs(seq);
    }
    void operator()(Profile const& body) const { to.mutable_profile()->set_name(body.name); }
    void operator()(CardContent const& body) const {
        to.mutable_crisis_card()->set_text(body.text);
        to.mutable_crisis_card()->set_dated_ms(static_cast<std::uint64_t>(base::to_ms(body.dated)));
    }
    void operator()(EarlyDelivery const& body) const {
        to.mutable_early_delivery()->set_seq(body.seq);
        to.mutable_early_delivery()->set_came_at_ms(static_cast<std::uint64_t>(base::to_ms(body.came_at)));
    }
    void operator()(CannotOpen const& body) const {
        to.mutable_cannot_open();
        for (auto seq : body.seqs) to.mutable_cannot_open()->add_seqs(seq);
    }
};

Result<base::WallTime> read_time(std::uint64_t ms) {
    constexpr std::uint64_t year_10000 = 253402300800000;
    if (ms >= year_10000) return Errc::malformed;
    return base::wall_ms(static_cast<std::int64_t>(ms));
}

template <class Field>
Result<std::vector<std::uint64_t>> read_seqs(Field const& field) {
    if (field.empty()) return Errc::malformed;
    if (static_cast<std::size_t>(field.size()) > seqs_max) return Errc::too_long;
    return std::vector<std::uint64_t>(field.begin(), field.end());
}

Result<base::Hash32> read_hash(std::string const& from) {
    auto hash = base::Hash32::from(view(from));
    if (!hash) return Errc::malformed;
    return *hash;
}

Result<ContentBody> read_body(proto::Content const& from) {
    switch (from.body_case()) {
        case proto::Content::kText:
            if (from.text().text().size() > text_bytes_max) return Errc::too_long;
            return Text{from.text().text()};
        case proto::Content::kOpened: {
            INTERLUDE_TRY(auto seqs, read_seqs(from.opened().seqs()));
            return Opened{std::move(seqs)};
        }
        case proto::Content::kReceipt: {
            INTERLUDE_TRY(auto seqs, read_seqs(from.receipt().seqs()));
            return Receipt{std::move(seqs)};
        }
        case proto::Content::kProfile:
            if (from.profile().name().size() > name_bytes_max) return Errc::too_long;
            return Profile{from.profile().name()};
        case proto::Content::kCrisisCard: {
            if (from.crisis_card().text().size() > text_bytes_max) return Errc::too_long;
            INTERLUDE_TRY(auto dated, read_time(from.crisis_card().dated_ms()));
            return CardContent{from.crisis_card().text(), dated};
        }
        case proto::Content::kEarlyDelivery: {
            INTERLUDE_TRY(auto came_at, read_time(from.early_delivery().came_at_ms()));
            return EarlyDelivery{from.early_delivery().seq(), came_at};
        }
        case proto::Content::kCannotOpen: {
            INTERLUDE_TRY(auto seqs, read_seqs(from.cannot_open().seqs()));
            return CannotOpen{std::move(seqs)};
        }
        case proto::Content::BODY_NOT_SET:
            break;
    }
    return UnknownBody{};
}

}  // namespace

bool is_text(ContentBody const& body) {
    return std::visit(IsText{}, body);
}

bytes::Bytes encode(Content const& content) {
    proto::Content to;
    to.set_message_id(to_string(content.id.span()));
    to.set_sent_at_ms(static_cast<std::uint64_t>(base::to_ms(content.sent_at)));
    auto& log = *to.mutable_log();
    log.set_checkpoint(content.log.checkpoint);
    log.set_head_counter(content.log.head_counter);
    log.set_head(to_string(content.log.head.span()));
    auto& list = *to.mutable_own_list();
    list.set_generation(content.own_list.generation);
    list.set_version(content.own_list.version);
    list.set_hash(to_string(content.own_list.hash.span()));
    for (auto const& newer : content.lists) {
        auto& item = *to.add_lists();
        item.set_bytes(to_string(newer.bytes));
        item.set_signature(to_string(newer.signature));
    }
    to.set_own_name(content.own_name);
    std::visit(WriteBody{to}, content.body);
    auto const encoded = to.SerializeAsString();
    return bytes::Bytes(encoded.begin(), encoded.end());
}

Result<Content> decode_content(bytes::ByteView from) {
    proto::Content parsed;
    if (!parsed.ParseFromArray(from.data(), static_cast<int>(from.size()))) return Errc::malformed;
    Content content;
    auto const id = base::MessageId::from(view(parsed.message_id()));
    if (!id) return Errc::malformed;
    content.id = *id;
    INTERLUDE_TRY(content.sent_at, read_time(parsed.sent_at_ms()));
    if (parsed.log().checkpoint().size() > checkpoint_bytes_max) return Errc::too_long;
    content.log.checkpoint = parsed.log().checkpoint();
    content.log.head_counter = parsed.log().head_counter();
    INTERLUDE_TRY(content.log.head, read_hash(parsed.log().head()));
    content.own_list.generation = parsed.own_list().generation();
    content.own_list.version = parsed.own_list().version();
    INTERLUDE_TRY(content.own_list.hash, read_hash(parsed.own_list().hash()));
    if (static_cast<std::size_t>(parsed.lists_size()) > lists_max) return Errc::too_long;
    for (auto const& list : parsed.lists()) {
        if (list.bytes().size() > list_bytes_max || list.signature().size() > 64) return Errc::too_long;
        content.lists.push_back({bytes::copy(view(list.bytes())), bytes::copy(view(list.signature()))});
    }
    if (parsed.own_name().size() > name_bytes_max) return Errc::too_long;
    content.own_name = parsed.own_name();
    INTERLUDE_TRY(content.body, read_body(parsed));
    return content;
}

}  // namespace interlude::engine

#include "client-cli/engine/record_codec.hpp"

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "client-cli/engine/records.hpp"
#include "common/base/kinds.hpp"
#include "common/bytes/reader.hpp"
#include "common/bytes/secret.hpp"
#include "common/bytes/writer.hpp"

namespace interlude::engine::records {
namespace {

/// The members of T in the order in which they are written. Specialised below for structs of other modules.
template <class T>
struct Members {
    static constexpr auto list() { return T::fields(); }
};

template <>
struct Members<wire::SignedDocument> {
    static constexpr auto list() {
        using S = wire::SignedDocument;
        return std::tuple(&S::kind, &S::bytes, &S::signature);
    }
};
template <>
struct Members<wire::PublishedDocument> {
    static constexpr auto list() {
        using S = wire::PublishedDocument;
        return std::tuple(&S::document, &S::in_force_from);
    }
};
template <>
struct Members<wire::LogItem> {
    static constexpr auto list() {
        using S = wire::LogItem;
        return std::tuple(&S::subject, &S::counter, &S::index, &S::entry, &S::salt, &S::payload, &S::proof);
    }
};
template <>
struct Members<wire::Hold> {
    static constexpr auto list() { return std::tuple(&wire::Hold::account, &wire::Hold::until); }
};
template <>
struct Members<wire::MemberState> {
    static constexpr auto list() {
        using S = wire::MemberState;
        return std::tuple(&S::account, &S::side, &S::devices);
    }
};
template <>
struct Members<wire::Refused> {
    static constexpr auto list() {
        using S = wire::Refused;
        return std::tuple(&S::rule, &S::problem, &S::next_opening, &S::retry_after_seconds, &S::item);
    }
};
template <>
struct Members<wire::Envelope> {
    static constexpr auto list() {
        using S = wire::Envelope;
        return std::tuple(&S::conversation, &S::seq, &S::generation, &S::epoch, &S::sender_account, &S::sender_device,
                          &S::stamp, &S::hash, &S::mls);
    }
};
template <>
struct Members<identity::ListPosition> {
    static constexpr auto list() {
        return std::tuple(&identity::ListPosition::generation, &identity::ListPosition::version);
    }
};
template <>
struct Members<identity::ListKeyCertificate> {
    static constexpr auto list() {
        using S = identity::ListKeyCertificate;
        return std::tuple(&S::account, &S::account_key, &S::side, &S::generation, &S::list_key, &S::signature);
    }
};

template <class T>
void write(bytes::Writer& to, T const& value) {
    if constexpr (std::is_same_v<T, bytes::Bytes>) {
        to.opaque(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
        to.opaque(bytes::view(value));
    } else if constexpr (std::is_same_v<T, bytes::SecretBytes>) {
        to.opaque(value.expose());
    } else if constexpr (base::IsOptional<T>::value) {
        to.boolean(value.has_value());
        if (value) write(to, *value);
    } else if constexpr (base::IsVector<T>::value) {
        to.vector_of(value, [](bytes::Writer& inner, auto const& item) { write(inner, item); });
    } else if constexpr (base::IsId<T>::value) {
        to.id(value);
    } else if constexpr (std::is_same_v<T, base::WallTime>) {
        to.time(value);
    } else if constexpr (std::is_same_v<T, bool>) {
        to.boolean(value);
    } else if constexpr (std::is_enum_v<T>) {
        to.u8(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
        to.u64(static_cast<std::uint64_t>(value));
    } else {
        std::apply([&](auto... member) { (write(to, value.*member), ...); }, Members<T>::list());
    }
}

template <class T>
T must(base::Result<T> result) {
    if (!result) throw BadRecord("a record of the vault does not decode");
    return std::move(*result);
}

template <class T>
T read(bytes::Reader& from) {
    if constexpr (std::is_same_v<T, bytes::Bytes>) {
        return bytes::copy(must(from.opaque()));
    } else if constexpr (std::is_same_v<T, std::string>) {
        return bytes::text(must(from.opaque()));
    } else if constexpr (std::is_same_v<T, bytes::SecretBytes>) {
        return bytes::SecretBytes(must(from.opaque()));
    } else if constexpr (base::IsOptional<T>::value) {
        if (!must(from.boolean())) return std::nullopt;
        return read<typename T::value_type>(from);
    } else if constexpr (base::IsVector<T>::value) {
        T items;
        for (auto content = must(from.vector()); !content.empty();)
            items.push_back(read<typename T::value_type>(content));
        return items;
    } else if constexpr (base::IsId<T>::value) {
        return must(from.id<T>());
    } else if constexpr (std::is_same_v<T, base::WallTime>) {
        return must(from.time());
    } else if constexpr (std::is_same_v<T, bool>) {
        return must(from.boolean());
    } else if constexpr (std::is_enum_v<T>) {
        return static_cast<T>(must(from.u8()));
    } else if constexpr (std::is_integral_v<T>) {
        auto const wide = must(from.u64());
        if (!std::in_range<T>(wide)) throw BadRecord("a number in a record of the vault is larger than it can be");
        return static_cast<T>(wide);
    } else {
        T value;
        std::apply([&](auto... member) { ((value.*member = read<std::decay_t<decltype(value.*member)>>(from)), ...); },
                   Members<T>::list());
        return value;
    }
}

}  // namespace

template <class Record>
bytes::Bytes encode(Record const& record) {
    bytes::Writer to;
    to.u16(record_version);
    write(to, record);
    return std::move(to).take();
}

template <class Record>
Record decode(bytes::ByteView from) {
    bytes::Reader reader(from);
    if (must(reader.u16()) != record_version) throw BadRecord("a record of the vault is of another version");
    auto record = read<Record>(reader);
    if (!reader.empty()) throw BadRecord("a record of the vault is longer than it should be");
    return record;
}

template bytes::Bytes encode(AccountRecord const&);
template AccountRecord decode(bytes::ByteView);
template bytes::Bytes encode(ServerRecord const&);
template ServerRecord decode(bytes::ByteView);
template bytes::Bytes encode(JoinRecord const&);
template JoinRecord decode(bytes::ByteView);
template bytes::Bytes encode(CountersRecord const&);
template CountersRecord decode(bytes::ByteView);
template bytes::Bytes encode(CrisisCardRecord const&);
template CrisisCardRecord decode(bytes::ByteView);
template bytes::Bytes encode(ListRecord const&);
template ListRecord decode(bytes::ByteView);
template bytes::Bytes encode(CalendarRecord const&);
template CalendarRecord decode(bytes::ByteView);
template bytes::Bytes encode(KeyPackageRecord const&);
template KeyPackageRecord decode(bytes::ByteView);
template bytes::Bytes encode(ConversationRecord const&);
template ConversationRecord decode(bytes::ByteView);
template bytes::Bytes encode(PendingCommitRecord const&);
template PendingCommitRecord decode(bytes::ByteView);
template bytes::Bytes encode(MessageRecord const&);
template MessageRecord decode(bytes::ByteView);
template bytes::Bytes encode(MessagePlaceRecord const&);
template MessagePlaceRecord decode(bytes::ByteView);
template bytes::Bytes encode(MarkRecord const&);
template MarkRecord decode(bytes::ByteView);
template bytes::Bytes encode(NewsRecord const&);
template NewsRecord decode(bytes::ByteView);
template bytes::Bytes encode(EarlyReportRecord const&);
template EarlyReportRecord decode(bytes::ByteView);
template bytes::Bytes encode(EnvelopeRecord const&);
template EnvelopeRecord decode(bytes::ByteView);
template bytes::Bytes encode(OutgoingRecord const&);
template OutgoingRecord decode(bytes::ByteView);
template bytes::Bytes encode(InvitationRecord const&);
template InvitationRecord decode(bytes::ByteView);
template bytes::Bytes encode(SubjectRecord const&);
template SubjectRecord decode(bytes::ByteView);
template bytes::Bytes encode(PeerHeadRecord const&);
template PeerHeadRecord decode(bytes::ByteView);
template bytes::Bytes encode(AlarmRecord const&);
template AlarmRecord decode(bytes::ByteView);
template bytes::Bytes encode(SecretBytes const&);  // a group's sealed state
template SecretBytes decode(bytes::ByteView);
template bytes::Bytes encode(wire::LogItem const&);
template wire::LogItem decode(bytes::ByteView);

}  // namespace interlude::engine::records

// The home's records: records::decode of every kind, and Sealer::open and unwrap_master_key, which open nothing but the
// one thing of each that was ever sealed (corpus_home.cpp).
// Parser: client-cli/engine/record_codec.cpp client-cli/vault/seal.cpp(open,unwrap_master_key)
#include "client-cli/engine/records.hpp"
#include "client-cli/vault/seal.hpp"
#include "tests/fuzz/properties.hpp"

namespace {

using namespace interlude;
using namespace interlude::engine;

template <class Record>
void play(bytes::ByteView input) {
    fuzz::one_form(
        input,
        [](bytes::ByteView from) -> std::optional<Record> {
            try {
                return records::decode<Record>(from);
            } catch (BadRecord const&) {
                return std::nullopt;
            }
        },
        [](Record const& record) { return records::encode(record); });
}

void play_sealed(bytes::ByteView input) {
    static vault::Sealer const sealer(Bytes(vault::master_key_bytes, 1));
    static auto const slot = sealer.slot(1, bytes::view("key"));
    if (auto const opened = sealer.open(1, slot, 1, input)) {
        INTERLUDE_CHECK(bytes::equal(opened->key, bytes::view("key")));
        INTERLUDE_CHECK(bytes::equal(opened->value, bytes::view("value")));
        INTERLUDE_CHECK(!sealer.open(1, slot, 2, input) && !sealer.open(2, slot, 1, input));
    }
    if (auto const master_key = vault::unwrap_master_key(input, Bytes(32, 1)))
        INTERLUDE_CHECK(bytes::equal(master_key->expose(), Bytes(vault::master_key_bytes, 2)));
}

constexpr void (*plays[])(bytes::ByteView) = {play_sealed,
                                              play<AccountRecord>,
                                              play<ServerRecord>,
                                              play<JoinRecord>,
                                              play<CountersRecord>,
                                              play<CrisisCardRecord>,
                                              play<ListRecord>,
                                              play<CalendarRecord>,
                                              play<KeyPackageRecord>,
                                              play<ConversationRecord>,
                                              play<PendingCommitRecord>,
                                              play<MessageRecord>,
                                              play<EnvelopeRecord>,
                                              play<OutgoingRecord>,
                                              play<InvitationRecord>,
                                              play<SubjectRecord>,
                                              play<PeerHeadRecord>,
                                              play<AlarmRecord>,
                                              play<wire::LogItem>,
                                              play<NewsRecord>,
                                              play<MessagePlaceRecord>,
                                              play<MarkRecord>,
                                              play<EarlyReportRecord>,
                                              play<SecretBytes>};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::Chosen const input(data, size, std::size(plays));
    plays[input.choice](input.rest);
    return 0;
}

// Every struct of RFC 9420 that comes from outside; the first byte chooses the reader. What a reader takes has one
// form.
#include "common/mls/key_package.hpp"
#include "common/mls/messages.hpp"
#include "tests/fuzz/properties.hpp"

namespace {

using namespace interlude;
using namespace interlude::mls;

using Play = void (*)(ByteView);

template <auto read>
void play(ByteView input) {
    fuzz::one_form(
        input, [](ByteView from) { return decode(from, read); }, [](auto const& value) { return encode(value); });
}
template <ContentType type>
void play_private_content(ByteView input) {
    auto const content = decode(input, [](Reader& reader) { return read_private_message_content(reader, type); });
    if (!content) return;
    auto padded = encode(*content);
    INTERLUDE_CHECK(padded.size() <= input.size());
    padded.resize(input.size());  // the padding: zeros, and nothing else
    INTERLUDE_CHECK(bytes::equal(padded, input));
}
template <auto read>
void play_list(ByteView input) {
    fuzz::one_form(
        input, [](ByteView from) { return decode(from, read); },
        [](auto const& items) {
            Writer writer;
            write_vector(writer, items);
            return std::move(writer).take();
        });
}

constexpr Play plays[] = {play<read_mls_message>,
                          play<read_public_message>,
                          play<read_private_message>,
                          play<read_welcome>,
                          play<read_group_info>,
                          play<read_key_package>,
                          play<read_leaf_node>,
                          play<read_parent_node>,
                          play<read_node>,
                          play<read_node_list>,
                          play<read_commit>,
                          play<read_proposal>,
                          play<read_proposal_or_ref>,
                          play<read_add>,
                          play<read_update>,
                          play<read_remove>,
                          play<read_pre_shared_key>,
                          play<read_pre_shared_key_id>,
                          play<read_reinit>,
                          play<read_external_init>,
                          play<read_group_context_extensions>,
                          play<read_hpke_ciphertext>,
                          play<read_update_path_node>,
                          play<read_update_path>,
                          play<read_credential>,
                          play<read_extension>,
                          play_list<read_extensions>,
                          play<read_capabilities>,
                          play<read_required_capabilities>,
                          play<read_external_sender>,
                          play_list<read_external_senders>,
                          play<read_sender>,
                          play<read_framed_content>,
                          play<read_authenticated_content>,
                          play<read_sender_data>,
                          play<read_group_context>,
                          play<read_group_secrets>,
                          play<read_encrypted_group_secrets>,
                          play<read_key_package_bundle>,
                          play_private_content<ContentType::application>,
                          play_private_content<ContentType::proposal>,
                          play_private_content<ContentType::commit>};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::Chosen const input(data, size, std::size(plays));
    plays[input.choice](input.rest);
    return 0;
}

// Every struct of RFC 9420 that comes from outside; the first byte chooses the reader. What a reader takes has one
// form.
// Parser: common/mls/codec.cpp common/mls/framing_types.cpp common/mls/proposals.cpp
// Parser: common/mls/leaf_node.cpp common/mls/credential.cpp common/mls/welcome_types.cpp
// Parser: common/mls/key_package.cpp(write,read_key_package_bundle)
// Not reached: what is signed or sealed of a struct (TBS, AAD) and capabilities, which mls_group asks for.
#include "common/mls/key_package.hpp"
#include "common/mls/messages.hpp"
#include "tests/fuzz/mls_message_takes.hpp"
#include "tests/fuzz/properties.hpp"

namespace {

using namespace interlude;
using namespace interlude::mls;

struct Format {
    bool (*takes)(ByteView);
    void (*play)(ByteView);
};

template <auto read>
bool takes(ByteView input) {
    return decode(input, read).has_value();
}
template <auto read>
void play(ByteView input) {
    fuzz::one_form(
        input, [](ByteView from) { return decode(from, read); }, [](auto const& value) { return encode(value); });
}
template <ContentType type>
Result<PrivateMessageContent> read_content_of(Reader& reader) {
    return read_private_message_content(reader, type);
}
template <ContentType type>
void play_private_content(ByteView input) {
    auto const content = decode(input, read_content_of<type>);
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

template <auto read>
constexpr Format one{takes<read>, play<read>};
template <auto read>
constexpr Format list{takes<read>, play_list<read>};
template <ContentType type>
constexpr Format private_content{takes<read_content_of<type>>, play_private_content<type>};

constexpr Format formats[] = {one<read_mls_message>,
                              one<read_public_message>,
                              one<read_private_message>,
                              one<read_welcome>,
                              one<read_group_info>,
                              one<read_key_package>,
                              one<read_leaf_node>,
                              one<read_parent_node>,
                              one<read_node>,
                              one<read_node_list>,
                              one<read_commit>,
                              one<read_proposal>,
                              one<read_proposal_or_ref>,
                              one<read_add>,
                              one<read_update>,
                              one<read_remove>,
                              one<read_pre_shared_key>,
                              one<read_pre_shared_key_id>,
                              one<read_reinit>,
                              one<read_external_init>,
                              one<read_group_context_extensions>,
                              one<read_hpke_ciphertext>,
                              one<read_update_path_node>,
                              one<read_update_path>,
                              one<read_credential>,
                              one<read_extension>,
                              list<read_extensions>,
                              one<read_capabilities>,
                              one<read_required_capabilities>,
                              one<read_external_sender>,
                              list<read_external_senders>,
                              one<read_sender>,
                              one<read_framed_content>,
                              one<read_authenticated_content>,
                              one<read_sender_data>,
                              one<read_group_context>,
                              one<read_group_secrets>,
                              one<read_encrypted_group_secrets>,
                              one<read_key_package_bundle>,
                              private_content<ContentType::application>,
                              private_content<ContentType::proposal>,
                              private_content<ContentType::commit>};

}  // namespace

bool interlude::fuzz::mls_message_takes(unsigned choice, bytes::ByteView input) {
    return formats[choice % std::size(formats)].takes(input);
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::Chosen const input(data, size, std::size(formats));
    formats[input.choice].play(input.rest);
    return 0;
}

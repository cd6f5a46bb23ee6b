// What the server reads of MLS bytes: decode_declaration, read_private_message_outer, read_welcome_outer and
// read_key_package_outer. Where server and app both take a message, they read the same in it.
// Parser: common/mls_framing/declaration.cpp common/mls_framing/outer.cpp
// Not reached: declaration_hash and the names of content types, which no bytes ask for.
#include "common/mls/messages.hpp"
#include "common/mls_framing/declaration.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    fuzz::Chosen const input(data, size, 4);
    auto const whole = mls::decode(input.rest, mls::read_mls_message);
    switch (input.choice) {
        case 0:
            fuzz::one_form(input.rest, mls_framing::decode_declaration,
                           [](auto const& declaration) { return mls_framing::encode(declaration); });
            break;
        case 1:
            if (auto const outer = mls_framing::read_private_message_outer(input.rest); outer && whole) {
                auto const* message = whole->as<mls::PrivateMessage>();
                INTERLUDE_CHECK(message && message->group_id == outer->group_id && message->epoch == outer->epoch);
                INTERLUDE_CHECK(message->content_type == outer->content_type);
                INTERLUDE_CHECK(message->authenticated_data == outer->authenticated_data);
            }
            break;
        case 2:
            if (auto const outer = mls_framing::read_welcome_outer(input.rest); outer && whole) {
                auto const* welcome = whole->as<mls::Welcome>();
                INTERLUDE_CHECK(welcome && welcome->cipher_suite == outer->suite);
                INTERLUDE_CHECK(welcome->secrets.size() == outer->refs.size());
                for (std::size_t i = 0; i < outer->refs.size(); ++i)
                    INTERLUDE_CHECK(bytes::equal(welcome->secrets[i].new_member, outer->refs[i].bytes));
            }
            break;
        case 3:
            if (auto const outer = mls_framing::read_key_package_outer(input.rest)) {
                auto const* package = whole ? whole->as<mls::KeyPackage>() : nullptr;
                INTERLUDE_CHECK(package && package->cipher_suite == outer->suite);
                INTERLUDE_CHECK(package->leaf_node.signature_key == outer->leaf_signature_key);
            }
            break;
    }
    return 0;
}

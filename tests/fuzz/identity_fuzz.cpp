// Who somebody is: decode_device_list, decode_leaf_identity, decode_invitation, decode_redemption; and what is read in
// a device list under somebody's signature is verified without harm.
// Parser: common/identity/device_list.cpp(read_certificate,read_devices,encode,decode_device_list,from_own_store)
// Parser: common/identity/leaf_attestation.cpp(encode,decode_leaf_identity)
// Parser: common/identity/invitation.cpp(fits_its_kind,invitation_kind_from,encode,decode_invitation)
// Parser: common/identity/redemption.cpp(read_parts,read_founding,fits_its_kind,encode,decode_redemption)
// Not reached: what stands behind a switch over all kinds, as decoding takes no other.
#include "common/identity/leaf_attestation.hpp"
#include "common/identity/redemption.hpp"
#include "tests/fuzz/properties.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace interlude;
    using namespace interlude::identity;
    fuzz::Chosen const input(data, size, 4);
    auto const write = [](auto const& value) { return encode(value); };
    switch (input.choice) {
        case 0:
            fuzz::one_form(input.rest, decode_device_list, write);
            // No signature of zeros is right, whatever the list says of itself.
            INTERLUDE_CHECK(!verify_device_list({bytes::copy(input.rest), {}}));
            break;
        case 1:
            fuzz::one_form(input.rest, decode_leaf_identity, write);
            break;
        case 2:
            fuzz::one_form(input.rest, decode_invitation, write);
            break;
        case 3:
            fuzz::one_form(input.rest, decode_redemption, write);
            break;
    }
    return 0;
}

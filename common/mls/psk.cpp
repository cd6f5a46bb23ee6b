#include "common/mls/psk.hpp"

#include "common/crypto/hash.hpp"
#include "common/mls/key_schedule.hpp"

namespace interlude::mls {

SecretBytes psk_secret(crypto::Suite const& suite, std::vector<Psk> const& psks) {
    auto const zeros = zero_secret(suite);
    auto secret = zero_secret(suite);
    for (std::size_t i = 0; i < psks.size(); ++i) {
        Writer label;  // PSKLabel
        write(label, psks[i].id);
        label.u16(static_cast<std::uint16_t>(i)).u16(static_cast<std::uint16_t>(psks.size()));
        auto const extracted = crypto::hkdf_extract(zeros.expose(), psks[i].secret.expose());
        auto const input = expand_with_label(suite, extracted.expose(), "derived psk", label.bytes(), suite.hash_size);
        secret = crypto::hkdf_extract(input.expose(), secret.expose());
    }
    return secret;
}

}  // namespace interlude::mls

#include "common/identity/login.hpp"

#include "common/bytes/writer.hpp"
#include "common/crypto/hash.hpp"
#include "common/identity/invitation.hpp"
#include "common/identity/labels.hpp"

namespace interlude::identity {

namespace {

void write_facts(bytes::Writer& out, LinkFacts const& link) {
    out.opaque(bytes::view(link.server_name)).opaque(link.nonce).id(crypto::sha256(link.hello_frame));
}

bytes::Bytes login_statement(LinkFacts const& link, base::AccountId const& account, base::DeviceId const& device) {
    bytes::Writer out;
    write_facts(out, link);
    out.id(account).id(device);
    return std::move(out).take();
}

bytes::Bytes invited_statement(LinkFacts const& link, crypto::VerifyKey const& invitation_key) {
    bytes::Writer out;
    write_facts(out, link);
    out.id(invitation_id(invitation_key));
    return std::move(out).take();
}

}  // namespace

crypto::Signature sign_login(crypto::SigningKey const& device_key, LinkFacts const& link,
                             base::AccountId const& account, base::DeviceId const& device) {
    return crypto::sign_labelled(device_key, labels::login, login_statement(link, account, device));
}

base::Result<void> verify_login(crypto::VerifyKey const& device_key, LinkFacts const& link,
                                base::AccountId const& account, base::DeviceId const& device,
                                bytes::ByteView signature) {
    return crypto::verify_labelled(device_key.bytes, labels::login, login_statement(link, account, device), signature);
}

crypto::Signature sign_invited_login(crypto::SigningKey const& invitation_key, LinkFacts const& link) {
    return crypto::sign_labelled(invitation_key, labels::invited_login,
                                 invited_statement(link, invitation_key.public_key()));
}

base::Result<void> verify_invited_login(crypto::VerifyKey const& invitation_key, LinkFacts const& link,
                                        bytes::ByteView signature) {
    return crypto::verify_labelled(invitation_key.bytes, labels::invited_login, invited_statement(link, invitation_key),
                                   signature);
}

}  // namespace interlude::identity

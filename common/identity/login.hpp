// What a link signs to log in: a device's statement, or an invitee's (exact.md, Identity and Invitation).
#pragma once

#include <string_view>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "common/crypto/sign.hpp"

namespace interlude::identity {

/// What both statements say about the link. `hello_frame` is the ClientFrame with the hello, exactly as sent.
struct LinkFacts {
    std::string_view server_name;
    bytes::ByteView nonce;
    bytes::ByteView hello_frame;
};

/// The device key signs {server name, nonce, SHA-256 of the hello frame, account, device}.
crypto::Signature sign_login(crypto::SigningKey const& device_key, LinkFacts const& link,
                             base::AccountId const& account, base::DeviceId const& device);
base::Result<void> verify_login(crypto::VerifyKey const& device_key, LinkFacts const& link,
                                base::AccountId const& account, base::DeviceId const& device,
                                bytes::ByteView signature);

/// The invitation key signs {server name, nonce, SHA-256 of the hello frame, invitation id}.
crypto::Signature sign_invited_login(crypto::SigningKey const& invitation_key, LinkFacts const& link);
base::Result<void> verify_invited_login(crypto::VerifyKey const& invitation_key, LinkFacts const& link,
                                        bytes::ByteView signature);

}  // namespace interlude::identity

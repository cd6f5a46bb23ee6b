"""KeyPackages of suite 0x0003, written by hand (RFC 9420 §7.2, §10)."""
import hashlib
from dataclasses import dataclass

from nacl.public import PrivateKey
from nacl.signing import SigningKey

from .structs import opaque, u16, u64, u8

MLS10, SUITE, BASIC, KEY_PACKAGE_MESSAGE, IN_KEY_PACKAGE = 1, 0x0003, 1, 5, 1


def sign_with_label(key, label, content):
    """RFC 9420 §5.1.2."""
    return key.sign(opaque(b'MLS 1.0 ' + label) + opaque(content)).signature


def ref_hash(label, value):
    """RFC 9420 §5.2."""
    return hashlib.sha256(opaque(b'MLS 1.0 ' + label) + opaque(value)).digest()


@dataclass
class KeyPackage:
    """What goes to the server, and the private keys that stay."""
    message: bytes
    ref: bytes
    init_key: PrivateKey
    encryption_key: PrivateKey
    signature_key: SigningKey


def make_key_package(identity_of, not_before, not_after):
    """`identity_of(leaf signature key)` gives the credential's identity; times in seconds."""
    init_key, encryption_key, signature_key = PrivateKey.generate(), PrivateKey.generate(), SigningKey.generate()
    public = bytes(signature_key.verify_key)
    capabilities = opaque(u16(MLS10)) + opaque(u16(SUITE)) + opaque(b'') + opaque(b'') + opaque(u16(BASIC))
    leaf = (opaque(bytes(encryption_key.public_key)) + opaque(public) + u16(BASIC) + opaque(identity_of(public)) + capabilities
            + u8(IN_KEY_PACKAGE) + u64(not_before) + u64(not_after) + opaque(b''))
    leaf += opaque(sign_with_label(signature_key, b'LeafNodeTBS', leaf))
    package = u16(MLS10) + u16(SUITE) + opaque(bytes(init_key.public_key)) + leaf + opaque(b'')
    package += opaque(sign_with_label(signature_key, b'KeyPackageTBS', package))
    return KeyPackage(u16(MLS10) + u16(KEY_PACKAGE_MESSAGE) + package, ref_hash(b'KeyPackage Reference', package),
                      init_key, encryption_key, signature_key)

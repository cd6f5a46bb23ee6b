"""Structs in the presentation language of RFC 9420 §2.1, and Interlude's own (docs/PROTOCOL.md, Structs)."""
import hashlib
import hmac
import struct
from dataclasses import dataclass

from nacl.bindings import crypto_sign_BYTES
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

CLIENT, THERAPIST = 1, 2                            # Side
FOR_THERAPIST, NEW_CONVERSATION = 1, 2              # InvitationKind


class Broken(Exception):
    """Somebody's bytes are not what the documents say."""


def must(holds, what):
    if not holds:
        raise Broken(what)


# ---- the presentation language -------------------------------------------------------------------------------------

def u8(value):
    return struct.pack('>B', value)


def u16(value):
    return struct.pack('>H', value)


def u32(value):
    return struct.pack('>I', value)


def u64(value):
    return struct.pack('>Q', value)


def opaque(content):
    """opaque<V>: the length of §2.1.2, then the bytes. Vectors of structs are written the same way."""
    size = len(content)
    if size < 1 << 6:
        return u8(size) + content
    if size < 1 << 14:
        return u16(size | 0x4000) + content
    return u32(size | 0x80000000) + content


class Reader:
    """Takes a struct apart from its first byte to its last."""

    def __init__(self, content):
        self.rest = bytes(content)

    def raw(self, size):
        must(len(self.rest) >= size, 'a struct ends too early')
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def u8(self):
        return self.raw(1)[0]

    def u16(self):
        return int.from_bytes(self.raw(2), 'big')

    def u32(self):
        return int.from_bytes(self.raw(4), 'big')

    def u64(self):
        return int.from_bytes(self.raw(8), 'big')

    def opaque(self):
        first = self.rest[:1]
        must(first and first[0] >> 6 < 3, 'a length that does not exist')
        width = 1 << (first[0] >> 6)
        size = int.from_bytes(self.raw(width), 'big') & ((1 << (8 * width - 2)) - 1)
        must(width == 1 or size >> (8 * (width // 2) - 2), 'a length that is longer than needed')
        return self.raw(size)

    def items(self, read):
        """T x<V>: what `read` makes of each item."""
        inside, found = Reader(self.opaque()), []
        while inside.rest:
            found.append(read(inside))
        return found

    def optional(self, read):
        there = self.u8()
        must(there < 2, 'an optional that is neither there nor absent')
        return read() if there else None

    def finish(self):
        must(not self.rest, 'bytes after the last field')


# ---- labels --------------------------------------------------------------------------------------------------------

def labelled(name, content):
    return b'interlude/v1 ' + name.encode() + b'\0' + content


def labelled_hash(name, content):
    return hashlib.sha256(labelled(name, content)).digest()


def labelled_hmac(key, name, content):
    return hmac.digest(key, labelled(name, content), 'sha256')


def sign(key, name, content):
    return key.sign(labelled(name, content)).signature


def check_signature(public_key, name, content, signature):
    must(len(signature) == crypto_sign_BYTES, f'a signature of {len(signature)} bytes')
    try:
        VerifyKey(public_key).verify(labelled(name, content), signature)
    except BadSignatureError:
        raise Broken(f'the signature of this {name} does not hold') from None


def hkdf_extract(salt, secret):
    return hmac.digest(salt or bytes(32), secret, 'sha256')


def hkdf_expand(key, info, size=32):
    made, block = b'', b''
    while len(made) < size:
        block = hmac.digest(key, block + info + u8(len(made) // 32 + 1), 'sha256')
        made += block
    return made[:size]


def derived_key(seed, name, content=b''):
    """The Ed25519 key that a recovery or invitation seed makes."""
    return SigningKey(hkdf_expand(hkdf_extract(b'', seed), labelled(name, content)))


def account_id(account_key):
    return labelled_hash('account id', bytes(account_key))


def invitation_id(invitation_key):
    return labelled_hash('invitation id', bytes(invitation_key))


# ---- identity ------------------------------------------------------------------------------------------------------

def list_key_statement(account, side, generation, list_key):
    return account + u8(side) + u64(generation) + bytes(list_key)


def first_device_list(account_key, side, list_key, device, auth_key, now):
    """Version 1 of generation 1, with one device."""
    account = account_id(account_key.verify_key)
    certificate = sign(account_key, 'list key', list_key_statement(account, side, 1, list_key.verify_key))
    devices = device + bytes(auth_key) + u64(now)
    return (account + bytes(account_key.verify_key) + u8(side) + u64(1) + bytes(list_key.verify_key) + certificate
            + u64(1) + bytes(32) + opaque(devices) + u64(now))


@dataclass
class DeviceList:
    account: bytes
    account_key: bytes
    side: int
    generation: int
    list_key: bytes
    certificate: bytes
    version: int
    previous: bytes
    devices: dict       # id -> auth key
    time: int


def read_device_list(content, signature):
    """Parsed, with the list key's certificate and the list's own signature checked."""
    read = Reader(content)
    found = DeviceList(read.raw(32), read.raw(32), read.u8(), read.u64(), read.raw(32), read.raw(64), read.u64(), read.raw(32),
                       dict(read.items(lambda item: (item.raw(16), (item.raw(32), item.u64())[0]))), read.u64())
    read.finish()
    must(found.account == account_id(found.account_key), 'an account that is not the hash of its key')
    check_signature(found.account_key, 'list key',
                    list_key_statement(found.account, found.side, found.generation, found.list_key), found.certificate)
    check_signature(found.list_key, 'device list', content, signature)
    return found


def leaf_identity(device_key, account, device, leaf_key):
    """The identity of a leaf's basic credential, by the first device list."""
    statement = account + device + u64(1) + u64(1)
    return u8(1) + statement + sign(device_key, 'leaf', statement + opaque(leaf_key))


def check_leaf(identity, leaf_key, device_list):
    """(account, device) of a leaf, if the newest list of its account has that device and it speaks for this key."""
    read = Reader(identity)
    must(read.u8() == 1, 'a leaf identity of another version')
    statement = read.raw(32 + 16 + 8 + 8)
    signature = read.raw(64)
    read.finish()
    account, device, floor = statement[:32], statement[32:48], (int.from_bytes(statement[48:56], 'big'), int.from_bytes(statement[56:], 'big'))
    must(account == device_list.account and device in device_list.devices, 'a leaf of a device that is not listed')
    must((0, 0) < floor <= (device_list.generation, device_list.version), 'a leaf that knows a newer list')
    check_signature(device_list.devices[device], 'leaf', statement + opaque(leaf_key), signature)
    return account, device


def login_statement(server_name, nonce, hello_frame, account, device):
    return opaque(server_name.encode()) + opaque(nonce) + hashlib.sha256(hello_frame).digest() + account + device


def invited_login_statement(server_name, nonce, hello_frame, invitation):
    return opaque(server_name.encode()) + opaque(nonce) + hashlib.sha256(hello_frame).digest() + invitation


# ---- invitations ---------------------------------------------------------------------------------------------------

@dataclass
class Fragment:
    kind: int
    seed: bytes
    inviter: bytes
    list_generation: int
    list_version: int
    list_hash: bytes
    log_key_hash: bytes
    expiry: int

    def encode(self):
        return (u8(1) + u8(self.kind) + self.seed + self.inviter + u64(self.list_generation) + u64(self.list_version)
                + self.list_hash + self.log_key_hash + u64(self.expiry))


def read_fragment(content):
    read = Reader(content)
    must(read.u8() == 1, 'an invitation of another version')
    found = Fragment(read.u8(), read.raw(32), read.raw(32), read.u64(), read.u64(), read.raw(32), read.raw(32), read.u64())
    read.finish()
    return found


def invitation_document(invitation_key, inviter, device, expiry):
    """For a new conversation, by a device of the first list."""
    return (u8(1) + bytes(invitation_key) + u8(NEW_CONVERSATION) + bytes(16) + inviter + device + u64(1) + u64(1) + u64(expiry))


def therapist_redemption(invitation, server_name, account, device_list, list_signature, device):
    nothing = opaque(b'') + u32(0) + opaque(b'') * 4        # conversation, generation, group, declaration, Welcomes, packages
    return (invitation + opaque(server_name.encode()) + u8(FOR_THERAPIST) + account + opaque(device_list) + list_signature
            + device + nothing)


@dataclass
class Redemption:
    invitation: bytes
    server_name: bytes
    kind: int
    account: bytes
    device_list: bytes
    list_signature: bytes
    device: bytes
    conversation: bytes
    generation: int
    group_id: bytes
    declaration: bytes
    welcomes: list
    key_packages: list


def read_redemption(content):
    read = Reader(content)
    found = Redemption(read.raw(32), read.opaque(), read.u8(), read.raw(32), read.opaque(), read.raw(64), read.raw(16),
                       read.opaque(), read.u32(), read.opaque(), read.opaque(), read.items(Reader.opaque), read.items(Reader.opaque))
    read.finish()
    return found


@dataclass
class Declaration:
    conversation: bytes
    generation: int
    epoch_before: int
    added: list         # (account, side, device, key package ref)
    removed: list       # (account, device)


def read_declaration(content):
    read = Reader(content)
    found = Declaration(read.raw(16), read.u64(), read.u64(),
                        read.items(lambda item: (item.raw(32), item.u8(), item.raw(16), item.raw(32))),
                        read.items(lambda item: (item.raw(32), item.raw(16))))
    must(read.opaque() == b'', 'consents that are reserved')
    read.finish()
    return found


# ---- hours ---------------------------------------------------------------------------------------------------------

def spans(windows):
    return opaque(b''.join(u64(start) + u64(end) for start, end in windows))


POLICY = u8(1) + u8(1) + u16(0) + u8(0) + u16(0) + u32(0)   # hold both ways, no allowance, no promise, no notice


def schedule_document(account, device, openings, compiled_span, weekly=()):
    """Number 1: without weekly hours nothing needs compiling."""
    return (u8(1) + account + device + u64(1) + bytes(32) + opaque(b'Europe/Berlin') + opaque(b'unknown') + opaque(b''.join(u8(day) + u16(start) + u16(end) for day, start, end in weekly))
            + spans([]) + spans(openings) + POLICY + bytes(32) + opaque(b'') + u64(0)
            + u64(compiled_span[0]) + u64(compiled_span[1]) + spans(openings))


@dataclass
class Schedule:
    account: bytes
    device: bytes
    number: int
    previous: bytes
    windows: list       # (start, end), seconds


def read_schedule(content):
    def span(item):
        return item.u64(), item.u64()
    read = Reader(content)
    must(read.u8() == 1, 'a schedule document of another version')
    account, device, number, previous = read.raw(32), read.raw(16), read.u64(), read.raw(32)
    read.opaque(), read.opaque()                                        # zone, tzdata
    read.items(lambda item: (item.u8(), item.u16(), item.u16()))        # weekly
    read.items(span), read.items(span)                                  # closures, openings
    read.raw(len(POLICY)), read.raw(32), read.opaque(), read.u64()      # policy, notice, cover, effective from
    span(read)
    found = Schedule(account, device, number, previous, read.items(span))
    read.finish()
    return found


def passes_from(windows, stamp):
    """The first instant (ms) at or after `stamp` at which one of the windows is open; None without one."""
    for start, end in windows:
        if stamp < end * 1000:
            return max(stamp, start * 1000)
    return None

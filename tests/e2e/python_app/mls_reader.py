"""An MLS of its own that only reads: a Welcome, and the messages of its epoch (RFC 9420, suite 0x0003; HPKE is RFC 9180)."""
import hashlib
import hmac
from dataclasses import dataclass

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_decrypt as chacha20poly1305_open
from nacl.bindings import crypto_scalarmult
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import VerifyKey

from .key_package import BASIC, IN_KEY_PACKAGE, MLS10, SUITE
from .structs import Reader, hkdf_expand, hkdf_extract, must, opaque, u16, u32, u64, u8

PRIVATE_MESSAGE, WELCOME = 2, 3             # wire formats
APPLICATION, MEMBER = 1, 1                  # content type, sender type
IN_UPDATE, IN_COMMIT = 2, 3                 # leaf node sources
RATCHET_TREE = 2                            # extension
LEAF, PARENT = 1, 2                         # node types
HASH_BYTES, KEY_BYTES, NONCE_BYTES = 32, 32, 12


def aead_open(key, nonce, aad, ciphertext, what):
    try:
        return chacha20poly1305_open(ciphertext, aad, nonce, key)
    except CryptoError:
        must(False, f'{what} does not open')


# ---- HPKE, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305 ------------------------------------

def _labeled_extract(suite, salt, label, content):
    return hkdf_extract(salt, b'HPKE-v1' + suite + label + content)


def _labeled_expand(suite, key, label, info, size):
    return hkdf_expand(key, u16(size) + b'HPKE-v1' + suite + label + info, size)


def hpke_open(private_key, kem_output, info, ciphertext, what):
    kem, suite = b'KEM' + u16(0x0020), b'HPKE' + u16(0x0020) + u16(0x0001) + u16(0x0003)
    shared = crypto_scalarmult(bytes(private_key), kem_output)
    extracted = _labeled_extract(kem, b'', b'eae_prk', shared)
    shared = _labeled_expand(kem, extracted, b'shared_secret', kem_output + bytes(private_key.public_key), 32)
    context = u8(0) + _labeled_extract(suite, b'', b'psk_id_hash', b'') + _labeled_extract(suite, b'', b'info_hash', info)
    secret = _labeled_extract(suite, shared, b'secret', b'')
    key, nonce = (_labeled_expand(suite, secret, name, context, size) for name, size in ((b'key', KEY_BYTES), (b'base_nonce', NONCE_BYTES)))
    return aead_open(key, nonce, b'', ciphertext, what)


# ---- RFC 9420 §5.1, §8 ---------------------------------------------------------------------------------------------

def expand_with_label(secret, label, context=b'', size=HASH_BYTES):
    return hkdf_expand(secret, u16(size) + opaque(b'MLS 1.0 ' + label) + opaque(context), size)


def key_and_nonce(secret, context=b''):
    return expand_with_label(secret, b'key', context, KEY_BYTES), expand_with_label(secret, b'nonce', context, NONCE_BYTES)


def verify_with_label(public_key, label, content, signature, what):
    try:
        VerifyKey(public_key).verify(opaque(b'MLS 1.0 ' + label) + opaque(content), signature)
    except BadSignatureError:
        must(False, f'the signature of {what} does not hold')


# ---- the ratchet tree (§7.2, §7.8, §12.4.3.3) ----------------------------------------------------------------------

@dataclass
class Leaf:
    encoded: bytes
    signed: bytes       # LeafNodeTBS without what the tree adds
    signature_key: bytes
    identity: bytes
    source: int
    signature: bytes


def read_leaf(read):
    begun = read.rest
    read.opaque()                                       # encryption key
    signature_key = read.opaque()
    must(read.u16() == BASIC, 'a credential that is not basic')
    identity = read.opaque()
    for _ in range(5):                                  # capabilities
        read.opaque()
    source = read.u8()
    must(source in (IN_KEY_PACKAGE, IN_UPDATE, IN_COMMIT), 'a leaf from nowhere')
    if source == IN_KEY_PACKAGE:
        read.u64(), read.u64()                          # lifetime
    elif source == IN_COMMIT:
        read.opaque()                                   # parent hash
    read.opaque()                                       # extensions
    signed = begun[:len(begun) - len(read.rest)]
    signature = read.opaque()
    return Leaf(begun[:len(begun) - len(read.rest)], signed, signature_key, identity, source, signature)


def read_node(read):
    """A Leaf, the bytes of a parent, or None where the tree is blank."""
    if not read.u8():
        return None
    kind = read.u8()
    if kind == LEAF:
        return read_leaf(read)
    must(kind == PARENT, 'a node of another kind')
    begun = read.rest
    read.opaque(), read.opaque(), read.opaque()         # encryption key, parent hash, unmerged leaves
    return begun[:len(begun) - len(read.rest)]


class Tree:
    def __init__(self, content):
        whole = Reader(content)
        nodes = whole.items(read_node)
        whole.finish()
        must(nodes and nodes[-1] is not None, 'a tree that ends blank')
        self.width = 1                                  # leaves; a power of two
        while 2 * self.width - 1 < len(nodes):
            self.width *= 2
        self.nodes = nodes + [None] * (2 * self.width - 1 - len(nodes))
        self.leaves = {index: self.nodes[2 * index] for index in range(self.width) if self.nodes[2 * index]}
        must(all(isinstance(node, Leaf) == (place % 2 == 0) for place, node in enumerate(self.nodes) if node is not None),
             'a leaf among parents, or the other way round')

    def check_leaves(self, group_id):
        for index, leaf in self.leaves.items():
            place = b'' if leaf.source == IN_KEY_PACKAGE else opaque(group_id) + u32(index)
            verify_with_label(leaf.signature_key, b'LeafNodeTBS', leaf.signed + place, leaf.signature, f'leaf {index}')

    def hash(self, first=0, width=None):
        """Tree hash of the subtree over the leaves first .. first + width - 1."""
        width = width or self.width
        node = self.nodes[2 * first + width - 1]
        if width == 1:
            there = u8(1) + node.encoded if node else u8(0)
            return hashlib.sha256(u8(LEAF) + u32(first) + there).digest()
        there = u8(1) + node if node is not None else u8(0)
        half = width // 2
        return hashlib.sha256(u8(PARENT) + there + opaque(self.hash(first, half)) + opaque(self.hash(first + half, half))).digest()


# ---- one epoch -----------------------------------------------------------------------------------------------------

def read_extensions(read):
    return dict(read.items(lambda item: (item.u16(), item.opaque())))


class Epoch:
    """The group as a Welcome shows it; opens application messages of this epoch."""

    def __init__(self, welcome, package):
        read = Reader(welcome)
        must((read.u16(), read.u16(), read.u16()) == (MLS10, WELCOME, SUITE), 'no Welcome of suite 0x0003')
        secrets = dict(read.items(lambda item: (item.opaque(), (item.opaque(), item.opaque()))))
        sealed_info = read.opaque()
        read.finish()
        must(package.ref in secrets, 'a Welcome for somebody else')
        kem_output, ciphertext = secrets[package.ref]
        opened = Reader(hpke_open(package.init_key, kem_output, opaque(b'MLS 1.0 Welcome') + opaque(sealed_info), ciphertext,
                                  'the Welcome'))
        joiner_secret = opened.opaque()
        opened.optional(opened.opaque)                  # path secret: only needed to follow commits
        must(opened.opaque() == b'', 'a group with pre-shared keys')
        opened.finish()

        member_secret = hkdf_extract(joiner_secret, bytes(HASH_BYTES))
        key, nonce = key_and_nonce(expand_with_label(member_secret, b'welcome'))
        info = aead_open(key, nonce, b'', sealed_info, 'the GroupInfo')
        self._read_info(info)
        epoch_secret = expand_with_label(member_secret, b'epoch', self.context)
        must(self.confirmation_tag == hmac.digest(expand_with_label(epoch_secret, b'confirm'), self.transcript_hash, 'sha256'),
             'the confirmation tag is another')
        self.sender_data_secret = expand_with_label(epoch_secret, b'sender data')
        self.encryption_secret = expand_with_label(epoch_secret, b'encryption')

        mine = [index for index, leaf in self.tree.leaves.items() if leaf.signature_key == bytes(package.signature_key.verify_key)]
        must(len(mine) == 1, 'my leaf is not in the tree once')
        self.me = mine[0]

    def _read_info(self, info):
        read = Reader(info)
        must((read.u16(), read.u16()) == (MLS10, SUITE), 'a group of another suite')
        self.group_id, self.number, tree_hash, self.transcript_hash = read.opaque(), read.u64(), read.opaque(), read.opaque()
        must(not read_extensions(read), 'a group with extensions')
        self.context = info[:len(info) - len(read.rest)]
        extensions = read_extensions(read)
        self.confirmation_tag, signer = read.opaque(), read.u32()
        signed = info[:len(info) - len(read.rest)]
        signature = read.opaque()
        read.finish()
        must(RATCHET_TREE in extensions, 'a Welcome without the ratchet tree')
        self.tree = Tree(extensions[RATCHET_TREE])
        must(self.tree.hash() == tree_hash, 'another tree than the group agreed on')
        self.tree.check_leaves(self.group_id)
        must(signer in self.tree.leaves, 'a GroupInfo signed by nobody')
        verify_with_label(self.tree.leaves[signer].signature_key, b'GroupInfoTBS', signed, signature, 'the GroupInfo')
        self.signer = signer

    def _message_key(self, leaf, generation):
        """§9: down the secret tree, then along the leaf's application ratchet."""
        must(leaf in self.tree.leaves, 'from a leaf that is not there')
        secret, first, width = self.encryption_secret, 0, self.tree.width
        while width > 1:
            width //= 2
            left = leaf < first + width
            secret = expand_with_label(secret, b'tree', b'left' if left else b'right')
            first += 0 if left else width
        ratchet = expand_with_label(secret, b'application')
        must(generation < 1024, 'too many generations ahead')
        for passed in range(generation):
            ratchet = expand_with_label(ratchet, b'secret', u32(passed))
        return key_and_nonce(ratchet, u32(generation))

    def open(self, message):
        """(leaf index, application data, length of the padded content) of an application message."""
        read = Reader(message)
        must((read.u16(), read.u16()) == (MLS10, PRIVATE_MESSAGE), 'no PrivateMessage')
        begun = read.rest
        group_id, epoch, content_type = read.opaque(), read.u64(), read.u8()
        sender_data_aad = begun[:len(begun) - len(read.rest)]
        authenticated_data = read.opaque()
        content_aad = begun[:len(begun) - len(read.rest)]
        sealed_sender, ciphertext = read.opaque(), read.opaque()
        read.finish()
        must((group_id, epoch, content_type, authenticated_data) == (self.group_id, self.number, APPLICATION, b''),
             'not an application message of this epoch')

        key, nonce = key_and_nonce(self.sender_data_secret, ciphertext[:HASH_BYTES])
        sender = Reader(aead_open(key, nonce, sender_data_aad, sealed_sender, "the sender's data"))
        leaf, generation, reuse_guard = sender.u32(), sender.u32(), sender.raw(4)
        sender.finish()
        key, nonce = self._message_key(leaf, generation)
        nonce = bytes(a ^ b for a, b in zip(nonce[:4], reuse_guard)) + nonce[4:]
        content = aead_open(key, nonce, content_aad, ciphertext, 'the message')

        inside = Reader(content)
        application_data, signature = inside.opaque(), inside.opaque()
        must(not inside.rest.strip(b'\0'), 'padding that is not zero')
        signed = (u16(MLS10) + u16(PRIVATE_MESSAGE) + opaque(group_id) + u64(epoch) + u8(MEMBER) + u32(leaf)
                  + opaque(authenticated_data) + u8(content_type) + opaque(application_data) + self.context)
        verify_with_label(self.tree.leaves[leaf].signature_key, b'FramedContentTBS', signed, signature, 'the message')
        return leaf, application_data, len(content)


def padded_length(size, least=256):
    """Padmé: at most as many significant bits as the length of the length needs."""
    if size < 2:
        return least
    exponent = size.bit_length() - 1
    low = (1 << (exponent - exponent.bit_length())) - 1
    return max(least, (size + low) & ~low)

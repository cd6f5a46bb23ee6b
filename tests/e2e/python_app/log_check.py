"""The audit log as its reader checks it: notes, checkpoints, inclusion, consistency, entries (docs/AUDIT_LOG.md, C2SP)."""
import base64
import hashlib
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from .structs import Reader, labelled_hash, labelled_hmac, must, u64

HELD, EPOCH = 7, 13             # entry types
PASSES, IS_HELD = 1, 2          # verdicts
CONVERSATION = b'\x01'          # subject kind


def subject_of(conversation):
    return labelled_hash('log subject', CONVERSATION + conversation)


# ---- the tree (RFC 6962 §2.1, RFC 9162 §2.1.3 and §2.1.4) ----------------------------------------------------------

def leaf_hash(entry):
    return hashlib.sha256(b'\0' + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b'\1' + left + right).digest()


def check_inclusion(index, size, leaf, proof, root):
    must(index < size, 'an entry beyond the tree')
    node, last, made = index, size - 1, leaf
    for each in proof:
        must(last > 0, 'an inclusion proof that is too long')
        if node & 1 or node == last:
            made = node_hash(each, made)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            made = node_hash(made, each)
        node, last = node >> 1, last >> 1
    must(last == 0 and made == root, 'the entry is not in the tree')


def check_consistency(first, second, first_root, second_root, proof):
    must(0 < first <= second, 'a log that became smaller')
    if first == second:
        must(not proof and first_root == second_root, 'two trees of one size')
        return
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    must(path, 'no consistency proof')
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for each in path[1:]:
        must(last > 0, 'a consistency proof that is too long')
        if node & 1 or node == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, each)
        node, last = node >> 1, last >> 1
    must(last == 0 and old == first_root and new == second_root, 'the log does not continue the one that was seen')


# ---- notes and checkpoints -----------------------------------------------------------------------------------------

@dataclass
class Checkpoint:
    size: int
    root: bytes


class Log:
    """A log by its verifier key, which must be the one that the invitation pinned, and the newest checkpoint seen."""

    def __init__(self, vkey, pinned, server_name):
        self.name, key_id, encoded = vkey.split('+', 2)
        content = base64.b64decode(encoded, validate=True)
        must(content[0] == 1 and len(content) == 33, 'a verifier key that is not Ed25519')
        self.key_id = hashlib.sha256(self.name.encode() + b'\n' + content).digest()[:4]
        must(self.key_id.hex() == key_id, 'a verifier key with another id')
        must(self.name == f'{server_name}/log', f'a log of another name: {self.name}')
        must(labelled_hash('log key', content[1:]) == pinned, 'not the log key that the invitation pins')
        self.key = VerifyKey(content[1:])
        self.seen = None

    def open(self, note):
        """The checkpoint of a signed note; unknown keys' signatures are ignored, ours must hold."""
        text, signatures = note.rsplit('\n\n', 1)
        text += '\n'
        ours = 0
        for line in signatures.splitlines():
            dash, name, encoded = line.split(' ')
            content = base64.b64decode(encoded, validate=True)
            if dash != '\u2014' or name != self.name or content[:4] != self.key_id:
                continue
            try:
                self.key.verify(text.encode(), content[4:])
            except BadSignatureError:
                must(False, 'the signature of the checkpoint does not hold')
            ours += 1
        must(ours == 1, 'the log did not sign this checkpoint')
        origin, size, root = text.splitlines()[:3]
        must(origin == self.name, 'a checkpoint of another log')
        return Checkpoint(int(size), base64.b64decode(root, validate=True))

    def advance(self, note, consistency):
        """The log's own newest checkpoint, which must continue the one seen before."""
        found = self.open(note)
        if self.seen:
            check_consistency(self.seen.size, found.size, self.seen.root, found.root, list(consistency))
        self.seen = found
        return found

    def check_proof(self, text, entry):
        """c2sp.org/tlog-proof@v1: the entry stands in a tree that the log signed. Gives the entry's index."""
        head, note = text.split('\n\n', 1)
        first, index, *hashes = head.splitlines()
        must(first == 'c2sp.org/tlog-proof@v1' and index.startswith('index '), 'a proof of another form')
        under = self.open(note)
        number = int(index.removeprefix('index '))
        check_inclusion(number, under.size, leaf_hash(entry), [base64.b64decode(line, validate=True) for line in hashes], under.root)
        return number


# ---- entries -------------------------------------------------------------------------------------------------------

@dataclass
class Party:
    account: bytes
    sender: bool
    verdict: int
    until: int          # None: no opening is published yet
    gate: tuple         # (calendar, conversation override) of gated accounts, else None


@dataclass
class GateDecision:
    stamp: int
    seq: int
    envelope: bytes
    wish: int
    parties: dict
    terms: int
    instance: bytes


def read_gate_decision(read):
    def party(item):
        return Party(item.raw(32), item.u8() == 1, item.u8(), item.optional(item.u64), item.optional(lambda: (item.u64(), item.u64())))
    return GateDecision(read.u64(), read.u64(), read.raw(32), read.u8(), {each.account: each for each in read.items(party)},
                        read.u64(), read.raw(16))


@dataclass
class Opened:
    type: int
    previous: bytes
    decided_at: int
    body: Reader        # the body, and zeros behind it


def open_entry(log, item, k_tag):
    """Proof, tag and commitment of a LogItem, and what it says."""
    entry = item.entry
    must(len(entry) == 104, f'an entry of {len(entry)} bytes')
    must(log.check_proof(item.proof, entry) == item.index, 'a proof for another entry')
    read = Reader(entry)
    must(read.u16() == 1, 'an entry of another version')
    minute, tag, commitment = read.u64(), read.raw(32), read.raw(32)
    must(read.raw(30) == bytes(30), 'an entry with something behind it')
    must(tag == labelled_hmac(k_tag, 'log tag', u64(item.counter)), 'not the tag of this subject and counter')
    must(len(item.salt) == 32 and len(item.payload) == 512, 'an entry without its salt and payload')
    must(commitment == labelled_hmac(item.salt, 'log commitment', item.payload), 'the entry commits to another payload')
    inside = Reader(item.payload)
    found = Opened(inside.u8(), inside.raw(32), inside.u64(), inside)
    must(minute == found.decided_at // 60_000 * 60_000, 'decided in another minute than the entry says')
    return found

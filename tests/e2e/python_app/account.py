"""A therapist's app: joins, publishes hours, offers key packages, invites, and receives what the hours let pass."""
import base64
import hashlib
import os

from nacl.pwhash import argon2id
from nacl.signing import SigningKey

from . import structs, wire
from .key_package import make_key_package
from .link import Link, now_ms
from .log_check import Log
from .mls_reader import Epoch, padded_length
from .structs import must

DAY_MS = 24 * 3600 * 1000
CLOCK_TOLERANCE_MS = 2 * 60 * 1000


def read_link(text):
    """(server, fragment) of https://SERVER/i#FRAGMENT."""
    must(text.startswith('https://') and '/i#' in text, 'this is no invitation')
    server, fragment = text.removeprefix('https://').split('/i#')
    return server, structs.read_fragment(base64.urlsafe_b64decode(fragment + '=' * (-len(fragment) % 4)))


class Therapist:
    def __init__(self, invitation, ca):
        self.ca = ca
        self.server, self.invitation = read_link(invitation)
        self.host, port = self.server.rsplit(':', 1)
        self.port = int(port)
        self.recovery_seed = os.urandom(32)
        account_key = structs.derived_key(self.recovery_seed, 'account key', structs.u32(0))
        list_key, self.device_key, self.device = SigningKey.generate(), SigningKey.generate(), os.urandom(16)
        self.account = structs.account_id(account_key.verify_key)
        self.device_list = structs.first_device_list(account_key, structs.THERAPIST, list_key, self.device,
                                                     self.device_key.verify_key, now_ms())
        self.list_signature = structs.sign(list_key, 'device list', self.device_list)
        self.link = None
        self.log = None
        self.packages = {}          # KeyPackageRef -> KeyPackage
        self.invited = {}           # invitation id -> seed
        self.schedules = []         # (in force from, Schedule): the own calendar as the server published it
        self.lists = {}             # account -> DeviceList
        self.conversations = {}     # conversation -> what is known of it
        self.subjects = {}          # subject -> k_tag
        self.envelopes = {}         # (conversation, seq) -> Arrival: this is the vault

    # -- joining
    async def join(self):
        """Invited login, redemption, and away again."""
        must(self.invitation.kind == structs.FOR_THERAPIST, 'an invitation for somebody else')
        key = structs.derived_key(self.invitation.seed, 'invitation key')
        invitation = structs.invitation_id(key.verify_key)
        link = await Link.open(self.host, self.port, self.ca)
        ready = await link.login_as_invitee(key, invitation)
        self.log = Log(ready.log_vkey, self.invitation.log_key_hash, self.host)
        redemption = structs.therapist_redemption(invitation, self.host, self.account, self.device_list, self.list_signature, self.device)
        redeem = wire.Redeem(redemption=redemption, signature=structs.sign(key, 'redemption', redemption))
        redeemed = await link.ask('redeem', redeem, 'redeemed')
        must(redeemed.account == self.account, 'redeemed for somebody else')
        await link.close()

    async def login(self):
        self.link = await Link.open(self.host, self.port, self.ca)
        ready = await self.link.login_as_device(self.device_key, self.account, self.device, self.log.seen.size if self.log.seen else 0)
        must(abs(ready.time - now_ms()) < CLOCK_TOLERANCE_MS, 'the server has another time')
        if ready.checkpoint:
            self.log.advance(ready.checkpoint, ready.consistency)
        self.take_state(ready)
        return ready

    def take_state(self, state):
        for each in state.conversations:
            self.conversations.setdefault(each.conversation, {})['state'] = each
        for each in state.subjects:
            self.subjects[each.subject] = each.key

    # -- publishing
    async def publish_openings(self, openings):
        """The first schedule: closed but for these (start, end), in seconds."""
        now = now_ms() // 1000
        document = structs.schedule_document(self.account, self.device, openings, (now - 86400, now + 400 * 86400))
        must(structs.read_schedule(document).windows == openings, 'a schedule that is not read as it was written')
        signed = wire.SignedDocument(kind=wire.SCHEDULE, bytes=document, signature=structs.sign(self.device_key, 'schedule document', document))
        await self.link.ask('schedule_put', wire.SchedulePut(document=signed), 'done')
        return document

    async def put_key_packages(self, count):
        begun = now_ms() // 1000
        made = [make_key_package(lambda leaf_key: structs.leaf_identity(self.device_key, self.account, self.device, leaf_key),
                                 begun - 60, begun + 27 * 86400) for _ in range(count)]
        self.packages |= {each.ref: each for each in made}
        stock = await self.link.ask('key_packages_put', wire.KeyPackagesPut(key_packages=[each.message for each in made]), 'key_package_stock')
        return stock.left

    async def invite(self, lasts_ms=7 * DAY_MS - 60_000):
        """The link for a client, whose public half the server is given."""
        seed, expiry = os.urandom(32), now_ms() + lasts_ms
        key = structs.derived_key(seed, 'invitation key')
        document = structs.invitation_document(key.verify_key, self.account, self.device, expiry)
        signed = wire.SignedDocument(kind=wire.INVITATION, bytes=document, signature=structs.sign(self.device_key, 'invitation', document))
        await self.link.ask('invitation_put', wire.InvitationPut(document=signed), 'done')
        self.invited[structs.invitation_id(key.verify_key)] = seed
        fragment = structs.Fragment(structs.NEW_CONVERSATION, seed, self.account, 1, 1,
                                    structs.labelled_hash('device list hash', self.device_list), self.invitation.log_key_hash, expiry)
        return f'https://{self.server}/i#' + base64.urlsafe_b64encode(fragment.encode()).decode().rstrip('=')

    # -- receiving
    def take_documents(self, documents):
        for each in documents.documents:
            document = each.document
            if document.kind == wire.DEVICE_LIST:
                found = structs.read_device_list(document.bytes, document.signature)
                self.lists[found.account] = found
            elif document.kind == wire.SCHEDULE:
                found = structs.read_schedule(document.bytes)
                must(found.account == self.account and found.device == self.device, "somebody else's schedule")
                structs.check_signature(bytes(self.device_key.verify_key), 'schedule document', document.bytes, document.signature)
                self.schedules.append((each.in_force_from, found))

    async def take_welcome(self, welcome):
        """Somebody began a conversation by an invitation of mine: is it the one that was redeemed, and is the group theirs and mine?"""
        must(welcome.invitation.kind == wire.INVITATION, 'a beginning without its invitation')
        structs.check_signature(bytes(self.device_key.verify_key), 'invitation', welcome.invitation.bytes, welcome.invitation.signature)
        redemption = structs.read_redemption(welcome.redemption)
        must(redemption.invitation in self.invited, 'an invitation that I never made')
        key = structs.derived_key(self.invited[redemption.invitation], 'invitation key')
        structs.check_signature(bytes(key.verify_key), 'redemption', welcome.redemption, welcome.redemption_signature)
        must(redemption.server_name == self.host.encode() and redemption.kind == structs.NEW_CONVERSATION, 'redeemed elsewhere, or otherwise')
        clients = structs.read_device_list(redemption.device_list, redemption.list_signature)
        must((clients.account, clients.side, clients.generation, clients.version) == (redemption.account, structs.CLIENT, 1, 1)
             and redemption.device in clients.devices, 'an account that its first list does not begin')
        must((redemption.conversation, redemption.generation, redemption.declaration)
             == (welcome.conversation, welcome.generation, welcome.declaration)
             and welcome.mls in redemption.welcomes, 'not the conversation that was redeemed')
        declaration = structs.read_declaration(welcome.declaration)
        must((declaration.conversation, declaration.epoch_before + 1) == (welcome.conversation, welcome.epoch), 'declared for another epoch')
        [(account, side, device, ref)] = declaration.added
        must((account, side, device) == (self.account, structs.THERAPIST, self.device) and not declaration.removed
             and ref in self.packages, 'not my device, or not a key package of mine')
        self.lists[clients.account] = clients
        epoch = Epoch(welcome.mls, self.packages.pop(ref))
        must((epoch.group_id, epoch.number) == (redemption.group_id, welcome.epoch), 'the Welcome of another group, or epoch')
        owners = {self.account: structs.read_device_list(self.device_list, self.list_signature), clients.account: clients}
        roster = {}
        for index, leaf in epoch.tree.leaves.items():
            must(leaf.identity[1:33] in owners, 'a leaf of an account that was not declared')
            roster[index] = structs.check_leaf(leaf.identity, leaf.signature_key, owners[leaf.identity[1:33]])
        must(roster == {epoch.signer: (clients.account, redemption.device), epoch.me: (self.account, self.device)},
             'another roster than founder and declaration')
        self.conversations.setdefault(welcome.conversation, {}).update(redemption=redemption, epoch=epoch, roster=roster)
        await self.link.tell('handshake_ack', wire.HandshakeAck(conversation=welcome.conversation, generation=welcome.generation, epoch=welcome.epoch))
        return redemption

    def passes_from(self, envelope):
        """When my own signed hours let it pass."""
        must(self.schedules, 'an envelope before the hours by which it passes')
        return structs.passes_from(self.schedules[-1][1].windows, envelope.stamp)

    async def take_envelope(self, arrival):
        """Hash and hours; kept first, acknowledged then."""
        envelope = arrival.body
        must(hashlib.sha256(envelope.mls).digest() == envelope.hash, 'not the hash of this envelope')
        due = self.passes_from(envelope)
        must(due is not None and arrival.at + CLOCK_TOLERANCE_MS >= due, 'it came before my hours let it pass')
        self.envelopes[envelope.conversation, envelope.seq] = arrival
        await self.link.tell('ack', wire.Ack(conversation=envelope.conversation, seqs=[envelope.seq]))
        return due

    def open_envelope(self, envelope):
        """What stands in it, written by a device of the account that the server names."""
        known = self.conversations[envelope.conversation]
        leaf, content, length = known['epoch'].open(envelope.mls)
        must(known['roster'][leaf] == (envelope.sender_account, envelope.sender_device), 'the server names another sender')
        must(length == padded_length(length), 'a message that is not padded')
        return wire.Content.FromString(content)

    def words_to_compare(self, conversation, word_list):
        other = self.conversations[conversation]['redemption'].account
        mixed = argon2id.kdf(32, b''.join(sorted([self.account, other])) + conversation,
                             structs.labelled_hash('safety words', b'')[:16], opslimit=3, memlimit=64 * 1024 * 1024)
        bits = int.from_bytes(mixed[:8], 'big')
        return [word_list[bits >> shift & 0x7ff] for shift in (53, 42, 31, 20)]

    async def read_log(self, subject):
        """Every entry of a subject, and its head as (counter, hash)."""
        items, counter = [], 1
        while True:
            page = await self.link.ask('log_get', wire.LogGet(subject=subject, from_counter=counter), 'log_entries')
            items += page.items
            counter = items[-1].counter + 1 if items else 1
            if counter > page.head_counter or not page.items:
                return items, (page.head_counter, page.head)

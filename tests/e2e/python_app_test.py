#!/usr/bin/python3
"""Somebody else's app: written from docs/, the .proto files and the RFCs alone, it joins, publishes hours, invites, receives,
opens and checks.

The other side is our own terminal app. The window is a real span of the next seconds, so "not before the opening" is a fact
about a clock that both sides look at.
"""
import asyncio
import hashlib
import json
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from nacl.signing import SigningKey

from programs import ROOT, Failed, Person, Server
from python_app import structs, wire
from python_app.account import Therapist
from python_app.link import client_frame
from python_app.log_check import EPOCH, HELD, IS_HELD, PASSES, Log, leaf_hash, open_entry, read_gate_decision, subject_of
from python_app.mls_reader import padded_length
from python_app.structs import Broken, must

NIGHT = 'I could not sleep again, the staircase dream came back.'


def golden_cases():
    """tests/cases/padding.json, and login.json: the same frames, the same signed bytes, the same signatures."""
    def raw(case, name):
        return bytes.fromhex(case[name])

    def whole(case, key, who, name, statement, identity):
        nonce = wire.ServerFrame.FromString(raw(case, 'nonce')).nonce
        must(nonce.server_name == case['server_name'], 'the golden nonce names another server')
        hello = wire.ClientFrame.FromString(raw(case, 'hello')).hello
        made = client_frame('hello', wire.Hello(version=1, log_size_seen=hello.log_size_seen, confirmed=hello.confirmed, **who),
                            wire.ClientFrame.FromString(raw(case, 'hello')).request_id)
        must(made == raw(case, 'hello'), 'another hello')
        said = statement(nonce.server_name, nonce.nonce, made, *identity)
        must(structs.labelled(name, said) == raw(case, 'signed'), 'other bytes are signed')
        authenticate = wire.Authenticate(signature=structs.sign(key, name, said))
        must(client_frame('authenticate', authenticate, wire.ClientFrame.FromString(raw(case, 'authenticate')).request_id)
             == raw(case, 'authenticate'), 'another authenticate')
        ready = wire.ServerFrame.FromString(raw(case, 'ready')).ready
        pinned = structs.labelled_hash('log key', bytes(SigningKey(b'\xa3' * 32).verify_key))
        must(Log(ready.log_vkey, pinned, case['server_name']).advance(ready.checkpoint, []).size == 1, 'another checkpoint')

    for case in json.loads((ROOT / 'tests/cases/padding.json').read_text())['cases']:
        must(padded_length(case['content_bytes']) == case['application'], f'{case["content_bytes"]} bytes are padded otherwise')
    cases = json.loads((ROOT / 'tests/cases/login.json').read_text())
    device = cases['device']
    account, number = structs.account_id(SigningKey(raw(device, 'account_key_seed')).verify_key), raw(device, 'device')
    must(account == raw(device, 'account'), 'another account id')
    whole(device, SigningKey(raw(device, 'device_key_seed')), {'device': wire.DeviceLogin(account=account, device=number)},
          'login', structs.login_statement, [account, number])
    invited = cases['invited']
    key = structs.derived_key(raw(invited, 'invitation_seed'), 'invitation key')
    invitation = structs.invitation_id(key.verify_key)
    must(invitation == raw(invited, 'invitation_id'), 'another invitation id')
    whole(invited, key, {'invitation': invitation}, 'invited login', structs.invited_login_statement, [invitation])


async def everything_of(helena, arrivals):
    """Lets the app take what came, in the order in which it came; gives the envelopes."""
    envelopes = []
    for arrival in arrivals:
        if arrival.kind == 'state_changed':
            helena.take_state(arrival.body)
        elif arrival.kind == 'documents':
            helena.take_documents(arrival.body)
        elif arrival.kind == 'welcome':
            await helena.take_welcome(arrival.body)
        elif arrival.kind == 'envelope':
            envelopes.append(arrival)
        else:
            must(arrival.kind in ('handshake', 'invitations', 'epoch_end'), f'nobody expects a {arrival.kind} here')
    return envelopes


def take_all(link):
    taken, link.arrived = link.arrived, []
    return taken


async def story(folder):
    server = Server(folder / 'server')
    server.start()
    try:
        # She joins, and says that she is there in a few seconds, not now.
        began = time.monotonic()
        helena = Therapist(server.operator('invite', 'therapist')['link'], server.ca)
        await helena.join()
        await helena.login()
        pace = time.monotonic() - began             # of this machine, now: the window is cut to it
        opens = int(time.time() + 7 + 15 * min(pace, 2))
        await helena.publish_openings([(opens, opens + 600)])
        must(await helena.put_key_packages(3) == 3, 'the server has not three key packages')
        link = await helena.invite()

        # He joins and writes at once, in the closed window.
        jonas = Person('client', folder / 'home', server.ca)
        await asyncio.to_thread(jonas.ask, 'join', link, '--key-file', '--name', 'Helena')
        await asyncio.to_thread(jonas.ask, 'send', 'Helena', NIGHT)
        [sent] = [each for each in jonas.ask('read', '--peek').of('message') if each.get('text') == NIGHT]
        must(sent['state'] == 'held', f'his message is {sent["state"]}, not held')
        must(datetime.fromisoformat(sent['held_until'].replace('Z', '+00:00')).timestamp() == opens, 'held until another time than hers')
        must(time.time() < opens, 'this machine was too slow for the window that was chosen')

        # The conversation is there, the message is not.
        await helena.link.listen(0.5)
        early = await everything_of(helena, take_all(helena.link))
        must(time.time() < opens, 'this machine was too slow for the window that was chosen')
        print(f'pace {pace:.2f} s, {opens - time.time():.1f} s before the window opens')
        must(not early, 'an envelope came before the window opened')
        [conversation] = helena.conversations
        must(conversation.hex() == sent['conversation'], 'another conversation than his')
        known = helena.conversations[conversation]
        must('epoch' in known, 'no Welcome came')
        members = {each.account: each.side for each in known['state'].members}
        must(members == {helena.account: wire.THERAPIST, known['redemption'].account: wire.CLIENT}, 'other members than two')
        subject = subject_of(conversation)
        k_tag = helena.subjects[subject]
        items, _ = await helena.read_log(subject)
        sealed = [each for each in items if not each.payload]
        must(len(sealed) == 1 and not sealed[0].salt, 'the entry of the held message is open before it passes')

        # The window opens.
        arrival = await helena.link.next('envelope', opens - time.time() + 5)
        await everything_of(helena, take_all(helena.link))
        envelope = arrival.body
        must(arrival.at >= opens * 1000, f'the envelope came {opens * 1000 - arrival.at} ms before the window opened')
        due = await helena.take_envelope(arrival)
        must(due == opens * 1000, 'her own hours let it pass at another time')
        must((envelope.conversation, envelope.seq) == (conversation, sent['seq']), 'another envelope than his')
        must((envelope.sender_account, envelope.sender_device) == (known['redemption'].account, known['redemption'].device),
             'from somebody else')

        # It is what he wrote.
        content = helena.open_envelope(envelope)
        must(content.WhichOneof('body') == 'text' and content.text.text.decode() == NIGHT, 'another text than his')
        his_list = known['redemption'].device_list
        must((content.own_list.generation, content.own_list.version, content.own_list.hash)
             == (1, 1, structs.labelled_hash('device list hash', his_list)), 'he knows another list of his own')

        # Both screens show the same four words.
        [shown] = (await asyncio.to_thread(jonas.ask, 'verify')).of('conversation')
        word_list = (ROOT / 'common/texts/words.en.txt').read_text(encoding='utf-8').split()
        must(helena.words_to_compare(conversation, word_list) == shown['words'], 'other words than on his screen')

        # The log says the same, and its proofs hold.
        newest = await helena.link.ask('checkpoint_get', wire.CheckpointGet(size_seen=helena.log.seen.size if helena.log.seen else 0),
                                       'checkpoint')
        helena.log.advance(newest.note, newest.consistency)
        items, head = await helena.read_log(subject)
        previous, types = bytes(32), []
        for number, item in enumerate(items, 1):
            must(item.counter == number and item.subject == subject, 'a gap in the chain')
            opened = open_entry(helena.log, item, k_tag)
            must(opened.previous == previous, 'an entry that does not name the one before')
            previous = leaf_hash(item.entry)
            types.append(opened.type)
            if opened.type == HELD:
                decision = read_gate_decision(opened.body)
        must(head == (len(items), previous), 'another head than the last entry')
        must(sorted(types) == sorted([EPOCH, HELD]), f'the conversation has other entries: {types}')
        must((decision.seq, decision.stamp, decision.envelope) == (envelope.seq, envelope.stamp, envelope.hash),
             'held was another envelope')
        must(decision.parties[helena.account].verdict == IS_HELD and decision.parties[helena.account].until == due
             and decision.parties[helena.account].gate == (1, 0), 'held otherwise than her hours say')
        must(decision.parties[envelope.sender_account].sender and decision.parties[envelope.sender_account].verdict == PASSES,
             'its author is not its author')

        # Acknowledged is acknowledged.
        await helena.link.close()
        await helena.login()
        await helena.link.listen(1.5)
        must(not await everything_of(helena, take_all(helena.link)), 'an acknowledged envelope was offered again')
        await helena.link.close()
        must(server.stop() == 0, 'the server did not drain')
    finally:
        server.kill()


def main():
    golden_cases()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(asyncio.wait_for(story(Path(folder)), 80))
    print('somebody else\'s app: joined, published, invited, received on time, read, and the log holds')


if __name__ == '__main__':
    try:
        main()
    except (Broken, Failed) as fault:
        sys.exit(f'python_app_test: {fault}')

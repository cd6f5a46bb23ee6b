#!/usr/bin/python3
"""Bad input, line by line: whatever somebody sends, types or breaks gets a clear error, nothing is lost, nobody else notices.

One server, and on it a conversation of two bystanders that never stops: after every check he writes, and it must arrive on
her one `watch`, once and in order; somebody else's app keeps one link and must still be answered on it.
`bad_input.py NAME...` runs those checks only.
"""
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import websockets
from nacl.signing import SigningKey

from programs import BIN, PLAIN, ROOT, Failed, Person, Server
from python_app import structs, wire
from python_app.account import Therapist, now_ms
from python_app.link import FRAME_BYTES_MAX, Link, client_frame
from python_app.structs import Broken, must

FAKETIME = next((each for each in Path('/usr/lib').glob('*/faketime/libfaketime.so.1')), None)
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


# ---- The bystanders ------------------------------------------------------------------------------------------------------

class Bystanders:
    """Two people who talk, and a therapist of another app with a link."""

    def __init__(self, server, folder):
        self.server = server
        self.anna = Person('therapist', folder / 'anna', server.ca)
        self.ben = Person('client', folder / 'ben', server.ca)
        self.said, self.heard = [], []
        self.helena = Therapist(server.operator('invite', 'therapist')['link'], server.ca)

    async def begin(self):
        self.anna.ask('join', self.server.operator('invite', 'therapist')['link'], '--key-file')
        self.anna.ask('hours', 'set', 'Mon-Sun 03:00-04:00', '--zone', 'Europe/Berlin')
        self.anna.ask('hours', 'open', 'now', '+90m')
        self.ben.ask('join', self.anna.ask('invite', '--name', 'Ben').of('invitation')[0]['link'], '--key-file', '--name', 'Anna')
        self.watch = self.anna.begin('watch', '--for', '600')
        threading.Thread(target=self._listen, daemon=True).start()
        await self.helena.join()
        await self.helena.login()

    def _listen(self):
        for line in self.watch.stdout:
            each = json.loads(line)
            if each.get('type') == 'message' and not each['from'].get('me'):
                self.heard.append(each['text'])

    def say(self, text):
        self.said.append(text)
        return self.ben.run('send', 'Anna', text)

    def hear(self, seconds=10):
        until = time.monotonic() + seconds
        while self.heard != self.said and time.monotonic() < until:
            time.sleep(0.01)
        must(self.heard == self.said, f'she heard {self.heard[-2:]}, he said {self.said[-2:]} (of {len(self.said)})')

    async def undisturbed(self, after):
        answer = await asyncio.to_thread(self.say, f'after {after}')
        must(answer.code == 0, f'his message ended with {answer.code}: {answer.reason()}')
        await asyncio.to_thread(self.hear)
        must(self.watch.poll() is None, 'her watch ended')
        await self.helena.link.ask('checkpoint_get', wire.CheckpointGet(), 'checkpoint')
        self.helena.link.arrived.clear()

    def end(self):
        if hasattr(self, 'watch'):
            self.watch.kill()
            self.watch.wait()


class Stage:
    """What a check has: the server, somebody who does everything wrong, and the bystanders."""

    def __init__(self, folder):
        self.folder = folder
        self.server = Server(folder / 'server')
        if FAKETIME:
            self.clock = folder / 'clock'
            self.set_clock(0)
            self.server.environment = {'LD_PRELOAD': str(FAKETIME), 'FAKETIME_TIMESTAMP_FILE': str(self.clock), 'FAKETIME_NO_CACHE': '1',
                                       'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'DONT_FAKE_MONOTONIC': '1'}

    def set_clock(self, seconds):
        fresh = self.clock.with_suffix('.new')
        fresh.write_text(f'{seconds:+d}\n')
        fresh.replace(self.clock)

    async def begin(self):
        self.server.start()
        self.bystanders = Bystanders(self.server, self.folder)
        await self.bystanders.begin()
        self.mallory = Therapist(self.server.operator('invite', 'therapist')['link'], self.server.ca)
        await self.mallory.join()

    async def fresh_link(self):
        return await Link.open(self.mallory.host, self.mallory.port, self.server.ca)

    async def login(self):
        await self.mallory.login()
        return self.mallory.link

    def interluded(self, *arguments, config=None):
        """A second server that must not start: its exit code and what it says."""
        done = subprocess.run([BIN / 'interluded', '--config', config or self.server.config, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=20, env=PLAIN)
        must(not done.stdout, f'it says it is ready: {done.stdout}')
        return done.returncode, done.stderr.strip()

    def other_config(self, name, *changes):
        """A configuration in a folder of its own, with (old, new) changes."""
        folder = self.folder / name
        folder.mkdir()
        text = self.server.config.read_text().replace('pki/', str(self.server.folder / 'pki') + '/')
        for old, new in changes:
            must(old in text, f'the configuration does not say {old}')
            text = text.replace(old, new)
        (folder / 'interluded.toml').write_text(text)
        return folder / 'interluded.toml'


async def ends_with(link, code, within=5):
    """The link ends: goodbye with this code as its last frame, then the close with the same."""
    last = None
    try:
        while True:
            last = (await link._receive(within))[1]
    except websockets.ConnectionClosed:
        pass
    must(link.socket.close_code == code, f'the link was closed with {link.socket.close_code}, not {code}')
    must(last and last.kind == 'goodbye' and last.body.code == code, f'its last frame was {last and last.kind}: {last and last.body}')
    return last.body


async def refused(link, kind, body, rule, problem=0):
    answer = await link.ask(kind, body, 'refused')
    must(answer.rule == rule and answer.problem == problem, f'refused otherwise: {answer}')
    return answer


def signed(kind, content, signature):
    return wire.SignedDocument(kind=kind, bytes=content, signature=signature)


def says(text, *words):
    for word in words:
        must(word in text, f'it does not say "{word}": {text}')


def a_send(conversation=None, **more):
    return wire.Send(conversation=conversation or os.urandom(16), generation=1, epoch=1, mls=os.urandom(300), wish=wire.NORMAL, **more)


# ---- Frames --------------------------------------------------------------------------------------------------------------

@check
async def bad_frames(stage):
    link = await stage.fresh_link()
    await link.socket.send(b'\xff' * 40)
    await ends_with(link, 4400)
    link = await stage.login()
    await link.socket.send(client_frame('send', a_send(), b'short id'))
    await ends_with(link, 4400)
    link = await stage.login()
    await link.socket.send('text')
    await ends_with(link, 1003)


@check
async def oversized_frames(stage):
    link = await stage.login()
    await link.socket.send(bytes(FRAME_BYTES_MAX + 1))
    await ends_with(link, 1009)
    link = await stage.login()
    await link.socket.send(bytes(8 * 1024 * 1024))
    await ends_with(link, 1009)


@check
async def fragmented_frames(stage):
    """Pieces of one message are one message; too many of them are too much."""
    link = await stage.login()
    request = os.urandom(16)
    frame = client_frame('checkpoint_get', wire.CheckpointGet(), request)
    await link.socket.send([frame[:1], frame[1:7], frame[7:]])
    await link._answer(request, 'checkpoint')
    await link.socket.send([bytes(64 * 1024)] * 5)
    await ends_with(link, 1009)


@check
async def truncated_frames(stage):
    link = await stage.login()
    whole = client_frame('send', a_send(), os.urandom(16))
    await link.socket.send(whole[:len(whole) // 2])
    await ends_with(link, 4400)
    link = await stage.login()                          # and one that never ends: the connection is cut in the middle of it
    link.socket.transport.write(b'\x82\xfe\x10\x00' + bytes(4) + whole[:100])
    await asyncio.sleep(0.05)
    link.socket.transport.abort()


@check
async def replayed_frames(stage):
    """A recorded login is worth nothing on another link; a request that is repeated happens once."""
    recorded = []
    link = await stage.fresh_link()
    send = link.socket.send

    async def record(frame):
        recorded.append(frame)
        await send(frame)
    link.socket.send = record
    await link.login_as_device(stage.mallory.device_key, stage.mallory.account, stage.mallory.device)
    replay = await stage.fresh_link()
    for frame in recorded:
        await replay.socket.send(frame)
    await ends_with(replay, 4401)
    now = now_ms() // 1000
    document = structs.schedule_document(stage.mallory.account, stage.mallory.device, [(now, now + 60)], (now - 86400, now + 86400))
    put = wire.SchedulePut(document=signed(wire.SCHEDULE, document, structs.sign(stage.mallory.device_key, 'schedule document', document)))
    await link.ask('schedule_put', put, 'done')
    await link.ask('schedule_put', put, 'done')         # the same document is no second one
    await refused(link, 'send', a_send(), wire.RULE_NOT_A_MEMBER)


@check
async def frames_out_of_state(stage):
    for body in ({'conversation': None}, {'conversation': None, 'blobs': [bytes(16)]}):
        link = await stage.fresh_link()
        await link.socket.send(client_frame('send', a_send(**body), os.urandom(16)))
        await ends_with(link, 4401)
    link = await stage.login()
    await link.socket.send(client_frame('authenticate', wire.Authenticate(signature=bytes(64)), os.urandom(16)))
    await ends_with(link, 4400)
    link = await stage.login()                          # what is not for this role, and what is not yet, is answered
    error = await link.ask('redeem', wire.Redeem(redemption=b'x', signature=bytes(64)), 'error')
    must(error.code == wire.NOT_ALLOWED, f'answered otherwise: {error}')
    error = await link.ask('backup_get', wire.Later(), 'error')
    must(error.code == wire.NOT_YET, f'answered otherwise: {error}')
    await refused(link, 'send', a_send(blobs=[bytes(16)]), wire.RULE_NOT_YET)


@check
async def wrong_signatures(stage):
    mallory = stage.mallory
    link = await stage.fresh_link()
    try:
        await link.login_as_device(SigningKey.generate(), mallory.account, mallory.device)
        raise Failed('a login with a wrong key was answered')
    except (Broken, websockets.ConnectionClosed):
        await ends_with_code(link, 4401)
    link = await stage.login()
    now = now_ms() // 1000
    document = structs.schedule_document(mallory.account, mallory.device, [(now, now + 60)], (now - 86400, now + 86400))
    await refused(link, 'schedule_put', wire.SchedulePut(document=signed(wire.SCHEDULE, document, bytes(64))), wire.RULE_INVALID)
    expiry = now_ms() + 3600_000
    invitation = structs.invitation_document(SigningKey.generate().verify_key, mallory.account, mallory.device, expiry)
    forged = structs.sign(SigningKey.generate(), 'invitation', invitation)
    await refused(link, 'invitation_put', wire.InvitationPut(document=signed(wire.INVITATION, invitation, forged)), wire.RULE_INVALID)


async def ends_with_code(link, code):
    await link.socket.wait_closed()
    must(link.socket.close_code == code, f'the link was closed with {link.socket.close_code}, not {code}')


# ---- People --------------------------------------------------------------------------------------------------------------

@check
async def spent_and_expired_invitations(stage):
    server, link = stage.server, stage.server.operator('invite', 'therapist')['link']
    Person('first', stage.folder / 'first', server.ca).ask('join', link, '--key-file')
    second = Person('second', stage.folder / 'second', server.ca)
    answer = await asyncio.to_thread(second.run, 'join', link, '--key-file')
    must(answer.code == 3, f'a spent invitation: exit {answer.code}: {answer.reason()}')
    says(answer.reason() + str(answer.objects), 'used')
    await stage.login()
    await stage.mallory.put_key_packages(2)
    expired = await stage.mallory.invite(lasts_ms=1500)
    await asyncio.sleep(1.6)
    answer = await asyncio.to_thread(second.run, 'join', expired, '--key-file')
    must(answer.code == 3, f'an expired invitation: exit {answer.code}: {answer.reason()}')
    says(answer.reason(), 'run out')
    await stage.mallory.link.close()


@check
async def unknown_recipients(stage):
    link = await stage.login()
    of_others = bytes.fromhex(stage.bystanders.ben.ask('list').of('conversation')[0]['conversation'])
    unknown = await refused(link, 'send', a_send(), wire.RULE_NOT_A_MEMBER)
    known = await refused(link, 'send', a_send(of_others), wire.RULE_NOT_A_MEMBER)
    must(unknown == known, 'the two do not look the same')
    await link.close()
    answer = await asyncio.to_thread(stage.bystanders.ben.run, 'send', 'Nobody', 'Hello?')
    must(answer.code == 2, f'an unknown name: exit {answer.code}: {answer.reason()}')
    says(answer.reason() + str(answer.objects), 'Nobody')


@check
async def a_wrong_passphrase(stage):
    person, words = Person('careful', stage.folder / 'careful', stage.server.ca), stage.folder / 'words'
    link = stage.server.operator('invite', 'therapist')['link']

    def run(passphrase, *verb):
        words.write_text(passphrase + '\n')
        words.chmod(0o600)
        return subprocess.run(person.command(*verb), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                              env=PLAIN | {'INTERLUDE_PASSPHRASE_FILE': str(words)})
    joined = await asyncio.to_thread(run, 'a long enough sentence of hers', 'join', link)
    must(joined.returncode == 0, f'join: {joined.stdout}')
    before = {each.name: each.read_bytes() for each in person.home.iterdir() if each.is_file()}
    wrong = await asyncio.to_thread(run, 'another sentence', 'list')
    must(wrong.returncode == 77, f'a wrong passphrase: exit {wrong.returncode}: {wrong.stdout}')
    says(wrong.stdout, 'passphrase')
    must(before['vault.db'] == (person.home / 'vault.db').read_bytes() if 'vault.db' in before else True, 'a wrong passphrase changed the vault')
    right = await asyncio.to_thread(run, 'a long enough sentence of hers', 'list')
    must(right.returncode == 0, f'afterwards the right one: exit {right.returncode}: {right.stdout}')


@check
async def a_schedule_that_overlaps_itself(stage):
    anna = stage.bystanders.anna
    before = anna.ask('hours', 'show').of('hours')[0]['number']
    answer = await asyncio.to_thread(anna.run, 'hours', 'set', 'Mon-Fri 09:00-12:00,11:00-14:00', '--zone', 'Europe/Berlin')
    must(answer.code in (2, 65), f'overlapping hours: exit {answer.code}: {answer.reason()}')
    says(answer.reason() + str(answer.objects), 'overlap')
    must(anna.ask('hours', 'show').of('hours')[0]['number'] == before, 'a new schedule was published')
    link = await stage.login()                          # an app that does not look
    now = now_ms() // 1000
    document = structs.schedule_document(stage.mallory.account, stage.mallory.device, [], (now - 86400, now + 86400),
                                         weekly=[(0, 540, 720), (0, 660, 840)])
    put = wire.SchedulePut(document=signed(wire.SCHEDULE, document, structs.sign(stage.mallory.device_key, 'schedule document', document)))
    await refused(link, 'schedule_put', put, wire.RULE_SCHEDULE, wire.SCHEDULE_OVERLAPS_ITSELF)
    await link.close()


# ---- The machine ---------------------------------------------------------------------------------------------------------

@check
async def a_full_disk(stage):
    """No file of the server may grow any more: it refuses, keeps its links, and goes on by itself when there is room."""
    server, bystanders, process = stage.server, stage.bystanders, stage.server.process
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (Path(f'{server.database}-wal').stat().st_size, hard))
    try:
        bystanders.ben.timeout = 3
        answer = await asyncio.to_thread(bystanders.say, 'nobody has room for this')
        must(answer.code == 75, f'on a full disk: exit {answer.code}: {answer.reason()}')
        [kept] = [each for each in answer.of('message')]
        must(kept['state'] == 'on_device', f'his message is {kept["state"]}')
        try:
            server.operator('invite', 'therapist')
            raise Broken('an invitation was made without room for it')
        except Failed as fault:
            says(str(fault), 'exit 1', "look at the server's diagnostics")
        await asyncio.sleep(2.5)                        # ticker, sequencer and the mark of the time meet it several times
        must(process.poll() is None, f'the server ended with {process.poll()}: {server.last_words()}')
        await bystanders.helena.link.ask('checkpoint_get', wire.CheckpointGet(), 'checkpoint')
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        bystanders.ben.timeout = 20
    said = server.diagnostics.read_text()
    must(said.count('the_store_does_not_write_requests_are_put_off') == 1, f'said not once: {server.last_words()}')
    status = await asyncio.to_thread(bystanders.ben.run, 'status')
    must(status.code == 0, f'his app: exit {status.code}')
    await asyncio.to_thread(bystanders.hear, 15)
    until = time.monotonic() + 5
    while 'the_store_writes_again' not in server.diagnostics.read_text() and time.monotonic() < until:
        await asyncio.sleep(0.1)
    says(server.diagnostics.read_text(), 'the_store_writes_again')


@check
async def a_missing_certificate(stage):
    config = stage.other_config('no-certificate', ('/server.pem"', '/nowhere.pem"'))
    code, said = await asyncio.to_thread(stage.interluded, config=config)
    must(code == 78, f'exit {code}: {said}')
    says(said, 'nowhere.pem', 'no such file', 'tls.certificate')
    must(not list(config.parent.glob('*.db')) and not (config.parent / 'log.key').exists(), 'it made something')


@check
async def a_certificate_for_another_name(stage):
    """Apps would refuse it: a start and a --check do, a reload keeps the old one."""
    config = stage.other_config('name', (f'server_name = "{stage.server.name}"', 'server_name = "other.example"'))
    for more, exit_code in (([], 78), (['--check'], 1)):
        code, said = await asyncio.to_thread(stage.interluded, *more, config=config)
        must(code == exit_code, f'exit {code}: {said}')
        says(said, 'is not for other.example', 'server_name')
    subprocess.run([ROOT / 'certs/make-dev-pki', stage.folder / 'other-pki', 'other.example'], check=True, timeout=30, capture_output=True)
    kept = {}
    for name in ('server.pem', 'server.key'):
        kept[name] = (stage.server.folder / 'pki' / name).read_bytes()
        (stage.server.folder / 'pki' / name).write_bytes((stage.folder / 'other-pki' / name).read_bytes())
    stage.server.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 5
    while 'certificate_not_reloaded' not in stage.server.last_words() and time.monotonic() < until:
        await asyncio.sleep(0.05)
    says(stage.server.last_words(), 'certificate_not_reloaded_the_old_one_stays', 'is not for')
    for name, content in kept.items():
        (stage.server.folder / 'pki' / name).write_bytes(content)
    await (await stage.fresh_link()).close()


@check
async def a_config_with_a_typo(stage):
    config = stage.other_config('typo', ('server_name', 'sever_name'))
    code, said = await asyncio.to_thread(stage.interluded, config=config)
    must(code == 78, f'exit {code}: {said}')
    says(said, 'sever_name', 'Did you mean "server_name"?')


@check
async def a_port_in_use(stage):
    config = stage.other_config('port')
    code, said = await asyncio.to_thread(stage.interluded, '--set', f'listen=["127.0.0.1:{stage.server.port}"]', config=config)
    must(code == 78, f'exit {code}: {said}')
    says(said, f'127.0.0.1:{stage.server.port}', 'in use', 'another port')


@check
async def a_second_server_on_one_store(stage):
    code, said = await asyncio.to_thread(stage.interluded)
    must(code == 77, f'exit {code}: {said}')
    says(said, 'another server uses the store', 'stop it first')


@check
async def a_clock_that_is_off(stage):
    """Of the server: nothing is released by a time that nobody believes. Of an app: it says so."""
    if not FAKETIME:
        raise Failed('libfaketime is not installed: apt install faketime')
    server, bystanders = stage.server, stage.bystanders
    stage.set_clock(2 * 86400)
    until = time.monotonic() + 5
    while server.operator('status')['time_believed'] and time.monotonic() < until:
        await asyncio.sleep(0.1)
    status = server.operator('status')
    must(not status['time_believed'] and status['skew_ms'] > 86400_000, f'it believes the clock: {status}')
    says(server.last_words(), 'clock_stepped_forward_releases_wait_until_clock_confirm')
    answer = await asyncio.to_thread(bystanders.say, 'what time is it?')
    must(answer.code == 0, f'his message ended with {answer.code}: {answer.reason()}')
    stage.set_clock(0)
    while not server.operator('status')['time_believed']:
        await asyncio.sleep(0.1)
    await asyncio.to_thread(bystanders.hear)
    fake = PLAIN | {'LD_PRELOAD': str(FAKETIME), 'FAKETIME': '+10m'}
    shown = await asyncio.to_thread(subprocess.run, bystanders.ben.command('status', as_json=False), stdin=subprocess.DEVNULL,
                                    capture_output=True, text=True, timeout=30, env=fake)
    says(shown.stderr, "seconds ahead of the server's: please check this machine's time")


# ---- All of them ---------------------------------------------------------------------------------------------------------

async def run(folder, names):
    unknown = set(names) - {each.__name__ for each in CHECKS}
    if unknown:
        raise Failed(f'there is no check {", ".join(sorted(unknown))}')
    stage, failures = Stage(folder), []
    try:
        await stage.begin()
        for one in CHECKS:
            if names and one.__name__ not in names:
                continue
            began = time.monotonic()
            try:
                await asyncio.wait_for(one(stage), 30)
                await stage.bystanders.undisturbed(one.__name__)
                verdict = 'ok'
            except (Broken, Failed, asyncio.TimeoutError, websockets.ConnectionClosed, OSError) as fault:
                verdict = f'FAILED: {type(fault).__name__} {fault}'
                failures.append(one.__name__)
            print(f'{one.__name__:<36} {time.monotonic() - began:5.1f} s  {verdict}', flush=True)
        history = [each['text'] for each in stage.bystanders.anna.ask('read', '--peek').of('message') if not each['from'].get('me')]
        must(history == stage.bystanders.said, 'her app has other messages than he wrote')
        must(stage.server.stop() == 0, f'the server did not drain: {stage.server.last_words()}')
    finally:
        if hasattr(stage, 'bystanders'):
            stage.bystanders.end()
        if failures:
            print(stage.server.last_words(20))
        stage.server.kill()
    if failures:
        raise Failed(', '.join(failures))


def main():
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(asyncio.wait_for(run(Path(folder), sys.argv[1:]), 170))


if __name__ == '__main__':
    try:
        main()
    except (Broken, Failed, asyncio.TimeoutError) as fault:
        sys.exit(f'bad_input: {fault}')

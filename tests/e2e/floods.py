#!/usr/bin/python3
"""Floods: somebody asks for far more than their share, beside people who write at a modest rate and must not lose a message.

    ./dev floods [FLOOD ...] [--quick] [--folder DIR]

One interluded with its default limits. Each flood is played beside interlude-load; the table says how long durable answers of
others took (the aim: at most twice as long as before), how the flood was refused, and how much memory the server kept. Exit 1 if
a message is lost or a limit does not hold. Times are figures: flood and server share the processor here.
"""
import argparse
import asyncio
import ipaddress
import json
import os
import resource
import select
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import websockets
from nacl.signing import SigningKey

from programs import BIN, ROOT, Failed, Server
from python_app import structs, wire
from python_app.account import Therapist, read_link
from python_app.link import Link, client_frame
from python_app.structs import must

PEOPLE, PER_SECOND = 8, 8           # conversations, and messages a second over all of them: one a second is allowed to each device
HANDSHAKE_SECONDS, PER_ADDRESS = 10, 20                         # limits.handshake_seconds, limits.connections_per_address
MESSAGES, FETCHES, REDEMPTIONS = 60, 10, 10                     # at once; then one per second, minute and six minutes
GROWTH_MAX = 2 * 1024 * 1024        # of memory, over all cycles of `churn`
FLOODS = []


def flood(function):
    FLOODS.append(function)
    return function


def memory(server):
    """Resident bytes of the server's process."""
    text = Path(f'/proc/{server.process.pid}/status').read_text()
    return 1024 * int(text.split('VmRSS:')[1].split()[0])


def source(number):
    """One of many addresses of this machine to come from."""
    return f'127.{1 + number // 60_000 % 100}.{number // 250 % 240}.{1 + number % 250}', 0


def percentile(values, per_mille):
    return sorted(values)[max(0, -(-len(values) * per_mille // 1000) - 1)]


class Stage:
    """The server, the people beside, and Mallory, who is a therapist here like any other."""

    def __init__(self, folder, quick):
        self.folder, self.quick = folder, quick
        self.server = Server(folder / 'server')
        self.foreign, self.foreign_port = foreign_address(), 0
        if self.foreign:
            with socket.create_server((self.foreign, 0)) as free:
                self.foreign_port = free.getsockname()[1]
            self.server.settings.append(f'listen=["127.0.0.1:0", "{self.foreign}:{self.foreign_port}"]')
        self.world = folder / 'world'
        self.rows, self.before = [], None

    async def begin(self):
        self.server.start()
        await self.load('--prepare', '--conversations', PEOPLE)
        self.mallory = Therapist(self.server.operator('invite', 'therapist')['link'], self.server.ca)
        await self.mallory.join()
        await self.mallory.login()
        await self.mallory.put_key_packages(5)
        await self.mallory.link.close()

    async def invitee(self):
        """Opens links of somebody who was just invited by Mallory."""
        await self.mallory.login()
        invitation = read_link(await self.mallory.invite())[1]
        await self.mallory.link.close()
        key = structs.derived_key(invitation.seed, 'invitation key')

        async def login():
            link = await self.link()
            await link.login_as_invitee(key, structs.invitation_id(key.verify_key))
            return link
        return login

    def link(self):
        return Link.open(self.mallory.host, self.mallory.port, self.server.ca)

    # -- the people beside
    async def load(self, *what):
        command = [BIN / 'interlude-load', '--json', '--url', f'https://{self.server.name}:{self.server.port}', '--ca', self.server.ca,
                   '--admin-socket', self.server.socket, '--world', self.world, *what]
        process = await asyncio.create_subprocess_exec(*map(str, command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                       stderr=subprocess.PIPE)
        try:
            out, problem = await asyncio.wait_for(process.communicate(), 120)
        except BaseException:
            process.kill()
            raise
        must(process.returncode == 0, f'the people beside: {problem.decode().strip()}')
        return json.loads(out)

    async def people(self, seconds):
        """They write for so long; everything must arrive, once."""
        seen = await self.load('--rate', PER_SECOND, '--conversations', PEOPLE, '--seconds', seconds, '--warm-up', 1)
        must(seen['sent'] == seen['stored'] == seen['delivered'] and not seen['delivered_twice'] and not seen['refused'],
             f'messages of others are lost, doubled or refused: {seen}')
        return seen['stored_ms']

    async def beside(self, name, seconds, what=None):
        """One line of the table."""
        held = memory(self.server)
        people = asyncio.create_task(self.people(seconds))
        try:
            said = await what(self, time.monotonic() + seconds) if what else ''
            took = await people
        finally:
            people.cancel()
        must(self.server.running(), f'the server ended:\n{self.server.last_words()}')
        self.before = self.before or took['p99']
        grown = (memory(self.server) - held) / 1024
        self.rows.append({'flood': name, 'messages': took['count'], 'p50_ms': took['p50'], 'p99_ms': took['p99'],
                          'times': took['p99'] / self.before, 'memory_kib': round(grown), 'said': said})
        print(f'{name:18}{took["count"]:>6}{took["p50"]:>9.2f}{took["p99"]:>9.2f}{took["p99"] / self.before:>8.2f}x{grown:>+11,.0f}  {said}',
              flush=True)


def foreign_address():
    """An IPv4 address of this machine that is no loopback one: those are not counted together (a proxy shares one)."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(('203.0.113.1', 9))           # sends nothing
            found = probe.getsockname()[0]
        return None if ipaddress.ip_address(found).is_loopback else found
    except OSError:
        return None


# ---- Connections ---------------------------------------------------------------------------------------------------------

def half_a_hello():
    """The first half of a real ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname='localhost').do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    return hello[:len(hello) // 2]


def half_a_header(server, number):
    """A connection with TLS and the beginning of a request."""
    context = ssl.create_default_context(cafile=str(server.ca))
    plain = socket.create_connection(('127.0.0.1', server.port), 10, source(number))
    secure = context.wrap_socket(plain, server_hostname=server.name)
    secure.sendall(b'GET /v1/link HTTP/1.1\r\nHost: ')
    return secure


def wait_for_ends(sockets, until, trickle):
    """Seconds until each was closed by the server; `trickle` is called once a second with those that are left."""
    began, ends, left = time.monotonic(), [], {each.fileno(): each for each in sockets}
    watched = select.poll()
    for number in left:
        watched.register(number, select.POLLIN | select.POLLHUP)
    next_drop = began + 1
    while left and time.monotonic() < until:
        for number, _ in watched.poll(200):
            try:
                over = not left[number].recv(4096)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                over = False
            except OSError:
                over = True
            if over:
                watched.unregister(number)
                left.pop(number).close()
                ends.append(time.monotonic() - began)
        if time.monotonic() >= next_drop:
            next_drop += 1
            trickle(left.values())
    return ends, len(left)


@flood
async def slow(stage, until):
    """Half a TLS hello, half a header, and a byte a second of it: nobody is waited for longer than 10 s."""
    count = 100 if stage.quick else 1000
    hello = half_a_hello()

    def play():
        halves, headers = [], []
        for number in range(count):
            each = socket.create_connection(('127.0.0.1', stage.server.port), 10, source(number))
            each.sendall(hello)
            halves.append(each)
            headers.append(half_a_header(stage.server, number))
        for each in halves + headers:
            each.setblocking(False)

        def trickle(left):
            for each in left:
                if each in slow_writers:
                    try:
                        each.send(b'x')
                    except OSError:
                        pass
        slow_writers = set(headers[::2])
        return wait_for_ends(halves + headers, time.monotonic() + HANDSHAKE_SECONDS + 5, trickle)

    ends, left = await asyncio.to_thread(play)
    must(not left, f'{left} of {2 * count} are still open after {HANDSHAKE_SECONDS + 5} s')
    return f'{2 * count:,} connections, each closed at the latest after {max(ends):.1f} s'


@flood
async def one_address(stage, until):
    """More connections than one address may have."""
    if not stage.foreign:
        return 'not played: this machine has loopback addresses only, which are not counted'

    def play():
        held = [socket.create_connection((stage.foreign, stage.foreign_port), 10) for _ in range(3 * PER_ADDRESS)]
        for each in held:
            each.setblocking(False)
        _, left = wait_for_ends(held, time.monotonic() + 2, lambda _: None)
        for each in held:
            each.close()
        return left

    left = await asyncio.to_thread(play)
    must(left == PER_ADDRESS, f'{left} connections of one address were let in, {PER_ADDRESS} may be')
    return f'{3 * PER_ADDRESS} at once from one address: {left} stayed'


@flood
async def churn(stage, until):
    """Connections that come and go; some say half a hello, some reset, some finish TLS."""
    cycles = 20_000 if stage.quick else 100_000
    hello = half_a_hello()
    context = ssl.create_default_context(cafile=str(stage.server.ca))
    reset = struct.pack('ii', 1, 0)

    def cycle(number):
        each = socket.create_connection(('127.0.0.1', stage.server.port), 10, source(number))
        try:
            if number % 100 == 0:
                each = context.wrap_socket(each, server_hostname=stage.server.name)
            elif number % 3 == 0:
                each.sendall(hello)
            if number % 2:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        finally:
            each.close()

    def settled():
        time.sleep(1)
        return memory(stage.server)

    def play():
        for number in range(cycles // 10):              # what a first time costs
            cycle(number)
        held, began = settled(), time.monotonic()
        for number in range(cycles):
            cycle(number)
        return held, settled(), time.monotonic() - began

    held, after, took = await asyncio.to_thread(play)
    must(after - held <= GROWTH_MAX, f'memory grew by {(after - held) / 1024:,.0f} KiB over {cycles:,} connections')
    return f'{cycles:,} connections, {cycles / took:,.0f} a second; memory {(after - held) / 1024:+,.0f} KiB'


# ---- Requests ------------------------------------------------------------------------------------------------------------

def count(seen, arrival):
    seen[wire.ErrorCode.Name(arrival.body.code) if arrival.kind == 'error' else arrival.kind] += 1


async def ask_in_turn(link, frame, seen, times):
    """Each waits for its answer, so that what was carried out is known to the last one."""
    for _ in range(times):
        request = os.urandom(16)
        await link.socket.send(frame(request))
        answers = None
        while answers != request:
            answers, arrival = await link._receive(10)
        count(seen, arrival)


async def ask_and_ask(link, frame, seen):
    """Without waiting, until the link ends; its close code."""
    async def write():
        try:
            for _ in range(1000):
                await link.socket.send(frame(os.urandom(16)))
        except websockets.ConnectionClosed:
            pass

    writer = asyncio.create_task(write())
    try:
        while True:
            count(seen, (await link._receive(5))[1])
    except websockets.ConnectionClosed:
        pass
    finally:
        writer.cancel()
    return link.socket.close_code


async def too_fast(open_link, frame, until, at_once, interval):
    """Asks in turn, half as often again as may be asked at once, then without waiting; whenever the link ended, on another one."""
    began, in_turn, seen, ends = time.monotonic(), Counter(), Counter(), Counter()
    link = await open_link()
    await ask_in_turn(link, frame, in_turn, at_once + at_once // 2)
    carried_out = sum(in_turn.values()) - in_turn['TOO_FAST']
    most = at_once + (time.monotonic() - began) // interval + 1
    must(at_once <= carried_out <= most, f'{carried_out} were carried out, {at_once} to {most:.0f} may be: {dict(in_turn)}')
    while True:
        ends[await ask_and_ask(link, frame, seen)] += 1
        if time.monotonic() >= until:
            break
        link = await open_link()
    later = sum(each for kind, each in seen.items() if kind not in ('TOO_FAST', 'OVERLOADED', 'goodbye', 'state_changed', 'documents'))
    most = (time.monotonic() - began) // interval + 1
    must(later <= most, f'{later} more were carried out, {most:.0f} may be: {dict(seen)}')
    must(seen['TOO_FAST'] > 0 and set(ends) == {4429}, f'links ended with {dict(ends)}: {dict(seen)}')
    return f'{carried_out} + {later} carried out, {in_turn["TOO_FAST"] + seen["TOO_FAST"]:,} answered too_fast, {ends[4429]} links ended with 4429'


@flood
async def messages(stage, until):
    """One device writes as fast as it can."""
    async def login():
        await stage.mallory.login()
        return stage.mallory.link

    def a_message(request):
        send = wire.Send(conversation=os.urandom(16), generation=1, epoch=1, mls=os.urandom(1024), wish=wire.NORMAL)
        return client_frame('send', send, request)
    return await too_fast(login, a_message, until, MESSAGES, 1)


@flood
async def fetches(stage, until):
    """Somebody with an invitation takes the therapist's key packages."""
    def a_fetch(request):
        return client_frame('key_packages_fetch', wire.KeyPackagesFetch(account=stage.mallory.account), request)

    async def stock():
        await stage.mallory.login()
        left = (await stage.mallory.link.ask('key_packages_put', wire.KeyPackagesPut(), 'key_package_stock')).left
        await stage.mallory.link.close()
        return left
    before = await stock()
    said = await too_fast(await stage.invitee(), a_fetch, until, FETCHES, 60)
    taken = before - await stock()
    must(taken <= 1, f'{taken} key packages are gone: an invitation is given one, and the same one again')
    return f'{said}; {taken} package gone'


@flood
async def redemptions(stage, until):
    """Somebody with an invitation tries one redemption after the other."""
    def a_guess(request):
        return client_frame('redeem', wire.Redeem(redemption=os.urandom(500), signature=os.urandom(64)), request)
    return await too_fast(await stage.invitee(), a_guess, until, REDEMPTIONS, 360)


@flood
async def guesses(stage, until):
    """Invitations that were never made."""
    tried, ends = 0, Counter()
    while time.monotonic() < until:
        link = await stage.link()
        key = SigningKey.generate()
        try:
            await link.login_as_invitee(key, structs.invitation_id(key.verify_key))
            raise Failed('a guessed invitation was let in')
        except (structs.Broken, websockets.ConnectionClosed):
            await link.socket.wait_closed()
        ends[link.socket.close_code] += 1
        tried += 1
    must(set(ends) == {4401}, f'links ended with {dict(ends)}')
    return f'{tried:,} logins, each ended with 4401'


# ---- All of it -----------------------------------------------------------------------------------------------------------

async def play(stage, wanted):
    await stage.begin()
    seconds = 1 if stage.quick else 12
    print(f'{"":18}{"others":>6}{"p50 ms":>9}{"p99 ms":>9}{"of before":>9}{"KiB":>11}')
    try:
        await stage.beside('nobody floods', seconds)
        for each in wanted:
            await stage.beside(each.__name__.replace('_', ' '), seconds, each)
        await stage.beside('afterwards', seconds)
        must(stage.server.stop() == 0, 'the server did not stop by itself')
    finally:
        stage.server.kill()


def main():
    names = [each.__name__ for each in FLOODS]
    parser = argparse.ArgumentParser(prog='./dev floods', description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('floods', nargs='*', metavar='FLOOD', help=f'in this order, and as often; default: {", ".join(names)}')
    parser.add_argument('--quick', action='store_true', help='small and short: whether limits hold; its times say nothing')
    parser.add_argument('--folder', type=Path, default=ROOT / 'build', help='where the store lies: a real disk')
    options = parser.parse_args()
    unknown = set(options.floods) - set(names)
    if unknown:
        parser.error(f'there is no flood {", ".join(sorted(unknown))}')
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix='floods.', dir=options.folder))
    stage = Stage(folder, options.quick)
    try:
        asyncio.run(play(stage, [FLOODS[names.index(name)] for name in options.floods or names]))
    except (Failed, structs.Broken) as error:
        print(f'floods: {error}', file=sys.stderr)
        return 1
    finally:
        (options.folder / 'floods.json').write_text(json.dumps(stage.rows, indent=2) + '\n')
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())

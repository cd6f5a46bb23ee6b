#!/usr/bin/python3
"""The benchmark: real programs on loopback, a store on a real disk, each figure three times, its aim beside it.

    ./dev bench [--only SECTION ...] [--quick] [--folder DIR] [--envelopes N] [--repeat N]

Sections stand alone; --only names some. docs/PERFORMANCE.md says what each figure means. Everything that was measured goes to
FOLDER/results.json, the table to the terminal. Exit 1 if a section could not be measured; an aim that is missed is no error.
"""
import argparse
import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests/bench'), str(ROOT / 'tests/e2e')]
from machine import NotHere, machine, real_disk                                 # noqa: E402
from programs import BIN, Failed, Server, loopback_name                         # noqa: E402

# One device writes and one address connects as fast as it can; each limit is tested elsewhere.
SETTINGS = ['limits.messages_burst=1000000', 'limits.messages_per_second=1000000', 'limits.in_flight=4096', 'limits.connections=30000',
            'limits.connections_per_address=100000', 'limits.undelivered_messages_per_conversation=10000000',
            'limits.undelivered_bytes_per_conversation=1000000000000', 'limits.undelivered_messages=10000000',
            'limits.undelivered_bytes=1000000000000', 'limits.outbox_bytes=67108864']
DESCRIPTORS_SPARE = 2000            # beside one for each link


class Sizes:
    """How much of everything; --quick is for trying out, its figures say nothing."""

    def __init__(self, quick):
        self.repeat, self.seconds, self.warm_up = (1, 3, 1) if quick else (3, 15, 3)
        self.conversations = [1, 20] if quick else [1, 50, 1000, 5000]
        self.usual = 20 if quick else 50
        self.idle = [200] if quick else [1000, 10_000]
        self.back = 200 if quick else 10_000
        self.due, self.opens_in = (200, 12) if quick else (10_000, 60)
        self.ready_envelopes = 20_000 if quick else 700_000     # about 1 GB


@contextmanager
def begun(*command):
    """A process that goes on; killed if it still does at the end."""
    process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


# ---- the other programs ------------------------------------------------------------------------------------------------

class Relay:
    """bench-relay with the server's certificate; a drop-in for Server where only links and messages are asked for."""

    def __init__(self, folder, pki, durable):
        self.folder, self.durable = folder, durable
        folder.mkdir(parents=True)
        self.command = [BIN / 'bench-relay', '--certificate', pki / 'server.pem', '--key', pki / 'server.key',
                        '--store', folder / 'relay.db' if durable else 'memory']
        self.ca, self.name, self.options = pki / 'ca.pem', loopback_name(), ['--plain-relay']

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith('bench-relay ready '):
            raise Failed('bench-relay did not become ready')
        self.port = int(line.split()[-1])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Interlude:
    """A server on a copy of a prepared store, and its world."""

    def __init__(self, bench, folder):
        self.server = bench.server(folder)
        self.options = ['--world', folder / 'world', '--admin-socket', self.server.socket]

    def __enter__(self):
        self.server.start(60)
        self.ca, self.name, self.port, self.process = self.server.ca, self.server.name, self.server.port, self.server.process
        return self

    def __exit__(self, *_):
        self.server.kill()


# ---- the bench ---------------------------------------------------------------------------------------------------------

class Bench:
    def __init__(self, folder, sizes, envelopes):
        self.folder, self.sizes, self.envelopes = folder, sizes, envelopes
        self.sockets = Path(tempfile.mkdtemp(prefix='interlude-bench.'))       # a socket's path is short
        self.prepared, self.copies, self.section = {}, 0, ''
        self.rows, self.raw, self.problems = [], {}, []

    def say(self, text):
        print(f'   {text}', flush=True)

    # -- programs
    def server(self, folder):
        socket = self.sockets / f'{folder.name}.socket'
        server = Server(folder, settings=[*SETTINGS, f'admin.socket={socket}'])
        server.socket = socket
        return server

    def load(self, other, *arguments, timeout=900):
        """One run of interlude-load against `other`; its result."""
        command = [BIN / 'interlude-load', '--json', *self.load_options(other), *arguments]
        done = subprocess.run([*map(str, command)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if done.returncode:
            raise Failed(done.stderr.strip() or f'interlude-load ended with {done.returncode}')
        return json.loads(done.stdout.splitlines()[-1])

    def load_options(self, other):
        return ['--url', f'https://{other.name}:{other.port}', '--ca', other.ca, '--server-pid', other.process.pid, *other.options]

    # -- stores
    def store_with(self, conversations, closed=0, envelopes=0):
        """A stopped server's folder with so many people; made once."""
        key = (conversations, closed, envelopes)
        if key in self.prepared:
            return self.prepared[key]
        folder = self.folder / f'prepared-{conversations}-{closed}-{envelopes}'
        self.say(f'preparing {conversations} conversations with hours, {closed} without' + (f', {envelopes:,} envelopes' if envelopes else ''))
        server = self.server(folder)
        server.start()
        try:
            what = argparse.Namespace(name=server.name, port=server.port, ca=server.ca, process=server.process,
                                      options=['--world', folder / 'world', '--admin-socket', server.socket])
            self.load(what, '--prepare', '--conversations', str(conversations), '--closed', str(closed), timeout=1800)
            if server.stop(60) != 0:
                raise Failed(f'the server did not stop by itself:\n{server.last_words()}')
        finally:
            server.kill()
        if envelopes:
            subprocess.run([BIN / 'bench-fill', server.database, str(envelopes), '1024'], check=True)
        self.prepared[key] = folder
        return folder

    def copy_of(self, prepared):
        self.copies += 1
        folder = self.folder / f'run-{self.copies}'
        subprocess.run(['cp', '-r', '--reflink=auto', prepared, folder], check=True)
        os.sync()                                       # what was copied is not written during the measurement
        return folder

    def fresh(self, *people, in_place=False):
        prepared = self.store_with(*people)
        return Interlude(self, prepared if in_place else self.copy_of(prepared))

    def relay(self, durable):
        self.copies += 1
        return Relay(self.folder / f'relay-{self.copies}', self.store_with(self.sizes.usual) / 'pki', durable)

    def times(self, name, other, *arguments):
        """The results of all repetitions, each with a process and a store of its own, also kept for results.json."""
        results = []
        for _ in range(self.sizes.repeat):
            with other() as running:
                results.append(self.load(running, *map(str, arguments)))
            self.forget_copies()
        self.raw[name] = results
        for each in results:
            self.sound(name, each)
        return results

    def sound(self, name, result):
        """A figure counts only if everything arrived, once."""
        if 'sent' in result and not (result['sent'] == result['stored'] == result['delivered']):
            raise Failed(f'{name}: {result["sent"]} sent, {result["stored"]} stored, {result["delivered"]} delivered')
        for wrong in ('delivered_twice', 'refused', 'early', 'ended'):
            if result.get(wrong):
                raise Failed(f'{name}: {result[wrong]} {wrong.replace("_", " ")}')

    def forget_copies(self):
        for each in [*self.folder.glob('run-*'), *self.folder.glob('relay-*')]:
            shutil.rmtree(each)

    def measured(self, *extra):
        return ['--seconds', self.sizes.seconds, '--warm-up', self.sizes.warm_up, *extra]

    # -- the table
    def row(self, what, values, unit, over=None, at_most=None, at_least=None):
        """One figure with its spread; `over`: values of what it is compared with, and the aim is a ratio then."""
        values = [value for value in values if value is not None]
        middle = statistics.median(values)
        text = f'{middle:,.{0 if middle >= 1000 else 2}f}'
        met, compared, said = None, middle, []
        if over:
            base = statistics.median(over)
            compared = middle / base if base else float('inf')
            said.append(f'{compared:.2f}x of {base:,.2f}')
        if at_most is not None:
            met = compared <= at_most
            said.append(f'<= {at_most}{"x" if over else ""}')
        if at_least is not None:
            met = compared >= at_least
            said.append(f'>= {at_least}{"x" if over else ""}')
        aim = ', '.join(said)
        self.rows.append({'section': self.section, 'figure': what, 'median': middle, 'least': min(values), 'most': max(values),
                          'unit': unit, 'aim': aim, 'met': met})
        spread = f'{min(values):,.2f} .. {max(values):,.2f}'
        mark = '' if met is None else 'ok' if met else 'MISSED'
        print(f'{self.section:14}{what:44}{text:>11} {unit:8}{spread:>24}  {aim:38}{mark}', flush=True)

    def run(self, name):
        self.section, began = name, time.monotonic()
        try:
            SECTIONS[name](self)
        except (Failed, NotHere, subprocess.TimeoutExpired) as error:
            self.problems.append(f'{name}: {error}')
            print(f'{name:14}not measured: {error}', flush=True)
        finally:
            self.forget_copies()
        self.raw[f'{name}_took_seconds'] = round(time.monotonic() - began, 1)


def of(results, *path):
    """One figure of every repetition."""
    values = []
    for result in results:
        for step in path:
            result = result.get(step) if result else None
        values.append(result)
    return values


def need_descriptors(count):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + DESCRIPTORS_SPARE:
        raise NotHere(f'{count:,} links need {count + DESCRIPTORS_SPARE:,} descriptors and ulimit -Hn is {hard:,}: raise it as root and start again')


# ---- the sections ------------------------------------------------------------------------------------------------------

def ready(bench):
    """From the start of the process to its line on stdout."""
    def seconds(folder):
        server = bench.server(folder)
        began = time.monotonic()
        server.start(60)
        took = time.monotonic() - began
        server.kill()
        return 1000 * took

    empty = []
    for number in range(bench.sizes.repeat):
        folder = bench.folder / f'run-ready-{number}'
        bench.server(folder)                            # makes its certificate
        empty.append(seconds(folder))
    bench.raw['ready_empty_ms'] = empty
    bench.row('ready on an empty store', empty, 'ms', at_most=100)
    full = bench.store_with(1, 100, bench.sizes.ready_envelopes)
    size = (full / 'interlude.db').stat().st_size / 1e9
    bench.raw['ready_full_ms'] = [seconds(full) for _ in range(bench.sizes.repeat)]
    bench.row(f'ready on a store of {size:.2f} GB', bench.raw['ready_full_ms'], 'ms', at_most=500)


def rate(bench):
    """500 messages a second over 50 conversations: the open loop."""
    what = bench.measured('--rate', 500, '--conversations', bench.sizes.usual)
    small = bench.times('rate_relay_sqlite', lambda: bench.relay(True), *what)
    memory = bench.times('rate_relay_memory', lambda: bench.relay(False), *what)
    ours = bench.times('rate', lambda: bench.fresh(bench.sizes.usual), *what)
    for name, label, most in (('p50', 'due to durable answer, p50, at 500/s', 1.5), ('p99', 'due to durable answer, p99, at 500/s', 2)):
        bench.row(label, of(ours, 'stored_ms', name), 'ms', over=of(small, 'stored_ms', name), at_most=most)
        bench.row(f'  relay with SQLite, {name}', of(small, 'stored_ms', name), 'ms')
        bench.row(f'  relay in memory, {name}', of(memory, 'stored_ms', name), 'ms')
    bench.row('due to delivery, p50', of(ours, 'delivered_ms', 'p50'), 'ms', over=of(small, 'delivered_ms', 'p50'))
    bench.row('due to delivery, p99', of(ours, 'delivered_ms', 'p99'), 'ms', over=of(small, 'delivered_ms', 'p99'))


def most(bench):
    """A full window in 50 conversations: as fast as it goes."""
    what = bench.measured('--rate', 'max', '--conversations', bench.sizes.usual)
    small = bench.times('max_relay_sqlite', lambda: bench.relay(True), *what)
    memory = bench.times('max_relay_memory', lambda: bench.relay(False), *what)
    ours = bench.times('max', lambda: bench.fresh(bench.sizes.usual), *what)
    bench.row('processor time per message', of(ours, 'cpu_us_per_message'), 'us', over=of(small, 'cpu_us_per_message'), at_most=1.5)
    bench.row('  relay with SQLite', of(small, 'cpu_us_per_message'), 'us')
    bench.row('  relay in memory', of(memory, 'cpu_us_per_message'), 'us')
    bench.row('messages per second', of(ours, 'messages_per_second'), '/s', over=of(small, 'messages_per_second'), at_least=0.67)
    bench.row('  relay with SQLite', of(small, 'messages_per_second'), '/s')
    bench.row('  relay in memory', of(memory, 'messages_per_second'), '/s')


def conversations(bench):
    """The same load over more and more conversations."""
    base = None
    for count in bench.sizes.conversations:
        need_descriptors(2 * count)
        ours = bench.times(f'conversations_{count}', lambda: bench.fresh(count), *bench.measured('--rate', 500, '--conversations', count))
        cost = of(ours, 'cpu_us_per_message')
        compared = {'over': base, 'at_most': 1.1} if base and count == bench.sizes.conversations[-1] else {}
        bench.row(f'processor time per message, {count} conversations', cost, 'us', **compared)
        bench.row('  durable answer, p99', of(ours, 'stored_ms', 'p99'), 'ms')
        if count == bench.sizes.usual:
            base = cost


def fsyncs(bench):
    """System calls, counted by strace in a run of their own: it slows the server down, and a slow server batches more."""
    if not shutil.which('strace'):
        raise NotHere('strace is not installed: ./dev deps test')
    for label, what in (('full window', ['--rate', 'max']), ('500/s', ['--rate', 500])):
        values = []
        for _ in range(bench.sizes.repeat):
            with bench.fresh(bench.sizes.usual) as running:
                report = bench.folder / 'strace.txt'
                with begun('strace', '-f', '-c', '-e', 'trace=fsync,fdatasync', '-o', report, '-p', running.process.pid) as tracer:
                    if 'attached' not in tracer.stderr.readline():
                        raise NotHere('strace may not look at another process here')
                    result = bench.load(running, *map(str, bench.measured(*what, '--conversations', bench.sizes.usual)))
                    tracer.send_signal(signal.SIGINT)
                    tracer.wait(20)
                calls = sum(int(count) for count in re.findall(r'^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*(?:fsync|fdatasync)$', report.read_text(), re.M))
                values.append(calls / result['stored'])
            bench.forget_copies()
        bench.raw[f'fsyncs_{label}'] = values
        bench.row(f'fsyncs per message, {label}', values, '', **({'at_most': 0.15} if label == 'full window' else {}))


def idle(bench):
    for links in bench.sizes.idle:
        need_descriptors(links)
        ours = bench.times(f'idle_{links}', lambda: bench.fresh((links + 1) // 2), '--idle', links, '--seconds', 10, '--warm-up', 5)
        kib = [value / 1024 for value in of(ours, 'bytes_per_link')]
        bench.row(f'memory per idle link, {links:,} links', kib, 'KiB', **({'at_most': 24} if links == bench.sizes.idle[-1] else {}))
        bench.row('  processor while they idle', of(ours, 'server_cores'), 'cores')


def login(bench):
    """Logins beside bare TLS handshakes of a program that does nothing else."""
    what = ['--seconds', bench.sizes.seconds, '--warm-up', bench.sizes.warm_up]
    bare = bench.times('handshakes_relay', lambda: bench.relay(False), '--handshakes', 8, *what)
    ours = bench.times('logins', lambda: bench.fresh(bench.sizes.usual), '--logins', 8, *what)
    bench.row('logins per core-second', of(ours, 'per_core_second'), '/s', over=of(bare, 'per_core_second'), at_least=0.7)
    bench.row('  bare TLS handshakes', of(bare, 'per_core_second'), '/s')
    bench.row('logins per second, 8 at once', of(ours, 'per_second'), '/s')


def opening(bench):
    """10,000 messages wait for one instant; others write meanwhile."""
    closed = (bench.sizes.due + 99) // 100
    ours = bench.times('opening', lambda: bench.fresh(bench.sizes.usual, closed), '--due', bench.sizes.due, '--opens-in', bench.sizes.opens_in,
                       '--rate', 100, '--conversations', bench.sizes.usual)
    if any(result['delivered'] != bench.sizes.due for result in ours):
        raise Failed(f'not all of {bench.sizes.due:,} were delivered: {of(ours, "delivered")}')
    bench.row(f'lateness at {bench.sizes.due:,} due, p99', of(ours, 'lateness_ms', 'p99'), 'ms', at_most=2000)
    bench.row('  p50', of(ours, 'lateness_ms', 'p50'), 'ms')
    bench.row('others\' durable answer, p99, during it', of(ours, 'others_during_ms', 'p99'), 'ms', over=of(ours, 'others_before_ms', 'p99'), at_most=2)


def back(bench):
    """SIGKILL with everybody connected; the server starts again at once."""
    need_descriptors(bench.sizes.back)
    results = []
    for _ in range(bench.sizes.repeat):
        with bench.fresh((bench.sizes.back + 1) // 2) as running:
            command = [BIN / 'interlude-load', '--json', *bench.load_options(running), '--back', bench.sizes.back]
            with begun(*command) as load:
                if '"up"' not in load.stdout.readline():
                    raise Failed(load.communicate()[1].strip())
                running.server.kill()
                running.server.start(60)
                out, problem = load.communicate(timeout=600)
                if load.returncode:
                    raise Failed(problem.strip())
            results.append(json.loads(out.splitlines()[-1]))
        bench.forget_copies()
    bench.raw['back'] = results
    if any(result['back'] != bench.sizes.back for result in results):
        raise Failed(f'not all came back: {of(results, "back")}')
    bench.row(f'{bench.sizes.back:,} apps are back after a kill', of(results, 'all_back_seconds'), 's', at_most=15)


def big_store(bench):
    """The usual load beside envelopes that wait by the million."""
    what = bench.measured('--rate', 500, '--conversations', bench.sizes.usual)
    empty = bench.times('big_store_empty', lambda: bench.fresh(bench.sizes.usual), *what)
    free = shutil.disk_usage(bench.folder).free
    if free < 2 * bench.envelopes * 1400:
        raise NotHere(f'{bench.envelopes:,} envelopes need about {2 * bench.envelopes * 1400 / 1e9:.0f} GB, {free / 1e9:.0f} are free: --envelopes')
    ours = bench.times('big_store', lambda: bench.fresh(bench.sizes.usual, 100, bench.envelopes, in_place=True), *what)
    bench.row('processor time per message, empty store', of(empty, 'cpu_us_per_message'), 'us')
    bench.row(f'  beside {bench.envelopes:,} envelopes', of(ours, 'cpu_us_per_message'), 'us', over=of(empty, 'cpu_us_per_message'), at_most=1.1)
    bench.row('  durable answer, p99', of(ours, 'stored_ms', 'p99'), 'ms', over=of(empty, 'stored_ms', 'p99'))


SECTIONS = {'ready': ready, 'rate': rate, 'max': most, 'conversations': conversations, 'fsyncs': fsyncs, 'idle': idle, 'login': login,
            'opening': opening, 'back': back, 'big-store': big_store}


def main():
    parser = argparse.ArgumentParser(prog='./dev bench', description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--only', nargs='+', choices=SECTIONS, default=list(SECTIONS), metavar='SECTION', help=', '.join(SECTIONS))
    parser.add_argument('--quick', action='store_true', help='small and once: to see that it works')
    parser.add_argument('--folder', type=Path, default=ROOT / 'build/bench', help='where stores lie: a real disk')
    parser.add_argument('--envelopes', type=int, help='of big-store (default: ten million)')
    parser.add_argument('--repeat', type=int, help='repetitions (default: 3)')
    options = parser.parse_args()
    sizes = Sizes(options.quick)
    sizes.repeat = options.repeat or sizes.repeat
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))        # the server inherits it

    stores = options.folder / 'stores'                              # ours alone: nothing of it stays
    shutil.rmtree(stores, ignore_errors=True)
    stores.mkdir(parents=True)
    try:
        where = machine() | real_disk(stores)
    except NotHere as error:
        sys.exit(f'bench: {error}')
    print('   '.join(f'{name} {value}' for name, value in where.items()))
    if where['load_at_start'] > 0.5:
        print('this machine has other work: the figures will tell of it')
    print(f'\n{"section":14}{"figure":44}{"median":>11} {"":8}{"least .. most":>24}  aim')
    bench = Bench(stores, sizes, options.envelopes or (20_000 if options.quick else 10_000_000))
    try:
        for name in options.only:
            bench.run(name)
    finally:
        results = {'machine': where, 'quick': options.quick, 'repeat': sizes.repeat, 'rows': bench.rows, 'problems': bench.problems,
                   'raw': bench.raw, 'revision': subprocess.run(['git', 'describe', '--always', '--dirty'], cwd=ROOT, capture_output=True,
                                                                text=True).stdout.strip()}
        (options.folder / 'results.json').write_text(json.dumps(results, indent=1) + '\n')
        shutil.rmtree(stores)
        shutil.rmtree(bench.sockets)
    missed = sum(row['met'] is False for row in bench.rows)
    print(f'\n{sum(row["met"] is True for row in bench.rows)} aims met, {missed} missed, {len(bench.problems)} sections not measured; '
          f'{options.folder / "results.json"}')
    return 1 if bench.problems else 0


if __name__ == '__main__':
    sys.exit(main())

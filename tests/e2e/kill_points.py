#!/usr/bin/python3
"""A death at every step: thirty scripted verbs, and strace kills the server, or the app, at each I/O call that they make.

    kill_points.py [server] [app] [--every N] [--first K] [--steps NAME ...] [--parts P] [--list]

For each step of the story the I/O calls of the program are counted once. Then, from a copy of the same state, the step is
played again and again: at its n-th call the program dies (SIGKILL at the entry of the call), or the call fails (fsync with
EIO; write with EIO and with ENOSPC). The program is started again and everything must hold: what was answered is there,
nothing is there twice, nothing is early, the order is kept, both sides verify the log, the store checks itself. --every N plays each N-th point only.
Needs the right to trace processes (root, or no ptrace restriction); exits 77 without it.
"""
import argparse
import contextlib
import multiprocessing
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from demo import ZONE, closed_hours, now
from kill_world import scratch
from programs import BIN, PLAIN, Failed, Person, Server

CALLS = {
    'server': ['pwrite64', 'pread64', 'fsync', 'fdatasync', 'ftruncate', 'unlink', 'write', 'sendto', 'sendmsg', 'recvmsg', 'recvfrom'],
    'app': ['openat', 'pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'unlink', 'rename', 'write', 'sendto', 'sendmsg', 'recvmsg', 'recvfrom'],
}
FAULTS = {'fsync': ['EIO'], 'fdatasync': ['EIO'], 'pwrite64': ['EIO', 'ENOSPC'], 'ftruncate': ['EIO']}
SETTINGS = ['limits.messages_burst=100000', 'limits.messages_per_second=10000']


# ---- The story ---------------------------------------------------------------------------------------------------------

@dataclass
class Step:
    name: str
    who: str                    # therapist or client
    verb: list                  # a word in braces is a fact that an earlier step found out
    says: str = ''              # the text that this step sends
    opens: bool = False         # the window is open from here on


def story():
    def send(who, text):
        return Step(f'{who} sends {text}', who, ['send', text], says=text)

    return [
        Step('therapist joins', 'therapist', ['join', '{therapist_link}', '--key-file']),
        Step('hours set', 'therapist', ['hours', 'set', closed_hours(now()), '--zone', ZONE]),
        Step('invite', 'therapist', ['invite', '--name', 'Client']),
        Step('client joins', 'client', ['join', '{client_link}', '--key-file', '--name', 'Therapist']),
        Step('therapist meets the client', 'therapist', ['read', '--peek']),
        send('client', 'held-1'), send('client', 'held-2'), send('client', 'held-3'),
        Step('client looks', 'client', ['read']),
        send('therapist', 'late-1'), send('therapist', 'late-2'),
        Step('therapist looks', 'therapist', ['read']),
        Step('client verifies the log', 'client', ['audit', 'verify']),
        Step('therapist verifies the log', 'therapist', ['audit', 'verify']),
        Step('a closure', 'therapist', ['hours', 'close', '2027-03-01T00:00:00Z', '2027-03-02T00:00:00Z']),
        Step('client hears of it', 'client', ['hours', 'show']),
        Step('the window opens', 'therapist', ['hours', 'open', 'now', '+9h'], opens=True),
        Step('therapist reads', 'therapist', ['read']),
        Step('client reads', 'client', ['read']),
        send('client', 'open-1'), send('therapist', 'open-2'),
        Step('client reads again', 'client', ['read']),
        send('client', 'open-3'), send('client', 'open-4'),
        Step('therapist reads again', 'therapist', ['read']),
        Step('a second invitation', 'therapist', ['invite', '--name', 'Other']),
        Step('words confirmed', 'client', ['verify', '--confirm']),
        Step('the state', 'client', ['status']),
        send('therapist', 'open-5'),
        Step('client reads at the end', 'client', ['read']),
        Step('client verifies at the end', 'client', ['audit', 'verify']),
    ]


@dataclass
class World:
    """A server (not running between the steps) and two homes in one folder that can be copied as a whole."""
    folder: Path
    port: int = 0
    facts: dict = field(default_factory=dict)
    said: list = field(default_factory=list)        # (who, text), in order
    opened: bool = False

    def __post_init__(self):
        self.server = Server(self.folder / 'server', port=self.port, settings=SETTINGS)
        self.people = {who: Person(who, self.folder / who, self.server.ca, timeout=20) for who in ('therapist', 'client')}

    def copy(self, to):
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.folder, to, ignore=shutil.ignore_patterns('*.socket'))
        return World(to, self.port, dict(self.facts), list(self.said), self.opened)

    def verb_of(self, step):
        return [word.format_map(self.facts) if word.startswith('{') else word for word in step.verb]

    def command(self, step):
        return self.people[step.who].command(*self.verb_of(step))

    def learn(self, answer, step):
        if step.verb[0] == 'invite':
            self.facts['client_link' if step.name == 'invite' else 'other_link'] = answer.of('invitation')[0]['link']
        self.opened = self.opened or step.opens


def repeat(world, step, tries=4):
    """Plays the step until it is done; what it answers at last."""
    for _ in range(tries):
        answer = world.people[step.who].run(*world.verb_of(step))
        if answer.code == 0:
            return answer
        if step.verb[0] == 'join' and world.people[step.who].run('status').code == 0:
            return answer               # the first one got through, and says so
        time.sleep(0.3)
    raise Failed(f'{step.name}: the {tries}th repetition ended with {answer.code}: {answer.reason()[:200]}')


# ---- What must hold ------------------------------------------------------------------------------------------------------

def texts(history, author_is_me):
    return [each['text'] for each in history if bool(each['from'].get('me')) == author_is_me and each.get('text')]


def history_of(world, who):
    """What a home has and should not, or lacks, asked over the net; '' if it is right. Failed where time cannot mend it."""
    answer = world.people[who].run('read', '--peek')
    history = answer.of('message')
    mine, theirs = texts(history, True), texts(history, False)
    own = [text for author, text in world.said if author == who]
    others = [text for author, text in world.said if author != who] if world.opened else []
    unsettled = [each['state'] for each in history if each['state'] in ('on_device', *(['held'] if world.opened else []))]
    has = f'{who} has {mine} of {own} and {theirs} of {others} (read ended with {answer.code}, unsettled: {unsettled})'
    if [text for text in theirs if text not in others] or len(set(mine)) < len(mine) or len(set(theirs)) < len(theirs):
        raise Failed(f'twice, or early: {has}')
    return '' if answer.code == 0 and not unsettled and mine == own and theirs == others else has


def check_histories(world):
    """Both homes in turn, since one waits for what the other does: everything that was said, once, in order, and what is held
    only at its author."""
    until = time.monotonic() + 15
    while True:
        lacking = [each for each in (history_of(world, who) for who in world.people) if each]
        if not lacking:
            return
        if time.monotonic() > until:
            raise Failed('; '.join(lacking))


def check_log(world):
    def of(person):
        answer = person.run('audit', 'verify')
        if answer.code:
            raise Failed(f'audit verify of {person.name} ended with {answer.code}: {answer.out[-400:]}')

    joined = [person for person in world.people.values() if person.run('status').code == 0]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(of, joined))


def check_all(world):
    if world.facts.get('client_link') and world.people['client'].home.exists():
        check_histories(world)
    check_log(world)
    code = world.server.stop()
    if code != 0:
        raise Failed(f'interluded ended with {code} at SIGTERM')
    checked = subprocess.run([BIN / 'interluded', '--config', world.server.config, '--check'], capture_output=True, text=True, timeout=60)
    if checked.returncode:
        raise Failed(f'interluded --check ended with {checked.returncode}: {checked.stderr.strip()[-300:]}')


# ---- strace --------------------------------------------------------------------------------------------------------------

def inject(call, fault, number):
    what = 'signal=KILL' if fault == 'KILL' else f'error={fault}'
    return ['-e', f'trace={call}', '-e', f'inject={call}:{what}:when={number}']


@contextlib.contextmanager
def attached(process, arguments, log='/dev/null'):
    """strace on every thread of a running process, until the block ends."""
    tracer = subprocess.Popen(['strace', '-f', '-p', str(process.pid), '-o', log, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        line = tracer.stderr.readline()
        if 'attached' not in line:
            raise Failed(f'strace cannot attach: {line.strip()}')
        yield
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=10)


def counted(log):
    """The most calls of each kind that one thread made."""
    made = Counter()
    for line in Path(log).read_text(errors='replace').splitlines():
        found = re.match(r'(\d+) +(\w+)\(', line)
        if found:
            made[found[2], found[1]] += 1
    most = Counter()
    for (call, _), count in made.items():
        most[call] = max(most[call], count)
    return most


def count_calls(target, world, step, scratch_folder):
    """How often the step makes each call: played once on a copy."""
    copy = world.copy(scratch_folder)
    log = str(scratch_folder / 'calls')
    trace = ['-e', f'trace={",".join(CALLS[target])}']
    copy.server.start()
    try:
        if target == 'server':
            with attached(copy.server.process, trace, log):
                repeat(copy, step)
                time.sleep(0.05)
        else:
            done = subprocess.run(['strace', '-f', '-o', log, *trace, *copy.command(step)], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=60, env=PLAIN)
            if done.returncode:
                raise Failed(f'{step.name} under strace ended with {done.returncode}: {done.stderr[-200:]}')
    finally:
        copy.server.kill()
    return counted(log)


def points(target, counts):
    for call, count in sorted(counts.items()):
        for number in range(1, count + 1):
            for fault in ['KILL', *FAULTS.get(call, [])]:
                yield target, call, fault, number


# ---- One point -----------------------------------------------------------------------------------------------------------

def finished(process, timeout):
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failed('the app did not end in its time') from None
    return process.returncode, out, err


def strike_server(world, step, call, fault, number):
    """Did the blow fall? The server is up again afterwards, and the step is done."""
    server = world.server
    server.start()
    with attached(server.process, inject(call, fault, number)):
        app = subprocess.Popen(world.command(step), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env=PLAIN)
        died = None
        while app.poll() is None and died is None:
            died = server.process.poll()
            time.sleep(0.002)
        if died is None and fault == 'KILL':
            time.sleep(0.03)
        died = server.process.poll() if died is None else died
        if died is not None:
            allowed = {'KILL': (-9,)}.get(fault, (74,))
            if died not in allowed:
                app.kill()
                raise Failed(f'the server ended with {died}:\n{server.last_words()}')
            server.kill()
            server.start()
        code, out, err = finished(app, 60)
    if fault == 'EIO' and call in ('fsync', 'fdatasync') and died is None:
        raise Failed('an fsync failed and the server went on')
    if step.says:
        if code not in (0, 75):
            raise Failed(f'send ended with {code}: {(out or err)[-200:]}')
        world.said.append((step.who, step.says))
    elif code != 0:
        world.learn(repeat(world, step), step)
    world.opened = world.opened or step.opens
    return died is not None or fault != 'KILL'


def strike_app(world, step, call, fault, number):
    world.server.start()
    app = subprocess.Popen(['strace', '-f', '-o', '/dev/null', *inject(call, fault, number), *world.command(step)],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=PLAIN)
    code, out, err = finished(app, 60)
    if code < 0 and code != -9:
        raise Failed(f'the app crashed with {code}')
    if code in (134, 139) or 'terminate called' in err:
        raise Failed(f'the app crashed with {code}: {err[-200:]}')
    if step.says:
        kept = world.people[step.who].run('read', '--peek', '--offline')
        if kept.code:
            raise Failed(f'read --offline ended with {kept.code}: {kept.reason()[:200]}')
        if step.says in texts(kept.of('message'), True):
            world.said.append((step.who, step.says))
        elif code in (0, 75):
            raise Failed(f'send ended with {code} and the vault does not have it')
    elif code != 0:
        world.learn(repeat(world, step), step)
    world.opened = world.opened or step.opens
    return code == -9 or fault != 'KILL'


STRIKES = {'server': strike_server, 'app': strike_app}


# ---- All points ----------------------------------------------------------------------------------------------------------

def play_part(options, part, results):
    """The story in a world of its own; of each step the points whose number falls to this part."""
    folder = scratch()
    number_of_point = 0
    try:
        world = World(folder / 'world')
        world.server.start()
        world.port = world.server.port
        world.facts['therapist_link'] = world.server.operator('invite', 'therapist')['link']
        world.server.stop()
        for step in story():
            struck, missed, problems, began = Counter(), 0, [], time.monotonic()
            chosen = not options.steps or step.name in options.steps
            for target in options.targets if chosen else ():
                counts = count_calls(target, world, step, folder / 'count')
                for _, call, fault, number in points(target, counts):
                    number_of_point += 1
                    mine = number_of_point % options.every == options.first and number_of_point // options.every % options.parts == part
                    if not mine:
                        continue
                    copy = world.copy(folder / 'try')
                    try:
                        if not STRIKES[target](copy, step, call, fault, number):
                            missed += 1
                            continue
                        check_all(copy)
                        struck[target, fault] += 1
                    except (Failed, OSError, subprocess.SubprocessError, ValueError) as fault_found:
                        problems.append(f'{step.name}: {target} {call} {fault} {number}: {fault_found}')
                        struck[target, fault] += 1
                        if options.keep:
                            shutil.copytree(copy.folder, f'{folder}.problem.{part}.{number_of_point}', dirs_exist_ok=True,
                                            ignore=shutil.ignore_patterns('*.socket'))
                    finally:
                        copy.server.kill()
            results.put((part, step.name, struck, missed, problems, time.monotonic() - began))
            world.server.start()
            answer = repeat(world, step)
            world.learn(answer, step)
            if step.says:
                world.said.append((step.who, step.says))
            world.server.stop()
    except Exception as fault:          # the other part and the sum must hear of it
        results.put((part, 'the story', Counter(), 0, [f'part {part} ended: {type(fault).__name__}: {fault}'], 0))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        results.put((part, None, Counter(), 0, [], 0))


def may_trace():
    sleeper = subprocess.Popen(['sleep', '5'])
    try:
        with attached(sleeper, ['-e', 'trace=none']):
            return True
    except (Failed, OSError):
        return False
    finally:
        sleeper.kill()
        sleeper.wait()


def main():
    parser = argparse.ArgumentParser(prog='kill_points.py')
    parser.add_argument('targets', nargs='*', choices=['server', 'app', []], metavar='server|app')
    parser.add_argument('--every', type=int, default=1, help='each N-th point only')
    parser.add_argument('--first', type=int, default=0, help='which of them: a number below N')
    parser.add_argument('--parts', type=int, default=2, help='worlds side by side')
    parser.add_argument('--steps', nargs='*', help='these steps only')
    parser.add_argument('--list', action='store_true', help='the steps')
    parser.add_argument('--keep', action='store_true', help='keeps the folder of each point that failed')
    options = parser.parse_args()
    options.targets = options.targets or ['server', 'app']
    if options.list:
        for step in story():
            print(step.name)
        return 0
    if not may_trace():
        print('this user may not trace processes (strace): nothing was tried')
        return 77
    began = time.monotonic()
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=play_part, args=(options, part, results)) for part in range(options.parts)]
    for worker in workers:
        worker.start()
    total, missed, problems, going = Counter(), 0, [], options.parts
    while going:
        _, name, struck, not_reached, found, seconds = results.get()
        if name is None:
            going -= 1
            continue
        total += struck
        missed += not_reached
        problems += found
        if struck or found:
            print(f'{name:30} {sum(struck.values()):5} points  {seconds:5.0f} s  {"; ".join(found)[:400]}', flush=True)
    for worker in workers:
        worker.join()
    print()
    for (target, fault), count in sorted(total.items()):
        print(f'{target:7} {fault:7} {count:6}')
    print(f'{sum(total.values())} points, {missed} calls not made again when it was their turn, {len(problems)} problems, '
          f'{time.monotonic() - began:.0f} s')
    for problem in problems[:30]:
        print(f'  {problem}')
    return 1 if problems or not total else 0


if __name__ == '__main__':
    sys.exit(main())

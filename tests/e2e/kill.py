#!/usr/bin/python3
"""Kill loop: SIGKILL of the server and of apps, at random moments while some hundred messages are on their way.

    kill.py [server] [app] [--kills 50] [--seed N] [--sabotage NAME]

Real processes over TLS. A timetable of short openings is published before the loop begins; in each period one kill of each
target strikes around the moment in which the window opens, with messages waiting for it, and one at another time, until
each has had its number. Then everything comes to rest, kill_check.py judges, both sides verify the log, and the server
checks its store. --sabotage hands the judge a wrong record: the exit code is then 1.
"""
import argparse
import json
import math
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from demo import now
from kill_check import SABOTAGES, check
from kill_world import World, scratch
from programs import BIN, Failed

PAIRS = 4
AIM = 24                # messages of each of the eight homes without an answer when a kill comes
OPEN = 1                # seconds; whole ones, as hours are
PAUSE = 1.05            # seconds of a closed window for each kill in it
TARGETS = {'server': 'the server', 'app': 'an app'}
SPARE = 6              # openings more than needed, for a machine that misses some


class Loop:
    def __init__(self, world, targets, kills):
        self.world, self.targets, self.wanted = world, targets, kills
        self.kills = []                 # (moment, across an opening, target)
        self.victims = {}               # verb -> how often
        self.sends = []                 # (thread, process, person, token)
        self.reads, self.read_codes = [], {}
        self.problems = []
        self.never_kept = 0
        self.longest_send = 0.0

    def sleep_until(self, moment):
        seconds = (moment - now()).total_seconds()
        if seconds > 0:
            time.sleep(seconds)

    # -- what people do
    def send_verb(self, person):
        """One `interlude send` beside the chat; its exit code and its answer must fit."""
        token, = self.world.words(person, 1, series=f'send {len(self.sends)}')
        process = person.begin('send', token)
        thread = threading.Thread(target=self._await_send, args=(process, person, token), daemon=True)
        thread.start()
        self.sends.append((thread, process, person, token))

    def _await_send(self, process, person, token):
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
        self.longest_send = max(self.longest_send, time.monotonic() - began)
        if process.returncode < 0:
            return                      # killed by us: what the vault has is looked at there
        answer = [json.loads(line) for line in out.splitlines()]
        message = next((each for each in answer if each['type'] == 'message'), None)
        fits = message and {0: ('stored', 'held', 'delivered', 'read'), 75: ('on_device',)}.get(process.returncode, ())
        if not message or message['state'] not in fits:
            self.problems.append(f'exit: send of {token} ended with {process.returncode}: {(out or err).strip()[:200]}')
        else:
            self.world.record.answers.append((person.name, message))

    def read_verb(self, person):
        """One `interlude read`: whatever the server does, it ends within its time, with 0, or with 69 and what it has."""
        process = person.begin('read', '--peek')
        thread = threading.Thread(target=self._await_read, args=(process, person), daemon=True)
        thread.start()
        self.reads.append(thread)

    def _await_read(self, process, person):
        try:
            process.communicate(timeout=person.timeout + 15)
        except subprocess.TimeoutExpired:
            process.kill()
            self.problems.append(f'hung: read of {person.name} did not end in its time')
            return
        self.read_codes[process.returncode] = self.read_codes.get(process.returncode, 0) + 1
        if process.returncode not in (0, 69):
            self.problems.append(f'exit: read of {person.name} ended with {process.returncode}')

    # -- who is killed; each returns what is to be done once all blows of this moment have struck
    def kill_server(self):
        self.world.server.kill()
        self.kills[-1] = (now(), *self.kills[-1][1:])
        self.world.server.begin()
        return self.world.server.await_ready

    def kill_app(self):
        world = self.world
        person = world.random.choice(world.people)
        running = [each for each in self.sends if each[2] is person and each[1].poll() is None]
        verb = world.random.choice(['chat', 'chat', 'watch', 'send'])
        verb = 'chat' if verb == 'send' and not running else verb
        self.victims[verb] = self.victims.get(verb, 0) + 1
        if verb == 'send':
            _, process, _, token = running[0]
            process.kill()
            self.kills[-1] = (now(), *self.kills[-1][1:])
            process.wait(10)
            return lambda: self.strike_out(person, lambda each: each.token == token)
        world.screens.pop((person.name, verb)).kill()
        self.kills[-1] = (now(), *self.kills[-1][1:])
        world.open_screens(person)
        return lambda: verb == 'chat' and self.strike_out(person, lambda each: each.series == 'chat')

    def strike_out(self, person, written_by_the_dead):
        """What was typed into a process that died before it kept it was never sent: nothing may have come of it later."""
        kept = {each['text'] for each in self.world.kept_offline(person)}
        typed = self.world.record.typed
        gone = [each for each in typed if each.author == person.name and written_by_the_dead(each) and each.token not in kept]
        self.never_kept += len(gone)
        for each in gone:
            typed.remove(each)

    # -- the loop
    def strike(self, blows, across):
        """Messages under way, then the kills: [(moment, target)], the earliest first."""
        world = self.world
        self.sleep_until(blows[0][0] - timedelta(milliseconds=world.random.uniform(10, 150)))
        for person in world.random.sample(world.people, 2):
            self.send_verb(person)
        self.read_verb(world.random.choice(world.people))
        world.type_everywhere(AIM)
        afterwards = []
        for moment, target in blows:
            self.sleep_until(moment)
            self.kills.append((now(), across, target))
            afterwards.append({'server': self.kill_server, 'app': self.kill_app}[target]())
        for finish in afterwards:
            finish()

    def kills_of(self, target):
        return [each for each in self.kills if each[2] == target]

    def run(self):
        world = self.world
        for person in world.people:
            world.open_screens(person)
        for opens, _ in world.record.windows[:-1]:
            if all(len(self.kills_of(each)) >= self.wanted for each in self.targets):
                return
            if now() > opens - timedelta(seconds=len(self.targets) * PAUSE - 0.2):
                continue                # too late for this one
            order = world.random.sample(self.targets, len(self.targets))
            for place, target in enumerate(order):
                before = (len(order) - place - world.random.uniform(0.4, 0.8)) * PAUSE + 0.4
                self.strike([(opens - timedelta(seconds=before), target)], False)
            around = sorted(opens + timedelta(seconds=world.random.uniform(-0.25, 0.25)) for _ in order)
            self.strike(list(zip(around, world.random.sample(order, len(order)))), True)

    def rest(self):
        for thread in [each[0] for each in self.sends] + self.reads:
            thread.join(60)
        # The window that stays open: in a closed one a chat waits at its end for what it may not send yet.
        self.sleep_until(self.world.record.windows[-1][0] + timedelta(seconds=0.5))
        print(f'the sends and reads ended {time.monotonic() - self.over:.1f} s later', flush=True)
        began = time.monotonic()
        self.problems += self.world.finish_chats(60)
        finished = time.monotonic()
        self.world.collect(40)
        print(f'the chats ended after {finished - began:.1f} s, all had everything after {time.monotonic() - finished:.1f} s more',
              flush=True)

    def judge(self, sabotage):
        world = self.world
        if sabotage:
            SABOTAGES[sabotage](world.record)
        self.problems += check(world.record)
        with ThreadPoolExecutor(2) as pool:
            audits = list(pool.map(lambda person: person.run('audit', 'verify'), world.people))
        for person, answer in zip(world.people, audits):
            report = (answer.of('audit') or [{}])[0]
            if answer.code or not report.get('ok'):
                self.problems.append(f'log: audit verify of {person.name} ended with {answer.code}: {answer.out[-300:]}')
            code = person.run('status').code
            if code:
                self.problems.append(f'exit: status of {person.name} ended with {code}')
        for screen in world.screens.values():
            screen.kill()
        code = world.server.stop()
        if code != 0:
            self.problems.append(f'exit: interluded ended with {code} at SIGTERM')
        checked = subprocess.run([BIN / 'interluded', '--config', world.server.config, '--check'], capture_output=True, text=True,
                                 timeout=60)
        if checked.returncode:
            self.problems.append(f'store: interluded --check ended with {checked.returncode}: {checked.stderr.strip()[-300:]}')

    def figures(self):
        world, record = self.world, self.world.record
        given = {each.token: each.at for each in record.typed}
        own = [(given[each['text']], record.parse_time(each['accepted_at']))
               for home in record.histories.values() for each in home if each['text'] in given and each['from'].get('me') and 'accepted_at' in each]
        flying = [sum(sent < moment < accepted for sent, accepted in own) for moment, _, _ in self.kills]
        opens = [opens for opens, _ in record.windows]
        of_each = {target: [moment for moment, planned, struck in self.kills if struck == target and planned
                            and any(abs(moment - each) < timedelta(seconds=0.5) for each in opens)] for target in self.targets}
        across = sum(of_each.values(), [])
        held = [(accepted, next((at for at in opens if at > accepted), None)) for _, accepted in own
                if not any(a <= accepted < b for a, b in record.windows)]
        spanned = sum(1 for accepted, opening in held if opening and any(accepted < moment and abs(moment - opening) < timedelta(seconds=1)
                                                                       for moment in across))
        for target, of_it in of_each.items():
            kills = len(self.kills_of(target))
            print(f'SIGKILLs of {TARGETS[target]}: {kills}, {len(of_it)} of them across an opening'
                  + (f' ({", ".join(f"{verb} {count}" for verb, count in sorted(self.victims.items()))})' if target == 'app' else ''))
            if kills < self.wanted or 2 * len(of_it) < 0.8 * self.wanted:
                self.problems.append(f'loop: {kills} kills of {TARGETS[target]}, {len(of_it)} across an opening: this machine was too slow')
        lost = sum(each.startswith('lost') for each in self.problems)
        twice = sum(each.startswith('twice') for each in self.problems)
        print(f'submissions: {len(record.typed)} kept and sent'
              + (f', {self.never_kept} typed into a process that died before it had them' if 'app' in self.targets else ''))
        if flying:
            print(f'in flight at a kill (given to an app, not yet accepted): least {min(flying)}, median {statistics.median(flying):.0f}, '
                  f'most {max(flying)}; {sum(each >= 100 for each in flying)} kills with 100 or more')
        print(f'{len(self.sends)} processes of `send`, the longest took {self.longest_send:.1f} s')
        print(f'{len(self.reads)} processes of `read`: '
              + ', '.join(f'{count} ended with {code}' for code, count in sorted(self.read_codes.items())))
        print(f'held: {len(held)}, of them {spanned} waited at a kill across their opening')
        print(f'lost {lost}, twice {twice}, all problems {len(self.problems)}')


def main():
    parser = argparse.ArgumentParser(prog='kill.py')
    parser.add_argument('targets', nargs='*', choices=[*TARGETS, []], metavar='server|app', help='both, if none is named')
    parser.add_argument('--kills', type=int, default=50)
    parser.add_argument('--seed', type=int, default=None)
    parser.add_argument('--keep', action='store_true')
    parser.add_argument('--sabotage', choices=sorted(SABOTAGES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    targets = [each for each in TARGETS if each in options.targets] or list(TARGETS)
    print(f'kill.py {" ".join(targets)} --kills {options.kills} --seed {seed}', flush=True)
    period = OPEN + math.ceil(PAUSE * len(targets))
    periods = max(1, options.kills // 2)
    folder, began = scratch(), time.monotonic()
    world = World(folder, PAIRS, periods + SPARE, random.Random(seed))
    loop = Loop(world, targets, options.kills)
    try:
        world.meet()
        pace = time.monotonic() - began
        print(f'{PAIRS} pairs met ({pace:.0f} s)', flush=True)
        first = now().replace(microsecond=0) + timedelta(seconds=5 + round(0.06 * PAIRS * (periods + SPARE) + pace))
        published = time.monotonic()
        world.publish(first, timedelta(seconds=period), timedelta(seconds=OPEN))
        print(f'{len(world.record.windows)} openings published ({time.monotonic() - published:.0f} s)', flush=True)
        loop.sleep_until(first - timedelta(seconds=period))
        loop.run()
        print(f'the loop is over ({time.monotonic() - began:.0f} s)', flush=True)
        loop.over = time.monotonic()
        loop.rest()
        loop.judge(options.sabotage)
        loop.figures()
    except Failed as fault:
        loop.problems.append(f'failed: {fault}')
    finally:
        world.end()
        if options.keep:
            print(f'everything is in {folder}')
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for problem in loop.problems[:20]:
        print(f'  {problem[:300]}')
    print(f'{"it does not hold" if loop.problems else "all of it holds"} ({time.monotonic() - began:.0f} s)')
    return 1 if loop.problems else 0


if __name__ == '__main__':
    sys.exit(main())

"""What the kill loops play with: one server, pairs of homes with a conversation each, their chats and watches.

Everything a process prints is read at once, by a thread of its own: when a home first showed which message is what the judge
(kill_check.py) asks about.
"""
import re
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from demo import ZONE, closed_hours, now, parse_time, utc
from kill_check import Record, Typed
from programs import PLAIN, Failed, Person, Server

TOKEN = re.compile(r'~[a-z]+\.\d+~')
# So many messages of one device within a second would otherwise be refused with "too fast", which is tested elsewhere.
SETTINGS = ['limits.messages_burst=100000', 'limits.messages_per_second=10000', 'limits.commits_per_hour=10000',
            'limits.connections_per_address=1000']


def scratch():
    """A folder in memory where there is one: SIGKILL loses no page, so what this is about does not need the disk's slowness
    (power cuts are what the contract tests' VFS plays)."""
    memory = Path('/dev/shm')
    return Path(tempfile.mkdtemp(prefix='interlude-kill.', dir=memory if memory.is_dir() else None))


class Screen:
    """One long process of a home: what it prints is noted in the record; lines can be typed into it."""

    def __init__(self, world, person, *verb, as_json=False):
        self.world, self.person, self.verb = world, person, verb
        self.process = subprocess.Popen(person.command(*verb, as_json=as_json), stdin=subprocess.PIPE, bufsize=0,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=PLAIN)
        self.last = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for raw in self.process.stdout:
            when, line = now(), raw.decode(errors='replace')
            self.last = self.last[-7:] + [line.rstrip()]
            for token in TOKEN.findall(line):
                self.world.record.first_shown.setdefault((self.person.name, token), when)

    def type(self, lines):
        try:
            self.process.stdin.write(('\n'.join(lines) + '\n').encode())
        except BrokenPipeError:
            raise Failed(f'interlude {self.verb[0]} of {self.person.name} ended by itself: {self.last}') from None

    def running(self):
        return self.process.poll() is None

    def finish(self, timeout):
        """No more input; its exit code, None if it does not end."""
        self.process.stdin.close()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait(10)
        self.reader.join(5)
        self.process.stdout.close()
        if not self.process.stdin.closed:
            self.process.stdin.close()


class World:
    def __init__(self, folder, pairs, openings, random):
        self.folder, self.random = folder, random
        self.server = Server(folder / 'server', settings=SETTINGS)
        self.pairs, self.openings = pairs, openings
        self.record = Record(parse_time=parse_time)
        self.people, self.screens, self.talk_of, self.counts = [], {}, {}, {}

    # -- before
    def meet(self):
        """Each pair: a therapist invited by the operator, a client invited by her."""
        self.server.start()
        self.closed = closed_hours(now())
        with ThreadPoolExecutor(2) as pool:
            made = list(pool.map(self._pair, range(self.pairs)))
        for talk, (therapist, client) in enumerate(made):
            self.people += [therapist, client]
            self.record.members[talk] = (therapist.name, client.name)
            for person in (therapist, client):
                self.talk_of[person.name], self.counts[person.name] = talk, 0

    def _pair(self, talk):
        letter = chr(ord('a') + talk)
        therapist = Person(f'{letter}therapist', self.folder / f'{letter}-therapist', self.server.ca, timeout=30)
        client = Person(f'{letter}client', self.folder / f'{letter}-client', self.server.ca, timeout=30)
        therapist.ask('join', self.server.operator('invite', 'therapist')['link'], '--key-file')
        therapist.ask('hours', 'set', self.closed, '--zone', ZONE)
        link = therapist.ask('invite', '--name', 'Client').of('invitation')[0]['link']
        client.ask('join', link, '--key-file', '--name', 'Therapist')
        therapist.ask('read', '--peek')
        return therapist, client

    def publish(self, first, period, length):
        """All openings of the run, before the first begins; the last one stays open."""
        self.record.windows = [(first + k * period, first + k * period + length) for k in range(self.openings)]
        opens, _ = self.record.windows[-1]
        self.record.windows[-1] = (opens, opens + timedelta(minutes=20))

        def of(therapist):
            for opens, closes in self.record.windows:
                therapist.ask('hours', 'open', utc(opens), utc(closes))

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(of, self.people[::2]))
        if now() >= first:
            raise Failed('this machine was too slow for the openings it chose')
        for client in self.people[1::2]:        # the documents are there before the first message
            client.ask('read', '--peek')

    # -- meanwhile
    def open_screens(self, person):
        for verb, as_json in (('chat', False), ('watch', True)):
            if (person.name, verb) not in self.screens:
                self.screens[person.name, verb] = Screen(self, person, verb, as_json=as_json)

    def words(self, person, count, series='chat'):
        """New texts of this author; typed, until somebody finds that the app never had them."""
        texts = []
        for _ in range(count):
            self.counts[person.name] += 1
            number = self.counts[person.name]
            token = f'~{person.name}.{number}~'
            self.record.typed.append(Typed(self.talk_of[person.name], person.name, series, number, token, now()))
            texts.append(token)
        return texts

    def type_everywhere(self, aim):
        """So much that about `aim` messages of each home have no answer yet."""
        for person in self.people:
            waiting = sum(each.author == person.name and (person.name, each.token) not in self.record.first_shown
                          for each in self.record.typed[-2000:])
            self.screens[person.name, 'chat'].type(self.words(person, max(3, aim - waiting)))

    def kept_offline(self, person):
        """The messages in a home, as they are in its vault now."""
        return person.ask('read', '--peek', '--offline').of('message')

    # -- afterwards
    def finish_chats(self, timeout):
        problems = []
        for (name, verb), screen in self.screens.items():
            if verb == 'chat':
                code = screen.finish(timeout)
                if code != 0:
                    problems.append(f'unfinished: chat of {name} ended with {code}: {screen.last[-2:]}')
            elif not screen.running():
                problems.append(f'ended: watch of {name} ended by itself with {screen.process.poll()}: {screen.last[-2:]}')
        return problems

    def collect(self, seconds):
        """The histories, once both sides have everything, or when the time is over."""
        until = time.monotonic() + seconds
        while True:
            for person in self.people:
                began = now()
                history = person.ask('read', '--peek').of('message')
                self.record.histories[person.name] = history
                self.record.reads.append((person.name, began, {each.get('text') for each in history}))
            wanted = {talk: sum(each.talk == talk for each in self.record.typed) for talk in self.record.members}
            if all(len(self.record.histories[person.name]) >= wanted[self.talk_of[person.name]]
                   and all(each['state'] not in ('on_device', 'held') for each in self.record.histories[person.name])
                   for person in self.people) or time.monotonic() > until:
                return
            time.sleep(0.2)

    def end(self):
        for screen in self.screens.values():
            screen.kill()
        self.server.stop()

#!/usr/bin/python3
"""The main job, played: two people, one server, hours that hold. Run by `./dev demo [--keep] [--sabotage NAME]`.

Every line of the story is a real process over TLS; the windows are real spans of the next minute, published before they
begin. A scene that does not hold is named, and the exit code is 1. --sabotage breaks one thing from outside while the server
is down, and must therefore end with 1 as well: tests/e2e/CMakeLists.txt plays them all.
"""
import argparse
import base64
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import textwrap
import threading
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from programs import BIN, Failed, Person, Server
from sabotage import SABOTAGES

ZONE = 'Europe/Berlin'
THERAPIST, CLIENT = 'Helena Brandt', 'Jonas Keller'
HELLO = 'Hello, this is Jonas. I found the invitation in my coat pocket.'
WELCOME = 'Good that you wrote, Jonas. I read you until the window closes.'
THANKS = 'Thank you. It helps to know when you are there.'
NIGHT = 'I could not sleep again, the staircase dream came back.'
LATE_REPLY = 'Let us begin with the staircase on Thursday.'
SECRETS = [HELLO, WELCOME, THANKS, NIGHT, LATE_REPLY, THERAPIST, CLIENT]


# ---- telling --------------------------------------------------------------------------------------------------------

class Teller:
    """Plain text for a terminal: scenes, who sees what, and how it ended."""

    def __init__(self):
        self.colour = sys.stdout.isatty() and 'NO_COLOR' not in os.environ
        self.began = time.monotonic()

    def paint(self, code, text):
        return f'\033[{code}m{text}\033[0m' if self.colour else text

    def line(self, text=''):
        print(text, flush=True)

    def scene(self, number, title):
        self.line(f'\n{self.paint("1", f"{number:>2}  {title}")}')

    def does(self, who, command):
        self.line(f'    {self.paint("36", f"{who:<10}")}{self.paint("2", "$ " + command)}')

    def sees(self, text):
        for paragraph in text.rstrip().splitlines():
            for line in textwrap.wrap(paragraph, 104, subsequent_indent='  ', drop_whitespace=False,
                                      replace_whitespace=False, break_long_words=False) or ['']:
                self.line(f'              {line}'.rstrip())

    def note(self, text):
        self.line(f'    {self.paint("32", "✓")} {text}')

    def bad(self, text):
        self.line(f'    {self.paint("31", "✗")} {text}')


def clock(moment):
    return moment.astimezone().strftime('%H:%M:%S')


def utc(moment):
    return moment.astimezone(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def parse_time(text):
    return datetime.fromisoformat(text.replace('Z', '+00:00'))


def now():
    return datetime.now(timezone.utc)


def closed_hours(moment):
    """Weekly hours in ZONE that are closed now and for the next ten minutes."""
    local = moment.astimezone(ZoneInfo(ZONE))

    def minutes(clock_text):
        hour, minute = clock_text.split(':')
        return int(hour) * 60 + int(minute)

    for days, spans in ((range(0, 5), ['09:00-12:00', '14:00-17:00']), (range(0, 4), ['18:00-20:30'])):
        here = local.hour * 60 + local.minute
        if local.weekday() not in days or not any(minutes(a) - 11 <= here < minutes(b) + 1
                                                  for a, b in (span.split('-') for span in spans)):
            names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri']
            return f'{names[days[0]]}-{names[days[-1]]} {",".join(spans)}'
    raise Failed('no weekly hours are closed now')      # the two never overlap


# ---- searching ------------------------------------------------------------------------------------------------------

def disguises(text):
    """How a plaintext could lie in a file: raw, UTF-16, hex, base64 (both alphabets, every alignment)."""
    raw = text.encode()
    yield 'raw', raw
    yield 'UTF-16 LE', text.encode('utf-16-le')
    yield 'UTF-16 BE', text.encode('utf-16-be')
    yield 'hex', raw.hex().encode()
    yield 'HEX', raw.hex().upper().encode()
    for shift in range(3):
        for alphabet, encode in (('base64', base64.b64encode), ('base64url', base64.urlsafe_b64encode)):
            # Only the digits that come wholly from our bytes are certain, whatever stands before and after.
            first, end = (shift * 8 + 5) // 6, (shift + len(raw)) * 8 // 6
            yield f'{alphabet} at {shift}', encode(b'\0' * shift + raw)[first:end]


def plant(text):
    """Records as careless software would write them, one for each disguise, made in another way than the search."""
    record = '{"id":7,"text":"' + text + '"}'
    yield from ((how, record.encode(code)) for how, code in (('raw', 'utf-8'), ('UTF-16 LE', 'utf-16-le'), ('UTF-16 BE', 'utf-16-be')))
    yield 'hex', ''.join(f'{byte:02x}' for byte in record.encode()).encode()
    yield 'HEX', ''.join(f'{byte:02X}' for byte in record.encode()).encode()
    for front in range(3):
        framed = ('abc'[:front] + record).encode()
        shift = framed.index(text.encode()) % 3
        yield f'base64 at {shift}', base64.b64encode(framed)
        yield f'base64url at {shift}', base64.urlsafe_b64encode(framed)


def find_plaintext(files, texts):
    """[(file name, what, how)] of every text in every disguise in every file."""
    found = []
    for file in files:
        content = file.read_bytes()
        found += [(file.name, text, how) for text in texts for how, needle in disguises(text) if needle in content]
    return found


class Watch:
    """`interlude watch` in the background; remembers when each object came."""

    def __init__(self, person, seconds):
        self.person, self.seen = person, []
        self.process = person.begin('watch', '--for', str(seconds))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                self.seen.append((now(), json.loads(line)))
            except ValueError:
                self.seen.append((now(), {'type': 'nonsense', 'text': line}))

    def foreign(self, text=None):
        """(when, message) from the other side."""
        return [(when, each) for when, each in self.seen if each.get('type') == 'message' and not each['from'].get('me')
                and (text is None or each.get('text') == text)]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()


# ---- the story ------------------------------------------------------------------------------------------------------

class Story:
    NIGHT = NIGHT

    def __init__(self, folder, teller, sabotage):
        self.folder, self.tell, self.sabotage = folder, teller, sabotage
        self.server = Server(folder / 'server')
        self.helena = Person('therapist', folder / 'home-therapist')
        self.jonas = Person('client', folder / 'home-client')
        self.watches = []
        self.pace = 1.0         # seconds that one process takes here; the windows are cut to it
        self.link = ''
        self.card_shown = False # the crisis card is printed in full once

    # -- small means
    def person_does(self, person, *verb, expect=0, shown=None, lines=None):
        """Runs a verb as a person would, prints what that person sees (the first `lines` of it), returns all of it."""
        self.tell.does(person.name, 'interlude ' + (shown or ' '.join(f"'{v}'" if ' ' in str(v) else str(v) for v in verb)))
        answer = person.run(*verb, as_json=False)
        seen = (answer.out + answer.err).rstrip().splitlines()
        if 'If it cannot wait' in seen:
            card = seen.index('If it cannot wait')
            lines = lines or (card if self.card_shown else None)
            self.card_shown = True
        self.tell.sees('\n'.join(seen[:lines]).rstrip() + (' …' if lines and len(seen) > lines else ''))
        if expect is not None and answer.code != expect:
            if answer.code == 2:
                raise Failed(f'this verb is not built yet, or not like this: interlude {verb[0]}')
            raise Failed(f'interlude {verb[0]} of the {person.name} ended with {answer.code}, not {expect}')
        return answer.out + answer.err

    def history(self, person):
        """Every message as this person's app has it, in its order; nothing is marked as read."""
        return person.ask('read', '--peek').of('message')

    def mine(self, person, text):
        found = [each for each in self.history(person) if each.get('text') == text and each['from'].get('me')]
        if len(found) != 1:
            raise Failed(f'the {person.name} has "{text[:24]}…" {len(found)} times in her or his own app, not once')
        return found[0]

    def wait_until(self, moment):
        while now() < moment:
            time.sleep(min(0.2, max(0.0, (moment - now()).total_seconds())))

    def must_be_before(self, moment, what):
        if now() >= moment:
            raise Failed(f'this machine was too slow for the windows it chose: {what} came after {clock(moment)}')

    # -- scenes
    def operator_invites(self):
        self.server.start()
        self.tell.sees(f'interluded is ready: https://{self.server.name}:{self.server.port}, SQLite in {self.server.database}')
        self.tell.does('operator', 'interludectl invite therapist')
        began = time.monotonic()
        invitation = self.server.operator('invite', 'therapist')
        self.link = invitation['link']
        self.tell.sees(f'{self.link}\nfor one therapist, once, until {clock(parse_time(invitation["expires_at"]))} in 7 days')
        if invitation.get('role') != 'therapist' or '#' not in self.link:
            raise Failed('the operator got no invitation for a therapist')
        self.pace = max(0.2, time.monotonic() - began)

    def therapist_joins(self):
        began = time.monotonic()
        self.helena.ca = self.server.ca
        self.person_does(self.helena, 'join', self.link, '--key-file', '--my-name', THERAPIST, shown=f"join LINK --key-file --my-name '{THERAPIST}'")
        self.helena.ca = None                                      # kept in the home at join
        self.pace = max(self.pace, time.monotonic() - began)
        if not (self.helena.home / 'key').exists() or (self.helena.home / 'key').stat().st_mode & 0o077:
            raise Failed('HOME/key is not there with mode 0600')
        status = self.helena.ask('status').of('status')[0]
        if not status.get('connected'):
            raise Failed('her app is not connected after joining')

    def hours_are_published(self):
        weekly = closed_hours(now())
        self.person_does(self.helena, 'hours', 'set', weekly, '--zone', ZONE, lines=1)
        step = min(self.pace, 1.5)
        start = now().replace(microsecond=0) + timedelta(seconds=round(6 + 6 * step))
        self.first = (start, start + timedelta(seconds=round(6 + 6 * step)))
        self.second = (self.first[1] + timedelta(seconds=round(7 + 7 * step)), self.first[1] + timedelta(minutes=10))
        for opens, closes in (self.first, self.second):
            self.person_does(self.helena, 'hours', 'open', utc(opens), utc(closes), lines=1)
        self.must_be_before(self.first[0], 'publishing the openings')
        self.person_does(self.helena, 'hours', 'show')
        hours = self.helena.ask('hours', 'show').of('hours')[0]
        starts = [parse_time(window['start']) for window in hours['windows']]
        if hours['state'] != 'closed' or parse_time(hours['next_opening']) != self.first[0]:
            raise Failed(f'her hours say {hours["state"]}, next opening {hours.get("next_opening")}, not {utc(self.first[0])}')
        if self.second[0] not in starts:
            raise Failed('the second opening is not among the published windows')
        self.tell.note(f'closed now; she will be there {clock(self.first[0])} to {clock(self.first[1])}, and again from {clock(self.second[0])}')

    def client_is_invited_and_joins(self):
        self.tell.does('therapist', f"interlude invite --name '{CLIENT}'")
        invitation = self.helena.ask('invite', '--name', CLIENT).of('invitation')[0]
        self.link = invitation['link']
        self.tell.sees(f'{self.link}\nshe gives it to him in the session: a QR code on her screen, single use')
        self.jonas.ca = self.server.ca
        self.person_does(self.jonas, 'join', self.link, '--key-file', '--name', THERAPIST, '--my-name', CLIENT,
                         shown=f"join LINK --key-file --name '{THERAPIST}' --my-name '{CLIENT}'")
        self.jonas.ca = None
        self.person_does(self.jonas, 'send', THERAPIST, HELLO)
        mine = self.mine(self.jonas, HELLO)
        if mine['state'] not in ('held', 'stored', 'delivered'):
            raise Failed(f'his first message is {mine["state"]}, not with the server')
        if mine['state'] == 'held' and parse_time(mine['held_until']) != self.first[0]:
            raise Failed(f'his first message is held until {mine["held_until"]}, not {utc(self.first[0])}')

    def they_talk(self):
        self.wait_until(self.first[0])
        self.tell.sees(f'… it is {clock(now())}: the window opens')
        text = self.person_does(self.helena, 'read')
        if HELLO not in text:
            raise Failed('she does not see his first message in her open window')
        self.person_does(self.helena, 'send', CLIENT, WELCOME)
        text = self.person_does(self.jonas, 'read')
        if WELCOME not in text:
            raise Failed('he does not see her answer')
        self.person_does(self.jonas, 'send', THERAPIST, THANKS)
        if THANKS not in self.person_does(self.helena, 'read'):
            raise Failed('she does not see his thanks')
        self.must_be_before(self.first[1], 'the talk in the first window')
        self.jonas.account = self.mine(self.jonas, HELLO)['from']['account']
        self.old_checkpoint = self.server.read_copy('SELECT log_size, log_note FROM store')  # for a sabotage

    def window_closes_and_both_write(self):
        self.wait_until(self.first[1] + timedelta(milliseconds=300))
        self.tell.sees(f'… it is {clock(now())}: the window has closed')
        said = self.person_does(self.jonas, 'send', THERAPIST, NIGHT)
        if 'held until' not in said:
            raise Failed('he is not told "held until …"')
        said = self.person_does(self.helena, 'send', CLIENT, LATE_REPLY)
        if 'held until' not in said:
            raise Failed('she is not told that her late reply waits')
        for person, own, foreign in ((self.jonas, NIGHT, LATE_REPLY), (self.helena, LATE_REPLY, NIGHT)):
            mine = self.mine(person, own)
            if mine['state'] != 'held' or 'held_until' not in mine or parse_time(mine['held_until']) != self.second[0]:
                raise Failed(f'the message of the {person.name} is {mine["state"]} until {mine.get("held_until")}, not held until {utc(self.second[0])}')
            if any(each.get('text') == foreign for each in self.history(person)):
                raise Failed(f'the {person.name} can already read what is held')
        self.must_be_before(self.second[0], 'writing in the closed window')
        report = self.jonas.ask('audit', 'verify').of('audit')[0]
        if not report['ok'] or not report['checked'].get('inclusion') or not report['checked'].get('decisions'):
            raise Failed('his app has no checked proof of the decision to hold')
        self.tell.note(f'his app checked the proof: entry in a log of {report["tree_size"]}, the decision follows from her signed hours')

    def server_is_killed(self):
        self.server.kill()
        self.tell.sees('kill -9 interluded')
        if self.sabotage:
            self.tell.bad(f'sabotage: {SABOTAGES[self.sabotage].__doc__.splitlines()[0]}')
            SABOTAGES[self.sabotage](self)
        answer = self.jonas.run('status')
        if answer.code not in (0, 69, 75):
            raise Failed(f'with the server away his app ends with {answer.code}')
        self.server.start()
        self.tell.sees(f'interluded is ready again on the same store: https://{self.server.name}:{self.server.port}')
        self.must_be_before(self.second[0], 'the restart')

    def window_opens(self):
        self.watches = [Watch(person, 60) for person in (self.helena, self.jonas)]
        self.wait_until(self.second[0])
        self.tell.sees(f'… it is {clock(now())}: the window opens')
        until = time.monotonic() + 15
        while time.monotonic() < until and not all(watch.foreign() for watch in self.watches):
            time.sleep(0.05)
        time.sleep(1.0)                                            # whatever would come twice comes now
        for watch, text in zip(self.watches, (NIGHT, LATE_REPLY)):
            watch.end()
            came = watch.foreign()
            if not watch.foreign(text):
                raise Failed(f'what was held for the {watch.person.name} did not arrive')
            if len(came) != 1:
                raise Failed(f'the {watch.person.name} was shown {len(came)} messages, not one')
            when = came[0][0]
            if when < self.second[0]:
                raise Failed(f'the {watch.person.name} was shown it at {clock(when)}, before the window')
            self.tell.does(watch.person.name, 'interlude watch')
            self.tell.sees(f'{clock(when)}  {came[0][1]["from"].get("name", "")}: {text}')
        orders = {}
        for person in (self.helena, self.jonas):
            history = self.history(person)
            texts = [each.get('text') for each in history]
            if sorted(texts, key=str) != sorted([HELLO, WELCOME, THANKS, NIGHT, LATE_REPLY]):
                raise Failed(f'the {person.name} has {len(texts)} messages, not each of the five once')
            numbers = [each['seq'] for each in history]
            if numbers != sorted(set(numbers)):
                raise Failed(f'the {person.name} sees them out of order: {numbers}')
            orders[person.name] = texts
        if orders['therapist'] != orders['client'] or orders['client'][-2:] != [NIGHT, LATE_REPLY]:
            raise Failed('the two do not see the same order')
        self.tell.note('both arrived, once, in order, and not before')

    def both_verify(self):
        for person in (self.helena, self.jonas):
            text = self.person_does(person, 'audit', 'verify', expect=None)
            answer = person.run('audit', 'verify')
            report = answer.of('audit')[0]
            if answer.code or not report['ok'] or report['problems']:
                raise Failed(f'for the {person.name} the log does not hold: '
                             + '; '.join(f'{each["code"]} ({each["text"]})' for each in report['problems'][:2]))
            for what in ('entries', 'inclusion', 'consistency', 'schedules', 'decisions'):
                if not report['checked'].get(what):
                    raise Failed(f'the {person.name} checked no {what}: {text[:80]}')

    def operator_searches(self):
        files = sorted(self.server.folder.glob('interlude.db*')) + [self.server.diagnostics]
        control = 'Control: this sentence was planted to be found.'
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            copy = Path(scratch, 'copy.db')
            for file in files[:-1]:
                shutil.copy(file, copy.with_name(file.name.replace('interlude.db', 'copy.db')))
            planted = list(plant(control))
            with closing(sqlite3.connect(copy, timeout=10)) as database:
                database.execute('CREATE TABLE planted (how TEXT, what BLOB)')
                database.executemany('INSERT INTO planted VALUES (?, ?)', planted)
                database.commit()
            hit = {how for _, _, how in find_plaintext(sorted(Path(scratch).iterdir()), [control])}
            if hit != {how for how, _ in planted}:
                raise Failed(f'the search is blind for {sorted({how for how, _ in planted} - hit)}')
        self.tell.note(f'a control string planted in a copy is found in all {len(planted)} disguises')
        known = bytes.fromhex(self.jonas.account)
        if not any(known in file.read_bytes() for file in files):
            raise Failed('not even an account id is in these files: the search looks in the wrong place')
        found = find_plaintext(files, SECRETS)
        if found:
            raise Failed('plaintext on the server: ' + '; '.join(f'"{text[:24]}…" as {how} in {name}' for name, text, how in found[:4]))
        size = sum(file.stat().st_size for file in files)
        self.tell.note(f'{len(SECRETS)} texts and names, {size // 1024} KiB in {", ".join(f.name for f in files)}: nothing')

    SCENES = [
        ('operator_invites', 'The operator invites a therapist'),
        ('therapist_joins', 'She joins'),
        ('hours_are_published', 'She publishes her hours'),
        ('client_is_invited_and_joins', 'She invites a client; he joins and writes at once'),
        ('they_talk', 'The window opens, and they talk'),
        ('window_closes_and_both_write', 'The window closes; he writes, and she answers late'),
        ('server_is_killed', 'The server is killed, and started again'),
        ('window_opens', 'The window opens again'),
        ('both_verify', 'Both verify the log'),
        ('operator_searches', 'The operator searches for plaintext'),
    ]

    def end(self):
        for watch in self.watches:
            watch.end()

    def play(self):
        """True if every scene held."""
        missing = [name for name in ('interluded', 'interludectl', 'interlude') if not (BIN / name).exists()]
        if missing:
            self.tell.bad(f'not built yet: {", ".join(missing)}. Missing scenes:')
            for number, (_, title) in enumerate(self.SCENES, 1):
                self.tell.line(f'      {number:>2}  {title}')
            return False
        for number, (method, title) in enumerate(self.SCENES, 1):
            self.tell.scene(number, title)
            try:
                getattr(self, method)()
            except (Failed, KeyError, IndexError, OSError, ValueError) as fault:
                reason = str(fault) if isinstance(fault, Failed) else f'{type(fault).__name__}: {fault}'
                self.tell.bad(reason)
                self.tell.line(f'\nScene {number} does not hold: {title}. {reason.splitlines()[0]}')
                if number < len(self.SCENES):
                    self.tell.line('Not played: ' + ' · '.join(title for _, title in self.SCENES[number:]))
                return False
        return True


def main():
    parser = argparse.ArgumentParser(prog='./dev demo', description='Plays the main job with real processes.')
    parser.add_argument('--keep', action='store_true', help='leave server and homes for trying by hand')
    parser.add_argument('--sabotage', choices=sorted(SABOTAGES), metavar='NAME', help='break one thing: ' + ', '.join(sorted(SABOTAGES)))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    teller = Teller()
    folder = Path(tempfile.mkdtemp(prefix='interlude-demo.'))
    story = Story(folder, teller, options.sabotage)
    teller.line(f'Interlude, played with real processes over TLS in {folder}')
    held = False
    try:
        held = story.play()
        seconds = time.monotonic() - teller.began
        teller.line(f'\n{"All of it holds" if held else "It does not hold"} ({seconds:.0f} s).')
        return 0 if held else 1
    finally:
        story.end()
        if options.keep and story.server.running():
            story.server.kill()
            story.server.start(detached=True)
            teller.line(textwrap.dedent(f'''
                The server goes on as process {story.server.process.pid} (stop it: kill {story.server.process.pid}). By hand:
                  export PATH={BIN}:$PATH INTERLUDE_ADMIN_SOCKET={story.server.socket}
                  interlude --home {story.helena.home} chat        # the therapist
                  interlude --home {story.jonas.home} chat         # the client, in another terminal
                  interludectl status
                Everything is in {folder}'''))
        else:
            story.server.stop(5)
            if not options.keep:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    sys.exit(main())

#!/usr/bin/python3
"""The outside faces of the programs that scripts rely on: exit codes, JSON objects a line, and what comes of a wrong word.

One story: a therapist and a client begin, and every verb of `interlude` is asked once for its objects; then each exit code is
brought about that a person can bring about. Standard library only.
"""
import json
import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from programs import BIN, PLAIN, Person, Server

TIME = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
ID = re.compile(r'^([0-9a-f]{32}|[0-9a-f]{64})$')
# Fields that an object always has (True) or may have (False), and how their values look.
SHAPES = {
    'invitation': {'link': str, 'role': str, 'expires_at': TIME},
    'joined': {'account': ID, 'device': ID, 'role': str, 'conversation?': ID},
    'conversation': {'conversation': ID, 'name': str, 'verified': str, 'unread': int, 'members': list, 'words?': list},
    'message': {'conversation': ID, 'name': str, 'message_id': ID, 'seq?': int, 'from': dict, 'sent_at': TIME,
                'accepted_at?': TIME, 'state': str, 'held_until?': TIME, 'text': str, 'proved?': bool},
    'hours': {'account': ID, 'zone?': str, 'state': str, 'until?': TIME, 'next_opening?': TIME, 'windows': list, 'number?': int,
              'tzdata?': str, 'me?': bool},
    'audit': {'ok': bool, 'tree_size': int, 'root': ID, 'checkpoint_at?': TIME, 'checked': dict, 'problems': list},
    'status': {'server': str, 'connected': bool, 'server_time?': TIME, 'skew_ms?': int, 'waiting': int, 'protocol': int},
    'device': {'account': ID, 'device': ID, 'this_device': bool, 'added_at': TIME},
    'error': {'code': str, 'text': str, 'hint?': str},
}
OPEN_EXTENSION = {'status', 'device', 'hours', 'message', 'conversation'}    # interfaces.md: it may grow


def in_terminal(command, lines, locale):
    """A program in a terminal of its own, typed at line by line; what it showed."""
    child, screen = pty.fork()
    if child == 0:
        environment = {name: value for name, value in PLAIN.items() if name not in ('LC_ALL', 'LANG', 'LC_CTYPE')} | locale
        os.execve(command[0], [str(word) for word in command], environment)
    shown = b''

    def listen(until, seconds):
        nonlocal shown
        began, end = len(shown), time.monotonic() + seconds
        while time.monotonic() < end and until not in shown[began:]:
            if select.select([screen], [], [], 0.2)[0]:
                try:
                    shown += os.read(screen, 65536)
                except OSError:
                    return
    listen(b'> ', 20)
    for line in lines:
        os.write(screen, line.encode() + b'\n')
        listen(b'> ' if line != '/quit' else b'\0', 20)
    os.waitpid(child, 0)
    os.close(screen)
    return shown.decode(errors='replace')


class Interfaces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='interlude-faces.')
        root = Path(cls.folder.name)
        cls.server = Server(root / 'server')
        cls.server.start()
        cls.therapist = Person('Helena', root / 'therapist', cls.server.ca)
        cls.client = Person('Jonas', root / 'client', cls.server.ca)
        cls.invited = cls.server.operator('invite', 'therapist')
        cls.joined = [cls.therapist.ask('join', '--key-file', cls.invited['link'])]
        cls.set_hours = cls.therapist.ask('hours', 'set', 'Mon-Sun 00:00-24:00', '--zone', 'Europe/Berlin')
        cls.invitation = cls.therapist.ask('invite', '--name', 'Jonas')
        cls.link = cls.invitation.of('invitation')[0]['link']
        cls.joined.append(cls.client.ask('join', '--key-file', '--name', 'Helena', cls.link))

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.folder.cleanup()

    def shaped(self, answer, kind, at_least=1):
        """Every object of the answer has its shape; those of `kind`."""
        for each in answer.objects:
            shape = SHAPES[each['type']]
            names = {name.rstrip('?') for name in shape}
            if each['type'] not in OPEN_EXTENSION:
                self.assertEqual(set(each) - names - {'type'}, set(), each)
            for name, form in shape.items():
                value = each.get(name.rstrip('?'))
                if value is None:
                    self.assertTrue(name.endswith('?'), f'{name} is missing in {each}')
                    self.assertNotIn(name.rstrip('?'), each, 'absent, never null')
                elif isinstance(form, re.Pattern):
                    self.assertRegex(value, form, each)
                else:
                    self.assertIsInstance(value, form, each)
        found = answer.of(kind)
        self.assertGreaterEqual(len(found), at_least, answer.out + answer.err)
        return found

    def exits(self, answer, code, error=None):
        self.assertEqual(answer.code, code, answer.out + answer.err)
        if error:
            found = self.shaped(answer, 'error')[-1]
            self.assertEqual(found['code'], error)
            self.assertTrue(found['text'])
            return found
        return None

    def unread(self):
        return next(each['unread'] for each in self.shaped(self.therapist.ask('list'), 'conversation') if each['name'] == 'Jonas')

    # ---- Objects ---------------------------------------------------------------------------------------------------
    def test_joining_and_inviting_print_their_objects(self):
        self.assertEqual(self.shaped(self.joined[0], 'joined')[0]['role'], 'therapist')
        self.assertEqual(self.shaped(self.joined[1], 'joined')[0]['role'], 'client')
        self.assertIn('conversation', self.joined[1].of('joined')[0])
        self.assertEqual(self.shaped(self.invitation, 'invitation')[0]['role'], 'client')
        self.assertTrue(self.link.startswith(f'https://{self.server.name}:{self.server.port}/i#'))

    def test_a_message_has_the_same_identity_on_both_sides(self):
        sent = self.shaped(self.client.ask('send', 'Helena', 'Good morning'), 'message')[0]
        self.assertIn(sent['state'], ('stored', 'delivered'))
        self.assertTrue(sent['from']['me'])
        read = [each for each in self.shaped(self.therapist.ask('read', 'Jonas'), 'message') if each['message_id'] == sent['message_id']]
        self.assertEqual([each['text'] for each in read], ['Good morning'])
        self.assertEqual(read[0]['seq'], sent['seq'])
        self.assertEqual(read[0]['accepted_at'], sent['accepted_at'])
        self.assertFalse(read[0]['from']['me'])
        self.assertEqual(read[0]['from']['account'], sent['from']['account'])

    def test_standard_input_is_a_text_and_a_dash_dash_ends_the_options(self):
        sent = self.client.ask('send', 'Helena', '-', stdin='two\nlines\n').of('message')[0]
        self.assertEqual(sent['text'], 'two\nlines')
        self.assertEqual(self.client.ask('send', 'Helena', '--', '--json').of('message')[0]['text'], '--json')

    def without_room(self, *verb, room, **more):
        """A verb of the client's whose vault may grow by so many bytes only."""
        most = (self.client.home / 'vault.db').stat().st_size + room

        def no_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        return subprocess.run(self.client.command(*verb), preexec_fn=no_room, capture_output=True, text=True, timeout=60, env=PLAIN,
                              **more)

    def test_a_message_that_was_kept_before_the_disk_was_full_is_told_as_kept(self):
        long = 'kept ' + 'x' * 60000
        done = self.without_room('send', 'Helena', long, room=90000)     # for the draft, not for what is sealed
        self.assertEqual(done.returncode, 75, done.stdout + done.stderr)
        error = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((error['type'], error['code']), ('error', 'message_kept'))
        self.client.ask('send', 'Helena', 'there is room again')
        texts = [each['text'] for each in self.therapist.ask('read', 'Jonas').of('message')]
        self.assertEqual(texts.count(long), 1)

    def test_a_chat_whose_disk_is_full_says_what_became_of_a_line_and_ends_in_order(self):
        done = self.without_room('chat', 'Helena', room=0, input='lost ' + 'x' * 60000 + '\n/crisis\n/quit\n')
        self.assertIn('This was not sent or kept', done.stdout)
        self.assertIn('112', done.stdout)                                  # the line after it was still read
        self.assertIn(done.returncode, (0, 75), done.stderr)

    def test_watch_ends_by_itself(self):
        watch = self.therapist.begin('watch', '--count', '1', '--for', '20')
        self.client.ask('send', 'Helena', 'Are you there?')
        out, _ = watch.communicate(timeout=30)
        self.assertEqual(watch.returncode, 0)
        self.assertIn('Are you there?', [json.loads(line).get('text') for line in out.splitlines()])
        self.exits(self.client.run('watch', '--for', '1'), 0)

    def test_watch_shows_and_counts_what_another_process_of_the_home_took(self):
        stranger = Server(Path(self.folder.name) / 'stranger')
        self.counts_two(self.therapist)
        # Its authority is another one, so it never has a link of its own: all that it shows another process took.
        self.counts_two(Person('Helena', self.therapist.home, stranger.ca))

    def counts_two(self, person):
        watch = person.begin('watch', '--count', '2', '--for', '60')
        try:
            sent, until = [], time.monotonic() + 30
            while watch.poll() is None and time.monotonic() < until:
                for _ in range(3):      # read takes them within a moment: more at once than the watch counts to
                    sent.append(f'for both {len(sent)}')
                    self.client.ask('send', 'Helena', sent[-1])
                self.assertIn(sent[-1], [each['text'] for each in self.therapist.ask('read', 'Jonas').of('message')])
            out, err = watch.communicate(timeout=15) if watch.poll() is not None else ('', 'it did not count to two')
            self.assertEqual(watch.returncode, 0, out + err)
            texts = [each['text'] for each in map(json.loads, out.splitlines())
                     if each['type'] == 'message' and not each['from']['me']]
            self.assertIn(texts, [sent[at:at + 2] for at in range(len(sent) - 1)], 'two in a row, each once')
        finally:
            watch.kill()
            watch.communicate()

    def test_chat_shows_what_other_processes_of_the_home_took_and_learned(self):
        stranger = Server(Path(self.folder.name) / 'stranger-chat')
        self.therapist.ask('list')      # the conversation is there
        aside = Person('Helena', self.therapist.home, stranger.ca)     # no link of its own, as above
        chat = subprocess.Popen(aside.command('chat', 'Jonas', as_json=False), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=PLAIN)
        lines, came = [], threading.Condition()

        def listen():
            for line in chat.stdout:
                with came:
                    lines.append(line)
                    came.notify()

        def shows(words, after=''):
            """A line with these words, after one with those."""
            def found():
                begin = next((at for at, line in enumerate(lines) if after in line), len(lines))
                return any(words in line for line in lines[begin:])
            with came:
                self.assertTrue(came.wait_for(found, 20), f'{words} in {lines}')

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            shows('/crisis whom to call')
            self.client.ask('send', 'Helena', 'into the chat')
            self.therapist.ask('read', 'Jonas')
            shows('into the chat')
            self.therapist.ask('send', 'Jonas', 'beside the chat')
            shows('beside the chat')
            self.client.ask('read')
            self.therapist.ask('read', 'Jonas')
            shows('(delivered', after='beside the chat')
            chat.stdin.close()
            self.assertEqual(chat.wait(20), 0)
            listener.join(5)
            self.assertEqual(sum('into the chat' in line for line in lines), 1, lines)
        finally:
            chat.kill()
            chat.wait()
            listener.join(5)
            for stream in (chat.stdin, chat.stdout):
                stream.close()

    def test_a_terminal_chat_keeps_every_character_whatever_the_locale_is(self):
        line = 'Ich bin müde 😀 żal, ß'
        for locale in ({}, {'LC_ALL': 'C'}, {'LC_ALL': 'C.UTF-8'}):
            screen = in_terminal(self.client.command('chat', as_json=False), [line, '//off', '/nonsense', '/quit'], locale)
            self.assertIn('no such command', screen)
            texts = [each['text'] for each in self.therapist.ask('read', 'Jonas').of('message')]
            self.assertEqual(texts[-2:], [line, '/off'], screen)

    def test_a_bad_link_makes_no_home_and_a_home_that_has_not_joined_says_so(self):
        nobody = Person('nobody', Path(self.folder.name) / 'unjoined', self.server.ca)
        self.exits(nobody.run('join', '--key-file', self.link[:-4]), 65, 'bad_link')
        self.assertFalse(nobody.home.exists())
        self.exits(nobody.run('join', '--key-file', self.link), 3, 'spent')
        for verb in ('list', 'status', 'read'):
            self.exits(nobody.run(verb), 77, 'not_joined')

    def test_a_name_alone_is_no_message(self):
        self.exits(self.client.run('send', 'Helena'), 2, 'no_text')

    def test_who_gave_no_name_is_called_as_the_conversation_is(self):
        self.client.ask('send', 'Helena', 'who am I?')
        message = self.therapist.ask('read', 'Jonas').of('message')[-1]
        self.assertEqual(message['from']['name'], 'Jonas')

    def test_peeking_marks_nothing_as_read(self):
        self.therapist.ask('read', 'Jonas')
        self.client.ask('send', 'Helena', 'unread')
        self.therapist.ask('read', 'Jonas', '--peek')
        self.assertGreaterEqual(self.unread(), 1)
        self.therapist.ask('read', 'Jonas')
        self.assertEqual(self.unread(), 0)

    def test_the_other_verbs_print_their_objects(self):
        for person in (self.therapist, self.client):
            hours = self.shaped(person.ask('hours', 'show'), 'hours')[0]
            self.assertEqual(hours['state'], 'open')
            self.assertEqual(hours['zone'], 'Europe/Berlin')
            status = self.shaped(person.ask('status'), 'status')[0]
            self.assertTrue(status['connected'])
            self.assertEqual(status['waiting'], 0)
            audit = self.shaped(person.ask('audit', 'verify'), 'audit')[0]
            self.assertTrue(audit['ok'], audit)
            self.assertEqual(set(audit['checked']), {'entries', 'inclusion', 'consistency', 'schedules', 'decisions'})
            self.shaped(person.ask('devices'), 'device')
        named = self.shaped(self.therapist.ask('name', 'Jonas', 'Jonas K.'), 'conversation')[0]
        self.assertEqual(named['name'], 'Jonas K.')
        self.therapist.ask('name', 'Jonas K.', 'Jonas')

    def test_the_crisis_card_needs_no_home(self):
        nobody = Person('nobody', Path(self.folder.name) / 'nowhere')
        self.assertIn('numbers', nobody.ask('crisis').of('crisis')[0])
        self.assertIn('112', nobody.ask('crisis', as_json=False).out)
        self.assertFalse(nobody.home.exists())

    def test_versions_and_help_need_nothing(self):
        for program in ('interlude', 'interluded', 'interludectl', 'mls-vectors'):
            for flag in ('--help', '--version'):
                done = subprocess.run([BIN / program, flag], capture_output=True, text=True, timeout=20,
                                      stdin=subprocess.DEVNULL, env=PLAIN)
                self.assertEqual(done.returncode, 0, f'{program} {flag}: {done.stderr}')
                self.assertTrue(done.stdout.strip(), f'{program} {flag}')

    # ---- Exit codes ------------------------------------------------------------------------------------------------
    def test_1_when_the_words_are_not_the_same(self):
        words = [self.shaped(each.ask('verify'), 'conversation')[0]['words'] for each in (self.client, self.therapist)]
        self.assertEqual(*words)
        self.assertEqual(len(words[0]), 4)
        self.exits(self.client.run('verify', '--differ'), 1)
        self.exits(self.client.run('send', 'Helena', 'now?'), 3, 'paused')
        self.assertEqual(self.client.ask('verify', '--confirm').of('conversation')[0]['verified'], 'confirmed')
        self.client.ask('send', 'Helena', 'again')

    def test_2_for_a_wrong_command_line_with_what_to_write_instead(self):
        for words in (['sned', 'x'], [], ['send'], ['send', '--loud', 'x'], ['watch', '--for', 'ever'], ['--timeout', 'x', 'list'],
                      ['verify', '--confirm', '--differ']):
            found = self.exits(self.client.run(*words) if words else self.client.run('--'), 2, 'usage')
            self.assertTrue(found['hint'])
        self.exits(self.client.run('read', 'Nobody'), 2, 'unknown_conversation')

    def test_3_and_65_for_links_that_do_not_help(self):
        stranger = Person('stranger', Path(self.folder.name) / 'stranger', self.server.ca)
        self.exits(stranger.run('join', '--key-file', self.link), 3, 'spent')
        for broken in ('hello', self.link[:-4], self.link.split('#')[0], self.link + 'x'):
            self.exits(stranger.run('join', '--key-file', broken), 65, 'bad_link')
        self.exits(self.client.run('invite', '--name', 'X'), 77, 'not_a_therapist')
        self.exits(self.client.run('hours', 'set', 'Mon 09:00-10:00', '--zone', 'Europe/Berlin'), 77)

    def test_3_and_2_for_hours_that_are_none(self):
        for text in ('Mon', 'Mon 09:00-08:00x', 'Mon 25:00-26:00', 'Mon 09:00-12:00,11:00-13:00'):
            answer = self.therapist.run('hours', 'set', text, '--zone', 'Europe/Berlin')
            self.assertIn(answer.code, (2, 3, 65), f'{text}: {answer.code} {answer.out}')
            self.assertTrue(answer.of('error')[0]['text'])
        self.assertIn(self.therapist.run('hours', 'set', 'Mon 09:00-12:00', '--zone', 'Mars/Base').code, (2, 65))

    def test_69_75_and_back_when_the_server_is_away(self):
        self.server.kill()
        try:
            away = {}
            for person in (self.client, self.therapist):
                person.timeout = 2
            self.exits(self.client.run('audit', 'verify'), 69, 'unreachable')
            self.exits(self.client.run('watch', '--for', '1'), 69, 'unreachable')
            kept = self.client.run('send', 'Helena', 'written in the dark')
            self.exits(kept, 75)
            away = kept.of('message')[0]
            self.assertEqual(away['state'], 'on_device')
            self.assertEqual(self.client.run('status', '--offline').of('status')[0]['waiting'], 1)
            said = self.client.run('send', 'Helena', 'and one more', as_json=False)
            self.exits(said, 75)
            self.assertIn('112', said.out, 'the crisis card stands beside what nobody reads now')
        finally:
            self.server.start()
            for person in (self.client, self.therapist):
                person.timeout = 20
        self.client.ask('list')
        self.assertEqual(self.client.ask('status').of('status')[0]['waiting'], 0)
        texts = [each['text'] for each in self.therapist.ask('read', 'Jonas').of('message')]
        self.assertEqual(texts[-2:], ['written in the dark', 'and one more'])
        self.assertEqual([each['text'] for each in self.client.ask('read').of('message')
                          if each['message_id'] == away['message_id']], ['written in the dark'])

    def test_76_for_a_server_whose_certificate_is_not_the_invitations(self):
        other = Server(Path(self.folder.name) / 'other')
        self.exits(Person('Jonas', self.client.home, other.ca).run('list'), 0)      # shows what the device has
        self.exits(Person('Jonas', self.client.home, other.ca).run('audit', 'verify'), 76, 'certificate')

    def test_77_for_a_home_that_does_not_open(self):
        locked = Person('locked', Path(self.folder.name) / 'locked', self.server.ca)
        right, wrong = Path(self.folder.name) / 'right', Path(self.folder.name) / 'wrong'
        right.write_text('a few good words\n', encoding='utf-8')
        wrong.write_text('other words here\n', encoding='utf-8')
        link = self.therapist.ask('invite', '--name', 'Kim').of('invitation')[0]['link']
        try:
            PLAIN['INTERLUDE_PASSPHRASE_FILE'] = str(right)
            locked.ask('join', '--name', 'Helena', link)
            self.assertTrue(locked.ask('list').of('conversation'))
            PLAIN['INTERLUDE_PASSPHRASE_FILE'] = str(wrong)
            self.exits(locked.run('list'), 77, 'wrong_passphrase')
            del PLAIN['INTERLUDE_PASSPHRASE_FILE']
            self.exits(locked.run('list'), 77, 'no_passphrase')
        finally:
            PLAIN.pop('INTERLUDE_PASSPHRASE_FILE', None)
        self.exits(Person('x', Path(self.folder.name) / 'none').run('list'), 77, 'no_home')

    # ---- interludectl ----------------------------------------------------------------------------------------------
    def test_the_operators_tool_speaks_json_and_says_when_nobody_listens(self):
        self.assertEqual(self.invited['role'], 'therapist')
        self.assertRegex(self.invited['expires_at'], TIME)
        self.assertTrue(self.server.operator('status'))
        self.assertTrue(self.server.operator('version'))
        for words, code in ((['--socket', self.folder.name + '/no.socket', 'status'], 69), (['invite'], 2), (['sing'], 2)):
            done = subprocess.run([BIN / 'interludectl', *words], capture_output=True, text=True, timeout=20,
                                  stdin=subprocess.DEVNULL, env=PLAIN | {'INTERLUDE_ADMIN_SOCKET': str(self.server.socket)})
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertTrue(done.stderr.strip())

    def test_vectors_that_do_not_pass_end_with_1(self):
        folder = Path(os.environ.get('INTERLUDE_VECTORS', Path(__file__).resolve().parents[3] / 'shared/vectors')) / 'mls'
        if not folder.exists():
            self.skipTest('no vectors here')
        cases = json.loads((folder / 'tree-math.json').read_text())
        good = subprocess.run([BIN / 'mls-vectors', folder / 'tree-math.json'], capture_output=True, text=True, timeout=60)
        self.assertEqual(good.returncode, 0, good.stdout)
        self.assertRegex(good.stdout, r'(?m)tree-math.*: entries 10, passed 10, skipped 0.*, failed 0')
        cases[0]['root'] += 1
        broken = Path(self.folder.name) / 'tree-math.json'
        broken.write_text(json.dumps(cases))
        bad = subprocess.run([BIN / 'mls-vectors', broken], capture_output=True, text=True, timeout=60)
        self.assertEqual(bad.returncode, 1, bad.stdout)
        self.assertIn('failed 1', bad.stdout)


if __name__ == '__main__':
    sys.exit(unittest.main(verbosity=2))

#!/usr/bin/python3
"""Each thing that interlude-load does, small, against a real server: everything arrives once, and the counts say so. No times."""
import json
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests/e2e'), str(ROOT / 'tests/bench')]
import bench                                                                    # noqa: E402
from programs import BIN, Server                                                # noqa: E402

PAIRS, CLOSED = 4, 2


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        folder = Path(cls.scratch.name)
        cls.world = folder / 'world'
        cls.server = Server(folder / 'server', settings=bench.SETTINGS)
        cls.server.start()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.addClassCleanup(cls.server.kill)

    @classmethod
    def command(cls, *arguments):
        return [str(each) for each in (BIN / 'interlude-load', '--json', '--url', f'https://{cls.server.name}:{cls.server.port}',
                                       '--ca', cls.server.ca, '--admin-socket', cls.server.socket,
                                       '--server-pid', cls.server.process.pid, *arguments)]

    @classmethod
    def load(cls, *arguments):
        done = subprocess.run(cls.command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
        if done.returncode:
            raise AssertionError(f'{arguments}: exit {done.returncode}: {done.stderr}\n{cls.server.last_words()}')
        return json.loads(done.stdout)

    def status(self):
        return self.server.operator('status')

    def assert_counts(self, result, **counts):
        self.assertEqual({name: result[name] for name in counts}, counts)

    def assert_all_arrived(self, result, sent):
        self.assert_counts(result, sent=sent, stored=sent, delivered=sent, delivered_twice=0, refused=0)


class Load(WithServer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.load('--prepare', '--conversations', PAIRS, '--closed', CLOSED, '--world', cls.world)

    def people(self, *arguments):
        return self.load('--world', self.world, *arguments)

    def test_people_are_registered_once(self):
        self.assert_counts(self.status(), conversations=PAIRS + CLOSED, accounts=2 * (PAIRS + CLOSED))

    def test_a_rate_is_kept_over_all_conversations(self):
        before = self.status()['accepted']
        result = self.people('--rate', 50, '--conversations', PAIRS, '--seconds', 2, '--warm-up', 1, '--threads', 2)
        self.assert_all_arrived(result, 150)
        self.assertEqual(result['stored_ms']['count'], 100)
        self.assertEqual(result['delivered_ms']['count'], 100)
        self.assertEqual(self.status()['accepted'], before + 150)

    def test_a_full_window_is_written_as_fast_as_it_goes(self):
        before = self.status()['accepted']
        result = self.people('--rate', 'max', '--conversations', 2, '--window', 3, '--seconds', 1, '--warm-up', 0)
        self.assertGreaterEqual(result['sent'], 6)
        self.assert_all_arrived(result, result['sent'])
        self.assertEqual(self.status()['accepted'], before + result['sent'])

    def test_idle_links_stay(self):
        result = self.people('--idle', 2 * PAIRS - 1, '--seconds', 1, '--warm-up', 1)
        self.assert_counts(result, links=2 * PAIRS - 1, ended=0)
        self.assertGreater(result['memory_after'], 0)

    def test_logins_and_bare_handshakes_are_counted(self):
        for what in ('--logins', '--handshakes'):
            result = self.people(what, 3, '--seconds', 1, '--warm-up', 0)
            self.assertGreater(result['count'], 0)
            self.assertEqual(result['ms']['count'], result['count'])

    def test_apps_come_back_after_a_kill(self):
        load = subprocess.Popen(self.command('--world', self.world, '--back', 2 * PAIRS), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True)
        self.assertEqual(json.loads(load.stdout.readline())['links'], 2 * PAIRS)
        self.server.kill()
        self.server.start()
        out, _ = load.communicate(timeout=60)
        self.assertEqual(json.loads(out)['back'], 2 * PAIRS)

    def test_a_world_too_small_is_named(self):
        for what in (('--rate', 'max', '--conversations', PAIRS + 1), ('--due', 100 * CLOSED + 1, '--opens-in', 9)):
            done = subprocess.run(self.command('--world', self.world, *what), capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn('this run needs', done.stderr)


class Opening(WithServer):
    def test_what_waits_is_delivered_once_and_not_early(self):
        result = self.load('--due', 130, '--opens-in', 10, '--rate', 10, '--conversations', 2)
        self.assert_counts(result, due=130, conversations=2, delivered=130, delivered_twice=0, early=0)
        self.assertGreater(result['others_during_ms']['count'], 50)
        self.assertEqual(self.status()['held'], 130)


class Filled(WithServer):
    def test_envelopes_written_as_rows_are_delivered_like_the_servers_own(self):
        self.load('--prepare', '--closed', 1, '--world', self.world)
        self.assertEqual(self.server.stop(), 0)
        subprocess.run([BIN / 'bench-fill', self.server.database, '60', '500'], check=True, timeout=60)
        self.server.start()
        self.assertEqual(self.status()['envelopes_kept'], 60)
        result = self.load('--world', self.world, '--due', 40, '--opens-in', 8)
        self.assert_counts(result, delivered=40, early=0)
        until = time.monotonic() + 10
        while self.status()['envelopes_kept'] and time.monotonic() < until:
            time.sleep(0.1)
        self.assertEqual(self.status()['envelopes_kept'], 0)            # all 100 were offered and acknowledged
        self.assertEqual(self.server.read_copy('SELECT sum(undelivered_messages), sum(undelivered_bytes) FROM accounts'), (0, 0))


if __name__ == '__main__':
    unittest.main(verbosity=2)

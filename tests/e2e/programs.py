"""The programs as other programs drive them: one server, any number of homes, each call a process of its own.

Standard library only. Nothing here knows what a message is; demo.py, serve.py and the end to end tests do. Every wait has
a bound, everything listens on loopback only, and only processes that were started here are ever signalled.
"""
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get('INTERLUDE_BIN_DIR', ROOT / 'build/bin'))
PLAIN = os.environ | {'NO_COLOR': '1', 'LC_ALL': 'C.UTF-8'}


class Failed(Exception):
    """What did not hold, in words for a person."""


def loopback_name():
    """'localhost' where it means 127.0.0.1 (a bare chroot may not know it), else the address."""
    try:
        found = socket.getaddrinfo('localhost', 1, socket.AF_INET, socket.SOCK_STREAM)
        if any(entry[4][0] == '127.0.0.1' for entry in found):
            return 'localhost'
    except OSError:
        pass
    return '127.0.0.1'


class Server:
    """An interluded with throw-away certificates and an SQLite store, all in one folder."""

    def __init__(self, folder, port=0, settings=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.settings = list(settings)
        self.environment = {}       # beyond ours
        self.name = loopback_name()
        self.process = None
        self.diagnostics = self.folder / 'diagnostics.log'
        self.socket = self.folder / 'admin.socket'
        if not (self.folder / 'pki/server.pem').exists():
            subprocess.run([ROOT / 'certs/make-dev-pki', self.folder / 'pki', 'localhost', '127.0.0.1', '::1'],
                           check=True, timeout=30)
        self.ca = self.folder / 'pki/ca.pem'
        self.config = self.folder / 'interluded.toml'
        self.config.write_text(f'server_name = "{self.name}"\n'
                               '[tls]\ncertificate = "pki/server.pem"\nkey = "pki/server.key"\n'
                               '[store]\nurl = "sqlite:interlude.db"\n'
                               '[log]\nkey = "log.key"\n'
                               '[admin]\nsocket = "admin.socket"\n', encoding='utf-8')
        self.database = self.folder / 'interlude.db'

    def read_copy(self, query):
        """First row of the query. The live store belongs to the server alone, so a copy of its files is opened."""
        with tempfile.TemporaryDirectory() as folder:
            for suffix in ('', '-wal'):
                shutil.copy(f'{self.database}{suffix}', f'{folder}/copy.db{suffix}')
            with closing(sqlite3.connect(f'{folder}/copy.db')) as database:
                return database.execute(query).fetchone()

    def start(self, timeout=20, detached=False):
        """Waits for 'interluded ready https://NAME:PORT'; the port stays the same over later starts."""
        self.begin(detached)
        return self.await_ready(timeout)

    def begin(self, detached=False):
        command = [BIN / 'interluded', '--config', self.config, '--set', f'listen=["127.0.0.1:{self.port}"]']
        for setting in self.settings:
            command += ['--set', setting]
        log = open(self.diagnostics, 'ab')
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                        start_new_session=detached, env=os.environ | self.environment)
        log.close()

    def await_ready(self, timeout=20):
        line = self._first_line(timeout)
        if not line.startswith('interluded ready https://'):
            status = self.process.poll()
            self.kill()
            raise Failed(f'interluded did not become ready in {timeout} s'
                         + (f' (exit {status})' if status is not None else '') + f':\n{self.last_words()}')
        self.port = int(line.rsplit(':', 1)[1])
        return line

    def _first_line(self, timeout):
        os.set_blocking(self.process.stdout.fileno(), False)
        text, until = b'', time.monotonic() + timeout
        while b'\n' not in text and time.monotonic() < until:
            chunk = self.process.stdout.read()
            text += chunk or b''
            if not chunk:
                if self.process.poll() is not None:
                    break
                time.sleep(0.01)
        return text.decode(errors='replace').split('\n')[0].strip()

    def last_words(self, lines=8):
        if not self.diagnostics.exists():
            return '(it said nothing)'
        return '\n'.join(self.diagnostics.read_text(errors='replace').splitlines()[-lines:])

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """SIGKILL: no goodbye, nothing flushed."""
        if self.process:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.process.stdout.close()
            self.process = None

    def stop(self, timeout=15):
        """SIGTERM: drains. Returns the exit code; kills what does not go."""
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.kill()

    def operator(self, *verb, as_json=True, timeout=20):
        """interludectl; the last JSON object, or its text."""
        command = [BIN / 'interludectl', '--socket', self.socket, *(['--json'] if as_json else []), *verb]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if done.returncode:
            raise Failed(f'interludectl {" ".join(verb)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}')
        return json.loads(done.stdout.splitlines()[-1]) if as_json else done.stdout


class Answer:
    """One finished verb: exit code, objects (with --json), and the text as a person sees it."""

    def __init__(self, verb, code, out, err, as_json):
        self.verb, self.code, self.out, self.err = verb, code, out, err
        self.objects = []
        for line in out.splitlines() if as_json else []:
            try:
                self.objects.append(json.loads(line))
            except ValueError:
                raise Failed(f'interlude --json {verb[0]} printed a line that is no JSON object: {line[:120]}') from None

    def of(self, kind):
        return [each for each in self.objects if each.get('type') == kind]

    def reason(self):
        return '; '.join(each.get('text', '') for each in self.of('error')) or (self.err or self.out).strip()


class Person:
    """One home. Each call is an `interlude` process of its own."""

    def __init__(self, name, home, ca=None, timeout=20):
        self.name, self.home, self.ca, self.timeout = name, Path(home), ca, timeout

    def command(self, *verb, as_json=True):
        return [BIN / 'interlude', '--home', self.home, '--timeout', str(self.timeout), *(['--json'] if as_json else []),
                *(['--ca', self.ca] if self.ca else []), *verb]

    def run(self, *verb, as_json=True, stdin=None, timeout=None):
        """Whatever the exit code is."""
        try:
            done = subprocess.run(self.command(*verb, as_json=as_json), input=stdin, capture_output=True, text=True,
                                  timeout=timeout or self.timeout + 10, env=PLAIN,
                                  **({} if stdin is not None else {'stdin': subprocess.DEVNULL}))
        except subprocess.TimeoutExpired:
            raise Failed(f'interlude {verb[0]} of {self.name} did not end') from None
        return Answer(verb, done.returncode, done.stdout, done.stderr, as_json)

    def ask(self, *verb, **more):
        """Exit 0, or Failed."""
        answer = self.run(*verb, **more)
        if answer.code:
            raise Failed(f'interlude {" ".join(map(str, verb[:2]))} of {self.name}: exit {answer.code}: {answer.reason()}')
        return answer

    def begin(self, *verb):
        """A process that goes on (watch); the caller ends it."""
        return subprocess.Popen(self.command(*verb), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=PLAIN)

#!/usr/bin/python3
"""demo_test.py none|SABOTAGE: the demo holds when nothing is broken, and names the right scene when something is."""
import subprocess
import sys
from pathlib import Path

from sabotage import NAMED_BY

name = sys.argv[1]
command = ['/usr/bin/python3', Path(__file__).with_name('demo.py')] + ([] if name == 'none' else ['--sabotage', name])
done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=140)
print(done.stdout)
if name == 'none':
    sys.exit(done.returncode)
verdict = [line for line in done.stdout.splitlines() if line.startswith('Scene ')]
if done.returncode != 1 or len(verdict) != 1 or f': {NAMED_BY[name]}.' not in verdict[0]:
    sys.exit(f'sabotage {name}: exit {done.returncode}, {verdict or "no scene named"}; expected 1 and "{NAMED_BY[name]}"')

#!/usr/bin/python3
"""The systemd unit stays hardened: systemd's own rating of its exposure is at most 1.1, and no line of it is unknown."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

UNIT = Path(__file__).resolve().parents[2] / 'deploy/interluded.service'
EXPOSURE_MAX = 1.1

if not shutil.which('systemd-analyze'):
    print('systemd-analyze is not here: not looked at')
    sys.exit(77)                                                       # ctest shows it as skipped
rating = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager', UNIT], capture_output=True, text=True)
match = re.search(r'Overall exposure level for .*: ([0-9.]+)', rating.stdout)
if not match:
    print('systemd-analyze gives no rating (too old?): not looked at\n' + rating.stderr)
    sys.exit(77)
verified = subprocess.run(['systemd-analyze', 'verify', '--man=no', UNIT], capture_output=True, text=True)
unknown = [line for line in verified.stderr.splitlines() if re.search(r'Unknown|Failed to parse|Invalid', line) and UNIT.name in line]
print(match.group(), *unknown, sep='\n')
sys.exit(0 if float(match.group(1)) <= EXPOSURE_MAX and not unknown else 1)

#!/usr/bin/python3
"""The server cannot open a message because the code that could is not in it: nm shows no interlude::mls:: symbol.

    no_mls_symbol.py BIN_DIR

The same look at `interlude`, which must have such symbols, shows that the look can see any.
"""
import re
import subprocess
import sys
from pathlib import Path


def mls_symbols(program):
    listing = subprocess.run(['nm', '-C', program], check=True, capture_output=True, text=True).stdout
    if 'interlude::' not in listing:
        sys.exit(f'{program}: nm shows no symbol of ours (stripped?), so this look proves nothing')
    return [line for line in listing.splitlines() if re.search(r'\binterlude::mls::', line)]


folder = Path(sys.argv[1])
if not mls_symbols(folder / 'interlude'):
    sys.exit('interlude shows no interlude::mls:: symbol either: this look is blind')
found = [line for program in ('interluded', 'interludectl') for line in mls_symbols(folder / program)]
print('\n'.join(found) or 'no interlude::mls:: symbol in interluded and interludectl')
sys.exit(1 if found else 0)

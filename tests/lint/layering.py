#!/usr/bin/python3
"""Who may include and link whom, read from the sources and checked against one table.

    layering.py [ROOT]        every breach as 'file:line: what', exit 1 if there is one
    layering.py --table       the table, as docs/ARCHITECTURE.md shows it

Three questions: does an #include climb to a floor it may not know; does the CMake link graph say the same; and does a
folder that promises to be pure, or free of somebody's headers, keep that promise. layering_test.py plants breaches.
"""
import re
import sys
from pathlib import Path

# folder -> the folders it may include from, beside itself. FLOOR may be included from everywhere.
FLOOR = ['common/base', 'common/bytes']
C = {name: f'common/{name}' for name in 'crypto mls_framing mls identity schedule audit wire'.split()}
S = {name: f'server/{name}' for name in 'core ports service net runtime'.split()}
SERVER_SEES = [C[name] for name in 'wire schedule audit identity mls_framing'.split()]   # all of common but mls, crypto
ALL_COMMON = list(C.values())
MAY = {
    'common/base': [],
    'common/bytes': [],
    'common/crypto': [],
    'common/mls_framing': [C['crypto']],
    'common/mls': [C['mls_framing'], C['crypto']],
    'common/identity': [C['crypto']],
    'common/schedule': [],
    'common/audit': [C['crypto']],
    'common/wire': [C['mls_framing'], C['schedule'], C['audit'], C['identity']],
    'server/core': SERVER_SEES + [C['crypto']],           # it verifies signatures and derives salts; it opens nothing
    'server/ports': [S['core']] + SERVER_SEES,
    'server/service': [S['ports'], S['core'], C['crypto']] + SERVER_SEES,   # the sequencer signs checkpoints
    'server/store/memory': [S['ports'], S['core'], S['runtime'], C['crypto']] + SERVER_SEES,
    'server/store/sqlite': [S['ports'], S['core'], S['runtime'], C['crypto']] + SERVER_SEES,  # draws an instance id
    'server/runtime': [S['ports'], S['core']],               # the clock feeds core's ServerTime
    'server/net': [S['service'], S['ports'], S['core'], C['wire']],
    'server/app': [*S.values(), 'server/store/memory', 'server/store/sqlite', C['crypto']] + SERVER_SEES,
    'client-cli/engine': ALL_COMMON,
    'client-cli/vault': ['client-cli/engine'] + ALL_COMMON,
    'client-cli/net': ['client-cli/engine'] + ALL_COMMON,
    'client-cli/ui': ['client-cli/engine', 'client-cli/vault', 'client-cli/net'] + ALL_COMMON,
    'client-cli': ['client-cli/ui', 'client-cli/engine', 'client-cli/vault', 'client-cli/net'] + ALL_COMMON,
}
MODULES = {'client_net': 'client-cli/net'} | {      # CMake's name of a folder, where it is not the last part of the path
    folder.rsplit('/', 1)[-1] if '/store/' not in folder else 'store_' + folder.rsplit('/', 1)[-1]: folder
    for folder in MAY if folder not in ('client-cli', 'client-cli/net')}

PURE = [folder for folder in MAY if folder.startswith('common/')] + ['server/core', 'client-cli/engine']
NETS = ['server/net', 'client-cli/net']

# A third-party header (regular expression on its name) and the folders that may include it.
OWNED = [
    (r'sodium(\.h|/)', ['common/crypto']),
    (r'openssl/', ['common/crypto'] + NETS),                          # in net: the types of TLS only
    (r'sqlite3\.h', ['server/store/sqlite', 'client-cli/vault']),
    (r'boost/beast', NETS),
    (r'boost/asio/ssl', NETS),
    (r'boost/asio', ['server/ports', 'server/service', 'server/store/memory', 'server/store/sqlite', 'server/runtime',
                     'server/app', 'client-cli/ui', 'client-cli'] + NETS),
    (r'date/', ['common/schedule']),
    # Generated classes go no further than their codec; what people write (Content) is the apps' and not the server's.
    (r'content\.pb\.h', ['client-cli/engine']),
    (r'google/protobuf/|.*\.pb\.h', ['common/wire', 'client-cli/engine']),
    (r'toml\+\+', ['server/app']),
    (r'histedit\.h|editline/', ['client-cli/ui']),
    (r'qrencode\.h', ['client-cli/ui', 'server/app']),                # both print invitations
    (r'systemd/', ['server/runtime', 'server/app']),
]
IMPURE_HEADERS = (r'thread|mutex|shared_mutex|condition_variable|future|stop_token|semaphore|latch|barrier|fstream|'
                  r'filesystem|iostream|cstdio|stdio\.h|ctime|time\.h|unistd\.h|fcntl\.h|sys/.*|netinet/.*|boost/asio.*')
IMPURE_CODE = [
    (r'::now\s*\(', 'reads a clock: time is an argument'),
    (r'\brandom_device\b|\bs?rand\s*\(\s*\)|\bmt19937', 'makes its own randomness: entropy is an argument'),
    (r'\bgetenv\s*\(', 'reads the environment'),
    (r'\b(randombytes_\w+|RAND_bytes|getrandom)\s*\(', 'draws from the system: entropy is an argument'),
    (r'\b(clock_gettime|gettimeofday|std::time|localtime|gmtime)\b', 'reads a clock: time is an argument'),
]
# The exceptions by name, each with its reason.
EXCUSED = {
    ('common/base/check.cpp', 'cstdio'): 'a broken invariant says so on stderr and aborts',
    ('common/schedule/zone_data.cpp', 'fstream'): 'the one place that reads the zone rules of the system',
}
ENTROPY = 'common/crypto/entropy.cpp'     # the one source of randomness, passed on as a value
# g++ 12 destroys the captures twice (GCC 107288): name the lambda first.
CAPTURE_IN_AWAIT = re.compile(r'co_await\b[^;{}]*?[(,]\s*\[[^\]\[]+\]\s*(?:\([^()]*\)\s*)?(?:mutable\s*)?(?:->[^{;]*)?\{')
# g++ 12 may resume a coroutine without its state when the condition of a statement awaits: name the result first.
CONDITION = re.compile(r'\b(?:if|while|switch)\s*(?:constexpr\s*)?\(')
BIG_HEADERS = re.compile(r'boost/(beast|asio/ssl(?!/error\.hpp))')          # the error codes of TLS alone are cheap
BIG_UNITS_MAX = 4
# Beside those.
BIG_TEST_UNITS = ['tests/bench/network.cpp', 'tests/bench/relay.cpp', 'tests/unit/net/http_test.cpp', 'tests/unit/net/server_test.cpp',
                  'tests/unit/net/tls_streams.hpp']

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)


def folder_of(path):
    """The longest folder of the table that holds `path`, or None."""
    parts = path.split('/')[:-1]
    while parts:
        if '/'.join(parts) in MAY:
            return '/'.join(parts)
        parts.pop()
    return None


def sources(root):
    for top in ('common', 'server', 'client-cli'):
        for path in sorted((root / top).rglob('*')):
            if path.suffix in ('.cpp', '.hpp'):
                yield path.relative_to(root).as_posix(), path.read_text(encoding='utf-8')


def without_comments(text):
    blank = lambda match: re.sub(r'[^\n]', ' ', match.group()) if match.group()[0] == '/' else '""'
    return COMMENT_OR_STRING.sub(blank, text)


def line_of(text, position):
    return text.count('\n', 0, position) + 1


def include_breaches(files):
    for path, text in files.items():
        folder = folder_of(path)
        if folder is None:
            yield f'{path}:1: this folder is not in the table of tests/lint/layering.py'
            continue
        for match in INCLUDE.finditer(text):
            header, where = match.group(2), f'{path}:{line_of(text, match.start())}'
            target = folder_of(header) if match.group(1) == '"' else None
            if target and target != folder and target not in MAY[folder] and target not in FLOOR:
                yield f'{where}: {folder} may not include {target} ({header})'
            if match.group(1) == '"' and not target and not header.endswith(('.pb.h', '.inc')):
                yield f'{where}: include from the root: "{header}"'
            for pattern, owners in OWNED:
                if re.match(pattern, header):
                    if folder not in owners:
                        yield f'{where}: {header} belongs to {", ".join(owners)}'
                    break
            if folder in PURE and re.fullmatch(IMPURE_HEADERS, header) and (path, header) not in EXCUSED:
                yield f'{where}: {folder} is pure and may not include <{header}>'


def condition_from(code, start):
    """The condition whose opening parenthesis is the last character before `start`."""
    depth = 1
    for at in range(start, len(code)):
        depth += {'(': 1, ')': -1}.get(code[at], 0)
        if depth == 0:
            return code[start:at]
    return code[start:]


def code_breaches(files):
    for path, text in files.items():
        code = without_comments(text)
        if folder_of(path) in PURE:
            for pattern, why in IMPURE_CODE:
                for match in re.finditer(pattern, code) if path != ENTROPY else ():
                    yield f'{path}:{line_of(code, match.start())}: {folder_of(path)} is pure, but {match.group().strip()} {why}'
        for match in CAPTURE_IN_AWAIT.finditer(code):
            yield f'{path}:{line_of(code, match.start())}: a capturing lambda inside a co_await expression (name it first)'
        for match in CONDITION.finditer(code):
            if 'co_await' in condition_from(code, match.end()):
                yield f'{path}:{line_of(code, match.start())}: co_await inside a condition (name the result first)'


def big_unit_breaches(files):
    """Beast and asio::ssl cost a minute each: at most four translation units may reach them through our headers."""
    reaches = {}

    def reach(path, trail=()):
        if path in reaches or path in trail or path not in files:
            return reaches.get(path, False)
        headers = [match.group(2) for match in INCLUDE.finditer(files[path])]
        reaches[path] = any(BIG_HEADERS.match(h) for h in headers) or any(reach(h, trail + (path,)) for h in headers)
        return reaches[path]

    units = [path for path in files if path.endswith('.cpp') and reach(path)]
    if len(units) > BIG_UNITS_MAX:
        yield f'{units[-1]}:1: {len(units)} units include Beast or asio::ssl, at most {BIG_UNITS_MAX} may: {", ".join(units)}'


def big_test_unit_breaches(root):
    """Tests that need them are named one by one. What a test reaches through headers of net/ is server/net's business."""
    for path in sorted((root / 'tests').rglob('*.?pp')):
        name = path.relative_to(root).as_posix()
        if name not in BIG_TEST_UNITS:
            text = path.read_text(encoding='utf-8')
            for match in INCLUDE.finditer(text):
                if BIG_HEADERS.match(match.group(2)):
                    yield f'{name}:{line_of(text, match.start())}: only {", ".join(BIG_TEST_UNITS)} may include {match.group(2)}'


def link_graph(root):
    """module -> (file, the modules it links), from interlude_module(... DEPS ...) and target_link_libraries(...)."""
    graph = {}
    for top in ('common', 'server', 'client-cli'):
        for path in sorted((root / top).rglob('CMakeLists.txt')):
            text = re.sub(r'#[^\n]*', '', path.read_text(encoding='utf-8'))
            where = path.relative_to(root).as_posix()
            for name, arguments in re.findall(r'interlude_module\s*\(\s*(\w+)([^)]*)\)', text):
                deps = re.search(r'\bDEPS\b(.*?)(?=\b(?:LIBS|SOURCES)\b|$)', arguments, re.S)
                graph.setdefault(name, (where, set()))[1].update(deps.group(1).split() if deps else [])
            for name, arguments in re.findall(r'target_link_libraries\s*\(\s*(\S+)([^)]*)\)', text):
                linked = re.findall(r'\binterlude_(\w+)', arguments)
                graph.setdefault(name.removeprefix('interlude_'), (where, set()))[1].update(linked)
    return graph


def link_breaches(graph):
    for module, (where, linked) in graph.items():
        folder = MODULES.get(module)
        for other in sorted(linked):
            target = MODULES.get(other)
            if folder and target and target != folder and target not in MAY[folder] and target not in FLOOR:
                yield f'{where}:1: {module} may not link {other}'
    for program, forbidden in (('interluded', 'mls'), ('interluded', 'engine'), ('interludectl', 'mls'), ('interlude', 'core'),
                               ('app', 'mls'), ('app', 'engine')):
        chain = path_to(graph, program, forbidden)
        if chain:
            yield f'{graph[program][0]}:1: {program} links {forbidden}, by {" -> ".join(chain)}'


def path_to(graph, start, goal, seen=()):
    for other in sorted(graph.get(start, ('', ()))[1]):
        if other == goal:
            return [start, other]
        if other not in seen:
            rest = path_to(graph, other, goal, (*seen, start))
            if rest:
                return [start, *rest]
    return None


def breaches(root):
    files = dict(sources(root))
    if not files:
        return ['no source was found: nothing was checked']
    return [*include_breaches(files), *code_breaches(files), *big_unit_breaches(files), *big_test_unit_breaches(root), *link_breaches(link_graph(root))]


def table():
    rows = []
    for folder, others in MAY.items():
        rows.append(f'{folder:<20}: {" ".join(other.removeprefix("common/") for other in others) or "-"}'.rstrip())
    return '\n'.join(rows)


def main(arguments):
    if arguments[:1] == ['--table']:
        print(table())
        return 0
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    found = breaches(root)
    print('\n'.join(found) if found else f'layering: {sum(1 for _ in sources(root))} files keep to the table')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

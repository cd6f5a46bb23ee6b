#!/usr/bin/python3
"""How much of each parser its tracked corpus reaches, in lines, as gcov counts them: `./dev fuzz --coverage`.

    coverage.py BUILD [--missing] [NAME ...]

BUILD is a tree of the preset coverage with the fuzz targets in it. Each target says what it is about in comment lines,

    // Parser: common/wire/codec.cpp common/audit/verify.cpp(encode_head,decode_head)

whole files, or the named functions of a file that is more than a parser. Lines `// Not reached: why` are shown below
the table. Only the files of tests/fuzz/corpus/NAME are played, nothing is mutated. Exit 1: a target is below 90 % or
names what is not there, or a parser that tests/lint/fuzzed.py lists is in no target's files, or is not run by it."""
import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lint"))
import fuzzed  # noqa: E402

PERCENT_MIN = 90


def not_reached(text):
    return re.findall(r"^// Not reached: (.+(?:\n//   .+)*)$", text, re.M)


def folder_of(file):
    return str(pathlib.PurePath(file).parent)


def simple_name(demangled):
    """`decode` of `interlude::base::Result<T> interlude::wire::decode<T>(...)`; a lambda has the name around it."""
    text = demangled.replace("(anonymous namespace)", "anonymous").replace("operator()", "call")
    text = re.sub(r"\[abi:\w+\]", "", text)
    shorter = re.sub(r"<[^<>]*>", "", text)
    while shorter != text:
        text, shorter = shorter, re.sub(r"<[^<>]*>", "", shorter)
    return re.split(r"[:\s*&]+", text.split("(")[0].strip())[-1]


class Counts:
    """What one run executed: per file its lines, and its functions with their lines."""

    def __init__(self):
        self.lines = {}      # file -> {line: executed}
        self.functions = {}  # file -> {(name, first line, last line): executed}

    def add(self, document):
        folder = pathlib.Path(document["current_working_directory"])
        for file in document["files"]:
            path = (folder / file["file"]).resolve()
            if not path.is_relative_to(ROOT):
                continue
            path = path.relative_to(ROOT).as_posix()
            lines = self.lines.setdefault(path, {})
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, False) or line["count"] > 0
            functions = self.functions.setdefault(path, {})
            for one in file["functions"]:
                key = (simple_name(one["demangled_name"]), one["start_line"], one["end_line"])
                functions[key] = functions.get(key, False) or one["execution_count"] > 0

    def of(self, file, names):
        """{line: executed} of the file or of its functions of these names, and the names that are not there."""
        lines = self.lines.get(file, {})
        if names is None:
            return lines, set() if lines else {"any line"}
        ranges = [(first, last) for name, first, last in self.functions.get(file, {}) if name in names]
        inside = {at: hit for at, hit in lines.items() if any(first <= at <= last for first, last in ranges)}
        return inside, names - {name for name, _, _ in self.functions.get(file, {})}


def play(build, name, folders):
    """Runs the target on its corpus and reads what gcov says of the objects in these folders and of its own."""
    for old in build.rglob("*.gcda"):
        old.unlink()
    run = subprocess.run([build / "bin" / f"fuzz_{name}", ROOT / "tests/fuzz/corpus" / name, "0"],
                         capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"fuzz_{name} failed on its own corpus: {run.stdout}{run.stderr}")
    within = [build / folder / "CMakeFiles" for folder in folders]
    data = [path for path in sorted(build.rglob("*.gcda"))
            if f"fuzz_{name}.dir" in path.parts or any(path.is_relative_to(one) for one in within)]
    told = subprocess.run(["gcov", "--json-format", "--stdout", "--demangled-names", *data],
                          capture_output=True, text=True, check=True)
    counts = Counts()
    for line in told.stdout.splitlines():
        counts.add(json.loads(line))
    return counts


def runs_of(lines):
    """Numbers as '3-5 9'."""
    runs = []
    for number in sorted(lines):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return " ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("build", type=pathlib.Path)
    options.add_argument("names", nargs="*")
    options.add_argument("--missing", action="store_true", help="list the lines that were not reached")
    chosen = options.parse_args()

    if wrong := list(fuzzed.breaches(ROOT)):
        sys.exit("\n".join(wrong))
    breaches, executed, rows, remarks = [], set(), [], []
    targets = {path.name.removesuffix("_fuzz.cpp"): path for path in sorted((ROOT / "tests/fuzz").glob("*_fuzz.cpp"))}
    for name in chosen.names or targets:
        text = targets[name].read_text(encoding="utf-8")
        named = fuzzed.named_parsers(text)
        counts = play(chosen.build.resolve(), name, {folder_of(file) for file in named})
        lines = covered = 0
        for file, functions in named.items():
            inside, absent = counts.of(file, functions)
            breaches += [f"tests/fuzz/{name}_fuzz.cpp: {file} has no {what} in this program" for what in sorted(absent)]
            lines, covered = lines + len(inside), covered + sum(inside.values())
            missed = [at for at, hit in inside.items() if not hit]
            if chosen.missing and missed:
                remarks.append(f"{name}: {file}: {runs_of(missed)}")
            executed |= {(folder_of(file), one) for (one, _, _), hit in counts.functions.get(file, {}).items()
                         if hit and (functions is None or one in functions)}
        percent = 100 * covered / lines if lines else 0
        if percent < PERCENT_MIN:
            breaches.append(f"{name}: the corpus reaches {percent:.1f} % of its parser, and should {PERCENT_MIN} %")
        rows.append((name, lines, covered, percent, " ".join(pathlib.PurePath(file).name for file in named)))
        remarks += [f"{name}: not reached: " + re.sub(r"\n//\s+", " ", why) for why in not_reached(text)]

    if not chosen.names:
        for parser, header in fuzzed.declared(ROOT):
            if parser not in fuzzed.OURS and (folder_of(header), parser) not in executed:
                breaches.append(f"{header}: {parser} reads foreign bytes, and no target names its file and runs it")
    print(f"{'target':<18} {'lines':>6} {'covered':>8} {'percent':>8}  files")
    for name, lines, covered, percent, files in rows:
        print(f"{name:<18} {lines:>6} {covered:>8} {percent:>8.1f}  {files}")
    print("\n".join(["", *remarks]) if remarks else "", *breaches, sep="\n")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())

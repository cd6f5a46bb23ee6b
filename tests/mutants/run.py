#!/usr/bin/env python3
"""Seeded bugs: each patch beside this file breaks one promise, and the ring that it names must notice.

    run.py [NAME ...]     these mutants, or all of them; exit 0 only if every one is caught
    run.py --check        only whether every patch applies to these sources and names a ring (seconds, no compiler)
    run.py --list         what each one breaks

A patch begins with one line that says what goes wrong, and `Ring: TARGET`, the GoogleTest program that must fail. Nothing of
this is in the product: a copy of the tracked files in build-mutants/ is patched, built, tested and mended again."""
import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TREE = ROOT / "build-mutants" / "src"
BUILD = TREE / "build"
RUN_SECONDS_MAX = 600          # a ring that takes longer hangs: that is noticed too


class Broken(Exception):
    """The mutant says nothing about the tests: it does not apply, or does not compile."""


@dataclasses.dataclass
class Mutant:
    name: str
    patch: pathlib.Path
    why: str
    ring: str
    files: list[str]


def read_mutants(names: list[str]) -> list[Mutant]:
    mutants = []
    for patch in sorted(HERE.glob("*.patch")):
        text = patch.read_text(encoding="utf-8")
        ring = re.search(r"^Ring: (\S+)$", text, re.MULTILINE)
        files = re.findall(r"^\+\+\+ b/(\S+)$", text, re.MULTILINE)
        if not ring or not files:
            raise Broken(f"{patch.name}: it names no ring or no file")
        mutants.append(Mutant(patch.stem, patch, text.splitlines()[0], ring[1], files))
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        raise Broken(f"there is no mutant called {', '.join(sorted(unknown))}; --list shows them")
    return [mutant for mutant in mutants if not names or mutant.name in names]


def git_apply(tree: pathlib.Path, mutant: Mutant, *options: str) -> None:
    # Not of the repository around it, whose paths begin elsewhere.
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(["git", "apply", *options, str(mutant.patch)], cwd=tree, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Broken(f"{mutant.name} does not apply any more: make it anew\n{done.stdout}")


# ---- the copy ------------------------------------------------------------------------------------------------------

def copy_if_changed(source: pathlib.Path, target: pathlib.Path) -> None:
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    os.utime(target)           # newer than what was built from the patched one


def copy_tree() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    tracked = {name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()}
    for name in tracked:
        copy_if_changed(ROOT / name, TREE / name)
    for old in TREE.rglob("*"):
        relative = old.relative_to(TREE)
        if old.is_file() and relative.parts[0] != "build" and str(relative) not in tracked:
            old.unlink()


def run(command: list[str], seconds: int | None = None) -> tuple[int | None, str]:
    """Exit code, or None if it took too long, and what it said."""
    environment = os.environ | {"CCACHE_BASEDIR": str(TREE), "CCACHE_NOHASHDIR": "1"}
    environment.setdefault("INTERLUDE_VECTORS", str(ROOT.parent / "shared" / "vectors"))
    try:
        done = subprocess.run(command, cwd=TREE, env=environment, text=True, errors="replace", timeout=seconds,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired as expired:
        said = expired.stdout or b""
        return None, said if isinstance(said, str) else said.decode(errors="replace")
    return done.returncode, done.stdout


def build(ring: str, jobs: str) -> None:
    code, said = run(["cmake", "--build", str(BUILD), "-j", jobs, "--target", ring])
    if code != 0:
        raise Broken(said[-3000:])


def noticed(ring: str) -> str | None:
    """What failed in the ring; None if all of it passes."""
    code, said = run([str(BUILD / "bin" / ring), "--gtest_fail_fast", "--gtest_color=no"], RUN_SECONDS_MAX)
    if code == 0:
        return None
    failed = re.findall(r"^\[  FAILED  \] ([^\s,]+)", said, re.MULTILINE)
    begun = re.findall(r"^\[ RUN      \] (\S+)", said, re.MULTILINE)
    if failed:
        return failed[0]
    how = "hangs" if code is None else "crashes"
    return f"{how} in {begun[-1]}" if begun else f"{how} at its start"


# ---- the verbs -----------------------------------------------------------------------------------------------------

def judge(mutant: Mutant, jobs: str) -> tuple[str, str]:
    try:
        git_apply(TREE, mutant)
        for name in mutant.files:
            os.utime(TREE / name)
        build(mutant.ring, jobs)
        by = noticed(mutant.ring)
        return ("caught", by) if by else ("SURVIVED", "")
    except Broken as problem:
        return "BROKEN", str(problem).strip().splitlines()[-1]
    finally:
        for name in mutant.files:
            copy_if_changed(ROOT / name, TREE / name)


def play(mutants: list[Mutant], jobs: str) -> int:
    copy_tree()
    code, said = run(["cmake", "--preset", "dev", "-DINTERLUDE_TESTS=ON"])
    if code != 0:
        raise Broken(said[-3000:])
    results = []
    for ring in sorted({mutant.ring for mutant in mutants}):
        build(ring, jobs)
        failing = noticed(ring)
        if failing:
            raise Broken(f"{ring} fails without any mutant, in {failing}: mend that first")
        for mutant in (one for one in mutants if one.ring == ring):
            began = time.monotonic()
            verdict, by = judge(mutant, jobs)
            results.append((mutant, verdict, by))
            print(f"{verdict:9} {mutant.name:28} {ring:18} {time.monotonic() - began:4.0f} s  {by}", flush=True)
    caught = sum(verdict == "caught" for _, verdict, _ in results)
    print(f"\n{caught} of {len(results)} mutants caught")
    for mutant, verdict, _ in results:
        if verdict != "caught":
            print(f"{verdict}: {mutant.name}: {mutant.why}")
    return 0 if caught == len(results) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--check", action="store_true", help="only whether the patches apply")
    parser.add_argument("--list", action="store_true", help="what each mutant breaks")
    parser.add_argument("--jobs", default=str(os.cpu_count()), help="parallel compilers")
    options = parser.parse_args()
    try:
        mutants = read_mutants(options.names)
        if options.list:
            for mutant in mutants:
                print(f"{mutant.name:28} {mutant.ring:18} {mutant.why}")
            return 0
        if options.check:
            for mutant in mutants:
                git_apply(ROOT, mutant, "--check")
            print(f"{len(mutants)} mutants apply")
            return 0
        return play(mutants, options.jobs)
    except Broken as problem:
        print(f"mutants: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Every parser of foreign bytes that a header declares is named by a fuzz target.

A parser is a function decode, or decode_*, parse_*, read_*, open_*, from_*, unwrap_*, hpke_open, that takes bytes or text
(ByteView, Bytes, string_view, string, Reader, a path) and gives a Result, an optional or a value. Usage: fuzzed.py ROOT."""
import pathlib
import re
import sys

# Reached through another parser, which must be named in its place; or not from outside, and why.
THROUGH = {
    "read_secret_tree": "Group::decode", "read_ratchet": "Group::decode", "read_tree_private": "Group::decode",
    "read_tree_private_leaf": "Group::glance",
    "read_epoch_secrets": "Group::decode", "read_leaf_index": "read_sender", "read_secret": "read_group_secrets",
    "read_bytes": "read_mls_message", "read_framed_content_auth_data": "read_authenticated_content",
    "open_group_secrets": "Group::join", "open_group_info": "Group::join", "open_external_init": "read_external_init",
    "read_span": "decode_schedule_document",
    "read_id": "decode_client_frame", "read_sized": "decode_client_frame",
}
OURS = {
    "read_key_file": "a file of 64 hex digits that is read by from_hex, after its mode was judged",
    "read_certificate": "the operator's own file, read by OpenSSL's PEM reader",
}
NAME = r"decode|(?:decode|parse|read|open|from|unwrap)_\w+|hpke_open"
DECLARATION = re.compile(rf"(?<![\w.>])(?:[\w:<>,&*\s]+?[\s>&])?\b({NAME})\(([^()]*(?:\([^()]*\)[^()]*)*)\)\s*(?:const)?\s*(?:;|\{{)")
FOREIGN = re.compile(r"ByteView|Bytes const&|string_view|std::string const&|Reader&|vector<std::string> const&|filesystem::path const&")
COMMENT = re.compile(r"//[^\n]*")


def declared(root):
    """(name, where) of every parser in a header."""
    for folder in ("common", "server", "client-cli"):
        for header in sorted((root / folder).rglob("*.hpp")):
            text = COMMENT.sub("", header.read_text(encoding="utf-8"))
            for match in DECLARATION.finditer(text):
                line_start = text.rfind("\n", 0, match.start(1)) + 1
                before = text[line_start:match.start(1)]
                if "return" in before or "=" in before or not before.strip():
                    continue  # a call
                if FOREIGN.search(match[2]):
                    yield match[1], f"{header.relative_to(root)}"


def named_parsers(text):
    """{file: names of its functions, or None for all of it}, of a target's lines `// Parser: FILE FILE(function,function)`."""
    named = {}
    for line in re.findall(r"^// Parser: (.+)$", text, re.M):
        for file, functions in re.findall(r"([\w./-]+)(?:\(([\w,]+)\))?", line):
            named[file] = (named.get(file) or set()) | set(functions.split(",")) if functions else None
    return named


def breaches(root):
    targets = "\n".join(path.read_text(encoding="utf-8") for path in sorted((root / "tests/fuzz").glob("*_fuzz.cpp")))
    named = lambda name: re.search(rf"(?<!\w){re.escape(name)}(?!\w)", targets)
    seen = set()
    for name, where in declared(root):
        seen.add(name)
        if name not in OURS and not named(THROUGH.get(name, name)):
            yield f"{where}: {name} reads foreign bytes, and no target in tests/fuzz names {THROUGH.get(name, name)}"
    for target in sorted((root / "tests/fuzz").glob("*_fuzz.cpp")):
        parsers = named_parsers(target.read_text(encoding="utf-8"))
        if not parsers:
            yield f"{target.relative_to(root)}: no line '// Parser: FILE ...' says what it is about"
        for file in parsers:
            if not (root / file).is_file():
                yield f"{target.relative_to(root)}: there is no {file}"
        corpus = root / "tests/fuzz/corpus" / target.name.removesuffix("_fuzz.cpp")
        if not corpus.is_dir() or not any(corpus.iterdir()):
            yield f"{target.relative_to(root)}: has no seed in {corpus.relative_to(root)}"
    if len(seen) < 5:
        yield f"only {len(seen)} parsers found in the headers: this test looks at nothing"


if __name__ == "__main__":
    found = list(breaches(pathlib.Path(sys.argv[1])))
    print("\n".join(found))
    sys.exit(1 if found else 0)

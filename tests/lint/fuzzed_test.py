#!/usr/bin/python3
"""Shows that fuzzed.py can fail: a parser that no target drives is named, in this very tree with one line more."""
import tempfile
import unittest
from pathlib import Path

import fuzzed

TARGETS = {
    'tests/fuzz/all_fuzz.cpp': '// decode_a decode_b parse_c read_d from_e\n// Parser: common/a/a.hpp(decode_a,parse_c)\n',
    'tests/fuzz/corpus/all/one': 'x',
    'common/a/a.hpp': 'Result<A> decode_a(bytes::ByteView from);\nResult<B> decode_b(ByteView from);\n'
                      'Result<C> parse_c(std::string_view text);\nResult<D> read_d(Reader& from);\n'
                      'std::optional<Bytes> from_e(std::string_view text);\n',
}


class Planted(unittest.TestCase):
    def found(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (TARGETS | files).items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding='utf-8')
            return list(fuzzed.breaches(Path(folder)))

    def test_a_driven_tree_has_no_breach(self):
        self.assertEqual(self.found({}), [])

    def test_a_planted_parser_is_named(self):
        for planted in ('Result<X> decode_x(bytes::ByteView from);', 'Result<X> parse_x(\n    std::string_view text);',
                        'struct X { static base::Result<X> read_x(bytes::Reader& from); };',
                        'std::optional<X> from_x(std::string const& text) {'):
            found = self.found({'server/net/x.hpp': planted})
            self.assertEqual(len(found), 1, planted)
            self.assertIn('server/net/x.hpp', found[0])

    def test_a_call_and_a_comment_are_no_parser(self):
        self.assertEqual(self.found({'common/x.hpp': 'auto a = decode_x(ByteView(b));\nreturn parse_y(std::string_view(c));\n'
                                                     '// Result<X> decode_z(ByteView from);\n'}), [])

    def test_a_target_without_seed_is_named(self):
        self.assertEqual(len(self.found({'tests/fuzz/new_fuzz.cpp': '// Parser: common/a/a.hpp'})), 1)

    def test_a_target_about_nothing_is_named(self):
        for about in ('', '// Parser: common/a/gone.cpp'):
            found = self.found({'tests/fuzz/new_fuzz.cpp': about, 'tests/fuzz/corpus/new/one': 'x'})
            self.assertEqual(len(found), 1, about)
            self.assertIn('tests/fuzz/new_fuzz.cpp', found[0])


if __name__ == '__main__':
    unittest.main()

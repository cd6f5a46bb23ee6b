#!/usr/bin/python3
"""Shows that layering.py can fail: each test plants one breach in a small tree and expects it to be named."""
import tempfile
import unittest
from pathlib import Path

import layering

ROOT = Path(__file__).resolve().parents[2]


class Planted(unittest.TestCase):
    def found(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in ({'common/base/errc.hpp': '#pragma once\n'} | files).items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding='utf-8')
            return layering.breaches(Path(folder))

    def names(self, files, *words):
        found = self.found(files)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_a_clean_tree_has_no_breach(self):
        self.assertEqual(self.found({
            'common/crypto/hash.cpp': '#include <sodium.h>\n#include "common/bytes/bytes.hpp"\n',
            'common/crypto/CMakeLists.txt': 'interlude_module(crypto DEPS bytes base LIBS PkgConfig::SODIUM)',
            'server/core/gate.cpp': '// asks nobody what ::now() is\n#include "common/schedule/calendar.hpp"\n',
        }), [])

    def test_an_empty_tree_is_not_a_clean_one(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(layering.breaches(Path(folder)))

    def test_the_server_including_mls_is_named(self):
        self.names({'server/core/gate.cpp': '\n#include "common/mls/group.hpp"\n'}, 'server/core/gate.cpp:2', 'common/mls')

    def test_common_including_the_server_is_named(self):
        self.names({'common/wire/codec.cpp': '#include "server/core/types.hpp"\n'}, 'common/wire', 'server/core')

    def test_a_service_including_the_network_is_named(self):
        self.names({'server/service/relay.cpp': '#include "server/net/link.hpp"\n'}, 'server/service', 'server/net')

    def test_mls_framing_including_mls_is_named(self):
        self.names({'common/mls_framing/outer.cpp': '#include "common/mls/group.hpp"\n'}, 'may not include common/mls')

    def test_an_unknown_folder_is_named(self):
        self.names({'server/utils/helpers.cpp': ''}, 'server/utils', 'not in the table')

    def test_a_test_that_includes_beast_without_being_listed_is_named(self):
        self.names({'tests/unit/net/link_test.cpp': '\n#include <boost/beast/websocket.hpp>\n'}, 'tests/unit/net/link_test.cpp:2',
                   'boost/beast/websocket.hpp')
        self.assertEqual(self.found({layering.BIG_TEST_UNITS[0]: '#include <boost/beast/websocket.hpp>\n'}), [])

    def test_an_include_beside_itself_is_named(self):
        self.names({'server/core/gate.cpp': '#include "gate.hpp"\n'}, 'from the root')

    def test_foreign_headers_are_kept_where_they_belong(self):
        for path, header in (('common/audit/note.cpp', 'sodium.h'), ('common/mls/group.cpp', 'openssl/evp.h'),
                             ('server/service/relay.cpp', 'boost/beast/core.hpp'), ('server/store/memory/store.cpp', 'sqlite3.h'),
                             ('server/app/wiring.cpp', 'boost/asio/ssl.hpp'), ('client-cli/ui/hours.cpp', 'date/tz.h'),
                             ('server/service/relay.cpp', 'interlude.pb.h'), ('server/app/wiring.cpp', 'content.pb.h')):
            with self.subTest(path=path):
                self.names({path: f'#include <{header}>\n'}, header, 'belongs to')

    def test_a_pure_folder_with_a_thread_a_file_a_clock_or_dice_is_named(self):
        for text in ('#include <thread>', '#include <mutex>', '#include <fstream>', '#include <filesystem>',
                     'auto t = std::chrono::system_clock::now();', 'std::random_device dice;', 'auto* p = std::getenv("HOME");', 'randombytes_buf(p, 4);'):
            for folder in ('server/core', 'common/wire', 'client-cli/engine'):
                with self.subTest(text=text, folder=folder):
                    self.names({f'{folder}/x.cpp': text + '\n'}, 'pure')

    def test_asio_in_a_pure_folder_is_named(self):
        self.assertTrue(self.found({'server/core/x.cpp': '#include <boost/asio/awaitable.hpp>\n'}))

    def test_a_capturing_lambda_inside_co_await_is_named(self):
        self.names({'server/net/link.cpp': 'co_await\n  asio::co_spawn(io, [&link] { return run(link); }, asio::use_awaitable);'},
                   'server/net/link.cpp:1', 'lambda')
        self.names({'server/net/link.cpp': 'co_await store.accept(request, [facts = move(f)](auto& x) -> int { return 1; });'}, 'lambda')
        self.assertEqual(self.found({'server/net/link.cpp': 'auto work = [&link] { return 1; };\nco_await run(work, table[i]);'}), [])

    def test_co_await_inside_a_condition_is_named(self):
        for text in ('if (co_await append(batch(1))) more = true;', 'while (!stopped && co_await link.next()) {}',
                     'switch (\n  co_await kind()) {}'):
            with self.subTest(text=text):
                self.names({'server/service/x.cpp': text}, 'server/service/x.cpp:1', 'condition')
        self.assertEqual(self.found({'server/service/x.cpp': 'if (due(now)) co_await store.expire(f(1));'}), [])

    def test_a_fifth_unit_with_beast_is_named(self):
        files = {'server/net/stream.hpp': '#include <boost/beast/websocket.hpp>\n'}
        files |= {f'server/net/unit{i}.cpp': '#include "server/net/stream.hpp"\n' for i in range(4)}
        self.assertEqual(self.found(files), [])
        self.names(files | {'client-cli/net/link.cpp': '#include <boost/asio/ssl.hpp>\n'}, '5 units')

    def test_a_planted_link_is_named(self):
        self.names({'server/core/CMakeLists.txt': 'interlude_module(core DEPS wire net base)'}, 'core may not link net')
        self.names({'server/core/CMakeLists.txt': 'interlude_module(core DEPS wire)\ntarget_link_libraries(interlude_core PRIVATE interlude_engine)'},
                   'core may not link engine')

    def test_mls_reaching_the_server_by_a_detour_is_named(self):
        found = self.found({
            'common/identity/CMakeLists.txt': 'interlude_module(identity DEPS mls)',
            'server/app/CMakeLists.txt': 'interlude_module(app DEPS identity)\ntarget_link_libraries(interluded PRIVATE interlude_app)',
        })
        self.assertTrue(any('interluded links mls, by interluded -> app -> identity -> mls' in line for line in found), found)


class OurOwn(unittest.TestCase):
    def test_the_link_graph_of_the_checkout_was_really_read(self):
        graph = layering.link_graph(ROOT)
        self.assertIn('mls_framing', graph['wire'][1])
        self.assertIn('net', graph['app'][1])
        for module in set(layering.MODULES) - set(graph):
            self.fail(f'the table has {module}, but no CMakeLists.txt makes it')

    def test_every_excuse_is_still_needed(self):
        for path, header in layering.EXCUSED:
            self.assertIn(f'#include <{header}>', (ROOT / path).read_text(encoding='utf-8'), path)

    def test_the_architecture_page_shows_the_table(self):
        self.assertIn(layering.table(), (ROOT / 'docs/ARCHITECTURE.md').read_text(encoding='utf-8'))


if __name__ == '__main__':
    unittest.main()

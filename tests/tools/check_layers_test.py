#!/usr/bin/env python3
"""tools/check_layers.py finds each kind of offence, and nothing else."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECKER = pathlib.Path(__file__).parents[2] / "tools/check_layers.py"


class CheckLayers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("host/CMakeLists.txt", "collet_module(loop\n  SOURCES loop/a.cc\n  USES base\n  LINKS uv)\n")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def check(self):
        done = subprocess.run([sys.executable, CHECKER, self.root], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def assert_refused(self, path, text, *words):
        self.write(path, text)
        code, printed = self.check()
        self.assertEqual(code, 1)
        self.assertEqual(printed.count("\n"), 1, printed)
        for word in (path, *words):
            self.assertIn(word, printed)

    def test_what_points_down_passes(self):
        self.write("host/rpc/a.cc", '#include "rpc/a.h"\n#include "base/text.h"\n#include <vector>\n')
        self.write("host/plugin/a.cc", '#include "collet/plugin.h"\n#include "collet/ext/stream.h"\n#include "registry/item.h"\n')
        self.write("host/cli/a.cc", '#include "plugin/a.h"\n#include "protocol/a.h"\n')
        self.write("plugins/files/a.cc", "#include <collet/plugin.hpp>\n#include \"files/a.h\"\n")
        self.write("plugins/files/a.h", "")
        self.write("sdk/include/collet/plugin.hpp", "#include <collet/plugin.h>\n")
        self.write("tests/rpc/a_test.cc", '#include "rpc/a.h"\n#include "support/catch.h"\n')
        self.write("tests/clients/node_modules/x/utils.js", "\n" * 1000)
        self.assertEqual(self.check()[0], 0, self.check()[1])

    def test_an_include_upwards(self):
        self.assert_refused("host/base/a.cc", '\n#include "loop/loop.h"\n', ":2:", "loop/loop.h")

    def test_what_a_text_includes_is_no_business_of_its_file(self):
        text = '\nconst char* text = R"(\n#include "loop/loop.h"\n)";\n'
        self.write("host/base/a.cc", text)
        self.assertEqual(self.check()[0], 0, self.check()[1])
        self.assert_refused("host/base/a.cc", text + '#include "loop/loop.h"\n', ":5:", "loop/loop.h")

    def test_the_two_that_meet_in_the_registry(self):
        self.assert_refused("host/protocol/a.cc", '#include "plugin/host.h"\n', "plugin/host.h")

    def test_an_include_upwards_by_a_test(self):
        self.assert_refused("tests/base/a_test.cc", '#include "rpc/a.h"\n', "rpc/a.h")

    def test_the_sdk_beyond_the_plugin_module(self):
        self.assert_refused("host/registry/a.cc", "#include <collet/plugin.h>\n", "host/plugin")

    def test_the_c_plus_plus_layer_in_the_host(self):
        self.assert_refused("host/plugin/a.cc", "#include <collet/plugin.hpp>\n", "collet/plugin.hpp")

    def test_the_kit_is_for_everybody(self):
        self.write("host/base/a.h", '#include "collet/kit/result.hpp"\n')
        self.write("plugins/files/a.h", "#include <collet/kit/descriptor.hpp>\n")
        self.write("sdk/include/collet/http.hpp", "#include <collet/kit/text.hpp>\n")
        self.write("sdk/include/collet/kit/loop.hpp", "#include <collet/kit/text.hpp>\n#include <uv.h>\n")
        self.assertEqual(self.check()[0], 0, self.check()[1])

    def test_the_kit_that_reaches_into_the_sdk(self):
        self.assert_refused("sdk/include/collet/kit/a.hpp", "#include <collet/json.hpp>\n", "collet/json.hpp", "the kit")

    def test_a_plugin_that_reaches_into_the_host(self):
        self.assert_refused("plugins/echo/a.cc", '#include "base/json.h"\n', "base/json.h")

    def test_a_plugin_that_reaches_into_another(self):
        self.write("plugins/files/roots.h", "")
        self.assert_refused("plugins/sqlite/a.cc", '#include "files/roots.h"\n', "files/roots.h")

    def test_rooms_of_the_client_that_use_those_below_them(self):
        self.write("plugins/client/limits.h", "")
        self.write("plugins/client/plugin.cc", '#include "client/remote/a.h"\n')
        self.write("plugins/client/net/a.h", '#include "client/limits.h"\n#include "client/net/b.h"\n')
        self.write("plugins/client/remote/a.h", '#include "client/auth/a.h"\n#include "client/offer/a.h"\n')
        self.write("plugins/client/remote/CMakeLists.txt", "target_link_libraries(client_remote PUBLIC client_auth)\n")
        self.write("tests/plugins/client/offer/a_test.cc", '#include "client/offer/a.h"\n#include "client/mcp/a.h"\n')
        self.assertEqual(self.check()[0], 0, self.check()[1])

    def test_a_room_of_the_client_that_includes_one_above_it(self):
        self.assert_refused("plugins/client/net/a.cc", '\n#include "client/mcp/a.h"\n', ":2:", "no other room")

    def test_two_rooms_of_the_client_side_by_side(self):
        self.assert_refused("plugins/client/auth/a.cc", '#include "client/mcp/a.h"\n', "client/auth may include net")

    def test_a_test_of_a_room_that_includes_one_above_it(self):
        self.assert_refused("tests/plugins/client/offer/a_test.cc", '#include "client/remote/a.h"\n', "client/offer")

    def test_a_header_for_all_rooms_that_includes_one(self):
        self.assert_refused("plugins/client/limits.h", '#include "client/net/a.h"\n', "client/net/a.h")

    def test_a_room_nobody_planned(self):
        self.assert_refused("plugins/client/extra/a.cc", "", "client/extra")

    def test_a_room_of_the_client_that_links_one_above_it(self):
        links = "target_link_libraries(client_mcp PUBLIC client_auth)\n"
        self.assert_refused("plugins/client/mcp/CMakeLists.txt", links, "client_mcp", "client_auth")

    def test_a_module_nobody_planned(self):
        self.assert_refused("host/extra/a.cc", "", "host/extra")

    def test_a_link_upwards(self):
        self.assert_refused("host/CMakeLists.txt", "collet_module(base SOURCES a.cc USES loop)\n", "base", "loop")

    def test_a_long_file_and_one_of_just_the_permitted_length(self):
        self.write("host/base/short.cc", "\n" * 750)
        self.assert_refused("host/base/long.cc", "\n" * 751, "751 lines")

    def test_a_name_without_a_job(self):
        self.assert_refused("host/base/string_utils.h", "", "utils")


if __name__ == "__main__":
    unittest.main()

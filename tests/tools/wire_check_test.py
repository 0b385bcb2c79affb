"""wire_check finds what is wrong in a transcript, over stdio and HTTP. usage: wire_check_test.py WIRE_CHECK"""
import subprocess
import sys
import tempfile
import unittest

WIRE_CHECK = sys.argv.pop(1)
LINK = '{"content":[{"type":"resource_link","uri":"x:a","name":"a"}]}'  # since 2025-06-18


def check(transcript, **options):
    done = subprocess.run([WIRE_CHECK], input=transcript, capture_output=True, text=True, **options)
    return done.returncode, done.stdout, done.stderr


def call(id):
    return f'> {{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"x"}}}}\n'


def answer(id, result, before=""):
    return f'< {before}{{"jsonrpc":"2.0","id":{id},"result":{result}}}\n'


def initialize(version, session=""):
    sent = '> {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"%s"}}\n' % version
    return sent + session + answer(0, '{"protocolVersion":"%s","capabilities":{},'
                                      '"serverInfo":{"name":"s","version":"1"}}' % version)


@unittest.skipIf("there are no schemas" in check("")[1], "there are no schemas")
class Transcripts(unittest.TestCase):
    def refused(self, transcript):
        code, said, _ = check(transcript)
        count = int(said.splitlines()[-1].split()[0])
        self.assertEqual(code, 1 if count else 0)
        return count

    def test_stdio(self):
        for version, refused in (("2024-11-05", 1), ("2025-06-18", 0)):
            self.assertEqual(self.refused(initialize(version) + call(1) + answer(1, LINK)), refused)
        self.assertEqual(self.refused("< nonsense\n# a comment\n"), 0)
        self.assertEqual(self.refused("< {nonsense\n"), 1)

    def test_http_exchanges_have_the_revision_of_their_session_or_header(self):
        for version, refused in (("2025-03-26", 1), ("2025-11-25", 0)):
            opened = "> POST /mcp\n" + initialize(version, "< Mcp-Session-Id: s\n")
            again = "> POST /mcp\n> mcp-session-id: s\n> MCP-Protocol-Version: 2025-11-25\n"
            self.assertEqual(self.refused(opened + again + call(1) + answer(1, LINK, "data: ")), refused)
            self.assertEqual(self.refused(f"> POST /mcp\n> MCP-Protocol-Version: {version}\n" + call(1) +
                                          answer(1, LINK)), refused)

    def test_a_document_is_no_message(self):
        self.assertEqual(self.refused("> GET /card\n< {}\n"), 0)
        self.assertEqual(self.refused("> GET /mcp\n< data: {}\n< data: \n"), 1)


class Absent(unittest.TestCase):
    def test_where_there_are_no_schemas_it_says_so(self):
        with tempfile.TemporaryDirectory() as empty:
            code, said, warned = check("< {}\n", env={"COLLET_MCP_SCHEMA_DIR": empty})
        self.assertEqual(code, 0)
        self.assertIn("there are no schemas", said)
        self.assertIn(empty, warned)


if __name__ == "__main__":
    unittest.main()

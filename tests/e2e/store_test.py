"""What plugins keep in a file: it outlives the process, which has the file for itself."""
import json
import os
import signal
import stat

from peer import COLLET, Case, call, main, modern, run, subprocess, text_of


class Store(Case):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "kept.db"
        self.text = '[store]\nfile = "kept.db"\n'

    def call(self, tool, **arguments):
        return run("call", tool, "--config", self.config("keeper", text=self.text), "--args", json.dumps(arguments))

    def ask(self, server, tool, **arguments):
        with server.connect() as connection:
            return text_of(connection.ask_modern("tools/call", name=tool, arguments=arguments).message)

    def test_what_is_kept_outlives_a_server_that_is_killed(self):
        server = self.serve("keeper", text=self.text)
        self.assertEqual(self.ask(server, "put", key="a", value="one"), "0 1 none")
        self.assertEqual(self.ask(server, "append", stream="s", bytes="x"), "0 1")
        server.kill()
        server = self.serve("keeper", text=self.text)
        self.assertEqual(self.ask(server, "get", key="a"), "0 1 one")
        self.assertEqual(self.ask(server, "read", stream="s"), "0 0 1 1 1:x")
        self.assertEqual(self.ask(server, "append", stream="s", bytes="y"), "0 2")
        server.kill()
        self.assertEqual(self.call("get", key="a").stdout, "0 1 one\n")

    def test_what_is_kept_outlives_verbs_that_end_by_themselves(self):
        self.assertEqual(self.call("put", key="a", value="one").stdout, "0 1 none\n")
        self.assertEqual(self.call("put", key="a", value="two", version=1).stdout, "0 2 none\n")
        self.assertEqual(self.call("get", key="a").stdout, "0 2 two\n")
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual([file.name for file in self.folder.iterdir() if "kept" in file.name], ["kept.db"])

    def test_without_a_file_nothing_is_kept(self):
        self.text = ""
        self.call("put", key="a", value="one")
        self.assertEqual(self.call("get", key="a").stdout, "0 0 none\n")

    def test_a_second_process_is_told_who_has_it(self):
        server = self.serve("keeper", text=self.text)
        self.ask(server, "put", key="a", value="one")
        refused = f"cannot open the store {self.file}: another process has it open"
        for verb, code in ((["serve", "--listen=http://127.0.0.1:0"], 4), (["stdio"], 1), (["call", "get", "--args", "{}"], 1)):
            done = run(*verb, "--config", self.folder / "collet.toml", stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, code)
            self.assertIn(refused, done.stderr)
        self.assertEqual(run("list", "--config", self.folder / "collet.toml").returncode, 0)
        self.assertEqual(self.ask(server, "get", key="a"), "0 1 one")

    def test_a_file_that_cannot_be_used_is_named_with_the_reason(self):
        self.file.write_text("no database" * 1_000)
        self.assertIn(f"cannot open the store {self.file}: it is no SQLite database", self.call("get", key="a").stderr)
        self.text = '[store]\nfile = "none/kept.db"\n'
        self.assertIn(f"cannot open the store {self.folder}/none/kept.db: No such file", self.call("get", key="a").stderr)


main()

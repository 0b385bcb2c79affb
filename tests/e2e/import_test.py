"""What people have in other MCP clients comes into a configuration of ours, with their consent, and goes back out."""
import json
import os
import pty
import select
import subprocess

from peer import COLLET, TIMEOUT_S, Case, main, run

TOML = '# mine\n[remote.kept]\nurl = "http://127.0.0.1:1/mcp"'  # without a newline at its end
SERVERS = {
    "kept": {"url": "http://127.0.0.1:2/mcp"},
    "docs": {"command": "docs-server", "args": ["--token", "s3cr3t"], "env": {"KEY": "s3cr3t", "REF": "${DOCS_REF}"}},
}


class Import(Case):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "mcp.json"
        self.target = self.folder / "target.toml"
        self.file.write_text(json.dumps({"mcpServers": SERVERS}))

    def write(self, *arguments, **options):
        return run("import", self.file, "--write", self.target, *arguments, **options)

    def listed(self):
        """The target is a configuration that loads."""
        self.assertEqual(run("client-config", "--for", "zed", "-c", self.target).returncode, 0)
        return self.target.read_text()

    def on_terminal(self, *arguments, answer="", out=None):
        """Exit code and screen of a run whose stdin and stderr, and stdout unless it goes elsewhere, are a terminal."""
        here, there = pty.openpty()
        process = subprocess.Popen([COLLET, *arguments], stdin=there, stdout=out or there, stderr=there)
        os.close(there)
        os.write(here, answer.encode())
        screen = b""
        try:
            while select.select([here], [], [], TIMEOUT_S)[0]:
                screen += os.read(here, 4096)
        except OSError:  # how a terminal says that nobody is on it any more
            pass
        os.close(here)
        return process.wait(TIMEOUT_S), screen.decode().replace("\r\n", "\n")

    def test_tables_go_to_stdout(self):
        done = run("import", self.file)
        self.assertEqual(done.returncode, 0)
        self.assertIn('[remote.docs]\ncommand = "docs-server"\nargs = ["--token", "s3cr3t"]\n'
                      'env = { KEY = "s3cr3t", REF = "${env:DOCS_REF}" }\n', done.stdout)
        self.assertIn("misconfigured: docs: the environment variable DOCS_REF is not set", done.stderr)
        self.assertIn("runs KEY=*** REF=${env:DOCS_REF} docs-server --token ***", done.stderr.replace("'", ""))
        self.assertNotIn("s3cr3t", done.stderr)

    def test_no_secrets_on_screen(self):
        code, screen = self.on_terminal("import", self.file)
        self.assertEqual(code, 0)
        self.assertIn('env = { KEY = "***", REF = "${env:DOCS_REF}" }', screen)
        self.assertNotIn("s3cr3t", screen)

    def test_nothing_is_written_without_a_terminal_to_ask_on(self):
        self.target.write_text(TOML)
        done = self.write(stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("--yes", done.stderr)
        self.assertEqual(self.target.read_text(), TOML)

    def test_a_person_is_shown_what_will_run_and_asked(self):
        self.target.write_text(TOML)
        for answer in ("n\n", "\n", "\x04", "yess\n"):
            code, screen = self.on_terminal("import", self.file, "-w", self.target, answer=answer)
            self.assertEqual(code, 1, screen)
            self.assertLess(screen.index("docs-server"), screen.index("[y/N]"))
            self.assertNotIn("s3cr3t", screen)
            self.assertEqual(self.target.read_text(), TOML)
        code, screen = self.on_terminal("import", self.file, "-w", self.target, answer="y\n")
        self.assertEqual(code, 0, screen)
        self.assertIn("[remote.docs]", self.listed())

    def test_what_is_there_stays_and_a_second_import_adds_nothing(self):
        self.target.write_text(TOML)
        self.target.chmod(0o640)
        done = self.write("--yes")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("has a remote kept already", done.stderr)
        self.assertIn("others than you can read it", done.stderr)
        text = self.listed()
        self.assertTrue(text.startswith(TOML + "\n\n[remote.docs]\n"), text)
        self.assertNotIn("127.0.0.1:2", text)
        self.assertEqual(self.target.stat().st_mode & 0o777, 0o640)
        self.assertIn("nothing to add", self.write("--yes").stderr)
        self.assertEqual(self.target.read_text(), text)

    def test_a_new_configuration_is_for_its_owner_only(self):
        self.assertEqual(self.write("--yes").returncode, 0)
        self.assertEqual(self.target.stat().st_mode & 0o777, 0o600)
        self.assertIn("[remote.kept]", self.listed())

    def test_a_link_stays_a_link(self):
        real = self.folder / "real.toml"
        real.write_text(TOML)
        self.target.symlink_to(real)
        self.assertEqual(self.write("--yes").returncode, 0)
        self.assertTrue(self.target.is_symlink())
        self.assertIn("[remote.docs]", real.read_text())

    def test_a_configuration_that_cannot_take_it_is_left_alone(self):
        for text, word in (("[server]\nlistn = []\n", "listen"), ('remote = { a = { url = "http://h" } }\n', "target.toml:"),
                           ("a = [", ":1:"), ("#" * (1 << 20), "bytes")):
            self.target.write_text(text)
            done = self.write("--yes")
            self.assertEqual((done.returncode, done.stdout), (1, ""), text[:40])
            self.assertIn(word, done.stderr)
            self.assertEqual(self.target.read_text(), text)
        self.target.unlink()
        self.target.mkdir()
        self.assertEqual(self.write("--yes").returncode, 1)

    def test_one_bad_server_is_told_and_the_others_are_taken(self):
        self.file.write_text('{"mcpServers": {\n"bad": {"command": 7.5},\n"good": {"command": "x\\u001b[2K"}}}')
        done = self.write("--yes")
        self.assertEqual(done.returncode, 5)
        self.assertIn(f"{self.file}:2:20: left out: bad: ", done.stderr)
        self.assertIn(r"runs 'x\x1b[2K'", done.stderr)
        self.assertIn("[remote.good]", self.listed())

    def test_files_that_are_none(self):
        cases = {"deep.json": b"[" * 1_000_000, "nul.json": b'{"mcpServers":{"a\0":{}}}', "text": b"hello", "empty.json": b"",
                 "none.json": b"{}", "key.json": b'{"\x1b[2K":1,"\\u001b[2K":1}', "huge.json": b" " * ((4 << 20) + 1)}
        for name, content in cases.items():
            file = self.folder / name
            file.write_bytes(content)
            done = run("import", file)
            self.assertEqual((done.returncode, done.stdout), (1, ""), name)
            self.assertIn(name, done.stderr)
            self.assertNotIn("\x1b", done.stderr)
        (self.folder / "huge.json").write_bytes(b'{"servers":{}}'.ljust(4 << 20))
        self.assertEqual(run("import", self.folder / "huge.json").returncode, 0)
        self.assertEqual(run("import", self.folder / "gone.json").returncode, 1)


class ClientConfig(Case):
    def test_http_by_the_configuration(self):
        config = self.config(text='[server]\nlisten = ["http://0.0.0.0:9000"]\npath = "/x"\nname = "house"\n'
                                  'token = [{ name = "a", hash = "sha256:' + "0" * 64 + '" }]\n')
        done = run("client-config", "--for", "cursor", "-c", config)
        self.assertEqual(json.loads(done.stdout), {"mcpServers": {"house": {
            "url": "http://127.0.0.1:9000/x", "headers": {"Authorization": "Bearer ${env:COLLET_TOKEN}"}}}})
        self.assertIn("COLLET_TOKEN", done.stderr)
        done = run("client-config", "--for", "gemini", "-c", config, "--url", "https://h/mcp", "--name", "n")
        self.assertEqual(json.loads(done.stdout)["mcpServers"]["n"]["httpUrl"], "https://h/mcp")

    def test_wrong_usage(self):
        config = self.config(text='[server]\nlisten = ["unix:/tmp/s"]\n')
        for arguments, word in ((("--for", "emacs"), "vscode"), ((), "--for"), (("--for", "zed", "-c", config), "--url"),
                                (("--for", "claude-desktop", "--url", "http://h"), "--stdio"),
                                (("--for", "zed", "--url", "http://h", "--stdio"), "--url")):
            done = run("client-config", *arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""), arguments)
            self.assertIn(word, done.stderr)

    def test_the_command_that_it_prints_serves_us_as_a_remote(self):
        config = self.config("echo")
        exported = self.folder / "claude_desktop_config.json"
        exported.write_text(run("client-config", "--for", "claude-desktop", "-c", config).stdout)
        importing = self.folder / "importing.toml"
        self.assertEqual(run("import", exported, "-w", importing, "--yes").returncode, 0)
        server = self.serve(text=importing.read_text())
        server.logged(r"remote collet: \d+ tools")


if __name__ == "__main__":
    main()

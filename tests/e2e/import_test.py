"""What people have in other MCP clients comes into a configuration of ours, with their consent, and goes back out."""
import json
import os
import subprocess

from peer import COLLET, Case, main, on_terminal, run

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

    def test_tables_go_to_stdout(self):
        done = run("import", self.file)
        self.assertEqual(done.returncode, 0)
        self.assertIn('[remote.docs]\ncommand = "docs-server"\nargs = ["--token", "s3cr3t"]\n'
                      'env = { KEY = "s3cr3t", REF = "${env:DOCS_REF}" }\n', done.stdout)
        self.assertIn("misconfigured: docs: the environment variable DOCS_REF is not set", done.stderr)
        self.assertIn("runs KEY=*** REF=${env:DOCS_REF} docs-server --token ***", done.stderr.replace("'", ""))
        self.assertNotIn("s3cr3t", done.stderr)

    def test_no_secrets_on_screen(self):
        code, screen = on_terminal("import", self.file)
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
            code, screen = on_terminal("import", self.file, "-w", self.target, answer=answer)
            self.assertEqual(code, 1, screen)
            self.assertLess(screen.index("docs-server"), screen.index("[y/N]"))
            self.assertNotIn("s3cr3t", screen)
            self.assertEqual(self.target.read_text(), TOML)
        code, screen = on_terminal("import", self.file, "-w", self.target, answer="y\n")
        self.assertEqual(code, 8, screen)
        self.assertIn("[remote.docs]", self.listed())

    def test_what_is_there_stays_and_a_second_import_adds_nothing(self):
        self.target.write_text(TOML)
        self.target.chmod(0o640)
        done = self.write("--yes")
        self.assertEqual((done.returncode, done.stdout), (8, ""))
        self.assertIn("has another remote kept", done.stderr)
        self.assertIn("others than you can read it", done.stderr)
        text = self.listed()
        self.assertTrue(text.startswith(TOML + "\n\n[remote.docs]\n"), text)
        self.assertNotIn("127.0.0.1:2", text)
        self.assertEqual(self.target.stat().st_mode & 0o777, 0o640)
        again = self.write("--yes")
        self.assertIn("nothing to add", again.stderr)
        self.assertIn("has docs already", again.stderr)
        self.assertEqual(self.target.read_text(), text)

    def test_a_new_configuration_is_for_its_owner_only(self):
        self.assertEqual(self.write("--yes").returncode, 0)
        self.assertEqual(self.target.stat().st_mode & 0o777, 0o600)
        self.assertIn("[remote.kept]", self.listed())

    def test_a_link_stays_a_link(self):
        real = self.folder / "real.toml"
        real.write_text("# mine")
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

    def test_collet_does_not_become_its_own_remote(self):
        self.target.write_text("")
        for config, words in ((self.target, "is Collet itself"), (self.folder / "other.toml", "runs /opt/collet")):
            self.file.write_text(json.dumps({"mcpServers": {
                "me": {"command": "/opt/collet", "args": ["stdio", "--config", str(config)]}}}))
            done = self.write("--yes")
            self.assertEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
        self.assertEqual(self.listed().count("[remote."), 1)

    def test_one_bad_server_is_told_and_the_others_are_taken(self):
        self.file.write_text('{"mcpServers": {\n"bad": {"command": []},\n"good": {"command": "x\\u001b[2K"}}}')
        done = self.write("--yes")
        self.assertEqual(done.returncode, 8)
        self.assertIn(f"{self.file}:2:20: left out: bad: command is empty", done.stderr)
        self.assertIn(r"runs 'x\x1b[2K'", done.stderr)
        self.assertIn("[remote.good]", self.listed())

    def test_what_a_file_says_forges_no_line(self):
        forged = "[remote.other] runs nothing"
        self.file.write_text(json.dumps({
            "inputs": [{"id": "key", "description": f"a key\n{forged}"}],
            "servers": {"a": {"command": "x", "args": [f"a\n{forged}"], "env": {"K": "${input:key}"}},
                        f"b\n{forged}": {"command": "y", f"c\n{forged}": 1}}}))
        done = self.write("--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(forged, done.stderr)
        self.assertFalse([line for line in done.stderr.splitlines() if line.startswith("[remote.other]")], done.stderr)

    def test_files_that_are_none(self):
        cases = {"deep.json": b"[" * 1_000_000, "nul.json": b'{"mcpServers":{"a\0":{}}}', "text": b"hello", "empty.json": b"",
                 "none.json": b"{}", "key.json": b'{"mcpServers":{"a":{"\x1b[2K":[nul]}}}',
                 "huge.json": b'{"mcp":["' + b"x" * (5 << 20), "huge.toml": b"#" * ((4 << 20) + 1)}
        for name, content in cases.items():
            file = self.folder / name
            file.write_bytes(content)
            done = run("import", file)
            self.assertEqual((done.returncode, done.stdout), (1, ""), name)
            self.assertIn(name, done.stderr)
            self.assertNotIn("\x1b", done.stderr)
        self.assertEqual(run("import", self.folder / "gone.json").returncode, 1)

    def test_a_file_of_which_nothing_can_be_taken(self):
        self.file.write_text('{"mcpServers": {"bad": {"command": []}}}')
        self.assertEqual(self.write("--yes").returncode, 5)
        self.assertFalse(self.target.exists())

    def test_a_file_without_servers_says_so(self):
        self.file.write_text('{"mcpServers": {}}')
        done = run("import", self.file)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn(f"{self.file}:1:16: note: there are no servers in it", done.stderr)

    def test_another_server_of_the_same_name_is_not_lost_without_a_word(self):
        self.target.write_text(TOML)
        done = self.write("--yes")
        self.assertEqual(done.returncode, 8)
        self.assertIn("has another remote kept, which stays", done.stderr)

    def peak_bytes(self, pieces):
        """What the process took at most to import a file that it is handed piece by piece."""
        fifo = self.folder / "claude.json"
        os.mkfifo(fifo)
        reader = subprocess.Popen([COLLET, "import", fifo], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with open(fifo, "wb") as file:
            for piece in pieces:
                file.write(piece)
        printed = reader.stdout.read()
        reader.stdout.close()
        _, status, usage = os.wait4(reader.pid, 0)
        reader.returncode = os.waitstatus_to_exitcode(status)
        fifo.unlink()
        self.assertEqual(reader.returncode, 0)
        self.assertEqual(printed.count(b"[remote."), 1)
        return usage.ru_maxrss * 1024

    def test_a_history_of_250_megabytes_takes_no_memory(self):
        server = b'"mcpServers": {"docs": {"command": "docs-server"}}'
        entry = json.dumps({"display": "{\"mcpServers\": [" + "x" * 1000, "pastedContents": [None, {"a": 1}]}).encode()
        history = b",".join([entry] * 950)

        def project(number):
            return b'"/home/ada/%d": {"history": [%s], %s},' % (number, history, server)

        projects = 250
        self.assertGreater(projects * len(project(0)), 250e6)

        def pieces(count):  # one at a time: a child counts what we have when it is started as its own
            yield b'{"projects": {'
            yield from map(project, range(count))
            yield b'"/": {}}, "mcpServers": {}}'

        small, large = self.peak_bytes(pieces(1)), self.peak_bytes(pieces(projects))
        self.assertLess(large - small, projects * len(project(0)) / 50)

    def test_the_files_of_a_client_are_found(self):
        home, work = self.folder / "home", self.folder / "work"
        (home / ".codex").mkdir(parents=True)
        work.mkdir()
        (home / ".codex/config.toml").write_text('[mcp_servers.docs]\ncommand = "docs"\n')
        (home / ".claude.json").write_text('{"mcpServers": {"a": {"command": "x"}, "b": {"command": "y"}}}')
        (work / ".mcp.json").write_text('{"mcpServers": {"a": {"command": "x"}, "b": {"command": "z"}}}')
        env = {"HOME": str(home), "PATH": os.environ["PATH"]}

        def imported(*arguments, **more):
            return run("import", *arguments, env={**env, **more}, cwd=work)

        self.assertEqual(imported("--from", "codex").stdout, '[remote.docs]\ncommand = "docs"\n')
        done = imported("--from", "claude")
        self.assertEqual(done.stdout, '[remote.a]\ncommand = "x"\n\n[remote.b]\ncommand = "y"\n\n[remote.b_2]\ncommand = "z"\n')
        self.assertIn("a: the same server was found already", done.stderr)
        self.assertIn("b_2: was called b", done.stderr)
        done = imported("--from", "codex", CODEX_HOME=str(work))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(f"there is none of {work}/config.toml", done.stderr)
        self.assertIn("known: amp, ", imported("--from", "emacs").stderr)
        self.assertIn("--from", imported().stderr)
        (work / "x").write_text('{"mcpServers": {"g": {"command": "x", "args": ["$A"]}}}')
        self.assertIn('args = ["${env:A}"]', imported("x", "--from", "gemini").stdout)
        self.assertIn('args = ["$A"]', imported("x").stdout)


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
        config = self.config("echo").rename(self.folder / "exported.toml")  # else it would be its own remote
        exported = self.folder / "claude_desktop_config.json"
        exported.write_text(run("client-config", "--for", "claude-desktop", "-c", config).stdout)
        importing = self.folder / "importing.toml"
        self.assertEqual(run("import", exported, "-w", importing, "--yes").returncode, 0)
        server = self.serve(text=importing.read_text())
        server.logged(r"remote collet: \d+ tools")


if __name__ == "__main__":
    main()

"""Somebody who has MCP clients says `collet setup`, and can have everything back as it was."""
import fcntl
import json
import os
import pty
import re
import select
import subprocess
import tomllib

from peer import COLLET, PLUGINS, TIMEOUT_S, Case, main

CLAUDE = '{\n  // mine\n  "numStartups": 3,\n  "mcpServers": {\n    "docs": {"command": "docs-server", "args": ["--key", "s3cr3t"]}\n  }\n}\n'
CODEX = 'model = "x"\n[mcp_servers.tickets]\nurl = "http://127.0.0.1:1/mcp"\n'
GOOSE = "GOOSE_MODEL: x\nextensions:\n  developer:\n    type: builtin\n    enabled: true\nother: 1\n"
OPENCODE = '{"$schema": "https://opencode.ai/config.json"}'
VSCODE_SETTINGS = '{"editor.fontSize": 14}'


class Setup(Case):
    def setUp(self):
        super().setUp()
        self.home, self.work = self.folder / "home", self.folder / "work"
        self.work.mkdir()
        self.files = {".claude.json": CLAUDE, ".codex/config.toml": CODEX, ".config/goose/config.yaml": GOOSE,
                      ".config/opencode/opencode.json": OPENCODE, ".config/Code/User/settings.json": VSCODE_SETTINGS}
        for name, text in self.files.items():
            file = self.home / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            file.chmod(0o640)
        self.config_file = self.folder / "collet.toml"
        self.config_file.write_text(f'[plugin.echo]\nlibrary = "{PLUGINS["echo"]}"\n')
        self.before = self.tree()

    @property
    def env(self):
        return {"HOME": str(self.home), "PATH": os.environ["PATH"]}

    def tree(self):
        return {str(file.relative_to(self.folder)): (file.read_bytes(), file.stat().st_mode)
                for file in self.folder.rglob("*") if file.is_file()}

    def setup(self, *arguments, config=True):
        return subprocess.run([COLLET, "setup", *arguments, *(["-c", self.config_file] if config else [])], env=self.env,
                              cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S)

    def on_terminal(self, *answers):
        """Exit code and screen; each answer is given when its question, which ends with ], is there."""
        here, there = pty.openpty()
        process = subprocess.Popen([COLLET, "setup", "-c", self.config_file], env=self.env, cwd=self.work,
                                   stdin=there, stdout=there, stderr=there)
        os.close(there)
        screen, waiting = "", list(answers)
        try:
            while select.select([here], [], [], TIMEOUT_S)[0]:
                screen += os.read(here, 4096).decode()
                if waiting and re.search(r"\]\s*$", screen):
                    os.write(here, (waiting.pop(0) + "\n").encode())
        except OSError:  # how a terminal says that nobody is on it any more
            pass
        os.close(here)
        return process.wait(TIMEOUT_S), screen.replace("\r\n", "\n")

    def collet_of(self, name, *path):
        text = (self.home / name).read_text()
        entry = tomllib.loads(text) if name.endswith(".toml") else json.loads(re.sub(r"(?m)^\s*//.*", "", text))
        for key in path:
            entry = entry[key]
        return entry

    def test_what_is_found_is_shown_and_nothing_is_written_unasked(self):
        done = self.setup()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"claude +\S+/\.claude\.json  docs\n")
        self.assertRegex(done.stderr, r"codex +\S+/config\.toml  tickets\n")
        self.assertRegex(done.stderr, r"vscode +\S+/settings\.json  no servers\n")
        self.assertIn("say --from and --into", done.stderr)
        done = self.setup("--from", "all", "--into", "claude")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--yes", done.stderr)
        self.assertEqual(self.tree(), self.before)

    def test_a_dry_run_says_everything_and_writes_nothing(self):
        done = self.setup("--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("[remote.docs] runs docs-server --key '***'", done.stderr)
        self.assertIn("[remote.tickets] connects to", done.stderr)
        self.assertIn(f"To be added to {self.home}/.codex/config.toml (codex):", done.stderr)
        self.assertIn("config.toml (codex):\n[mcp_servers.collet]", done.stderr)
        self.assertIn(f"To be made: {self.home}/.config/Code/User/mcp.json (vscode):", done.stderr)
        self.assertNotIn("s3cr3t", done.stdout + done.stderr)
        self.assertEqual(self.tree(), self.before)

    def test_servers_are_taken_over_clients_find_collet_and_a_call_goes_through_it(self):
        done = self.setup("--from", "claude", "--into", "all", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("A call of echo through it", done.stderr)
        self.assertIn("Collet is set up\n", done.stdout)
        self.assertIn("others than you can read it", done.stderr)
        self.assertIn("is still in the files of the clients", done.stderr)
        config = tomllib.loads(self.config_file.read_text())
        self.assertEqual(list(config["remote"]), ["docs"])
        command = {"command": str(COLLET), "args": ["stdio", "--config", str(self.config_file)]}
        self.assertEqual(self.collet_of(".claude.json", "mcpServers", "collet"), command)
        self.assertEqual(self.collet_of(".codex/config.toml", "mcp_servers", "collet"), command)
        self.assertEqual(self.collet_of(".config/Code/User/mcp.json", "servers", "collet"), command)
        self.assertEqual(self.collet_of(".config/opencode/opencode.json", "mcp", "collet", "command"),
                         [command["command"], *command["args"]])
        goose = (self.home / ".config/goose/config.yaml").read_text()
        self.assertRegex(goose, r'extensions:\n  "collet":\n(    .*\n)+  developer:\n')
        self.assertIn("// mine", (self.home / ".claude.json").read_text())
        self.assertEqual((self.home / ".claude.json.before-collet").read_text(), CLAUDE)
        again = self.setup("--from", "claude", "--into", "all", "--yes")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("There is nothing to write.", again.stderr)
        self.assertIn("Collet is in it", again.stderr)

    def test_a_rollback_leaves_every_file_as_it_was(self):
        self.assertEqual(self.setup("--from", "all", "--into", "all", "--yes").returncode, 0)
        self.assertNotEqual(self.tree(), self.before)
        self.assertEqual(self.setup("--rollback", "--dry-run", config=False).returncode, 0)
        done = self.setup("--rollback", config=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.tree(), self.before)
        self.assertIn("nothing to take back", self.setup("--rollback", config=False).stderr)

    def test_a_rollback_loses_nothing_that_a_client_has_written_since(self):
        self.assertEqual(self.setup("--from", "none", "--into", "claude", "--yes").returncode, 0)
        file = self.home / ".claude.json"
        file.write_text(file.read_text().replace('"numStartups": 3', '"numStartups": 4'))
        done = self.setup("--rollback", config=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(file.read_text(), CLAUDE.replace('"numStartups": 3', '"numStartups": 4'))
        self.assertIn("has changed since", done.stderr)

    def test_a_client_that_has_written_its_file_anew_is_freed_of_collet(self):
        self.assertEqual(self.setup("--from", "none", "--into", "codex,goose", "--yes").returncode, 0)
        codex, goose = self.home / ".codex/config.toml", self.home / ".config/goose/config.yaml"
        collet, arguments = json.dumps(str(COLLET)), json.dumps(["stdio", "--config", str(self.config_file)])
        codex.write_text('model = "y"\n[mcp_servers."collet"]\n'
                         f'args = {arguments}\ncommand = {collet}\n\n[mcp_servers.new]\ncommand = "x"\n')
        goose.write_text(f"extensions:\n  collet:\n    cmd: {collet}\n    args: {arguments}\n    type: stdio\n    enabled: true\n"
                         "    name: collet\n  new:\n    type: builtin\n")
        done = self.setup("--rollback", config=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(codex.read_text(), 'model = "y"\n[mcp_servers.new]\ncommand = "x"\n')
        self.assertEqual(goose.read_text(), "extensions:\n  new:\n    type: builtin\n")

    def test_what_a_person_has_made_of_our_entry_is_kept(self):
        self.assertEqual(self.setup("--from", "none", "--into", "claude", "--yes").returncode, 0)
        file = self.home / ".claude.json"
        mine = file.read_text().replace('"args": ["stdio"', '"env": {"A": "1"}, "args": ["stdio"')
        file.write_text(mine)
        done = self.setup("--rollback", config=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(file.read_text(), mine)
        self.assertIn("not there as it was", done.stderr)

    def test_a_client_that_has_removed_its_file_does_not_hold_up_a_rollback(self):
        self.assertEqual(self.setup("--from", "none", "--into", "claude,codex", "--yes").returncode, 0)
        for file in (".claude.json", ".claude.json.before-collet"):
            (self.home / file).unlink()
        done = self.setup("--rollback", config=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(".claude.json is not there any more", done.stderr)
        self.assertNotIn("before-collet", done.stderr)
        self.assertIn("nothing to take back", self.setup("--rollback", config=False).stderr)

    def state(self, name="setup.json"):
        return self.home / ".local/state/collet" / name

    def test_options_that_cannot_be_meant_are_refused(self):
        done = self.setup("--rollback", "--from", "claude")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--rollback takes back all", done.stderr)
        done = self.setup("--dry-run", "--workspace", "/nope")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nope is no folder", done.stderr)

    def test_two_setups_do_not_run_at_once(self):
        self.assertEqual(self.setup("--from", "none", "--into", "codex", "--yes").returncode, 0)
        with open(self.state("setup.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.tree()
            for arguments in (("--from", "none", "--into", "claude", "--yes"), ("--rollback",)):
                done = self.setup(*arguments)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("another `collet setup` is running", done.stderr)
            self.assertEqual(self.tree(), before)
        self.assertEqual(self.setup("--rollback", config=False).returncode, 0)
        self.assertEqual(self.tree(), self.before)

    def test_nothing_is_changed_that_could_not_be_taken_back(self):
        self.state().parent.parent.mkdir(parents=True)
        self.state().parent.write_text("a file where the folder of the record belongs")
        before = self.tree()
        done = self.setup("--from", "all", "--into", "all", "--yes")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"{self.state().parent}: Not a directory", done.stderr)
        self.assertEqual(self.tree(), before)
        self.state().parent.unlink()
        self.state("setup.json.new").mkdir(parents=True)  # the record alone cannot be written
        done = self.setup("--from", "all", "--into", "all", "--yes")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("could not be taken back", done.stderr)
        self.assertEqual(self.tree(), self.before)

    def test_a_record_names_what_a_killed_setup_was_about_to_write(self):
        self.assertEqual(self.setup("--from", "none", "--into", "claude", "--yes").returncode, 0)
        record = json.loads(self.state().read_text())
        record[0]["pending"] = True  # killed right behind the change
        written = self.tree()
        self.state().write_text(json.dumps(record))
        done = self.setup("--rollback", config=False)
        self.assertIn("which was changed", done.stderr)
        self.assertEqual(self.tree(), self.before)
        self.assertNotEqual(written, self.before)
        self.state().write_text(json.dumps(record))  # killed right before it
        (self.home / ".claude.json.collet-new.abcdef").write_text("half")
        os.link(self.home / ".claude.json", self.home / ".claude.json.before-collet")
        self.state("setup.json.new").write_text("[")
        done = self.setup("--rollback", config=False)
        self.assertIn("which is as it was", done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.tree(), self.before)

    def test_a_record_that_cannot_be_read_says_what_to_do(self):
        self.state().parent.mkdir(parents=True)
        self.state().write_text("[{")
        done = self.setup("--rollback", config=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("move that file away", done.stderr)

    def test_without_a_configuration_one_is_made(self):
        done = self.setup("--from", "codex", "--into", "none", "--yes", config=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        made = self.home / ".config/collet/collet.toml"
        self.assertEqual(made.stat().st_mode & 0o777, 0o600)
        self.assertEqual(list(tomllib.loads(made.read_text())["remote"]), ["tickets"])
        self.assertIn("Collet is set up\n", done.stdout)

    def test_a_link_stays_a_link(self):
        real = self.folder / "dotfiles.json"
        (self.home / ".claude.json").rename(real)
        (self.home / ".claude.json").symlink_to(real)
        self.assertEqual(self.setup("--from", "none", "--into", "claude", "--yes").returncode, 0)
        self.assertTrue((self.home / ".claude.json").is_symlink())
        self.assertIn('"collet"', real.read_text())

    def test_what_a_project_brings_is_taken_only_where_it_is_named(self):
        (self.work / ".mcp.json").write_text('{"mcpServers": {"brought": {"command": "./evil"}}}')
        self.assertNotIn("brought", self.setup("--dry-run").stderr)
        self.assertIn("brought", self.setup("--dry-run", "--workspace", self.work).stderr)

    def test_opencode_2_gets_its_server_where_it_has_the_others(self):
        (self.home / ".config/opencode/opencode.json").write_text(
            '{"mcp": {"servers": {"a": {"type": "local", "command": ["x"], "disabled": true}}}}')
        self.assertEqual(self.setup("--from", "opencode", "--into", "opencode", "--yes").returncode, 0)
        self.assertEqual(self.collet_of(".config/opencode/opencode.json", "mcp", "servers", "collet", "type"), "local")
        self.assertEqual(tomllib.loads(self.config_file.read_text())["remote"], {"a": {"enabled": False, "command": "x"}})
        self.assertEqual(self.setup("--rollback", config=False).returncode, 0)

    def test_a_file_that_is_empty_is_filled(self):
        (self.home / ".claude.json").write_text("")
        self.assertEqual(self.setup("--from", "none", "--into", "claude", "--yes").returncode, 0)
        self.assertIn("collet", self.collet_of(".claude.json", "mcpServers"))
        self.assertEqual(self.setup("--rollback", config=False).returncode, 0)
        self.assertEqual((self.home / ".claude.json").read_text(), "")

    def test_one_client_that_cannot_be_changed_costs_the_others_nothing(self):
        broken = '{"mcpServers": {"docs": {"command": "x"}'
        (self.home / ".claude.json").write_text(broken)
        inline = 'mcp_servers = { a = { command = "x" } }\n'
        (self.home / ".codex/config.toml").write_text(inline)
        done = self.setup("--from", "none", "--into", "claude,codex,opencode", "--yes")
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertIn(f"{self.home}/.claude.json: ", done.stderr)
        self.assertIn("would not be right then", done.stderr)
        self.assertEqual((self.home / ".claude.json").read_text(), broken)
        self.assertEqual((self.home / ".codex/config.toml").read_text(), inline)
        self.assertIn("collet", (self.home / ".config/opencode/opencode.json").read_text())

    def test_another_server_of_that_name_is_not_replaced(self):
        text = '{"mcpServers": {"collet": {"command": "other"}}}'
        (self.home / ".claude.json").write_text(text)
        done = self.setup("--from", "none", "--into", "claude", "--yes")
        self.assertEqual(done.returncode, 8)
        self.assertIn("another server collet; say --name", done.stderr)
        self.assertEqual((self.home / ".claude.json").read_text(), text)
        self.assertEqual(self.setup("--from", "none", "--into", "claude", "--name", "mine", "--yes").returncode, 0)

    def test_collet_does_not_become_its_own_remote(self):
        (self.home / ".claude.json").write_text(json.dumps({"mcpServers": {
            "over_http": {"type": "http", "url": "http://localhost:8765/mcp"},
            "over_sse": {"type": "sse", "url": "http://127.0.0.1:8765/sse"},
            "as_child": {"command": "/opt/bin/collet", "args": ["stdio", "--config", str(self.config_file)]},
            "elsewhere": {"command": "/opt/bin/collet", "args": ["stdio", "--config", "/opt/other.toml"], "enabled": False},
            "other": {"type": "http", "url": "http://localhost:8766/mcp"}}}))
        done = self.setup("--from", "claude", "--into", "none", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(list(tomllib.loads(self.config_file.read_text())["remote"]), ["elsewhere", "other"])
        self.assertIn("elsewhere, other; Collet is in it", done.stderr)
        for name in ("over_http", "over_sse", "as_child"):
            self.assertRegex(done.stderr, rf"\.claude\.json:1:\d+: left out: {name} is Collet itself")

    def test_an_entry_of_a_collet_that_has_moved_is_replaced(self):
        clients = ("claude", "codex", "goose", "opencode")
        self.assertEqual(self.setup("--from", "none", "--into", ",".join(clients), "--yes").returncode, 0)
        files = [self.home / name for name in self.files if "Code" not in name]
        written = [file.read_text() for file in files]
        for file, text in zip(files, written):
            file.write_text(text.replace(str(COLLET), "/opt/old/bin/collet"))
        self.assertEqual(self.setup("--rollback", config=False).returncode, 0)  # is not what was written
        moved = [file.read_text() for file in files]
        done = self.setup("--from", "none", "--into", ",".join(clients), "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        for file, text in zip(files, written):
            self.assertEqual(file.read_text().split(), text.split())
        self.assertEqual(self.setup("--rollback", config=False).returncode, 0)
        self.assertEqual([file.read_text() for file in files], moved)

    def test_a_link_that_leads_nowhere_yet_stays_a_link(self):
        (self.home / ".claude.json").unlink()
        (self.home / ".claude.json").symlink_to("../dotfiles/claude.json")
        self.assertEqual(self.setup("--from", "none", "--into", "claude", "--yes").returncode, 0)
        self.assertTrue((self.home / ".claude.json").is_symlink())
        self.assertIn('"collet"', (self.folder / "dotfiles/claude.json").read_text())

    def test_what_is_no_regular_file_is_neither_waited_for_nor_replaced(self):
        (self.home / ".claude.json").unlink()
        os.mkfifo(self.home / ".claude.json")
        done = self.setup("--from", "none", "--into", "claude", "--yes")
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertIn(".claude.json is not a regular file", done.stderr)
        self.config_file.unlink()
        os.mkfifo(self.config_file)
        done = self.setup("--from", "none", "--into", "none", "--yes")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("collet.toml is not a regular file", done.stderr)

    def test_a_person_is_asked_what_to_take_and_where_to_write(self):
        code, screen = self.on_terminal("codex", "claude", "n")
        self.assertEqual(code, 1, screen)
        self.assertLess(screen.index("[remote.tickets]"), screen.index("[y/N]"))
        self.assertNotIn("[remote.docs]", screen)
        self.assertEqual(self.tree(), self.before)
        code, screen = self.on_terminal("codex claude", "claude", "y")
        self.assertEqual(code, 0, screen)
        self.assertIn("Collet is set up\n", screen)
        self.assertNotIn("s3cr3t", screen)
        self.assertEqual(set(tomllib.loads(self.config_file.read_text())["remote"]), {"docs", "tickets"})
        self.assertEqual((self.home / ".codex/config.toml").read_text(), CODEX)

    def test_the_call_at_the_end_can_be_chosen_and_its_failure_is_the_exit_code(self):
        done = self.setup("--from", "none", "--into", "none", "--call", "echo", "--args", '{"text": "hello"}')
        self.assertEqual((done.returncode, done.stdout), (0, "hello\n"), done.stderr)
        self.config_file.write_text('[server]\nlistn = []\n')
        self.assertEqual(self.setup("--from", "none", "--into", "none").returncode, 1)
        self.config_file.write_text("")
        self.assertEqual(self.setup("--from", "none", "--into", "none", "--args", "x").returncode, 1)
        self.assertEqual(self.setup("--from", "emacs", "--into", "none").returncode, 1)


if __name__ == "__main__":
    main()

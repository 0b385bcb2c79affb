"""A running server whose plugins are replaced: what asks for it, and what is seen of it."""
import json
import os
import shutil
import signal
import socket
import stat

from peer import BUILD, Case, Server, call, children_of, is_running, main, post, request, run, text_of, until

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}


def build(name):
    return BUILD / f"tests/modules/{name}.so"


class Reloading(Case):
    def start(self, reload, first="versioned_1", more=""):
        self.library = self.folder / "plugins" / "p.so"
        self.library.parent.mkdir()
        self.install(first)
        self.write_config(reload, more)
        return self.serve_config()

    def write_config(self, reload, more=""):
        (self.folder / "c.toml").write_text(
            f'[server]\nthreads = 2\n[plugins]\npaths = ["plugins"]\nreload = "{reload}"\n{more}')

    def serve_config(self):
        environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
        os.environ.pop("XDG_RUNTIME_DIR", None)
        self.addCleanup(os.environ.update, environment)
        server = Server(self.folder / "c.toml", ["http://127.0.0.1:0"])
        self.addCleanup(server.kill)
        return server

    def install(self, name, to=None):
        """As a linker does it."""
        shutil.copy(build(name), self.folder / "next")
        os.rename(self.folder / "next", to or self.library)

    def which(self, server, tool="which"):
        answer = server.post(call(1, tool)).message
        return text_of(answer) if "result" in answer else answer["error"]["message"]

    def collet(self, *arguments):
        return run(*arguments, "-c", self.folder / "c.toml")

    def listing(self):
        return json.loads(self.collet("list", "--format", "json").stdout)

    def plugin(self):
        return self.listing()["plugins"][0]


class Triggers(Reloading):
    def test_the_verb_replaces_what_has_changed(self):
        server = self.start("off")
        done = self.collet("reload")
        self.assertEqual((done.returncode, done.stdout), (0, "nothing has changed\n"))
        self.install("versioned_2")
        done = self.collet("reload")
        self.assertEqual((done.returncode, done.stdout), (0, "p: replaced (1.0.0)\n"))
        self.assertEqual(self.which(server), "2")
        self.assertEqual(self.collet("reload", "p").stdout, "p: replaced (1.0.0)\n")
        done = self.collet("reload", "q")
        self.assertEqual(done.returncode, 6)
        self.assertIn("there is no plugin q", done.stderr)

    def test_the_verb_says_why_a_plugin_goes_on_as_it_was(self):
        server = self.start("signal")
        self.install("hostile_create_crashes")
        for _ in range(2):  # it is tried again when somebody asks
            done = self.collet("reload")
            self.assertEqual(done.returncode, 6)
            self.assertIn("crashed with SIGSEGV", done.stderr)
        self.assertEqual(self.which(server), "1")
        server.logged("plugin p is not replaced: cannot load .*crashed with SIGSEGV")
        self.assertIn("crashed with SIGSEGV", self.plugin()["error"])
        self.assertIn("failed    p: cannot load", self.collet("list").stdout)
        self.assertEqual(json.loads(self.collet("reload", "--format", "json").stdout)["ok"], False)

    def test_a_build_that_takes_a_tool_away_is_refused_unless_that_is_accepted(self):
        server = self.start("off", "versioned_extra")
        self.install("versioned_2")
        done = self.collet("reload")
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        self.assertIn("it takes away what it offered before (-extra)", done.stderr)
        self.assertEqual(self.which(server, "extra"), "3")
        self.assertIn("collet reload --accept", self.plugin()["error"])
        done = self.collet("reload", "--accept")
        self.assertEqual((done.returncode, done.stdout), (0, "p: replaced (1.0.0) -extra\n"))
        server.logged("info plugin p: -extra$")
        self.install("versioned_extra")
        answer = json.loads(self.collet("reload", "p", "--format", "json").stdout)
        self.assertEqual(answer["plugins"][0]["changes"], {"added": ["extra"], "removed": [], "changed": []})

    def test_without_a_server_there_is_nothing_to_reload(self):
        self.write_config("off")
        done = self.collet("reload")
        self.assertEqual(done.returncode, 4)
        self.assertIn("no server of this configuration is running", done.stderr)

    def test_the_signal(self):
        server = self.start("signal")
        self.install("versioned_2")
        server.signal(signal.SIGHUP)
        until(lambda: self.which(server) == "2")
        os.unlink(self.library)  # a plugin that only its file stood for goes with it
        server.signal(signal.SIGHUP)
        until(lambda: "unknown tool" in self.which(server).lower())
        self.assertEqual(self.listing()["plugins"], [])

    def test_a_file_that_takes_the_place_of_the_old_one(self):
        server = self.start("watch")
        self.install("versioned_2")
        until(lambda: self.which(server) == "2")
        self.install("versioned_extra", self.folder / "plugins/q.so")  # a new one: all names are taken but one
        until(lambda: self.which(server, "extra") == "3")

    def test_a_file_that_is_overwritten_in_pieces(self):
        server = self.start("watch")
        library = build("versioned_2").read_bytes()
        with open(self.library, "wb", buffering=0) as file:
            for at in range(0, len(library), 4096):
                file.write(library[at:at + 4096])
        until(lambda: self.which(server) == "2")
        self.assertFalse(any("is not replaced" in line for line in server.log))

    def test_a_half_written_file_is_given_time_and_then_named(self):
        server = self.start("watch")
        library = build("versioned_2").read_bytes()
        self.library.write_bytes(library[:len(library) // 2])
        server.logged("plugin p is not replaced: .*cut off")
        self.assertEqual(self.which(server), "1")
        with open(self.library, "ab") as file:
            file.write(library[len(library) // 2:])
        until(lambda: self.which(server) == "2")

    def test_ten_builds_a_second(self):
        server = self.start("watch")
        connection = server.connect()
        for i in range(30):
            self.install(f"versioned_{1 + i % 2}")
            until(lambda: connection.ask(call(1, "queued_which")).message["result"]["content"][0]["text"] in "12")
            select_for(0.1)
        self.install("versioned_extra")
        until(lambda: self.which(server, "extra") == "3")
        self.assertEqual(self.listing()["leftBehind"], [])

    def test_a_library_that_is_no_plugin_is_no_error_until_it_was_one(self):
        server = self.start("watch")
        bundled = self.folder / "plugins/libdep.so"
        self.install("hostile_no_symbol", bundled)
        server.logged("libdep.so is no plugin")
        self.assertEqual([plugin["id"] for plugin in self.listing()["plugins"]], ["p"])
        self.install("versioned_extra", bundled)
        until(lambda: self.which(server, "extra") == "3")
        self.install("hostile_no_symbol", bundled)
        server.logged("error plugin libdep is not replaced: .*does not export collet_plugin_entry_v1")
        self.assertEqual(len([line for line in server.log if " error " in line]), 1)


class Quiet(Reloading):
    def test_a_change_of_nothing_that_matters_is_not_worth_a_word(self):
        server = self.start("watch")
        self.install("versioned_1", self.folder / "plugins/twin.so")
        server.logged("plugin twin: loaded")
        warnings = len([line for line in server.log if "is left out" in line])
        (self.folder / "plugins/notes.txt").write_text("a change of the folder")
        self.assertEqual(self.collet("reload").stdout, "nothing has changed\n")
        os.utime(self.folder / "plugins/twin.so")
        until(lambda: self.collet("reload").stdout == "nothing has changed\n")
        self.assertEqual(len([line for line in server.log if "is left out" in line]), warnings)


class MovingFolders(Reloading):
    """What the kernel does not tell of, since it tells of folders and not of paths."""

    def make_folder(self, name, build_name):
        folder = self.folder / name
        folder.mkdir()
        self.install(build_name, folder / "p.so")
        return folder

    def test_a_folder_that_is_removed_and_made_again(self):
        server = self.start("watch")
        shutil.rmtree(self.folder / "plugins")
        server.logged("the folder .*plugins is gone")
        self.assertEqual(self.which(server), "1")
        self.make_folder("plugins", "versioned_2")
        until(lambda: self.which(server) == "2")
        self.install("versioned_1")
        until(lambda: self.which(server) == "1")

    def test_a_folder_that_another_one_takes_the_place_of_at_once(self):
        server = self.start("watch")
        self.make_folder("other", "versioned_2")
        os.rename(self.folder / "plugins", self.folder / "before")
        os.rename(self.folder / "other", self.folder / "plugins")
        until(lambda: self.which(server) == "2")
        self.install("versioned_1")
        until(lambda: self.which(server) == "1")

    def test_a_link_that_leads_elsewhere(self):
        self.write_config("watch")
        for release, build_name in enumerate(("versioned_1", "versioned_2")):
            (self.folder / f"r{release}").mkdir()
            self.make_folder(f"r{release}/plugins", build_name)
        os.symlink("r0", self.folder / "current")
        os.symlink("current/plugins", self.folder / "plugins")
        server = self.serve_config()
        os.symlink("r1", self.folder / "next")
        os.rename(self.folder / "next", self.folder / "current")
        until(lambda: self.which(server) == "2")
        self.install("versioned_1", self.folder / "r1/plugins/p.so")
        until(lambda: self.which(server) == "1")

    def test_a_library_that_is_a_link_to_one_that_is_replaced(self):
        self.write_config("watch")
        self.make_folder("built", "versioned_1")
        (self.folder / "plugins").mkdir()
        os.symlink("../built/p.so", self.folder / "plugins/p.so")
        server = self.serve_config()
        self.install("versioned_2", self.folder / "built/p.so")
        until(lambda: self.which(server) == "2")

    def test_a_folder_that_comes_later(self):
        self.write_config("watch")
        server = self.serve_config()
        server.logged("cannot watch the folder .*plugins: no such file or directory")
        self.make_folder("plugins", "versioned_1")
        until(lambda: self.which(server) == "1")
        server.logged("the folder .*plugins is there, and watched")


def select_for(seconds):
    """Lets that much time pass: the test is about how often something happens."""
    import select
    select.select([], [], [], seconds)


class Configuration(Reloading):
    def test_what_has_changed_in_it_is_taken_over_and_nothing_else(self):
        server = self.start("watch", more='[plugin.p]\nprefix = "a_"\n')
        self.assertEqual(self.which(server, "a_which"), "1")
        self.write_config("watch", '[plugin.p]\nprefix = "b_"\n')
        until(lambda: self.which(server, "b_which") == "1")
        self.assertEqual(self.plugin()["generation"], 1)
        self.write_config("watch", '[plugin.p]\nprefix = "b_"\nconfig = { how = "accept" }\n')
        until(lambda: self.which(server, "b_config") == '{"how":"accept"}')
        self.assertEqual(self.plugin()["generation"], 1)  # the plugin has taken it
        self.write_config("watch", '[plugin.p]\nprefix = "b_"\nconfig = { how = "new" }\n')
        until(lambda: self.which(server, "b_config") == '{"how":"new"}')
        self.assertEqual(self.plugin()["generation"], 2)
        self.write_config("watch", "[plugin.p]\nenabled = false\n")
        until(lambda: self.listing()["plugins"] == [])

    def test_one_that_is_wrong_leaves_the_last_good_one_in_force(self):
        server = self.start("watch", more='[plugin.p]\nprefix = "a_"\n')
        self.install("versioned_2", self.folder / "plugins/q.so")
        until(lambda: self.which(server) == "2")
        self.write_config("watch", '[plugin.p]\nprefix = "b_"\ntimeout = 3\n')
        server.logged("the configuration is not taken over")
        done = self.collet("reload")
        self.assertEqual(done.returncode, 1)  # the verb reads the same file, and says so first
        self.assertIn("timeout is not a key", done.stderr)
        self.assertEqual(self.which(server, "a_which"), "1")
        self.write_config("watch", '[plugin.p]\nprefix = "b_"\n')
        until(lambda: self.which(server, "b_which") == "1")

    def test_what_needs_a_new_start_is_said(self):
        server = self.start("signal")
        (self.folder / "c.toml").write_text('[server]\ntitle = "new"\n[plugins]\npaths = ["plugins"]\n')
        self.assertEqual(self.collet("reload").returncode, 0)
        server.logged("takes effect at the next start")


def opened(fifo):
    """The FIFO's writing end, once somebody reads it."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


class Calls(Reloading):
    def fifo(self):
        path = self.folder / "fifo"
        os.mkfifo(path)
        return path

    def test_a_call_in_flight_ends_where_it_began_and_is_seen_meanwhile(self):
        server = self.start("off")
        fifo = self.fifo()
        waiting = server.connect()
        waiting.send(post(call(7, "wait", {"fifo": str(fifo)})))
        gate = until(lambda: opened(fifo))
        self.install("versioned_2")
        self.assertEqual(self.collet("reload").returncode, 0)
        self.assertEqual(self.which(server), "2")
        draining = self.listing()["draining"]
        self.assertEqual((draining[0]["id"], draining[0]["generation"]), ("p", 1))
        self.assertRegex(draining[0]["waitsFor"][0], r"^wait, for \d+ s$")
        self.assertRegex(self.collet("list").stdout, r"draining  p: generation 1 waits for 1 calls: wait, for \d+ s")
        os.write(gate, b"x")
        os.close(gate)
        self.assertEqual(text_of(waiting.receive().message), "1")
        until(lambda: self.listing()["draining"] == [])

    def test_a_suspended_call_goes_on_at_the_new_build(self):
        server = self.start("off")

        def ask(**params):
            message = request(1, "tools/call", name="ask", arguments={}, _meta=MODERN, **params)
            return server.post(message, MCP_Protocol_Version="2026-07-28", Mcp_Method="tools/call",
                               Mcp_Name="ask").message["result"]

        asked = ask()
        self.assertEqual(asked["resultType"], "input_required")
        self.install("versioned_2")
        self.assertEqual(self.collet("reload").returncode, 0)
        until(lambda: self.listing()["draining"] == [])  # it holds no generation
        answered = ask(requestState=asked["requestState"],
                       inputResponses={"name": {"action": "accept", "content": {}}})
        self.assertEqual(answered["content"][0]["text"], "2")

    def test_a_server_with_a_draining_generation_ends_when_it_is_told_to(self):
        server = self.start("off", more="[server.limits]\ndrain_timeout_ms = 100\n")
        waiting = server.connect()
        waiting.send(post(call(7, "keep")))
        until(lambda: self.plugin()["callsInFlight"] == 1)
        self.collet("reload", "p")
        self.assertEqual(len(self.listing()["draining"]), 1)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertIn("shutting down", waiting.receive().message["error"]["message"])

    def test_errors_in_its_probation_bring_the_build_before_back(self):
        server = self.start("off")
        self.install("versioned_2")
        self.collet("reload")
        self.assertEqual(self.plugin()["state"], "on probation")
        for _ in range(10):
            server.post(call(1, "err"))
        until(lambda: self.which(server) == "1")
        self.assertIn("generation 2 has made 10 errors of its own", self.plugin()["error"])
        server.logged("the one before was brought back")

    def test_clients_hear_of_lists_that_differ(self):
        server = self.start("off")
        listening = server.connect()
        message = request(1, "subscriptions/listen", _meta=MODERN, notifications={"toolsListChanged": True})
        listening.send(post(message, MCP_Protocol_Version="2026-07-28", Mcp_Method="subscriptions/listen"))
        listening.head()
        self.assertEqual(listening.event()["method"], "notifications/subscriptions/acknowledged")
        for name in ("versioned_2", "versioned_1", "versioned_extra"):
            self.install(name)
            self.collet("reload")
        self.assertEqual(listening.event()["method"], "notifications/tools/list_changed")
        self.assertEqual(self.which(server, "extra"), "3")
        listening.socket.settimeout(0.5)
        self.assertRaises(TimeoutError, listening.event)  # for the one that differed, and only for it


class KilledInTheMiddle(Reloading):
    def test_nothing_is_left_that_the_next_start_trips_over(self):
        os.environ["TMPDIR"] = str(self.folder)  # where the copies of plugins lie
        self.addCleanup(os.environ.pop, "TMPDIR")
        server = self.start("watch")
        copies = self.folder / f"collet-{os.getuid()}"
        for _ in range(5):
            self.collet("reload", "p")
            children = children_of(server)
            self.assertEqual(len(children), 1)  # where trials come from
            with socket.socket(socket.AF_UNIX) as admin:
                admin.connect(str(self.folder / "c.toml.sock"))
                admin.sendall(b'{"do":"reload","plugin":"p"}\n' * 3)
                server.kill()
            self.assertEqual(len(list(copies.iterdir())), 1)
            self.assertTrue((self.folder / "c.toml.sock").exists())
            until(lambda: not any(map(is_running, children)))
            stale = set(copies.iterdir())
            server = self.serve_config()
            self.assertEqual(self.which(server), "1")
            self.assertEqual(self.listing()["server"]["pid"], server._process.pid)
            self.assertFalse(stale & set(copies.iterdir()))
            self.assertEqual(len(list(copies.iterdir())), 1)


class AdminSocket(Reloading):
    def ask(self, line):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.folder / "c.toml.sock"))
            admin.settimeout(10)
            admin.sendall(line + b"\n")
            return json.loads(admin.makefile().readline())

    def test_only_its_owner_may_open_it_and_it_goes_with_the_server(self):
        server = self.start("off")
        path = self.folder / "c.toml.sock"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        server.signal(signal.SIGTERM)
        server.wait()
        self.assertFalse(path.exists())

    def test_the_configuration_may_say_where_it_is(self):
        self.start("off", more=f'[admin]\nsocket = "there"\n')
        self.assertTrue((self.folder / "there").exists())
        self.assertEqual(self.collet("reload").returncode, 0)

    def test_what_is_no_request_is_answered_with_an_error(self):
        self.start("off")
        for line in (b"x", b"[]", b"{}", b'{"do":"dance"}', b'{"do":3}', b"{" * 1000):
            self.assertEqual(self.ask(line)["ok"], False)
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.folder / "c.toml.sock"))
            admin.settimeout(10)
            admin.sendall(b"x" * (64 << 10))
            admin.sendall(b"xx")  # one more might be \r
            self.assertEqual(admin.recv(1), b"")  # a line longer than the limit ends the conversation
        self.assertEqual(self.ask(b'{"do":"list"}')["ok"], True)

    def test_a_line_may_be_as_long_as_the_limit(self):
        self.start("off")
        line = b'{"do":"list"' + b" " * ((64 << 10) - 13) + b"}"
        self.assertEqual(self.ask(line)["ok"], True)

    def test_as_many_connections_as_the_limit_and_one_more(self):
        self.start("off")
        kept = []

        def connect():
            admin = socket.socket(socket.AF_UNIX)
            self.addCleanup(admin.close)
            admin.settimeout(10)
            admin.connect(str(self.folder / "c.toml.sock"))
            try:
                admin.sendall(b'{"do":"list"}\n')
                return admin.recv(1), admin
            except (BrokenPipeError, ConnectionResetError):
                return b"", admin
        for _ in range(32):
            answer, admin = connect()
            self.assertEqual(answer, b"{")
            kept.append(admin)
        self.assertEqual(connect()[0], b"")
        kept.pop().close()
        until(lambda: connect()[0] == b"{")

    def test_a_second_server_of_the_same_configuration_does_without(self):
        first = self.start("off")
        second = self.serve_config()
        second.logged("cannot speak to this server: .*another server listens there")
        self.assertEqual(self.which(second), "1")
        pid = self.listing()["server"]["pid"]
        self.assertEqual(pid, first._process.pid)

    def test_a_list_without_the_server(self):
        self.start("off")
        self.install("versioned_extra")
        names = {item["name"] for item in self.listing()["items"]}
        self.assertNotIn("extra", names)
        fresh = json.loads(self.collet("list", "--fresh", "--format", "json").stdout)
        self.assertIn("extra", {item["name"] for item in fresh["items"]})
        self.assertNotIn("server", fresh)


main()

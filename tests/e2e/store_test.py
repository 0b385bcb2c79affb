"""What a host keeps in a file, for plugins and of clients: it outlives the process, which has the file for itself."""
import json
import stat

from peer import Case, main, request, run, subprocess, text_of, until


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
        self.assertIn("can be read or written by others", self.call("get", key="a").stderr)
        self.file.chmod(0o600)
        self.assertIn(f"cannot open the store {self.file}: it is no SQLite database", self.call("get", key="a").stderr)
        self.text = '[store]\nfile = "none/kept.db"\n'
        self.assertIn(f"cannot open the store {self.folder}/none/kept.db: No such file", self.call("get", key="a").stderr)

    def restart(self, server):
        """Kills it, and starts another one with its configuration."""
        server.kill()
        return self.serve("waits", text=self.text)

    def test_a_session_goes_on_at_a_server_that_was_killed_and_started_again(self):
        for version in ("2025-03-26", "2025-06-18", "2025-11-25"):
            with self.subTest(version):
                server = self.serve("waits", text=self.text)
                session = Session(server, version)
                session.ask("logging/setLevel", level="error")
                session.server = server = self.restart(server)
                self.assertEqual(len(session.ask("tools/list").message["result"]["tools"]), 7)
                with server.connect() as stream:
                    stream.send(session.get())
                    self.assertTrue(stream.head().is_stream)
                self.assertEqual(session.end(), 204)
                Session(server)  # is on the disk when it is answered, and so is what came before
                session.server = server = self.restart(server)
                self.assertEqual(session.ask("tools/list").status, 404)
                server.kill()

    def test_without_a_file_a_session_ends_with_its_server(self):
        self.text = ""
        server = self.serve("waits")
        session = Session(server)
        session.server = self.restart(server)
        self.assertEqual(session.ask("tools/list").status, 404)

    def test_tasks_of_a_server_that_was_killed_are_over_with_their_results_or_have_failed(self):
        server = self.serve("waits", text=self.text)
        session = Session(server)
        tasks = {}
        for how in ("done", "runs"):
            started = session.ask("tools/call", name="job", arguments={}, task={"ttl": 60_000}).message["result"]["task"]
            tasks["legacy " + how] = started["taskId"]
            with server.connect() as connection:
                begun = connection.ask_modern("tools/call", name="job", arguments={}, _meta=WITH_TASKS).message["result"]
            tasks["modern " + how] = begun["taskId"]
            if how == "done":
                until(lambda: self.ask(server, "waiting") == "2")
                session.ask("tools/call", name="release", arguments={})
                until(lambda: session.status(tasks["legacy done"]) == "completed" and
                      modern_task(server, tasks["modern done"])["status"] == "completed")
        Session(server)  # likewise
        session.server = server = self.restart(server)

        self.assertEqual(session.status(tasks["legacy done"]), "completed")
        result = session.ask("tasks/result", taskId=tasks["legacy done"]).message["result"]
        self.assertEqual(result["content"][0]["text"], "released")
        self.assertEqual(modern_task(server, tasks["modern done"])["result"]["content"][0]["text"], "released")
        self.assertEqual(session.status(tasks["legacy runs"]), "failed")
        self.assertIn("restarted", modern_task(server, tasks["modern runs"])["error"]["message"])
        listed = session.ask("tasks/list").message["result"]["tasks"]
        self.assertEqual({task["taskId"] for task in listed}, {tasks["legacy done"], tasks["legacy runs"]})
        self.assertIn("error", Session(server).ask("tasks/get", taskId=tasks["legacy done"]).message)


WITH_TASKS = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}}


def modern_task(server, id):
    with server.connect() as connection:
        return connection.ask_modern("tasks/get", taskId=id, _meta=WITH_TASKS).message["result"]


class Session:
    """Of a legacy client over HTTP, which keeps it when its server is another one."""

    def __init__(self, server, version="2025-11-25"):
        self.server, self.version, self.id = server, version, None
        answer = self.ask("initialize", protocolVersion=version, capabilities={}, clientInfo={"name": "t", "version": "1"})
        self.id = answer.headers["mcp-session-id"]

    def ask(self, method, **params):
        return self.server.post(request(1, method, **params), MCP_Protocol_Version=self.version, Mcp_Session_Id=self.id)

    def status(self, task):
        return self.ask("tasks/get", taskId=task).message["result"]["status"]

    def without_body(self, method):
        return (f"{method} /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
                f"MCP-Protocol-Version: {self.version}\r\nMcp-Session-Id: {self.id}\r\n\r\n").encode()

    def get(self):
        return self.without_body("GET")

    def end(self):
        with self.server.connect() as connection:
            connection.send(self.without_body("DELETE"))
            return connection.receive().status


main()

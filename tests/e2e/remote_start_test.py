"""Remotes that are old, slow or strange at their start: each is understood, waited for, or named with its fault."""
import json
import shlex
import socket
import sys
import threading

from fake_remote import tool
from peer import main, run, text_of, until
from remote_test import FAKE, RemoteCase


class Probes(RemoteCase):
    def test_a_child_that_ends_or_hangs_at_what_is_not_initialize_is_started_again_and_remembered(self):
        for mode in ("ends at a probe", "closes at a probe", "hangs at a probe"):
            with self.subTest(mode=mode):
                log = self.folder / "starts"
                log.write_text("")
                server = self.serve_remote(self.child(era="legacy", mode=mode, log=str(log)) + "start_timeout_ms = 5000\n")
                self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
                self.assertEqual(log.read_text(), "server/discover\ninitialize\n")
                self.call(server, "r__die")
                until(lambda: "result" in self.call(server, "r__echo"))
                self.assertEqual(log.read_text(), "server/discover\ninitialize\ninitialize\n")
                server.kill()

    def test_a_server_that_closes_the_connection_of_a_probe_is_legacy(self):
        fake = self.http(era="legacy")
        fake.raw["server/discover"] = lambda message: b""
        server = self.serve_remote(f'url = "{fake.url}"\n')
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_server_that_never_answers_a_probe_is_legacy(self):
        fake = self.http(era="legacy")
        over = threading.Event()
        self.addCleanup(over.set)
        fake.raw["server/discover"] = lambda message: over.wait() and b""
        server = self.serve_remote(f'url = "{fake.url}"\nstart_timeout_ms = 5000\n')
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_verb_hears_a_child_that_ends_at_a_probe(self):
        log = self.folder / "starts"
        attributes = {"era": "legacy", "mode": "ends at a probe", "log": str(log)}
        command = shlex.join([sys.executable, str(FAKE), json.dumps(attributes)])
        done = run("list", "--command", command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("echo", done.stdout)


class Versions(RemoteCase):
    def test_a_version_that_is_configured_is_the_only_one_that_is_spoken(self):
        for body, fake in self.remotes(era="legacy"):
            server = self.serve_remote(body + 'protocol = "2025-06-18"\n')
            server.logged("remote r: connected, fake 1, protocol 2025-06-18")
            if fake:
                self.assertEqual(fake.remote.methods()[0], "initialize")
            server.kill()
        for body, fake in self.remotes(era="modern"):
            server = self.serve_remote(body + 'protocol = "2026-07-28"\n')
            server.logged("remote r: connected, fake 1, protocol 2026-07-28")
            server.kill()

    def test_a_remote_that_does_not_speak_the_version_is_down_and_says_so(self):
        for era, wanted, why in (("modern", "2025-11-25", "it does not understand initialize"),
                                 ("legacy", "2026-07-28", "it does not speak 2026-07-28, as `protocol` wants: server/discover fails"),
                                 ("2025-03-26", "2025-06-18", "it speaks 2025-03-26 instead of 2025-06-18, as `protocol` wants")):
            attributes = {"era": "legacy", "version": era} if era[0] == "2" else {"era": era}
            for body, fake in self.remotes(**attributes):
                with self.subTest(era=era, body=body):
                    server = self.serve_remotes(r=body + f'protocol = "{wanted}"\n')
                    server.logged("remote r: down: " + why)
                    if fake:
                        self.assertNotIn("initialize" if wanted == "2026-07-28" else "server/discover", fake.remote.methods())
                    server.kill()

    def test_a_server_that_refuses_the_newest_version_and_names_its_own_is_asked_in_that(self):
        theirs = ["2024-11-05", "2025-06-18", "2025-03-26"]
        for status, error in ((400, {"code": -32000, "message": f"Bad Request: Unsupported protocol version ({theirs})"}),
                              (200, {"code": -32602, "message": "Unsupported", "data": {"supported": theirs}})):
            with self.subTest(status=status):
                fake = self.http(era="legacy")

                def refuse(message):
                    del fake.raw["initialize"]
                    body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode()
                    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                    return head.encode() + body

                fake.raw["initialize"] = refuse
                server = self.serve_remote(f'url = "{fake.url}"\n')
                server.logged("remote r: connected, fake 1, protocol 2025-06-18")
                server.kill()

    def test_a_child_that_ends_at_the_only_request_that_is_wanted_is_not_asked_another(self):
        log = self.folder / "starts"
        server = self.serve_remotes(r=self.child(era="legacy", mode="ends at a probe", log=str(log)) + 'protocol = "2026-07-28"\n')
        server.logged("remote r: down: it has ended with exit code 2")
        self.assertEqual(log.read_text(), "server/discover\n")

    def remotes(self, **attributes):
        fake = self.http(**attributes)
        return (f'url = "{fake.url}"\n', fake), (self.child(**attributes), None)


class Causes(RemoteCase):
    def problem(self, body):
        """What `list --remotes` says of a remote that is down."""
        done = run("list", "--remotes", "-c", self.config(text="[remote.r]\n" + body))
        return done.stdout + done.stderr

    def test_the_last_words_of_a_child_are_shown(self):
        body = 'command = "sh"\nargs = ["-c", "echo one >&2; printf two >&2; exit 7"]\n'
        self.assertRegex(self.problem(body), "exit code 7; the last that it wrote to stderr: one [|] two")
        server = self.serve_remotes(r=body)
        server.logged("remote r: down: .*one [|] two")
        done = run("call", "echo", "--command", "sh -c 'echo three >&2; exit 7'")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("three", done.stderr)

    def test_what_a_child_writes_without_an_end_of_line_is_heard(self):
        script = "printf '10%%\\r100%%\\r' >&2; head -c 20000 /dev/zero | tr '\\0' x >&2; cat >&2"
        server = self.serve_remotes(r=f'command = "sh"\nargs = ["-c", {json.dumps(script)}]\n')
        for said in ("10%$", "100%$", "x{8192}$"):
            server.logged("remote r: stderr: " + said)

    def test_a_folder_that_is_missing_is_named(self):
        self.assertIn("its cwd /nonexistent/folder is no directory", self.problem('command = "sh"\ncwd = "/nonexistent/folder"\n'))

    def test_a_program_that_is_missing_is_named(self):
        self.assertIn("cannot start nonexistent-program: no such file", self.problem('command = "nonexistent-program"\n'))

    def test_a_server_that_has_moved_says_where_to(self):
        fake = self.http()
        for status in (301, 302, 303):
            for method in ("server/discover", "initialize"):
                fake.statuses[method] = (status, {"Location": "https://other.example/mcp"}, b"")
            self.assertRegex(self.problem(f'url = "{fake.url}"\n'), f"{status}: it redirects to https://other.example/mcp")

    def test_a_list_has_the_time_that_is_configured(self):
        fake = self.http()
        over = threading.Event()
        self.addCleanup(over.set)
        read = fake.remote.on_prompts_list
        fake.remote.on_prompts_list = lambda talk: over.wait() and read(talk)
        server = self.serve_remotes(r=f'url = "{fake.url}"\nlist_timeout_ms = 2000\n')
        server.logged("cannot read its prompts/list: it has not answered in time")
        until(lambda: "r__echo" in self.tools(server))


DRAFT_4 = {"type": "object", "properties": {"n": {"type": "number", "minimum": 0, "exclusiveMinimum": True}}}
DANGLING = {"type": "object", "properties": {"n": {"$ref": "#/$defs/none"}}}
PYTHON_REGEX = {"type": "object", "properties": {"n": {"type": "string", "pattern": "(?P<year>[0-9]+)"}}}


class Schemas(RemoteCase):
    def test_a_tool_whose_schema_cannot_be_read_is_offered_and_called(self):
        fake = self.http()
        for name, schema in (("draft_4", DRAFT_4), ("dangling", DANGLING), ("regex", PYTHON_REGEX)):
            fake.remote.tools.append(tool(name, schema))
            setattr(fake.remote, "tool_" + name, lambda talk, arguments: {"content": [{"type": "text", "text": json.dumps(arguments)}]})
        server = self.serve_remotes(r=f'url = "{fake.url}"\n')
        until(lambda: {"r__draft_4", "r__dangling", "r__regex"} <= set(self.tools(server)))
        self.assertEqual(self.tools(server)["r__dangling"]["inputSchema"], DANGLING)
        self.assertEqual(text_of(self.call(server, "r__dangling", {"n": 7})), '{"n": 7}')
        server.logged("r__dangling is offered, and its arguments are not checked")
        server.kill()
        strict = self.serve_remote(f'url = "{fake.url}"\nstrict = true\n')
        self.assertNotIn("r__dangling", self.tools(strict))
        strict.logged("r__dangling is left out: its inputSchema is no good")

    def test_a_schema_of_an_older_draft_is_offered_as_2020_12_by_a_server_that_had_no_dialect(self):
        old = {"type": "object", "properties": {"n": {"minimum": 0, "exclusiveMinimum": True},
                                                "pair": {"items": [{"type": "string"}], "additionalItems": False}}}
        new = {"type": "object", "properties": {"n": {"exclusiveMinimum": 0},
                                                "pair": {"prefixItems": [{"type": "string"}], "items": False}}}
        for version in ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"):
            with self.subTest(version):
                had_none = version < "2025-11-25"
                fake = self.http(era="modern" if version == "2026-07-28" else "legacy", version=version)
                fake.remote.tools.append(tool("old", old) | {"outputSchema": old})
                fake.remote.tool_old = lambda talk, arguments: {"content": []}
                server = self.serve_remote(f'url = "{fake.url}"\nstrict = true\n')
                self.assertEqual("r__old" in self.tools(server), had_none)
                if had_none:
                    self.assertEqual([self.tools(server)["r__old"][key] for key in ("inputSchema", "outputSchema")], [new, new])
                    for bad in ({"n": 0}, {"pair": [1]}, {"pair": ["a", "b"]}):
                        self.assertTrue(self.call(server, "r__old", bad)["result"]["isError"])
                server.kill()

    def test_a_result_schema_that_is_none_or_cannot_be_read_costs_itself(self):
        fake = self.http()
        for name, schema in (("null", None), ("text", "x"), ("bad", DANGLING)):
            fake.remote.tools.append(tool("t_" + name) | {"outputSchema": schema})
        fake.remote.tools.append(tool("t_empty") | {"inputSchema": {}})
        server = self.serve_remotes(r=f'url = "{fake.url}"\n')
        until(lambda: {"r__t_null", "r__t_text", "r__t_bad", "r__t_empty"} <= set(self.tools(server)))
        tools = self.tools(server)
        for name in ("null", "text", "bad"):
            self.assertNotIn("outputSchema", tools["r__t_" + name])
        self.assertEqual(tools["r__t_empty"]["inputSchema"], {"type": "object"})

    def test_two_tools_of_one_name_are_said(self):
        fake = self.http()
        fake.remote.tools.append(tool("echo"))
        self.serve_remotes(r=f'url = "{fake.url}"\n').logged("remote r: it offers echo twice: the first one counts")


class Loops(RemoteCase):
    def free_port(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            return listener.getsockname()[1]

    def test_a_gateway_that_imports_itself_over_http_refuses_itself(self):
        port = self.free_port()
        fake = self.http()
        server = self.serve(listen=(f"http://127.0.0.1:{port}",),
                            text=f'[log]\nlevel = "debug"\n[remote.other]\nurl = "{fake.url}"\n'
                                 f'[remote.me]\nurl = "http://127.0.0.1:{port}/mcp"\n')
        server.logged("remote me: down: it is this gateway itself")
        until(lambda: "other__echo" in self.tools(server))
        until(lambda: not [name for name in self.tools(server) if name.startswith("me__")])
        self.assertEqual(text_of(self.call(server, "other__echo", {"text": "on"})), "on")

    def test_gateways_that_import_each_other_offer_what_is_the_others_once(self):
        ports = self.free_port(), self.free_port()
        servers = []
        for mine, its in (ports, reversed(ports)):
            fake = self.http()
            text = (f'[log]\nlevel = "debug"\n[remote.own]\nurl = "{fake.url}"\n'
                    f'[remote.its]\nurl = "http://127.0.0.1:{its}/mcp"\n')
            servers.append(self.serve(listen=(f"http://127.0.0.1:{mine}",), text=text))
        for server in servers:
            until(lambda: "its__own__echo" in self.tools(server))
            server.logged("left out: it has them from this gateway")
            until(lambda: not [name for name in self.tools(server) if name.startswith("its__its__its")])

    def test_a_call_that_has_come_through_many_gateways_is_refused(self):
        fake = self.http()
        server = self.serve_remote(f'url = "{fake.url}"\n')
        told = json.loads(text_of(self.call(server, "r__meta")))["meta"]
        self.assertEqual(told["collet/hops"], 1)
        told = json.loads(text_of(self.call(server, "r__meta", meta={"collet/hops": 7})))["meta"]
        self.assertEqual(told["collet/hops"], 8)
        error = self.call(server, "r__meta", meta={"collet/hops": 8})["error"]
        self.assertIn("too many gateways", error["message"])


if __name__ == "__main__":
    main()

"""What remote servers offer, through the real binary: imported, called, asked and told of, in both eras."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from fake_remote import FakeRemote, HttpRemote, RpcError, tool
from peer import Case, Process, is_running, main, modern, post, request, run, text_of, until

FAKE = Path(__file__).with_name("fake_remote.py")
MODERN = "2026-07-28"
CAPABILITIES = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}


class RemoteCase(Case):
    def http(self, **attributes):
        server = HttpRemote(FakeRemote(**attributes))
        self.addCleanup(server.stop)
        return server

    def child(self, **attributes):
        """The TOML of a child."""
        return f'command = "{sys.executable}"\nargs = ["{FAKE}", {json.dumps(json.dumps(attributes))}]\n'

    def serve_remotes(self, text="", **remotes):
        tables = "".join(f"\n[remote.{name}]\n{body}" for name, body in remotes.items())
        return self.serve(text='[log]\nlevel = "debug"\n' + text + tables)

    def serve_remote(self, body, **options):
        """One remote "r" whose lists have been read."""
        server = self.serve_remotes(r=body, **options)
        server.logged(r"remote r: ready")
        until(lambda: self.tools(server) and self.result(server, "prompts/list")["prompts"])
        return server

    def wait_for_resources(self, server):
        """Only what is there is watched."""
        until(lambda: self.result(server, "resources/list")["resources"])
        until(lambda: self.result(server, "resources/templates/list")["resourceTemplates"])

    def ask(self, server, method, capabilities=None, meta=None, headers=None, **params):
        meta = {"io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": CAPABILITIES if capabilities is None else capabilities,
                **(meta or {})}
        name = params.get("name") or params.get("uri") or params.get("taskId")
        more = {"MCP_Protocol_Version": MODERN, "Mcp_Method": method, "Accept": "application/json, text/event-stream"}
        if method in ("tools/call", "prompts/get", "resources/read", "tasks/get", "tasks/update", "tasks/cancel"):
            more["Mcp_Name"] = name
        return server.post(request(1, method, **params, _meta=meta), **more, **(headers or {}))

    def result(self, server, method, **options):
        answer = self.ask(server, method, **options)
        if "result" not in answer.message:
            raise AssertionError(answer.message)
        return answer.message["result"]

    def call(self, server, name, arguments=None, **options):
        return self.ask(server, "tools/call", name=name, arguments=arguments or {}, **options).message

    def begin_call(self, connection, name, arguments=None, **meta):
        """Sends it, and leaves the answer to the test."""
        meta |= {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
        connection.send(post(request(1, "tools/call", name=name, arguments=arguments or {}, _meta=meta),
                             MCP_Protocol_Version=MODERN, Mcp_Method="tools/call", Mcp_Name=name,
                             Accept="application/json, text/event-stream"))

    def tools(self, server):
        return {item["name"]: item for item in self.result(server, "tools/list")["tools"]}


def both_eras(test):
    """Runs the test against a remote of either era and of either transport."""
    def wrapped(self):
        for era in ("modern", "legacy"):
            for transport in ("http", "stdio"):
                with self.subTest(era=era, transport=transport):
                    remote = None
                    if transport == "http":
                        fake = self.http(era=era)
                        remote, body = fake.remote, f'url = "{fake.url}"\n'
                    else:
                        body = self.child(era=era)
                    server = self.serve_remote(body)
                    test(self, server, remote)
                    server.kill()
    return wrapped


class Import(RemoteCase):
    @both_eras
    def test_everything_is_offered_and_works(self, server, remote):
        tools = self.tools(server)
        self.assertIn("r__echo", tools)
        self.assertEqual(tools["r__read_only"]["annotations"], {"readOnlyHint": True})
        result = self.result(server, "tools/call", name="r__echo", arguments={"text": "a \u00e9 b"})
        self.assertEqual(result["content"], [{"type": "text", "text": "a \u00e9 b"}])
        self.assertEqual(result["structuredContent"], {"number": 1.5})
        self.assertEqual(result["more"], {"kept": True})
        self.assertEqual(result["resultType"], "complete")
        self.assertEqual(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "collet")

        until(lambda: [each["uri"] for each in self.result(server, "resources/list")["resources"]] == ["fake://one"])
        read = self.result(server, "resources/read", uri="fake://one")
        self.assertEqual(read["contents"], [{"uri": "fake://one", "text": "contents of fake://one"}])
        read = self.result(server, "resources/read", uri="fake://item/7")
        self.assertEqual(read["contents"][0]["text"], "contents of fake://item/7")
        prompt = self.result(server, "prompts/get", name="r__greet", arguments={"who": "you"})
        self.assertEqual(prompt["messages"][0]["content"]["text"], "hello you")
        self.assertEqual(prompt["description"], "a greeting")
        completion = self.result(server, "completion/complete", ref={"type": "ref/prompt", "name": "r__greet"},
                                 argument={"name": "who", "value": "m"}, context={"arguments": {}})["completion"]
        self.assertEqual(completion["values"], ["m!", '{"name": "greet", "type": "ref/prompt"}'])
        self.assertEqual((completion["total"], completion["hasMore"]), (9, True))
        completion = self.result(server, "completion/complete", ref={"type": "ref/resource", "uri": "fake://item/{id}"},
                                 argument={"name": "id", "value": "7"})["completion"]
        self.assertEqual(completion["values"][1], '{"type": "ref/resource", "uri": "fake://item/{id}"}')

        error = self.call(server, "r__refuse")["error"]
        self.assertEqual(error, {"code": -32099, "message": "I refuse", "data": {"why": "I can"}})

    def test_only_what_is_named_is_offered(self):
        fake = self.http()
        server = self.serve_remote(f'url = "{fake.url}"\nonly = ["re*", "echo", "greet", "fake://item/*"]\nhide = ["refuse"]\n')
        self.assertEqual(set(self.tools(server)), {"r__echo", "r__read_only"})
        templates = until(lambda: self.result(server, "resources/templates/list")["resourceTemplates"])
        self.assertEqual(self.result(server, "resources/list")["resources"], [])
        self.assertEqual([each["uriTemplate"] for each in templates], ["fake://item/{id}"])
        self.assertIn("unknown tool r__wait", self.call(server, "r__wait")["error"]["message"])

    def test_changed_lists_are_read_again(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                fake = self.http(era=era)
                server = self.serve_remote(f'url = "{fake.url}"\n')
                until(lambda: fake.remote.listeners)
                fake.remote.tools.append(tool("added"))
                fake.remote.tools[0]["inputSchema"] = {"type": "object", "required": ["text"]}
                fake.remote.tell("notifications/tools/list_changed")
                until(lambda: "r__added" in self.tools(server))
                self.assertEqual(self.tools(server)["r__echo"]["inputSchema"]["required"], ["text"])
                server.logged("it has changed echo")

    def test_a_list_is_read_again_when_its_time_is_over(self):
        fake = self.http(list_changed=False, ttl_ms=1)
        server = self.serve_remote(f'url = "{fake.url}"\n')
        fake.remote.tools.append(tool("added"))
        until(lambda: "r__added" in self.tools(server))

    def test_names_are_as_configured(self):
        fake = self.http()
        server = self.serve_remote(f'url = "{fake.url}"\nprefix = "x_"\nrename = {{ echo = "say" }}\nhide = ["wait"]\n')
        names = set(self.tools(server))
        self.assertIn("say", names)
        self.assertIn("x_refuse", names)
        self.assertFalse({"x_wait", "x_echo", "r__echo"} & names)
        self.assertEqual(text_of(self.call(server, "say", {"text": "hi"})), "hi")

    def test_instructions_of_remotes_are_part_of_ours(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                kind, mute = self.http(era=era, instructions="Be kind."), self.http(era=era, instructions="Be mute.")
                server = self.serve_remotes(text='[server]\ninstructions = "Be brief."\n', kind=f'url = "{kind.url}"\n',
                                            mute=f'url = "{mute.url}"\ninstructions = false\n')
                instructions = lambda: self.result(server, "server/discover")["instructions"]
                until(lambda: instructions() == "Be brief.\n\n## kind\n\nBe kind.")
                initialized = server.post(request(1, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={}))
                self.assertEqual(initialized.message["result"]["instructions"], instructions())
                kind.stop()
                again = HttpRemote(FakeRemote(era=era, instructions="Be quick."), kind.port)
                self.addCleanup(again.stop)
                until(lambda: (self.call(server, "kind__echo"), "Be quick." in instructions())[1])
                server.kill()

    def test_a_bad_item_costs_only_itself(self):
        fake = self.http()
        fake.remote.tools += [{"title": "no name"}, 7, tool("bad_header", {"type": "object", "properties": {"a": {"type": "string", "x-mcp-header": ""}}})]
        server = self.serve_remote(f'url = "{fake.url}"\n')
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "hi"})), "hi")
        self.assertNotIn("r__bad_header", self.tools(server))
        server.logged("bad_header: its x-mcp-header of a is no header name")

    def test_what_a_client_watches_is_watched_at_the_remote(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                fake = self.http(era=era)
                server = self.serve_remote(f'url = "{fake.url}"\n')
                until(lambda: fake.remote.listeners)
                self.wait_for_resources(server)
                with server.connect() as connection:
                    connection.send(modern(request(7, "subscriptions/listen", notifications={
                        "resourceSubscriptions": ["fake://one", "fake://item/3"]})))
                    self.assertTrue(connection.head().is_stream)
                    self.assertEqual(connection.event()["method"], "notifications/subscriptions/acknowledged")
                    until(lambda: {"fake://one", "fake://item/3"} <= watched(fake.remote))
                    until(lambda: era == "legacy" or hears(fake.remote, "fake://item/3"))
                    fake.remote.tell("notifications/resources/updated", uri="fake://not-watched")
                    fake.remote.tell("notifications/resources/updated", uri="fake://item/3")
                    self.assertEqual(connection.event()["params"]["uri"], "fake://item/3")
                until(lambda: not watched(fake.remote))

    def test_legacy_clients_are_served_by_remotes_of_both_eras(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                peer = self.stdio(text="\n[remote.r]\n" + self.child(era=era))
                peer.logged(r"remote r: \d+ prompts")
                peer.ask(request(1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={}))
                until(lambda: any(t["name"] == "r__echo" for t in peer_list(peer)))
                peer.send(request(3, "tools/call", name="r__echo", arguments={"text": "hi"}))
                answer = answer_of(peer, 3)
                self.assertEqual(answer["result"]["content"][0]["text"], "hi")
                self.assertNotIn("resultType", answer["result"])


def watched(remote):
    """What a fake has been asked to tell of, and not been asked to stop. Requests to listen come on connections of their
    own: which is the newest is told by their ids."""
    uris, newest = set(), -1
    with remote.lock:
        for message in remote.seen:
            method, params = message.get("method"), message.get("params", {})
            if method == "subscriptions/listen":
                if message["id"] > newest:
                    newest = message["id"]
                    uris = set(params["notifications"].get("resourceSubscriptions", ()))
            elif method == "resources/subscribe":
                uris.add(params["uri"])
            elif method == "resources/unsubscribe":
                uris.discard(params["uri"])
    return uris


def hears(remote, uri):
    """Modern: whether somebody who listens has asked for that resource."""
    with remote.lock:
        return any(uri in talk.params["notifications"].get("resourceSubscriptions", ()) for talk in remote.listeners)


def answer_of(peer, id):
    return next(message for message in iter(peer.receive, None) if message.get("id") == id and "method" not in message)


def peer_list(peer):
    peer.send(request(2, "tools/list"))
    return answer_of(peer, 2)["result"]["tools"]


class HttpWithSse(RemoteCase):
    """The transport of 2024-11-05, found by itself or configured."""

    def test_a_server_of_2024_is_found_out(self):
        for transport in ("auto", "sse"):
            with self.subTest(transport=transport):
                fake = self.http(era="legacy", version="2024-11-05", mode="sse")
                server = self.serve_remote(f'url = "{fake.url}"\ntransport = "{transport}"\n')
                self.assertEqual(text_of(self.call(server, "r__echo", {"text": "hi"})), "hi")
                result = self.call(server, "r__ask")["result"]
                (key, _), = result["inputRequests"].items()
                answer = self.call(server, "r__ask", inputResponses={key: {"action": "accept", "content": {"name": "Ada"}}},
                                   requestState=result["requestState"])
                self.assertEqual(text_of(answer), "accept Ada")
                fake.remote.tools.append(tool("added"))
                fake.remote.tell("notifications/tools/list_changed")
                until(lambda: "r__added" in self.tools(server))

    def test_its_stream_ends(self):
        fake = self.http(era="legacy", version="2024-11-05", mode="sse")
        server = self.serve_remote(f'url = "{fake.url}"\ntransport = "sse"\n')
        for connection in list(fake.connections):
            connection.shutdown(socket.SHUT_RDWR)
        until(lambda: "result" in self.call(server, "r__echo", {"text": "again"}))


class Opening(RemoteCase):
    """A legacy remote is told that it is initialized, and heard, before anything else is asked of it."""

    def early_messages(self, mode):
        """What a legacy remote is sent before it has taken the notification that it is initialized."""
        fake = self.http(era="legacy", mode=mode)
        take, initialized, early = fake.remote.take, threading.Event(), []

        def slow(message, *rest):
            if message["method"] == "notifications/initialized":
                time.sleep(0.1)  # a slow server
                initialized.set()
            elif message["method"] not in ("server/discover", "initialize") and not initialized.is_set():
                early.append(message["method"])
            return take(message, *rest)

        fake.remote.take = slow
        self.serve_remote(f'url = "{fake.url}"\ntransport = "{mode or "auto"}"\n')
        return early

    def test_nothing_is_asked_before_the_remote_knows_that_it_is_initialized(self):
        self.assertEqual(self.early_messages(""), [])
        self.assertEqual(self.early_messages("sse"), [])

    def test_a_question_right_after_the_lists_is_heard_on_the_side_stream(self):
        fake = self.http(era="legacy")
        get, lists = fake.get, fake.remote.on_tools_list

        def slow(http):
            time.sleep(0.1)
            get(http)

        def asking(talk):
            with fake.remote.lock:
                side, = fake.remote.listeners
            self.roots = side.ask("roots/list")
            return lists(talk)

        fake.get, fake.remote.on_tools_list = slow, asking
        self.serve_remote(f'url = "{fake.url}"\n')
        self.assertEqual(self.roots, {"roots": []})

    def test_a_remote_that_never_answers_the_get_is_used_all_the_same(self):
        fake = self.http(era="legacy")
        never = threading.Event()
        self.addCleanup(never.set)
        fake.get = lambda http: never.wait()
        server = self.serve_remote(f'url = "{fake.url}"\n')
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")


class Calls(RemoteCase):
    @both_eras
    def test_progress_and_log_messages_reach_the_caller(self, server, remote):
        with server.connect() as connection:
            self.begin_call(connection, "r__noisy", progressToken="p", **{"io.modelcontextprotocol/logLevel": "debug"})
            head = connection.head()
            self.assertTrue(head.is_stream)
            events = []
            while "result" not in (event := connection.event()):
                events.append(event)
        progress = [e["params"] for e in events if e["method"] == "notifications/progress"]
        self.assertEqual(progress, [{"progressToken": "p", "progress": 1, "total": 2, "message": "half"}])
        logs = [e["params"] for e in events if e["method"] == "notifications/message"]
        self.assertEqual(logs, [{"level": "warning", "logger": "fake", "data": {"said": "something"}}])

    def test_a_cancelled_call_is_cancelled_at_the_remote(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                fake = self.http(era=era)
                server = self.serve_remote(f'url = "{fake.url}"\n')
                with server.connect() as connection:
                    self.begin_call(connection, "r__wait")
                    until(lambda: "tools/call" in fake.remote.methods())
                if era == "legacy":
                    until(lambda: "notifications/cancelled" in fake.remote.methods())
                self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
                for talk in fake.remote.running.values():
                    talk.cancelled.set()

    def test_a_deadline_ends_the_call_and_cancels_the_remote(self):
        server = self.serve_remote(self.child(era="legacy") + "tools.wait.timeout_ms = 50\n")
        answer = self.call(server, "r__wait")
        self.assertTrue(answer["result"]["isError"])
        self.assertIn("did not answer within 50 ms", text_of(answer))

    def test_trace_context_and_the_callers_headers_travel_on(self):
        fake = self.http()
        server = self.serve_remote(f'url = "{fake.url}"\nheaders = {{ X-Fixed = "f", X-From = "for ${{header:X-Team}}" }}\n'
                                   'forward_headers = ["X-Team"]\nforward_token = true\n')
        answer = self.call(server, "r__meta", meta={"traceparent": "00-1-2-01", "org.example/x": [1]},
                           headers={"X-Team": "blue", "Authorization": "Bearer t", "X-Other": "secret"})
        seen = json.loads(text_of(answer))
        self.assertEqual(seen["meta"]["traceparent"], "00-1-2-01")
        self.assertEqual(seen["meta"]["org.example/x"], [1])
        self.assertEqual(seen["meta"]["io.modelcontextprotocol/clientCapabilities"], CAPABILITIES)
        headers = seen["headers"]
        self.assertEqual((headers["x-fixed"], headers["x-from"]), ("f", "for blue"))
        self.assertEqual((headers["x-team"], headers["authorization"]), ("blue", "Bearer t"))
        self.assertNotIn("x-other", headers)

    def test_annotated_parameters_are_repeated_in_headers(self):
        fake = self.http()
        schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
        fake.remote.tools.append(tool("meta_of", schema))
        fake.remote.tool_meta_of = fake.remote.tool_meta
        server = self.serve_remote(f'url = "{fake.url}"\n')
        answer = self.call(server, "r__meta_of", {"region": "eu"}, headers={"Mcp-Param-Region": "eu"})
        headers = json.loads(text_of(answer))["headers"]
        self.assertEqual(headers["mcp-param-region"], "eu")
        self.assertEqual((headers["mcp-method"], headers["mcp-name"]), ("tools/call", "meta_of"))


class Questions(RemoteCase):
    """Elicitation, sampling and roots in the four combinations of eras."""
    QUESTIONS = {
        "ask": ({"action": "accept", "content": {"name": "Ada"}}, "accept Ada"),
        "sample": ({"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "m"}, "Paris"),
        "roots": ({"roots": [{"uri": "file:///r"}]}, "file:///r"),
    }

    @both_eras
    def test_a_modern_client_is_asked(self, server, remote):
        for name, (response, expected) in self.QUESTIONS.items():
            result = self.call(server, f"r__{name}")["result"]
            self.assertEqual(result["resultType"], "input_required")
            (key, asked), = result["inputRequests"].items()
            self.assertIn(asked["method"], ("elicitation/create", "sampling/createMessage", "roots/list"))
            answer = self.call(server, f"r__{name}", inputResponses={key: response}, requestState=result["requestState"])
            self.assertEqual(text_of(answer), expected)

    def test_a_legacy_client_is_asked(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                peer = self.stdio(text="\n[remote.r]\n" + self.child(era=era))
                peer.logged(r"remote r: \d+ prompts")
                peer.ask(request(1, "initialize", protocolVersion="2025-11-25", capabilities=CAPABILITIES, clientInfo={}))
                until(lambda: any(t["name"] == "r__ask" for t in peer_list(peer)))
                for number, (name, (response, expected)) in enumerate(self.QUESTIONS.items(), 10):
                    peer.send(request(number, "tools/call", name=f"r__{name}", arguments={}))
                    question = peer.receive()
                    while "id" not in question:
                        question = peer.receive()
                    self.assertIn(question["method"], ("elicitation/create", "sampling/createMessage", "roots/list"))
                    peer.send({"jsonrpc": "2.0", "id": question["id"], "result": response})
                    self.assertEqual(text_of(answer_of(peer, number)), expected)

    def test_why_a_legacy_client_does_not_answer_reaches_its_user(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                peer = self.stdio(text="\n[remote.r]\n" + self.child(era=era))
                peer.logged(r"remote r: \d+ prompts")
                peer.ask(request(1, "initialize", protocolVersion="2025-11-25", capabilities=CAPABILITIES, clientInfo={}))
                until(lambda: any(t["name"] == "r__sample" for t in peer_list(peer)))
                peer.send(request(10, "tools/call", name="r__sample", arguments={}))
                while "id" not in (question := peer.receive()):
                    pass
                error = {"code": -1, "message": "the person has no budget left"}
                peer.send({"jsonrpc": "2.0", "id": question["id"], "error": error})
                result = answer_of(peer, 10)["result"]
                self.assertTrue(result["isError"])
                self.assertIn("the person has no budget left (-1)", result["content"][0]["text"])

    def test_a_client_that_cannot_be_asked_leaves_a_legacy_remote_with_an_error(self):
        server = self.serve_remote(f'url = "{self.http(era="legacy").url}"\n')
        error = self.call(server, "r__ask", capabilities={})["error"]
        self.assertIn("nobody is there whom this could be asked", error["message"])

    def test_an_answer_to_a_question_that_nobody_waits_for_any_more_is_refused(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        result = self.call(server, "r__ask")["result"]
        (key, _), = result["inputRequests"].items()
        response = self.QUESTIONS["ask"][0]
        again = dict(inputResponses={key: response}, requestState=result["requestState"])
        self.assertEqual(text_of(self.call(server, "r__ask", **again)), "accept Ada")
        self.assertIn("its question has expired", self.call(server, "r__ask", **again)["error"]["message"])


class Terminal(RemoteCase):
    def test_any_server_is_listed_and_called_by_its_url(self):
        for era in ("modern", "legacy"):
            url = self.http(era=era).url
            listed = run("list", "--url", url)
            self.assertEqual(listed.returncode, 0)
            self.assertRegex(listed.stdout, r"(?m)^tool +echo +")
            self.assertRegex(listed.stdout, r"(?m)^template +fake://item/\{id\}")
            called = run("call", "--url", url, "echo", "--args", '{"text":"hi"}')
            self.assertEqual((called.returncode, called.stdout), (0, "hi\n"))

    def test_headers_and_a_token_are_sent_with_every_request(self):
        done = run("call", "--url", self.http().url, "--header", "X-Team: blue", "-H", "X-From:${env:FROM}", "--token",
                   "${env:SECRET}", "meta", env={**os.environ, "SECRET": "s3", "FROM": "here"})
        headers = json.loads(done.stdout)["headers"]
        self.assertEqual([headers[name] for name in ("x-team", "x-from", "authorization")], ["blue", "here", "Bearer s3"])
        for wrong, why in (("no header", "must be a header"), ("X y: z", "header")):
            done = run("call", "--url", "http://127.0.0.1:1/", "-H", wrong, "meta")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)
        self.assertEqual(run("list", "--command", "true", "--token", "s3").returncode, 1)

    def test_any_command_is_listed_and_called(self):
        command = f"{sys.executable} {FAKE}"
        self.assertRegex(run("list", "--command", command).stdout, r"(?m)^prompt +greet")
        self.assertEqual(run("call", "--command", command, "echo", "--args", '{"text":"hi"}').stdout, "hi\n")

    def test_a_command_is_run_as_at_the_prompt(self):
        server = f"{sys.executable} {FAKE}"
        for command in (f"A=b {server}", f"export A=b; cd / && {server}", f"{server} '{{}}' | cat"):
            done = run("call", "--command", command, "echo", "--args", '{"text":"hi"}')
            self.assertEqual((done.returncode, done.stdout), (0, "hi\n"), done.stderr)
        done = run("call", "--command", f"A=b {server}", "variables", env={**os.environ, "MY_API_KEY": "of mine"})
        variables = json.loads(done.stdout)
        self.assertEqual((variables["A"], variables["MY_API_KEY"]), ("b", "of mine"))

    def test_what_a_command_writes_to_stderr_is_shown_as_it_comes(self):
        fetched = self.folder / "fetched"
        os.mkfifo(fetched)
        command = f"echo fetching >&2; read word <{fetched}; exec {sys.executable} {FAKE}"
        verb = Process("list", "--command", command, stdout=subprocess.PIPE)
        self.addCleanup(verb.kill)
        verb.logged("stderr: fetching")
        fetched.write_text("done\n")  # not before that was seen
        self.assertIn(b"echo", verb._process.stdout.read())
        self.assertEqual(verb.wait(), 0)

    def test_a_signal_ends_a_verb_with_its_command_and_what_that_has_started(self):
        # A child of the command reads no stdin that could end.
        says = "sleep 1000 </dev/null & echo pids $! $$ >&2; "
        hangs, waits = says + "exec sleep 1000", says + f"exec {sys.executable} {FAKE}"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for verb in (("list", "--command", hangs), ("call", "--command", waits, "wait"), ("call", "--command", hangs, "x")):
                with self.subTest(number=number, verb=verb):
                    process = Process(*verb, stdout=subprocess.DEVNULL)
                    self.addCleanup(process.kill)
                    pids = [int(pid) for pid in process.logged(r"pids (\d+) (\d+)").groups()]
                    if "wait" in verb:
                        process.logged("waiting")
                    process.signal(number)
                    self.assertGreater(process.wait(), 0)
                    self.assertTrue(process.logged("collet: interrupted"))
                    until(lambda: not any(map(is_running, pids)))

    def test_a_command_dies_with_a_verb_that_is_killed(self):
        process = Process("list", "--command", "echo pid $$ >&2; exec sleep 1000", stdout=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        pid = int(process.logged(r"pid (\d+)")[1])
        process.kill()
        until(lambda: not is_running(pid))

    def test_what_a_command_writes_to_stderr_cannot_steer_a_terminal(self):
        said = r"printf '\302\2332J \342\200\256 a\tb\n' >&2; "
        done = run("list", "--command", said + f"exec {sys.executable} {FAKE}")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"stderr: \\+xc2\\+x9b2J \\+xe2\\+x80\\+xae a")
        self.assertNotRegex(done.stderr, "[\x80-\x9f\u202e]")

    def test_a_server_that_is_named_by_nothing_is_wrong_usage(self):
        for verb in (("list",), ("call", "echo")):
            for option in ("--url", "--command"):
                for nothing in ("", " "):
                    with self.subTest(verb=verb, option=option):
                        done = run(*verb, option, nothing)
                        self.assertEqual((done.returncode, done.stdout), (1, ""))
                        self.assertRegex(done.stderr, f"{option}: must not be empty")

    def test_what_cannot_be_sent_to_a_server_is_wrong_usage(self):
        url = "http://127.0.0.1:1/"
        for options, why in (((url, "--token", "a\r\nb"), "--token: .*line break"),
                             ((url, "--token", "${env:COLLET_NOPE}"), "--token: the environment variable COLLET_NOPE is not set"),
                             ((url, "--header", ": v"), "--header: '' is no name of a header"),
                             ((url, "--header", "X: a\nb"), "--header X: .*line break"),
                             ((url, "--token", "t", "-H", "authorization: Basic x"), ".* exclude each other"),
                             ((url, "-H", "host: evil"), "--header: host is set by Collet itself"),
                             ((url, "-H", "Content-Length: 1"), "--header: Content-Length is set by Collet itself"),
                             (("file:///etc/passwd",), "--url: file:///etc/passwd is no http:// or https:// URL"),
                             (("http://h\r\nX",), "--url: .*line break")):
            for verb in (("list",), ("call", "echo")):
                with self.subTest(verb=verb, options=options):
                    done = run(*verb, "--url", *options)
                    self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                    self.assertRegex(done.stderr, f"^collet: {why}")
                    self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_a_person_sees_what_a_call_says_on_its_way(self):
        for era in ("modern", "legacy"):
            done = run("call", "--url", self.http(era=era).url, "noisy")
            self.assertEqual(done.stdout, "done\n")
            self.assertIn("1/2 half\n", done.stderr)
            self.assertIn('{"said":', done.stderr)

    def test_a_server_that_is_not_there_is_said_to_be_unreachable(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            gone = f"http://127.0.0.1:{free.getsockname()[1]}/mcp"
        for verb in (("list",), ("list", "--remotes"), ("call", "echo")):
            for way, why in ((("--url", gone), "connect"), (("--command", "false"), "it has ended with exit code 1")):
                with self.subTest(verb=verb, way=way):
                    done = run(*verb, *way)
                    self.assertEqual((done.returncode, done.stdout), (4, ""), done.stderr)
                    self.assertRegex(done.stderr, f"(?m)^collet: {way[1]} cannot be reached: .*{why}")

    def test_remotes_are_told_apart_by_their_arguments_without_secrets(self):
        config = self.config(text='[remote.a]\ncommand = "false"\nargs = ["-y", "one", "--api-key", "hush", "--token=hush"]\n'
                                  '[remote.b]\ncommand = "false"\nargs = ["-y", "two", "http://me:hush@localhost/"]\n')
        for format in ("text", "json"):
            said = run("list", "--remotes", "-c", config, "--format", format).stdout
            self.assertIn("false -y one --api-key *** --token=***", said)
            self.assertIn("false -y two http://***@localhost/", said)
            self.assertNotIn("hush", said)

    def test_a_list_that_cannot_be_read_is_an_exit_code(self):
        fake = self.http()

        def offline(talk):
            raise RpcError(-32603, "fetch failed")

        fake.remote.on_tools_list = offline
        for verb in (("list",), ("list", "--remotes"), ("call", "echo")):
            with self.subTest(verb=verb):
                done = run(*verb, "--url", fake.url)
                self.assertEqual(done.returncode, 4)
                self.assertIn("cannot read its tools/list: fetch failed (-32603)", done.stderr)
        self.assertIn("prompt", run("list", "--url", fake.url).stdout)  # what else there is

    def test_a_call_of_a_remote_that_is_down_says_so(self):
        config = self.config("echo", text='[remote.gone]\ncommand = "false"\n[remote.off]\nurl = "http://x/"\nenabled = false\n')
        done = run("call", "gone__echo", "-c", config)
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertRegex(done.stderr, "(?m)^collet: there is no tool gone__echo.*\n  remote gone is down: .*it has ended with exit code 1")
        self.assertNotIn("remote off", done.stderr)
        self.assertEqual(run("call", "echo", "--args", '{"text":"hi"}', "-c", config).stdout, "hi\n")

    def test_the_health_of_remotes_is_shown(self):
        config = self.config(text=f'[remote.good]\nurl = "{self.http(era="legacy").url}"\n'
                                  '[remote.bad]\ncommand = "/nonexistent"\n[remote.off]\nurl = "http://x/"\nenabled = false\n')
        lines = run("list", "--remotes", "-c", config).stdout.splitlines()
        self.assertRegex(lines[0], r"^good +up +http://.* fake 1 \(2025-11-25, legacy\)  11 tools, 1 resources, 1 templates")
        self.assertRegex(lines[1], r"^bad +down +/nonexistent  cannot start /nonexistent")
        self.assertRegex(lines[2], r"^off +disabled")
        health = json.loads(run("list", "--remotes", "-c", config, "--format", "json").stdout)
        self.assertEqual([each["state"] for each in health["remotes"]], ["up", "down", "disabled"])
        self.assertEqual(run("list", "--remotes").returncode, 1)

    def test_a_remote_that_has_failed_is_down_while_it_is_tried_again(self):
        # It is started a second time at once, as it may have ended of being probed.
        failed, tried = self.folder / "failed", self.folder / "tried"
        bad = (f'if [ "$(wc -c < "{failed}")" -lt 2 ]; then printf x >> "{failed}"; exit 3; fi; '
               f'touch "{tried}"; exec sleep 600')
        failed.touch()
        good = f'until [ -e "{tried}" ]; do sleep 0.1; done; exec "{sys.executable}" "{FAKE}" {{}}'
        config = self.config(text="".join(f"[remote.{name}]\ncommand = 'sh'\nargs = ['-c', '{script}']\n"
                                          for name, script in (("bad", bad), ("good", good))))
        lines = run("list", "--remotes", "-c", config).stdout.splitlines()
        self.assertRegex(lines[0], r"^bad +down +sh .*it has ended with exit code 3")
        self.assertRegex(lines[1], r"^good +up ")


if __name__ == "__main__":
    main()

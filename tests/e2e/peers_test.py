"""A plugin that lists and calls what others offer, as whoever calls it: in both placements, both eras, with remotes."""
import json

from fake_remote import FakeRemote, HttpRemote
from peer import PLUGINS, Case, call, main, modern, post, request, run, text_of, until

VERSION = "2025-11-25"
CAPABILITIES = {"elicitation": {}, "sampling": {}, "roots": {}}
TABLES = {
    "in-process": f'[plugin.peers]\nlibrary = "{PLUGINS["peers"]}"\n',
    "worker": f'[plugin.peers]\nlibrary = "{PLUGINS["peers"]}"\nplacement = "worker"\npermissions.items = ["*"]\n',
}


class Legacy:
    """A client with a session."""

    def __init__(self, server, **headers):
        opened = server.post(request(0, "initialize", protocolVersion=VERSION, capabilities=CAPABILITIES,
                                     clientInfo={"name": "test", "version": "1"}), **headers)
        self.server = server
        self.headers = headers | {"Mcp_Session_Id": opened.headers["mcp-session-id"], "MCP_Protocol_Version": VERSION,
                                  "Accept": "application/json, text/event-stream"}

    def ask(self, message, answers=()):
        """The answer; what is asked meanwhile is answered in turn, other messages are kept."""
        answers = list(answers)
        self.heard = []
        with self.server.connect() as connection:
            connection.send(post(message, **self.headers))
            head = connection.head()
            if not head.is_stream:
                return connection.body_of(head).message
            for event in iter(connection.event, None):
                if "method" not in event:
                    return event
                self.heard.append(event)
                if "id" in event:
                    reply = {"jsonrpc": "2.0", "id": event["id"], "result": answers.pop(0)}
                    self.server.post(reply, **self.headers)
        raise AssertionError("no answer")


class Modern:
    """Each round of a call goes to the next one of these servers."""

    def __init__(self, *servers, **headers):
        self.servers, self.headers = servers, headers

    def ask(self, message, answers=()):
        message["params"]["_meta"] = message["params"].get("_meta", {}) | {
            "io.modelcontextprotocol/clientCapabilities": CAPABILITIES}
        self.heard = []
        self.servers = (*self.servers[1:], self.servers[0])
        with self.servers[-1].connect() as connection:
            connection.send(modern(message, Accept="application/json, text/event-stream", **self.headers))
            head = connection.head()
            events = iter(connection.event, None) if head.is_stream else [connection.body_of(head).message]
            for answer in events:
                if "method" not in answer:
                    break
                self.heard.append(answer)
        result = answer.get("result", {})
        if result.get("resultType") != "input_required":
            return answer
        asked = list(result["inputRequests"])
        message["params"] |= {"requestState": result["requestState"], "inputResponses": dict(zip(asked, answers))}
        return self.ask(message, list(answers)[len(asked):])


def relay(tool, token=None, **arguments):
    return call(1, "relay", {"tool": tool, "arguments": arguments}, token=token)


class Peers(Case):
    def served(self, *plugins, text=""):
        """A server and a client for each placement and era."""
        for placement, table in TABLES.items():
            server = self.serve(*plugins, text=text + table)
            for client in (Legacy, Modern):
                yield server, client, self.subTest(placement=placement, client=client.__name__)

    def test_a_call_goes_through(self):
        for server, client, case in self.served("echo", "math"):
            with case:
                answer = client(server).ask(relay("add", a=2, b=40))
                self.assertEqual(text_of(answer), "42")
                wrong = client(server).ask(relay("add", a="x", b=1))
                self.assertTrue(wrong["result"]["isError"])
                self.assertIn("Invalid arguments for add", text_of(wrong))
                later = client(server).ask(call(2, "relay_later", {"tool": "add", "arguments": {"a": 2, "b": 40}}))
                self.assertEqual(text_of(later), "42")
                gone = client(server).ask(call(2, "relay_gone", {"tool": "add", "arguments": {}}))
                self.assertIn("has ended or was deferred", text_of(gone))
                unknown = client(server).ask(relay("nothing"))["error"]
                self.assertEqual((unknown["code"], unknown["message"]), (-32602, "Invalid params: unknown tool nothing"))

    def test_what_is_asked_on_the_way_is_asked_of_the_client(self):
        form = {"action": "accept", "content": {"username": "ann", "email": "ann@example.org"}}
        for server, client, case in self.served("fixture"):
            with case:
                answer = client(server).ask(relay("test_elicitation", message="Who?"), [form])
                self.assertIn("ann@example.org", text_of(answer))
                refused = client(server).ask(relay("test_elicitation", message="Who?"), [{"action": "decline"}])
                self.assertIn("decline", text_of(refused))

    def test_progress_and_logs_arrive_on_the_way(self):
        for server, client, case in self.served("fixture"):
            with case:
                someone = client(server)
                answer = someone.ask(relay("test_tool_with_progress", token="t"))
                self.assertIn("result", answer)
                told = [each["params"]["progress"] for each in someone.heard if each["method"] == "notifications/progress"]
                self.assertTrue(told)
                self.assertEqual(told, sorted(told))

    def test_a_view_holds_on_the_way(self):
        tokens, tables = {}, '[view.sums]\nallow = ["*add*", "relay*", "names", "seen"]\n'
        for who, view in (("alice", 'view = "sums"\n'), ("bob", "")):
            made = run("token", who).stdout
            tokens[who] = {"Authorization": f"Bearer {made.splitlines()[0]}"}
            tables += made[made.index("[[server.token]]"):] + view
        for server, client, case in self.served("echo", "math", text=tables):
            with case:
                alice, bob = (client(server, **tokens[who]) for who in ("alice", "bob"))
                self.assertEqual(text_of(alice.ask(relay("add", a=1, b=1))), "2")
                self.assertEqual(text_of(bob.ask(relay("echo", text="hi"))), "hi")
                self.assertEqual(alice.ask(relay("echo", text="hi"))["error"]["message"], "Invalid params: unknown tool echo")
                seen = {who: {item["name"] for item in json.loads(text_of(person.ask(call(2, "names"))))["items"]}
                        for who, person in (("alice", alice), ("bob", bob))}
                for person, names in ((alice, ["add"]), (bob, ["echo", "add"])):
                    some = json.loads(text_of(person.ask(call(5, "seen"))))
                    self.assertEqual([item["name"] for item in some["items"]], names)
                listed = {item["name"] for item in alice.ask(request(3, "tools/list"))["result"]["tools"]}
                self.assertEqual(seen["alice"], listed)
                self.assertIn("echo", seen["bob"])
                # What the plugin does of its own accord is not the caller's affair.
                own = call(4, "relay_own", {"tool": "echo", "arguments": {"text": "hi"}})
                self.assertEqual(text_of(alice.ask(own)), "hi")

    def test_a_worker_without_a_grant_reaches_nothing_and_the_log_says_how_it_would(self):
        table = TABLES["worker"].replace('["*"]', '["add"]')
        server = self.serve("echo", "math", text=table)
        for client in (Legacy, Modern):
            person = client(server)
            self.assertEqual(text_of(person.ask(relay("add", a=1, b=1))), "2")
            for tool in ("relay", "relay_own"):
                answer = person.ask(call(1, tool, {"tool": "echo", "arguments": {"text": "hi"}}))
                self.assertIn("unknown tool echo", json.dumps(answer))
            self.assertEqual([item["name"] for item in json.loads(text_of(person.ask(call(2, "names"))))["items"]], ["add"])
        server.logged(r'plugin peers: calling "echo" was denied: add "echo" to plugin\.peers\.permissions\.items')

    def test_a_call_goes_on_at_another_server_that_has_the_same_key(self):
        keys = self.folder / "state.keys"
        keys.write_text("# of two\n" + "0123456789abcdef" * 4 + "\n")
        keys.chmod(0o600)
        shared = '[server]\nstate_key_file = "state.keys"\n'
        form = {"action": "accept", "content": {"username": "Ann", "email": "ann@example.org"}}
        for placement, table in TABLES.items():
            with self.subTest(placement=placement):
                one, other = (self.serve("fixture", text=shared + table) for _ in range(2))
                stranger = self.serve("fixture", text=table)
                for question in (call(1, "test_elicitation", {"message": "Who?"}), relay("test_elicitation", message="Who?")):
                    self.assertIn("accept", text_of(Modern(one, other).ask(dict(question), [form])))
                    question["params"] = {key: question["params"][key] for key in ("name", "arguments")}
                    refused = Modern(one, stranger).ask(dict(question), [form])
                    self.assertIn("requestState is not valid", refused["error"]["message"])

    def test_a_key_that_others_may_read_is_refused(self):
        keys = self.folder / "state.keys"
        keys.write_text("0" * 64)
        keys.chmod(0o644)
        config = self.config("echo", text='[server]\nstate_key_file = "state.keys"\n')
        for verb in ("serve", "stdio"):
            refused = run(verb, "-c", config)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("chmod 600", refused.stderr)

    def test_a_client_leaves_while_a_plugin_calls(self):
        for placement, table in TABLES.items():
            with self.subTest(placement=placement):
                peer = self.stdio("waits", text=table)
                peer.ask(request(1, "initialize", protocolVersion=VERSION, capabilities={}, clientInfo={}))
                for id, tool in enumerate(["relay", "relay"] + ["relay_later"] * 6, 2):
                    peer.send(call(id, tool, {"tool": "wait", "arguments": {}}))
                self.assertEqual(peer.ask(call(10, "names"))["id"], 10)
                peer.stdin.close()
                peer._process.stdout.close()
                self.assertGreaterEqual(peer.wait(), 0, peer.log)

    def test_a_remote_is_called_on_the_way(self):
        for placement, table in TABLES.items():
            for era in ("modern", "legacy"):
                with self.subTest(placement=placement, era=era):
                    remote = HttpRemote(FakeRemote(era=era))
                    self.addCleanup(remote.stop)
                    server = self.serve(text=table + f'[remote.r]\nurl = "{remote.url}"\n')
                    server.logged("remote r: ready")
                    person = Modern(server)
                    until(lambda: "r__echo" in text_of(person.ask(call(2, "names"))))
                    self.assertEqual(text_of(person.ask(relay("r__echo", text="hi"))), "hi")


if __name__ == "__main__":
    main()

"""What both eras are served over both transports: written once, asked in four ways."""
from peer import MODERN, Case, call, main, modern, post, request, text_of, until

VERSION = "2025-11-25"
WATCHED = "test://watched-resource"
CHANGED = "notifications/resources/updated"
PLUGINS = ("fixture", "links", "math", "waits")
PAGE = 7


def initialize():
    return request("initialize", "initialize", protocolVersion=VERSION, capabilities={"roots": {}},
                   clientInfo={"name": "test", "version": "1"})


class StdioClient:
    def __init__(self, case, meta):
        self.peer = case.stdio(*PLUGINS, text=f"[server.limits]\npage_items = {PAGE}\n")
        self.meta = meta
        if not meta:
            case.assertEqual(self.peer.ask(initialize())["result"]["protocolVersion"], VERSION)
            self.peer.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        if self.meta and "id" in message:
            message["params"]["_meta"] = self.meta
        self.peer.send(message)

    def begin(self, message):
        """Sends it and gives what comes, message by message."""
        self.send(message)
        return iter(self.peer.receive, None)

    def ask(self, message):
        return next(answer for answer in self.begin(message) if "method" not in answer)

    def side_stream(self):
        return iter(self.peer.receive, None)


class HttpClient:
    def __init__(self, case, meta):
        self.server = case.serve(*PLUGINS, text=f"[server]\nthreads = 1\n[server.limits]\npage_items = {PAGE}\n")
        self.is_modern = bool(meta)
        self.session = {}
        if not meta:
            opened = self.server.post(initialize())
            self.session = {"Mcp_Session_Id": opened.headers["mcp-session-id"], "MCP_Protocol_Version": VERSION}

    def send(self, message):
        self.server.post(message, **self.session)

    def begin(self, message):
        connection = self.server.connect()
        connection.send(modern(message) if self.is_modern else post(message, **self.session))
        head = connection.head()
        if head.is_stream:
            return iter(connection.event, None)
        return iter([connection.body_of(head).message])

    def ask(self, message):
        return next(answer for answer in self.begin(message) if "method" not in answer)

    def side_stream(self):
        connection = self.server.connect()
        lines = ["GET /mcp HTTP/1.1", "Host: localhost", "Accept: text/event-stream",
                 *(f"{name.replace('_', '-')}: {value}" for name, value in self.session.items())]
        connection.send("\r\n".join(lines).encode() + b"\r\n\r\n")
        assert connection.head().is_stream
        return iter(connection.event, None)


class Eras(Case):
    def clients(self, metas=({}, MODERN)):
        for kind in (StdioClient, HttpClient):
            for meta in metas:
                yield kind(self, meta), self.subTest(kind.__name__, era="modern" if meta else "legacy")

    def test_structured_content(self):
        for client, case in self.clients():
            with case:
                result = client.ask(call(1, "statistics", {"values": [1, 2, 3]}))["result"]
                self.assertEqual(result["structuredContent"]["mean"], 2)
                self.assertIn('"mean":2', result["content"][0]["text"])

    def test_resource_link(self):
        for client, case in self.clients():
            with case:
                text, link = client.ask(call(1, "link"))["result"]["content"]
                self.assertEqual(text["text"], "see there")
                self.assertEqual(link, {"type": "resource_link", "uri": "file:///there.txt", "name": "there",
                                        "description": "A text", "mimeType": "text/plain"})

    def test_pages(self):
        for client, case in self.clients():
            with case:
                names, sizes, cursor = [], [], {}
                while cursor is not None:
                    page = client.ask(request(1, "tools/list", **cursor))["result"]
                    names += [tool["name"] for tool in page["tools"]]
                    sizes.append(len(page["tools"]))
                    cursor = {"cursor": page["nextCursor"]} if "nextCursor" in page else None
                self.assertEqual(names, sorted(set(names)))
                self.assertTrue({"link", "statistics", "wait", "test_simple_text"} <= set(names))
                self.assertEqual(set(sizes[:-1]), {PAGE})
                self.assertEqual(client.ask(request(2, "tools/list", cursor="made up"))["error"]["code"], -32602)

    def test_a_call_that_is_cancelled_over_stdio_is_not_answered(self):
        for meta in ({}, MODERN):
            client = StdioClient(self, meta)
            client.send(call("long", "wait"))
            until(lambda: text_of(client.ask(call(1, "waiting"))) == "1")
            client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "long"}})
            until(lambda: text_of(client.ask(call(2, "waiting"))) == "0")
            client.peer.stdin.close()
            self.assertEqual(client.peer.rest(), [])

    def test_a_legacy_client_is_told_of_a_resource_that_it_watches(self):
        for client, case in self.clients(metas=({},)):
            with case:
                self.assertEqual(client.ask(request(1, "resources/subscribe", uri=WATCHED))["result"], {})
                told = client.side_stream()
                client.send(call(2, "test_trigger_resource_update"))
                update = next(message for message in told if message.get("method") == CHANGED)
                self.assertEqual(update["params"], {"uri": WATCHED})

    def test_a_legacy_client_is_asked_for_its_roots(self):
        for client, case in self.clients(metas=({},)):
            with case:
                said = client.begin(call(1, "test_input_required_result_list_roots"))
                question = next(said)
                self.assertEqual(question["method"], "roots/list")
                client.send({"jsonrpc": "2.0", "id": question["id"], "result": {"roots": [{"uri": "file:///a"}]}})
                self.assertEqual(text_of(next(said)), "Found 1 root(s)")

    def test_a_modern_client_is_asked_for_its_roots(self):
        able = MODERN | {"io.modelcontextprotocol/clientCapabilities": {"roots": {}}}
        tool = {"name": "test_input_required_result_list_roots", "arguments": {}, "_meta": able}
        server = self.serve("fixture")
        with server.connect() as connection:
            connection.send(modern(request(1, "tools/call", **tool)))
            asked = connection.receive().message["result"]
            (key, question), = asked["inputRequests"].items()
            self.assertEqual(question["method"], "roots/list")
            connection.send(modern(request(2, "tools/call", **tool, requestState=asked["requestState"],
                                           inputResponses={key: {"roots": [{"uri": "file:///a"}]}})))
            self.assertEqual(text_of(connection.receive().message), "Found 1 root(s)")


if __name__ == "__main__":
    main()

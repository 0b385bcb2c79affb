"""Streams that clients hold open: what they carry, and how they end."""
import signal

from peer import MODERN, Case, Connection, call, main, modern, post, request, text_of

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
WATCHED = "test://watched-resource"
BUFFER_BYTES_MAX = 64 << 10
QUIET_MS = 30


def listen(id=1, **wishes):
    return modern(request(id, "subscriptions/listen", notifications=wishes or {"toolsListChanged": True}))


def change(id=1, tool="test_trigger_tool_change"):
    return modern(call(id, tool))


class Streams(Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve("fixture", "echo", text=f"[server]\nthreads = 2\n[server.limits]\n"
                                 f"write_buffer_bytes_max = {BUFFER_BYTES_MAX}\nkeep_alive_comment_ms = {QUIET_MS}\n")

    def open(self, sent, connection=None):
        """A connection whose answer is a stream; and its head."""
        connection = connection or self.server.connect()
        connection.send(sent)
        head = connection.head()
        self.assertTrue(head.is_stream)
        return connection, head

    def subscription(self, **wishes):
        connection, _ = self.open(listen(**wishes))
        self.assertEqual(connection.event()["method"], ACKNOWLEDGED)
        return connection

    def session(self, version="2025-11-25"):
        opened = self.server.post(request(0, "initialize", protocolVersion=version, capabilities={},
                                          clientInfo={"name": "test", "version": "1"}))
        return {"Mcp_Session_Id": opened.headers["mcp-session-id"], "MCP_Protocol_Version": version}

    def get_stream(self, session):
        lines = ["GET /mcp HTTP/1.1", "Host: localhost", "Accept: text/event-stream",
                 *(f"{name.replace('_', '-')}: {value}" for name, value in session.items())]
        return self.open("\r\n".join(lines).encode() + b"\r\n\r\n")

    def test_what_proxies_need_to_know_is_in_the_head_of_every_stream(self):
        for _, head in (self.open(listen()), self.get_stream(self.session()),
                        self.open(modern(call(1, "test_tool_with_progress", token=1)))):
            self.assertEqual(head.headers["x-accel-buffering"], "no")
            self.assertEqual(head.headers["cache-control"], "no-cache")

    def test_a_quiet_stream_has_comments_and_goes_on(self):
        for opened in (self.subscription, lambda: self.get_stream(self.session())[0]):
            connection = opened()
            comments = 0
            while comments < 5:  # among them may be what prepares for resumption, and a change from before
                comments += connection.chunk().startswith(b":")
            self.server.post_modern("tools/call", name="test_trigger_tool_change")
            self.assertEqual(connection.event()["method"], "notifications/tools/list_changed")

    def test_subscriptions_end_with_an_answer_when_the_server_does(self):
        subscriptions = [self.subscription() for _ in range(8)]  # on both loops
        legacy = self.get_stream(self.session())[0]
        self.server.signal(signal.SIGTERM)
        for connection in subscriptions:
            answer = connection.event()
            self.assertEqual((answer["id"], answer["result"]["resultType"]), (1, "complete"))
            self.assertIsNone(connection.event())
            self.assertTrue(connection.is_closed())
        self.assertIsNone(legacy.event())
        self.assertEqual(self.server.wait(), 0)

    def test_a_subscription_over_stdio_is_cancelled_or_ends_with_an_answer(self):
        peer = self.stdio("fixture")
        meta = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                          "io.modelcontextprotocol/clientCapabilities": {}}}
        for id in ("first", "second"):
            told = peer.ask(request(id, "subscriptions/listen", notifications={"toolsListChanged": True}, **meta))
            self.assertEqual(told["method"], ACKNOWLEDGED)
        peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "first"}})
        peer.send(request(1, "tools/call", name="test_trigger_tool_change", **meta))
        told = [peer.receive(), peer.receive()]
        changed = [message for message in told if message.get("method") == "notifications/tools/list_changed"]
        self.assertEqual([message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] for message in changed],
                         ["second"])
        peer.signal(signal.SIGTERM)
        self.assertEqual([(message["id"], message["result"]["resultType"]) for message in peer.rest()],
                         [("second", "complete")])
        self.assertEqual(peer.wait(), 0)

    def unread(self, sent):
        """A client with little room that opens a stream and reads nothing."""
        connection = Connection(("127.0.0.1", self.server.port), receive_bytes=64 << 10)
        connection.send(sent)
        return connection

    def test_a_client_that_never_reads_its_subscription_loses_it_and_delays_nobody(self):
        unread = self.unread(listen(resourceSubscriptions=[WATCHED]))
        attentive = self.subscription(resourceSubscriptions=[WATCHED])
        before = self.server.resident_bytes()
        trigger = self.server.connect()
        closing = "closing a stream whose client does not read"
        told = 0
        while not any(line and closing in line for line in self.server.log):
            trigger.send(b"".join(change(id, "test_trigger_resource_update") for id in range(100)))
            for _ in range(100):
                self.assertEqual(trigger.receive().status, 200)
                self.assertEqual(attentive.event()["params"]["uri"], WATCHED)
            told += 100
            self.assertLess(told * 100, 64 << 20, "it is never closed")
        self.assertLess(self.server.resident_bytes() - before, 16 * BUFFER_BYTES_MAX)
        with self.assertRaises((ConnectionResetError, ValueError, AssertionError)):
            unread.head()
            while unread.event():
                pass
            raise AssertionError("cut off")  # without the end of the stream
        self.assertEqual(trigger.ask_modern("tools/call", name="echo", arguments={"text": "served"}).status, 200)

    def chatter(self):
        """A call that says more than any client is kept waiting for, and then answers."""
        meta = {**MODERN, "progressToken": 1, "io.modelcontextprotocol/logLevel": "debug"}
        return request(1, "tools/call", name="chatter", arguments={}, _meta=meta)

    def check_heard(self, messages):
        """The answer and the beginning of what came before it; the client is not kept for the rest."""
        self.assertEqual(text_of(messages[-1]), "all said")
        told = [message["params"]["progress"] for message in messages if message.get("method") == "notifications/progress"]
        self.assertEqual(told[:3], [0, 1, 2])
        self.assertEqual(told, sorted(set(told)))
        self.assertLess(len(told), 4096)

    def test_a_client_that_reads_late_misses_progress_and_not_the_answer(self):
        server = self.serve("waits", text=f"[server.limits]\nwrite_buffer_bytes_max = {BUFFER_BYTES_MAX}\n")
        late = Connection(("127.0.0.1", server.port), receive_bytes=64 << 10)
        late.send(modern(self.chatter()))
        server.logged(r"plugin \S+: \d+ log messages of a call are left out")
        self.assertTrue(late.head().is_stream)
        self.check_heard(list(iter(late.event, None)))

    def test_a_client_that_reads_late_over_sse_misses_progress_and_no_answer(self):
        server = self.serve("waits")
        stream = Connection(("127.0.0.1", server.port), receive_bytes=64 << 10)
        stream.send(b"GET /sse HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        self.assertTrue(stream.head().is_stream)
        address = "/" + dict(line.split(": ", 1) for line in stream.chunk().decode().splitlines() if line)["data"]
        posts = server.connect()
        initialize = request(0, "initialize", protocolVersion="2024-11-05", capabilities={},
                             clientInfo={"name": "old", "version": "1"})
        for message in (initialize, request(1, "logging/setLevel", level="debug"),
                        *(call(id, "chatter", token=id) for id in range(2, 6))):
            posts.send(post(message, path=address))
            self.assertEqual(posts.receive().status, 202)
        server.all_logged(r"plugin \S+: \d+ log messages of a call are left out", 4)
        heard = [stream.event()]
        while len([message for message in heard if "result" in message]) < 6:
            heard.append(stream.event())
        self.assertEqual([text_of(message) for message in heard if message.get("id", 0) > 1], ["all said"] * 4)
        self.assertLess(len(heard), 4 * 4096)

    def test_a_client_that_reads_late_over_stdio_misses_progress_and_not_the_answer(self):
        peer = self.stdio("waits")
        peer.send(self.chatter())
        peer.logged(r"plugin \S+: \d+ log messages of a call are left out")
        heard = [peer.receive()]
        while "result" not in heard[-1]:
            heard.append(peer.receive())
        self.check_heard(heard)


if __name__ == "__main__":
    main()

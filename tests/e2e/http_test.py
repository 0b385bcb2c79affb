"""The HTTP transport under clients that are rude, slow, gone or many."""
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from urllib.parse import urljoin

from peer import COLLET, PLUGINS, TIMEOUT_S, Case, Connection, as_bytes, call, hostile, main, modern, post, request, run, text_of, until

WRITE_BUFFER_BYTES_MAX = 4 << 20
DRAINS_FOR_EVER = "[server.limits]\ndrain_timeout_ms = 600000\n"


class Bodies(Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve("echo", "math", "waits")

    def tearDown(self):
        """Whatever has been done to it, the server serves."""
        self.assertEqual(text_of(self.server.post(call(1, "echo", {"text": "still here"})).message), "still here")

    def arguments(self, text):
        """The answer to a call whose arguments are that text; None leaves them out."""
        member = "" if text is None else f',"arguments":{text}'
        return self.server.post(
            f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo"{member}}}}}'.encode()).message

    def test_arguments_of_every_kind(self):
        self.assertIn("[required]", text_of(self.arguments(None)))
        self.assertIn("[required]", text_of(self.arguments("{}")))
        for wrong in ("null", "[]", "3", '"text"'):
            self.assertEqual(self.arguments(wrong)["error"]["code"], -32602, wrong)
        large = "x" * (1 << 20)
        self.assertEqual(text_of(self.arguments(json.dumps({"text": large}))), large)

    def connected_to(self, address):
        """None if nobody listens there yet."""
        try:
            return Connection(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def test_a_log_that_nobody_reads_delays_nothing(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        address = self.folder / "socket"
        missing = "".join(f'[plugin.p{i}]\nlibrary = "/nowhere/{i}.so"\n' for i in range(200))
        file = self.folder / "unread.toml"
        file.write_text(f'[plugin.echo]\nlibrary = "{PLUGINS["echo"]}"\n{missing}')
        process = subprocess.Popen([COLLET, "serve", "-c", file, f"--listen=unix:{address}"], stderr=writer)
        os.close(writer)
        self.addCleanup(process.kill)
        with until(lambda: self.connected_to(str(address))) as connection:
            self.assertEqual(text_of(connection.ask(call(1, "echo", {"text": "served"})).message), "served")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(TIMEOUT_S), 0)

    def test_who_may_not_ask_sends_no_body(self):
        server = self.serve("echo", text='[[server.token]]\nname = "a"\nhash = "sha256:' + "0" * 64 + '"\n')
        before = server.resident_bytes()
        head = "{} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n{}\r\n"
        cases = (("POST /mcp", "", 401), ("POST /mcp", "Authorization: Bearer x\r\n", 401), ("POST /elsewhere", "", 404),
                 ("POST /mcp", "Origin: https://evil.example\r\n", 403), ("GET /healthz", "", 200), ("GET /readyz", "", 200))
        for asked, more, status in cases * 20:
            client = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
            self.addCleanup(client.close)
            client.sendall(head.format(asked, more).encode() + b"x" * 1000)
            self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 %d " % status), asked)
        self.assertLess(server.resident_bytes() - before, 8_000_000)

    def test_a_deep_body_is_refused(self):
        for deep in ("[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "0" + "}" * 10_000, "[" * 10_000):
            self.assertEqual(self.arguments('{"text":' + deep + "}")["error"]["code"], -32700)

    def test_a_body_over_the_limit_is_refused_before_it_is_sent(self):
        connection = self.server.connect()
        connection.send(post(b"", Content_Length=(8 << 20) + 1))
        self.assertEqual(connection.receive().status, 413)
        self.assertTrue(connection.is_closed())

    def test_headers_over_the_limit_are_refused(self):
        connection = self.server.connect()
        connection.send(post(request(1, "ping"), X="x" * (16 << 10)))
        self.assertEqual(connection.receive().status, 431)

    def test_a_byte_at_a_time(self):
        connection = self.server.connect()
        for byte in post(call(1, "echo", {"text": "slowly"})):
            connection.send(bytes([byte]))
        self.assertEqual(text_of(connection.receive().message), "slowly")

    def test_half_sent_requests_disturb_nobody(self):
        whole = post(call(1, "echo", {"text": "late"}))
        cuts = (1, whole.index(b"\r\n") + 1, whole.index(b"\r\n\r\n") + 2, whole.index(b"{") + 5, len(whole) - 1)
        halves = [(self.server.connect(), cut) for cut in cuts for _ in range(4)]
        for connection, cut in halves:
            connection.send(whole[:cut])
        self.assertEqual(text_of(self.server.post(call(1, "echo", {"text": "at once"})).message), "at once")
        for connection, cut in halves[::2]:
            connection.send(whole[cut:])
            self.assertEqual(text_of(connection.receive().message), "late")
        for connection, _ in halves[1::2]:
            connection.close()

    def test_pipelined_requests_are_answered_in_order(self):
        connection = self.server.connect()
        tools = [call(id, "primes", {"below": 1000}) if id % 3 == 0 else call(id, "echo", {"text": str(id)})
                 for id in range(60)]
        connection.send(b"".join(map(post, tools)))
        self.assertEqual([connection.receive().message["id"] for _ in tools], list(range(60)))

    def test_what_was_sent_ahead_is_answered_also_to_a_client_that_sends_no_more(self):
        connection = self.server.connect()
        tools = [call(0, "primes", {"below": 100_000}), *(call(id, "echo", {"text": str(id)}) for id in range(1, 20))]
        connection.send(b"".join(map(post, tools)))
        connection.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([connection.receive().message["id"] for _ in tools], list(range(20)))
        self.assertTrue(connection.is_closed())

    def test_chunked_body(self):
        connection = self.server.connect()
        body = as_bytes(call(1, "echo", {"text": "in pieces"}))
        connection.send(post(b"", Content_Length=None, Transfer_Encoding="chunked"))
        for at in range(0, len(body), 7):
            piece = body[at:at + 7]
            connection.send(b"%x;ignored=1\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\nTrailer: ignored\r\n\r\n")
        self.assertEqual(text_of(connection.receive().message), "in pieces")
        self.assertEqual(text_of(connection.ask(call(2, "echo", {"text": "next"})).message), "next")

    def test_two_lengths_are_refused(self):
        for headers in ({"Transfer_Encoding": "chunked"}, {"content_length": 3}):
            connection = self.server.connect()
            connection.send(post(request(1, "ping"), **headers))
            self.assertEqual(connection.receive().status, 400, headers)
            self.assertTrue(connection.is_closed())

    def test_nonsense_is_refused(self):
        for nonsense in (b"\r\n\r\n\x00\x01\x02\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n",
                         b"POST /mcp HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            connection = self.server.connect()
            connection.send(nonsense + b"\r\n\r\n")
            answer = connection.receive()
            self.assertIn(answer.status if answer else 400, (400, 404, 505), nonsense)
            self.assertTrue(connection.is_closed(), nonsense)


class Leaving(Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve("echo", "waits")

    def number(self, tool):
        return int(text_of(self.server.post(call("n", tool)).message))

    def test_a_client_that_leaves_before_the_answer_cancels_its_call(self):
        connection = self.server.connect()
        connection.send(modern(call(1, "wait")))
        until(lambda: self.number("waiting") == 1)
        connection.close()
        until(lambda: self.number("cancels") == 1)
        self.assertEqual(self.number("waiting"), 0)

    def leave_a_stream(self, sent):
        connection = self.server.connect()
        connection.send(sent)
        self.assertTrue(connection.head().is_stream)
        self.assertEqual(connection.event()["params"]["progressToken"], 1)
        connection.close()

    def test_a_client_that_leaves_an_event_stream_cancels_its_call(self):
        self.leave_a_stream(modern(call(1, "wait", token=1)))
        until(lambda: self.number("cancels") == 1)

    def test_a_legacy_client_that_leaves_has_not_cancelled(self):
        self.leave_a_stream(post(call(1, "wait", token=1)))
        self.leave_a_stream(modern(call(1, "wait", token=1)))  # when this one is noticed the other has been, too
        until(lambda: self.number("cancels") == 1)
        self.assertEqual(self.number("waiting"), 1)
        self.server.post(call(2, "release"))
        self.assertEqual(self.number("cancels"), 1)

    def test_an_event_stream_ends_with_the_answer(self):
        connection = self.server.connect()
        connection.send(post(call(1, "wait", token=1)))
        self.assertTrue(connection.head().is_stream)
        self.assertEqual(connection.event()["method"], "notifications/progress")
        self.server.post(call(2, "release"))
        self.assertEqual(text_of(connection.event()), "released")
        self.assertIsNone(connection.event())
        self.assertEqual(connection.ask(request(3, "ping")).message["id"], 3)

    def test_a_client_that_sends_no_more_gets_its_answer(self):
        for sent in (modern(call(1, "wait")), post(call(1, "wait")), modern(call(1, "wait", token=1))):
            connection = self.server.connect()
            connection.send(sent)
            connection.socket.shutdown(socket.SHUT_WR)
            until(lambda: self.number("waiting") == 1)
            self.server.post(call(2, "release"))
            head = connection.head()
            while head.is_stream and "method" in (message := connection.event()):
                pass
            self.assertEqual(text_of(message if head.is_stream else connection.body_of(head).message), "released")
        self.assertEqual(self.number("cancels"), 0)

    def test_a_client_that_does_not_read_its_stream_loses_it_in_time_and_harms_nobody(self):
        self.server = self.serve("waits", "echo", text="[server.limits]\nbody_timeout_ms = 500\n")
        before = self.server.resident_bytes()
        connection = self.server.connect()
        connection.send(modern(call(1, "flood", token=1)))
        until(lambda: self.number("cancels") == 1)
        self.assertLess(self.server.resident_bytes() - before, 4 * WRITE_BUFFER_BYTES_MAX)
        with self.assertRaises((ConnectionResetError, ValueError, AssertionError)):
            connection.head()
            while connection.event():
                pass
            raise AssertionError("cut off")  # without the end of the stream

    def test_a_legacy_cancellation_names_its_session(self):
        opened = self.server.post(request(0, "initialize", protocolVersion="2025-11-25", capabilities={},
                                          clientInfo={"name": "test", "version": "1"}))
        session = {"Mcp_Session_Id": opened.headers["mcp-session-id"], "MCP_Protocol_Version": "2025-11-25"}
        connection = self.server.connect()
        connection.send(post(call(1, "wait", token=1), **session))
        self.assertTrue(connection.head().is_stream)
        connection.event()
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
        self.assertEqual(self.server.post(cancelled).status, 202)  # not of this session: nothing happens
        self.assertEqual(self.number("cancels"), 0)
        self.assertEqual(self.server.post(cancelled, **session).status, 202)
        until(lambda: self.number("cancels") == 1)
        self.assertIsNone(connection.event())


class Habits(Case):
    """What clients do that is not forbidden."""

    def raw(self, server, *lines, body=b""):
        connection = server.connect()
        connection.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return connection

    def test_http_1_0_needs_no_host_on_this_machine(self):
        body = as_bytes(request(1, "ping"))
        connection = self.raw(self.serve("echo"), "POST /mcp HTTP/1.0", "Content-Type: application/json",
                              f"Content-Length: {len(body)}", body=body)
        self.assertEqual(connection.receive().message["result"], {})
        self.assertTrue(connection.is_closed())

    def test_headers_that_repeat_themselves_pass(self):
        body = as_bytes(request(1, "ping"))
        host = "Host: localhost"
        for answered, *lines in ((200, host, host), (400, host, "Host: 127.0.0.1"),
                                 (200, host, *2 * ["MCP-Protocol-Version: 2025-11-25"]),
                                 (400, host, "MCP-Protocol-Version: 2025-11-25", "MCP-Protocol-Version: 2025-06-18")):
            connection = self.raw(self.serve("echo"), "POST /mcp HTTP/1.1", "Content-Type: application/json",
                                  f"Content-Length: {len(body)}", *lines, body=body)
            self.assertEqual(connection.receive().status, answered, lines)

    def test_the_old_transport_works_behind_a_proxy_that_takes_a_prefix_off(self):
        server = self.serve("echo")
        stream = self.raw(server, "GET /sse HTTP/1.1", "Host: localhost", "Accept: text/event-stream")
        self.assertTrue(stream.head().is_stream)
        endpoint = dict(line.split(": ", 1) for line in stream.chunk().decode().splitlines() if line)
        self.assertEqual(endpoint["event"], "endpoint")
        asked = urljoin("https://proxy.example.org/prefix/sse", endpoint["data"])
        self.assertTrue(asked.startswith("https://proxy.example.org/prefix/sse?"), asked)
        path = asked.removeprefix("https://proxy.example.org/prefix")
        self.assertEqual(server.post(request(1, "ping"), path=path).status, 202)
        self.assertTrue(stream.chunk().startswith(b"event: message\ndata: {"))

    def test_many_answers_wait_for_a_client_of_the_old_transport_that_reads_late(self):
        server = self.serve("echo")
        stream = server.connect(receive_bytes=64 << 10)
        stream.send(b"GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream.head()
        path = "/" + dict(line.split(": ", 1) for line in stream.chunk().decode().splitlines() if line)["data"]
        text = "x" * 200_000
        with server.connect() as connection:
            for id in range(40):  # twice what may wait in the connection itself
                self.assertEqual(connection.ask(call(id, "echo", {"text": text}), path=path).status, 202)
        answers = (message for message in iter(stream.event, None) if "id" in message)  # not what has changed meanwhile
        for id in range(40):
            answer = next(answers)
            self.assertEqual((answer["id"], text_of(answer)), (id, text))

    def test_a_page_can_read_why_its_request_was_not_even_read(self):
        server = self.serve("echo")
        page = "Origin: http://localhost:5173"
        for status, *lines in ((413, page, "Content-Type: application/json", f"Content-Length: {9 << 20}"),
                               (431, page, "X: " + "x" * (16 << 10)), (431, "X: " + "x" * (16 << 10), page),
                               (400, page, "Content-Length: x")):
            connection = self.raw(server, "POST /mcp HTTP/1.1", "Host: localhost", *lines)
            answer = connection.receive()
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["access-control-allow-origin"], "http://localhost:5173")
        connection = self.raw(server, "POST /mcp HTTP/1.1", "Host: localhost", "Origin: https://evil.example.org",
                              f"Content-Length: {9 << 20}")
        self.assertNotIn("access-control-allow-origin", connection.receive().headers)


class Crowd(Case):
    def test_a_hundred_clients_of_all_eras(self):
        server = self.serve("echo", "math", text="[server]\nthreads = 2\n")
        wrong = []

        def client(number):
            connection = server.connect()
            session = {}
            if number % 3 == 0:
                opened = connection.ask(request(0, "initialize", protocolVersion="2025-06-18", capabilities={},
                                                clientInfo={"name": "test", "version": "1"}))
                session = {"Mcp_Session_Id": opened.headers["mcp-session-id"]}
            for id in range(20):
                text = f"{number}-{id}"
                message = call(id, "echo", {"text": text}) if id % 5 else call(id, "primes", {"below": 1000})
                connection.send(modern(message) if number % 3 == 1 else post(message, **session))
                answer = connection.receive().message
                if (answer["id"], text_of(answer)) != (id, text if id % 5 else "168"):
                    wrong.append(answer)
            connection.close()
            served.append(number)

        served = []
        threads = [threading.Thread(target=client, args=(number,)) for number in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(sorted(served), list(range(100)))


class Ending(Case):
    def waiting(self, server, count, arguments=None):
        connections = [server.connect() for _ in range(count)]
        for connection in connections:
            connection.send(post(call(1, "wait", arguments)))
        until(lambda: text_of(server.post(call(2, "waiting")).message) == str(count))
        return connections

    def begin(self, connection, message):
        """Sends it together with a request whose answer tells that both were read."""
        connection.send(post(request(0, "ping")) + post(message))
        self.assertEqual(connection.receive().status, 200)

    def test_sigterm_waits_for_calls(self):
        large = {"padding": "x" * (400 << 10)}  # for the loop that has large requests
        for number, waits, releases in ((signal.SIGTERM, {}, {}), (signal.SIGINT, {}, {}), (signal.SIGTERM, large, {}),
                                        (signal.SIGTERM, {}, large), (signal.SIGTERM, large, large)):
            server = self.serve("echo", "waits")
            idle, helper = server.connect(), server.connect()
            waiting = self.waiting(server, 1, waits)[0]
            idle.ask(request(1, "ping"))
            release = post(call(3, "release", releases))
            helper.send(post(request(2, "ping")) + release[:-1])  # begun before the signal, and so served
            self.assertEqual(helper.receive().status, 200)
            server.signal(number)
            server.logged("ending")
            self.assertTrue(idle.is_closed())
            until(lambda: self.is_refused(server))
            helper.send(release[-1:])
            self.assertEqual(helper.receive().status, 200)
            self.assertEqual(text_of(waiting.receive().message), "released")
            self.assertTrue(waiting.is_closed())
            self.assertEqual(server.wait(), 0)

    def is_refused(self, server):
        try:
            Connection(("127.0.0.1", server.port)).close()
            return False
        except ConnectionError:
            return True

    def test_a_second_sigterm_does_not_wait(self):
        server = self.serve("waits", text=DRAINS_FOR_EVER)
        waiting = self.waiting(server, 3)
        server.signal(signal.SIGTERM)
        server.logged("ending")
        self.assertTrue(server.is_alive())
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        for connection in waiting:
            answer = connection.receive()
            self.assertTrue(answer is None or "error" in answer.message)

    def test_a_second_sigterm_does_not_wait_for_a_call_that_hangs(self):
        server = self.serve("echo", text=DRAINS_FOR_EVER, hangs=hostile("call_hangs"))
        connection = server.connect()
        connection.send(post(call(1, "tool")))
        server.logged("hanging")
        server.signal(signal.SIGTERM)
        server.logged("ending")
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        server.logged("plugin hangs was not unloaded: its call.. has not returned")

    def test_the_time_to_drain_is_limited(self):
        text = "[server]\nthreads = 2\n[server.limits]\ndrain_timeout_ms = 200\n"
        for tool, library in (("wait", PLUGINS["waits"]), ("tool", hostile("call_hangs"))):
            server = self.serve("echo", text=text, tested=library)
            connections = [server.connect() for _ in range(8)]  # on both loops
            for connection in connections:
                self.begin(connection, call(1, tool))
            half = server.connect()
            half.send(b"POST /mcp HTTP/1.1\r\n")
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)


class Probes(Case):
    """Who looks after the process knows neither its names nor its tokens."""

    def get(self, path):
        probe = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{path}", headers={"Host": "10.0.0.7:8765"})
        try:
            with urllib.request.urlopen(probe, timeout=TIMEOUT_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def test_a_server_is_ready_when_all_its_plugins_are_there(self):
        late = self.folder / "late.so"
        token = run("token", "somebody").stdout
        self.server = self.serve("math", text=token[token.index("[[server.token]]"):], late=late)
        self.assertEqual(self.get("/mcp")[0], 403)
        self.assertEqual(self.get("/healthz"), (200, b"ok\n"))
        self.assertEqual(self.get("/readyz"), (503, b"1 of its plugins is not there\n"))
        shutil.copy(PLUGINS["echo"], late)
        self.server.signal(signal.SIGHUP)
        until(lambda: self.get("/readyz") == (200, b"ok\n"))


if __name__ == "__main__":
    main()

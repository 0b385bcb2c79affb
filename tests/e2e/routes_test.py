"""Pages that plugins serve below /plugins/<id>/: in both placements, for browsers, curl and rude clients."""
import hashlib
import http.client
import random
import select
import shutil
import signal
import socket
import subprocess
import zlib

from peer import PLUGINS, TIMEOUT_S, Answer, Case, main, run, until

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
TABLES = {"in-process": "", "worker": 'placement = "worker"\npermissions.items = ["*"]\n'}


def put(page, *fields):
    return "\r\n".join([f"PUT /plugins/pages/{page} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


class Upload:
    """A client that sends the body of a request as the test says. What it says is no message of MCP's to be looked at."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def begin(self, page, length, data):
        """Sends so much of a body once the plugin has asked for it."""
        self.send(put(page, length, "Expect: 100-continue"))
        assert self.socket.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE
        self.send(data)

    def answer(self):
        """The next one, its body left unread."""
        answer = http.client.HTTPResponse(self.socket)
        answer.begin()
        return answer


class Routes(Case):
    def served(self, *plugins, text="", more=""):
        for placement, table in TABLES.items():
            server = self.serve(*plugins, text=text + f'[plugin.pages]\nlibrary = "{PLUGINS["pages"]}"\n{table}{more}')
            yield placement, server, self.subTest(placement=placement)
            server.kill()  # the next one has the same configuration

    def ask(self, server, method, path, body=b"", **headers):
        """By the standard library's client, whose answers are no messages of MCP's to be looked at."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body or None, {"Host": "localhost"} | headers)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def test_a_page_lists_and_calls_tools_as_whoever_looks_at_it(self):
        hashed = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("all", "half")}
        tokens = "".join(f'[[server.token]]\nname = "{name}"\nhash = "sha256:{digest}"\nview = "{name}"\n'
                         for name, digest in hashed.items())
        views = '[view.all]\n[view.half]\nallow = ["add", "route:/plugins/pages/*"]\ndeny = ["route:/plugins/pages/say"]\n'
        for _, server, case in self.served("math", "echo", text=tokens + views):
            with case:
                self.assertEqual(self.ask(server, "GET", "/plugins/pages/").status, 401)
                everything = self.ask(server, "GET", "/plugins/pages/", Authorization="Bearer all")
                self.assertEqual((everything.status, everything.headers["content-type"]), (200, "text/html; charset=utf-8"))
                self.assertIn(b"<li>echo", everything.body)
                half = self.ask(server, "GET", "/plugins/pages/", Authorization="Bearer half").body
                self.assertIn(b"<li>add", half)
                self.assertNotIn(b"<li>echo", half)
                added = self.ask(server, "POST", "/plugins/pages/call/add", b'{"a":2,"b":40}', Authorization="Bearer half")
                self.assertEqual(added.message["content"][0]["text"], "42")
                hidden = self.ask(server, "POST", "/plugins/pages/call/echo", b"{}", Authorization="Bearer half")
                self.assertEqual((hidden.status, hidden.body), (502, b"Invalid params: unknown tool echo"))
                self.assertEqual(self.ask(server, "POST", "/plugins/pages/say", b"x", Authorization="Bearer half").status, 404)
                self.assertEqual(self.ask(server, "POST", "/plugins/pages/say", b"x", Authorization="Bearer all").status, 204)

    def test_the_log_has_so_much_of_a_path_and_no_more(self):
        for _, server, case in self.served(text="[log]\ncalls = true\n"):
            with case:
                prefix = "/plugins/pages/call/"
                for size in (512, 513):
                    self.ask(server, "POST", (prefix + "a" * size)[:size], b"{}")
                lines = server.all_logged(r'call of route "([^"]*)"', 2)
                self.assertEqual([match[1] for match in lines], [(prefix + "a" * 512)[:512]] * 2)

    def test_a_feed_stays_open_until_its_client_leaves(self):
        for _, server, case in self.served():
            with case:
                with server.connect() as feed:
                    feed.send(get("/plugins/pages/feed"))
                    self.assertTrue(feed.head().is_stream)
                    self.assertEqual(feed.chunk(), b"data: hello\n\n")
                    until(lambda: self.ask(server, "GET", "/plugins/pages/followers").body == b"1")
                    self.ask(server, "POST", "/plugins/pages/say", b"one\ntwo")
                    self.assertEqual(feed.chunk(), b"id: 1\nevent: said\ndata: one\ndata: two\n\n")
                until(lambda: self.ask(server, "GET", "/plugins/pages/followers").body == b"0")

    def test_a_page_of_a_worker_has_none_of_the_hosts_rights(self):
        for placement, server, case in self.served():
            with case:
                answer = self.ask(server, "HEAD", "/plugins/pages/generation")
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.headers.get("content-length", "1"), "1")  # told if the end was known with the head
                self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
                self.assertEqual(answer.headers.get("content-security-policy", "").startswith("sandbox"), placement == "worker")

    def test_what_is_not_there_or_not_taken(self):
        for _, server, case in self.served():
            with case:
                answer = self.ask(server, "POST", "/plugins/pages/generation", b"x")
                self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))
                for path in ("/plugins/pages/other", "/plugins/other/", "/plugins/", "/plugins"):
                    self.assertEqual(self.ask(server, "GET", path).status, 404, path)
                for path in ("/plugins/pages/../pages/", "/plugins/pages/%2e%2e/", "/plugins/pages//"):
                    self.assertEqual(self.ask(server, "GET", path).status, 400, path)
                folder = self.ask(server, "GET", "/plugins/pages")
                self.assertEqual((folder.status, folder.headers["location"]), (308, "pages/"))
                evil = self.ask(server, "GET", "/plugins/pages/", Origin="https://evil.example")
                self.assertEqual(evil.status, 403)
                self.assertEqual(self.ask(server, "GET", "/plugins/pages/", Host="evil.example").status, 403)

    def test_large_bodies_in_both_directions(self):
        size = 12_345_678
        limit = 9_999_999
        for _, server, case in self.served(text=f"[server.limits]\nmessage_bytes_max = {limit}\n"):
            with case:
                large = self.ask(server, "GET", f"/plugins/pages/large?{size}")
                self.assertEqual(len(large.body), size)
                self.assertEqual(self.ask(server, "PUT", "/plugins/pages/size", b"x" * limit).body, str(limit).encode())
                with server.connect() as connection:
                    connection.send(f"PUT /plugins/pages/size HTTP/1.1\r\nHost: localhost\r\nContent-Length: {limit + 1}\r\n\r\n".encode())
                    self.assertEqual(connection.receive().status, 413)

    def test_a_large_body_is_hashed_as_it_comes_and_costs_the_host_little(self):
        piece = random.Random(1).randbytes(1 << 20)
        pieces = 64
        checksum = 1
        for _ in range(pieces):
            checksum = zlib.adler32(piece, checksum)
        expected = f"{pieces << 20} {checksum}".encode()
        for _, server, case in self.served():
            with case, Upload(server) as stated, Upload(server) as chunks:
                before = server.resident_bytes()
                stated.send(put("hash", f"Content-Length: {pieces << 20}"))
                chunks.send(put("hash", "Transfer-Encoding: chunked"))
                for _ in range(pieces):
                    stated.send(piece)
                    chunks.send(b"%x\r\n%b\r\n" % (len(piece), piece))
                    self.assertLess(server.resident_bytes() - before, 16 << 20)
                chunks.send(b"0\r\n\r\n")
                for upload in (stated, chunks):
                    self.assertEqual(upload.answer().read(), expected)
                    upload.send(put("hash", "Content-Length: 1") + b"x")
                    self.assertEqual(upload.answer().read(), b"1 7929977")

    def test_a_plugin_that_does_not_read_holds_its_client_back(self):
        size = 30_000_000
        for _, server, case in self.served():
            with case, Upload(server) as upload:
                before = server.resident_bytes()
                upload.send(put("stuck", f"Content-Length: {size}"))
                answer = upload.answer()
                self.assertEqual((answer.status, answer.read1()), (200, b"begun"))
                sent = 0
                while select.select([], [upload.socket], [], 1)[1]:
                    sent += upload.socket.send(b"x" * min(100_000, size - sent))
                    self.assertLess(sent, size)
                self.assertLess(server.resident_bytes() - before, 16 << 20)
                self.ask(server, "POST", "/plugins/pages/say", b"go on")
                upload.send(b"x" * (size - sent))
                self.assertEqual(answer.read(), str(size).encode())

    def test_a_body_goes_back_as_it_comes(self):
        for _, server, case in self.served():
            with case, Upload(server) as upload:
                upload.send(put("back", "Transfer-Encoding: chunked") + b"3\r\none\r\n")
                answer = upload.answer()
                self.assertEqual((answer.status, answer.read1()), (200, b"one"))
                upload.send(b"3\r\ntwo\r\n")
                self.assertEqual(answer.read1(), b"two")
                upload.send(b"0\r\n\r\n")
                self.assertEqual(answer.read(), b"")
                upload.send(put("size", "Content-Length: 3") + b"abc")
                self.assertEqual(upload.answer().read(), b"3")

    def test_a_client_that_asks_first_is_told_by_the_plugin_whether_to_send(self):
        for _, server, case in self.served():
            with case, Upload(server) as wanted, Upload(server) as refused:
                wanted.begin("hash", "Content-Length: 5", b"hello")
                self.assertEqual(wanted.answer().read(), b"5 103547413")
                refused.send(put("hash?no", "Content-Length: 5", "Expect: 100-continue"))
                self.assertEqual(refused.socket.recv(12, socket.MSG_WAITALL | socket.MSG_PEEK), b"HTTP/1.1 403")
                self.assertEqual(refused.answer().getheader("Connection"), "close")

    def test_a_body_that_stops_has_its_call_cancelled(self):
        for _, server, case in self.served():
            with case:
                def lost(count):
                    until(lambda: self.ask(server, "GET", "/plugins/pages/lost").body == count)

                with Upload(server) as leaves:
                    leaves.begin("kept", "Content-Length: 1000000", b"x" * 10)
                lost(b"1")
                with Upload(server) as shuts:
                    shuts.begin("kept", "Content-Length: 9", b"half")
                    shuts.socket.shutdown(socket.SHUT_WR)
                    lost(b"2")
                with Upload(server) as wrong:
                    wrong.begin("kept", "Transfer-Encoding: chunked", b"1\r\nx\r\nzz\r\n")
                    self.assertEqual(wrong.answer().status, 400)
                lost(b"3")
                with Upload(server) as late:
                    late.begin("hurried", "Content-Length: 9", b"half")
                    self.assertEqual(late.answer().status, 408)
                lost(b"4")
                with Upload(server) as large:
                    large.send(put("kept", "Content-Length: 1000001"))
                    self.assertEqual(large.answer().status, 413)
                lost(b"4")

    def test_a_worker_that_dies_in_the_middle_of_a_body_answers_once(self):
        for placement, server, case in self.served():
            if placement != "worker":
                continue
            with case:
                with Upload(server) as upload:
                    upload.send(put("hash", "Content-Length: 1000000") + b"x" * 300_000)
                    self.ask(server, "GET", "/plugins/pages/crash")
                    self.assertEqual(upload.answer().status, 500)
                until(lambda: self.ask(server, "GET", "/plugins/pages/generation").status == 200)

    def test_how_large_a_streamed_body_may_be_is_set(self):
        for _, server, case in self.served(text="[server.limits]\nmessage_bytes_max = 1024\nroute_body_bytes_max = 100000\n"):
            with case:
                for size, status in ((100_000, 200), (100_001, 413)):
                    with Upload(server) as upload:
                        upload.send(put("hash", f"Content-Length: {size}"))
                        if status == 200:
                            upload.send(b"x" * size)
                        self.assertEqual(upload.answer().status, status)
                self.assertEqual(self.ask(server, "PUT", "/plugins/pages/size", b"x" * 1025).status, 413)

    def test_a_slow_reader_keeps_nobody_else_waiting_and_costs_little(self):
        for _, server, case in self.served():
            with case:
                before = server.resident_bytes()
                with server.connect(receive_bytes=4096) as slow:
                    slow.send(get("/plugins/pages/large?900000000"))
                    self.assertEqual(slow.head().status, 200)
                    for _ in range(20):
                        self.assertEqual(self.ask(server, "GET", "/plugins/pages/generation").status, 200)
                    self.assertLess(server.resident_bytes() - before, 64 << 20)

    def test_a_replaced_plugin_serves_on_and_its_streams_end(self):
        for _, server, case in self.served(text='[plugins]\nreload = "off"\n', more="drain_timeout_ms = 1000\n"):
            with case:
                with server.connect() as feed:
                    feed.send(get("/plugins/pages/feed"))
                    feed.head()
                    feed.chunk()
                    self.assertEqual(run("reload", "pages", "-c", self.folder / "collet.toml").returncode, 0)
                    self.assertEqual(self.ask(server, "GET", "/plugins/pages/generation").body, b"2")
                    self.assertEqual(feed.chunk(), b"")  # whole: the old generation was asked to end it, and did

    def test_a_plugin_that_dies_is_told_of_and_comes_back(self):
        for placement, server, case in self.served():
            if placement != "worker":
                continue
            with case:
                self.assertEqual(self.ask(server, "GET", "/plugins/pages/crash").status, 500)
                until(lambda: self.ask(server, "GET", "/plugins/pages/generation").status == 200)

    def test_the_server_ends_while_pages_are_open(self):
        for _, server, case in self.served(text="[server.limits]\ndrain_timeout_ms = 500\n"):
            with case:
                with server.connect() as feed, server.connect(receive_bytes=4096) as slow:
                    feed.send(get("/plugins/pages/feed"))
                    feed.head()
                    slow.send(get("/plugins/pages/large?900000000"))
                    slow.head()
                    server.signal(signal.SIGTERM)
                    self.assertEqual(server.wait(), 0)

    def test_curl_and_the_list(self):
        for _, server, case in self.served():
            with case:
                listed = run("list", "-c", self.folder / "collet.toml")
                self.assertIn("/plugins/pages/feed", listed.stdout)
                if not shutil.which("curl"):
                    self.skipTest("curl is not here")
                asked = subprocess.run(["curl", "-sSL", f"{server.urls[0]}/plugins/pages"], capture_output=True, timeout=60)
                self.assertIn(b"<title>Tools</title>", asked.stdout)


if __name__ == "__main__":
    main()

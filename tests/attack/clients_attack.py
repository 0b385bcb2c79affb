"""Clients over HTTP that want more than their share, or what is not theirs."""
import itertools
import json
import os
import random
import resource
import select
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from ground import Attack, until
from peer import PLUGINS, as_bytes, call, main, post, request, run, text_of

HEAD = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n"
MIB = 1 << 20
OUT_OF_MEMORY = "The server is out of memory"


@contextmanager
def memory_left(server, left):
    """The server may take so many bytes more of the system."""
    process, no_limit = server._process.pid, resource.RLIM_INFINITY
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[0])
    resource.prlimit(process, resource.RLIMIT_AS, (pages * resource.getpagesize() + left, no_limit))
    try:
        yield
    finally:
        if server.is_alive():
            resource.prlimit(process, resource.RLIMIT_AS, (no_limit, no_limit))


class Clients(Attack):
    seconds_max = 3600

    def served(self, server, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.assertEqual(text_of(server.post(call(1, "echo", {"text": "served"}), **headers).message), "served")

    def test_H1_sends_bodies_without_a_token(self):
        token, table = self.token("alice")
        server = self.serve("echo", text=table)
        self.served(server, token)
        held, before = self.holdings(server), server.resident_bytes()
        body = b"x" * (7 * MIB)
        clients = []
        for _ in range(150):
            client = self.raw(server, HEAD.format("/mcp", len(body), "").encode())
            client.setblocking(False)
            clients.append((client, memoryview(body)))
        refused = 0
        while clients:
            for client, rest in list(clients):
                clients.remove((client, rest))
                try:
                    rest = rest[client.send(rest[:MIB]):]
                except BlockingIOError:
                    pass
                except OSError:
                    refused += 1  # it was not read
                    continue
                if select.select([client], [], [], 0)[0] and client.recv(4096).startswith(b"HTTP/1.1 401 "):
                    refused += 1
                    continue
                self.assertTrue(rest, "a body was taken whole")
                clients.append((client, rest))
        self.assertEqual(refused, 150)
        self.assertLess(server.resident_bytes() - before, 100 * MIB)
        self.doCleanups_of_sockets()
        self.leaves_nothing(server, held)
        self.served(server, token)

    def doCleanups_of_sockets(self):
        for client in self.clients:
            client.close()

    def raw(self, server, data=b""):
        client = super().raw(server, data)
        self.clients.append(client)
        return client

    def setUp(self):
        super().setUp()
        self.clients = []

    def test_H1_sends_more_than_there_is_memory_for(self):
        server = self.serve("echo", text=f"[server.limits]\nmemory_bytes_max = {64 * MIB}\n")
        self.served(server)
        held, before = self.holdings(server), server.resident_bytes()
        body = b'{"x":"' + b"x" * (7 * MIB)
        for _ in range(40):
            client = self.raw(server, HEAD.format("/mcp", 8_000_000, "").encode())
            client.settimeout(10)
            try:
                client.sendall(body)
            except OSError:
                pass  # refused
        self.served(server)
        self.assertLess(server.resident_bytes() - before, 100 * MIB)
        server.logged(r"requests are refused: .*\(server.limits.memory_bytes_max")
        self.doCleanups_of_sockets()
        self.leaves_nothing(server, held)

    def asks_for_too_much(self, server, ask):
        """Messages whose values take ten times their size, and more than is left to the server."""
        elements = b"1," * (3 * MIB) + b"1"
        begin = b'{"jsonrpc":"2.0","id":1,"method":'
        messages = (begin + b'"tools/call","params":{"name":"echo","arguments":{"text":"%s"}}}' % elements,
                    begin + b'"tools/call","params":{"name":"echo","arguments":{"text":[%s]}}}' % elements,
                    begin + b'"initialize","params":{"capabilities":{"x":[%s]}}}' % elements)
        self.assertEqual(text_of(ask(messages[0])), elements.decode())  # what reading takes is there from now on
        with memory_left(server, 30 * MIB):
            for message in messages[1:]:
                error = ask(message)["error"]
                self.assertEqual((error["code"], error["message"]), (-32603, OUT_OF_MEMORY))
        self.assertEqual(text_of(ask(as_bytes(call(1, "echo", {"text": "served"})))), "served")

    def test_H1_asks_for_more_memory_than_there_is(self):
        server = self.serve("echo", "math")
        self.asks_for_too_much(server, lambda message: server.post(message).message)

    def test_H1_asks_for_more_memory_than_there_is_over_stdio(self):
        peer = self.stdio("echo", "math")
        self.asks_for_too_much(peer, peer.ask)

    def asks_for_what_there_is_no_memory_for(self, placement):
        """Whatever is left to the server, it answers whole or refuses, and goes on."""
        echo = f'[plugin.echo]\nlibrary = "{PLUGINS["echo"]}"\nplacement = "{placement}"\n'
        with mock.patch.dict(os.environ, MALLOC_ARENA_MAX="1"):  # it takes from the system what it needs, and no more
            server = self.serve(text=echo)
        text = "x" * (6 * MIB)
        self.served(server)
        refused = 0
        for left, accepted in itertools.product(range(2, 60, 3), ("application/json", "text/event-stream")):
            with memory_left(server, left * MIB):
                answer = server.post(call(1, "echo", {"text": text}), Accept=accepted)
            if answer.body == b"too much is being sent at once\n":
                continue  # not even the message could be read
            message = json.loads(answer.body.removeprefix(b"event: message\ndata: "))
            if "error" in message:
                # Nor is there any for the stack of the thread that it goes to once it has kept its loop too long.
                self.assertRegex(message["error"]["message"], "out of memory|no thread can be started")
                refused += answer.status == 200  # a call; a message that cannot be read is a 503
            else:
                self.assertEqual(text_of(message), text)
        self.assertGreater(refused, 0)
        self.served(server)

    def test_H1_asks_for_a_result_that_there_is_no_memory_for(self):
        self.asks_for_what_there_is_no_memory_for("in-process")

    def test_H1_asks_a_worker_for_a_result_that_there_is_no_memory_for(self):
        self.asks_for_what_there_is_no_memory_for("worker")

    def test_H2_says_much_of_itself(self):
        server = self.serve("echo")
        self.served(server)
        before = server.resident_bytes()
        for _ in range(50):
            answer = server.post(request(1, "initialize", protocolVersion="2025-11-25", capabilities={},
                                         clientInfo={"name": "x" * (7 * MIB), "version": "1"}))
            self.assertEqual(answer.status, 200)
        self.assertLess(server.resident_bytes() - before, 200 * MIB)

    def test_H3_takes_the_sessions_of_others(self):
        (alice, one), (bob, two) = self.token("alice"), self.token("bob")
        server = self.serve("echo", text=one + two + "[server.limits]\nsessions_max = 50\n")
        session = self.open_session(server, bob)
        for _ in range(200):
            self.open_session(server, alice)
        self.assertEqual(self.ask_as(server, bob, "ping", session).status, 200)

    def test_H3_takes_what_is_not_its_own(self):
        (alice, one), (bob, two) = self.token("alice"), self.token("bob")
        server = self.serve("echo", text=one + two)
        session = self.open_session(server, bob)
        self.assertEqual(self.ask_as(server, alice, "ping", session).status, 404)
        self.assertEqual(self.ask_as(server, alice[:-1], "ping", session).status, 401)

    def test_L1_leaves_the_admin_socket_in_the_middle_of_a_line(self):
        import socket

        path = self.folder / "admin"
        server = self.serve("echo", text=f'[admin]\nsocket = "{path}"\n')
        for _ in range(40):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(path))
            client.sendall(b'{"do":"list"}\n{"do":')
            client.close()
        until(lambda: run("list", "-c", self.folder / "collet.toml").returncode == 0)  # once it has seen them leave
        self.served(server)

    def test_L2_takes_all_descriptors(self):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (80, limits[1]))
        try:
            server = self.serve("echo", text="[server]\nthreads = 1\n")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for _ in range(150):
            try:
                self.raw(server)
            except OSError:
                break
        server.logged("no file descriptor is left")
        before = self.sleeps(server)
        until(lambda: self.sleeps(server) > before + 5)  # its loop, which would spin if it asked again and again
        self.doCleanups_of_sockets()

        def again():
            try:
                self.served(server)
                return True
            except (OSError, AttributeError):
                return False

        until(again)

    def test_own_bytes_at_random(self):
        seed = int(os.environ.get("COLLET_ATTACK_SEED", time.time_ns() % 1_000_000))
        chance = random.Random(seed)
        server = self.serve("echo", "math")
        self.served(server)
        held = self.holdings(server)
        good = [post(request(1, method, **params)) for method, params in (
            ("tools/call", {"name": "echo", "arguments": {"text": "x"}}), ("tools/list", {}), ("ping", {}),
            ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "n", "version": "1"}}))]
        end = time.monotonic() + float(os.environ.get("COLLET_ATTACK_SECONDS", 10))
        while time.monotonic() < end:
            data = bytearray(b"".join(chance.choices(good, k=chance.randint(1, 4))))
            for _ in range(chance.randint(1, 8)):
                at = chance.randrange(len(data))
                change = chance.randrange(4)
                if change == 0:
                    data[at] = chance.randrange(256)
                elif change == 1:
                    del data[at:at + chance.randint(1, 30)]
                elif change == 2:
                    data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 30)))
                else:
                    data[at:at] = data[:chance.randint(1, 200)]
                if not data:
                    data += b"\r\n"
            try:
                client = self.raw(server, bytes(data))
                if chance.random() < 0.5:
                    client.shutdown(1)
                client.settimeout(0.02)
                client.recv(4096)
            except OSError:
                pass
            self.clients.pop().close()
            self.assertTrue(server.is_alive(), f"seed {seed}")
        self.served(server)
        self.leaves_nothing(server, held)


class Queries(Attack):
    """Of sqlite, as config/collet.toml places it."""

    seconds_max = 3600

    def setUp(self):
        super().setUp()
        database = self.folder / "data.db"
        sqlite3.connect(database).execute("create table t (x)").connection.close()
        self.server = self.serve(text=f'[plugin.sqlite]\nlibrary = "{PLUGINS["sqlite"]}"\nplacement = "worker"\n'
                                      f'permissions.write = ["{self.folder}"]\n'
                                      f'config.database = "{database}"\nconfig.timeout_ms = 2000\n')

    def query(self, sql):
        return self.server.post(call(1, "sqlite_query", {"sql": sql})).message

    def outcome(self, sql):
        """What is wrong with it: nothing of this may be answered."""
        message = self.query(sql)
        self.assertTrue("error" in message or message["result"].get("isError"), sql[:40])
        return message["error"]["message"] if "error" in message else text_of(message)

    def test_Q1_asks_for_more_memory_than_an_answer_may_have(self):
        for sql in ("select " + ", ".join(["randomblob(4000000)"] * 500), "select zeroblob(1000000000)",
                    "select group_concat(x, '') from (with recursive c(x) as (select hex(zeroblob(1000000)) union all select x from c limit 9999) select x from c)"):
            self.assertNotIn("cannot open", self.outcome(sql))
        self.assertLess(self.server.resident_bytes(), 400 * MIB)

    def test_Q2_asks_what_takes_for_ever(self):
        """Counted by what its worker's process uses, which is not our own work."""
        for sql in ("select printf('%.*c', 1000000000, 'x')",
                    "select instr(hex(zeroblob(1500000)), hex(zeroblob(500000)) || '1')",
                    "select replace(hex(zeroblob(1500000)), hex(zeroblob(400000)) || '1', 'x')",
                    "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"):
            self.outcome(sql)
        self.assertIn('"rows":[[1]]', text_of(self.query("select 1 as x")))


if __name__ == "__main__":
    main()

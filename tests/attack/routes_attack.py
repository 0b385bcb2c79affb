"""Clients of plugins' pages that ask for what is none, stop reading, stop sending, or break off, at any moment."""
import http.client
import os
import random
import socket
import struct
import threading
import time
import urllib.parse

from ground import Attack, until
from peer import PLUGINS, main

TABLE = """
[server]
threads = 2
[server.limits]
drain_timeout_ms = 1000
[plugin.here]
library = "{library}"
[plugin.there]
library = "{library}"
placement = "worker"
permissions.items = ["*"]
"""
CLIENTS = 16
PATHS = ["/", "/feed", "/large?3000000", "/large?90000000", "/generation", "/call/nothing", "/%2e%2e", "/a/../b", "/\x01",
         "/é", "/x" * 500, *("/" + "a/" * count for count in (1, 61, 62, 63, 200))]
MESSAGES = ['{"jsonrpc":"2.0","id":1,"method":"ping"}', '{"jsonrpc":"2.0","id":2,"method":"tools/list"}', "[]", "{"]


def request(chance):
    """Some bytes, mostly of one request to a page, perhaps behind one of MCP's."""
    body = b"x" * chance.choice([0, 0, 10, 100_000])
    method, version = chance.choice(["GET"] * 3 + ["HEAD", "POST", "PUT", "OPTIONS", "BREW"]), chance.choice("1110")
    lines = [f"{method} /plugins/{chance.choice(['here', 'there'])}{chance.choice(PATHS)} HTTP/1.{version}", "Host: localhost"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if chance.random() < 0.2:
        lines += ["Connection: close, X-Hop", "X-Hop: 1"]
    bytes_ = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    if chance.random() < 0.4:
        message = chance.choice(MESSAGES)
        bytes_ = (f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  f"Content-Length: {len(message)}\r\n\r\n{message}").encode() + bytes_
    if chance.random() < 0.1:
        bytes_ = bytes_[:chance.randrange(len(bytes_))]
    return bytes_ * chance.choice([1, 1, 1, 3])


def visit(port, chance):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(0.5)
        if chance.random() < 0.3:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(request(chance))
        if chance.random() < 0.2:
            client.shutdown(socket.SHUT_WR)
        for _ in range(chance.choice([0, 1, 1, 5])):
            client.recv(chance.choice([1, 100, 65536]))
        if chance.random() < 0.4:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Routes(Attack):
    seconds_max = 3600

    def get(self, server, path):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request("GET", urllib.parse.quote(path))
            return connection.getresponse().read()
        finally:
            connection.close()

    def test_P1_breaks_off_at_random(self):
        server = self.serve(text=TABLE.format(library=PLUGINS["pages"]))
        end = time.monotonic() + float(os.environ.get("COLLET_ATTACK_SECONDS", 10))

        def go_on(seed):
            chance = random.Random(seed)
            while time.monotonic() < end:
                try:
                    visit(server.port, chance)
                except OSError:
                    pass  # refused, cut, or not answered yet

        clients = [threading.Thread(target=go_on, args=(seed,)) for seed in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertTrue(server.is_alive())
        for plugin in ("here", "there"):
            until(lambda: self.get(server, f"/plugins/{plugin}/followers") == b"0")  # nobody is taken for a reader for ever
            self.assertEqual(self.get(server, f"/plugins/{plugin}/generation"), b"1")


if __name__ == "__main__":
    main()

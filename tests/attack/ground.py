"""What an attack stands on: the real server, tokens for two, and what the server's process holds before and after."""
import json
import os
import re
import socket
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))
from peer import BUILD, TIMEOUT_S, Case, children_of, post, request, run, until  # noqa: F401

TROUBLE = BUILD / "tests/modules/trouble.so"
CLOCK = BUILD / "tests/modules/clock.so"


class Attack(Case):
    """A test that passes is an attack that was held."""

    def token(self, name):
        """What it is, and the TOML that lets it in."""
        made = run("token", name)
        return made.stdout.split("\n")[0], made.stdout[made.stdout.index("[[server.token]]"):]

    def raw(self, server, data=b""):
        client = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        self.addCleanup(client.close)
        client.sendall(data)
        return client

    def holdings(self, server):
        """Descriptors, threads and children of the server."""
        process = Path(f"/proc/{server._process.pid}")
        self.open = {}
        for each in (process / "fd").iterdir():
            try:
                self.open[each.name] = os.readlink(each)
            except FileNotFoundError:
                pass  # closed meanwhile
        return len(self.open), len(list((process / "task").iterdir())), len(children_of(server))

    def leaves_nothing(self, server, before):
        kept = (os.cpu_count(), 0, 0)  # each loop has a descriptor in reserve, once it has accepted somebody
        try:
            until(lambda: all(now <= then + more for now, then, more in zip(self.holdings(server), before, kept)))
        except AssertionError:
            self.fail(f"descriptors, threads and children: {before} before, {self.holdings(server)} after: {self.open}")

    def sleeps(self, server):
        """How often its first thread has waited for something."""
        status = Path(f"/proc/{server._process.pid}/status").read_text()
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE)[1])

    def ask_as(self, server, token, method, session=None, **params):
        headers = {"Authorization": f"Bearer {token}"}
        if session:
            headers["Mcp-Session-Id"] = session
        with server.connect() as connection:
            return connection.ask(request(1, method, **params), **headers)

    def open_session(self, server, token, **client):
        answer = self.ask_as(server, token, "initialize", protocolVersion="2025-11-25", capabilities={},
                             clientInfo={"name": "attacker", "version": "1", **client})
        return answer.headers["mcp-session-id"]


def as_json(value):
    return json.dumps(value, separators=(",", ":"))

#!/usr/bin/env python3
"""How many instructions the server spends on a request: the steadiest figure there is, for before and after.

usage: tests/bench/instructions.py [BUILD ...]     (build/release; needs valgrind)

Prints, for each kind of request, the instructions of the whole process for one more of them: the difference of two runs under
callgrind, one of which sends more requests than the other over one connection. Of a second build and further ones the ratio to
the first is printed, too.
"""
import hashlib
import http.client
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FEW, MORE = 300, 1500
VERSION = "2026-07-28"
TOKEN = "of-the-one-who-measures"
CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                   "params": {"name": "echo", "arguments": {"text": "hello"},
                              "_meta": {"io.modelcontextprotocol/protocolVersion": VERSION,
                                        "io.modelcontextprotocol/clientCapabilities": {}}}})
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION,
           "Mcp-Method": "tools/call", "Mcp-Name": "echo"}
NEEDS_TOKEN = f'[[server.token]]\nname = "bench"\nhash = "sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}"\n'

# What is asked, and of what configuration besides the plugins.
KINDS = {
    "tools/call, echo": ("POST", "/mcp", CALL, HEADERS, ""),
    "the same, with a token": ("POST", "/mcp", CALL, {**HEADERS, "Authorization": f"Bearer {TOKEN}"}, NEEDS_TOKEN),
    "a page, on the loop": ("GET", "/plugins/pages/generation", None, {}, ""),
    "a page, on an executor": ("GET", "/plugins/pages/followers", None, {}, ""),
    "a page that calls echo": ("POST", "/plugins/pages/call/echo", '{"text":"hello"}', {}, ""),
}


class Measured:
    """A server under callgrind, until it has ended."""

    def __init__(self, build, folder, text):
        self.out = Path(folder) / "callgrind.out"
        config = Path(folder) / "collet.toml"
        plugins = {"echo": build / "plugins/echo.so", "pages": build / "tests/e2e/pages.so"}
        tables = "".join(f'[plugin.{name}]\nlibrary = "{file}"\n' for name, file in plugins.items())
        config.write_text('[server]\nlisten = ["http://127.0.0.1:0"]\nthreads = 1\n' + text + tables)
        self.process = subprocess.Popen(["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.out}", build / "bin/collet",
                                         "serve", "--config", config], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"listening on http://([\d.]+):(\d+)", line):
                self.address = (found[1], int(found[2]))
                return
        raise SystemExit("the server has not begun to listen")

    def ask(self, times, method, path, body, headers):
        connection = http.client.HTTPConnection(*self.address)
        for _ in range(times):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200 or b'"error"' in said:
                raise SystemExit(f"{method} {path}: {answer.status} {said!r}")
        connection.close()

    def end(self):
        self.process.terminate()
        self.process.communicate()
        return int(re.search(r"^(?:summary|totals): (\d+)", self.out.read_text(), re.MULTILINE)[1])


def instructions(build, kind):
    *asked, text = KINDS[kind]
    counts = []
    for times in (FEW, MORE):
        with tempfile.TemporaryDirectory() as folder:
            server = Measured(build, folder, text)
            server.ask(times, *asked)
            counts.append(server.end())
    return (counts[1] - counts[0]) / (MORE - FEW)


def main():
    builds = [Path(name).resolve() for name in sys.argv[1:] or ["build/release"]]
    for kind in KINDS:
        figures = [instructions(build, kind) for build in builds]
        ratios = "".join(f"  {figure:>10,.0f}  {figure / figures[0]:.3f}" for figure in figures[1:])
        print(f"{kind:<26}  {figures[0]:>10,.0f}{ratios}", flush=True)


if __name__ == "__main__":
    main()

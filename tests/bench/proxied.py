#!/usr/bin/env python3
"""What it costs to have a tool behind a remote: a Collet that imports from a Collet, both on loopback.

usage: tests/bench/proxied.py [BUILD] [KIND…]     (build/release, http https sse stdio many; needs wrk and openssl)

Prints, for a remote over http, https, HTTP with SSE (2024-11-05) and stdio, and for 1, 16 and 64 connections, the median time and the
rate of a direct and of a proxied call in alternating runs, and what a proxied one costs the proxy: processor time, and how often its
threads waited and were woken. Clients and direct calls always use http or https. Then it prints how long 200 remotes of 50
tools each take to be imported, and the memory that they take.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REMOTES, TOOLS, RUNS, SECONDS = 200, 50, 3, 2
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


def headers(method, name=None):
    return {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, **({"Mcp-Name": name} if name else {})}


def body(method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}})


def ask(url, method, **params):
    request = urllib.request.Request(url, body(method, **params).encode(), headers(method))
    return json.load(urllib.request.urlopen(request))["result"]


class Served:
    def __init__(self, build, folder, config, scheme="http"):
        file = Path(folder) / f"{len(os.listdir(folder))}.toml"
        file.write_text('[log]\nlevel = "error"\n' + config)
        self.process = subprocess.Popen([build / "bin/collet", "serve", "-c", file, "--listen", f"{scheme}://127.0.0.1:0"],
                                        stderr=subprocess.PIPE, text=True)
        self.url = next(m[1] for line in self.process.stderr if (m := re.match(r"listening on (\S+)", line)))

    def tools(self):
        count, page = 0, {}
        while True:
            result = ask(self.url, "tools/list", **page)
            count += len(result["tools"])
            if "nextCursor" not in result:
                return count
            page = {"cursor": result["nextCursor"]}

    def until_tools(self, count):
        while self.tools() < count:
            time.sleep(0.01)

    def resident_mb(self):
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def spent(self):
        """Its processor time so far, in microseconds, and how often its threads have waited."""
        tasks = list(Path(f"/proc/{self.process.pid}/task").iterdir())
        return (sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1000,
                sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M)[1]) for task in tasks))

    def end(self):
        self.process.terminate()
        self.process.wait()


def load(folder, server, tool, connections):
    """The median time of a call, calls a second, and what one cost the server: microseconds of a processor, and waits."""
    script = Path(folder) / f"{tool}.lua"
    lines = [f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in headers("tools/call", tool).items()]
    script.write_text('wrk.method = "POST"\n' + "\n".join(lines) +
                      f"\nwrk.body = [==[{body('tools/call', name=tool, arguments={'text': 'hello'})}]==]\n")
    before = server.spent()
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "-s", script, "--latency", server.url],
                         capture_output=True, text=True, check=True).stdout
    calls = int(re.search(r"(\d+) requests in", out)[1])
    value, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
    return (float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit], float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
            *((now - then) / calls for now, then in zip(server.spent(), before)))


def median(values):
    return sorted(values)[len(values) // 2]


def certify(folder):
    """The configuration of a server under TLS."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem", "-subj", "/CN=bench",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return '[server.tls]\ncertificate = "certificate.pem"\nkey = "key.pem"\n'


def remote_of(build, folder, kind, direct, tool):
    """How the configuration of a proxy names the remote that `direct` is."""
    if kind == "stdio":
        file = Path(folder) / "child.toml"
        file.write_text('[log]\nlevel = "error"\n' + tool)
        return f'command = "{build}/bin/collet"\nargs = ["stdio", "-c", "{file}"]\n'
    if kind == "sse":
        return f'url = "{direct.url.rpartition("/")[0]}/sse"\ntransport = "sse"\n'
    return f'url = "{direct.url}"\n' + ('ca = "certificate.pem"\n' if kind == "https" else "")


def compare(build, folder, kind):
    scheme = "https" if kind == "https" else "http"
    tool = f'[plugin.echo]\nlibrary = "{build}/plugins/echo.so"\n'
    direct = Served(build, folder, (certify(folder) if scheme == "https" else "") + tool, scheme)
    proxy = Served(build, folder, "[remote.r]\n" + remote_of(build, folder, kind, direct, tool))
    proxy.until_tools(1)
    for connections in (1, 16, 64):
        runs = [(load(folder, direct, "echo", connections), load(folder, proxy, "r__echo", connections)) for _ in range(RUNS)]
        (near, near_rate, *_), (far, far_rate, cpu, waits) = [[median(values) for values in zip(*side)] for side in zip(*runs)]
        print(f"{kind}, {connections:2} connections: p50 {near:.0f} us direct, {far:.0f} us proxied ({far / near:.1f}x); "
              f"{near_rate:,.0f}/s direct, {far_rate:,.0f}/s proxied; {cpu:.1f} us of a processor and {waits:.1f} waits a call; "
              f"{proxy.resident_mb():.1f} MB", flush=True)
    proxy.end()
    direct.end()


def import_many(build, folder):
    many = Served(build, folder, f'[plugin.many]\nlibrary = "{build}/bench/many_tools.so"\nconfig = {{ count = {TOOLS} }}\n')
    begun = time.monotonic()
    proxy = Served(build, folder, "".join(f'[remote.r{n}]\nurl = "{many.url}"\n' for n in range(REMOTES)))
    proxy.until_tools(REMOTES * TOOLS)
    print(f"{REMOTES} remotes of {TOOLS} tools: {time.monotonic() - begun:.2f} s, {proxy.resident_mb():.0f} MB")
    proxy.end()
    many.end()


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "build/release").resolve()
    with tempfile.TemporaryDirectory() as folder:
        for kind in sys.argv[2:] or ("http", "https", "sse", "stdio", "many"):
            import_many(build, folder) if kind == "many" else compare(build, folder, kind)


if __name__ == "__main__":
    main() if "--help" not in sys.argv else print(__doc__.strip())

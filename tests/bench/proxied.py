#!/usr/bin/env python3
"""What it costs to have a tool behind a remote: a Collet that imports from a Collet, both on loopback.

usage: tests/bench/proxied.py [BUILD]     (build/release; needs wrk and openssl)

Prints, for a remote over http and over https, and for 1, 16 and 64 connections, the median time and the rate of a direct and of a
proxied call in alternating runs, and the proxy's memory; then how long 200 remotes of 50 tools each take to be imported, and
the memory that they take.
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

    def end(self):
        self.process.terminate()
        self.process.wait()


def load(folder, url, tool, connections):
    script = Path(folder) / f"{tool}.lua"
    lines = [f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in headers("tools/call", tool).items()]
    script.write_text('wrk.method = "POST"\n' + "\n".join(lines) +
                      f"\nwrk.body = [==[{body('tools/call', name=tool, arguments={'text': 'hello'})}]==]\n")
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "-s", script, "--latency", url],
                         capture_output=True, text=True, check=True).stdout
    value, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", out).groups()
    return float(value) * {"us": 1, "ms": 1e3, "s": 1e6}[unit], float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def median(values):
    return sorted(values)[len(values) // 2]


def certify(folder):
    """The configuration of a server under TLS."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem", "-subj", "/CN=bench",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return '[server.tls]\ncertificate = "certificate.pem"\nkey = "key.pem"\n'


def compare(build, folder, scheme):
    tls, ca = (certify(folder), 'ca = "certificate.pem"\n') if scheme == "https" else ("", "")
    direct = Served(build, folder, f'{tls}[plugin.echo]\nlibrary = "{build}/plugins/echo.so"\n', scheme)
    proxy = Served(build, folder, f'[remote.r]\nurl = "{direct.url}"\n{ca}')
    proxy.until_tools(1)
    for connections in (1, 16, 64):
        runs = [(load(folder, direct.url, "echo", connections), load(folder, proxy.url, "r__echo", connections))
                for _ in range(RUNS)]
        (near, near_rate), (far, far_rate) = [[median([run[i][j] for run in runs]) for j in (0, 1)] for i in (0, 1)]
        print(f"{scheme}, {connections:2} connections: p50 {near:.0f} us direct, {far:.0f} us proxied ({far / near:.1f}x); "
              f"{near_rate:,.0f}/s direct, {far_rate:,.0f}/s proxied; {proxy.resident_mb():.1f} MB")
    proxy.end()
    direct.end()


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "build/release").resolve()
    with tempfile.TemporaryDirectory() as folder:
        for scheme in ("http", "https"):
            compare(build, folder, scheme)
        many = Served(build, folder, f'[plugin.many]\nlibrary = "{build}/bench/many_tools.so"\nconfig = {{ count = {TOOLS} }}\n')
        begun = time.monotonic()
        proxy = Served(build, folder, "".join(f'[remote.r{n}]\nurl = "{many.url}"\n' for n in range(REMOTES)))
        proxy.until_tools(REMOTES * TOOLS)
        print(f"{REMOTES} remotes of {TOOLS} tools: {time.monotonic() - begun:.2f} s, {proxy.resident_mb():.0f} MB")
        proxy.end()
        many.end()


if __name__ == "__main__":
    main() if "--help" not in sys.argv else print(__doc__.strip())

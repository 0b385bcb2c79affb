"""Starts the real binary and talks to it, as rudely as a test wants. What it says has to fit the protocol's schemas.

A test file runs as `FILE BUILD_DIR [unittest arguments]`. A peer that does not answer in TIMEOUT_S fails the test, and
so does one that keeps it busy for `seconds_max`.
"""
import fcntl
import glob
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest
from pathlib import Path

from transcript import SentLines, SentRequests, Transcript

sys.path.append(str(Path(__file__).resolve().parent.parent / "support"))
from certificates import self_signed  # for tests, too

TIMEOUT_S = 120  # far more than anything takes, also on a busy machine and with a sanitizer
BUILD = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
COLLET = BUILD / "bin/collet"
PLUGINS = {
    **{name: BUILD / f"plugins/{name}.so" for name in ("echo", "math", "sqlite", "files")},
    **{name: BUILD / f"tests/e2e/{name}.so" for name in ("waits", "noisy", "awkward", "crasher", "links", "pages", "peers")},
    "fixture": BUILD / "conformance/fixture.so",
    "keeper": BUILD / "tests/modules/keeper.so",
}
MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
transcript = Transcript()  # of the test that runs


def hostile(case):
    return BUILD / f"tests/modules/hostile_{case}.so"


class Case(unittest.TestCase):
    """Has a folder of its own for configurations, and ends what it started."""
    seconds_max = 600  # likewise, of a test

    def setUp(self):
        signal.signal(signal.SIGALRM, self._out_of_time)
        signal.alarm(self.seconds_max)
        self.addCleanup(signal.alarm, 0)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        global transcript
        transcript = Transcript()
        self.addCleanup(self.check_transcript)

    def _out_of_time(self, *_):
        raise AssertionError(f"the test has not ended within {self.seconds_max} s")

    def check_transcript(self):
        if complaints := transcript.complaints(BUILD / "bin/wire_check"):
            self.fail(complaints)

    def config(self, *plugins, text="", **libraries):
        """A configuration of plugins by name, of libraries by id, and of TOML text before them."""
        tables = {**{name: PLUGINS[name] for name in plugins}, **libraries}
        text += "".join(f'\n[plugin.{id}]\nlibrary = "{library}"\n' for id, library in tables.items())
        if "sqlite" in plugins:
            text += 'config.database = ":memory:"\n'
        file = self.folder / "collet.toml"
        file.write_text(text)
        return file

    def stdio(self, *plugins, **options):
        peer = Stdio(self.config(*plugins, **options))
        self.addCleanup(peer.kill)
        return peer

    def serve(self, *plugins, listen=("http://127.0.0.1:0",), **options):
        server = Server(self.config(*plugins, **options), listen)
        self.addCleanup(server.kill)
        return server


def main():
    unittest.main(verbosity=1)


def request(id, method, **params):
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def call(id, tool, arguments=None, token=None):
    params = {"name": tool, "arguments": {} if arguments is None else arguments}
    if token is not None:
        params["_meta"] = {"progressToken": token}
    return request(id, "tools/call", **params)


def as_bytes(message):
    return message if isinstance(message, bytes) else json.dumps(message).encode()


def text_of(answer):
    if "result" not in answer:
        raise AssertionError(answer)
    return answer["result"]["content"][0]["text"]


class Process:
    """A collet process whose stderr is collected."""

    def __init__(self, *arguments, **options):
        self.log = []
        self._log_grew = threading.Condition()
        self._process = subprocess.Popen([COLLET, *arguments], stderr=subprocess.PIPE, **options)
        self._ended = os.pidfd_open(self._process.pid)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def _read_log(self):
        for line in self._process.stderr:
            with self._log_grew:
                self.log.append(line.decode(errors="replace").rstrip("\n"))
                self._log_grew.notify_all()
        with self._log_grew:
            self.log.append(None)
            self._log_grew.notify_all()

    def logged(self, pattern):
        """The first line of the log that has the pattern, as a match; waits for it."""
        return self.all_logged(pattern, 1)[0]

    def all_logged(self, pattern, count):
        def found():
            return [match for line in self.log if line is not None and (match := re.search(pattern, line))]

        with self._log_grew:
            self._log_grew.wait_for(lambda: len(found()) >= count or None in self.log, TIMEOUT_S)
            if len(found()) < count:
                raise AssertionError(f"the log has no {count} lines with {pattern!r}: {self.log}")
            return found()[:count]

    def signal(self, number):
        self._process.send_signal(number)

    def wait(self, timeout=TIMEOUT_S):
        # Not Popen.wait(timeout), which asks no more often than every 50 ms.
        if not select.select([self._ended], [], [], timeout)[0]:
            raise AssertionError(f"the process has not ended within {timeout} s")
        code = self._process.wait()
        self._reader.join()
        return code

    def is_alive(self):
        return self._process.poll() is None

    def resident_bytes(self):
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def opened(self, descriptor):
        """What is open under that number."""
        return os.readlink(f"/proc/{self._process.pid}/fd/{descriptor}")

    def kill(self):
        if self.is_alive():
            self._process.kill()
            self.wait()
        if self._ended is not None:
            os.close(self._ended)
            self._ended = None
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                stream.close()


class Stdio(Process):
    def __init__(self, config, **options):
        super().__init__("stdio", "-c", config, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **options)
        self._unread = b""
        self._transcript = transcript.stdio()
        self.stdin = SentLines(self._process.stdin, self._transcript)

    def send(self, *messages):
        self.stdin.write(b"".join(as_bytes(message) + b"\n" for message in messages))

    def receive(self):
        """The next message; None at the end of the stream."""
        while b"\n" not in self._unread:
            if not select.select([self._process.stdout], [], [], TIMEOUT_S)[0]:
                raise AssertionError(f"no answer; so far {self._unread[:200]!r}")
            if not (more := os.read(self._process.stdout.fileno(), 1 << 20)):
                if self._unread:
                    raise AssertionError(f"ended within a line: {self._unread[:200]!r}")
                return None
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        self._transcript.append(b"< " + line)
        return json.loads(line)

    def ask(self, message):
        self.send(message)
        return self.receive()

    def rest(self):
        """What still comes until the end of the stream."""
        return list(iter(self.receive, None))


class Server(Process):
    def __init__(self, config, listen):
        super().__init__("serve", "-c", config, *(f"--listen={url}" for url in listen), stdout=subprocess.DEVNULL)
        try:
            self.urls = [match[1].removesuffix("/mcp") for match in self.all_logged(r"^listening on (.+)", len(listen))]
        except AssertionError:
            self.kill()
            raise

    @property
    def port(self):
        return int(self.urls[0].rsplit(":", 1)[1])

    def connect(self, to=None, **options):
        """To "127.0.0.1", or an address of socket.connect()."""
        return Connection(to or ("127.0.0.1", self.port), **options)

    def post(self, message, **headers):
        with self.connect() as connection:
            return connection.ask(message, **headers)

    def post_modern(self, method, **params):
        with self.connect() as connection:
            return connection.ask_modern(method, **params)


def post(message, path="/mcp", **headers):
    """A request, with body and headers; `None` takes a header out."""
    body = as_bytes(message)
    given = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": len(body)}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value is not None)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def modern(message, **headers):
    """The message as a modern client sends it, with its headers."""
    message["params"]["_meta"] = MODERN | message["params"].get("_meta", {})
    headers |= {"MCP_Protocol_Version": "2026-07-28", "Mcp_Method": message["method"]}
    for name in ("name", "uri", "taskId"):
        if isinstance(message["params"].get(name), str):
            headers["Mcp_Name"] = message["params"][name]
    return post(message, **headers)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def message(self):
        return json.loads(self.body)

    @property
    def is_stream(self):
        return self.headers.get("content-type", "").startswith("text/event-stream")


class Connection:
    def __init__(self, address, tls=None, receive_bytes=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(TIMEOUT_S)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._file = None
        self.last_event_id = None
        self._sent = SentRequests()
        self._transcript = []
        self.socket.connect(address)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._file = self.socket.makefile("rb")

    def send(self, data):
        self._sent.add(data)
        self.socket.sendall(data)

    def _hear(self, data):
        self._transcript += [b"< " + line for line in data.split(b"\n")]

    def chunk(self):
        """The next one of an answer that comes in chunks."""
        data = self._file.read(int(self._file.readline(), 16))
        self._file.readline()
        return data

    def head(self):
        """Status and headers of the next answer, its body left unread."""
        if not (line := self._file.readline()):
            return None
        headers = {}
        self._transcript = transcript.exchange(self._sent.next())
        while (header := self._file.readline().decode().rstrip("\r\n")):
            name, _, value = header.partition(": ")
            headers[name.lower()] = value
            self._hear(header.encode())
        return Answer(int(line.split()[1]), headers, b"")

    def receive(self):
        """The next answer; None if the server has closed the connection."""
        answer = self.head()
        return answer and self.body_of(answer)

    def body_of(self, answer):
        """The answer whose head that is, with its body."""
        if answer.headers.get("transfer-encoding") == "chunked":
            answer.body = b"".join(iter(self.chunk, b""))
        else:
            answer.body = self._file.read(int(answer.headers.get("content-length", 0)))
        self._hear(answer.body)
        return answer

    def event(self):
        """The next message of an event stream whose head has been read; None at its end."""
        while (chunk := self.chunk()):
            if chunk.endswith(b"\n\n"):  # or it has been cut off
                self._hear(chunk)
            fields = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if line and line[0] != ":")
            self.last_event_id = fields.get("id", self.last_event_id)
            if fields.get("data"):
                return json.loads(fields["data"])
        return None

    def ask(self, message, **headers):
        self.send(post(message, **headers))
        return self.receive()

    def ask_modern(self, method, id=1, **params):
        self.send(modern(request(id, method, **params)))
        return self.receive()

    def is_closed(self):
        """Waits for the server to close."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        if self._file:
            self._file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    __del__ = close


def until(condition):
    """Asks again until it is true."""
    end = time.monotonic() + TIMEOUT_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError("what was waited for did not happen")
        time.sleep(0.005)
    return value


def children_of_process(pid):
    """Process ids, of whichever of its threads; none where it has ended."""
    children = []
    for task in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            children += map(int, Path(task).read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            pass  # the thread has ended meanwhile
    return children


def children_of(server):
    return children_of_process(server._process.pid)


def commands_of(server):
    """Of its remotes, which their keepers have started."""
    return [child for keeper in children_of(server) for child in children_of_process(keeper)]


def descendants_of(server):
    found = children_of(server)
    for pid in found:
        found += children_of_process(pid)
    return found


def is_running(pid):
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def runs(argument):
    """Whether there is a process that was given this argument."""
    for line in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            if argument.encode() in Path(line).read_bytes().split(b"\0"):
                return True
        except (FileNotFoundError, ProcessLookupError):
            pass
    return False


def on_terminal(*arguments, answer="", out=None, columns=80):
    """Exit code and screen of a verb whose stdin and stderr, and stdout unless it goes elsewhere, are a terminal."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([COLLET, *arguments], stdin=there, stdout=out or there, stderr=there)
    os.close(there)
    os.write(here, answer.encode())
    screen = b""
    try:
        while select.select([here], [], [], TIMEOUT_S)[0]:
            screen += os.read(here, 4096)
    except OSError:  # how a terminal says that nobody is on it any more
        pass
    os.close(here)
    return process.wait(TIMEOUT_S), screen.decode().replace("\r\n", "\n")


def run(*arguments, **options):
    """A verb that ends by itself."""
    return subprocess.run([COLLET, *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, **options)

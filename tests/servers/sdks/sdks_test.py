"""Remotes that were made with real SDKs: imported whole, called, heard, and started again."""
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "e2e"))
import remote_test  # noqa: E402
from peer import BUILD, commands_of, main, text_of, until  # noqa: E402
from sdks import SDKS, commands  # noqa: E402


# Whose log is not waited for, as it declares no logging in 2026-07-28 and does not send any.
UNHEARD = {("python_2", "over_http"), ("python_2", "over_stdio")}


def unused_port():
    """Below those that connections are given, so that nobody takes it while a server is started again."""
    while True:
        port = random.randrange(20_000, 32_000)
        if not listens(port):
            return port


def listens(port):
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


class Sdks(remote_test.RemoteCase):
    def check_transcript(self):
        """What others' servers say is passed on as it is."""

    def gateway(self, body):
        server = self.serve_remotes(r=body)
        server.logged("remote r: ready")
        until(lambda: set(self.tools(server)) == {"r__shout", "r__add"})
        return server

    def is_whole(self, server):
        self.assertEqual(self.tools(server)["r__add"]["inputSchema"]["required"], ["a", "b"])
        self.assertEqual(text_of(self.call(server, "r__add", {"a": 2, "b": 3})), "5")
        self.assertEqual(text_of(self.call(server, "r__shout", {"text": "héllo"})), "HÉLLO")

    def is_heard(self, server, name, transport):
        """What it logs while it is called reaches the caller where that can be told, else our log: in the end, as some
        servers have nobody to tell before a stream of ours has come."""
        if (name, transport) in UNHEARD:
            return

        def heard():
            connection = server.connect()
            self.begin_call(connection, "r__shout", {"text": "aloud"}, **{"io.modelcontextprotocol/logLevel": "debug"})
            head = connection.head()
            told = str(connection.event()) if head.is_stream else str(connection.body_of(head).message)
            connection.close()
            return "shouting aloud" in told or any("says: " in line and "shouting aloud" in line for line in server.log if line)
        until(heard)

    def back(self, server):
        def answered():
            answer = self.call(server, "r__add", {"a": 1, "b": 1})
            return "result" in answer and text_of(answer) == "2"
        until(answered)

    def over_stdio(self, command, name):
        server = self.gateway(f'command = "{command[0]}"\nargs = {command[1:]}\n')
        self.is_whole(server)
        self.is_heard(server, name, "over_stdio")
        for child in until(lambda: commands_of(server)):
            os.kill(child, signal.SIGKILL)
        self.back(server)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)

    def start_http(self, command, port):
        process = subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        while not listens(port):  # some take a minute on a busy machine
            self.assertIsNone(process.poll())
            time.sleep(0.1)
        return process

    def over_http(self, command, name):
        port = unused_port()
        process = self.start_http(command, port)
        server = self.gateway(f'url = "http://127.0.0.1:{port}/mcp"\n')
        self.is_whole(server)
        self.is_heard(server, name, "over_http")
        process.kill()
        process.wait()
        self.start_http(command, port)
        self.back(server)
        server.kill()


def test_of(name, transport):
    def test(self):
        command = COMMANDS[name]
        if command is None:
            self.skipTest("its tools are not installed, or it cannot be fetched")
        getattr(self, transport)(command, name)
    return test


COMMANDS = commands(BUILD / "sdks")
for name, (_, has_http) in SDKS.items():
    setattr(Sdks, f"test_{name}_over_stdio", test_of(name, "over_stdio"))
    if has_http:
        setattr(Sdks, f"test_{name}_over_http", test_of(name, "over_http"))

if __name__ == "__main__":
    main()

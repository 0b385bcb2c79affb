"""Remotes that end, start again or lie at each byte of a call: it is answered once, and executed once at most.

Each class is a transport, and a test of its own for ctest.
"""
import json
import os
import time
from collections import Counter

from any_transport import AnyTransport
from dying_proxy import DyingProxy
from peer import main, text_of, until
from remote_test import RemoteCase

# tests/plugins/client go through every byte at each run, this here where it is asked for: tools/test --sweep.
SWEEPS = "COLLET_SWEEP" in os.environ
STEP = 1 if SWEEPS else 17
HTTPS_STEP = 1 if SWEEPS else 61  # each of these shakes hands anew
HANDSHAKE_BYTES = 700  # of a client, at most, before its request
REQUEST_BYTES = 900
ANSWER_BYTES = 400
CHILD_REQUEST_BYTES = 500  # at most; it has no headers
PATIENCE = 4  # ends of a remote, soon after one another, after which it is left alone for longer and longer
DEADLINE_MS = 1000  # for an answer that a lie has taken the way from


class Crash:
    """What holds for a remote over a URL, by the class's `transport`."""
    seconds_max = 3600 if SWEEPS else 600

    def proxied(self, more=""):
        fake = self.remote_over(self.transport)
        proxy = DyingProxy(fake.port)
        self.addCleanup(proxy.stop)
        server = self.serve_remote(f'url = "{fake.url.replace(str(fake.port), str(proxy.port))}"\n'
                                   f"{self.trust(self.transport)}{more}")
        return fake, proxy, server

    def at_bytes(self, size):
        """Where in so many bytes of a request or an answer a connection is to end."""
        if self.transport == "https":
            return range(0, size + HANDSHAKE_BYTES, HTTPS_STEP)
        return range(0, size, STEP)

    def doomed_call(self, remote, proxy, server, **fate):
        """What it said, and its answer."""
        until(lambda: "result" in self.call(server, "r__echo", {"text": "before"}))
        words = json.dumps(fate)
        proxy.doom(**fate)
        answer = self.call(server, "r__echo", {"text": words})
        self.assertEqual(("result" in answer) + ("error" in answer), 1)
        return words, answer

    def no_call_is_executed_twice(self, remote):
        with remote.lock:
            said = [message["params"]["arguments"]["text"] for message in remote.seen if message.get("method") == "tools/call"]
        self.assertEqual([words for words, count in Counter(said).items() if count > 1 and words != "before"], [])

    def test_a_remote_that_ends_at_any_byte_of_a_request_executes_its_call_once_at_most(self):
        fake, proxy, server = self.proxied()
        for at in self.at_bytes(REQUEST_BYTES):
            for resets in (False, True):
                with self.subTest(at=at, resets=resets):
                    words, answer = self.doomed_call(fake.remote, proxy, server, reads=at, resets=resets)
                    if "result" in answer:
                        self.assertEqual(text_of(answer), words)
        self.no_call_is_executed_twice(fake.remote)

    def test_a_remote_that_ends_at_any_byte_of_an_answer_executes_its_call_once(self):
        fake, proxy, server = self.proxied()
        for at in self.at_bytes(ANSWER_BYTES):
            for resets in (False, True):
                with self.subTest(at=at, resets=resets):
                    words, answer = self.doomed_call(fake.remote, proxy, server, says=at, resets=resets)
                    until(lambda: self.executions(fake.remote, words))
                    if "result" in answer:
                        self.assertEqual(text_of(answer), words)
                    if at == 0 and self.transport not in ("sse", "https"):
                        self.assertIn("remote r: ", answer["error"]["message"])
        self.no_call_is_executed_twice(fake.remote)

    def test_a_remote_that_starts_again_at_any_byte_of_an_answer_executes_its_call_once(self):
        for count, at in enumerate(self.at_bytes(ANSWER_BYTES)):
            if count % PATIENCE == 0:
                fake, proxy, server = self.proxied()
            with self.subTest(at=at):
                words, answer = self.doomed_call(fake.remote, proxy, server, says=at)
                fake.sessions.clear()
                until(lambda: self.executions(fake.remote, words))
                until(lambda: "result" in self.call(server, "r__echo", {"text": "before"}))
            self.no_call_is_executed_twice(fake.remote)
            if count % PATIENCE == PATIENCE - 1:
                server.kill()

    def deadline(self):
        """One that leaves time to connect anew, as busy as this machine is."""
        began = time.monotonic()
        server = self.proxied()[-1]
        until(lambda: "result" in self.call(server, "r__echo", {"text": "before"}))
        took_ms = int((time.monotonic() - began) * 1000)
        server.kill()
        return f"timeout_ms = {max(DEADLINE_MS, 4 * took_ms)}\n"

    def test_a_remote_that_lies_at_any_byte_of_an_answer_executes_its_call_once(self):
        fake, proxy, server = self.proxied(self.deadline())
        for at in self.at_bytes(ANSWER_BYTES):
            for lie in ("changes", "drops"):
                with self.subTest(at=at, lie=lie):
                    words, _ = self.doomed_call(fake.remote, proxy, server, **{lie: at})
                    until(lambda: self.executions(fake.remote, words))
        self.no_call_is_executed_twice(fake.remote)


class Modern(Crash, AnyTransport):
    transport = "modern"


class Legacy(Crash, AnyTransport):
    transport = "legacy"


class Sse(Crash, AnyTransport):
    transport = "sse"


class Https(Crash, AnyTransport):
    transport = "https"


class Stdio(RemoteCase):
    seconds_max = Crash.seconds_max
    ANSWER = '{"jsonrpc": "2.0", "id": @, "result": {"content": [{"type": "text", "text": "cut"}]}}'

    def points(self, size, config=""):
        """At each of them a child of either era, which has not executed anything yet by its log."""
        log = self.folder / "executions"
        for era in ("modern", "legacy"):
            server = None
            for count, at in enumerate(range(0, size, STEP)):
                if count % PATIENCE == 0:
                    if server:
                        server.kill()
                    server = self.serve_remote(self.child(era=era, log=str(log)) + config)
                log.write_text("")
                yield at, server, log
                until(lambda: self.has_answered(self.call(server, "r__echo")))
            server.kill()

    def has_answered(self, answer):
        """And not the host in its place, as it does when the time is over."""
        return not answer.get("result", {"isError": True}).get("isError")

    def test_a_child_that_ends_at_any_byte_of_its_answer_executes_its_call_once(self):
        whole = len(self.ANSWER.replace("@", "10"))  # all but the end of the line
        for at, server, log in self.points(whole + STEP):
            with self.subTest(at=at):
                self.assertIn("remote r: ", self.call(server, "r__cut", {"at": min(at, whole)})["error"]["message"])
                self.assertEqual(log.read_text(), "cut\n")

    def test_a_child_that_ends_at_any_byte_of_a_request_executes_its_call_once_at_most(self):
        for at, server, log in self.points(CHILD_REQUEST_BYTES):
            with self.subTest(at=at):
                until(lambda: self.has_answered(self.call(server, "r__deaf", {"at": at})))
                answer = self.call(server, "r__say", {"bytes": self.ANSWER})
                self.assertEqual(("result" in answer) + ("error" in answer), 1)
                self.assertEqual(log.read_text(), "say\n" if "result" in answer else "")

    def test_a_child_that_lies_at_any_byte_of_its_answer_executes_its_call_once(self):
        for at, server, log in self.points(len(self.ANSWER), f"timeout_ms = {DEADLINE_MS}\n"):
            for lie in (chr(ord(self.ANSWER[at]) ^ 1), ""):
                with self.subTest(at=at, lie=lie):
                    until(lambda: self.has_answered(self.call(server, "r__echo")))  # the lie before may have cost the child
                    log.write_text("")
                    answer = self.call(server, "r__say", {"bytes": self.ANSWER[:at] + lie + self.ANSWER[at + 1:]})
                    self.assertEqual(("result" in answer) + ("error" in answer), 1)
                    self.assertEqual(log.read_text(), "say\n")


if __name__ == "__main__":
    main()

"""What a remote may answer a call with: each answer that is none costs its call, and is said in clear words."""
import json
import re
import time
import zlib

from fake_remote import RpcError, tool
from peer import main, run, text_of, until
from remote_test import RemoteCase

CLOSE = b"Connection: close\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + CLOSE
ERROR = b"HTTP/1.1 500 No\r\n" + CLOSE
JSON = OK + b"Content-Type: application/json\r\n"
EVENTS = OK + b"Content-Type: text/event-stream\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def whole(body, head=JSON):
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def answer(message, words=b"fine"):
    return (b'{"jsonrpc":"2.0","id":%d,"result":{"resultType":"complete","content":[{"type":"text","text":"%b"}]}}'
            % (message["id"], words))


def result(message, json_text):
    return b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (message["id"], json_text)


# What is answered, and what the caller hears.
NO_ANSWERS = {
    "an error in such bytes": (lambda m: whole(b"\xff\x1b[31m\x00", ERROR), "HTTP status 500: \ufffd"),
    "an error cut within a character": (
        lambda m: whole("x".encode() + "é".encode() * 200, ERROR), "HTTP status 500: xé+\ufffd$"),
    "ten thousand levels": (lambda m: whole(result(m, b"[" * 10_000 + b"]" * 10_000)), "nested too deeply"),
    "a member's name without end": (lambda m: whole(result(m, b'{"%b":tru}' % (b"n" * 100_000))), "^.{0,300}$"),
    "an id that nobody gave": (lambda m: whole(answer({"id": 424242})), "none to this request"),
    "two ids": (lambda m: whole(b'{"id":%d,"id":424242,"result":{"content":[]}}' % m["id"]), "none to this request"),
    "another type": (lambda m: whole(b"<html>", OK + b"Content-Type: text/html\r\n"), "HTTP status 200: <html>"),
    "no type": (lambda m: whole(answer(m), OK), "HTTP status 200: "),
    "no content": (lambda m: b"HTTP/1.1 204 None\r\n" + CLOSE + b"\r\n", "HTTP status 204"),
    "another protocol": (lambda m: b"HTTP/1.1 101 Change\r\nUpgrade: x\r\n\r\n" + whole(answer(m)), "not answered in HTTP"),
    "a length that is too short": (lambda m: JSON + b"Content-Length: 10\r\n\r\n" + answer(m), "no message: not valid JSON"),
    "a length that is too long": (lambda m: JSON + b"Content-Length: 9999\r\n\r\n" + answer(m), "remaining to read|before the end"),
    "a length below zero": (lambda m: JSON + b"Content-Length: -5\r\n\r\n" + answer(m), "Invalid Content-Length|Content-Length that is no number"),
    "chunks that are none": (lambda m: JSON + CHUNKED + b"zz\r\n" + answer(m), "hexadecimal|without a size"),
    "a chunk of all there is": (lambda m: JSON + CHUNKED + b"f" * 18 + b"\r\n" + answer(m), "hexadecimal|without a size"),
    "a chunk that is cut off": (lambda m: JSON + CHUNKED + b"99\r\n" + answer(m), "outstanding read data|before the end"),
    "a compressed one": (lambda m: whole(zlib.compress(b" " * 50_000_000, wbits=31), JSON + b"Content-Encoding: gzip\r\n"),
                         "Content-Encoding gzip, which was not asked for"),
    "nothing": (lambda m: whole(b""), "no message: "),
    "an empty batch": (lambda m: whole(b"[]"), "none to this request"),
    "no object": (lambda m: whole(result(m, b"null")), "its result is no object"),
    "a stream of no messages": (lambda m: EVENTS + b"data: {]\n\n\xff\n\ndata: \xff\n\n", "its stream ended before the answer"),
    "an event that is cut off": (lambda m: EVENTS + b"data: " + answer(m)[:-9] + b"\n\n: the stream goes on\n\n",
                                 "no message: not valid JSON"),
}

ANSWERS = {
    "under its id as a string": lambda m: whole(answer(m).replace(b'"id":%d' % m["id"], b'"id":"%d"' % m["id"])),
    "twice in a batch": lambda m: whole(b"[%b,%b]" % (answer(m), answer(m, b"again"))),
    "twice on a stream": lambda m: EVENTS + b"data: %b\n\ndata: %b\n\n" % (answer(m), answer(m, b"again")),
    "in lines": lambda m: whole(answer(m).replace(b",", b",\r\n  ")),
    "after no messages": lambda m: EVENTS + b"data: {]\n\n\xff\n\ndata: " + answer(m) + b"\n\n",
    "after many interim ones": lambda m: b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + whole(answer(m)),
    "after a flood of notifications": lambda m: EVENTS + (
        b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"%b"}}\n\n' % (b"x" * 500)
    ) * 2_000 + b"data: " + answer(m) + b"\n\n",
}


class Answers(RemoteCase):
    def test_each_answer_that_is_none_costs_its_call_alone(self):
        for era in ("modern", "legacy"):
            fake = self.http(era=era)
            server = self.serve_remote(f'url = "{fake.url}"\n')
            for what, (say, complaint) in NO_ANSWERS.items():
                with self.subTest(era=era, what=what):
                    fake.raw["tools/call"] = say
                    said = self.call(server, "r__echo")["error"]["message"]
                    self.assertTrue(said.startswith("remote r: "), said)
                    self.assertRegex(said.removeprefix("remote r: "), re.compile(complaint, re.DOTALL))
            fake.raw.clear()
            self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_an_answer_is_heard_once_whatever_is_around_it(self):
        for era in ("modern", "legacy"):
            fake = self.http(era=era)
            server = self.serve_remote(f'url = "{fake.url}"\n')
            for what, say in ANSWERS.items():
                with self.subTest(era=era, what=what):
                    fake.raw["tools/call"] = say
                    self.assertEqual(text_of(self.call(server, "r__echo")), "fine")

    def test_text_that_no_string_can_have_is_replaced_and_the_rest_is_heard(self):
        for era in ("modern", "legacy"):
            fake = self.http(era=era)
            server = self.serve_remote(f'url = "{fake.url}"\n')
            for words in (b"\xff", b"\\ud83d", b"\\ude00"):
                for head in (lambda body: whole(body), lambda body: EVENTS + b"data: " + body + b"\n\n"):
                    with self.subTest(era=era, words=words):
                        fake.raw["tools/call"] = lambda m: head(answer(m, b"caf" + words + b" on"))
                        self.assertEqual(text_of(self.call(server, "r__echo")), "caf\ufffd on")

    def test_a_child_that_babbles_between_its_answers(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                server = self.serve_remote(self.child(era=era, mode="babbles"))
                for words in ("one", "two"):
                    self.assertEqual(text_of(self.call(server, "r__echo", {"text": words})), words)

    def test_a_session_id_that_no_header_should_have(self):
        fake = self.http(era="legacy")
        fake.raw["initialize"] = lambda m: whole(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}}).encode(),
            JSON + b"Mcp-Session-Id: a\x01b\r\n")
        server = self.serve_remotes(r=f'url = "{fake.url}"\n')
        server.logged("remote r: .*its session id has characters that no session id can have")

    def test_what_a_remote_says_steers_no_terminal(self):
        controls = "\x1b\x07\x7f\u009b\u202e"
        fake = self.http()
        fake.remote.tools.append(tool("rude") | {"description": controls + "red"})
        fake.remote.resources.append({"uri": "fake://" + controls, "name": controls})
        fake.remote.on_server_discover = lambda talk: {
            "supportedVersions": ["2026-07-28"], "ttlMs": 0, "cacheScope": "public", **fake.remote.told(),
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": controls, "version": "1"}}}

        def rude(talk, arguments):
            talk.notify("notifications/message", level="error", data=controls + "\nlogged")
            raise RpcError(-32099, controls + "refused")

        fake.remote.tool_rude = rude
        config = self.config(text=f'[remote.r]\nurl = "{fake.url}"\n')
        for verb in (("list", "-c", config), ("list", "--remotes", "-c", config), ("call", "r__rude", "-c", config)):
            with self.subTest(verb=verb):
                done = run(*verb)
                said = done.stdout + "".join(line for line in done.stderr.splitlines() if "plugin client:" not in line)
                self.assertIn("\\x1b\\x07\\x7f\\xc2\\x9b\\xe2\\x80\\xae", said)
                self.assertFalse(set(said) & set(controls), said)

    def test_a_side_stream_that_ends_at_once_is_not_opened_again_at_once(self):
        fake = self.http(era="legacy")
        opened = []

        def get(http):
            opened.append(time.monotonic())
            http.close_connection = True
            http.wfile.write(EVENTS + b"id: 1\nretry: 0\ndata:\n\n")

        fake.get = get
        server = self.serve_remote(f'url = "{fake.url}"\n')
        until(lambda: len(opened) > 5)
        self.assertGreaterEqual(opened[5] - opened[0], 0.5)
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")


if __name__ == "__main__":
    main()

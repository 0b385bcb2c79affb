"""A call of a remote is made once, whatever becomes of its connection, and it ends."""
import json
import os
import signal
import socket
import threading

from any_transport import TRANSPORTS, AnyTransport
from fake_remote import FakeRemote
from peer import commands_of, main, text_of, until
from remote_test import RemoteCase

class Once(AnyTransport):
    def test_a_call_whose_event_stream_breaks_is_executed_once(self):
        fake = self.http(**TRANSPORTS["sse"])
        server = self.serve_remote(f'url = "{fake.url}"\n')
        executed = []

        def tool_echo(talk, arguments):
            executed.append(arguments["text"])
            if arguments["text"] == "doomed":
                with fake.remote.lock:
                    streams, fake.remote.listeners = fake.remote.listeners, []
                for stream in streams:
                    stream.cancelled.set()
                for connection in list(fake.connections):
                    connection.shutdown(socket.SHUT_RDWR)
            return FakeRemote.tool_echo(fake.remote, talk, arguments)

        fake.remote.tool_echo = tool_echo
        self.assertIn("remote r: ", self.call(server, "r__echo", {"text": "doomed"})["error"]["message"])
        until(lambda: "result" in self.call(server, "r__echo", {"text": "on"}))
        self.assertEqual(executed.count("doomed"), 1)

    def test_calls_wait_for_a_remote_that_restarts_and_each_is_executed_once(self):
        for transport in TRANSPORTS:
            with self.subTest(transport=transport):
                fake = self.remote_over(transport)
                server = self.serve_remote(f'url = "{fake.url}"\nrestart_timeout_ms = 60000\n{self.trust(transport)}')
                fake.stop()
                answers = {}

                def call(words):
                    answers[words] = self.call(server, "r__echo", {"text": words})

                callers = [threading.Thread(target=call, args=(f"call {n}",)) for n in range(20)]
                for caller in callers:
                    caller.start()
                server.logged("remote r: down: ")
                self.refuse(fake.port, 4)
                again = self.remote_over(transport, fake.port)
                for caller in callers:
                    caller.join()
                for words, answer in answers.items():
                    self.assertEqual(text_of(answer), words)
                    self.assertEqual(self.executions(again.remote, words), 1)
                server.kill()

    @staticmethod
    def refuse(port, attempts):
        """Hangs up on so many attempts to connect."""
        with socket.create_server(("127.0.0.1", port)) as listener:
            for _ in range(attempts):
                listener.accept()[0].close()

    def test_calls_wait_for_a_child_that_restarts(self):
        server = self.serve_remote(self.child())
        for child in until(lambda: commands_of(server)):
            os.kill(child, signal.SIGKILL)
        server.logged("remote r: down: ")
        answers = []
        callers = [threading.Thread(target=lambda: answers.append(self.call(server, "r__echo", {"text": "on"})))
                   for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        self.assertEqual([text_of(answer) for answer in answers], ["on"] * 8)


INITIALIZED_SIZE = str(len('{"jsonrpc":"2.0","method":"notifications/initialized"}'))
SDK_ID_NULL = b'{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":"%b"}}'
# How servers say that they do not know a session; none has acted on the request.
UNKNOWN_SESSIONS = {
    "404 in words": (404, b"no such session", {}),
    "404 of the TypeScript SDK": (404, SDK_ID_NULL % (-32001, b"Session not found"), {"Content_Type": "application/json"}),
    "404 of the Python SDK": (404, b'{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}',
                              {"Content_Type": "application/json"}),
    "410": (410, SDK_ID_NULL % (-32600, b"Gone"), {"Content_Type": "application/json"}),
    "400 that names it": (400, SDK_ID_NULL % (-32000, b"Bad Request: No valid session ID provided"),
                          {"Content_Type": "application/json"}),
    "400 of a server that was not initialized": (400, SDK_ID_NULL % (-32000, b"Bad Request: Server not initialized"),
                                                 {"Content_Type": "application/json"}),
    "400 in words": (400, b"Invalid session ID", {}),
    "500 of a transport": (500, SDK_ID_NULL % (-32001, b"Session not found"), {"Content_Type": "application/json"}),
    "503 of a transport": (503, SDK_ID_NULL % (-32000, b"Session expired, please reconnect"), {"Content_Type": "application/json"}),
}


class Sessions(RemoteCase):
    def test_a_session_that_the_server_does_not_know_is_renewed_and_the_call_made_in_the_new_one(self):
        for what, refusal in UNKNOWN_SESSIONS.items():
            with self.subTest(what=what):
                fake = self.http(era="legacy")
                fake.refusal = refusal
                server = self.serve_remote(f'url = "{fake.url}"\n')
                fake.sessions.clear()
                self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
                self.assertEqual(fake.remote.methods().count("initialize"), 2)
                self.assertEqual(fake.remote.methods().count("tools/call"), 1)
                server.kill()

    def test_a_call_that_may_have_been_acted_on_is_not_made_again_but_the_session_is_renewed(self):
        for status, words in ((500, b"the session has crashed"), (503, b"unknown session")):
            with self.subTest(status=status):
                fake = self.http(era="legacy")
                fake.refusal = (status, words, {})
                server = self.serve_remote(f'url = "{fake.url}"\n')
                fake.sessions.clear()
                self.assertIn(words.decode(), self.call(server, "r__echo")["error"]["message"])
                self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
                self.assertEqual(fake.remote.methods().count("initialize"), 2)
                fake.sessions.clear()
                self.assertEqual(text_of(self.call(server, "r__read_only")), "read")
                server.kill()

    def test_an_error_about_a_session_of_the_tools_own_is_its_answer(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        fake.raw["tools/call"] = lambda message: answer_bytes(
            500, {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32603, "message": "browser session not found"}})
        self.assertEqual(self.call(server, "r__echo")["error"], {"code": -32603, "message": "browser session not found"})
        self.assertEqual(fake.remote.methods().count("initialize"), 1)

    def test_a_call_that_no_session_is_good_enough_for_fails_alone(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        fake.raw["tools/call"] = lambda message: b"HTTP/1.1 404 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        self.assertIn("error", self.call(server, "r__echo"))
        fake.raw.clear()
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
        self.assertEqual(fake.remote.methods().count("initialize"), 2)

    def test_a_failure_that_has_words_about_sessions_among_others_is_no_lost_session(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        trace = b"Traceback: sessions.py " + b"x" * 300 + b" session invalid"
        fake.raw["tools/call"] = lambda message: b"HTTP/1.1 500 X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(trace) + trace
        self.assertIn("HTTP status 500", self.call(server, "r__echo")["error"]["message"])
        fake.raw.clear()
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
        self.assertEqual(fake.remote.methods().count("initialize"), 1)

    def test_a_session_of_http_with_sse_that_is_not_known_is_renewed(self):
        fake = self.http(**TRANSPORTS["sse"])
        server = self.serve_remote(f'url = "{fake.url}"\n')
        post, refused = fake.post, []

        def refuse_once(http):
            fake.post = post
            refused.append(http.rfile.read(int(http.headers["Content-Length"])))
            fake.reply(http, 404, b"Could not find session")

        fake.post = refuse_once
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
        self.assertEqual(len(refused), 1)

    def test_a_side_stream_that_the_server_does_not_know_any_more_renews_the_session(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        until(lambda: fake.remote.listeners)
        fake.sessions.clear()
        fake.remote.listeners[0].cancelled.set()
        until(lambda: fake.remote.methods().count("initialize") == 2)
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_modern_remote_that_comes_back_as_a_legacy_one_is_asked_anew_what_it_speaks(self):
        fake = self.http(list_changed=False)
        server = self.serve_remote(f'url = "{fake.url}"\n')
        fake.remote.era = "legacy"
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")


def answer_bytes(status, message):
    body = json.dumps(message).encode()
    return b"HTTP/1.1 %d X\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


# What a child says instead of an answer; @ is the id. What its caller hears.
BROKEN_ANSWERS = {
    "half of a surrogate pair": ('{"jsonrpc":"2.0","id":@,"result":{"content":[{"type":"text","text":"x\\ud83d y"}]}}', "x\ufffd y"),
    "Latin-1": ('{"jsonrpc":"2.0","id":@,"result":{"content":[{"type":"text","text":"caf\xe9"}]}}', "caf\ufffd"),
    "a control character": ('{"jsonrpc":"2.0","id":@,"result":{"content":[{"type":"text","text":"a\tb"}]}}', "a\tb"),
    "an id as a string": ('{"jsonrpc":"2.0","id":"@","result":{"content":[{"type":"text","text":"fine"}]}}', "fine"),
    "an id as a fraction": ('{"jsonrpc":"2.0","id":@.0,"result":{"content":[{"type":"text","text":"fine"}]}}', "fine"),
    "words before it": ('Loading... {"jsonrpc":"2.0","id":@,"result":{"content":[{"type":"text","text":"fine"}]}}', "fine"),
    "an error about a notification before it": (
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"Method not found"}}\n'
        '{"jsonrpc":"2.0","id":@,"result":{"content":[{"type":"text","text":"fine"}]}}', "fine"),
    "a result that is none": ('{"jsonrpc":"2.0","id":@,"result":7}', None),
    "an end that is missing": ('{"jsonrpc":"2.0","id":@,"result":{"content":[{"type"', None),
    "an end that is missing before the id": ('{"result":{"content":[]},"jsonrpc":"2.0","id', None),
    "an error that names no request": ('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}', None),
}


class Endings(RemoteCase):
    def test_what_a_child_says_instead_of_an_answer_ends_the_call(self):
        for era in ("modern", "legacy"):
            server = self.serve_remote(self.child(era=era))
            for what, (say, heard) in BROKEN_ANSWERS.items():
                with self.subTest(era=era, what=what):
                    answer = self.call(server, "r__say", {"bytes": say})
                    if heard is None:
                        self.assertIn("message", answer["error"])
                    else:
                        self.assertEqual(text_of(answer), heard)
            self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
            server.kill()

    def test_an_answer_that_cannot_be_read_costs_its_own_call_alone(self):
        server = self.serve_remote(self.child())
        waiting = server.connect()
        self.begin_call(waiting, "r__wait", progressToken="t")
        self.assertTrue(waiting.head().is_stream)
        waiting.event()
        self.assertIn("no message", self.call(server, "r__say", {"bytes": '{"jsonrpc":"2.0","id":@,"result":{'})["error"]["message"])
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
        waiting.close()

    def test_a_server_that_does_not_answer_one_message_answers_the_others(self):
        fake = self.http(**TRANSPORTS["sse"])
        post, over = fake.post, threading.Event()
        self.addCleanup(over.set)

        def hang_at_initialized(http):
            if "notifications/initialized" in fake.remote.methods() or http.headers["Content-Length"] != INITIALIZED_SIZE:
                return post(http)
            fake.remote.take(json.loads(http.rfile.read(int(INITIALIZED_SIZE))), None)
            return over.wait()

        fake.post = hang_at_initialized
        server = self.serve_remote(f'url = "{fake.url}"\n')
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
        self.assertIn("notifications/initialized", fake.remote.methods())


if __name__ == "__main__":
    main()

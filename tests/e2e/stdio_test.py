"""The stdio transport: how it ends, what libraries cannot do to it, and what a client may send."""
import json
import os
import signal
import subprocess
import time

from peer import COLLET, PLUGINS, Case, as_bytes, call, hostile, main, request, text_of, until

MESSAGE_BYTES_MAX = 8 << 20
WRITE_BUFFER_BYTES_MAX = 4 << 20
EXIT_S = 0.1
LONG_CALLS = {
    "math": call(1, "primes", {"below": 10_000_000_000}),
    "sqlite": call(1, "sqlite_query", {"sql": "with recursive n(i) as (select 1 union all select i+1 from n) "
                                              "select count(*) from n"}),
    "waits": call(1, "wait"),
    "hangs": call(1, "tool"),
}


class Ending(Case):
    def seconds_to_end(self, plugin, end):
        peer = self.stdio(**{plugin: hostile("call_hangs")}) if plugin == "hangs" else self.stdio(plugin)
        peer.ask(request(0, "ping"))
        if plugin != "echo":
            peer.send(LONG_CALLS[plugin])
            peer.ask(request(2, "ping"))  # the call has begun
        began = time.monotonic()
        end(peer)
        self.assertEqual(peer.wait(), 0)
        return time.monotonic() - began

    def ends_in_time(self, end):
        for plugin in ("echo", *LONG_CALLS):
            with self.subTest(plugin):
                # The best of three: what the machine does meanwhile is not what is measured.
                best = min(self.seconds_to_end(plugin, end) for _ in range(3))
                self.assertLess(best, EXIT_S)

    def test_end_of_input_ends_the_process(self):
        self.ends_in_time(lambda peer: peer.stdin.close())

    def test_sigterm_ends_the_process(self):
        self.ends_in_time(lambda peer: peer.signal(signal.SIGTERM))

    def test_sigint_ends_the_process(self):
        self.ends_in_time(lambda peer: peer.signal(signal.SIGINT))

    def test_what_is_in_flight_at_the_end_of_input_is_answered(self):
        config = self.config("echo", "math")
        lines = [call(1, "echo", {"text": "x" * 100_000}), call(2, "primes", {"below": 1000})]
        for line_end in (b"\n", b""):
            sent = b"\n".join(map(as_bytes, lines)) + line_end
            done = subprocess.run([COLLET, "stdio", "-c", config], input=sent, capture_output=True, timeout=10)
            answers = {answer["id"]: text_of(answer) for answer in map(json.loads, done.stdout.splitlines())}
            self.assertEqual(answers, {1: "x" * 100_000, 2: "168"})
            self.assertEqual(done.returncode, 0)

    def test_a_client_that_stops_reading_and_leaves_does_not_hold_the_process(self):
        peer = self.stdio("echo")
        peer.send(*(call(id, "echo", {"text": "x" * 50_000}) for id in range(20)))
        peer.stdin.close()
        self.assertEqual(peer.wait(), 0)


class Armour(Case):
    def test_what_a_library_prints_does_not_reach_the_client(self):
        peer = self.stdio("noisy", "echo")
        self.assertEqual(text_of(peer.ask(call(1, "shout"))), "done")
        self.assertEqual(text_of(peer.ask(call(2, "echo", {"text": "hi"}))), "hi")
        peer.stdin.close()
        self.assertEqual(peer.rest(), [])
        self.assertEqual(peer.wait(), 0)
        self.assertGreater(sum("forged" in line for line in peer.log if line), 4)

    def test_a_library_that_closes_standard_descriptors_is_left_out_alone(self):
        peer = self.stdio(closes=hostile("create_closes_fds"), first=PLUGINS["noisy"], second=PLUGINS["echo"])
        self.assertEqual(text_of(peer.ask(call(1, "shout"))), "done")
        self.assertEqual(text_of(peer.ask(call(2, "echo", {"text": "hi"}))), "hi")
        self.assertEqual(peer.ask(call(3, "tool"))["error"]["code"], -32602)
        peer.logged("plugin closes .* is not served: .*closes file descriptor 0")
        peer.stdin.close()
        self.assertEqual(peer.rest(), [])
        self.assertEqual(peer.wait(), 0)

    def test_a_library_that_closes_stdin_and_stdout_later_does_not_print_into_other_descriptors(self):
        peer = self.stdio("echo", text=f'[plugin.noisy]\nlibrary = "{PLUGINS["noisy"]}"\nconfig.close = true\n')
        self.assertEqual(text_of(peer.ask(call(1, "shout"))), "done")
        self.assertEqual(text_of(peer.ask(call(2, "echo", {"text": "hi"}))), "hi")
        self.assertEqual(peer.opened(1), "/dev/null")
        peer.stdin.close()
        self.assertEqual(peer.rest(), [])
        self.assertEqual(peer.wait(), 0)


class Lines(Case):
    def setUp(self):
        super().setUp()
        self.peer = self.stdio("echo", "math", "waits")

    def goes_on(self):
        self.assertEqual(self.peer.ask(request("last", "ping")), {"jsonrpc": "2.0", "id": "last", "result": {}})

    def echo_of_bytes(self, size):
        """A message of that many bytes in all."""
        return as_bytes(call(1, "echo", {"text": ""})).replace(b'""', b'"' + b"x" * (size - len(
            as_bytes(call(1, "echo", {"text": ""})))) + b'"')

    def test_a_line_at_the_limit_is_taken_and_a_longer_one_is_not(self):
        self.assertIn("result", self.peer.ask(self.echo_of_bytes(MESSAGE_BYTES_MAX)))
        self.assertEqual(self.peer.ask(self.echo_of_bytes(MESSAGE_BYTES_MAX + 1))["error"]["code"], -32700)
        self.goes_on()

    def test_a_line_without_end_does_not_fill_the_memory(self):
        before = self.peer.resident_bytes()
        for _ in range(10):
            self.peer.stdin.write(b"x" * MESSAGE_BYTES_MAX)
        self.peer.send(b"")
        self.assertEqual(self.peer.receive()["error"]["code"], -32700)
        self.goes_on()
        self.assertLess(self.peer.resident_bytes() - before, 3 * MESSAGE_BYTES_MAX)

    def test_invalid_utf8_is_no_message(self):
        for text in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
            answer = self.peer.ask(as_bytes(call(1, "echo", {"text": "?"})).replace(b'"?"', b'"' + text + b'"'))
            self.assertEqual(answer["error"]["code"], -32700)
        self.goes_on()

    def test_a_byte_at_a_time(self):
        for byte in as_bytes(call(1, "echo", {"text": "héllo"})) + b"\r\n":
            self.peer.stdin.write(bytes([byte]))
        self.assertEqual(text_of(self.peer.receive()), "héllo")

    def test_an_id_that_is_in_flight_is_refused(self):
        self.peer.send(call(7, "wait"), call(7, "wait"))
        answer = self.peer.receive()
        self.assertEqual((answer["id"], answer["error"]["code"]), (7, -32600))
        self.peer.send(call(8, "release"))
        answers = {answer["id"]: answer for answer in (self.peer.receive(), self.peer.receive())}
        self.assertEqual(text_of(answers[7]), "released")
        self.assertEqual(text_of(self.peer.ask(call(7, "waiting"))), "0")  # the id is free again

    def test_a_cancelled_call_is_not_answered(self):
        for tool, arguments in (("wait", {}), ("primes", {"below": 10_000_000_000})):
            self.peer.send(call(tool, tool, arguments))
            self.goes_on()
            self.peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": tool}})
            self.goes_on()
        until(lambda: text_of(self.peer.ask(call(1, "waiting"))) == "0")
        self.peer.stdin.close()
        self.assertEqual(self.peer.rest(), [])

    def test_progress_comes_before_the_answer(self):
        self.peer.send(call(1, "primes", {"below": 3_000_000}, token="t"))
        messages = [self.peer.receive()]
        while "method" in messages[-1]:
            messages.append(self.peer.receive())
        self.assertEqual([m["params"]["progressToken"] for m in messages[:-1]], ["t"] * 3)
        self.assertEqual(text_of(messages[-1]), "216816")

    def test_a_client_that_does_not_read_is_not_read_either(self):
        text = "x" * (64 << 10)
        message = as_bytes(call(1, "echo", {"text": text})) + b"\n"
        before = self.peer.resident_bytes()
        os.set_blocking(self.peer.stdin.fileno(), False)
        sent = 0
        left = b""
        limit = 4 * WRITE_BUFFER_BYTES_MAX
        full_since = time.monotonic()
        while sent < limit and time.monotonic() - full_since < 0.5:
            left = left or message
            taken = self.peer.stdin.write(left)
            if taken:
                sent += taken
                left = left[taken:]
                full_since = time.monotonic()
            else:
                time.sleep(0.01)
        self.assertLess(sent, 2 * WRITE_BUFFER_BYTES_MAX)
        self.assertLess(self.peer.resident_bytes() - before, 4 * WRITE_BUFFER_BYTES_MAX)
        os.set_blocking(self.peer.stdin.fileno(), True)
        # It goes on where it stopped. What is left of a line is sent when the client reads again.
        whole = -(-sent // len(message))
        left = left if sent % len(message) else b""
        for at in range(whole):
            if at == 16 and left:
                self.peer.stdin.write(left)
            self.assertEqual(text_of(self.peer.receive()), text)
        self.goes_on()


if __name__ == "__main__":
    main()

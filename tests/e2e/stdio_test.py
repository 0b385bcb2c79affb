"""The stdio transport: how it ends, what libraries cannot do to it, and what a client may send."""
import glob
import json
import os
import select
import signal
import socket
import subprocess
import time

from peer import COLLET, PLUGINS, TIMEOUT_S, Case, Process, Stdio, as_bytes, call, hostile, main, request, text_of, until

MESSAGE_BYTES_MAX = 8 << 20
WRITE_BUFFER_BYTES_MAX = 4 << 20
LONG_CALLS = {
    "math": call(1, "primes", {"below": 10_000_000_000}),
    "sqlite": call(1, "sqlite_query", {"sql": "with recursive n(i) as (select 1 union all select i+1 from n) "
                                              "select count(*) from n"}),
    "waits": call(1, "wait"),
    "hangs": call(1, "tool"),
}


def drain_timeout(ms):
    return f"[server.limits]\nstdio_drain_timeout_ms = {ms}\n"


FOR_EVER = drain_timeout(600_000)
UNDELIVERED = 7  # the exit code


class Ending(Case):
    def with_long_call(self, plugin, text=""):
        if plugin == "hangs":
            peer = self.stdio(text=text, hangs=hostile("call_hangs"))
        else:
            peer = self.stdio(plugin, text=text)
        peer.ask(request(0, "ping"))
        if plugin != "echo":
            peer.send(LONG_CALLS[plugin])
            peer.ask(request(2, "ping"))  # the call has begun
        return peer

    def ends(self, number):
        """However long the calls would go on, and whatever time they have after the end of the input."""
        for plugin in ("echo", *LONG_CALLS):
            with self.subTest(plugin):
                peer = self.with_long_call(plugin, FOR_EVER)
                peer.signal(number)
                self.assertEqual(peer.wait(), 0)

    def test_end_of_input_ends_the_process(self):
        peer = self.with_long_call("echo", FOR_EVER)
        peer.stdin.close()
        self.assertEqual(peer.wait(), 0)

    def test_calls_that_do_not_end_in_their_time_after_the_input_are_answered_with_an_error_and_said(self):
        for plugin in LONG_CALLS:
            with self.subTest(plugin):
                peer = self.with_long_call(plugin, drain_timeout(50))
                peer.stdin.close()
                answer, = peer.rest()
                self.assertEqual((answer["id"], answer["error"]["code"]), (1, -32603))
                self.assertEqual(peer.wait(), UNDELIVERED)
                self.assertTrue(any(line and "1 call(s) had no time to be answered" in line for line in peer.log))

    def test_a_call_in_flight_at_the_end_of_input_is_answered_however_long_it_takes_within_the_limit(self):
        sent = as_bytes(call(1, "primes", {"below": 200_000_000})) + b"\n"
        done = subprocess.run([COLLET, "stdio", "-c", self.config("math", text=FOR_EVER)], input=sent,
                              capture_output=True, timeout=TIMEOUT_S)
        self.assertEqual(text_of(json.loads(done.stdout)), "11078937")
        self.assertEqual(done.returncode, 0)

    def test_what_waits_for_the_result_of_a_task_at_the_end_of_input_gets_it(self):
        peer = self.stdio("fixture", text=FOR_EVER)
        peer.ask(request(0, "initialize", protocolVersion="2025-11-25", capabilities={},
                         clientInfo={"name": "t", "version": "1"}))
        task = peer.ask(request(1, "tools/call", name="slow_compute", arguments={"seconds": 0.3, "label": "it"},
                                task={}))["result"]["task"]["taskId"]
        peer.send(request(2, "tasks/result", taskId=task))
        peer.stdin.close()
        answers = [message for message in peer.rest() if message.get("id") == 2]
        self.assertEqual([text_of(answer) for answer in answers], ["Computed it"])
        self.assertEqual(peer.wait(), 0)

    def test_a_reader_that_is_slower_than_the_input_gets_every_answer_whole(self):
        config = self.config("echo", text=FOR_EVER)
        lines = [as_bytes(call(id, "echo", {"text": "x" * 100_000})) + b"\n" for id in range(40)]
        file = self.folder / "requests.jsonl"
        file.write_bytes(b"".join(lines))
        for input in ("file", "pipe"):
            with self.subTest(input), open(file, "rb") as requests:
                process = subprocess.Popen([COLLET, "stdio", "-c", config], stdout=subprocess.PIPE,
                                           stdin=requests if input == "file" else subprocess.PIPE,
                                           stderr=subprocess.DEVNULL)
                self.addCleanup(process.kill)
                if input == "pipe":
                    process.stdin.write(b"".join(lines))
                    process.stdin.close()
                got = b""
                while (some := os.read(process.stdout.fileno(), 1 << 16)):
                    got += some
                    time.sleep(0.005)  # as slow as it is
                process.stdout.close()
                answers = [json.loads(line) for line in got.splitlines()]
                self.assertEqual([answer["id"] for answer in answers], list(range(40)))
                self.assertEqual(process.wait(TIMEOUT_S), 0)

    def test_a_client_that_closes_its_end_and_reads_nothing_is_not_waited_for(self):
        config = self.config("echo", text=drain_timeout(300))
        for input, count in (("pipe", 213), ("file", 400)):  # more than is kept for it, so that the rest is not read
            file = self.folder / "requests.jsonl"
            file.write_bytes(b"".join(as_bytes(call(id, "echo", {"text": "x" * 20_000})) + b"\n" for id in range(count)))
            with self.subTest(input), open(file, "rb") as requests:
                process = subprocess.Popen([COLLET, "stdio", "-c", config], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                           stdin=requests if input == "file" else subprocess.PIPE)
                self.addCleanup(process.stdout.close)
                self.addCleanup(process.kill)
                if input == "pipe":
                    process.stdin.write(file.read_bytes())
                    process.stdin.close()
                self.assertEqual(process.wait(TIMEOUT_S), UNDELIVERED)

    def test_a_signal_ends_the_process_while_it_waits_for_calls_after_the_input(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            peer = self.with_long_call("waits", FOR_EVER)
            peer.stdin.close()
            peer.signal(number)
            self.assertEqual(peer.wait(), 0)
            self.assertEqual(peer.rest(), [])

    def test_a_client_that_is_gone_ends_the_process_at_once(self):
        for gone_first in ("stdin", "stdout"):
            with self.subTest(gone_first):
                peer = self.with_long_call("waits", FOR_EVER)
                first, second = peer.stdin, peer._process.stdout
                if gone_first == "stdout":
                    first, second = second, first
                first.close()
                second.close()
                self.assertEqual(peer.wait(), 0)

    def test_a_client_that_stops_reading_alone_is_gone(self):
        peer = self.with_long_call("waits", FOR_EVER)
        peer._process.stdout.close()
        self.assertEqual(peer.wait(), 0)

    def test_private_copies_of_plugins_are_gone_after_the_process_however_it_ended(self):
        environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
        environment["TMPDIR"] = str(self.folder / "copies")
        (self.folder / "copies").mkdir()
        for end in ("input", "signal", "gone"):
            with self.subTest(end):
                peer = Stdio(self.config(text=drain_timeout(50), hangs=hostile("call_hangs")), env=environment)
                self.addCleanup(peer.kill)
                peer.send(LONG_CALLS["hangs"])
                peer.ask(request(2, "ping"))
                copies, = (self.folder / "copies").iterdir()
                self.assertEqual(len(list(copies.iterdir())), 1)
                if end == "signal":
                    peer.signal(signal.SIGTERM)
                else:
                    peer.stdin.close()
                if end == "gone":
                    peer._process.stdout.close()
                peer.wait()
                self.assertEqual(list(copies.iterdir()), [])

    def test_sigterm_ends_the_process(self):
        self.ends(signal.SIGTERM)

    def test_sigint_ends_the_process(self):
        self.ends(signal.SIGINT)

    def test_what_is_in_flight_at_the_end_of_input_is_answered(self):
        config = self.config("echo", "math")
        lines = [call(1, "echo", {"text": "x" * 100_000}), call(2, "primes", {"below": 1000})]
        for line_end in (b"\n", b""):
            sent = b"\n".join(map(as_bytes, lines)) + line_end
            done = subprocess.run([COLLET, "stdio", "-c", config], input=sent, capture_output=True, timeout=TIMEOUT_S)
            answers = {answer["id"]: text_of(answer) for answer in map(json.loads, done.stdout.splitlines())}
            self.assertEqual(answers, {1: "x" * 100_000, 2: "168"})
            self.assertEqual(done.returncode, 0)

    def test_a_signal_while_plugins_are_loaded_ends_the_process_and_leaves_no_copies(self):
        environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
        environment["TMPDIR"] = str(self.folder / "copies")
        (self.folder / "copies").mkdir()
        config = self.config(hangs=hostile("create_hangs"))
        for start in (lambda: Stdio(config, env=environment),
                      lambda: Process("serve", "-c", config, "--listen=http://127.0.0.1:0", env=environment)):
            for end in (signal.SIGTERM, signal.SIGINT):
                process = start()
                self.addCleanup(process.kill)
                until(lambda: glob.glob(f"{self.folder}/copies/*/*/*.so"))  # unlike Path.glob(), while folders are renamed
                process.signal(end)
                self.assertEqual(process.wait(), 0)
                self.assertEqual(list((self.folder / "copies").glob("*/*")), [])

    def test_a_client_that_stops_reading_and_stays_does_not_hold_the_process_and_that_is_said(self):
        peer = self.stdio("echo", text=drain_timeout(50))
        peer.send(*(call(id, "echo", {"text": "x" * 50_000}) for id in range(20)))
        peer.stdin.close()
        self.assertEqual(peer.wait(), UNDELIVERED)
        peer.logged(r"1[89] message\(s\) could not be delivered")  # a pipe holds one and a part

    def test_a_client_that_leaves_with_answers_unread_is_told_of_by_the_exit_code(self):
        peer = self.stdio("echo", text=FOR_EVER)
        peer.send(*(call(id, "echo", {"text": "x" * 50_000}) for id in range(20)))
        peer._process.stdout.close()
        self.assertEqual(peer.wait(), UNDELIVERED)


class OneSocket(Case):
    """stdin and stdout are one socket, as some clients start their servers."""

    def start(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        process = subprocess.Popen([COLLET, "stdio", "-c", self.config("echo", text=FOR_EVER)], stdin=theirs,
                                   stdout=theirs, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        theirs.close()
        ours.settimeout(TIMEOUT_S)
        return process, ours

    def test_it_is_served_and_ends_when_the_client_closes(self):
        process, client = self.start()
        client.sendall(as_bytes(request(1, "ping")) + b"\n")
        self.assertEqual(json.loads(client.makefile("rb").readline())["id"], 1)
        client.close()
        self.assertEqual(process.wait(TIMEOUT_S), 0)

    def test_a_client_that_has_said_all_still_gets_its_answers(self):
        process, client = self.start()
        client.sendall(b"".join(as_bytes(call(id, "echo", {"text": "x" * 50_000})) + b"\n" for id in range(20)))
        client.shutdown(socket.SHUT_WR)
        answers = [json.loads(line) for line in client.makefile("rb")]
        self.assertEqual([answer["id"] for answer in answers], list(range(20)))
        self.assertEqual(process.wait(TIMEOUT_S), 0)

    def test_a_client_that_leaves_within_a_line_and_without_reading_ends_it(self):
        process, client = self.start()
        client.sendall(as_bytes(request(1, "ping")) + b"\n")
        self.assertTrue(client.recv(1, socket.MSG_PEEK))
        client.sendall(b'{"half')
        client.close()  # resets the connection: there is something unread
        process.wait(TIMEOUT_S)


class Reloading(Case):
    def test_sighup_takes_over_the_configuration_as_in_serve(self):
        peer = self.stdio("echo")
        self.assertIn("error", peer.ask(call(1, "primes", {"below": 10})))
        self.config("echo", "math")
        peer.signal(signal.SIGHUP)
        until(lambda: "result" in peer.ask(call(2, "primes", {"below": 10})))
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
        for tool, arguments in (("echo", {"text": ""}), ("primes", {"below": 2}), ("waiting", {})):
            self.assertIn("result", self.peer.ask(call(1, tool, arguments)))  # it is loaded, and takes no more memory for that

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
        until(lambda: text_of(self.peer.ask(call(1, "waiting"))) == "1")  # else the release may come before it, by another thread
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
        # What was read is there as answers, and of the last one as text and values.
        self.assertLess(self.peer.resident_bytes() - before, 3 * WRITE_BUFFER_BYTES_MAX)
        os.set_blocking(self.peer.stdin.fileno(), True)
        # It goes on where it stopped. What is left of a line is sent when the client reads again.
        whole = -(-sent // len(message))
        left = left if sent % len(message) else b""
        for at in range(whole):
            if at == 16 and left:
                self.peer.stdin.write(left)
            self.assertEqual(text_of(self.peer.receive()), text)
        self.goes_on()


    def test_a_reader_that_is_slow_but_steady_does_not_cost_memory_by_bytes_sent(self):
        lag = 1_000_000
        message = as_bytes(call(1, "echo", {"text": "y" * 60_000})) + b"\n"
        out, into = self.peer._process.stdout.fileno(), self.peer._process.stdin.fileno()
        os.set_blocking(into, False)
        sent = got = 0
        left = b""
        before = self.peer.resident_bytes()
        while got < 60 * lag:
            behind = sent - got > lag
            readable, writable, _ = select.select([out] if behind else [], [into], [], TIMEOUT_S)
            if writable:
                left = left or message
                taken = os.write(into, left)
                left = left[taken:]
                sent += taken
            if readable:
                got += len(os.read(out, 1 << 16))
        self.assertLess(self.peer.resident_bytes() - before, got / 2)


class Malformed(Case):
    def setUp(self):
        super().setUp()
        self.peer = self.stdio("echo")

    def refusal(self, text):
        answer = self.peer.ask(text if isinstance(text, bytes) else text.encode())
        return answer.get("id", "absent"), answer["error"]["code"], answer["error"]["message"]

    def initialize(self, version):
        self.peer.ask(request(0, "initialize", protocolVersion=version, capabilities={},
                              clientInfo={"name": "t", "version": "1"}))

    def test_a_refusal_carries_the_id_wherever_it_can_be_read(self):
        def with_arguments(text):
            return '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":%s}}' % text

        deep = "[" * 200 + "]" * 200
        for text in (with_arguments('{"a":%s}' % deep), with_arguments(r'{"text":"\ud83d"}'),
                     with_arguments('{"n":1e400}'), with_arguments('{}').encode().replace(b"{}", b'{"text":"\xff"}'),
                     with_arguments('{},"name":"other"'), with_arguments('{},"arguments":{"text":"x"}'),
                     with_arguments('{}').replace('"id":7', '"id":7,"method":"ping"')):
            with self.subTest(text[:120]):
                self.assertEqual(self.refusal(text)[0], 7)

    def test_a_message_that_is_too_long_is_refused_with_its_id_wherever_that_stands(self):
        padding = '"params":{"text":"%s"}' % ("x" * MESSAGE_BYTES_MAX)
        for text in ('{"jsonrpc":"2.0","id":7,"method":"ping",%s}' % padding,
                     '{%s,"jsonrpc":"2.0","method":"ping","id":7}' % padding):
            self.assertEqual(self.refusal(text)[:2], (7, -32700))
        self.assertEqual(self.peer.ask(request(8, "ping"))["id"], 8)

    def test_what_has_no_id_that_can_be_read_is_refused_with_null_where_the_version_wants_it(self):
        for version, id in (("2024-11-05", None), ("2025-03-26", None), ("2025-06-18", None), ("2025-11-25", "absent")):
            self.peer = self.stdio("echo")
            self.initialize(version)
            for text in ("nonsense", '{"jsonrpc":"2.0","id":true,"method":"ping"}',
                         '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}'):
                with self.subTest((version, text)):
                    self.assertEqual(self.refusal(text)[0], id)

    def test_a_response_is_never_answered(self):
        for text in ('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}',
                     '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"}}',
                     '{"jsonrpc":"2.0","id":99,"result":{}}', '{"jsonrpc":"2.0","id":1.5,"result":{}}',
                     '{"jsonrpc":"2.0","result":{}}', '{"id":1,"result":{}}',
                     r'{"jsonrpc":"2.0","id":1,"result":{"s":"\ud83d"}}',
                     '{"jsonrpc":"2.0","id":1,"result":{"s":"%s"}}' % ("x" * MESSAGE_BYTES_MAX)):
            with self.subTest(text[:80]):
                self.peer.send(text.encode())
                self.assertEqual(self.peer.ask(request("next", "ping"))["id"], "next")

    def test_the_place_of_invalid_utf8_is_told(self):
        self.assertIn("at byte 9", self.refusal(b'{"a":"\xc3\xa9x\xff"}')[2])

    def test_a_byte_order_mark_is_skipped(self):
        for id in (1, 2):
            self.assertEqual(self.peer.ask(b"\xef\xbb\xbf" + as_bytes(request(id, "ping")))["id"], id)

    def test_blank_lines_are_ignored(self):
        self.peer.send(b"", b"  ", b"\t \r", b"\xef\xbb\xbf")
        self.assertEqual(self.peer.ask(request(1, "ping"))["id"], 1)

    def test_headers_as_of_language_servers_are_named_in_the_log_once(self):
        for id in range(3):
            message = as_bytes(request(id, "ping"))
            self.peer.send(b"Content-Length: %d\r" % len(message), b"\r", message)
            refused, answered = self.peer.receive(), self.peer.receive()
            self.assertIn("Content-Length", refused["error"]["message"])
            self.assertEqual(answered["id"], id)
        self.peer.stdin.close()
        self.peer.wait()
        named = [line for line in self.peer.log if line and "frames its messages with Content-Length" in line]
        self.assertEqual(len(named), 1)

    def test_lines_that_are_no_message_are_logged_and_do_not_fill_the_log(self):
        for number in range(200):
            self.refusal(f"nonsense {number} " + "x" * 1000 + "\x1b[31m")
        self.peer.logged("no message: Parse error.*nonsense 0 ")
        self.peer.stdin.close()
        self.peer.wait()
        lines = [line for line in self.peer.log if line and "nonsense" in line]
        self.assertLess(len(lines), 20)
        self.assertLess(max(map(len, lines)), 400)
        self.assertNotIn("\x1b", "".join(lines))


if __name__ == "__main__":
    main()

"""Remote servers that fail: each costs itself, is said in clear words, and every call is answered once."""
import email.utils
import os
import signal
import socket
import sys
import threading
import time

from fake_remote import FakeRemote, HttpRemote, NoSession, Unavailable, tool
from peer import children_of, commands_of, descendants_of, is_running, main, run, runs, text_of, until
from remote_test import FAKE, RemoteCase


class Faults(RemoteCase):
    def error(self, server, name="r__echo", **options):
        return self.call(server, name, **options)["error"]["message"]

    def raw(self, talk):
        """A server of the bytes that `talk` sends on each connection, given the request's bytes."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection):
            with connection:
                try:
                    talk(connection, connection.recv(1 << 16))
                except OSError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        return f'url = "http://127.0.0.1:{listener.getsockname()[1]}/mcp"\n'

    def a_good_one_goes_on(self, body, complaint):
        """A remote that is no good is named with its fault, and the other one answers."""
        server = self.serve_remotes(bad=body, r=f'url = "{self.http().url}"\n')
        server.logged(r"remote bad: .*" + complaint)
        until(lambda: "r__echo" in self.tools(server))
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
        return server

    def test_nobody_is_there(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.a_good_one_goes_on(f'url = "http://127.0.0.1:{port}/mcp"\n', "Failed to connect|refused|Couldn't connect")

    def test_a_verb_that_ends_while_nobody_is_there_ends_well(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        done = run("list", "-c", self.config(text=f'[remote.r]\nurl = "http://127.0.0.1:{port}/mcp"\n'))
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertRegex(done.stderr, "collet: remote r is down: .*[Cc]onnect")

    def test_it_answers_garbage(self):
        self.a_good_one_goes_on(self.raw(lambda c, _: c.sendall(b"garbage\r\n\r\n")), "HTTP|nonsense|Received")

    def test_it_closes_at_once(self):
        self.a_good_one_goes_on(self.raw(lambda c, _: None), "Empty reply")

    def test_it_answers_json_that_is_none(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"
        self.a_good_one_goes_on(self.raw(lambda c, _: c.sendall(head + b"{\"a\":]}")), "no message|answer is none")

    def test_its_body_is_cut_off(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 700\r\n\r\n{"
        self.a_good_one_goes_on(self.raw(lambda c, _: c.sendall(head)), "transfer closed|outstanding")

    def test_its_headers_have_no_end(self):
        def talk(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.sendall(b"X-More: " + b"a" * 8000 + b"\r\n")
        self.a_good_one_goes_on(self.raw(talk), "headers are too large")

    def test_an_event_has_no_end(self):
        def talk(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ")
            while True:
                connection.sendall(b"a" * (1 << 20))
        self.a_good_one_goes_on(self.raw(talk), "more than 16777216 bytes|too large")

    def test_it_redirects_to_another_origin(self):
        def talk(connection, _):
            connection.sendall(b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/mcp\r\nContent-Length: 0\r\n\r\n")
        self.a_good_one_goes_on(self.raw(talk), "another origin")

    def test_it_redirects_in_circles(self):
        def talk(connection, _):
            connection.sendall(b"HTTP/1.1 308 Go\r\nLocation: /mcp\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.a_good_one_goes_on(self.raw(talk), "in circles")

    def test_it_lets_nobody_in(self):
        def talk(connection, _):
            connection.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.a_good_one_goes_on(self.raw(talk), "HTTP status 401")

    def test_a_redirect_within_the_origin_is_followed(self):
        fake = self.http()
        original = fake.post

        def post(http):
            if http.path == "/here":
                return original(http)
            http.rfile.read(int(http.headers["Content-Length"]))
            return fake.reply(http, 307, Location="/here")

        fake.post = post
        server = self.serve_remote(f'url = "{fake.url}"\n')
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_command_that_does_not_exist(self):
        self.a_good_one_goes_on('command = "/nonexistent/server"\n', "cannot start /nonexistent/server: no such file")

    def test_a_variable_that_is_missing(self):
        self.a_good_one_goes_on('command = "x"\nargs = ["${env:COLLET_TEST_NOT_SET}"]\n', "COLLET_TEST_NOT_SET is not set")

    def test_a_child_that_ends_at_once_is_tried_again_and_again_but_not_at_once(self):
        self.a_good_one_goes_on('command = "/bin/false"\n', "exit code 1")

    def test_a_child_writes_junk_to_stdout(self):
        server = self.serve_remote(self.child(mode="junk"))
        server.logged("remote r: it sends what is no message")
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_remote_that_never_answers_keeps_nobody_waiting(self):
        fake = self.http()
        server = self.serve_remotes(silent=self.child(mode="silent"), r=f'url = "{fake.url}"\n')
        until(lambda: "r__echo" in self.tools(server))
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_child_that_dies_fails_its_calls_and_comes_back(self):
        server = self.serve_remote(self.child())
        self.assertRegex(self.error(server, "r__die"), "remote r: it (has closed its stdout|has ended)")
        until(lambda: "result" in self.call(server, "r__echo", {"text": "on"}))

    def test_every_call_under_way_is_answered_when_the_child_dies(self):
        server = self.serve_remote(self.child() + "\n[remote.other]\n" + self.child())
        until(lambda: {"r__wait", "other__wait"} <= set(self.tools(server)))
        unhurt = server.connect()
        waiting = [server.connect() for _ in range(20)]
        for connection in waiting:
            self.begin_call(connection, "r__wait", progressToken="t")
        for connection in waiting:
            self.assertTrue(connection.head().is_stream)
            self.assertEqual(connection.event()["params"]["message"], "waiting")
        self.begin_call(unhurt, "other__noisy")
        self.call(server, "r__die")
        for connection in waiting:
            self.assertIn("remote r: ", connection.event()["error"]["message"])
            self.assertIsNone(connection.event())
            connection.close()
        self.assertEqual(text_of(unhurt.receive().message), "done")
        unhurt.close()

    def test_an_idempotent_call_survives_a_child_that_dies(self):
        server = self.serve_remote(self.child())
        os.kill(until(lambda: commands_of(server))[0], signal.SIGKILL)
        self.assertEqual(text_of(self.call(server, "r__read_only")), "read")

    def test_a_call_of_a_remote_that_is_being_found_again_waits_for_it(self):
        server = self.serve_remote(self.child())
        os.kill(until(lambda: commands_of(server))[0], signal.SIGKILL)
        server.logged("remote r: down: ")
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_server_that_is_gone_is_said_at_once_and_found_again(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                fake = self.http(era=era)
                server = self.serve_remote(f'url = "{fake.url}"\n')
                fake.stop()
                until(lambda: "not available now" in self.call(server, "r__echo").get("error", {}).get("message", ""))
                self.assertIn("r__echo", self.tools(server))
                again = HttpRemote(FakeRemote(era=era), fake.port)
                self.addCleanup(again.stop)
                until(lambda: "result" in self.call(server, "r__echo", {"text": "on"}))
                server.kill()

    def test_what_a_lost_remote_offers_is_hidden_if_so_configured(self):
        fake = self.http()
        server = self.serve_remote(f'url = "{fake.url}"\nwhen_down = "hide"\n')
        fake.stop()
        until(lambda: (self.call(server, "r__echo"), "r__echo" not in self.tools(server))[1])

    def test_a_session_that_the_server_has_forgotten_is_begun_anew(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        fake.sessions.clear()
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_session_that_is_forgotten_while_the_lists_are_read_is_begun_anew(self):
        fake = self.http(era="legacy")
        read = fake.remote.on_tools_list

        def forget(talk):
            fake.remote.on_tools_list = read
            fake.sessions.clear()
            raise NoSession

        fake.remote.on_tools_list = forget
        server = self.serve_remotes(r=f'url = "{fake.url}"\n')
        until(lambda: "r__echo" in self.tools(server))
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_list_is_read_again_until_the_fourth_time_in_a_row_that_it_is_lost(self):
        fake = self.http()
        for name, times in (("tools", 3), ("prompts", 4)):
            self.lose(fake.remote, name, times)
        server = self.serve_remotes(r=f'url = "{fake.url}"\n')
        until(lambda: "r__echo" in self.tools(server))
        server.all_logged("cannot read its prompts/list: .*503", 4)
        self.assertEqual(self.result(server, "prompts/list")["prompts"], [])
        until(lambda: fake.remote.listeners)
        fake.remote.tell("notifications/prompts/list_changed")
        until(lambda: self.result(server, "prompts/list")["prompts"])

    @staticmethod
    def lose(remote, name, times):
        read, left = getattr(remote, f"on_{name}_list"), [times]

        def lost(talk):
            left[0] -= 1
            if left[0] >= 0:
                raise Unavailable
            return read(talk)

        setattr(remote, f"on_{name}_list", lost)

    def busy(self, fake, method, status, **headers):
        """Answers the next such request so, and notes when each of them came."""
        came = []

        def take(message):
            came.append(time.monotonic())
            del fake.raw[method]
            lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
            return f"HTTP/1.1 {status} No\r\nConnection: close\r\n{lines}Content-Length: 4\r\n\r\nbusy".encode()

        fake.raw[method] = take
        return came

    def test_a_remote_that_is_busy_is_asked_again_when_it_says_where_that_is_safe(self):
        for era in ("modern", "legacy"):
            fake = self.http(era=era)
            server = self.serve_remote(f'url = "{fake.url}"\n')
            for status, date in ((429, False), (503, False), (429, True)):
                with self.subTest(era=era, status=status, date=date):
                    when = email.utils.formatdate(time.time() + 3, usegmt=True) if date else "1"
                    came = self.busy(fake, "tools/call", status, Retry_After=when)
                    answer = self.call(server, "r__read_only")
                    self.assertEqual(answer.get("error"), None)
                    self.assertEqual(text_of(answer), "read")
                    self.assertEqual(len(came), 1)
                    self.assertGreaterEqual(time.monotonic() - came[0], 0.9)
            for name, when, why in (("echo", "7", "HTTP status 429: busy; it asks to be tried again after 7 s"),
                                    ("read_only", "4000", "after 3600 s"), ("read_only", "soon", "HTTP status 429: busy$")):
                with self.subTest(era=era, name=name, when=when):
                    before = fake.remote.methods().count("tools/call")
                    self.busy(fake, "tools/call", 429, Retry_After=when)
                    self.assertRegex(self.call(server, "r__" + name)["error"]["message"], why)
                    self.assertEqual(fake.remote.methods().count("tools/call"), before)
            server.kill()

    def test_a_remote_that_is_busy_at_the_start_is_left_alone_as_long_as_it_says(self):
        for era, method in (("modern", "server/discover"), ("legacy", "initialize")):
            with self.subTest(era=era):
                fake = self.http(era=era)
                came = self.busy(fake, method, 503, Retry_After="1")
                server = self.serve_remote(f'url = "{fake.url}"\n')
                self.assertGreaterEqual(time.monotonic() - came[0], 0.9)
                server.logged("remote r: down: .*HTTP status 503: busy; it asks to be tried again after 1 s")
                server.kill()

    def test_a_list_that_is_refused_for_a_while_is_read_when_that_is_over(self):
        fake = self.http()
        came = self.busy(fake, "tools/list", 429, Retry_After="2")
        server = self.serve_remotes(r=f'url = "{fake.url}"\n')
        server.logged("cannot read its tools/list: HTTP status 429")
        until(lambda: "r__echo" in self.tools(server))
        self.assertGreaterEqual(time.monotonic() - came[0], 1.9)

    def test_a_flood_of_notifications_is_read_as_one(self):
        fake = self.http()
        server = self.serve_remote(f'url = "{fake.url}"\n')
        until(lambda: fake.remote.listeners)
        before = fake.remote.methods().count("tools/list")
        for _ in range(2_000):
            fake.remote.tell("notifications/tools/list_changed")
        fake.remote.tools.append(tool("added"))
        fake.remote.tell("notifications/tools/list_changed")
        until(lambda: "r__added" in self.tools(server))
        self.assertLess(fake.remote.methods().count("tools/list") - before, 100)

    def test_a_list_without_end_is_cut_off(self):
        fake = self.http()
        page = [tool(f"t{n}") for n in range(25_000)]
        fake.remote.on_tools_list = lambda talk: fake.remote.page("tools", page) | {"nextCursor": "more"}
        server = self.serve_remotes(r=f'url = "{fake.url}"\n')
        server.logged(r"its tools/list is cut off after 20000: it is too long")

    def test_a_page_that_leads_to_itself_is_the_last(self):
        fake = self.http()
        fake.remote.on_prompts_list = lambda talk: fake.remote.page("prompts", []) | {"nextCursor": "x"}
        server = self.serve_remotes(r=f'url = "{fake.url}"\n')
        server.logged("its prompts/list is cut off after 0: a page leads to itself")

    def test_a_schema_of_ten_megabytes_costs_only_its_tool(self):
        fake = self.http()
        fake.remote.tools.append(tool("huge", {"type": "object", "description": "x" * 10_000_000}))
        server = self.serve_remote(f'url = "{fake.url}"\n')
        server.logged("huge: its definition has more than 1048576 bytes")
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")


class Ending(RemoteCase):
    def test_children_end_with_the_server_by_the_end_of_their_stdin(self):
        server = self.serve_remote(self.child())
        children = descendants_of(server)
        self.assertEqual(len(children), 2)  # its keeper, and the remote
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertFalse([child for child in children if is_running(child)])

    def test_what_a_child_has_started_ends_with_it(self):
        left = f"86402.{os.getpid()}"
        starts = f'setsid sleep {left} </dev/null >/dev/null 2>&1 & exec "$@"'
        body = f'command = "sh"\nargs = ["-c", \'{starts}\', "sh", "{sys.executable}", "{FAKE}", "{{}}"]\n'
        for kill in (False, True):
            with self.subTest(kill=kill):
                server = self.serve_remote(body)
                until(lambda: runs(left))
                if kill:
                    os.kill(commands_of(server)[0], signal.SIGKILL)
                    server.logged("remote r: down: it was ended by signal 9")
                server.signal(signal.SIGTERM)
                self.assertEqual(server.wait(), 0)
                self.assertFalse(runs(left))

    def test_a_keeper_that_is_killed_or_stopped_takes_its_remote_with_it(self):
        for number, end in ((signal.SIGKILL, None), (signal.SIGSTOP, signal.SIGTERM), (signal.SIGSTOP, signal.SIGKILL)):
            with self.subTest(number=number, end=end):
                server = self.serve_remote(self.child(), text="[server.limits]\ndrain_timeout_ms = 1500\n")
                (keeper,), (command,) = until(lambda: children_of(server)), until(lambda: commands_of(server))
                os.kill(keeper, number)
                if not end:
                    server.logged("remote r: down: it was ended by signal 9")
                else:
                    server.signal(end)
                    self.assertEqual(server.wait(), 0 if end == signal.SIGTERM else -signal.SIGKILL)
                until(lambda: not is_running(keeper) and not is_running(command))

    def test_a_child_that_ignores_its_stdin_and_sigterm_is_killed(self):
        server = self.serve_remote(self.child(mode="ignores signals"), text="[server.limits]\ndrain_timeout_ms = 1500\n")
        children = descendants_of(server)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        until(lambda: not any(is_running(child) for child in children))


if __name__ == "__main__":
    main()

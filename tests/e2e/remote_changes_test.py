"""Remote servers that are added, changed and taken out while the server runs, and a client plugin that is replaced."""
import json
import os
import signal
import threading

from fake_remote import FakeRemote, HttpRemote, text, tool
from peer import Server, main, modern, request, run, text_of, until
from remote_faults_test import children_of
from remote_test import RemoteCase, hears, watched


class Holding(FakeRemote):
    """Its tool "hold" answers when the test lets it, which is the same for all remotes of a test."""

    def __init__(self, release, **attributes):
        super().__init__(**attributes)
        self.release = release
        self.held = threading.Semaphore(0)
        self.tools.append(tool("hold"))

    def tool_hold(self, talk, arguments):
        self.held.release()
        if not self.release.wait(20):
            raise RuntimeError("the test has forgotten it")
        return text("held")


class Changing(RemoteCase):
    def setUp(self):
        super().setUp()
        environment = os.environ.pop("XDG_RUNTIME_DIR", None)
        if environment is not None:
            self.addCleanup(os.environ.__setitem__, "XDG_RUNTIME_DIR", environment)
        self.release = threading.Event()
        self.addCleanup(self.release.set)

    def remote(self, **attributes):
        fake = HttpRemote(Holding(self.release, **attributes))
        self.addCleanup(fake.stop)
        return fake

    def write(self, **remotes):
        """[remote.<name>] with the url of a fake one, or TOML."""
        text = '[server]\nthreads = 2\n[log]\nlevel = "debug"\n'
        for name, body in remotes.items():
            text += f"[remote.{name}]\n" + (body if isinstance(body, str) else f'url = "{body.url}"\n')
        (self.folder / "next.toml").write_text(text)
        os.rename(self.folder / "next.toml", self.folder / "c.toml")

    def begin(self, **remotes):
        self.write(**remotes)
        server = Server(self.folder / "c.toml", ["http://127.0.0.1:0"])
        self.addCleanup(server.kill)
        return server

    def collet(self, *arguments):
        return run(*arguments, "-c", self.folder / "c.toml")

    def take_over(self, server, **remotes):
        self.write(**remotes)
        done = self.collet("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def names(self, server):
        return {name.partition("__")[0] for name in self.tools(server)}

    def hold(self, server, fake, name):
        """A call under way at the remote."""
        connection = server.connect()
        self.addCleanup(connection.close)
        self.begin_call(connection, name + "__hold")
        self.assertTrue(fake.remote.held.acquire(timeout=10))
        return connection

    def handshakes(self, fake):
        return sum(method in ("server/discover", "initialize") for method in fake.remote.methods())


class Configuration(Changing):
    def test_what_has_changed_is_touched_and_nothing_else(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                self.release.clear()
                same, changed, gone, new = (self.remote(era=era) for _ in range(4))
                server = self.begin(same=same, changed=changed, gone=gone)
                until(lambda: self.names(server) == {"same", "changed", "gone"})
                under_way = [self.hold(server, fake, name)
                             for fake, name in ((same, "same"), (changed, "changed"), (gone, "gone"))]
                handshakes = self.handshakes(same)
                self.take_over(server, new=new, changed=f'url = "{changed.url}"\nhide = ["echo"]\n', same=same)
                self.assertNotIn("gone", self.names(server))
                self.assertIn("changed__hold", self.tools(server))
                self.assertNotIn("changed__echo", self.tools(server))
                until(lambda: "new" in self.names(server))
                self.assertEqual(text_of(self.call(server, "new__echo", {"text": "a"})), "a")
                self.assertEqual(text_of(self.call(server, "changed__read_only")), "read")
                self.assertIn("result", self.call(server, "same__echo"))
                self.assertIn("unknown tool", json.dumps(self.call(server, "gone__echo")).lower())
                self.release.set()
                for connection in under_way:
                    self.assertEqual(text_of(connection.receive().message), "held")
                self.assertEqual(self.handshakes(same), handshakes)
                until(lambda: era == "modern" or not gone.sessions)  # it is told that nobody comes back
                server.kill()

    def test_a_child_that_is_not_configured_any_more_ends(self):
        server = self.begin(child=self.child(), r=self.remote())
        until(lambda: self.names(server) == {"child", "r"})
        self.assertEqual(len(children_of(server)), 1)
        self.take_over(server, r=self.remote())
        until(lambda: not children_of(server))

    def test_the_signal(self):
        one, two = self.remote(), self.remote()
        server = self.begin(one=one)
        until(lambda: self.names(server) == {"one"})
        self.write(two=two)
        server.signal(signal.SIGHUP)
        until(lambda: self.names(server) == {"two"})
        self.assertEqual(text_of(self.call(server, "two__echo", {"text": "a"})), "a")

    def test_the_first_one_comes_and_the_last_one_goes(self):
        server = self.begin()
        self.assertEqual(self.tools(server), {})
        fake = self.remote()
        self.assertIn("client: loaded", self.take_over(server, r=fake))
        until(lambda: self.names(server) == {"r"})
        under_way = self.hold(server, fake, "r")
        self.assertIn("client: removed", self.take_over(server))
        self.assertEqual(self.tools(server), {})
        self.release.set()
        self.assertEqual(text_of(under_way.receive().message), "held")
        self.assertIn("client: loaded", self.take_over(server, r=fake))
        until(lambda: self.names(server) == {"r"})

    def test_calls_at_what_is_gone_end_when_their_time_is_over(self):
        fake = self.remote()
        body = f'url = "{fake.url}"\ndrain_timeout_ms = 50\n'
        server = self.begin(r=body, other=self.remote())
        until(lambda: self.names(server) == {"r", "other"})
        under_way = self.hold(server, fake, "r")
        self.take_over(server, other=self.remote())
        self.assertIn("remote r: it is not configured any more", json.dumps(under_way.receive().message))

    def test_a_question_that_is_open_is_answered_to_who_has_asked(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                fake = self.remote(era=era)
                server = self.begin(r=fake)
                until(lambda: self.names(server) == {"r"})
                asked = self.call(server, "r__ask")["result"]
                self.take_over(server, r=f'url = "{fake.url}"\nhide = ["echo"]\n')
                (key,) = asked["inputRequests"]
                answer = self.result(server, "tools/call", name="r__ask", arguments={}, requestState=asked["requestState"],
                                     inputResponses={key: {"action": "accept", "content": {"name": "Ada"}}})
                self.assertEqual(answer["content"][0]["text"], "accept Ada")
                server.kill()

    def test_what_is_no_configuration_changes_nothing(self):
        fake = self.remote()
        server = self.begin(r=fake)
        until(lambda: self.names(server) == {"r"})
        self.write(r='url = "ftp://elsewhere/"\n')
        done = self.collet("reload")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("remote.r.url must be an http:// or https:// URL", done.stderr)
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "a"})), "a")
        self.assertEqual(self.handshakes(fake), 1)

    def test_a_remote_that_is_changed_under_load(self):
        fake = self.remote()
        server = self.begin(r=fake)
        until(lambda: "r__echo" in self.tools(server))
        with Load(self, server, "r__echo") as load:
            for i in range(6):
                self.take_over(server, r=f'url = "{fake.url}"\ntimeout_ms = {20000 + i}\n')
                load.goes_on()


class Load:
    """Calls and listings, again and again, of which each has to be good."""

    def __init__(self, case, server, name):
        self.case, self.server, self.name = case, server, name
        self.over = threading.Event()
        self.bad = []
        self.done = 0
        self.threads = [threading.Thread(target=self.repeat, args=(one,)) for one in (self.call, self.call, self.list)]

    def call(self):
        answer = self.case.call(self.server, self.name, {"text": "a"})
        if "error" in answer or text_of(answer) != "a":
            self.bad.append(answer)

    def list(self):
        if self.name not in self.case.tools(self.server):
            self.bad.append("it is not listed")

    def repeat(self, one):
        while not self.over.is_set():
            try:
                one()
            except Exception as wrong:  # of a thread, to be told by the test
                self.bad.append(repr(wrong))
            self.done += 1

    def goes_on(self):
        before = self.done
        until(lambda: self.done > before + 20)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.case.assertEqual(self.bad[:3], [])


class Replaced(Changing):
    def test_under_load_no_call_and_no_item_is_missing(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                self.release.clear()
                http, child = self.remote(era=era), self.child(era=era)
                server = self.begin(http=http, child=child)
                until(lambda: self.names(server) == {"http", "child"})
                under_way = self.hold(server, http, "http")
                with Load(self, server, "http__echo") as load, Load(self, server, "child__echo") as other:
                    for _ in range(4):
                        done = self.collet("reload", "client")
                        self.assertEqual((done.returncode, done.stdout), (0, "client: replaced (1.0.0)\n"), done.stderr)
                        load.goes_on()
                        other.goes_on()
                self.release.set()
                self.assertEqual(text_of(under_way.receive().message), "held")
                server.kill()

    def test_calls_wait_for_a_remote_that_takes_its_time(self):
        fake = self.remote()
        server = self.begin(r=fake)
        until(lambda: "r__echo" in self.tools(server))
        before = self.tools(server)
        ready, original = threading.Event(), fake.remote.on_server_discover
        self.addCleanup(ready.set)
        fake.remote.on_server_discover = lambda talk: ready.wait(20) and original(talk)
        self.assertEqual(self.collet("reload", "client").returncode, 0)
        self.assertEqual(self.tools(server), before)
        with server.connect() as connection:
            self.begin_call(connection, "r__read_only")
            until(lambda: self.handshakes(fake) == 2)
            ready.set()
            self.assertEqual(text_of(connection.receive().message), "read")

    def test_a_remote_that_is_gone_by_then_is_said_to_be(self):
        fake = self.remote()
        server = self.begin(r=fake, s=f'url = "{fake.url}"\nwhen_down = "hide"\n')
        until(lambda: self.names(server) == {"r", "s"})
        fake.stop()
        self.assertEqual(self.collet("reload", "client").returncode, 0)
        until(lambda: self.names(server) == {"r"})
        self.assertIn("it is not available now", json.dumps(self.call(server, "r__echo")))

    def test_what_the_remote_has_changed_meanwhile_is_seen(self):
        fake = self.remote(list_changed=False)
        server = self.begin(r=fake)
        until(lambda: "r__echo" in self.tools(server))
        fake.remote.tools = [tool("new")]
        self.assertEqual(self.collet("reload", "client").returncode, 0)
        until(lambda: set(self.tools(server)) == {"r__new"})

    def test_a_resource_that_is_watched_stays_so(self):
        fake, other = self.remote(), self.remote()
        server = self.begin(r=fake, other=other)
        until(lambda: self.names(server) == {"r", "other"})
        for name in ("r", "other"):  # which have the same resource: that of the first one counts, once both are there
            server.logged(f"remote {name}: ready")
        self.wait_for_resources(server)
        with server.connect() as stream:
            stream.send(modern(request(1, "subscriptions/listen", notifications={
                "resourceSubscriptions": ["fake://one"]})))
            stream.head()
            until(lambda: "fake://one" in watched(fake.remote))
            with fake.remote.lock:
                fake.remote.seen.clear()
            self.assertEqual(self.collet("reload", "client").returncode, 0)
            until(lambda: "fake://one" in watched(fake.remote))
            self.assertEqual(watched(other.remote), set())
            self.take_over(server, other=other)
            until(lambda: hears(other.remote, "fake://one"))  # it lists the same
            other.remote.tell("notifications/resources/updated", uri="fake://one")
            while (event := stream.event())["method"] != "notifications/resources/updated":
                pass
            self.assertEqual(event["params"]["uri"], "fake://one")


if __name__ == "__main__":
    main()

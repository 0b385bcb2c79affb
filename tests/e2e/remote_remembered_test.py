"""What remotes have offered is remembered in the store's file: at the next start it is there before they are."""
import signal

from fake_remote import FakeRemote, HttpRemote, tool
from peer import main, request, until
from remote_test import RemoteCase, peer_list

STORE = '[store]\nfile = "kept.db"\n'


class Remembered(RemoteCase):
    def setUp(self):
        super().setUp()
        self.fake = self.http()

    def body(self, more=""):
        return f'url = "{self.fake.url}"\n{more}'

    def learn(self, body):
        """Serves until what the remote offers is known, and ends."""
        self.end(self.serve_remote(body, text=STORE))

    def end(self, server):
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)

    def again(self, *tools):
        """The remote, where it was, with these tools, or "echo"."""
        remote = FakeRemote()
        remote.tools = [tool(name) for name in tools or ("echo",)]
        self.fake = HttpRemote(remote, port=self.fake.port)
        self.addCleanup(self.fake.stop)

    def test_it_is_offered_while_the_remote_is_down_and_calls_say_so(self):
        for more in ("", 'when_down = "fail"\n', "refresh_ms = 1000\n"):
            with self.subTest(more=more):
                self.learn(self.body(more))
                self.fake.stop()
                server = self.serve_remotes(STORE, r=self.body(more))
                until(lambda: "r__echo" in self.tools(server))
                self.assertTrue(self.result(server, "prompts/list")["prompts"])
                self.assertIn("remote r: it is not available now", str(self.call(server, "r__echo", {"text": "x"})))
                self.again()
                until(lambda: "result" in self.call(server, "r__echo", {"text": "on"}))
                server.kill()

    def test_the_first_list_that_is_asked_for_has_it(self):
        """Over both transports: some clients ask only once."""
        self.learn(self.body())
        self.fake.stop()
        server = self.serve_remotes(STORE, r=self.body())
        self.assertIn("r__echo", self.tools(server))
        server.kill()
        peer = self.stdio(text=STORE + "[remote.r]\n" + self.body())
        peer.ask(request(1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={}))
        self.assertIn("r__echo", [item["name"] for item in peer_list(peer)])

    def test_all_are_there_also_where_none_can_be_reached(self):
        remotes = {f"r{i}": f'url = "{self.fake.url}"\n' for i in range(40)}
        server = self.serve_remotes(STORE, **remotes)
        server.all_logged(r"remote r\d+: ready", len(remotes))
        self.end(server)
        self.fake.stop()
        for _ in range(3):
            server = self.serve_remotes(STORE, **remotes)
            self.assertEqual({name.partition("__")[0] for name in self.names(server)}, set(remotes))
            server.kill()

    def names(self, server):
        """Of all tools, over all pages."""
        names, cursor = [], None
        while True:
            page = self.result(server, "tools/list", **({"cursor": cursor} if cursor else {}))
            names += [item["name"] for item in page["tools"]]
            cursor = page.get("nextCursor")
            if not cursor:
                return names

    def test_what_the_remote_says_takes_its_place(self):
        self.learn(self.body())
        self.fake.stop()
        self.again("fresh")
        server = self.serve_remotes(STORE, r=self.body())
        until(lambda: list(self.tools(server)) == ["r__fresh"])
        self.end(server)
        self.fake.stop()
        server = self.serve_remotes(STORE, r=self.body())
        until(lambda: list(self.tools(server)) == ["r__fresh"])

    def test_a_remote_that_is_configured_otherwise_is_not_believed_to_be_the_same(self):
        self.learn(self.body())
        self.fake.stop()
        server = self.serve_remotes(STORE, r=self.body('headers = { X-Account = "another" }\n'))
        server.logged("remote r: down")
        self.assertEqual(self.tools(server), {})

    def test_without_a_file_nothing_is(self):
        server = self.serve_remote(self.body())
        self.end(server)
        self.fake.stop()
        server = self.serve_remotes(r=self.body())
        server.logged("remote r: down")
        self.assertEqual(self.tools(server), {})

    def test_a_remote_that_hides_when_it_is_down_does_so(self):
        self.learn(self.body('when_down = "hide"\n'))
        self.fake.stop()
        server = self.serve_remotes(STORE, r=self.body('when_down = "hide"\n'))
        server.logged("remote r: down")
        until(lambda: not self.tools(server))

    def test_it_is_remembered_by_a_plugin_in_a_worker(self):
        worker = STORE + '[plugin.client]\nplacement = "worker"\npermissions.network = true\n'
        server = self.serve_remote(self.body(), text=worker)
        self.end(server)
        self.fake.stop()
        server = self.serve_remotes(worker, r=self.body())
        until(lambda: "r__echo" in self.tools(server))


if __name__ == "__main__":
    main()

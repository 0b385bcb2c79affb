"""What remotes log reaches the client whose call has caused it, or nobody but the log of this host."""
import threading

from fake_remote import text
from peer import main, request, until
from remote_test import RemoteCase

LOUD = {"io.modelcontextprotocol/logLevel": "debug"}


def logs(events):
    return [event["params"]["data"] for event in events if event.get("method") == "notifications/message"]


class Logs(RemoteCase):
    def heard(self, server, name="r__noisy"):
        """What the caller hears while the tool runs."""
        with server.connect() as connection:
            self.begin_call(connection, name, **LOUD)
            answer = connection.head()
            if not answer.is_stream:
                return []
            events = []
            while "result" not in (event := connection.event()):
                events.append(event)
        return logs(events)

    def test_a_message_of_a_transport_without_streams_is_of_the_one_call_under_way(self):
        for name, body in {"a child": self.child(era="modern"), "a legacy child": self.child(era="legacy"),
                           "HTTP with SSE": f'url = "{self.http(era="legacy", mode="sse").url}"\n'}.items():
            with self.subTest(name):
                server = self.serve_remote(body)
                self.assertEqual(self.heard(server), [{"said": "something"}])
                server.kill()

    def test_a_message_on_the_side_stream_is_of_the_one_call_under_way(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        until(lambda: fake.remote.listeners)

        def noisy(talk, arguments):
            fake.remote.tell("notifications/message", level="info", data="aside")
            until(lambda: any("aside" in (line or "") for line in server.log) or heard.is_set())
            return text("done")

        heard = threading.Event()
        fake.remote.tool_noisy = noisy
        with server.connect() as connection:
            self.begin_call(connection, "r__noisy", **LOUD)
            self.assertTrue(connection.head().is_stream)
            self.assertEqual(logs([connection.event()]), ["aside"])
            heard.set()
            self.assertIn("result", connection.event())

    def test_a_modern_remote_that_does_not_declare_logging_is_asked_for_it(self):
        for body in (self.child(undeclared=True), f'url = "{self.http(undeclared=True).url}"\n'):
            server = self.serve_remote(body)
            self.assertEqual(self.heard(server), [{"said": "something"}])
            server.kill()

    def test_a_message_that_may_be_of_either_of_two_clients_reaches_neither(self):
        server = self.serve_remote(self.child(era="legacy"))
        with server.connect() as other:
            self.begin_call(other, "r__wait", progressToken="p", **LOUD)
            other.head()
            other.event()  # it has begun
            self.assertEqual(self.heard(server), [])
            server.logged(r'^\S+ \S+ warning .*remote r: says: \{"said": ?"something"\}$')

    def test_a_message_of_either_of_two_calls_of_one_session_reaches_its_client(self):
        peer = self.stdio(text='[log]\nlevel = "debug"\n[remote.r]\n' + self.child(era="legacy"))
        peer.logged("remote r: ready")
        peer.ask(request(1, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={}))

        def listed():
            peer.send(request(2, "tools/list"))
            return any(each["name"] == "r__noisy" for each in self.until_answer(peer, 2)[-1]["result"]["tools"])

        until(listed)
        peer.send(request(3, "tools/call", name="r__wait", arguments={}, _meta={"progressToken": "p"}))
        while peer.receive().get("method") != "notifications/progress":
            pass
        peer.send(request(4, "tools/call", name="r__noisy", arguments={}))
        self.assertEqual(logs(self.until_answer(peer, 4)), [{"said": "something"}])

    def until_answer(self, peer, id):
        messages = [peer.receive()]
        while messages[-1].get("id") != id:
            messages.append(peer.receive())
        return messages

    def test_what_a_remote_says_while_nobody_calls_is_logged_here_at_its_level(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        until(lambda: fake.remote.listeners)
        for level, ours in (("critical", "error"), ("warning", "warning"), ("notice", "info"), ("debug", "debug")):
            fake.remote.tell("notifications/message", level=level, data=f"a {level} word")
            server.logged(rf"^\S+ \S+ {ours} .*remote r: says: a {level} word")


if __name__ == "__main__":
    main()

"""A remote that wants a token with every request, in both eras: what is refused is authorized and said again."""
import json
import signal
import urllib.parse

from fake_remote import FakeRemote, HttpRemote, tool
from peer import main, text_of, until
from remote_test import RemoteCase


class LockedRemote(HttpRemote):
    """Is its own authorization server, for one client with a secret. `tokens` are those that it accepts."""

    def __init__(self, remote):
        super().__init__(remote)
        self.tokens, self.issued, self.refused = set(), 0, []
        outer = self
        plain = self.server.RequestHandlerClass

        class Handler(plain):
            def do_GET(self):
                known = outer.document(urllib.parse.urlsplit(self.path).path)
                if known:
                    return outer.reply(self, 200, json.dumps(known).encode(), Content_Type="application/json")
                if self.allowed():
                    super().do_GET()
                    self.close_connection = True  # an event stream ends so

            def do_POST(self):
                if self.path == "/token":
                    self.rfile.read(int(self.headers["Content-Length"]))
                    return outer.reply(self, 200, json.dumps(outer.issue()).encode(), Content_Type="application/json")
                if self.allowed():
                    super().do_POST()

            def do_DELETE(self):
                if self.allowed():
                    super().do_DELETE()

            def allowed(self):
                if self.headers.get("Authorization", "").removeprefix("Bearer ") in outer.tokens:
                    return True
                outer.refused.append(self.command)
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.reply(self, 401, WWW_Authenticate="Bearer")
                return False

        self.server.RequestHandlerClass = Handler

    def document(self, path):
        origin = self.url.removesuffix("/mcp")
        return {"/.well-known/oauth-protected-resource/mcp": {"resource": self.url, "authorization_servers": [origin]},
                "/.well-known/oauth-authorization-server": {"issuer": origin, "token_endpoint": origin + "/token"}}.get(path)

    def issue(self):
        self.issued += 1
        self.tokens.add(f"token-{self.issued}")
        return {"access_token": f"token-{self.issued}", "token_type": "Bearer"}

    def revoke(self):
        self.tokens.clear()


class Authorized(RemoteCase):
    def locked(self, **attributes):
        remote = LockedRemote(FakeRemote(**attributes))
        self.addCleanup(remote.stop)
        auth = 'type = "client_credentials", client_id = "c", client_secret = "${env:TEST_SECRET:-s}"'
        return remote, self.serve_remote(f'url = "{remote.url}"\nauth = {{ {auth} }}\n')

    def test_a_revoked_token_costs_no_call(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                remote, server = self.locked(era=era)
                self.assertEqual(remote.issued, 1)
                self.assertEqual(text_of(self.call(server, "r__read_only")), "read")
                remote.revoke()
                self.assertEqual(text_of(self.call(server, "r__read_only")), "read")
                self.assertEqual(remote.issued, 2)

    def test_a_token_that_the_remote_repeats_is_told_to_nobody(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                remote, server = self.locked(era=era)
                remote.statuses["tools/call"] = (500, {}, b"not with token-1, thank you")
                answer = self.call(server, "r__read_only")
                self.assertIn("not with ***, thank you", json.dumps(answer))
                self.assertNotIn("token-1", json.dumps(answer) + "".join(line for line in server.log if line))

    def test_a_side_stream_is_opened_again_with_a_new_token(self):
        remote, server = self.locked(era="legacy")
        until(lambda: remote.remote.listeners)
        remote.revoke()
        remote.remote.tools.append(tool("late"))
        remote.remote.listeners.pop().cancelled.set()  # its end
        until(lambda: "GET" in remote.refused and remote.remote.listeners)
        remote.remote.listeners[-1].notify("notifications/tools/list_changed")
        until(lambda: "r__late" in self.tools(server))

    def test_the_end_of_a_session_is_authorized(self):
        remote, server = self.locked(era="legacy")
        self.assertEqual(len(remote.sessions), 1)
        server.signal(signal.SIGTERM)
        server.wait()
        self.assertEqual(remote.sessions, set())
        self.assertNotIn("DELETE", remote.refused)


if __name__ == "__main__":
    main()

"""A remote that wants a token with every request, in both eras: what is refused is authorized and said again."""
import json
import signal
import threading
import time
import urllib.parse

from fake_remote import LANES, FakeRemote, HttpRemote, tool
from peer import main, text_of, until
from remote_test import RemoteCase


class LockedRemote(HttpRemote):
    """Is its own authorization server, for one client with a secret. `tokens` are those that it accepts, each until its time is
    over; `life_s` is that of the tokens to come, None if it has no end. `trouble`, by grant type, is what the token endpoint
    answers instead."""

    def __init__(self, remote, life_s=None, refreshes=False):
        super().__init__(remote)
        self.tokens, self.issued, self.refused = {}, 0, []
        self.life_s, self.refreshes, self.trouble, self.grants = life_s, refreshes, {}, []
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
                    form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                    grant = form["grant_type"][0]
                    outer.grants.append(grant)
                    status, answer = outer.trouble.get(grant) or (200, outer.issue())
                    return outer.reply(self, status, json.dumps(answer).encode(), Content_Type="application/json")
                if self.allowed():
                    super().do_POST()

            def do_DELETE(self):
                if self.allowed():
                    super().do_DELETE()

            def allowed(self):
                if outer.accepts(self.headers.get("Authorization", "").removeprefix("Bearer ")):
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
        life = {"expires_in": self.life_s} if self.life_s else {}
        self.tokens[f"token-{self.issued}"] = time.monotonic() + (self.life_s or 1e9)
        more = {"refresh_token": f"again-{self.issued}"} if self.refreshes else {}
        return {"access_token": f"token-{self.issued}", "token_type": "Bearer", **life, **more}

    def accepts(self, token, for_s=0):
        return self.tokens.get(token, 0) > time.monotonic() + for_s

    def revoke(self):
        self.tokens.clear()


class Authorized(RemoteCase):
    def locked(self, life_s=None, refreshes=False, **attributes):
        remote = LockedRemote(FakeRemote(**attributes), life_s, refreshes)
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

    def by_lane(self, remote, name="echo"):
        """Of each call that was executed, in the order in which they came: whether it came by a lane, which numbers requests on its own."""
        with remote.remote.lock:
            return [message["id"] >= LANES for message in remote.remote.seen
                    if message.get("method") == "tools/call" and message["params"]["name"] == name]

    def call_in_parallel(self, server, remote, words):
        """As many calls of r__echo as there are words. Each is answered, and executed once."""
        answers = {}

        def call(text):
            answers[text] = self.call(server, "r__echo", {"text": text})

        callers = [threading.Thread(target=call, args=(text,)) for text in words]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        self.assertEqual({text: text_of(answer) for text, answer in answers.items()}, {text: text for text in words})
        for text in words:
            self.assertEqual(self.executions(remote, text), 1)

    def executions(self, remote, text):
        with remote.remote.lock:
            return sum(1 for message in remote.remote.seen if message.get("method") == "tools/call"
                       and message["params"].get("arguments", {}).get("text") == text)

    def test_calls_with_a_token_go_by_a_lane(self):
        remote, server = self.locked()
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
        self.assertEqual(self.by_lane(remote), [True])
        self.assertEqual(remote.refused.count("POST"), 1)  # of the first request, which had no token yet

    def test_calls_over_the_renewals_of_a_token_are_each_made_once(self):
        for refreshes in (False, True):
            with self.subTest(refreshes=refreshes):
                remote, server = self.locked(life_s=4, refreshes=refreshes)
                for number in range(1, 10_000):
                    before = remote.issued
                    self.call_in_parallel(server, remote, [f"{number} {each}" for each in range(50)])
                    if remote.issued == before:  # no detour but for a renewal
                        self.assertTrue(all(self.by_lane(remote)[-50:]))
                    if remote.issued >= 3:
                        break
                self.assertEqual(remote.grants, ["client_credentials"] + ["refresh_token" if refreshes else "client_credentials"] *
                                 (remote.issued - 1))
                self.assertIn(True, self.by_lane(remote))
                server.kill()

    def test_calls_in_parallel_with_a_revoked_token_are_each_made_once(self):
        remote, server = self.locked()
        for number in range(2):
            remote.revoke()
            self.call_in_parallel(server, remote, [f"{number} {each}" for each in range(50)])
            self.assertEqual(remote.issued, number + 2)
            self.assertEqual(text_of(self.call(server, "r__echo", {"text": f"then {number}"})), f"then {number}")
            self.assertTrue(self.by_lane(remote)[-1])

    def test_a_token_that_cannot_be_refreshed_serves_until_it_expires(self):
        remote, server = self.locked(life_s=12, refreshes=True)
        remote.trouble["refresh_token"] = (503, {})

        def tried():
            self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
            return len(remote.grants) > 1

        until(tried)
        answer = self.call(server, "r__echo", {"text": "still"})
        if remote.accepts("token-1", for_s=1.5):  # this machine was fast enough
            self.assertEqual(text_of(answer), "still")
            self.assertEqual(self.by_lane(remote)[-2:], [False, True])
        until(lambda: "error" in self.call(server, "r__echo", {"text": "late"}))
        self.assertEqual(remote.issued, 1)
        remote.trouble.clear()
        until(lambda: "result" in self.call(server, "r__echo", {"text": "anew"}))
        self.assertEqual(remote.issued, 2)
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "after"})), "after")
        self.assertTrue(self.by_lane(remote)[-1])

    def test_a_refresh_token_that_is_refused_costs_no_call(self):
        remote, server = self.locked(life_s=4, refreshes=True)
        remote.trouble["refresh_token"] = (400, {"error": "invalid_grant"})

        def renewed():
            self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")
            return remote.issued > 1

        until(renewed)
        self.assertEqual(remote.grants, ["client_credentials", "refresh_token", "client_credentials"])


if __name__ == "__main__":
    main()

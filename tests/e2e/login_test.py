"""`collet login`: a person in a browser, and a service that goes on with what came of it."""
import base64
import hashlib
import json
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fake_remote import META, tool
from peer import COLLET, TIMEOUT_S, Case, main, run


class Authorized:
    """An MCP server that is its own authorization server, on localhost."""

    def __init__(self):
        self.codes, self.tokens, self.refreshes, self.seen = {}, set(), [], []
        self.clients, self.live, self.reused = set(), set(), 0
        self.locked = self.described = self.revokes = True
        self.token_answer = None  # instead of tokens: a status and an answer
        handler = type("Handler", (Handler,), {"world": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def issue(self):
        token = f"token-{len(self.seen)}"
        self.tokens.add(token)
        self.live.add(f"refresh-{token}")
        return {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "refresh_token": f"refresh-{token}"}

    def refresh(self, token):
        """Good for once; whoever comes with a used one is a thief, and all are logged out."""
        if token in self.live:
            self.live.remove(token)
            return self.issue()
        self.reused += 1
        self.tokens.clear()
        self.live.clear()
        return 400, {"error": "invalid_grant"}

    def get(self, path, query):
        if not self.described:
            return None
        if path == "/.well-known/oauth-protected-resource/mcp":
            return {"resource": self.origin + "/mcp", "authorization_servers": [self.origin]}
        if path == "/.well-known/oauth-authorization-server":
            return {"issuer": self.origin, "code_challenge_methods_supported": ["S256"],
                    "token_endpoint_auth_methods_supported": ["none"],
                    **{f"{name}_endpoint": f"{self.origin}/{name}" for name in ("authorization", "token", "registration")},
                    "revocation_endpoint": f"{self.origin}/revocation" if self.revokes else None}
        if path == "/authorization" and query["client_id"] not in self.clients:
            return 400, {"error": "unknown client"}
        if path == "/authorization":
            self.codes["the-code"] = query["code_challenge"]
            back = {"code": "the-code", "state": query["state"]}
            return query["redirect_uri"] + "?" + urllib.parse.urlencode(back)
        return None

    def post(self, path, body, authorization):
        if path == "/registration":
            client = f"client-{len(self.seen)}"
            self.clients.add(client)
            return {"client_id": client, "token_endpoint_auth_method": "none"}
        if path == "/revocation":
            form = dict(urllib.parse.parse_qsl(body))
            assert form["client_id"] in self.clients
            self.live.remove(form["token"])
            self.tokens.clear()
            return {"revoked": True}
        if path == "/token" and self.token_answer:
            return self.token_answer
        if path == "/token":
            form = dict(urllib.parse.parse_qsl(body))
            if form["grant_type"] == "refresh_token":
                self.refreshes.append(form["refresh_token"])
                return self.refresh(form["refresh_token"])
            if form["grant_type"] == "authorization_code":
                digest = hashlib.sha256(form["code_verifier"].encode()).digest()
                assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.codes[form["code"]]
            return self.issue()
        if self.locked and authorization.removeprefix("Bearer ") not in self.tokens:
            return None
        message = json.loads(body)
        results = {"server/discover": {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
                                       "_meta": {META + "serverInfo": {"name": "locked", "version": "1"}}},
                   "tools/list": {"tools": [tool("secret")]},
                   "tools/call": {"content": [{"type": "text", "text": "told"}]}}
        return {"jsonrpc": "2.0", "id": message["id"],
                "result": {"resultType": "complete", "ttlMs": 0, "cacheScope": "private", **results[message["method"]]}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, result):
        self.world.seen.append(self.path)
        status = 302 if isinstance(result, str) else 200 if result else 404 if self.command == "GET" else 401
        if isinstance(result, tuple):
            status, result = result
        body = json.dumps(result).encode() if isinstance(result, dict) else b""
        self.send_response(status)
        if isinstance(result, str):
            self.send_header("Location", result)
        if not result:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.answer(self.world.get(url.path, dict(urllib.parse.parse_qsl(url.query))))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(self.world.post(self.path, body, self.headers.get("Authorization", "")))


class LoginCase(Case):
    def setUp(self):
        super().setUp()
        self.remote = Authorized()
        self.addCleanup(self.remote.stop)
        self.tokens = self.folder / "state/collet/tokens.json"
        self.environment = {"PATH": "/usr/bin:/bin", "XDG_STATE_HOME": str(self.folder / "state")}
        self.file = self.config(text=f'[remote.locked]\nurl = "{self.remote.origin}/mcp"\n[remote.child]\ncommand = "true"\n')

    def start(self, *arguments):
        process = subprocess.Popen([COLLET, *arguments, "-c", self.file], env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def said(self, process, pattern):
        """The match in the first line on stderr that has one."""
        so_far = ""
        for line in process.stderr:
            so_far += line
            if found := re.search(pattern, line):
                return found
        raise AssertionError(so_far)

    def login(self, name="locked"):
        return self.start("login", name)

    def url_of(self, process):
        return self.said(process, r"^ +(http://\S+)$")[1]

    def browse(self, url):
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as page:
            return page.read().decode()

    def age(self):
        """The token that is kept has expired long ago."""
        kept = json.loads(self.tokens.read_text())
        kept["tokens"][0]["expires_at"] = 1
        self.tokens.write_text(json.dumps(kept))

    def logged_in(self):
        process = self.login()
        self.browse(self.url_of(process))
        process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0)


class Login(LoginCase):
    def test_a_login_is_kept_for_a_service(self):
        process = self.login()
        self.assertIn("You can close this window", self.browse(self.url_of(process)))
        out, _ = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual((process.returncode, out), (0, f"Logged in to locked. The token is in {self.tokens}.\n"))
        self.assertEqual(self.tokens.stat().st_mode & 0o7777, 0o600)

        kept = json.loads(self.tokens.read_text())
        self.assertEqual((kept["tokens"][0]["remote"], kept["clients"][0]["id"]), ("locked", *self.remote.clients))
        self.age()
        service = self.start("serve", "-l", "http://127.0.0.1:0")
        self.said(service, "remote locked: 1 tools")
        self.assertEqual(len(self.remote.refreshes), 1)

    def test_a_login_to_a_url_needs_no_configuration(self):
        url = self.remote.origin + "/mcp"
        listed = run("list", "--url", url, env=self.environment)
        self.assertEqual(listed.returncode, 4)
        self.assertIn(f"run: collet login {url}", listed.stderr)
        process = subprocess.Popen([COLLET, "login", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.environment)
        self.addCleanup(process.communicate)
        self.browse(self.url_of(process))
        self.assertEqual(process.communicate(timeout=TIMEOUT_S)[0],
                         f"Logged in to {url}. The token is in {self.tokens}.\n")
        called = run("call", "secret", "--url", url, env=self.environment)
        self.assertEqual((called.returncode, called.stdout), (0, "told\n"), called.stderr)
        run("logout", url, env=self.environment)
        self.assertEqual(run("list", "--url", url, env=self.environment).returncode, 4)

    def test_a_service_says_what_to_run(self):
        self.said(self.start("serve", "-l", "http://127.0.0.1:0"), "run: collet login locked")

    def test_a_forged_answer_is_none(self):
        process = self.login()
        url = self.url_of(process)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.browse(query["redirect_uri"] + "?code=stolen&state=guessed")
        self.assertEqual(refused.exception.code, 400)
        self.browse(url)
        process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 0)

    def test_a_refusal_is_told(self):
        process = self.login()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.url_of(process)).query))
        self.browse(query["redirect_uri"] + "?" + urllib.parse.urlencode(
            {"error": "access_denied", "error_description": "not today", "state": query["state"]}))
        _, errors = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 5)
        self.assertIn("access_denied: not today", errors)
        self.assertFalse(json.loads(self.tokens.read_text())["tokens"])

    def test_processes_that_find_an_old_token_refresh_it_once(self):
        self.logged_in()
        self.age()
        processes = [self.start("call", "locked__secret") for _ in range(5)]
        said = [process.communicate(timeout=TIMEOUT_S)[0] for process in processes]
        self.assertEqual(said, ["told\n"] * 5)
        self.assertEqual((len(self.remote.refreshes), self.remote.reused), (1, 0))

    def test_a_token_endpoint_in_trouble_loses_no_login(self):
        self.logged_in()
        self.age()
        self.remote.token_answer = 503, {"error": "temporarily_unavailable"}
        done = self.start("call", "locked__secret")
        self.assertIn("answered 503", done.communicate(timeout=TIMEOUT_S)[1])
        self.remote.token_answer = None
        done = self.start("call", "locked__secret")
        self.assertEqual(done.communicate(timeout=TIMEOUT_S)[0], "told\n")

    def test_a_registration_that_the_server_has_lost_is_made_anew(self):
        self.logged_in()
        self.remote.clients.clear()
        self.logged_in()
        self.assertEqual(self.remote.seen.count("/registration"), 2)

    def test_a_page_that_shows_an_error_ends_the_login_with_the_reason(self):
        file = self.config(text=f'[remote.locked]\nurl = "{self.remote.origin}/mcp"\nauth.client_id = "nobody"\n')
        done = run("login", "locked", "-c", file, env=self.environment)
        self.assertEqual(done.returncode, 5)
        self.assertRegex(done.stderr, "answers the browser with 400: .*unknown client.*auth.client_id 'nobody'")

    def test_the_browser_is_told_when_the_login_has_failed_after_it(self):
        self.remote.token_answer = 400, {"error": "invalid_grant", "error_description": "<late>"}
        process = self.login()
        page = self.browse(self.url_of(process))
        self.assertIn("The login has failed", page)
        self.assertIn("invalid_grant: &lt;late>", page)
        self.assertNotIn("You can close this window", page)
        process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 5)

    def test_a_server_that_needs_no_login_is_said_to_need_none(self):
        self.remote.locked = self.remote.described = False
        out, _ = self.login().communicate(timeout=TIMEOUT_S)
        self.assertEqual(out, "locked needs no login: it answers without one.\n")
        self.assertFalse(self.tokens.exists())

    def test_a_server_that_refuses_only_some_can_be_logged_in_to(self):
        self.remote.locked = False
        self.logged_in()
        self.assertTrue(json.loads(self.tokens.read_text())["tokens"])

    def test_logout_forgets_the_login_also_for_a_service_that_runs(self):
        self.logged_in()
        service = self.start("serve", "-l", "http://127.0.0.1:0")
        self.said(service, "remote locked: 1 tools")
        out, _ = self.start("logout", "locked").communicate(timeout=TIMEOUT_S)
        self.assertEqual(out, f"Logged out of locked, also at {self.remote.origin}.\n")
        self.assertEqual((self.remote.live, self.remote.tokens), (set(), set()))
        kept = json.loads(self.tokens.read_text())
        self.assertEqual((kept["tokens"], kept["clients"]), ([], []))
        self.assertIn("run: collet login locked", self.start("call", "locked__secret").communicate(timeout=TIMEOUT_S)[1])
        out, _ = self.start("logout", "locked").communicate(timeout=TIMEOUT_S)
        self.assertEqual(out, "Not logged in to locked.\n")

    def test_logout_forgets_the_login_also_where_the_server_cannot_be_told(self):
        self.remote.revokes = False
        self.logged_in()
        out, _ = self.start("logout", "locked").communicate(timeout=TIMEOUT_S)
        self.assertRegex(out, r"^Logged out of locked\. .* was not told \(it has no place for that\)")
        self.logged_in()
        self.remote.stop()
        out, _ = self.start("logout", "locked").communicate(timeout=TIMEOUT_S)
        self.assertRegex(out, r"^Logged out of locked\. .* was not told")
        self.assertFalse(json.loads(self.tokens.read_text())["tokens"])

    def test_ctrl_c_ends_it(self):
        process = self.login()
        self.url_of(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 5)

    def test_there_must_be_something_to_log_in_to(self):
        done = run("login", "nowhere", "-c", self.file)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("there is no [remote.nowhere]", done.stderr)
        done = run("login", "child", "-c", self.file)
        self.assertEqual(done.returncode, 5)
        self.assertIn("it is a command", done.stderr)
        self.remote.stop()
        process = self.login()
        _, errors = process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(process.returncode, 5)
        self.assertIn("127.0.0.1", errors)


if __name__ == "__main__":
    main()

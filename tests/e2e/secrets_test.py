"""What is secret in a remote's configuration is shown by no log, no list and no error, and reaches no child unasked."""
import json
import os

from peer import main, run
from remote_test import RemoteCase

SECRETS = ("pa55word", "k3y-of-ours", "t0ken")
URL = "http://user:pa55word@127.0.0.1:1/mcp?api_key=k3y-of-ours&team=red#access_token=t0ken"


class Secrets(RemoteCase):
    def untold(self, text):
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def test_a_url_is_shown_without_its_secrets(self):
        file = self.config(text=f'[log]\nlevel = "trace"\n[remote.r]\nurl = "{URL}"\n')
        done = run("list", "--remotes", "-c", file)
        self.assertIn("http://***@127.0.0.1:1/mcp?api_key=***&team=red#access_token=***", done.stdout)
        self.untold(done.stdout + done.stderr)
        done = run("login", "r", "-c", file)
        self.assertNotEqual(done.returncode, 0)
        self.untold(done.stdout + done.stderr)

    def test_so_is_one_that_is_none_and_one_that_a_variable_has(self):
        file = self.config(text='[remote.r]\nurl = "${env:PLACE}"\n')
        for place in (URL.replace("http", "gopher"), URL):
            done = run("list", "--remotes", "-c", file, env={**os.environ, "PLACE": place})
            self.assertIn("remote r: down", done.stderr)
            self.untold(done.stdout + done.stderr)

    def test_what_a_child_says_on_stderr_is_logged_without_them(self):
        script = json.dumps(f"echo 'at {URL}' >&2; cat >&2")
        server = self.serve_remotes(r=f'command = "sh"\nargs = ["-c", {script}]\n')
        server.logged(r"stderr: at http://\*\*\*@127.0.0.1:1/mcp\?api_key=\*\*\*")
        self.untold("\n".join(server.log))

    def test_a_remote_that_repeats_a_header_in_its_errors_is_not_repeated(self):
        remote = self.http()
        for method in ("server/discover", "initialize"):
            remote.statuses[method] = (401, {}, b"no such key: k3y-of-ours")
        headers = 'headers = { Authorization = "Bearer k3y-of-ours" }'
        server = self.serve_remotes(r=f'url = "{remote.url}"\n{headers}\n')
        server.logged(r"remote r: down: .*no such key: \*\*\*")
        file = self.config(text=f'[remote.r]\nurl = "{remote.url}"\n{headers}\n')
        done = run("list", "--remotes", "-c", file)
        self.assertIn("no such key: ***", done.stdout)
        self.untold(done.stdout + done.stderr + "\n".join(line for line in server.log if line))

    def test_nor_does_the_caller_hear_it(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                remote = self.http(era=era)
                remote.statuses["tools/call"] = (500, {}, b"no such key: k3y-of-ours")
                headers = 'headers = { Authorization = "Bearer k3y-of-ours" }'
                server = self.serve_remote(f'url = "{remote.url}"\n{headers}\n')
                answer = json.dumps(self.call(server, "r__read_only"))
                self.assertIn("no such key: ***", answer)
                self.untold(answer)

    def test_a_header_with_a_line_break_is_named_and_not_sent(self):
        remote = self.http()
        file = self.config(text=f'[remote.r]\nurl = "{remote.url}"\nheaders = {{ X-Key = "${{env:KEY}}" }}\n')
        for era in ("whoever calls", "a caller"):
            with self.subTest(era):
                if era == "a caller":
                    file.write_text(file.read_text().replace("${env:KEY}", "${env:KEY}${principal}"))
                done = run("call", "r__read_only", "-c", file, env={**os.environ, "KEY": "t0ken\r\nX-Injected: 1"})
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("X-Key", done.stderr)
                self.untold(done.stderr)
        file.write_text(file.read_text().replace("${principal}", ""))
        done = run("call", "r__read_only", "-c", file, env={**os.environ, "KEY": "t0ken\n"})
        self.assertEqual(done.stdout, "read\n")

    def test_a_child_gets_the_variables_that_it_is_to_inherit(self):
        os.environ["COLLET_TEST_OURS"] = "t0ken"
        self.addCleanup(os.environ.pop, "COLLET_TEST_OURS")
        script = json.dumps("env | grep -E '^(COLLET_TEST|PATH)' | sort | tr '\\n' ' ' >&2; echo . >&2; cat >&2")
        child = f'command = "/bin/sh"\nargs = ["-c", {script}]\n'
        server = self.serve_remotes(usual=child, asked=child + 'inherit_env = ["COLLET_TEST_*", "PATH"]\n')
        server.logged(r"remote asked: stderr: COLLET_TEST_OURS=t0ken PATH=")
        server.logged(r"remote usual: stderr: PATH=")
        self.assertFalse([line for line in server.log if "usual" in line and "t0ken" in line])


if __name__ == "__main__":
    main()

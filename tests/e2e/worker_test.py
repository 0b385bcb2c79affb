"""A plugin in a worker process, behind the real server: what it does to its process, others do not notice."""
import json
import os
import re
import signal

from peer import BUILD, PLUGINS, Case, call, main, on_terminal, post, run, text_of, until

TROUBLE = BUILD / "tests/modules/trouble.so"
CRASHED = "its worker process crashed with SIGSEGV (Segmentation fault)"


class Workers(Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve(text=f"""
[admin]
socket = "{self.folder}/admin"
[plugin.p]
library = "{TROUBLE}"
placement = "worker"
prefix = "p_"
[plugin.good]
library = "{PLUGINS["echo"]}"
placement = "worker"
[plugin.near]
library = "{PLUGINS["math"]}"
placement = "in-process"
""")

    def tearDown(self):
        """Whatever has become of p."""
        self.assertEqual(text_of(self.server.post(call(1, "echo", {"text": "good"})).message), "good")
        self.assertTrue(self.server.is_alive())

    def error(self, answer):
        return answer.message["error"]["message"]

    def call(self, tool, **arguments):
        return self.server.post(json.dumps(call(1, tool, arguments), separators=(",", ":")).encode())

    def begin_hanging(self):
        connection = self.server.connect()
        connection.send(post(call(7, "p_hang")))
        until(lambda: self.plugin("p")["callsInFlight"] == 1)
        return connection

    def comes_back(self):
        until(lambda: "result" in self.call("p_echo").message)

    def collet(self, *arguments):
        return run(*arguments, "-c", self.folder / "collet.toml")

    def plugin(self, id):
        plugins = json.loads(self.collet("list", "--format", "json").stdout)["plugins"]
        return next(plugin for plugin in plugins if plugin["id"] == id)

    def test_a_worker_has_no_hold_of_the_terminal_of_its_host(self):
        file = self.folder / "terminal.toml"
        file.write_text(f'[plugin.p]\nlibrary = "{TROUBLE}"\nplacement = "worker"\npermissions.write = ["/dev"]\n')
        code, screen = on_terminal("call", "type", "-c", file)
        self.assertEqual((code, screen.splitlines()[-1]), (0, "nothing"))

    def test_what_a_worker_writes_is_logged_under_its_name_and_within_limits(self):
        self.assertEqual(text_of(self.call("p_shout").message), "shouted")
        self.server.logged(r" info plugin p: plugin good: forged\\x0d\\x1b\[2J$")
        self.server.logged(r" error plugin p: an error$")
        self.server.logged(r" warning plugin p: it writes more to the log than anyone reads")
        self.call("p_crash")
        left_out = int(self.server.logged(r" warning plugin p: (\d+) lines of its log are left out$")[1])
        shown = sum(" plugin p: line " in line for line in self.server.log if line)
        self.assertLess(shown, 1_001)
        self.assertGreaterEqual(shown + left_out, 100_000)  # and the lines about the crash

    def test_a_library_that_cannot_be_unloaded_ends_with_its_worker_without_a_word(self):
        sticky = BUILD / "tests/modules/hostile_sticky.so"
        server = self.serve(text=f'[plugin.sticky]\nlibrary = "{sticky}"\n')
        server.logged("plugin sticky: runs in a worker process of its own")
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertFalse([line for line in server.log if line and "still mapped" in line])

    def test_where_plugins_run_can_be_seen(self):
        self.assertEqual([self.plugin(id)["placement"] for id in ("p", "good", "near")],
                         ["worker", "worker", "in-process"])
        self.assertRegex(self.plugin("p")["worker"], r"^process \d+$")
        self.assertNotIn("worker", self.plugin("near"))
        self.assertEqual(json.loads(text_of(self.call("p_echo", text="1").message)), {"text": "1"})

    def test_a_crash_ends_the_calls_with_plugin_and_cause_and_it_is_started_again(self):
        hanging = self.begin_hanging()
        self.assertEqual(self.error(self.call("p_crash")), f"plugin p: {CRASHED}")
        answer = hanging.receive()
        self.assertEqual((answer.message["id"], self.error(answer)), (7, f"plugin p: {CRASHED}"))
        self.comes_back()
        self.assertRegex(self.plugin("p")["worker"], rf"^process \d+, restarts: 1, the last because {re.escape(CRASHED)}$")
        self.assertEqual(hanging.ask(call(8, "p_echo")).message["id"], 8)  # there was no second answer

    def test_whoever_kills_it_ends_its_calls_alone(self):
        hanging = self.begin_hanging()
        os.kill(int(self.plugin("p")["worker"].split()[1]), signal.SIGKILL)
        self.assertIn("plugin p: its worker process was killed (SIGKILL", self.error(hanging.receive()))
        self.comes_back()

    def test_what_fails_too_often_is_left_alone_until_it_is_reloaded(self):
        for _ in range(4):
            self.call("p_crash")
            self.comes_back()
        self.call("p_crash")
        until(lambda: self.plugin("p")["worker"] == f"in quarantine: {CRASHED}")
        self.assertIn(f"worker: in quarantine: {CRASHED}", self.collet("list").stdout)
        self.assertIn("`collet reload p`", self.error(self.call("p_echo")))
        self.assertEqual(self.collet("reload", "p").returncode, 0)
        self.assertIn("result", self.call("p_echo").message)

    def test_what_is_denied_names_the_key_that_would_allow_it(self):
        words = 'open("/etc/shadow") for reading was denied: add "/etc/shadow" to plugin.p.permissions.read'
        self.assertIn(words, self.error(self.call("p_must_open", path="/etc/shadow")))
        self.server.logged(re.escape(f"plugin p: {words}"))


if __name__ == "__main__":
    main()

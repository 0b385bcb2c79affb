"""How a plugin has ended its process, and where: said with plugin, item, cause and the functions that led there."""
import json
import re
import signal
from pathlib import Path
from shutil import copy

from peer import BUILD, PLUGINS, Case, call, hostile, main, post, run

CRASHER = PLUGINS["crasher"]
SEGV = r"crashed with SIGSEGV \(Segmentation fault\)"
OF_TOOL = r"in its call\(\) of the tool \"{}\", call \d+"
WHERE = r"(at crasher\.c:\d+|in /\S+/libc\.so\S*)"
# Of each tool: how it is said to end, and the functions that it ends in.
ENDS = {
    "write": (SEGV + " at address 0x8 " + OF_TOOL, ["write_nowhere", "on_call"]),
    "descend": (SEGV + " at address 0x[0-9a-f]+ " + OF_TOOL, ["descend", "descend", "on_call"]),
    "jump": (SEGV + " at address 0x0 " + OF_TOOL, [None, "jump_nowhere", "on_call"]),
    "abort": (r"crashed with SIGABRT \(Aborted\) " + OF_TOOL, [..., "abort", "on_call"]),
    "exit": (r"called exit\(7\) " + OF_TOOL, ["on_call"]),
    "leave": (r"called _exit\(8\) " + OF_TOOL, ["on_call"]),
    "inline": (SEGV + " at address 0x[0-9a-f]+ " + OF_TOOL, ["descend", "descend", "on_call"]),
    "alone": (SEGV + " at address 0x8 in a thread of its own", ["write_nowhere", "run_alone"]),
}


class Crashes(Case):
    def place(self, lines, plugin="p"):
        """What the log says of the end, and the functions it says it was in."""
        at = next((i for i, line in enumerate(lines) if re.search(rf" plugin {plugin}: (crashed|called) ", line)), None)
        self.assertIsNotNone(at, "\n".join(lines))
        said = lines[at].split(f" plugin {plugin}: ", 1)[1]
        frames = [line.split(f" plugin {plugin}:   #", 1)[1] for line in lines if f" plugin {plugin}:   #" in line]
        return said, frames

    def assert_end(self, tool, lines, library=CRASHER):
        said, frames = self.place(lines)
        end, functions = ENDS[tool]
        self.assertRegex(said, f"^{end.format(tool)}$")
        if functions[0] is ...:
            functions = functions[1:]
            first = next(i for i, frame in enumerate(frames) if f" {functions[0]}+" in frame)
            frames = [f"0 {frame.split(' ', 1)[1]}" for frame in frames[first:]]
        self.assertEqual(len(frames), len(functions), frames)
        for frame, function in zip(frames, functions):
            self.assertRegex(frame, rf"^\d+ {function}\+0x[0-9a-f]+ {WHERE}" if function else "^0 0x0, where no library is$")
        self.assertEqual(frames[-1].split(" in ")[-1], str(library))

    def admin(self):
        return f'[admin]\nsocket = "{self.folder}/admin"\n'

    def crash(self, tool, placement, library=CRASHER):
        file = self.config(text=f'[plugin.p]\nlibrary = "{library}"\nplacement = "{placement}"\n')
        return run("call", tool, "-c", file)

    def test_a_worker_says_where_it_has_ended(self):
        for tool in ENDS:
            with self.subTest(tool):
                self.assert_end(tool, self.crash(tool, "worker").stderr.splitlines())

    def test_a_worker_that_does_not_come_up_says_where_it_has_ended(self):
        for case, end in {"create_crashes": r"in its create\(\)", "constructor_crashes": "in its library's constructors"}.items():
            with self.subTest(case):
                said, frames = self.place(self.crash("tool", "worker", hostile(case)).stderr.splitlines())
                self.assertRegex(said, f"^{SEGV}.* {end}")
                self.assertTrue(any(frame.endswith(f" in {hostile(case)}") for frame in frames), frames)

    def test_the_line_of_the_source_is_named(self):
        source = (Path(__file__).parent / "plugins/crasher.c").read_text().splitlines()
        _, frames = self.place(self.crash("write", "worker").stderr.splitlines())
        lines = [source[int(re.search(r" at crasher\.c:(\d+) ", frame)[1]) - 1].strip() for frame in frames]
        self.assertEqual(lines, ["*nowhere = 1;", "write_nowhere();"])

    def test_this_process_says_where_a_plugin_in_it_has_ended_it_as_its_last_words(self):
        for tool in ENDS:
            with self.subTest(tool):
                ended = self.crash(tool, "in-process")
                lines = ended.stderr.splitlines()
                self.assert_end(tool, lines, CRASHER.name)
                self.assertRegex(lines[-1], " error plugin p: with it this process ends, and all that it serves$")
                codes = {"exit": 7, "leave": 8, "abort": -signal.SIGABRT}
                self.assertEqual(ended.returncode, codes.get(tool, -signal.SIGSEGV))

    def test_a_server_says_it_in_the_form_of_its_log_whichever_thread_it_was(self):
        for tool in ("inline", "exit"):
            with self.subTest(tool):
                server = self.serve(text=f'[log]\nformat = "json"\n[plugin.p]\nlibrary = "{CRASHER}"\n')
                with server.connect() as connection:
                    connection.send(post(call(1, tool)))
                self.assertEqual(server.wait(), 7 if tool == "exit" else -signal.SIGSEGV)
                said = [json.loads(line) for line in server.log if line and line.startswith("{")]
                self.assertEqual(said[-1]["message"], "plugin p: with it this process ends, and all that it serves")
                self.assert_end(tool, [f" {line['level']} {line['message']}" for line in said], CRASHER.name)

    def test_the_list_shows_where_a_worker_has_ended_last(self):
        server = self.serve(text=self.admin() + f'[plugin.p]\nlibrary = "{CRASHER}"\nplacement = "worker"\n')
        server.post(call(1, "write"))
        server.logged(r" error plugin p:   #1 on_call")
        [plugin] = json.loads(run("list", "--format", "json", "-c", self.folder / "collet.toml").stdout)["plugins"]
        self.assertRegex(plugin["place"][0], ENDS["write"][0].format("write"))
        shown = run("list", "-c", self.folder / "collet.toml").stdout
        self.assertRegex(shown, "(?m)^ended     p: " + ENDS["write"][0].format("write") + "$")
        self.assertRegex(shown, r"(?m)^          p:   #0 write_nowhere\+0x")

    def test_a_process_that_a_plugin_has_forked_ends_without_a_word(self):
        ended = run("call", "fork", "-c", self.config(crasher=CRASHER))
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "9\n", ""))

    def test_a_trial_says_where_it_has_ended_and_check_shows_it(self):
        cases = {
            "create_crashes": (SEGV + r" at address 0x8 in its create\(\)", "create"),
            "constructor_crashes": (SEGV + " in its library's constructors or its entry function", "crash_early"),
            "create_exits": (r"called exit\(0\) in its create\(\)", "create"),
        }
        for case, (end, function) in cases.items():
            with self.subTest(case):
                checked = json.loads(run("check", "--format", "json", hostile(case)).stdout)
                self.assertRegex(checked["place"][0], f"^{end}$")
                self.assertRegex("\n".join(checked["place"]), rf"#\d+ {function}\+0x[0-9a-f]+ .*in {hostile(case)}")
                shown = run("check", hostile(case)).stdout
                self.assertRegex(shown, rf"(?m)^place +{end}$")

    def test_a_reload_says_where_the_new_build_has_ended_its_trial(self):
        file = self.folder / "p.so"
        copy(PLUGINS["echo"], file)
        server = self.serve(text=f'plugins.reload = "off"\n{self.admin()}[plugin.p]\nlibrary = "{file}"\n')
        file.unlink()
        copy(hostile("create_crashes"), file)
        answer = run("reload", "-c", self.folder / "collet.toml")
        self.assertRegex(answer.stderr, rf"in trial loading it {SEGV}\n{SEGV} at address 0x8 in its create\(\)\n  #0 create\+0x")
        server.logged(rf" error plugin p: {SEGV} at address 0x8 in its create\(\)$")
        server.logged(rf" error plugin p:   #0 create\+0x[0-9a-f]+ .*in {file}$")


if __name__ == "__main__":
    main()

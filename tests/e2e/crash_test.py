"""How a plugin has ended its process, and where: said with plugin, item, cause and the functions that led there."""
import json
import re

from peer import BUILD, PLUGINS, Case, call, hostile, main, run

CRASHER = PLUGINS["crasher"]
SEGV = r"crashed with SIGSEGV \(Segmentation fault\)"
OF_TOOL = r"in its call\(\) of the tool \"{}\", call \d+"
# Of each tool: how it is said to end, and the functions that it ends in.
ENDS = {
    "write": (SEGV + " at address 0x8 " + OF_TOOL, ["write_nowhere", "on_call"]),
    "descend": (SEGV + " at address 0x[0-9a-f]+ " + OF_TOOL, ["descend", "descend", "on_call"]),
    "jump": (SEGV + " at address 0x0 " + OF_TOOL, [None, "jump_nowhere", "on_call"]),
    "abort": (r"crashed with SIGABRT \(Aborted\) " + OF_TOOL, [..., "abort", "on_call"]),
    "exit": (r"called exit\(7\) " + OF_TOOL, ["on_call"]),
    "leave": (r"called _exit\(8\) " + OF_TOOL, ["on_call"]),
    "alone": (SEGV + " at address 0x8 in a thread of its own", ["write_nowhere", "run_alone"]),
}


class Crashes(Case):
    def place(self, lines, plugin="p"):
        """What the log says of the end, and the functions it says it was in."""
        at = next((i for i, line in enumerate(lines) if re.search(rf" plugin {plugin} (crashed|called) ", line)), None)
        self.assertIsNotNone(at, "\n".join(lines))
        said = lines[at].split(f" plugin {plugin} ", 1)[1]
        frames = [line.split(f" plugin {plugin}:   #", 1)[1] for line in lines if f" plugin {plugin}:   #" in line]
        return said, frames

    def assert_end(self, tool, lines):
        said, frames = self.place(lines)
        end, functions = ENDS[tool]
        self.assertRegex(said, f"^{end.format(tool)}$")
        if functions[0] is ...:
            functions = functions[1:]
            first = next(i for i, frame in enumerate(frames) if f" {functions[0]}+" in frame)
            frames = [f"0 {frame.split(' ', 1)[1]}" for frame in frames[first:]]
        self.assertEqual(len(frames), len(functions), frames)
        for frame, function in zip(frames, functions):
            self.assertRegex(frame, rf"^\d+ {function}\+0x[0-9a-f]+ " if function else "^0 0x0, where no library is$")
        self.assertTrue(frames[-1].split(" in ")[-1].startswith(str(CRASHER)), frames)

    def crash(self, tool, placement):
        file = self.config(text=f'[plugin.p]\nlibrary = "{CRASHER}"\nplacement = "{placement}"\n')
        return run("call", tool, "-c", file)

    def test_a_worker_says_where_it_has_ended(self):
        for tool in ENDS:
            with self.subTest(tool):
                self.assert_end(tool, self.crash(tool, "worker").stderr.splitlines())


if __name__ == "__main__":
    main()

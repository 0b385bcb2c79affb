"""The verbs that end by themselves: exit codes, messages, output for programs."""
import json

from peer import PLUGINS, Case, call, hostile, main, run, text_of

HOSTILE = {
    "no_symbol": "collet_plugin_entry_v1",
    "null_entry": "NULL",
    "null_create": "create",
    "size_7": "struct_size",
    "size_max_": "struct_size",
    "needs_newer": "newer",
    "bad_id": "id",
    "bad_version": "version",
    "create_fails": "create()",
    "create_exits": "exit",
    "create_crashes": "SIGSEGV",
    "create_aborts": "SIGABRT",
    "constructor_crashes": "SIGSEGV",
    "dependent": "libcollet_test_gone.so",
}


class Calls(Case):
    def call(self, *arguments, plugins=("echo", "math"), **options):
        return run("call", *arguments, "-c", self.config(*plugins, **options))

    def test_a_result_goes_to_stdout(self):
        done = self.call("add", "--args", '{"a":2,"b":40}')
        self.assertEqual((done.returncode, done.stdout), (0, "42\n"))
        done = self.call("statistics", "--args", '{"values":[1,2,3]}', "--format", "json")
        self.assertEqual(json.loads(done.stdout)["structuredContent"]["mean"], 2)

    def test_what_a_library_prints_is_not_in_the_result(self):
        done = self.call("shout", plugins=["noisy"])
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"))
        self.assertIn("noise", done.stderr)

    def test_a_tool_that_fails(self):
        overflow = '{"a":9223372036854775807,"b":1}'
        done = self.call("add", "--args", overflow)
        self.assertEqual(done.returncode, 5)
        self.assertIn("does not fit into 64 bits", done.stdout + done.stderr)
        done = self.call("throw", plugins=[], throws=hostile("throws"))
        self.assertEqual(done.returncode, 5)
        self.assertIn("from call", done.stderr)

    def test_invalid_arguments_name_place_and_keyword(self):
        done = self.call("add", "--args", '{"a":1,"b":"x"}')
        self.assertEqual((done.returncode, done.stdout), (5, ""))
        self.assertIn("/b [type]", done.stderr)

    def test_wrong_usage(self):
        for arguments, words in ((("none",), "collet list"), (("echo", "--args", "{"), "JSON object"),
                                 (("echo", "--args", "[]"), "JSON object"), (("echo", "--format", "xml"), "xml")):
            done = self.call(*arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""), arguments)
            self.assertIn(words, done.stderr)
        for arguments in ((), ("no-such-verb",), ("call",), ("check",), ("serve", "--no-such-option")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertIn("--help", done.stdout + done.stderr)

    def test_help_and_version(self):
        for verb in ((), ("serve",), ("stdio",), ("list",), ("call",), ("login",), ("import",), ("client-config",), ("check",),
                     ("validate",), ("token",)):
            done = run(*verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("--help", done.stdout)
        self.assertRegex(run("--version").stdout, r"^collet \d+\.\d+\.\d+\n$")


class Configurations(Case):
    def test_a_mistake_is_told_with_file_and_line(self):
        file = self.folder / "wrong.toml"
        file.write_text('[server]\n\nlisten = ["http://127.0.0.1:0"]\ntreads = 2\n')
        for verb in (("list",), ("serve",), ("stdio",), ("call", "echo")):
            done = run(*verb, "-c", file)
            self.assertEqual((done.returncode, done.stdout), (1, ""), verb)
            self.assertIn(f"{file}:4:1: ", done.stderr)
            self.assertIn("threads", done.stderr)

    def test_a_file_that_is_not_there(self):
        done = run("list", "-c", self.folder / "none.toml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.toml", done.stderr)


class Lists(Case):
    def test_json(self):
        config = self.config("echo", "math", broken=hostile("create_fails"))
        listed = json.loads(run("list", "-c", config, "--format", "json").stdout)
        self.assertEqual([item["name"] for item in listed["items"] if item["plugin"] == "math"],
                         ["add", "convert", "primes", "statistics"])
        self.assertEqual(listed["items"][0]["definition"].keys() & {"description", "inputSchema"},
                         {"description", "inputSchema"})
        self.assertEqual([plugin["id"] for plugin in listed["plugins"] if "error" in plugin], ["broken"])

    def test_a_clash_takes_out_one_tool(self):
        listed = json.loads(run("list", "-c", self.config("echo", again=PLUGINS["echo"]), "--format", "json").stdout)
        self.assertEqual([(item["name"], item["plugin"]) for item in listed["items"]], [("echo", "echo")])
        self.assertEqual([(item["name"], item["plugin"]) for item in listed["leftOut"]], [("echo", "again")])


class Checks(Case):
    def test_a_good_plugin(self):
        done = run("check", *PLUGINS.values())
        self.assertEqual(done.returncode, 0, done.stdout)
        for words in ("org.collet.echo 1.0.0", "item         primes", "collet_plugin_entry_v1"):
            self.assertIn(words, done.stdout)
        checked = json.loads(run("check", PLUGINS["math"], "--format", "json").stdout)
        self.assertEqual((checked["errors"], checked["plugin"]), ([], "org.collet.math 1.0.0"))

    def test_every_bad_file_is_told_with_its_reason(self):
        text = self.folder / "text.so"
        text.write_text("no library")
        empty = self.folder / "empty.so"
        empty.write_bytes(b"")
        cut = self.folder / "cut.so"
        cut.write_bytes(PLUGINS["math"].read_bytes()[:5000])
        files = {text: "ELF", empty: "empty", cut: "", self.folder / "none.so": "No such file", self.folder: "",
                 **{hostile(case): word for case, word in HOSTILE.items()}}
        for file, word in files.items():
            done = run("check", file)
            self.assertEqual(done.returncode, 1, file)
            self.assertRegex(done.stdout, rf"(?m)^error .*{word.replace('(', '.').replace(')', '.')}", file)
        checked = run("check", *files, "--format", "json")
        self.assertEqual(checked.returncode, 1)
        lines = list(map(json.loads, checked.stdout.splitlines()))
        self.assertEqual([line["file"] for line in lines], list(map(str, files)))
        self.assertTrue(all(line["errors"] for line in lines))

    def test_bad_plugins_among_good_ones(self):
        hostiles = {f"bad_{case}": hostile(case) for case in HOSTILE}
        server = self.serve("echo", "math", **hostiles)
        for id, library in hostiles.items():
            reason = server.logged(rf"plugin {id} \({library}\) is not served: (.+)")[1]
            self.assertIn(HOSTILE[id.removeprefix("bad_")], reason)
        self.assertEqual(text_of(server.post(call(1, "add", {"a": 2, "b": 40})).message), "42")
        self.assertEqual(text_of(server.post(call(1, "echo", {"text": "hi"})).message), "hi")


if __name__ == "__main__":
    main()

"""The verbs that end by themselves: exit codes, messages, output for programs."""
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

from peer import BUILD, COLLET, PLUGINS, TIMEOUT_S, Case, call, hostile, main, on_terminal, run, text_of

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

    def test_too_few_open_files_are_said_and_enough_are_enough(self):
        for files, code in ((63, 1), (64, 0)):
            with self.subTest(files):
                limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
                done = run("list", "-c", self.config("echo"), preexec_fn=limit)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertEqual("it may have 63 open files, and needs 64" in done.stderr, code == 1)

    def test_a_result_goes_to_stdout(self):
        done = self.call("add", "--args", '{"a":2,"b":40}')
        self.assertEqual((done.returncode, done.stdout), (0, "42\n"))
        done = self.call("statistics", "--args", '{"values":[1,2,3]}', "--format", "json")
        self.assertEqual(json.loads(done.stdout)["structuredContent"]["mean"], 2)

    def test_arguments_are_typed_as_the_schema_wants_them(self):
        for words, result in ((("a=2", "b=40"), "42\n"), (("b=40", "--args", '{"a":2,"b":1}'), "42\n")):
            done = self.call("add", *words)
            self.assertEqual((done.returncode, done.stdout), (0, result), done.stderr)
        self.assertEqual(self.call("echo", "text=42").stdout, "42\n")
        done = self.call("statistics", "values=1", "values=2", "values=3", "--format", "json")
        self.assertEqual(json.loads(done.stdout)["structuredContent"]["mean"], 2)
        for word, reason in (("b=x", "argument b: must be integer"), ("tetx=1", "there is no argument tetx"), ("b", "is no argument")):
            done = self.call("add", "a=1", word)
            self.assertEqual((done.returncode, done.stdout), (1, ""), word)
            self.assertIn(reason, done.stderr)

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

    def test_a_result_nested_to_the_limit_is_printed(self):
        done = self.call("deep", plugins=["awkward"])
        self.assertEqual((done.returncode, done.stdout), (0, "deep\n"), done.stderr)
        block = json.loads(self.call("deep", "--format", "json", plugins=["awkward"]).stdout)["content"][0]
        self.assertEqual(block["text"], "deep")
        done = self.call("deep_structured", plugins=["awkward"])
        self.assertEqual((done.returncode, done.stdout[:10]), (0, '{"a":{"a":'))

    def test_a_pipe_gets_the_bytes_of_a_text(self):
        done = subprocess.run([COLLET, "call", "steers", "-c", self.config("awkward")], capture_output=True)
        self.assertEqual(done.stdout, b"\x1b]0;title\a a\0b \xc2\x9b\tc\r\nd\r\n")
        done = self.call("picture", plugins=["awkward"])
        self.assertEqual(json.loads(done.stdout)["data"], "QUJD")

    def test_a_result_cannot_steer_a_terminal(self):
        config = self.config("awkward")
        code, screen = on_terminal("call", "steers", "-c", config)
        self.assertEqual((code, screen), (0, "\\x1b]0;title\\x07 a\\x00b \\xc2\\x9b\tc\r\nd\r\n"))
        code, screen = on_terminal("call", "steers", "-c", config, "--format", "json")
        self.assertEqual(code, 0)
        self.assertNotRegex(screen, "[\0\x1b\x80-\x9f]")
        code, screen = on_terminal("call", "picture", "-c", config)
        self.assertEqual((code, screen), (0, "[image, image/png, 4 bytes of base64]\n"))

    def test_arguments_from_a_file_and_from_stdin(self):
        arguments = self.folder / "arguments.json"
        arguments.write_bytes(b'\xef\xbb\xbf{"a": 2,\n "b": 40}\n')
        done = self.call("add", "--args", f"@{arguments}")
        self.assertEqual((done.returncode, done.stdout), (0, "42\n"), done.stderr)
        done = run("call", "add", "--args", "-", "-c", self.config("math"), input='{"a":1,"b":2}')
        self.assertEqual((done.returncode, done.stdout), (0, "3\n"), done.stderr)
        done = self.call("add", "--args", f"@{self.folder}/none.json")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("none.json: No such file", done.stderr)

    def test_arguments_may_be_as_large_as_a_message(self):
        config = self.config("echo", text="[server.limits]\nmessage_bytes_max = 1024\n")
        for size, code in ((1024, 0), (1025, 1)):
            text = '{"text":"' + "x" * (size - 11) + '"}'
            done = run("call", "echo", "--args", "-", "-c", config, input=text)
            self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn("stdin: it has more than 1024 bytes", done.stderr)

    def test_a_mistake_in_arguments_is_told_with_its_place(self):
        for text, place, expected in (('{', "1:2", "a name"), ("{'a':1}", "1:2", "a name in double quotes"),
                                      ('{"a":1\n "ü"', "2:2", "comma"), ('{"a":1,\n "ü" x}', "2:6", "colon"),
                                      ('{"a":tru}', "1:9", "a value"), ('{"a":1} {}', "1:9", "the end"),
                                      ('', "1:1", "empty"), ('{"a":"x', "1:8", "quotation mark")):
            done = run("call", "echo", "--args", "-", "-c", self.config("echo"), input=text)
            self.assertEqual((done.returncode, done.stdout), (1, ""), text)
            self.assertRegex(done.stderr, rf"^collet: stdin:{place}: .*{expected}", text)
            self.assertIn("JSON object", done.stderr)
        broken = self.folder / "broken.json"
        broken.write_bytes(b'{"a":\n"\xff"}')
        self.assertIn(f"{broken}:2:2: not valid UTF-8", self.call("echo", "--args", f"@{broken}").stderr)
        self.assertIn("--args:1:7: ", self.call("echo", "--args", '{"a":1').stderr)
        done = run("dev", self.folder, "--build", "true", "--call", "echo", "--args", "{")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--args:1:2: ", done.stderr)

    def test_valid_arguments_may_need_more_steps_than_the_default(self):
        arguments = json.dumps({"v": [1.5] * 350_000}, separators=(",", ":"))
        self.assertGreater(len(arguments), 1_390_000)
        done = run("call", "takes", "--args", "-", "-c", self.config("awkward"), input=arguments)
        self.assertEqual((done.returncode, done.stdout), (5, ""))
        self.assertIn("server.limits.schema_steps_max", done.stderr)
        config = self.config("awkward", text="[server.limits]\nschema_steps_max = 4000000\n")
        done = run("call", "takes", "--args", "-", "-c", config, input=arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_create_that_takes_too_long_is_cut_off(self):
        done = run("list", "-c", self.config(text="[plugins]\ncreate_timeout_ms = 300\n", slow=hostile("create_hangs")))
        self.assertRegex(done.stdout, "(?m)^failed +slow: .*did not finish within 300 ms")

    def test_a_tool_that_does_not_exist(self):
        done = self.call("statistic")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("there is no tool statistic; did you mean statistics?", done.stderr)

    def test_what_never_ends_is_left_after_its_deadline(self):
        config = self.config("awkward")
        verbs = {"the tool": ("call", "stays"), "the resource": ("read", "awkward:stays"), "the prompt": ("prompt", "stays"),
                 "the completion": ("complete", "prompt", "stays", "a")}
        with ThreadPoolExecutor() as pool:
            running = {words: pool.submit(run, *verb, "--timeout", "0.05", "-c", config) for words, verb in verbs.items()}
        for words, done in ((words, verb.result()) for words, verb in running.items()):
            self.assertEqual((done.returncode, done.stdout), (5, ""), done.stderr)
            self.assertIn(f"{words} did not answer in time", done.stderr)

    def test_bytes_of_a_result_go_to_a_file(self):
        file = self.folder / "picture.png"
        done = self.call("picture", "--output", file, plugins=["awkward"])
        self.assertEqual((done.returncode, done.stdout, file.read_bytes()), (0, "", b"ABC"), done.stderr)
        self.assertIn(f"{file}: image, image/png, 3 bytes\n", done.stderr)
        file.write_bytes(b"older and longer")
        done = self.call("picture", "-o", file, "--format", "json", plugins=["awkward"])
        self.assertEqual((json.loads(done.stdout)["content"][0]["data"], file.read_bytes()), ("QUJD", b"ABC"))
        done = self.call("deep", "--output", self.folder / "deep", plugins=["awkward"])
        self.assertEqual((done.returncode, done.stdout, (self.folder / "deep").exists()), (0, "deep\n", False))
        done = self.call("picture", "--output", self.folder, plugins=["awkward"])
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("Is a directory", done.stderr)

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
        for verb in ((), ("serve",), ("stdio",), ("list",), ("describe",), ("call",), ("read",), ("prompt",),
                     ("complete",), ("login",), ("import",), ("client-config",), ("config",), ("check",), ("validate",), ("token",)):
            done = run(*verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("--help", done.stdout)
        for words in (("--version",), ("-v",), ("version",)):
            done = run(*words)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r"^collet \d+\.\d+\.\d+\n$")
        for verb in ((), ("list",), ("client-config",), ("help",)):
            done = run("help", *verb)
            self.assertEqual((done.returncode, done.stdout), (0, run(*verb, "--help").stdout))
        self.assertIn("3 the result could not be\nwritten", run("help").stdout)

    def test_a_slip_is_told_with_what_was_meant(self):
        for arguments, words in ((("lst",), "there is no verb lst; did you mean list?"),
                                 (("help", "lst"), "there is no verb lst; did you mean list?"),
                                 (("bogus",), "there is no verb bogus\n"),
                                 (("list", "--confg=x"), "there is no option --confg; did you mean --config?"),
                                 (("check", "--fromat", "json"), "there is no option --fromat; did you mean --format?"),
                                 (("--vresion",), "there is no option --vresion; did you mean --version?"),
                                 (("list", "--bogus"), "there is no option --bogus\n"),
                                 (("--config", "x", "list"), "there is no option --config in front of list"),
                                 (("call", "echo", "-x"), "there is no option -x\n")):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""), arguments)
            self.assertIn(words, done.stderr)
            self.assertIn("--help", done.stderr)
        done = run("login", "dcos", "-c", self.config(text='[remote.docs]\nurl = "http://127.0.0.1:1"\n'))
        self.assertEqual(done.returncode, 1)
        self.assertIn("did you mean docs?", done.stderr)


class Items(Case):
    """What else a server offers than tools."""
    PROMPT = "test_prompt_with_arguments"

    def verb(self, *arguments, **options):
        return run(*arguments, "-c", self.config("fixture", "awkward"), **options)

    def test_a_resource_is_read_as_it_is(self):
        done = self.verb("read", "test://static-text")
        self.assertEqual((done.returncode, done.stdout), (0, "This is the content of the static text resource."))
        done = self.verb("read", "test://template/7/data")
        self.assertEqual((done.returncode, json.loads(done.stdout)["id"]), (0, "7"))
        done = self.verb("read", "test://static-text", "--format", "json")
        self.assertEqual(json.loads(done.stdout)["contents"][0]["mimeType"], "text/plain")

    def test_bytes_go_to_a_pipe_or_a_file_and_are_told_on_a_terminal(self):
        config, file = self.config("fixture"), self.folder / "image.png"
        done = subprocess.run([COLLET, "read", "test://static-binary", "-c", config], capture_output=True)
        self.assertEqual((done.returncode, done.stdout[:4]), (0, b"\x89PNG"))
        code, screen = on_terminal("read", "test://static-binary", "-c", config)
        self.assertEqual((code, screen), (0, "[blob, image/png, 96 bytes of base64]\n"))
        code, screen = on_terminal("read", "test://static-binary", "-c", config, "--output", file)
        self.assertEqual((code, screen), (0, f"{file}: blob, image/png, 70 bytes\n"))
        self.assertEqual(file.read_bytes(), done.stdout)

    def test_texts_stay_on_stdout_and_a_terminal_gets_whole_lines(self):
        file = self.folder / "text"
        done = self.verb("read", "test://static-text", "--output", file)
        self.assertEqual((done.returncode, done.stdout[:4], file.exists()), (0, "This", False))
        self.assertIn(f"{file} is not written: there is nothing but text", done.stderr)
        code, screen = on_terminal("read", "test://static-text", "-c", self.config("fixture"))
        self.assertEqual((code, screen[-10:]), (0, "resource.\n"))

    def test_a_prompt_is_made(self):
        done = self.verb("prompt", self.PROMPT, "arg1=a=b", "arg2=4")
        self.assertEqual((done.returncode, done.stdout), (0, "user: Prompt with arguments: arg1='a=b', arg2='4'\n"))
        done = self.verb("prompt", self.PROMPT, "arg1=a", "arg2=4", "--format", "json")
        self.assertEqual(json.loads(done.stdout)["messages"][0]["role"], "user")

    def test_a_completion_has_a_value_a_line(self):
        done = self.verb("complete", "prompt", self.PROMPT, "arg1", "pa", "arg2=x")
        self.assertEqual((done.returncode, done.stdout), (0, "paris\nparma\npassau\n"))
        done = self.verb("complete", "prompt", self.PROMPT, "arg2", "--format", "json")
        self.assertEqual(len(json.loads(done.stdout)["completion"]["values"]), 5)
        done = self.verb("complete", "resource", "test://template/{id}/data", "id")
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_a_server_that_is_named_here(self):
        command = f"{COLLET} stdio -c {self.config('fixture')}"
        for verb, words in ((("read", "test://static-text"), "content of"), (("prompt", "test_simple_prompt"), "user: This"),
                            (("complete", "prompt", self.PROMPT, "arg1", "paris"), "paris\n")):
            done = run(*verb, "--command", command)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(words, done.stdout)

    def test_what_is_not_there_or_does_not_fit(self):
        for verb, code, words in ((("read", "test://static-txt"), 1,
                                   "there is no resource test://static-txt; did you mean test://static-text?"),
                                  (("read", "bogus:"), 1, "collet list"),
                                  (("prompt", "test_simple_promt"), 1,
                                   "there is no prompt test_simple_promt; did you mean test_simple_prompt?"),
                                  (("prompt", self.PROMPT, "arg1=a"), 5, "the argument arg2 is missing"),
                                  (("prompt", self.PROMPT, "arg3=a"), 1, "there is no argument arg3"),
                                  (("prompt", self.PROMPT, "arg1:=3", "arg2=x"), 5, "an object of strings"),
                                  (("prompt", "test_input_required_result_prompt"), 5, "the prompt asks for input"),
                                  (("complete", "prompt", self.PROMPT, "arg3"), 1, "there is no argument arg3"),
                                  (("complete", "resource", "test://{x}", "x"), 1, "there is no template test://{x}"),
                                  (("complete", "tool", "add", "x"), 1, "tool"),
                                  (("complete", "prompt", self.PROMPT), 1, "argument"),
                                  (("read", "test://static-text", "--output", ""), 1, "must not be empty")):
            done = self.verb(*verb)
            self.assertEqual((done.returncode, done.stdout), (code, ""), verb)
            self.assertIn(words, done.stderr)

    def test_a_file_that_cannot_be_written_is_told(self):
        done = self.verb("read", "test://static-binary", "--output", f"{self.folder}/none/image.png")
        self.assertEqual(done.returncode, 3)
        self.assertIn("none/image.png: No such file or directory", done.stderr)


class Output(Case):
    """What cannot be written is an error, of whatever verb."""

    def verbs(self):
        config = self.config("echo")
        schema = self.folder / "schema.json"
        schema.write_text("true")
        servers = self.folder / "mcp.json"
        servers.write_text('{"mcpServers":{"a":{"url":"http://h/mcp"}}}')
        return (("list", "-c", config), ("list", "-c", config, "--format", "json"),
                ("call", "echo", "-c", config, "--args", '{"text":"x"}'),
                ("call", "echo", "-c", config, "--args", '{"text":"x"}', "--format", "json"),
                ("check", PLUGINS["echo"]), ("check", PLUGINS["echo"], "--format", "json"), ("validate", schema, schema),
                ("import", servers), ("client-config", "--for", "zed", "-c", config), ("token", "alice"),
                ("dev", self.folder, "--build", "true", "--call", "echo", "-c", config, "--args", '{"text":"x"}'),
                ("help",), ("help", "list"), ("version",), ("--version",), ("list", "--help"))

    def test_a_full_disk(self):
        for verb in self.verbs():
            with self.subTest(verb=verb), open("/dev/full", "wb") as full:
                done = subprocess.run([COLLET, *verb], stdout=full, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S)
                self.assertEqual(done.returncode, 3)
                self.assertIn("collet: the result could not be written: No space left on device\n", done.stderr)

    def test_a_stdout_that_is_closed(self):
        for verb in self.verbs():
            with self.subTest(verb=verb):
                done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", COLLET, *verb], stderr=subprocess.PIPE, text=True,
                                      timeout=TIMEOUT_S)
                self.assertEqual(done.returncode, 3)
                self.assertIn("collet: the result could not be written: Bad file descriptor\n", done.stderr)

    def test_a_reader_that_has_gone_ends_it_like_any_program(self):
        for verb in self.verbs():
            for ignored, code in ((False, -signal.SIGPIPE), (True, 3)):
                with self.subTest(verb=verb, ignored=ignored):
                    reader, writer = os.pipe()
                    os.close(reader)
                    done = subprocess.run([COLLET, *verb], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S,
                                          restore_signals=not ignored)
                    os.close(writer)
                    self.assertEqual(done.returncode, code)
                    self.assertEqual("could not be written: Broken pipe" in done.stderr, ignored, done.stderr)

    def test_what_a_running_server_says(self):
        server = self.serve("echo", text=f'[admin]\nsocket = "{self.folder}/admin.sock"\n')
        for verb in (("list",), ("reload",), ("reload", "echo"), ("reload", "--format", "json")):
            with self.subTest(verb=verb), open("/dev/full", "wb") as full:
                done = subprocess.run([COLLET, *verb, "-c", self.folder / "collet.toml"], stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn("could not be written", done.stderr)
        self.assertTrue(server.is_alive())

    def test_what_has_failed_anyway_keeps_its_exit_code(self):
        schema = self.folder / "schema.json"
        schema.write_text("false")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([COLLET, "validate", schema, schema], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 5)
        self.assertIn("could not be written", done.stderr)

    def test_words_that_cannot_be_written_are_no_error(self):
        servers = self.folder / "mcp.json"
        servers.write_text('{"mcpServers":{"a":{"url":"http://h/mcp"}}}')
        for words in (">/dev/full", ">&-"):
            for verb in (("import", servers), ("client-config", "--for", "zed"),
                         ("call", "shout", "-c", self.config("noisy"))):
                done = subprocess.run(["sh", "-c", f'exec "$@" 2{words}', "sh", COLLET, *verb], stdout=subprocess.PIPE,
                                      text=True, timeout=TIMEOUT_S)
                self.assertEqual(done.returncode, 0, verb)
                self.assertTrue(done.stdout)


class Tokens(Case):
    def test_what_is_printed_is_taken_by_the_configuration(self):
        done = run("token", "alice@example.org")
        self.assertEqual(done.returncode, 0)
        config = self.config(text=done.stdout[done.stdout.index("[[server.token]]"):])
        self.assertEqual(run("client-config", "--for", "zed", "-c", config).returncode, 0)
        self.assertIn('name = "alice@example.org"\n', config.read_text())

    def test_a_name_that_the_configuration_refuses_gets_none(self):
        for name in ("", "a b", 'a"b', "a\\b", "a\nb", "ä"):
            done = run("token", name)
            self.assertEqual((done.returncode, done.stdout), (1, ""), name)
            self.assertIn("A-Z a-z 0-9 _ . @ -", done.stderr)
            hash = "sha256:" + "0" * 64
            config = self.config(text=f"[[server.token]]\nname = {json.dumps(name)}\nhash = '{hash}'\n")
            self.assertEqual(run("list", "-c", config).returncode, 1, name)


class Silence(Case):
    """A server that says nothing does not keep a verb for ever."""

    def test_a_running_server_that_has_been_stopped(self):
        socket_file = self.folder / "admin.sock"
        server = self.serve("echo", text=f'[admin]\nsocket = "{socket_file}"\n')
        config = self.folder / "collet.toml"
        self.assertEqual(run("list", "-c", config).returncode, 0)
        server.signal(signal.SIGSTOP)
        self.addCleanup(server.signal, signal.SIGCONT)
        for verb in ("list", "reload"):
            done = run(verb, "-c", config, "--timeout", "0.1")
            self.assertEqual((done.returncode, done.stdout), (4, ""))
            self.assertIn(f"the server at {socket_file} does not answer", done.stderr)
        server.signal(signal.SIGCONT)
        self.assertEqual(run("reload", "-c", config).returncode, 0)

    def test_a_remote_that_accepts_and_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/mcp?api_key=s3cr3t&page=1"
            for verb in (("list",), ("call", "echo")):
                done = run(*verb, "--url", url, "--timeout", "0.1")
                self.assertEqual((done.returncode, done.stdout), (4, ""))
                self.assertRegex(done.stderr, r"collet: http://127.0.0.1:\d+/mcp\?api_key=\*\*\*&page=1 cannot be reached: ")

    def test_a_command_that_says_nothing(self):
        done = run("list", "--command", "sleep 100", "--timeout", "0.1")
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertIn("sleep 100 cannot be reached", done.stderr)

    def test_the_person_is_told_what_is_waited_for(self):
        process = subprocess.Popen([COLLET, "list", "--command", "sleep 100"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        self.assertEqual(process.stderr.readline(), "collet: waiting for sleep 100, for up to 300 s\n")
        process.kill()
        process.wait()
        process.stderr.close()

    def test_a_time_that_is_none(self):
        for seconds, code in (("0.0009", 1), ("0.001", 4), ("604800", 0), ("604801", 1), ("nan", 1), ("inf", 1), ("soon", 1)):
            verb = ("list", "--command", "sleep 100") if code else ("list", "-c", self.config("echo"))
            done = run(*verb, "--timeout", seconds)
            self.assertEqual(done.returncode, code, (seconds, done.stderr))
            self.assertEqual("--timeout" in done.stderr, code == 1)

    def test_no_server(self):
        config = self.config("echo")
        done = run("reload", "-c", config)
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr, r"no server of this configuration is running \(nobody listens on .+\.sock\)")
        done = run("reload", env={"PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, 4)
        self.assertIn("say --config", done.stderr)


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

    def test_a_definition_nested_to_the_limit_is_listed(self):
        config = self.config("awkward")
        self.assertRegex(run("list", "-c", config).stdout, "defined_deeply +awkward +Nested as deeply as is allowed\n")

    def test_a_tool_is_listed_with_its_signature(self):
        config = self.config("math")
        signed = r"(?m)^tool +add +math .*\n +add\(a: integer, b: integer, scale\?: number\)$"
        self.assertRegex(run("list", "-c", config).stdout, signed)
        code, screen = on_terminal("list", "-c", config, columns=30)
        self.assertEqual(code, 0)
        self.assertIn("\n          add(a: integer, b: …\n", screen)
        self.assertEqual([line for line in screen.splitlines() if len(line) > 30], [])

    def test_a_plugin_that_is_not_loaded_is_named_and_the_others_are_listed(self):
        config = self.config("echo", broken=hostile("create_fails"), ghost="/nowhere/ghost.so", text='[log]\nlevel = "off"\n')
        for format, words in (("text", "tool      echo "), ("json", '"name":"echo"')):
            done = run("list", "-c", config, "--format", format)
            self.assertEqual((done.returncode, done.stderr), (8, "collet: these plugins are not loaded: broken, ghost\n"))
            self.assertIn(words, done.stdout)
        self.assertEqual(run("list", "-c", self.config("echo")).returncode, 0)
        self.assertIn("8 servers were imported, or plugins listed, and others", run("help").stdout)

    def test_a_running_server_says_which_plugins_are_not_loaded(self):
        server = self.serve("echo", broken=hostile("create_fails"), text=f'[admin]\nsocket = "{self.folder}/admin.sock"\n')
        done = run("list", "-c", self.folder / "collet.toml")
        self.assertEqual((done.returncode, done.stderr), (8, "collet: these plugins are not loaded: broken\n"))
        self.assertRegex(done.stdout, "(?m)^tool +echo ")
        self.assertTrue(server.is_alive())

    def test_a_plugin_that_is_not_loaded_comes_before_a_remote_that_is_down(self):
        remote = '[remote.r]\nurl = "http://127.0.0.1:1/mcp"\n'
        for libraries, code in (({}, 4), ({"broken": hostile("create_fails")}, 8)):
            done = run("list", "-c", self.config("echo", text=remote, **libraries))
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn("collet: remote r is down", done.stderr)
        config = self.config("echo", text=remote, broken=hostile("create_fails"))
        self.assertEqual(run("list", "--remotes", "-c", config).returncode, 4)

    def test_a_plugin_without_a_file_is_listed_as_failed(self):
        config = self.config("echo", text=f'[plugins]\npaths = ["{self.folder}"]\n[plugin.ghost]\n')
        done = run("list", "-c", config)
        self.assertRegex(done.stdout, rf"(?m)^failed +ghost: cannot load {self.folder}/ghost\.so: .*No such file")
        self.assertRegex(done.stdout, "(?m)^tool +echo ")

    def test_a_configuration_that_offers_nothing_says_so(self):
        done = run("list", "-c", self.config())
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("nothing is offered", done.stderr)

    def test_rules_that_name_nothing_are_told(self):
        config = self.config("math", text='[plugins]\npaths = []\n')
        rules = 'hide = ["ad"]\nrename = { primes = "p", nothing = "n" }\ntools.x.timeout_ms = 1\n'
        config.write_text(config.read_text() + rules)
        done = run("list", "-c", config)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, "(?m)^tool +p +math ")
        for words in ('hide has no effect on "ad"', 'rename has no effect on "nothing"', 'tools has no effect on "x"'):
            self.assertIn(f"plugin math: {words}", done.stderr)
        self.assertNotIn('"primes"', done.stderr)

    def test_a_clash_takes_out_one_tool(self):
        listed = json.loads(run("list", "-c", self.config("echo", again=PLUGINS["echo"]), "--format", "json").stdout)
        self.assertEqual([(item["name"], item["plugin"]) for item in listed["items"]], [("echo", "echo")])
        self.assertEqual([(item["name"], item["plugin"]) for item in listed["leftOut"]], [("echo", "again")])


class Describes(Case):
    def test_a_tool_is_told_with_its_arguments(self):
        done = run("describe", "primes", "-c", self.config("math"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "(?m)^tool +primes$")
        self.assertRegex(done.stdout, "(?m)^plugin +math$")
        self.assertRegex(done.stdout, "(?m)^  name +type ")

    def test_json_is_the_definition_that_is_listed(self):
        config = self.config("math")
        described = json.loads(run("describe", "add", "-c", config, "--format", "json").stdout)
        listed = json.loads(run("list", "-c", config, "--format", "json").stdout)["items"]
        self.assertEqual(described, {"name": "add", **listed[0]["definition"]})

    def test_a_tool_that_is_not_there(self):
        done = run("describe", "statistic", "-c", self.config("math"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("there is no tool statistic; did you mean statistics?", done.stderr)
        done = run("describe", "bogus", "-c", self.config("math"))
        self.assertIn("there is no tool bogus; `collet list` shows what there is", done.stderr)

    def test_the_running_server_is_asked_unless_it_is_not_to_be(self):
        self.serve("echo", text=f'[admin]\nsocket = "{self.folder}/admin.sock"\n')
        config = self.folder / "collet.toml"
        config.write_text(config.read_text().replace("[plugin.echo]", "[plugin.echo]\nrename = { echo = \"other\" }"))
        self.assertEqual(run("describe", "echo", "-c", config).returncode, 0)
        self.assertEqual(run("describe", "other", "--fresh", "-c", config).returncode, 0)

    def test_a_server_that_is_named_here(self):
        done = run("describe", "add", "--command", f"{COLLET} stdio -c {self.config('math')}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "(?m)^tool +add$")


class Checks(Case):
    def test_a_good_plugin(self):
        done = run("check", *PLUGINS.values())
        self.assertEqual(done.returncode, 0, done.stdout)
        for words in ("org.collet.echo 1.0.0", "item         primes", "collet_plugin_entry_v1"):
            self.assertIn(words, done.stdout)
        checked = json.loads(run("check", PLUGINS["math"], "--format", "json").stdout)
        self.assertEqual((checked["errors"], checked["plugin"]), ([], "org.collet.math 1.0.0"))

    def test_what_a_plugin_says_of_itself_and_where_it_loads(self):
        done = run("check", PLUGINS["math"])
        self.assertRegex(done.stdout, "(?m)^title +Mathematics$")
        self.assertNotRegex(done.stdout, "(?m)^(vendor|license) ")
        self.assertRegex(done.stdout, "(?m)^loads on +.*Debian 13")
        checked = json.loads(run("check", BUILD / "plugins/client.so", "--format", "json").stdout)
        self.assertEqual((checked["title"], checked["vendor"], checked["license"]), ("Remote MCP servers", "", "Apache-2.0"))
        fits = {each["name"]: each["loads"] for each in checked["distributions"]}
        self.assertEqual((len(fits), fits["Debian 13"]), (9, True))

    def test_findings_stand_in_json_once(self):
        checked = json.loads(run("check", hostile("sticky"), hostile("no_symbol"), "--format", "json").stdout.splitlines()[0])
        self.assertTrue(checked["warnings"])
        self.assertFalse(checked["elf"].keys() & {"warnings", "errors"})

    def test_a_windows_library_is_told_as_one(self):
        library = self.folder / "plugin.dll"
        for flags, name in ((0, "it is not an ELF file"), (0x2000, "it is a Windows library; this host loads ELF libraries")):
            coff = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, flags)
            whole = b"MZ".ljust(0x3c, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + coff
            library.write_bytes(whole)
            done = run("check", library)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, f"(?m)^error +{name}$")
            self.assertNotIn("loads on", done.stdout)
        for size in (2, 0x3f, 0x43, len(whole) - 1):  # cut off
            library.write_bytes(whole[:size])
            self.assertIn("it is not an ELF file", run("check", library).stdout)

    def test_a_plugin_whose_threads_stay_is_shown_and_so_are_those_behind_it(self):
        stays = BUILD / "tests/modules/hostile_threads_stay.so"
        done = run("check", stays, stays, PLUGINS["echo"])
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout.count("item         start_thread\n"), 2)
        self.assertEqual(len(re.findall(r"(?m)^error +plugin hostile_threads_stay was not unloaded: a thread .*: stays$", done.stdout)), 2)
        self.assertIn("org.collet.echo 1.0.0", done.stdout)
        (self.folder / "c.toml").write_text(f'[plugin.stays]\nlibrary = "{stays}"\n')
        listed = run("list", "-c", self.folder / "c.toml", "--format", "json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual([plugin["id"] for plugin in json.loads(listed.stdout)["plugins"]], ["stays"])

    def test_what_a_definition_does_not_keep_is_told(self):
        done = run("check", BUILD / "tests/modules/sample.so")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^warning +refuse: of its definition is left out: /description .*null$")
        self.assertRegex(done.stdout, r"(?m)^warning +refuse /properties/a/type: a list of types")

    def test_a_finding_in_the_file_is_told_once(self):
        self.assertEqual(run("check", hostile("no_symbol")).stdout.count("is it a Collet plugin?"), 1)

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

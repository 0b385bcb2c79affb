"""Plugins that state the keys of their config: what is told of a mistake, and what is printed of the keys."""
import json
import os
import tomllib

from peer import BUILD, Case, Server, main, run

CONFIGURED = BUILD / "tests/modules/configured.so"
BADLY = BUILD / "tests/modules/configured_badly.so"


class Configs(Case):
    def write(self, config, placement="auto"):
        self.file = self.folder / "c.toml"
        self.file.write_text(f'[plugin.p]\nlibrary = "{CONFIGURED}"\nplacement = "{placement}"\n{config}')
        return self.file

    def mistakes(self):
        """Of the config below, where it is."""
        return (f"{self.file}:4:1: plugin.p.config.path is missing: What it reads",
                f"{self.file}:5:1: plugin.p.config.limt is not a key; did you mean limit?",
                f"{self.file}:6:9: plugin.p.config.limit must be an integer from 1 to 10, not \"ten\"")

    WRONG = '[plugin.p.config]\nlimt = 3\nlimit = "ten"\n'
    GOOD = '[plugin.p.config]\npath = "/a"\n'

    def lines_of(self, text):
        return [line.strip() for line in text.splitlines()]


class Mistakes(Configs):
    def test_all_are_told_at_the_start_with_their_places(self):
        for placement in ("in-process", "worker"):
            with self.subTest(placement):
                self.write(self.WRONG, placement)
                listed = run("list", "-c", self.file)
                for mistake in self.mistakes():
                    self.assertIn(f"is not served: {mistake}", listed.stderr)
                    self.assertIn(mistake, self.lines_of(listed.stdout))
                plugin = json.loads(run("list", "-c", self.file, "--format", "json").stdout)["plugins"][0]
                self.assertEqual(plugin["error"].splitlines()[1:], list(self.mistakes()))

    def test_all_are_told_on_reload_and_the_old_generation_goes_on(self):
        self.addCleanup(os.environ.update, {k: v for k, v in os.environ.items() if k == "XDG_RUNTIME_DIR"})
        os.environ.pop("XDG_RUNTIME_DIR", None)
        for placement in ("in-process", "worker"):
            with self.subTest(placement):
                server = Server(self.write(self.GOOD, placement), ["http://127.0.0.1:0"])
                self.addCleanup(server.kill)
                self.write('[plugin.p.config]\npath = "/b"\n', placement)
                self.assertEqual(run("reload", "-c", self.file).stdout, "p: reconfigured\n")
                self.write(self.WRONG, placement)
                for format in ("text", "json"):
                    done = run("reload", "-c", self.file, "--format", format)
                    self.assertEqual(done.returncode, 6)
                    if format == "json":
                        said = json.loads(done.stdout)["plugins"][0]["error"].splitlines()
                    else:
                        said = done.stderr.splitlines()
                    self.assertEqual(said[1:], list(self.mistakes()))
                server.logged("plugin p is not replaced: .*did you mean limit")
                listed = json.loads(run("list", "-c", self.file, "--format", "json").stdout)["plugins"][0]
                self.assertEqual((listed["state"], listed["generation"]), ("serving", 1))
                self.write(self.GOOD, placement)
                self.assertEqual(run("reload", "-c", self.file).stdout, "p: replaced (1.0.0)\n")
                server.kill()

    def test_what_create_throws_is_in_every_answer(self):
        why = "its create() returned COLLET_E_INTERNAL (-5): cannot open /nowhere: there is nothing"
        for placement in ("in-process", "worker"):
            with self.subTest(placement):
                self.write('config.path = "/nowhere"\n', placement)
                self.assertIn(why, run("list", "-c", self.file).stdout)
                self.assertIn(why, run("check", "p", "-c", self.file).stdout)
                self.assertIn(why, json.loads(run("check", "p", "-c", self.file, "--format", "json").stdout)["errors"][0])


class Checks(Configs):
    def test_a_plugin_that_needs_a_key_is_good_with_a_configuration_that_has_it(self):
        self.write(self.GOOD)
        for plugin in ("p", CONFIGURED):
            done = run("check", "--config", self.file, plugin)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("item         config\n", done.stdout)

    def test_without_one_the_key_is_what_is_missing(self):
        done = run("check", CONFIGURED)
        self.assertEqual(done.returncode, 1)
        self.assertIn("plugin.configured.config.path is missing: What it reads", self.lines_of(done.stdout))
        self.assertIn("say --config FILE, with [plugin.configured.config] in it", done.stdout)
        self.assertNotIn("create()", done.stdout)

    def test_it_shows_the_keys(self):
        done = run("check", CONFIGURED)
        self.assertIn("config       path: a string, needed: What it reads\n", done.stdout)
        self.assertIn("config       limit: an integer from 1 to 10, default 3\n", done.stdout)
        for placement in ("in-process", "worker"):
            self.write(self.WRONG, placement)
            checked = json.loads(run("check", "p", "-c", self.file, "--format", "json").stdout)
            self.assertEqual(checked["config"], [
                {"key": "path", "value": "a string", "required": True, "description": "What it reads"},
                {"key": "limit", "value": "an integer from 1 to 10", "required": False, "default": 3}])
            self.assertEqual(checked["errors"][0].splitlines()[1:], list(self.mistakes()))

    def test_a_schema_that_is_none_is_the_plugins_fault(self):
        done = run("check", BADLY)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "(?m)^error .*its configSchema is no good: schema /properties/path/type")

    def test_an_id_that_is_not_there_is_told_with_the_one_that_was_meant(self):
        (self.folder / "c.toml").write_text(f'[plugin.reader]\nlibrary = "{CONFIGURED}"\n')
        done = run("check", "raeder", "-c", self.folder / "c.toml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no plugin raeder; did you mean reader?", done.stderr)


class Keys(Configs):
    PRINTED = ("[plugin.{}.config]\n# What it reads\n# a string, needed\npath = \"\"\n"
               "# an integer from 1 to 10\n#limit = 3\n")

    def test_they_are_printed_as_a_table_that_can_be_pasted(self):
        self.write(self.WRONG)
        for plugin, id in ((CONFIGURED, "configured"), ("p", "p")):
            done = run("config", plugin, *([] if id == "configured" else ["-c", self.file]))
            self.assertEqual((done.returncode, done.stdout), (0, self.PRINTED.format(id)))
            self.assertEqual(tomllib.loads(done.stdout), {"plugin": {id: {"config": {"path": ""}}}})
        pasted = self.folder / "pasted.toml"
        pasted.write_text(f'[plugin.p]\nlibrary = "{CONFIGURED}"\n' + self.PRINTED.format("p").replace("#limit", "limit"))
        self.assertEqual(run("check", "p", "-c", pasted).returncode, 0)

    def test_a_plugin_without_any_says_so(self):
        done = run("config", BUILD / "plugins/math.so")
        self.assertEqual((done.returncode, done.stdout), (0, "# math states no keys of its config.\n"))

    def test_a_file_that_is_no_plugin_is_told(self):
        done = run("config", self.folder / "none.so")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("none.so", done.stderr)


if __name__ == "__main__":
    main()

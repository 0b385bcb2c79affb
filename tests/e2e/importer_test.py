"""The plugin that imports from remotes is found by what it says of itself, whatever its file is called and wherever it lies."""
import json
import shutil
from pathlib import Path

from peer import BUILD, main, run
from remote_test import RemoteCase

STRANGER = BUILD / "tests/modules/importer.so"


class Importers(RemoteCase):
    def written(self, plugins, remote=True):
        """A configuration with that folder of plugins, or that table of one."""
        file = self.folder / "collet.toml"
        file.write_text(plugins + ("[remote.r]\n" + self.child() if remote else ""))
        return file

    def folder_of(self, **libraries):
        folder = self.folder / "plugins"
        folder.mkdir()
        for name, library in libraries.items():
            shutil.copy(library, folder / f"{name}.so")
        return f'[plugins]\npaths = ["{folder}"]\n'

    def listed(self, file):
        done = run("list", "--fresh", "--format", "json", "--config", file)
        return json.loads(done.stdout), done

    def test_ours_is_used_under_another_name(self):
        listing, done = self.listed(self.written(self.folder_of(gateway=BUILD / "plugins/client.so")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([plugin["id"] for plugin in listing["plugins"]], ["gateway"])
        self.assertIn("r__echo", [item["name"] for item in listing["items"]])
        self.assertEqual([remote["state"] for remote in listing["remotes"]], ["up"])

    def test_ours_is_used_where_the_folder_has_none(self):
        listing, done = self.listed(self.written(self.folder_of(echo=BUILD / "plugins/echo.so")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([plugin["id"] for plugin in listing["plugins"]], ["echo", "client"])

    def test_one_that_is_configured_has_the_settings_of_its_table(self):
        table = f'[plugin.gateway]\nlibrary = "{BUILD / "plugins/client.so"}"\ntimeout_ms = 1234\n'
        listing, done = self.listed(self.written(table))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([plugin["id"] for plugin in listing["plugins"]], ["gateway"])
        self.assertIn("r__echo", [item["name"] for item in listing["items"]])

    def test_somebody_elses_is_given_the_remotes(self):
        file = self.written(self.folder_of(a_stranger=STRANGER, client=BUILD / "plugins/client.so"))
        done = run("call", "config", "--config", file)
        self.assertEqual(done.returncode, 0, done.stderr)
        given = json.loads(done.stdout)
        self.assertEqual(set(given), {"remotes", "name_bytes_max", "version", "used_by", "keeper", "remembers"})
        self.assertEqual([remote["name"] for remote in given["remotes"]], ["r"])
        self.assertEqual(given["used_by"], "server")

    def test_what_it_says_of_remotes_may_be_nonsense(self):
        file = self.written(self.folder_of(stranger=STRANGER))
        listing, _ = self.listed(file)
        self.assertEqual(listing["remotes"], [{}])
        done = run("list", "--remotes", "--config", file)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertEqual(run("call", "nothing", "--config", file).returncode, 4)

    def test_in_a_worker_the_end_of_waiting_is_heard_of(self):
        table = f'[plugin.stranger]\nlibrary = "{STRANGER}"\nplacement = "worker"\n'
        self.assertEqual(run("call", "config", "--config", self.written(table)).returncode, 0)

    def test_without_remotes_none_is_loaded(self):
        listing, done = self.listed(self.written(self.folder_of(stranger=STRANGER, echo=BUILD / "plugins/echo.so"), remote=False))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([plugin["id"] for plugin in listing["plugins"]], ["echo"])
        self.assertNotIn("remotes", listing)

    def test_it_can_be_checked(self):
        done = run("check", BUILD / "plugins/client.so")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("org.collet.client", done.stdout)


if __name__ == "__main__":
    main()

"""Plugins are loaded from where nobody else can put code."""
import os
import shutil
import unittest

from peer import PLUGINS, Case, main, run


class Trust(Case):
    def setUp(self):
        super().setUp()
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir(mode=0o755)
        self.library = self.plugins / "echo.so"
        shutil.copy(PLUGINS["echo"], self.library)
        os.chmod(self.library, 0o755)

    def serves(self, text=""):
        """And what is said if it does not."""
        file = self.folder / "collet.toml"
        file.write_text(f'[plugins]\npaths = ["{self.plugins}"]\n{text}')
        done = run("call", "echo", "--args", '{"text":"hi"}', "-c", file)
        return done.stdout == "hi\n", done.stderr

    def refused(self, path, writer):
        served, said = self.serves()
        self.assertFalse(served)
        self.assertIn(f"{path} can be written by {writer}", said)
        self.assertTrue(self.serves("allow_writable_by_others = true\n")[0])

    def test_a_file_or_folder_that_everybody_can_write(self):
        self.assertTrue(self.serves()[0])
        for path, mode in ((self.library, 0o757), (self.plugins, 0o757)):
            with self.subTest(path.name):
                before = path.stat().st_mode & 0o7777
                os.chmod(path, mode)
                self.refused(path, "everybody")
                os.chmod(path, before)

    def test_a_folder_in_which_everybody_can_write_their_own_files_alone(self):
        os.chmod(self.plugins, 0o1777)
        self.assertTrue(self.serves()[0])

    def test_what_a_link_leads_to(self):
        hidden = self.folder / "elsewhere"
        hidden.mkdir()
        os.chmod(hidden, 0o777)
        shutil.move(self.library, hidden / "echo.so")
        os.symlink(hidden / "echo.so", self.library)
        self.refused(hidden, "everybody")

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_a_file_of_another_user(self):
        os.chown(self.library, 65534, 65534)
        self.refused(self.library, "the user nobody, whose it is")

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_a_group_that_is_not_ours(self):
        os.chown(self.library, 0, 65534)
        os.chmod(self.library, 0o775)
        self.refused(self.library, "the group 65534")


if __name__ == "__main__":
    main()

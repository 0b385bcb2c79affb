"""What lies around a plugin's library: libraries that it is linked with, and files that it reads. Replaced as it is."""
import os
import re
import shutil

from peer import BUILD, Case, call, main, run, text_of, until


class Neighbours(Case):
    def lay(self, place="plugins", libraries="plugins", version=1):
        """A release of the plugin: its library, the one that this needs, a file beside it and one in a folder beside its own."""
        for folder in (place, libraries, f"{place}/../share"):
            os.makedirs(self.folder / folder, exist_ok=True)
        self.put(BUILD / "tests/e2e/neighboured.so", f"{place}/p.so")
        self.put(BUILD / f"tests/e2e/neighbour_{version}.so", f"{libraries}/libneighbour.so")
        (self.folder / place / "words.txt").write_text(f"beside{version}")
        (self.folder / place / "../share/words.txt").write_text(f"shared{version}")

    def put(self, library, place):
        """Also if nothing has changed it is another file."""
        shutil.copy(library, self.folder / "next")
        os.rename(self.folder / "next", self.folder / place)

    def start(self, more="", reload="signal"):
        return self.serve(text=f'[admin]\nsocket = "{self.folder}/admin"\n[plugins]\npaths = ["{self.folder}/plugins"]\n'
                               f'reload = "{reload}"\n{more}')

    def call(self, server, tool, **arguments):
        answer = server.post(call(1, tool, arguments)).message
        return text_of(answer) if "result" in answer else answer["error"]["message"]

    def reads(self, server):
        return [self.call(server, "read", path=path) for path in ("words.txt", "../share/words.txt")]

    def collet(self, *arguments):
        return run(*arguments, "-c", self.folder / "collet.toml")

    def test_they_are_found_beside_the_library_and_in_a_folder_beside_its_own(self):
        for libraries in ("plugins", "lib"):
            with self.subTest(libraries=libraries):
                self.lay(libraries=libraries)
                server = self.start()
                self.assertEqual(self.call(server, "version"), "1")
                self.assertEqual(self.reads(server), ["beside1", "shared1"])
                self.assertFalse([line for line in server.log if re.search(" (error|warning) ", line)])
                server.kill()
                shutil.rmtree(self.folder / "plugins")

    def test_in_a_worker_libraries_are_found_and_files_where_they_are_granted(self):
        self.lay(libraries="lib")
        worker = '[plugin.p]\nplacement = "worker"\n'
        server = self.start(worker)
        self.assertEqual(self.call(server, "version"), "1")
        self.assertEqual(self.reads(server), ["it cannot be read"] * 2)
        server.logged(r"plugin p: open\(.*words.txt\"\) for reading was denied: add .*/plugins/words.txt\" to plugin.p.permissions.read")
        server.kill()
        server = self.start(worker + f'[plugin.p.permissions]\nread = ["{self.folder}"]\n')
        self.assertEqual((self.call(server, "version"), self.reads(server)), ("1", ["beside1", "shared1"]))

    def test_a_library_beside_it_that_is_overwritten_does_not_touch_what_runs(self):
        self.lay()
        server = self.start()
        self.assertEqual(self.call(server, "version"), "1")
        with open(self.folder / "plugins/libneighbour.so", "r+b") as library:
            library.write(b"\0" * os.path.getsize(library.name))
        self.assertEqual(self.call(server, "version"), "1")

    def test_a_new_build_comes_with_its_own_library(self):
        self.lay()
        server = self.start()
        self.assertEqual(self.call(server, "version"), "1")
        self.lay(version=2)
        self.assertEqual(self.collet("reload", "p").returncode, 0)
        self.assertEqual((self.call(server, "version"), self.reads(server)[:1]), ("2", ["it cannot be read"]))
        server.logged("plugin p: runs in a worker process of its own, because otherwise it would use another libneighbour.so")

    def test_what_has_to_stay_in_the_process_is_told_which_library_it_gets(self):
        self.lay()
        server = self.start('[plugin.p]\nplacement = "in-process"\n')
        self.lay(version=2)
        self.assertEqual(self.collet("reload", "p").returncode, 0)
        server.logged("plugin p: would use another libneighbour.so than the one beside it")
        self.assertEqual(self.reads(server), ["beside2", "shared2"])

    def test_a_library_that_has_not_changed_is_mapped_once(self):
        self.lay()
        server = self.start()
        for _ in range(3):
            self.assertEqual(self.collet("reload", "p").returncode, 0)
            self.assertEqual((self.call(server, "version"), self.reads(server)), ("1", ["beside1", "shared1"]))
        self.assertFalse([line for line in server.log if " worker process" in line or "warning" in line])

    def test_a_release_behind_a_link_brings_its_own(self):
        for release in (1, 2):
            self.lay(f"r{release}/plugins", f"r{release}/lib", release)
        os.symlink("r1/plugins", self.folder / "plugins")
        server = self.start(f'[plugin.p]\nplacement = "worker"\n[plugin.p.permissions]\nread = ["{self.folder}"]\n', "watch")
        self.assertEqual((self.call(server, "version"), self.reads(server)), ("1", ["beside1", "shared1"]))
        os.symlink("r2/plugins", self.folder / "next")
        os.rename(self.folder / "next", self.folder / "plugins")
        os.utime(self.folder / "r2/plugins/p.so")
        self.assertEqual(self.collet("reload", "p").returncode, 0)
        self.assertEqual((self.call(server, "version"), self.reads(server)), ("2", ["beside2", "shared2"]))

    def test_nothing_of_the_copies_is_left(self):
        private = self.folder / "run"
        private.mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(private)
        self.addCleanup(os.environ.pop, "XDG_RUNTIME_DIR")
        self.lay(libraries="lib")
        server = self.start()
        until(lambda: self.call(server, "version") == "1")
        self.assertEqual(self.collet("reload", "p").returncode, 0)
        server.signal(15)
        self.assertEqual(server.wait(), 0)
        self.assertEqual(list((private / "collet").iterdir()), [])


if __name__ == "__main__":
    main()

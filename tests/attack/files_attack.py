"""Other users of the machine, plugins that stay, and a host that is killed."""
import os
import shutil
import signal
import subprocess
import unittest

from ground import TROUBLE, Attack, as_json, until
from peer import PLUGINS, Process, call, descendants_of, hostile, is_running, main, run, runs


class Files(Attack):
    def test_R1_a_plugin_that_others_can_write(self):
        library = self.folder / "echo.so"
        shutil.copy(PLUGINS["echo"], library)
        os.chmod(library, 0o777)
        file = self.config(echo=library)
        self.assertNotEqual(run("call", "echo", "--args", '{"text":"x"}', "-c", file).returncode, 0)

    def test_R2_a_folder_for_copies_that_others_have_made(self):
        place = self.folder / "tmp"
        taken = place / f"collet-{os.getuid()}"
        taken.mkdir(parents=True)
        os.chmod(taken, 0o777)
        environment = {**os.environ, "TMPDIR": str(place)}
        environment.pop("XDG_RUNTIME_DIR", None)
        done = run("call", "echo", "--args", '{"text":"x"}', "-c", self.config("echo"), env=environment)
        self.assertEqual(done.stdout, "x\n", done.stderr)
        self.assertEqual(list(taken.iterdir()), [])

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount")
    def test_R2_a_folder_for_copies_from_which_nothing_runs(self):
        file = self.config("echo")
        script = 'mount -t tmpfs -o noexec none "$1" && TMPDIR="$1" exec "$0" call echo --args \'{"text":"x"}\' -c "$2"'
        place = self.folder / "noexec"
        place.mkdir()
        from peer import COLLET

        done = subprocess.run(["unshare", "--mount", "sh", "-c", script, COLLET, place, file], capture_output=True, text=True,
                              env={name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"})
        self.assertEqual(done.stdout, "x\n", done.stderr)

    def test_C1_secrets_in_lists(self):
        file = self.folder / "remote.toml"
        file.write_text('[remote.r]\nurl = "http://user:pa55word@127.0.0.1:1/mcp?api_key=k3y-of-ours"\n')
        done = run("list", "--remotes", "-c", file)
        self.assertNotIn("pa55word", done.stdout + done.stderr)
        self.assertNotIn("k3y-of-ours", done.stdout + done.stderr)

    def test_P1_what_outlives_a_host_that_is_killed(self):
        place = self.folder / "copies"
        place.mkdir()
        os.environ["TMPDIR"] = str(place)
        self.addCleanup(os.environ.pop, "TMPDIR")
        left, left_by_remote = f"86400.{os.getpid()}", f"86401.{os.getpid()}"
        stubborn = (f'trap "" TERM HUP; setsid sleep {left_by_remote} </dev/null >/dev/null 2>&1 & '
                    f"echo $$ > {self.folder}/pid; exec 0</dev/null; while :; do sleep 1; done")
        server = self.serve("echo", text=f'[remote.r]\ncommand = "sh"\nargs = ["-c", \'{stubborn}\']\n'
                                         f'[plugin.p]\nlibrary = "{TROUBLE}"\nplacement = "worker"\nprefix = "p_"\n'
                                         "permissions.exec = true\n")
        server.post(as_json(call(1, "p_leave", {"path": left})).encode())
        until(lambda: runs(left) and runs(left_by_remote))
        until(lambda: (self.folder / "pid").exists() and (self.folder / "pid").read_text().strip())
        children = descendants_of(server)
        self.assertGreaterEqual(len(children), 2)
        server.signal(signal.SIGKILL)
        server.wait()
        until(lambda: not any(map(is_running, children)))
        until(lambda: not runs(left) and not runs(left_by_remote))
        copies = place / f"collet-{os.getuid()}"
        if copies.is_dir():
            self.assertNotEqual(list(copies.iterdir()), [])
            self.assertEqual(run("call", "echo", "--args", '{"text":"x"}', "-c", self.config("echo")).stdout, "x\n")
            self.assertEqual(list(copies.iterdir()), [])

    def test_P1_what_outlives_a_host_that_is_killed_in_a_trial(self):
        left = f"86403.{os.getpid()}"
        host = Process("list", "-c", self.config(hangs=hostile("create_leaves_a_process_and_hangs")),
                       env={**os.environ, "COLLET_TEST_LEFT": left})
        self.addCleanup(host.kill)
        until(lambda: runs(left))
        host.signal(signal.SIGKILL)
        host.wait()
        until(lambda: not runs(left))


if __name__ == "__main__":
    main()

"""A worker on a system that lacks something its walls are made of: that is said, or it does not run."""
import json
import os
import subprocess
import unittest

from peer import BUILD, COLLET, TIMEOUT_S, Case, main
from withheld import WITHOUT, withhold

# What is then told to be missing, as a user and as root.
TOLD = {
    "Landlock": "files (the kernel has no Landlock)",
    "seccomp": "system calls (seccomp: ",
    "notifications": "telling what is denied",
    "namespaces": "namespaces (Operation not permitted)",
    "user namespaces": "a user of its own (cannot make a namespace of users: Operation not permitted)" if os.geteuid() == 0 else
                       "namespaces (Operation not permitted)",
    "mounts": "a file system of its own (cannot mount /proc: Function not implemented)",
    "users": "a user of its own (Operation not permitted)",
    "capabilities": "rights (Operation not permitted)",
    "limits": "memory_bytes_max, threads_max",
}


class Withheld(Case):
    def worker(self, required):
        file = self.folder / "collet.toml"
        file.write_text(f'[plugins]\ncgroup = "off"\n[plugin.p]\nlibrary = "{BUILD}/tests/modules/trouble.so"\nplacement = "worker"\n'
                        f'require_sandbox = {json.dumps(required)}\npermissions.read = ["{file}"]\n')
        return file

    def call(self, feature, required):
        return subprocess.run([COLLET, "call", "echo", "-c", self.worker(required)], preexec_fn=feature and (lambda: withhold(feature)),
                              capture_output=True, text=True, timeout=TIMEOUT_S)

    def test_each_feature(self):
        for feature in WITHOUT:
            if feature == "users" and os.geteuid() != 0:
                continue  # a user's worker has no other
            with self.subTest(feature):
                done = self.call(feature, required=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("does not confine its worker in full: ", done.stderr)
                self.assertIn(TOLD[feature], done.stderr)
                done = self.call(feature, required=True)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("require_sandbox is set, and this system cannot enforce ", done.stderr)
                self.assertIn(TOLD[feature], done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root can hide parts of /proc")
    def test_in_a_container_that_hides_parts_of_its_proc(self):
        """Whose users may make no other: the kernel would show them what is hidden."""
        os.chmod(self.folder, 0o755)
        script = 'mount --bind /dev/null /proc/interrupts && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, "sh", COLLET, "call"]
        file = self.worker(required=False)
        environment = {**os.environ, "TMPDIR": "/tmp", "HOME": "/nonexistent", "XDG_RUNTIME_DIR": ""}
        done = subprocess.run([*command, "stat", "--args", '{"path":"/etc/passwd"}', "-c", file], env=environment,
                              capture_output=True, text=True, timeout=TIMEOUT_S)
        self.assertEqual(done.stdout.strip(), "ENOENT", done.stderr)
        self.assertIn("a /proc of its own (", done.stderr)
        self.assertNotIn("a file system of its own", done.stderr)
        done = subprocess.run([*command, "stat", "--args", '{"path":"/proc/self/status"}', "-c", file], env=environment,
                              capture_output=True, text=True, timeout=TIMEOUT_S)
        self.assertEqual(done.stdout.strip(), "0", done.stderr)

    def test_where_nothing_is_missing_it_runs(self):
        done = self.call(None, required=False)
        if "does not confine its worker in full" in done.stderr:
            self.skipTest(done.stderr)
        self.assertEqual(self.call(None, required=True).returncode, 0)

    def test_where_no_control_group_can_be_made(self):
        file = self.worker(required=True)
        file.write_text(file.read_text().replace('"off"', '"/tmp"'))
        done = subprocess.run([COLLET, "call", "echo", "-c", file], capture_output=True, text=True, timeout=TIMEOUT_S)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("cannot enforce control groups (/tmp is no folder of cgroup v2)", done.stderr)

    def test_in_the_process_of_the_server_it_does_not_run(self):
        file = self.folder / "collet.toml"
        file.write_text(f'[plugin.p]\nlibrary = "{BUILD}/plugins/echo.so"\nplacement = "in-process"\nrequire_sandbox = true\n')
        done = subprocess.run([COLLET, "call", "echo", "--args", '{"text":"x"}', "-c", file], capture_output=True, text=True, timeout=TIMEOUT_S)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("require_sandbox is set, and it would run in this process", done.stderr)


if __name__ == "__main__":
    main()

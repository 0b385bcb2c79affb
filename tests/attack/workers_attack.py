"""Plugins in workers that want out."""
import os
import platform
import random
import resource
import time

from ground import TROUBLE, Attack, as_json
from peer import call, main, on_terminal, text_of

# What would be done to the host by number: x86-64's.
PRLIMIT, SETAFFINITY, SETSCHEDULER, SETPRIORITY, IOPRIO_SET, KILL, TGKILL, PTRACE = 302, 203, 144, 141, 251, 62, 234, 101
MOUNT_SETATTR, FSPICK, FANOTIFY_INIT, ADJTIMEX, SYSLOG, MKNODAT, UNSHARE, MEMFD_CREATE, SOCKET = (
    442, 433, 300, 159, 103, 259, 272, 319, 41)
IO_URING_SETUP, BPF, USERFAULTFD, PERF_EVENT_OPEN, ADD_KEY, PROCESS_VM_READV, INIT_MODULE, REBOOT, CLOCK_SETTIME = (
    425, 321, 323, 298, 248, 310, 175, 169, 227)
CALLS = 470


class Workers(Attack):
    seconds_max = 3600

    def begin(self, permissions=""):
        self.server = self.serve(text=f'[plugin.p]\nlibrary = "{TROUBLE}"\nplacement = "worker"\n{permissions}\n'
                                      "timeout_ms = 5000\n")
        self.assertEqual(self.do("echo"), "{}")

    def do(self, tool, **arguments):
        message = self.server.post(as_json(call(1, tool, arguments)).encode()).message
        return text_of(message) if "result" in message else message["error"]["message"]

    def system_call(self, number, *arguments):
        return self.do("raw", call=[number, *arguments, *[0] * (6 - len(arguments))])

    def denied(self, number, *arguments):
        self.assertEqual(self.system_call(number, *arguments), "EPERM", number)

    def test_S1_types_into_the_shell_of_the_operator(self):
        file = self.folder / "terminal.toml"
        file.write_text(f'[plugin.p]\nlibrary = "{TROUBLE}"\nplacement = "worker"\npermissions.write = ["/dev"]\n')
        code, screen = on_terminal("call", "type", "-c", file)
        self.assertEqual((code, screen.splitlines()[-1]), (0, "nothing"))

    def test_S2_limits_slows_and_kills_its_host(self):
        self.begin()
        host = self.server._process.pid
        for number, *arguments in ((PRLIMIT, host, resource.RLIMIT_CPU), (PRLIMIT, host, resource.RLIMIT_NOFILE),
                                   (SETAFFINITY, host, 8), (SETSCHEDULER, host, 5), (SETPRIORITY, 0, host, 19),
                                   (IOPRIO_SET, 1, host, 3 << 13), (KILL, host, 9), (KILL, -1, 9), (TGKILL, host, host, 9),
                                   (PTRACE, 16, host), (PROCESS_VM_READV, host)):
            self.denied(number, *arguments)

    def test_S3_uses_the_rights_of_root(self):
        for permissions in ("", f'permissions.write = ["{self.folder}"]'):
            self.begin(permissions)
            for number, *arguments in ((MOUNT_SETATTR, -100), (FSPICK, -100), (FANOTIFY_INIT,), (ADJTIMEX,), (SYSLOG, 10),
                                       (UNSHARE, 1 << 28), (IO_URING_SETUP, 1), (BPF,), (USERFAULTFD,), (PERF_EVENT_OPEN,),
                                       (ADD_KEY,), (INIT_MODULE,), (REBOOT,), (CLOCK_SETTIME,)):
                self.denied(number, *arguments)
            self.assertIn(self.do("make", path=f"{self.folder}/odd"), ("EACCES", "EPERM"))
            self.assertIn("CapBnd:\t0000000000000000", self.do("rights"))

    def test_S4_changes_metadata_outside_of_its_grants(self):
        other = self.folder / "other"
        other.write_text("text")
        (self.folder / "granted").mkdir()
        self.begin(f'permissions.read = ["{self.folder}"]\npermissions.write = ["{self.folder}/granted"]')
        before = other.stat()
        for tool in ("chmod", "fchmod", "utime", "futime"):
            self.assertEqual(self.do(tool, path=str(other)), "EPERM", tool)
        self.assertEqual((before.st_mode, before.st_mtime_ns), (other.stat().st_mode, other.stat().st_mtime_ns))

    def test_S5_forges_and_floods_the_log(self):
        self.begin()
        self.do("shout")
        self.server.logged(r" info plugin p: plugin good: forged\\x0d\\x1b\[2J$")
        self.do("crash")
        self.server.logged(r" warning plugin p: (\d+) lines of its log are left out$")
        self.assertLess(sum(" plugin p: line " in line for line in self.server.log if line), 1_001)

    def test_S6_takes_more_memory_and_processes_than_it_may(self):
        self.begin("permissions.memory_bytes_max = 268435456\npermissions.threads_max = 64")
        self.denied(MEMFD_CREATE)
        self.assertEqual(self.do("fork"), "EPERM")
        self.assertEqual(self.do("eat_memory"), "ENOMEM")

    def test_S7_reaches_the_admin_socket(self):
        self.begin("permissions.network = true")
        self.denied(SOCKET, 1, 1)

    def test_own_system_calls_at_random(self):
        """Whatever a worker asks of the kernel, the host serves."""
        seed = int(os.environ.get("COLLET_ATTACK_SEED", time.time_ns() % 1_000_000))
        chance = random.Random(seed)
        self.begin()
        # Not those that do what is allowed and never return, or end the worker's own descriptors one by one for long.
        endless = {34, 130, 35, 230, 7, 23, 270, 271, 232, 281, 202, 449, 0, 19, 295, 45, 47, 299, 61, 247, 128, 15, 13, 14}
        end = time.monotonic() + float(os.environ.get("COLLET_ATTACK_SECONDS", 10))
        while time.monotonic() < end:
            number = chance.randrange(CALLS)
            if number in endless:
                continue
            arguments = [chance.choice((0, 1, 2, 3, -1, 8, 4096, 1 << 31, self.server._process.pid)) for _ in range(6)]
            if "quarantine" in self.do("raw", call=[number, *arguments]):
                self.server.kill()
                self.begin()
            self.assertTrue(self.server.is_alive(), f"seed {seed}")


if platform.machine() != "x86_64":
    del Workers  # the numbers of system calls are another machine's

if __name__ == "__main__":
    main()

"""The checks of tests/machine/run, inside of its machine, which is nobody else's."""
import contextlib
import functools
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time
import traceback
import urllib.request
from pathlib import Path

DISK = Path("/mnt")
BUILD = Path((DISK / "where").read_text())
COLLET = BUILD / "bin/collet"
GROUPS = Path("/sys/fs/cgroup")
WITHIN_S = 120  # far more than anything takes
MEMORY, THREADS = 256 << 20, 20
BESIDE = 2  # processes that stand beside a worker
PORT = 8765
RUN_OUT = f"as it had used the {MEMORY} bytes of plugin.eater.permissions.memory_bytes_max"
IS_UP = re.compile(r"listening on http")


def until(condition, what):
    """Its value as soon as that is true."""
    end = time.monotonic() + WITHIN_S
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {WITHIN_S} s: {what() if callable(what) else what}"
        time.sleep(0.02)
    return value


def same(got, wanted):
    assert got == wanted, f"{got!r}, and not {wanted!r}"


def holds(text, part):
    assert part in text, f"{part!r} is not in:\n{text}"


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, **options)


def done(*command, **options):
    ran = run(*command, **options)
    assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
    return ran.stdout.strip()


def paths(all_of_them):
    return json.dumps([str(each) for each in all_of_them])


class Person:
    def __init__(self, name):
        self.name = name
        if name != "root":
            done("useradd", "--create-home", name)
        self.number = pwd.getpwnam(name).pw_uid
        self.folder = self.made(f"/srv/{name}")           # on a disk
        self.memory = self.made(f"/dev/shm/{name}")       # a tmpfs

    def made(self, folder):
        Path(folder).mkdir(mode=0o755)
        os.chown(folder, self.number, self.number)
        return Path(folder)

    def config(self, cgroup="auto", keys="", grants=(), read=()):
        file = self.folder / "collet.toml"
        file.write_text(f'[server]\nlisten = ["http://127.0.0.1:{PORT}"]\n[plugins]\npaths = []\ncgroup = "{cgroup}"\n'
                        f'[plugin.eater]\nlibrary = "{DISK}/eater.so"\nplacement = "worker"\n{keys}\n'
                        f"permissions.memory_bytes_max = {MEMORY}\npermissions.threads_max = {THREADS}\n"
                        f"permissions.exec = true\npermissions.read = {paths(read)}\npermissions.write = {paths(grants)}\n")
        return file


class Service:
    """One of systemd's, whose host answers while it runs."""

    def __init__(self, name, person, delegate=True, users_own=False):
        self.name, self.person, self.delegate, self.users_own = name, person, delegate, users_own
        self.log_file = person.folder / "log"
        self.unit = Path(f"/run/systemd/{'user' if users_own else 'system'}/{name}.service")
        of_user = f"user.slice/user-{person.number}.slice/user@{person.number}.service/app.slice"
        self.group = GROUPS / (of_user if users_own else "system.slice") / f"{name}.service"

    def manager(self, *words):
        if not self.users_own:
            return done("systemctl", *words)
        return done("runuser", "-u", self.person.name, "--", "env", f"XDG_RUNTIME_DIR=/run/user/{self.person.number}",
                    "systemctl", "--user", *words)

    def configure(self, **options):
        if self.users_own:
            options["cgroup"] = self.group  # which a user's service manager does not mark as delegated
        return self.person.config(**options)

    @contextlib.contextmanager
    def running(self, command=None, lines="", **options):
        config = self.configure(**options)
        self.unit.parent.mkdir(exist_ok=True)
        self.unit.write_text("[Unit]\nStartLimitIntervalSec=0\n"
                             f"[Service]\nExecStart={command or f'{COLLET} serve --config {config}'}\n"
                             f"ExecReload=/bin/sh -c 'kill -HUP $MAINPID'\nRestart=on-failure\nRestartSec=0\n"
                             f"StandardError=append:{self.log_file}\n"
                             + ("Delegate=yes\n" if self.delegate else "") +
                             ("" if self.users_own else f"User={self.person.name}\n") + lines)
        self.log_file.write_text("")
        os.chown(self.log_file, self.person.number, self.person.number)
        self.manager("daemon-reload")
        self.manager("start", self.name)
        try:
            until(lambda: IS_UP.search(self.log()), self.log)
            yield self
        except Exception:
            print(f"the log of {self.name}:\n{self.log()}")
            raise
        finally:
            self.manager("stop", self.name)
            self.unit.unlink()

    def log(self):
        return self.log_file.read_text()

    def host(self):
        return int(self.manager("show", "--property=MainPID", "--value", self.name))

    def workers(self):
        """The groups of its workers."""
        return sorted(self.group.glob("worker-*"))

    def worker(self):
        [only] = self.workers()
        return only


def call(tool, count=0, mib=0, path=""):
    """The text that it answers with, or the error."""
    order = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
             "params": {"name": tool, "arguments": {"count": count, "mib": mib, "path": str(path)}}}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/mcp", json.dumps(order, separators=(",", ":")).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
        said = json.load(answer)
    return said["error"]["message"] if "error" in said else said["result"]["content"][0]["text"]


def number(group, file, key=None):
    text = (group / file).read_text()
    return int(text if key is None else dict(line.split() for line in text.splitlines())[key])


def has_a_group(service):
    """its worker is in a group of its own, with limits for memory and pids"""
    with service.running():
        same(call("ready"), "ready")
        group = service.worker()
        same(number(group, "memory.max"), MEMORY)
        same(number(group, "memory.oom.group"), 1)
        same(number(group, "pids.max"), THREADS + BESIDE)
        assert number(group, "pids.current") > BESIDE
        holds(Path(f"/proc/{service.host()}/cgroup").read_text(), f"0::/{(service.group / 'host').relative_to(GROUPS)}\n")
        assert "does not confine" not in service.log(), service.log()
    assert not service.group.exists()


def runs_out(service, tool, grants=(), **order):
    """The worker ends and is started again in another group; the host goes on and says why."""
    with service.running(grants=grants):
        host, group = service.host(), service.worker()
        answer = call(tool, **order)
        holds(answer, RUN_OUT)
        holds(service.log(), RUN_OUT)
        until(lambda: call("ready") == "ready", lambda: call("ready"))
        same(service.host(), host)
        assert not group.exists() and service.worker() != group
        print(f"  {answer}")


def ends_of_shared_memory(service):
    """memory.max ends a worker for shared memory: a file of a tmpfs"""
    runs_out(service, "fill_file", grants=[service.person.memory], mib=400, path=service.person.memory / "file")
    (service.person.memory / "file").unlink()


def ends_of_shared_mappings(service):
    """memory.max ends a worker for shared memory: mappings of its children"""
    runs_out(service, "fill_shared", count=8, mib=50)


def ends_of_all_processes(service):
    """memory.max ends a worker for the private memory of its children"""
    runs_out(service, "fill_private", count=8, mib=50)


def keeps_pages_of_files(service):
    """memory.max bounds the pages of files of a disk, which ends nothing"""
    with service.running(grants=[service.person.folder]):
        group = service.worker()
        same(call("fill_file", mib=600, path=service.person.folder / "file"), "0")
        used, of_files = number(group, "memory.current"), number(group, "memory.stat", "file")
        assert MEMORY // 4 < of_files <= used <= MEMORY, (of_files, used)
        assert number(group, "memory.events", "max") > 0
        same(number(group, "memory.events", "oom_kill"), 0)
        print(f"  memory.current {used}, of which file {of_files}, after 600 MiB were written")
    (service.person.folder / "file").unlink()


def bounds_processes(service):
    """pids.max bounds the threads and processes of a worker together"""
    for tool in "start_processes", "start_threads":
        with service.running():
            group, answer = service.worker(), call(tool, count=100)
            holds(answer, "EAGAIN")
            most = THREADS + BESIDE
            assert most - 1 <= number(group, "pids.current") <= most, number(group, "pids.current")
            print(f"  {tool}: {answer}; pids.current {number(group, 'pids.current')}, pids.max {most}")


def truncates_nothing(service):
    """a kernel whose Landlock knows of no truncation lacks nothing for it, as what may be read is read-only"""
    file = service.person.folder / "read"
    file.write_text("text")
    os.chown(file, service.person.number, service.person.number)
    with service.running(keys="require_sandbox = true", read=[file]):
        assert "plugin eater" not in service.log(), service.log()
        said = call("empty_file", path=file)
        same(said, "EACCES, read-only")
        same(file.read_text(), "text")
        print("  " + service.log().splitlines()[-1])


def starts_again(service):
    """a host that was killed with -9 is started again, and has the groups of none but its own worker"""
    with service.running():
        host, group = service.host(), service.worker()
        service.log_file.write_text("")
        os.kill(host, signal.SIGKILL)
        until(lambda: IS_UP.search(service.log()), service.log)
        assert service.host() != host
        same(call("ready"), "ready")
        assert not group.exists() and service.worker() != group


def reloads(service):
    """it can be reloaded, by a process that systemd puts beside it"""
    with service.running():
        group = service.worker()
        service.configure(keys="config = { changed = true }")
        service.manager("reload", service.name)
        until(lambda: len(service.workers()) == 1 and service.worker() != group, service.log)
        same(call("ready"), "ready")


def divides_control_groups():
    """the control groups' own tests"""
    tested = run(BUILD / "bin/test_worker", "--filenames-as-tags", "[#control_group_test]")
    print("  " + tested.stdout.strip().replace("\n", "\n  "))
    same(tested.returncode, 0)
    assert "not tested" not in tested.stdout and "All tests passed" in tested.stdout


def removes_what_is_left(root):
    """the groups of a host that was killed with -9 are removed by the next one in the folder that is named"""
    folder = GROUPS / "collet-checks"
    folder.mkdir()
    config, log = root.config(cgroup=folder), root.folder / "log"

    def start():
        log.write_text("")
        with log.open("a") as to:
            host = subprocess.Popen([COLLET, "serve", "--config", config], stderr=to)
        until(lambda: IS_UP.search(log.read_text()), log.read_text)
        return host, list(folder.glob("worker-*"))

    killed, [left] = start()
    killed.kill()
    killed.wait()
    assert left.exists()
    until(lambda: number(left, "cgroup.events", "populated") == 0, "the worker ends with its host")
    following, [own] = start()
    assert not left.exists() and own != left
    print(f"  {left.name} was left, {own.name} is there instead")
    following.terminate()
    same(following.wait(WITHIN_S), 0)
    assert not own.exists()
    folder.rmdir()


def counts_where_no_user_is_its_own(root):
    """pids.max alone bounds a worker that has to stay root, which then lacks no threads_max"""
    with Service("collet-root", root).running(grants=[root.memory]) as service:
        group = service.worker()
        print(f"  {call('start_processes', count=100)}, pids.current {number(group, 'pids.current')}")
        same(number(group, "pids.current"), THREADS + BESIDE)
        assert number(group, "pids.events", "max") > 0
        [said] = [line for line in service.log().splitlines() if "does not confine" in line]
        holds(said, "a user of its own (")
        assert "threads_max" not in said, said
        print(f"  {said}")


def is_refused(service, said, **options):
    """With require_sandbox it is not served, and without it what is missing is in the log."""
    with service.running(keys="require_sandbox = true", **options):
        holds(service.log(), "require_sandbox is set, and this system cannot enforce ")
        holds(service.log(), said)
        print("  " + next(line for line in service.log().splitlines() if "require_sandbox" in line))
        assert call("ready") != "ready"
    with service.running(**options):
        same(call("ready"), "ready")
        holds(next(line for line in service.log().splitlines() if "does not confine" in line), said)
        same(service.workers(), [])


def needs_a_group(root):
    """without Delegate=yes, a worker that has to stay root lacks threads_max"""
    is_refused(Service("collet-plain", root, delegate=False), "threads_max", grants=[root.memory])


def names_what_is_not_its_own(ada):
    """without Delegate=yes, a folder that is named and cannot be divided is what is missing"""
    service = Service("collet-plain", ada, delegate=False)
    is_refused(service, f"control groups (cannot divide {service.group}: Permission denied)", cgroup=service.group)


def names_what_is_read_only(root):
    """with ProtectControlGroups=yes likewise"""
    service = Service("collet-root", root)
    is_refused(service, f"control groups (cannot divide {service.group}: Read-only file system)", cgroup=service.group,
               lines="ProtectControlGroups=yes\n")


def goes_on_without(root):
    """without Delegate=yes, "auto" makes no groups, and require_sandbox asks for none"""
    with Service("collet-plain", root, delegate=False).running(keys="require_sandbox = true") as service:
        same(call("ready"), "ready")
        same(service.workers(), [])
        assert "control group" not in service.log(), service.log()


def is_not_alone(root):
    """a host that shares its delegated group says so, and serves on"""
    command = f"/bin/sh -c 'sleep infinity & exec {COLLET} serve --config {root.folder}/collet.toml'"
    with Service("collet-root", root).running(command=command) as service:
        same(call("ready"), "ready")
        holds(service.log(), f"workers have no control groups: cannot divide {service.group}: this process is not alone in it")
        same(service.workers(), [])


EACH_SERVICE = [has_a_group, ends_of_shared_memory, ends_of_shared_mappings, ends_of_all_processes, keeps_pages_of_files,
                bounds_processes, truncates_nothing, starts_again, reloads]


def main():
    BUILD.mkdir(parents=True)
    done("mount", "--bind", DISK / "build", BUILD)
    root, ada = Person("root"), Person("ada")
    done("loginctl", "enable-linger", "ada")
    until(lambda: Path(f"/run/user/{ada.number}/systemd/private").exists(), "ada's service manager")
    kinds = {"a service of root's": Service("collet-root", root), "a service with User=": Service("collet-ada", ada),
             "a user's service": Service("collet-own", ada, users_own=True)}
    checks = [(divides_control_groups.__doc__, divides_control_groups)]
    for kind, service in kinds.items():
        checks += [(f"{kind}: {each.__doc__}", functools.partial(each, service)) for each in EACH_SERVICE]
    for each, person in ((removes_what_is_left, root), (counts_where_no_user_is_its_own, root), (needs_a_group, root),
                         (names_what_is_not_its_own, ada), (names_what_is_read_only, root), (goes_on_without, root),
                         (is_not_alone, root)):
        checks.append((each.__doc__, functools.partial(each, person)))
    failed = 0
    wanted = (DISK / "wanted").read_text()
    checks = [(name, each) for name, each in checks if re.search(wanted, name)]
    assert checks, f"no check has a name that matches {wanted}"
    for name, each in checks:
        began = time.monotonic()
        try:
            each()
            print(f"ok {name} ({time.monotonic() - began:.1f} s)")
        except Exception as failure:
            traceback.print_exc(file=sys.stdout)
            print(f"FAILED {name}: {failure}")
            failed += 1
        sys.stdout.flush()
    print(f"{failed} checks have FAILED" if failed else "all checks are ok")
    sys.stdout.flush()


main()

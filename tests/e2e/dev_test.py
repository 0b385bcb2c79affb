"""The developer's loop: build, reload, call, at every change of a source."""
import http.client
import os
import signal
import subprocess
from pathlib import Path

from peer import BUILD, COLLET, TIMEOUT_S, Case, call, hostile, main, until


class Dev(Case):
    def start(self, *arguments):
        sources = self.folder / "sources"
        (sources / "deep").mkdir(parents=True)
        (sources / "which").write_text("versioned_1")
        # Stands for a compiler: the source names the library that comes out.
        command = (f"mkdir -p build/plugins && cp {BUILD}/tests/modules/$(cat which).so build/plugins/next && "
                   "mv build/plugins/next build/plugins/p.so")
        self.run_dev(sources, command, *arguments)
        (sources / "build").mkdir(exist_ok=True)
        (sources / "build/CMakeCache.txt").touch()  # so that it counts as no folder of sources
        return sources

    def run_dev(self, sources, command, *arguments):
        self.log = open(self.folder / "log", "wb")
        self.addCleanup(self.log.close)
        self.process = subprocess.Popen([COLLET, "dev", sources, "--build", command, *arguments],
                                        stdout=subprocess.PIPE, stderr=self.log)
        self.addCleanup(self.end)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def waits(self, count):
        until(lambda: (self.folder / "log").read_text().count("waiting for a change") >= count)

    def test_each_change_is_built_loaded_and_called(self):
        sources = self.start("--call", "which")
        self.assertEqual(self.process.stdout.readline(), b"1\n")
        self.waits(1)
        (sources / "which").write_text("versioned_2")
        self.assertEqual(self.process.stdout.readline(), b"2\n")
        self.waits(2)
        (sources / "which").write_text("no_such_build")  # the build fails: what is there stays
        self.waits(3)
        (sources / "which").write_text("hostile_create_crashes")  # the build does not load: likewise
        self.assertEqual(self.process.stdout.readline(), b"2\n")
        self.waits(4)
        self.assertIn("crashed with SIGSEGV", (self.folder / "log").read_text())
        (sources / "deep/other").touch()
        self.waits(5)
        (sources / "which").write_text("versioned_extra")
        until(lambda: self.process.stdout.readline() == b"3\n")
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(TIMEOUT_S), 0)

    def test_it_ends_while_a_build_runs_and_takes_that_along(self):
        sources = self.folder / "sources"
        sources.mkdir()
        begun = self.folder / "begun"
        self.run_dev(sources, f"sh -c 'echo $$ > {begun}.new; mv {begun}.new {begun}; exec sleep 1000'")
        until(begun.exists)
        pid = int(begun.read_text())
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(TIMEOUT_S), 0)
        until(lambda: not Path(f"/proc/{pid}").exists())

    def test_a_debugger_finds_the_copy_that_is_mapped(self):
        sources = self.start("--call", "which")
        self.process.stdout.readline()
        self.waits(1)
        (sources / "which").write_text("versioned_2")
        self.process.stdout.readline()
        maps = Path(f"/proc/{self.process.pid}/maps")

        def copies():
            return {line.split(maxsplit=5)[5] for line in maps.read_text().splitlines() if "-p.so" in line}

        # One, when the old one is gone, and not "(deleted)": the file with its symbols is there.
        until(lambda: len(copies()) == 1 and all(os.path.exists(copy) for copy in copies()))


class Debugging(Case):
    """The debug host, which `collet dev` is."""
    run_dev, end = Dev.run_dev, Dev.end

    def test_the_log_says_what_a_plugin_does_wrong(self):
        for placement in ("in-process", "worker"):
            with self.subTest(placement=placement):
                server = self.serve(text=f'[plugins]\ndebug = true\n[plugin.p]\nlibrary = "{hostile("result")}"\n'
                                         f'placement = "{placement}"\n')
                for _ in range(3):
                    server.post(call(1, "misbehave"))
                server.logged(r"warning plugin p: add_text\(\) has returned COLLET_E_LIMIT \(-3\): it is too large")
                lines = server.all_logged(r"plugin p: complete\(\) has returned COLLET_E_STALE \(-2\): the id names nothing", 3)
                self.assertTrue(lines[2].string.endswith("; more of these are not said"))
                server.signal(signal.SIGTERM)
                self.assertEqual(server.wait(), 0)
                self.assertEqual(len([line for line in server.log if line and "complete() has returned" in line]), 3)
                server.kill()

    def test_the_log_says_what_a_route_does_wrong_and_not_what_is_usual(self):
        for placement in ("in-process", "worker"):
            with self.subTest(placement=placement):
                server = self.serve(text=f'[plugins]\ndebug = true\n[plugin.p]\nlibrary = "{BUILD}/tests/modules/web.so"\n'
                                         f'placement = "{placement}"\n')
                for method, page in (("GET", "wrong"), ("PUT", "unstreamed"), ("PUT", "loop"), ("PUT", "upload")):
                    asked = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
                    asked.putrequest(method, f"/plugins/p/{page}", skip_host=True)
                    asked.putheader("Host", "localhost")
                    asked.putheader("Content-Length", "1" if method == "PUT" else "0")
                    asked.endheaders()
                    if page == "loop":  # which does not wait for the body, or for ever
                        server.logged(r"warning plugin p: wait_for_body\(\) has returned COLLET_E_STATE \(-4\): not now")
                    if method == "PUT":
                        asked.send(b"x")
                    self.assertEqual(asked.getresponse().status, 200)
                    asked.close()
                server.logged(r"warning plugin p: write\(\) has returned COLLET_E_STATE \(-4\): not now")
                server.logged(r"warning plugin p: respond\(\) has returned COLLET_E_INVALID \(-1\)")
                server.logged(r"warning plugin p: read_body\(\) has returned COLLET_E_UNSUPPORTED \(-6\)")
                server.signal(signal.SIGTERM)
                self.assertEqual(server.wait(), 0)
                self.assertFalse([line for line in server.log if line and "read_body() has returned COLLET_E_STATE" in line])
                server.kill()

    def test_it_says_nothing_unasked(self):
        server = self.serve(p=hostile("result"))
        server.post(call(1, "misbehave"))
        server.signal(signal.SIGTERM)
        server.wait()
        self.assertFalse([line for line in server.log if line and "has returned" in line])

    def test_dev_is_a_debug_host(self):
        sources = self.folder / "sources"
        sources.mkdir()
        self.run_dev(sources, f"mkdir -p build/plugins && cp {hostile('result')} build/plugins/p.so", "--call", "misbehave")
        until(lambda: "complete() has returned COLLET_E_STALE" in (self.folder / "log").read_text())


main()

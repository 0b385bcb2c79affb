#!/usr/bin/env python3
"""usage: run.py BUILD [--seconds N] [--only PATTERN]

Attacks the host as tests/attack/*_attack.py do, as root, where it is root, and as the user nobody. Prints for each what
was tried and whether it held; those at random go on for a share of N seconds (60). Exits with 1 if anything broke.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
RANDOM_ATTACKS = 3
NOBODY = 65534


class Judgement(unittest.TestResult):
    def __init__(self, who):
        super().__init__()
        self.who = who

    def tell(self, verdict, test, why=""):
        name = test.id().split(".", 1)[1].replace("test_", "").replace("_", " ")
        print(f"{self.who:7}{verdict:7}{name}" + (f"\n{why}" if why else ""), flush=True)

    def addSuccess(self, test):
        self.tell("held", test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.tell("BROKE", test, self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.tell("BROKE", test, self.errors[-1][1])

    def addSubTest(self, test, subtest, error):
        if error:
            self.addFailure(test, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell("-", test, f"       {reason}")


def attack(build, pattern):
    """All that are there, in this process."""
    sys.argv = [sys.argv[0], build]  # for peer.py
    sys.path.insert(0, str(HERE))
    loader = unittest.TestLoader()
    if pattern:
        loader.testNamePatterns = [f"*{pattern}*"]
    suite = unittest.TestSuite(loader.loadTestsFromName(path.stem) for path in sorted(HERE.glob("*_attack.py")))
    result = Judgement("root" if os.geteuid() == 0 else "user")
    suite.run(result)
    broken = len(result.failures) + len(result.errors)
    print(f"{result.who}: {result.testsRun - len(result.skipped)} tried, "
          f"{result.testsRun - len(result.skipped) - broken} held, {broken} broken")
    return broken


def as_nobody(arguments):
    """The same, in a process that has given up all that is root's."""
    def become():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)

    with tempfile.TemporaryDirectory() as home:
        os.chown(home, NOBODY, NOBODY)
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, "PYTHONDONTWRITEBYTECODE": "1",
                       "COLLET_ATTACK_SECONDS": os.environ["COLLET_ATTACK_SECONDS"]}
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable  # not one of root's own
        options = {"preexec_fn": become, "env": environment, "cwd": "/"}
        collet = Path(arguments[0], "bin/collet")
        for needed in ([python, "-c", "import unittest"], [collet, "--version"], ["test", "-r", __file__]):
            try:
                subprocess.run(needed, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
            except (OSError, subprocess.CalledProcessError):
                print(f"user: nothing tried, since the user nobody cannot use {needed[0] if needed[0] != 'test' else __file__}")
                return 0
        return subprocess.run([python, __file__, *arguments], **options).returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    arguments = [build, "--seconds", str(options.seconds), "--only", options.only]
    passes = 2 if os.geteuid() == 0 else 1
    os.environ.setdefault("COLLET_ATTACK_SECONDS", str(options.seconds / RANDOM_ATTACKS / passes))
    broken = attack(build, options.only) > 0
    if os.geteuid() == 0:
        broken |= as_nobody(arguments) != 0
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

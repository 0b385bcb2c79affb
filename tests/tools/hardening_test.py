#!/usr/bin/env python3
"""usage: hardening_test.py BINARY…: what tools/cmake/hardening.cmake asks for is in each executable or plugin."""

import pathlib
import re
import subprocess
import sys
import unittest


def readelf(binary, *what):
    return subprocess.run(["readelf", "--wide", *what, binary], capture_output=True, text=True, check=True).stdout


class Hardening(unittest.TestCase):
    binaries = []

    def of_each(self, check, *what):
        for binary in self.binaries:
            with self.subTest(binary.name):
                check(binary, readelf(binary, *what))

    def test_it_is_loaded_anywhere(self):
        def check(binary, printed):
            self.assertRegex(printed, r"Type:\s+DYN")
            if not binary.suffix:
                self.assertRegex(printed, r"FLAGS_1.*\bPIE\b")

        self.of_each(check, "--file-header", "--dynamic")

    def test_its_tables_are_read_only_once_it_runs(self):
        def check(_, printed):
            self.assertIn("GNU_RELRO", printed)
            self.assertRegex(printed, r"FLAGS.*\b(BIND_)?NOW\b")

        self.of_each(check, "--program-headers", "--dynamic")

    def test_nothing_is_written_and_run(self):
        def check(_, printed):
            flags = re.findall(r"^ *(?:LOAD|GNU_STACK)(?: +0x\w+){5} ([RWE ]{3})", printed, re.MULTILINE)
            self.assertGreater(len(flags), 2, printed)
            self.assertFalse([each for each in flags if "W" in each and "E" in each])

        self.of_each(check, "--program-headers")

    def test_a_jump_to_what_is_no_function_can_be_told(self):
        """By the marks where functions begin. Whether the process is held to them is up to the C library, whose part of
        the binary has none in Debian 12."""
        marks = {"X86-64": b"\xf3\x0f\x1e\xfa", "AArch64": b"\x5f\x24\x03\xd5"}

        def check(binary, printed):
            for machine, mark in marks.items():
                if machine in printed:
                    self.assertGreater(binary.read_bytes().count(mark), 3)

        self.of_each(check, "--file-header")

    def test_overruns_and_bad_indices_end_it(self):
        """Of the host only: a small plugin may have nothing to guard."""
        printed = readelf(self.binaries[0], "--dyn-syms")
        for guard in ("__stack_chk_fail", "__memcpy_chk", "__glibcxx_assert_fail"):
            self.assertIn(guard, printed)


if __name__ == "__main__":
    Hardening.binaries = [pathlib.Path(each) for each in sys.argv[1:]]
    unittest.main(argv=sys.argv[:1])

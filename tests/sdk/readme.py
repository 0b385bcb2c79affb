#!/usr/bin/env python3
"""Builds every snippet of sdk/README.md against the installed SDK.

usage: readme.py SOURCE_DIR BUILD_DIR WORK_DIR

A block with a file name ("```cpp math.cc") is written to that file, and the folder built as the README says. Another block
that holds a whole plugin is compiled and linked; a fragment is compiled as statements in a plugin's body.
"""
import pathlib
import re
import shutil
import subprocess
import sys

source, build, work = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
COMPILERS = {"c": ["cc", "-std=c99"], "cpp": ["c++", "-std=c++20"]}
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def run(*command, **options):
    result = subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)
    if result.returncode != 0:
        sys.exit(f"FAILED: {' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


shutil.rmtree(work, ignore_errors=True)
project = work / "project"
project.mkdir(parents=True)
prefix = work / "prefix"
run("cmake", "--install", build, "--component", "sdk", "--prefix", prefix)


def flags(kind):
    package = prefix / "share/pkgconfig/collet.pc"
    return run("pkg-config", kind, package).split()


text = (source / "sdk/README.md").read_text()
blocks = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", text, re.M | re.S)
built = 0
for number, (language, name, code) in enumerate(blocks):
    if name:
        (project / name).write_text(code)
    if language not in COMPILERS:
        continue
    suffix = "c" if language == "c" else "cc"
    file = work / f"{number}.{suffix}"
    whole = "#include" in code
    file.write_text(code if whole else f"#include <collet/plugin.hpp>\nvoid body(collet::Plugin& plugin) {{\n{code}}}\n")
    command = [*COMPILERS[language], *WARNINGS, *flags("--cflags"), file]
    if whole:
        run(*command, *flags("--libs"), "-o", work / f"{number}.so")
    else:
        run(*command, "-fsyntax-only")
    built += 1
if built < 10:
    sys.exit(f"FAILED: only {built} snippets were found")

run("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
run("cmake", "--build", project / "build")
if not (project / "build/plugins/math.so").is_file():
    sys.exit("FAILED: the first plugin is not where the README says")

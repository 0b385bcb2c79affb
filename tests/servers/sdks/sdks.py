"""Servers made with the SDKs of several languages, each with the tools `shout` and `add`. They are fetched by their lock files and
built into the build folder once; one whose tools are not on this machine, or that cannot be fetched, is None."""
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PREPARED_BY = time.monotonic() + 900  # what is not fetched and built by then is left out, and goes on at the next run


def run(*command, cwd=HERE, **environment):
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, env=os.environ | environment,
                   timeout=max(1, PREPARED_BY - time.monotonic()))


def cached(built, sources, build):
    """Calls build() unless `built` has been made of the same sources."""
    mark = built.parent / f"{built.name}.made-of"
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if not (built.exists() and mark.exists() and mark.read_text() == digest):
        built.parent.mkdir(parents=True, exist_ok=True)
        build()
        mark.write_text(digest)
    return built


def python(name):
    def prepare(folder):
        if not importlib.util.find_spec("ensurepip"):  # Debian has it in a package of its own
            return None
        lock = HERE / f"{name}.txt"
        environment = folder / name

        def build():
            run(sys.executable, "-m", "venv", "--clear", environment)
            run(environment / "bin/pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", lock)

        return [str(cached(environment, [lock], build) / "bin/python"), str(HERE / f"{name}.py")]
    return prepare


def typescript(name):
    def prepare(_):
        if not shutil.which("npm"):
            return None
        modules, lock = HERE.parent / "node_modules", HERE.parent / "package-lock.json"
        installed = modules / ".package-lock.json"  # as tests/servers/run has it
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=HERE.parent)
        return [str(modules / ".bin/node"), str(HERE / f"{name}.mjs")]
    return prepare


def go(name):
    def prepare(folder):
        if not shutil.which("go"):
            return None
        source = HERE / name
        return [str(cached(folder / name, [source / "main.go", source / "go.mod", source / "go.sum"],
                           lambda: run("go", "build", "-o", folder / name, ".", cwd=source)))]
    return prepare


def rust(name):
    def prepare(folder):
        if not shutil.which("cargo"):
            return None
        source, target = HERE / name, folder / "rust"
        return [str(cached(target / "debug" / name, [source / "src/main.rs", source / "Cargo.toml", source / "Cargo.lock"],
                           lambda: run("cargo", "build", "--quiet", "--locked", cwd=source, CARGO_TARGET_DIR=str(target))))]
    return prepare


def java(name):
    def prepare(folder):
        if not (shutil.which("mvn") and shutil.which("javac")):
            return None
        source, built = HERE / name, folder / name

        def build():
            run("mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={built}/lib", cwd=source)
            run("javac", "-nowarn", "-cp", f"{built}/lib/*", "-d", built, "Main.java", cwd=source)

        cached(built, [source / "Main.java", source / "pom.xml"], build)
        return ["java", "-cp", f"{built}:{built}/lib/*", "Main"]
    return prepare


# How to prepare each, and whether it serves Streamable HTTP if it is given a port.
SDKS = {
    "python_1": (python("python_1"), True),
    "python_2": (python("python_2"), True),
    "fastmcp_4": (python("fastmcp_4"), True),
    "typescript_1": (typescript("typescript_1"), True),
    "typescript_2": (typescript("typescript_2"), True),
    "go_official": (go("go_official"), True),
    "go_mark3labs": (go("go_mark3labs"), True),
    "java_2": (java("java_2"), False),
    "rmcp_0_8": (rust("rmcp_0_8"), False),
    "rmcp_0_16": (rust("rmcp_0_16"), False),
    "rmcp_1_8": (rust("rmcp_1_8"), False),
}


def commands(folder):
    """How each is started over stdio; None for those that are left out."""
    def prepare(name):
        try:
            return SDKS[name][0](folder)
        except subprocess.SubprocessError as failure:
            print(f"{name} is left out: {failure}", file=sys.stderr)
            return None
    return {name: prepare(name) for name in SDKS}

#!/usr/bin/env python3
"""Measures how long it takes from a settled file to the new tool being served, and to what the copy and the trial come.

usage: latency.py BUILD_DIR [ROUNDS]

A file that is replaced is settled when nothing has happened to it for 50 ms (kSettleMs): that much is taken off.
"""
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
sys.argv[1:] = [str(BUILD)]
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from peer import Case, Server, call, text_of  # noqa: E402

SETTLE_MS = 50
TARGET_MS = 10


def main():
    case = Case()
    case.setUp()
    folder = case.folder / "plugins"
    folder.mkdir()
    library = folder / "p.so"

    def install(version):
        shutil.copy(BUILD / f"tests/modules/versioned_{version}.so", case.folder / "next")
        os.rename(case.folder / "next", library)

    install(1)
    (case.folder / "c.toml").write_text('[plugins]\npaths = ["plugins"]\nreload = "watch"\n')
    server = Server(case.folder / "c.toml", ["http://127.0.0.1:0"])
    times = []
    try:
        with server.connect() as connection:
            for i in range(ROUNDS):
                version = str(2 - i % 2)
                install(version)
                begin = time.monotonic()
                while text_of(connection.ask(call(1, "which")).message) != version:
                    pass
                times.append((time.monotonic() - begin) * 1000 - SETTLE_MS)
    finally:
        server.kill()
        case.doCleanups()
    times.sort()
    p50 = statistics.median(times)
    print(f"settled file to served: p50 {p50:.1f} ms, p90 {times[int(len(times) * 0.9)]:.1f} ms "
          f"(target: p50 <= {TARGET_MS} ms)")
    return 0 if p50 <= TARGET_MS else 1


sys.exit(main())

#!/usr/bin/env python3
"""Checks what the compiler cannot: who may include whom, how long a file may be, and what no file may be called.

usage: tools/check_layers.py [ROOT]

Prints a line for each offence and exits with 1 if there is one.
"""

import pathlib
import re
import sys

# Each module of host/ and the modules it may include. The table of host/ARCHITECTURE.md, with nothing implied.
MAY_INCLUDE = {
    "base": [],
    "loop": ["base"],
    "mcp": ["base"],
    "schema": ["base"],
    "store": ["base"],
    "transport": ["base", "loop"],
    "fetch": ["base", "loop"],
    "registry": ["base", "loop", "mcp", "schema"],
    "rpc": ["base", "mcp"],
    "config": ["base", "registry", "transport"],
    "protocol": ["base", "loop", "mcp", "registry", "rpc", "schema", "store", "transport"],
    "plugin": ["base", "fetch", "loop", "mcp", "registry", "schema", "store"],
    "foreign": ["base", "config"],
    "worker": ["base", "fetch", "loop", "mcp", "plugin", "registry", "store"],
    "service": ["base", "config", "foreign", "loop", "mcp", "plugin", "protocol", "registry", "store", "transport", "worker"],
    "cli": ["base", "config", "foreign", "loop", "mcp", "plugin", "protocol", "registry", "schema", "service", "transport",
            "worker"],
}
# Each room of plugins/client and the rooms that it may include, as its README.md has them. Headers outside of the rooms
# are for all of them.
ROOMS = {
    "net": [],
    "mcp": ["net"],
    "auth": ["net"],
    "offer": ["mcp", "net"],
    "remote": ["auth", "mcp", "net", "offer"],
}
# What of the SDK everybody may know, and it knows nothing itself.
KIT_HEADERS = re.compile(r"collet/kit/\w+\.hpp")
# What else of it the host may know, the ABI and its extensions, and the modules that may know it.
SDK_HEADERS = re.compile(r"collet/(plugin|ext/(draft/)?\w+)\.h")
SDK_MODULES = ("plugin", "worker")

LINES_MAX = 750
BANNED_WORDS = {"manager", "helper", "helpers", "util", "utils", "common", "misc"}

FOLDERS = ["host", "sdk", "plugins", "tests", "tools"]
GENERATED = {"node_modules", "package-lock.json", "__pycache__"}
CPP = {".c", ".cc", ".cpp", ".h", ".hpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
RAW_STRING = re.compile(r'R"\((.*?)\)"', re.DOTALL)  # whose text is no code of the file


def files_below(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if path.is_file() and not GENERATED & set(relative.parts):
                yield relative


def include_offence(path, header):
    """Why `path` may not include `header`, or None."""
    place, owner = path.parts[0], path.parts[1]
    top = header.split("/")[0] if "/" in header else None
    if top == "collet":
        if KIT_HEADERS.fullmatch(header):
            return None
        if path.parts[:4] == ("sdk", "include", "collet", "kit"):
            return "the kit may include nothing else of the SDK"
        if place != "host" or (SDK_HEADERS.fullmatch(header) and owner in SDK_MODULES):
            return None
        modules = " and host/".join(SDK_MODULES)
        return f"only host/{modules} may include the ABI, collet/plugin.h and collet/ext, and nothing else of the SDK but its kit"
    if top not in MAY_INCLUDE:
        return None
    if place in ("sdk", "plugins"):
        return f"{place} may not include the host"
    if place in ("host", "tests") and owner in MAY_INCLUDE and top not in (owner, *MAY_INCLUDE[owner]):
        return f"{owner} may include {', '.join(MAY_INCLUDE[owner]) or 'no other module'}"
    return None


def plugin_offence(root, path, header):
    """A plugin includes its own files only; what is not found in the tree belongs to a library."""
    if path.parts[0] != "plugins" or not (root / "plugins" / header).is_file():
        return None
    return None if header.split("/")[0] == path.parts[1] else "a plugin may not include another"


def room_of(path):
    """The room of plugins/client that a file or its test lies in, "" for a header that is for all rooms, or None."""
    parts = path.parts[1:] if path.parts[0] == "tests" else path.parts
    if parts[:2] != ("plugins", "client"):
        return None
    if len(parts) > 3:
        return parts[2]
    return "" if path.parts[0] == "plugins" and path.suffix == ".h" else None


def room_offence(path, header):
    """A room of the client plugin includes itself and those below it."""
    owner, used = room_of(path), re.match(r"client/(\w+)/", header)
    if owner is None or not used or used[1] == owner or used[1] in ROOMS.get(owner, []):
        return None
    who = f"client/{owner}" if owner else "a header for all rooms"
    return f"{who} may include {', '.join(ROOMS.get(owner, [])) or 'no other room'}"


def offences(root):
    for path in files_below(root):
        words = set(re.split(r"[_.\-]", path.name.lower())) | set(path.parts[:-1])
        for word in sorted(words & BANNED_WORDS):
            yield f'{path}: "{word}" says nothing about its one job'
        if path.suffix not in CPP | {".py", ".js", ".mjs", ".cmake", ""}:
            continue
        text = (root / path).read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > LINES_MAX:
            yield f"{path}: {lines} lines; at most {LINES_MAX}"
        if path.suffix not in CPP:
            continue
        if path.parts[0] == "host" and len(path.parts) > 2 and path.parts[1] not in MAY_INCLUDE:
            yield f"{path}: host/{path.parts[1]} is not a module that tools/check_layers.py knows"
        if path.parts[0] == "plugins" and room_of(path) and room_of(path) not in ROOMS:
            yield f"{path}: client/{room_of(path)} is not a room that tools/check_layers.py knows"
        code = RAW_STRING.sub(lambda match: "\n" * match[1].count("\n"), text)
        for match in INCLUDE.finditer(code):
            reason = (include_offence(path, match[1]) or plugin_offence(root, path, match[1])
                      or room_offence(path, match[1]))
            if reason:
                line = code.count("\n", 0, match.start(1)) + 1
                yield f"{path}:{line}: includes {match[1]}: {reason}"
    yield from link_offences(root)


def link_offences(root):
    """What a module or a room links must be what it may include."""
    text = (root / "host/CMakeLists.txt").read_text(encoding="utf-8")
    for module, arguments in re.findall(r"collet_module\((\w+)([^)]*)\)", text):
        uses = re.search(r"\bUSES\s+([a-z_\s]+)", arguments)
        for used in uses[1].split() if uses else []:
            if used not in MAY_INCLUDE.get(module, []):
                yield f"host/CMakeLists.txt: {module} may not use {used}"
    for room in ROOMS:
        path = pathlib.Path("plugins/client") / room / "CMakeLists.txt"
        text = (root / path).read_text(encoding="utf-8") if (root / path).is_file() else ""
        for used in re.findall(rf"\bclient_({'|'.join(ROOMS)})\b(?!\.)", text):
            if used not in (room, *ROOMS[room]):
                yield f"{path}: client_{room} may not use client_{used}"


def main():
    if "--help" in sys.argv:
        print(__doc__.strip())
        return 0
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    found = list(offences(root))
    print("\n".join(found) or "every include points the right way")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

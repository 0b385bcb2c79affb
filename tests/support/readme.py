"""The code blocks of README.md that tests run.

A block counts if a comment stands before it:
  <!-- test: plugin FILE -->      is a file in the folder of the first plugin
  <!-- test: shell -->            is run from the top of the sources
  <!-- test: shell in plugin -->  is run in the folder of the first plugin
  <!-- test: serve -->            is run from the top of the sources while tools/run's server runs, on a port of its own
  <!-- test: reload -->           likewise
What a block prints must be the text or json block that follows it, if one does.
"""
import json
import re
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2]
PORT = "8765"  # of the server that README.md speaks of
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)/mcp")
_BLOCK = re.compile(r"<!-- test: (?P<kind>.*?) -->\n```\w+\n(?P<code>.*?)^```$(?:[^`]*?\n```(?P<form>text|json)\n(?P<output>.*?)^```$)?",
                    re.M | re.S)


def blocks():
    """As matches with the groups kind, code, form and output, in their order."""
    return list(_BLOCK.finditer((SOURCES / "README.md").read_text()))


def check_output(block, printed):
    """Ends the test if a block that says what it prints has printed something else."""
    if not block["form"]:
        return
    expected = block["output"]
    same = json.loads(printed) == json.loads(expected) if block["form"] == "json" else printed == expected
    if not same:
        raise SystemExit(f"FAILED:\n{block['code']}\nprints\n{printed}\nand not\n{expected}")

"""Many of what one is easy: streams that are told of a change, tools that are listed."""
import json
import sys
import time
from pathlib import Path

import peer
from peer import BUILD, Case, main

sys.path.append(str(Path(__file__).resolve().parent.parent / "support"))
from listeners import Listeners, allow_open_files

STREAMS = 1_000
TOOLS = 100_000
LISTED_S = 20  # far more than it takes, far less than it would if a page cost as much as the list
CHANGED = b"notifications/tools/list_changed"


class Many(Case):
    def test_a_thousand_streams_hear_of_a_changed_list(self):
        allow_open_files(2 * STREAMS)
        server = self.serve("fixture", text="[server]\nthreads = 2\n")
        self.assertEqual(server.post_modern("tools/call", name="test_trigger_tool_change").status, 200)
        with Listeners(server.port, STREAMS, {"toolsListChanged": True}) as listeners:
            for _ in range(2):
                self.assertEqual(server.post_modern("tools/call", name="test_trigger_tool_change").status, 200)
                events, _ = listeners.hear(CHANGED)
                said = peer.transcript.exchange([b"POST /mcp", b"MCP-Protocol-Version: 2026-07-28"])
                said += [b"< data: " + event for event in events]
                told = sorted(json.loads(event)["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"]
                              for event in events)
                self.assertEqual(told, list(range(STREAMS)))

    def pages(self, connection, method, items):
        """All items of a list, and how many pages they came in."""
        found, pages, cursor = [], 0, {}
        while cursor is not None:
            result = connection.ask_modern(method, **cursor).message["result"]
            found += result[items]
            pages += 1
            cursor = {"cursor": result["nextCursor"]} if "nextCursor" in result else None
        return found, pages

    def test_a_hundred_thousand_tools_are_listed_page_by_page(self):
        server = self.serve(text=f'[plugin.many]\nlibrary = "{BUILD}/bench/many_tools.so"\n'
                                 f"config = {{ count = {TOOLS} }}\n")
        began = time.monotonic()
        with server.connect() as connection:
            tools, pages = self.pages(connection, "tools/list", "tools")
        self.assertLess(time.monotonic() - began, LISTED_S)
        self.assertEqual([tool["name"] for tool in tools], [f"tool_{number:06}" for number in range(TOOLS)])
        self.assertEqual(pages, TOOLS // 250)


if __name__ == "__main__":
    main()

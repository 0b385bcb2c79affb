"""Many of what one is easy: streams that are told of a change, tools that are listed."""
import json
import signal
import sys
from pathlib import Path

import peer
from peer import BUILD, Case, main

sys.path.append(str(Path(__file__).resolve().parent.parent / "support"))
from listeners import Listeners, allow_open_files

STREAMS = 1_000
TOOLS = 100_000
PAGE = 1_000
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
        with server.connect() as connection:
            tools, pages = self.pages(connection, "tools/list", "tools")
        self.assertEqual([tool["name"] for tool in tools], [f"tool_{number:06}" for number in range(TOOLS)])
        self.assertEqual(pages, TOOLS // PAGE)

    def test_that_a_page_does_not_hold_all_is_said_once(self):
        server = self.serve("fixture", "echo", text="[server.limits]\npage_items = 1\n")
        for _ in range(3):
            server.post_modern("tools/call", name="test_trigger_tool_change")
        server.signal(signal.SIGTERM)
        server.wait()
        told = [line for line in server.log if line and "do not fit in a page of 1" in line]
        self.assertEqual(len([line for line in told if " tools " in line]), 1, told)
        self.assertEqual(len([line for line in told if " prompts " in line]), 1, told)


if __name__ == "__main__":
    main()

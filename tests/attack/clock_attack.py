"""A machine whose time of day is set while the server runs."""
import mmap
import os
import struct

from ground import CLOCK, Attack
from peer import call, main, request, text_of

HOUR = 3600


class Clock(Attack):
    def setUp(self):
        super().setUp()
        file = self.folder / "offset"
        file.write_bytes(bytes(8))
        with file.open("r+b") as offset:
            self.offset = mmap.mmap(offset.fileno(), 8)
        self.addCleanup(self.offset.close)
        self.environment = {"LD_PRELOAD": str(CLOCK), "ATTACK_CLOCK": str(file)}

    def set(self, seconds):
        self.offset[:] = struct.pack("q", seconds)

    def serve(self, *plugins, **options):
        os.environ |= self.environment
        try:
            return super().serve(*plugins, **options)
        finally:
            for name in self.environment:
                del os.environ[name]

    def test_a_clock_that_jumps_forgets_no_session_and_no_task(self):
        server = self.serve("echo", "fixture", text='[log]\nlevel = "debug"\n')
        session = self.open_session(server, "none")
        start = request(1, "tools/call", name="slow_compute", arguments={"seconds": 0.01, "label": "it"}, task={})
        headers = {"Mcp_Session_Id": session}
        task = server.post(start, **headers).message["result"]["task"]["taskId"]
        times = set()
        for jump in (2 * HOUR, -48 * HOUR, 24 * 365 * HOUR, 0):
            self.set(jump)
            self.assertEqual(text_of(server.post(call(2, "echo", {"text": "on"}), **headers).message), "on")
            state = server.post(request(3, "tasks/get", taskId=task), **headers).message
            self.assertIn(state.get("result", {}).get("status"), ("working", "completed"), state)
            again = server.post(start, **headers).message["result"]["task"]
            times.add(again["createdAt"][:10])
        self.assertGreaterEqual(len(times), 3, "the clock does not jump: nothing was tried")
        result = server.post(request(4, "tasks/result", taskId=task), **headers).message
        self.assertEqual(text_of(result), "Computed it")


if __name__ == "__main__":
    main()

"""The example of sdk/README.md that asks the user, before every answer that a client may come up with."""
import re
import subprocess
from pathlib import Path

from peer import Case, call, main, modern, request, text_of

SOURCES = Path(__file__).resolve().parents[2]
NO_ANSWERS = (None, {}, {"other": {"action": "accept"}})
BAD_ANSWERS = (None, 3, [], "accept", {}, {"action": 3}, {"action": "perhaps"}, {"content": {}})
# Members that nobody needs may be wrong: they are left out.
GOOD_ANSWERS = ({"action": "accept", "content": []}, {"action": "accept", "content": {"sure": {"deep": 1}}, "_meta": 7},
                {"action": "accept", "content": {}}, {"action": "accept"}, {"action": "decline"}, {"action": "cancel"})


def built(folder):
    """The plugin whose body is the snippet, as its reader writes it."""
    readme = (SOURCES / "sdk/README.md").read_text()
    [snippet] = [code for code in re.findall(r"^```cpp\n(.*?)^```$", readme, re.M | re.S) if code.startswith('plugin.tool("erase"')]
    source = folder / "erase.cc"
    source.write_text(f'#include <collet/plugin.hpp>\nCOLLET_PLUGIN("org.example.erase", "1.0.0", plugin) {{\n{snippet}}}\n')
    library = folder / "erase.so"
    subprocess.run(["c++", "-std=c++20", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{SOURCES}/sdk/include", source,
                    "-o", library], check=True)
    return library


class Example(Case):
    def setUp(self):
        super().setUp()
        self.library = built(self.folder)

    def test_a_modern_client_is_asked_until_it_answers_and_told_what_is_no_answer(self):
        server = self.serve(erase=self.library)
        meta = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
        connection = server.connect()

        def ask(**params):
            connection.send(modern(request(1, "tools/call", name="erase", arguments={}, _meta=meta, **params)))
            return connection.receive().message

        asked = ask()["result"]
        for given in NO_ANSWERS:
            more = {} if given is None else {"inputResponses": given}
            again = ask(requestState=asked["requestState"], **more)["result"]
            self.assertEqual((again["resultType"], list(again["inputRequests"])), ("input_required", ["sure"]), given)
        for bad in BAD_ANSWERS:
            refused = ask(requestState=asked["requestState"], inputResponses={"sure": bad})
            self.assertEqual(refused["error"]["code"], -32602, bad)
        for good in GOOD_ANSWERS:
            answer = ask(requestState=asked["requestState"], inputResponses={"sure": good})
            self.assertIn(good["action"], text_of(answer))

    def test_a_legacy_client_is_told_what_is_no_answer(self):
        peer = self.stdio(erase=self.library)
        peer.ask(request(0, "initialize", protocolVersion="2025-11-25", capabilities={"elicitation": {}},
                         clientInfo={"name": "test", "version": "1"}))
        for id, answer in enumerate((*BAD_ANSWERS, *GOOD_ANSWERS), start=1):
            asked = peer.ask(call(id, "erase", {}))
            self.assertEqual(asked["method"], "elicitation/create")
            ended = peer.ask({"jsonrpc": "2.0", "id": asked["id"], "result": answer})
            self.assertEqual((ended["id"], ended["result"].get("isError", False)), (id, answer not in GOOD_ANSWERS), answer)


if __name__ == "__main__":
    main()

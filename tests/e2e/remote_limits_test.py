"""What a remote server may ask for and be asked for: as much as plugins/client/limits.h says, and not one more."""
import threading
import time

from fake_remote import ASK_NAME, RpcError, text, tool
from peer import main, modern, request, text_of, until
from remote_test import RemoteCase, watched

INPUT_ROUNDS_MAX = 16
SERVER_REQUESTS_MAX = 64
SUSPENDED_MAX = 1024
TASK_POLL_MS_MIN = 50
WATCHED_MAX = 1000


class Limits(RemoteCase):
    def remote(self, name, handler, **attributes):
        fake = self.http(**attributes)
        fake.remote.tools.append(tool(name))
        setattr(fake.remote, "tool_" + name, handler)
        return fake

    def test_a_remote_that_wants_to_be_asked_again_without_asking_for_anything(self):
        tries = []

        def again(talk, arguments):
            tries.append(talk.params.get("requestState"))
            if len(tries) <= arguments["times"]:
                return {"resultType": "input_required", "requestState": f"state {len(tries)}"}
            return text("at last")

        server = self.serve_remote(f'url = "{self.remote("again", again).url}"\n')
        self.assertEqual(text_of(self.call(server, "r__again", {"times": INPUT_ROUNDS_MAX})), "at last")
        self.assertEqual(tries, [None] + [f"state {i + 1}" for i in range(INPUT_ROUNDS_MAX)])
        tries.clear()
        error = self.call(server, "r__again", {"times": INPUT_ROUNDS_MAX + 1})["error"]
        self.assertIn("it wants to be asked again and again", error["message"])

    def test_a_call_of_a_legacy_remote_with_many_questions_at_a_time(self):
        refused = []

        def ask(talk):
            try:
                talk.ask(ASK_NAME["method"], **ASK_NAME["params"])
            except RpcError as wrong:
                refused.append(wrong.error["message"])

        def ask_all(talk, arguments):
            lock, send = threading.Lock(), talk.send

            def send_one(message):
                with lock:
                    send(message)

            talk.send = send_one
            threads = [threading.Thread(target=ask, args=(talk,)) for _ in range(arguments["times"])]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return text(f"{len(refused)} were refused")

        fake = self.remote("ask_all", ask_all, era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        for times, answer in ((SERVER_REQUESTS_MAX, "0 were refused"), (SERVER_REQUESTS_MAX + 1, "1 were refused")):
            refused.clear()
            arguments, answered = {"times": times}, {}
            result = self.result(server, "tools/call", name="r__ask_all", arguments=arguments)
            while result["resultType"] == "input_required":
                self.assertLessEqual(len(result["inputRequests"]), SERVER_REQUESTS_MAX)
                answered |= result["inputRequests"]
                until(lambda: len(refused) == times - SERVER_REQUESTS_MAX)  # before there is room for another one
                responses = {key: {"action": "decline"} for key in result["inputRequests"]}
                result = self.result(server, "tools/call", name="r__ask_all", arguments=arguments,
                                     requestState=result["requestState"], inputResponses=responses)
            self.assertEqual(result["content"][0]["text"], answer)
            self.assertEqual(len(answered), SERVER_REQUESTS_MAX)

    def test_calls_of_a_legacy_remote_that_wait_for_an_answer(self):
        fake = self.remote("ask_later", lambda talk, _: talk.ask(ASK_NAME["method"], **ASK_NAME["params"]) and text("!"),
                           era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')

        def ask_one(connection):
            connection.send(modern(request(1, "tools/call", name="r__ask_later", arguments={}, _meta={
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}})))
            return connection.receive().message

        with server.connect() as connection:
            first = ask_one(connection)
            for _ in range(SUSPENDED_MAX - 1):
                self.assertEqual(ask_one(connection)["result"]["resultType"], "input_required")
            self.assertIn("too many of its questions are open", ask_one(connection)["error"]["message"])
            (key,) = first["result"]["inputRequests"]
            answer = self.result(server, "tools/call", name="r__ask_later", arguments={},
                                 requestState=first["result"]["requestState"],
                                 inputResponses={key: {"action": "decline"}})
            self.assertEqual(answer["content"][0]["text"], "!")
            self.assertEqual(ask_one(connection)["result"]["resultType"], "input_required")  # there is room again

    def test_a_task_that_wants_to_be_looked_at_without_a_pause(self):
        fake = self.http()
        looks = []

        def look(talk):
            looks.append(time.monotonic())
            state = fake.remote.tasks["task-1"].describe("modern") | {"pollIntervalMs": 0}
            return state if len(looks) < 10 else state | {"status": "completed", "result": text("at last")}

        fake.remote.on_tasks_get = look
        server = self.serve_remote(f'url = "{fake.url}"\n')
        self.assertEqual(text_of(self.call(server, "r__job", {"how": "wait"})), "at last")
        self.assertGreaterEqual(looks[9] - looks[0], 9 * TASK_POLL_MS_MIN / 1000)

    def test_resources_that_are_watched_at_a_remote(self):
        fake = self.http()
        server = self.serve_remote(f'url = "{fake.url}"\n')
        self.wait_for_resources(server)
        uris = [f"fake://item/{i}" for i in range(WATCHED_MAX)]
        with server.connect() as one, server.connect() as other:
            one.send(modern(request(1, "subscriptions/listen", notifications={"resourceSubscriptions": uris})))
            one.head()
            until(lambda: watched(fake.remote) == set(uris))
            other.send(modern(request(1, "subscriptions/listen", notifications={
                "resourceSubscriptions": ["fake://one", uris[0]]})))
            other.head()
            self.assertEqual(text_of(self.call(server, "r__read_only")), "read")
            self.assertEqual(watched(fake.remote), set(uris))


if __name__ == "__main__":
    main()

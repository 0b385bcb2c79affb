"""Tools that run as tasks at a remote, for callers that know of tasks and for those that do not."""
from fake_remote import Unavailable
from peer import main, request, text_of, until
from remote_test import CAPABILITIES, RemoteCase, answer_of, both_eras, peer_list

TASKS = {**CAPABILITIES, "extensions": {"io.modelcontextprotocol/tasks": {}}}
ADA = {"action": "accept", "content": {"name": "Ada"}}


class TaskCase(RemoteCase):
    def task_ends(self, server, created, answers=None):
        """The task when it is over; it gets the answers by the method that is asked."""
        def look():
            task = self.result(server, "tasks/get", capabilities=TASKS, taskId=created["taskId"])
            if task["status"] == "input_required":
                responses = {key: answers[request["method"]] for key, request in task["inputRequests"].items()}
                self.result(server, "tasks/update", capabilities=TASKS, taskId=created["taskId"], inputResponses=responses)
            return task["status"] not in ("working", "input_required") and task
        return until(look)


class ForCallersWithoutTasks(TaskCase):
    @both_eras
    def test_the_call_waits_for_the_task(self, server, remote):
        self.assertEqual(text_of(self.call(server, "r__job", {"how": "done"})), "done")
        answer = self.call(server, "r__job", {"how": "fails"})
        self.assertEqual((text_of(answer), answer["result"]["isError"]), ("fails", True))
        self.assertNotIn("io.modelcontextprotocol/related-task", answer["result"]["_meta"])
        self.assertEqual(self.call(server, "r__job", {"how": "error"})["error"], {"code": -32099, "message": "I refuse"})

    @both_eras
    def test_questions_of_the_task_are_asked(self, server, remote):
        result = self.call(server, "r__job", {"how": "ask"})["result"]
        (key, question), = result["inputRequests"].items()
        self.assertEqual(question["params"]["message"], "who?")
        again = dict(inputResponses={key: ADA}, requestState=result["requestState"])
        self.assertEqual(text_of(self.call(server, "r__job", {"how": "ask"}, **again)), "accept Ada")

    @both_eras
    def test_a_caller_that_cannot_be_asked_gets_an_error_and_the_task_is_cancelled(self, server, remote):
        answer = self.call(server, "r__job", {"how": "ask"}, capabilities={})
        self.assertRegex(answer["error"]["message"], "cannot give|I refuse|nobody is there whom this could be asked")
        if remote and remote.era == "modern":
            until(lambda: remote.tasks["task-1"].cancelled.is_set())

    @both_eras
    def test_a_remote_that_dies_in_the_middle_is_an_error(self, server, remote):
        if remote:  # it would take the test with it
            return
        self.assertEqual(self.call(server, "r__job", {"how": "die"})["error"]["message"], "no such task")
        self.assertEqual(text_of(self.call(server, "r__echo", {"text": "on"})), "on")

    def test_a_call_that_is_cancelled_cancels_the_task(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                fake = self.http(era=era)
                server = self.serve_remote(f'url = "{fake.url}"\ntools.job.timeout_ms = 300\n')
                answer = self.call(server, "r__job", {"how": "wait"})
                self.assertIn("did not answer within 300 ms", text_of(answer))
                until(lambda: fake.remote.tasks["task-1"].cancelled.is_set())

    def test_progress_of_the_task_reaches_the_caller(self):
        for era, expected in (("modern", {"progress": 1, "message": "look 1"}),
                              ("legacy", {"progress": 1, "total": 2, "message": "half"})):
            with self.subTest(era=era):
                server = self.serve_remote(f'url = "{self.http(era=era).url}"\n')
                with server.connect() as connection:
                    self.begin_call(connection, "r__job", {"how": "done"}, progressToken="p")
                    self.assertTrue(connection.head().is_stream)
                    self.assertEqual(connection.event()["params"], {"progressToken": "p", **expected})
                    last = connection.event()
                    while "result" not in last:
                        last = connection.event()
                self.assertEqual(text_of(last), "done")

    def test_a_remote_that_has_its_result_only_when_the_task_is_over_is_asked_again(self):
        fake = self.http(era="legacy", mode="impatient")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        self.assertEqual(text_of(self.call(server, "r__job", {"how": "done"})), "done")
        self.assertEqual(self.call(server, "r__job", {"how": "error"})["error"], {"code": -32099, "message": "I refuse"})

    def test_a_task_is_given_up_with_the_fourth_request_in_a_row_that_is_lost(self):
        fake = self.http()
        server = self.serve_remote(f'url = "{fake.url}"\n')
        look, left = fake.remote.on_tasks_get, {"task-1": 3, "task-2": 4}

        def out_of_order(talk):
            left[talk.params["taskId"]] -= 1
            if left[talk.params["taskId"]] >= 0:
                raise Unavailable
            return look(talk)

        fake.remote.on_tasks_get = out_of_order
        with server.connect() as first, server.connect() as second:
            self.begin_call(first, "r__job", {"how": "done"})
            until(lambda: fake.remote.tasks)
            self.begin_call(second, "r__job", {"how": "done"})
            self.assertEqual(text_of(first.receive().message), "done")
            self.assertIn("HTTP status 503", second.receive().message["error"]["message"])


class ForCallersWithTasks(TaskCase):
    def test_a_tool_that_is_a_task_at_a_legacy_remote_is_one_here(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        for how, expected in (("done", "done"), ("ask", "accept Ada")):
            created = self.call(server, "r__job", {"how": how}, capabilities=TASKS)["result"]
            self.assertEqual(created["resultType"], "task")
            ended = self.task_ends(server, created, {"elicitation/create": ADA})
            self.assertEqual(ended["result"]["content"][0]["text"], expected)

    def test_a_task_that_is_cancelled_here_is_cancelled_at_the_remote(self):
        fake = self.http(era="legacy")
        server = self.serve_remote(f'url = "{fake.url}"\n')
        created = self.call(server, "r__job", {"how": "wait"}, capabilities=TASKS)["result"]
        until(lambda: "tasks/result" in fake.remote.methods())
        self.result(server, "tasks/cancel", capabilities=TASKS, taskId=created["taskId"])
        until(lambda: fake.remote.tasks["task-1"].cancelled.is_set())

    def test_a_legacy_client_has_a_task_of_a_remote_of_either_era(self):
        for era in ("modern", "legacy"):
            with self.subTest(era=era):
                peer = self.stdio(text="\n[remote.r]\n" + self.child(era=era))
                peer.logged(r"remote r: \d+ prompts")
                peer.ask(request(1, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={}))
                until(lambda: any(t["name"] == "r__job" for t in peer_list(peer)))
                peer.send(request(3, "tools/call", name="r__job", arguments={"how": "done"},
                                  **({"task": {}} if era == "legacy" else {})))
                result = answer_of(peer, 3)["result"]
                if era == "legacy":
                    peer.send(request(4, "tasks/result", taskId=result["task"]["taskId"]))
                    result = answer_of(peer, 4)["result"]
                self.assertEqual(result["content"][0]["text"], "done")


class Chain(TaskCase):
    """A Collet behind a Collet."""

    def setUp(self):
        super().setUp()
        behind = self.serve("fixture")
        self.server = self.serve_remote(f'url = "{behind.urls[0]}/mcp"\n')

    def test_tools_that_must_be_tasks_work_for_every_caller(self):
        answer = self.call(self.server, "r__failing_job")
        self.assertEqual((text_of(answer), answer["result"]["isError"]), ("This job intentionally fails", True))
        created = self.call(self.server, "r__failing_job", capabilities=TASKS)["result"]
        self.assertEqual(self.task_ends(self.server, created)["result"]["content"][0]["text"], "This job intentionally fails")

    def test_tasks_end_as_they_do_there(self):
        created = self.call(self.server, "r__slow_compute", {"seconds": 0.1, "label": "x"}, capabilities=TASKS)["result"]
        self.assertEqual(self.task_ends(self.server, created)["result"]["content"][0]["text"], "Computed x")
        created = self.call(self.server, "r__protocol_error_job", capabilities=TASKS)["result"]
        self.assertEqual(self.task_ends(self.server, created)["error"]["code"], -32603)

    def test_questions_before_and_in_a_task(self):
        names = {"elicitation/create": {"action": "accept", "content": {"confirm": True, "name": "Ada"}}}
        created = self.call(self.server, "r__multi_input", capabilities=TASKS)["result"]
        self.assertEqual(self.task_ends(self.server, created, names)["result"]["content"][0]["text"], "Got Ada and Ada")
        result = self.call(self.server, "r__test_tool_with_task", capabilities=CAPABILITIES)["result"]
        if result["resultType"] == "input_required":
            (key, _), = result["inputRequests"].items()
            answer = self.call(self.server, "r__test_tool_with_task", requestState=result["requestState"],
                               inputResponses={key: ADA})
            self.assertEqual(text_of(answer), "Hello, Ada!")


if __name__ == "__main__":
    main()

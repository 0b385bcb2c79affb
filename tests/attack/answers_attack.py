"""Clients whose answers to a remote's questions are more than there is memory for."""
import os
from unittest import mock

import ground  # noqa: F401 (finds what follows)
import remote_test
from clients_attack import MIB, memory_left
from peer import main, text_of


class Answers(remote_test.RemoteCase):
    seconds_max = 3600

    def answer(self, server, name):
        question = self.call(server, "r__ask")["result"]
        key, = question["inputRequests"]
        response = {"action": "accept", "content": {"name": name}}
        return lambda: self.ask(server, "tools/call", name="r__ask", arguments={}, requestState=question["requestState"],
                                inputResponses={key: response})

    def give_more_than_there_is_memory_for(self, remote):
        with mock.patch.dict(os.environ, MALLOC_ARENA_MAX="1"):  # it takes from the system what it needs, and no more
            server = self.serve_remote(remote)
        name = "x" * (5 * MIB)
        answers = set()
        for left in range(3, 36, 3):
            tell = self.answer(server, name)
            with memory_left(server, left * MIB):
                answer = tell()
            if answer is None or answer.body == b"too much is being sent at once\n":
                answers.add("not read")
                continue
            message = answer.message
            if "error" in message or message["result"].get("isError"):
                answers.add("refused")
            else:
                self.assertEqual(text_of(message), "accept " + name)
                answers.add("taken")
        self.assertTrue(answers - {"taken"})
        self.assertEqual(text_of(self.answer(server, "Ada")().message), "accept Ada")

    def test_over_http(self):
        for era in ("legacy", "modern"):
            with self.subTest(era):
                self.give_more_than_there_is_memory_for(f'url = "{self.http(era=era).url}"\n')

    def test_over_stdio(self):
        for era in ("legacy", "modern"):
            with self.subTest(era):
                self.give_more_than_there_is_memory_for(self.child(era=era))


if __name__ == "__main__":
    main()

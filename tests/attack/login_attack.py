"""Pages and programs of this machine that meddle with a login."""
import socket
import urllib.error
import urllib.parse

import ground  # noqa: F401 (finds what follows)
import login_test
from peer import TIMEOUT_S, main


class Logins(login_test.LoginCase):
    def setUp(self):
        super().setUp()
        self.process = self.login()
        self.url = self.url_of(self.process)
        self.query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.url).query))
        self.place = urllib.parse.urlsplit(self.query["redirect_uri"])

    def logs_in(self):
        """The person's own browser still does."""
        self.assertIn("You can close this window", self.browse(self.url))
        self.process.communicate(timeout=TIMEOUT_S)
        self.assertEqual(self.process.returncode, 0)

    def raw(self, data):
        client = socket.create_connection((self.place.hostname, self.place.port), TIMEOUT_S)
        self.addCleanup(client.close)
        client.sendall(data)
        return client

    def test_C3_answers_with_other_states_are_none(self):
        for state in ("", "guessed", self.query["state"][:-1], self.query["state"] + "x", self.query["state"].swapcase()):
            answer = urllib.parse.urlencode({"code": "stolen", "state": state})
            with self.assertRaises(urllib.error.HTTPError) as refused:
                self.browse(f"{self.query['redirect_uri']}?{answer}")
            self.assertEqual(refused.exception.code, 400)
            denied = urllib.parse.urlencode({"error": "access_denied", "state": state})
            with self.assertRaises(urllib.error.HTTPError):
                self.browse(f"{self.query['redirect_uri']}?{denied}")
        self.logs_in()

    def test_C3_clients_that_say_nothing_or_nonsense(self):
        path = self.place.path.encode()
        for data in (b"", b"G", b"\0" * 100, b"GET " + path, b"GET " + path + b"?" + b"x" * 1_000_000,
                     b"POST " + path + b" HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                     b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"GET " + path + b" HTTP/1.1\r\n" + b"a: b\r\n" * 100_000):
            for _ in range(10):
                try:
                    self.raw(data)
                except OSError:
                    pass  # it was not read to the end
        self.logs_in()

    def test_C3_the_answer_is_taken_on_this_machine_alone(self):
        addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), self.place.port, type=socket.SOCK_STREAM)}
        for address in addresses - {"127.0.0.1", "127.0.1.1", "::1"}:
            with self.assertRaises(OSError):
                socket.create_connection((address, self.place.port), TIMEOUT_S).close()
        with open("/proc/net/tcp", encoding="ascii") as sockets:
            listening = [line.split()[1] for line in sockets if line.split()[3] == "0A"]
        self.assertIn(f"0100007F:{self.place.port:04X}", listening)
        self.assertNotIn(f"00000000:{self.place.port:04X}", listening)
        self.logs_in()


if __name__ == "__main__":
    main()

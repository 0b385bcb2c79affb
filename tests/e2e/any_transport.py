"""A fake remote over any of the transports that have a URL."""
from fake_remote import FakeRemote, HttpRemote
from remote_tls_test import TlsCase

TRANSPORTS = {"modern": {"era": "modern", "list_changed": False},
              "legacy": {"era": "legacy", "mode": "no side stream"},
              "sse": {"era": "legacy", "mode": "sse"},
              "https": {"era": "modern", "list_changed": False}}


class AnyTransport(TlsCase):
    def remote_over(self, transport, port=0):
        fake = HttpRemote(FakeRemote(**TRANSPORTS[transport]), port)
        self.addCleanup(fake.stop)
        return self.over_tls(fake) if transport == "https" else fake

    def trust(self, transport):
        return f'ca = "{self.folder}/ca.pem"\n' if transport == "https" else ""

    def executions(self, remote, words):
        with remote.lock:
            return sum(message.get("method") == "tools/call" and message["params"]["arguments"] == {"text": words}
                       for message in remote.seen)

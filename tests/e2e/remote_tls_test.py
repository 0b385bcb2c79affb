"""Remotes over TLS, as companies run them: certificates of an authority of their own, for us as well."""
import os
import socket
import ssl
import subprocess

from authorized_test import LockedRemote
from fake_remote import LANES, FakeRemote, HttpRemote
from peer import main, run, text_of, until
from remote_changes_test import Changing
from remote_test import RemoteCase

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class TlsCase(RemoteCase):
    def setUp(self):
        super().setUp()
        folder = self.folder
        openssl("req", "-x509", *KEY, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/CN=our own",
                "-days", 2)
        for name in ("server", "client"):
            openssl("req", *KEY, "-keyout", folder / f"{name}.key", "-out", folder / "request", "-subj", f"/CN={name}")
            (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
            openssl("x509", "-req", "-in", folder / "request", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
                    "-CAcreateserial", "-out", folder / f"{name}.pem", "-days", 1, "-extfile", folder / "names")
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}

    def over_tls(self, remote, clients=False):
        self.addCleanup(remote.stop)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        context.num_tickets = 0  # so that nothing is said between the handshake, which clients wait for, and the answer
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.folder / "ca.pem")
        remote.server.socket = context.wrap_socket(remote.server.socket, server_side=True, do_handshake_on_connect=False)
        remote.url = remote.url.replace("http:", "https:")
        return remote


class RemoteTls(TlsCase):
    def called(self, remote, more="", **variables):
        file = self.config(text=f'[remote.r]\nurl = "{remote.url}"\n{more}\n')
        return run("call", "r__read_only", "-c", file, env={**self.environment, **variables})

    def test_an_authority_of_our_own_is_trusted_where_it_is_named_and_nowhere_else(self):
        remote = self.over_tls(HttpRemote(FakeRemote()))
        self.assertIn("certificate", self.called(remote).stderr)
        self.assertEqual(self.called(remote, 'ca = "ca.pem"').stdout, "read\n")
        for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
            with self.subTest(name):
                self.assertEqual(self.called(remote, **{name: str(self.folder / "ca.pem")}).stdout, "read\n")

    def test_a_file_of_authorities_that_is_none_is_named(self):
        remote = self.over_tls(HttpRemote(FakeRemote()))
        (self.folder / "none.pem").write_text("none")
        self.assertIn("none.pem: it has no certificate", self.called(remote, 'ca = "none.pem"').stderr)
        broken = (self.folder / "ca.pem").read_text().replace("\nMII", "\nMIJ")
        (self.folder / "none.pem").write_text((self.folder / "ca.pem").read_text() + broken)
        self.assertIn("none.pem: it has a certificate that cannot be read", self.called(remote, 'ca = "none.pem"').stderr)
        done = self.called(remote, 'ca = "gone.pem"', NODE_EXTRA_CA_CERTS="/nowhere.pem")
        self.assertIn("/nowhere.pem", done.stderr)

    def test_a_remote_is_shown_our_certificate(self):
        remote = self.over_tls(HttpRemote(FakeRemote()), clients=True)
        self.assertNotEqual(self.called(remote, 'ca = "ca.pem"').returncode, 0)
        ours = 'ca = "ca.pem"\nclient_certificate = "client.pem"\nclient_key = "client.key"'
        self.assertEqual(self.called(remote, ours).stdout, "read\n")

    def test_its_authorization_server_is_trusted_likewise(self):
        remote = self.over_tls(LockedRemote(FakeRemote()))
        auth = 'auth = { type = "client_credentials", client_id = "c", client_secret = "s" }'
        self.assertEqual(self.called(remote, 'ca = "ca.pem"\n' + auth).stdout, "read\n")
        self.assertEqual(remote.issued, 1)


class Lanes(TlsCase):
    def calls(self, remote):
        with remote.remote.lock:
            return [message["id"] >= LANES for message in remote.remote.seen if message.get("method") == "tools/call"]

    def test_calls_of_a_modern_remote_go_by_a_lane_on_one_connection(self):
        remote = self.over_tls(HttpRemote(FakeRemote(list_changed=False)))
        server = self.serve_remote(f'url = "{remote.url}"\nca = "ca.pem"\n', text="[server]\nthreads = 1\n")
        before = len(remote.connections)
        for words in ("one", "two", "three"):
            self.assertEqual(text_of(self.call(server, "r__echo", {"text": words})), words)
        self.assertEqual(self.calls(remote), [True] * 3)
        self.assertEqual(len(remote.connections), before + 1)

    def test_a_lane_shows_our_certificate_and_the_next_one_when_that_is_changed(self):
        remote = self.over_tls(HttpRemote(FakeRemote(list_changed=False)), clients=True)
        server = self.serve_remote(
            f'url = "{remote.url}"\nca = "ca.pem"\nclient_certificate = "client.pem"\nclient_key = "client.key"\n')
        self.call(server, "r__read_only")
        self.assertEqual(self.calls(remote), [True])
        os.utime(self.folder / "client.pem", (1, 1))
        for connection in list(remote.connections):
            connection.shutdown(socket.SHUT_RDWR)
        until(lambda: text_of(self.call(server, "r__read_only")) == "read" and self.calls(remote)[-1])
        self.assertIn(False, self.calls(remote))


class SameAddress(TlsCase, Changing):
    def test_a_remote_is_not_lent_the_connection_of_one_that_believes_others(self):
        remote = self.over_tls(self.remote())
        knows = f'url = "{remote.url}"\nca = "ca.pem"\n'
        server = self.begin(knows=knows)
        server.logged("remote knows: ready")
        self.take_over(server, knows=knows, does_not=f'url = "{remote.url}"\n')
        self.assertIn("certificate", server.logged("remote does_not: (connected|down: .*)")[0])
        answer = server.connect().ask_modern("tools/call", name="knows__read_only", arguments={})
        self.assertEqual(text_of(answer.message), "read")


if __name__ == "__main__":
    main()

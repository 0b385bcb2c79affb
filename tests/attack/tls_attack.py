"""Clients over TLS that break off, lie or ask for what is weak."""
import random
import socket
import ssl

from ground import Attack
from peer import call, main, self_signed, text_of

CLIENT_HELLO = bytes.fromhex("160301")
WEAK = ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256")


class Tls(Attack):
    def setUp(self):
        super().setUp()
        certificate, key = self_signed(self.folder, "-newkey", "rsa:2048")
        self.server = self.serve("echo", listen=["https://127.0.0.1:0"],
                                 text=f'[server]\nthreads = 1\n[server.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n'
                                      "[server.limits]\nheader_timeout_ms = 3000\n")
        self.trusted = ssl.create_default_context(cafile=certificate)
        self.served()
        self.held = self.holdings(self.server)

    def served(self):
        with self.server.connect(tls=self.trusted) as connection:
            self.assertEqual(text_of(connection.ask(call(1, "echo", {"text": "served"})).message), "served")

    def hello(self):
        """What a client says first."""
        said = ssl.MemoryBIO()
        try:
            self.trusted.wrap_bio(ssl.MemoryBIO(), said, server_hostname="localhost").do_handshake()
        except ssl.SSLWantReadError:
            return said.read()

    def is_left(self, client):
        """Whether the server closes, whatever it says before."""
        client.settimeout(60)
        try:
            while client.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True

    def test_handshakes_that_never_end_are_ended(self):
        hello = self.hello()
        clients = [self.raw(self.server, hello[:size]) for size in (0, 1, 5, len(hello) // 2, len(hello) - 1, len(hello)) * 10]
        self.served()
        for client in clients:
            self.assertTrue(self.is_left(client))
            client.close()
        self.leaves_nothing(self.server, self.held)

    def test_bytes_that_are_no_handshake(self):
        chance = random.Random(1)
        hello = self.hello()
        for _ in range(200):
            data = bytearray(hello)
            for _ in range(chance.randint(1, 8)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            client = self.raw(self.server, bytes(data) if chance.random() < 0.7 else CLIENT_HELLO + chance.randbytes(300))
            client.shutdown(socket.SHUT_WR)
            self.assertTrue(self.is_left(client))
            client.close()
        self.served()
        self.leaves_nothing(self.server, self.held)

    def test_a_client_that_leaves_in_the_middle_of_a_record(self):
        for _ in range(50):
            plain = socket.create_connection(("127.0.0.1", self.server.port), 60)
            client = self.trusted.wrap_socket(plain, server_hostname="localhost")
            client.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            raw = socket.socket(fileno=client.detach())
            raw.sendall(b"\x17\x03\x03\x40\x00half")  # the beginning of 16 KiB
            raw.close()
        self.served()
        self.leaves_nothing(self.server, self.held)

    def test_what_is_weak_is_not_spoken(self):
        for cipher in WEAK:
            context = ssl.create_default_context(cafile=self.folder / "certificate.pem")
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(f"{cipher}:@SECLEVEL=0")
            with self.assertRaisesRegex(ssl.SSLError, "ALERT", msg=cipher):  # the server's word
                self.server.connect(tls=context)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = ssl.create_default_context(cafile=self.folder / "certificate.pem")
            context.minimum_version = context.maximum_version = version
            context.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaisesRegex(ssl.SSLError, "ALERT", msg=version.name):
                self.server.connect(tls=context)
        self.served()


if __name__ == "__main__":
    main()

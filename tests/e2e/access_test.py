"""Where the server listens, and whom it lets in."""

import hashlib
import signal
import ssl

from peer import BUILD, Case, call, main, request, run, self_signed, text_of


class Names(Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve("echo", text='[server]\nallowed_hosts = ["mcp.example.org"]\n'
                                              'allowed_origins = ["https://app.example.org"]\n')

    def status(self, **headers):
        return self.server.post(request(1, "ping"), **headers).status

    def test_hosts(self):
        port = self.server.port
        for host in ("localhost", f"LOCALHOST:{port}", f"127.0.0.1:{port}", "[::1]", f"[::1]:{port}", "mcp.example.org",
                     "mcp.example.org:443"):
            self.assertEqual(self.status(Host=host), 200, host)
        for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", "evil.example/localhost",
                     "127.0.0.1.evil.example", "localhost:80:evil.example", "0.0.0.0"):
            self.assertIn(self.status(Host=host), (400, 403), host)
        self.assertEqual(self.status(Host=""), 403)
        self.assertEqual(self.status(Host=None), 400)  # RFC 9112 §3.2

    def test_origins(self):
        for origin in ("http://localhost", "http://localhost:3000", "https://127.0.0.1", "https://app.example.org"):
            self.assertEqual(self.status(Origin=origin), 200, origin)
        for origin in ("null", "https://evil.example", "https://app.example.org.evil.example", "localhost", "",
                       "http://localhost.evil.example", "http://localhost@evil.example"):
            self.assertEqual(self.status(Origin=origin), 403, origin)

    def test_a_page_may_ask_first(self):
        connection = self.server.connect()
        for origin, status in (("https://app.example.org", 204), ("https://evil.example", 403)):
            connection.send(f"OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n"
                            "Access-Control-Request-Method: POST\r\n\r\n".encode())
            self.assertEqual(connection.receive().status, status)


class Tokens(Case):
    def setUp(self):
        super().setUp()
        made = run("token", "alice")
        self.assertEqual(made.returncode, 0)
        self.token = made.stdout.split("\n")[0]
        self.table = made.stdout[made.stdout.index("[[server.token]]"):]

    def test_a_token_opens_the_server(self):
        server = self.serve("echo", text=self.table, listen=["http://0.0.0.0:0"])
        message = call(1, "echo", {"text": "hi"})
        for authorization in (f"Bearer {self.token}", f"bearer {self.token}"):
            self.assertEqual(text_of(server.post(message, Authorization=authorization).message), "hi")
        answer = server.post(message)
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.headers["www-authenticate"], 'Bearer realm="collet"')
        for wrong in (f"Bearer {self.token}x", f"Bearer {self.token[:-1]}", "Bearer", "Bearer ", self.token,
                      f"Basic {self.token}", "Bearer x\u00e9"):
            answer = server.post(message, Authorization=wrong)
            self.assertEqual(answer.status, 401, wrong)
            self.assertIn('error="invalid_token"', answer.headers["www-authenticate"])
        self.assertIn("Authorization: Bearer", server.logged("claude mcp add").string)

    def test_a_session_belongs_to_its_principal(self):
        other = run("token", "bob").stdout
        server = self.serve("echo", text=self.table + other[other.index("[[server.token]]"):])
        alice, bob = (f"Bearer {text.split(chr(10))[0]}" for text in (self.token, other))
        opened = server.post(request(0, "initialize", protocolVersion="2025-11-25", capabilities={},
                                     clientInfo={"name": "test", "version": "1"}), Authorization=alice)
        session = opened.headers["mcp-session-id"]
        self.assertEqual(server.post(request(1, "ping"), Authorization=alice, Mcp_Session_Id=session).status, 200)
        self.assertEqual(server.post(request(1, "ping"), Authorization=bob, Mcp_Session_Id=session).status, 404)

    def test_a_view_hides_tools_from_one_token_and_not_from_another(self):
        other = run("token", "bob").stdout
        views = ('[server]\nview = "nothing"\n[view.nothing]\ndeny = ["*"]\n[view.sums]\nallow = ["*add*"]\n'
                 '[view.everything]\n')
        server = self.serve("echo", "math", text=views + self.table + 'view = "sums"\ntenant = "acme"\nscopes = ["sums:make"]\n'
                            + other[other.index("[[server.token]]"):] + 'view = "everything"\n')
        alice, bob = ({"Authorization": f"Bearer {text.split(chr(10))[0]}"} for text in (self.token, other))
        modern = {"MCP_Protocol_Version": "2026-07-28", "Mcp_Method": "tools/list"}
        meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}

        def names(who, **era):
            params = {"_meta": meta} if era else {}
            return {tool["name"] for tool in server.post(request(1, "tools/list", **params), **who, **era).message["result"]["tools"]}

        for era in ({}, modern):
            self.assertEqual({name for name in names(bob, **era) if "add" in name}, names(alice, **era))
            self.assertIn("echo", names(bob, **era))
        self.assertEqual(text_of(server.post(call(1, "echo", {"text": "hi"}), **bob).message), "hi")
        hidden = server.post(call(1, "echo", {"text": "hi"}), **alice).message["error"]
        unknown = server.post(call(1, "nowhere", {}), **alice).message["error"]
        self.assertEqual(hidden["code"], unknown["code"])
        self.assertEqual(hidden["message"], unknown["message"].replace("nowhere", "echo"))

        # Who is at the standard streams has the view of the server.
        peer = self.stdio("echo", text='[server]\nview = "nothing"\n[view.nothing]\ndeny = ["*"]\n')
        peer.ask(request(1, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={}))
        self.assertEqual(peer.ask(request(2, "tools/list"))["result"]["tools"], [])
        self.assertIn("error", peer.ask(call(3, "echo", {"text": "hi"})))

    def test_beyond_this_machine_only_with_tokens(self):
        config = self.config("echo")
        for url in ("http://0.0.0.0:0", "http://[::]:0"):
            refused = run("serve", "-c", config, "-l", url)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("collet token", refused.stderr)
            self.assertIn("insecure", refused.stderr)
        server = self.serve("echo", text="[server]\ninsecure = true\n", listen=["http://0.0.0.0:0"])
        self.assertEqual(server.post(request(1, "ping")).status, 200)


class Addresses(Case):
    def ping(self, server, address, **options):
        connection = server.connect(address, **options)
        self.assertEqual(connection.ask(request(1, "ping")).message["result"], {})
        connection.close()

    def test_ipv6(self):
        server = self.serve("echo", listen=["http://[::1]:0"])
        self.assertRegex(server.urls[0], r"^http://\[::1\]:[1-9]\d*$")
        self.ping(server, ("::1", server.port))

    def test_localhost_is_both_families(self):
        server = self.serve("echo", listen=["http://localhost:0"])
        self.ping(server, ("127.0.0.1", server.port))
        self.ping(server, ("::1", server.port))

    def test_several_addresses(self):
        file = self.folder / "collet.sock"
        server = self.serve("echo", listen=["http://127.0.0.1:0", "http://127.0.0.2:0", f"unix:{file}"])
        self.ping(server, ("127.0.0.1", server.port))
        self.ping(server, ("127.0.0.2", int(server.urls[1].rsplit(":", 1)[1])))
        self.ping(server, str(file))

    def test_unix_socket(self):
        file = self.folder / "collet.sock"
        server = self.serve("echo", listen=[f"unix:{file}"])
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.ping(server, str(file))
        second = run("serve", "-c", self.config("echo"), "-l", f"unix:{file}")
        self.assertEqual(second.returncode, 4)
        self.assertIn("another server listens there", second.stderr)
        server.kill()
        self.assertTrue(file.exists())  # it was killed: the next server takes the place over
        server = self.serve("echo", listen=[f"unix:{file}"])
        self.ping(server, str(file))
        server.signal(15)
        self.assertEqual(server.wait(), 0)
        self.assertFalse(file.exists())

    def test_a_busy_port_is_an_error(self):
        server = self.serve("echo")
        for url in (server.urls[0], f"http://localhost:{server.port}"):
            second = run("serve", "-c", self.config("echo"), "-l", url)
            self.assertEqual(second.returncode, 4)
            self.assertIn(f"cannot listen on {url}: the port is already in use", second.stderr)
        self.ping(server, None)

    def test_an_address_of_another_machine_is_an_error(self):
        config = self.config("echo", text="[server]\ninsecure = true\n")
        refused = run("serve", "-c", config, "-l", "http://192.0.2.1:0")
        self.assertEqual(refused.returncode, 4)
        self.assertIn("no such address", refused.stderr)

    def test_tls(self):
        certificate, key = self_signed(self.folder, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
        tls = f'[server.tls]\ncertificate = "{certificate}"\nkey = "{key}"\n'
        server = self.serve("echo", text=tls, listen=["https://127.0.0.1:0", "http://127.0.0.1:0"])
        context = ssl.create_default_context(cafile=certificate)
        connection = server.connect(tls=context)
        large = "x" * (1 << 20)
        for _ in range(3):
            self.assertEqual(text_of(connection.ask(call(1, "echo", {"text": large})).message), large)
        plain = server.connect()  # without TLS where TLS is expected
        plain.send(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(plain.is_closed())
        self.ping(server, ("127.0.0.1", int(server.urls[1].rsplit(":", 1)[1])))
        self.ping(server, None, tls=context)

    def test_https_needs_a_certificate(self):
        refused = run("serve", "-c", self.config("echo"), "-l", "https://127.0.0.1:0")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("certificate", refused.stderr)
        missing = self.config("echo", text='[server.tls]\ncertificate = "none.pem"\nkey = "none.pem"\n')
        refused = run("serve", "-c", missing, "-l", "https://127.0.0.1:0")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("none.pem", refused.stderr)


class Activity(Case):
    def test_the_log_says_who_called_what_and_how_it_ended(self):
        tokens = "".join(f'[[server.token]]\nname = "{name}"\nhash = "sha256:{hashlib.sha256(name.encode()).hexdigest()}"\n'
                         for name in ("alice", "bob"))
        server = self.serve("echo", text=f"[log]\ncalls = true\nrequests = true\n{tokens}")
        server.post(call(1, "echo", {"text": "x"}), Authorization="Bearer alice")
        server.logged(r'info call of tool "echo" for alice: completed by plugin echo, generation 1, in \d+ µs, 13 bytes in, \d+ out$')
        server.logged(r'info request "tools/call" of alice \(legacy, http\): result in \d+ µs, \d+ bytes$')
        server.post(call(2, "none"), Authorization="Bearer bob")
        server.logged(r'info request "tools/call" of bob \(legacy, http\): error -32602 in')
        self.assertEqual(len([line for line in server.log if "call of" in line]), 1)
        server.post(request(3, "evil\n2026 info forged"), Authorization="Bearer bob")
        line = server.logged("forged").string
        self.assertIn("of bob", line)

    def test_at_the_level_debug_it_says_what_is_offered_and_why_a_call_failed(self):
        library = BUILD / "tests/modules/versioned_1.so"
        server = self.serve("echo", text=f'[log]\nlevel = "debug"\n[plugin.p]\nlibrary = "{library}"\n')
        server.logged("debug plugin echo: org.collet.echo 1.0.0 offers [+]echo$")
        server.post(call(1, "err"))
        server.logged('info call of tool "err" for anybody: failed .-32603. by plugin p')
        server.logged('debug plugin p: tool "err" says: plugin p: call.. returned')
        server.post(call(2, "echo", {"text": "x"}))
        server.logged('info call of tool "echo" for anybody: completed by plugin echo')
        self.assertFalse([line for line in server.log if 'tool "echo" says' in line])

    def test_it_says_nothing_unasked(self):
        server = self.serve("echo")
        server.post(call(1, "echo", {"text": "x"}))
        server.signal(signal.SIGTERM)
        server.wait()
        self.assertFalse([line for line in server.log if line and ("call of" in line or "request " in line)])

    def test_a_client_of_the_standard_streams_is_named(self):
        peer = self.stdio("echo", text="[log]\ncalls = true\n")
        peer.ask(call(1, "echo", {"text": "x"}))
        peer.logged('call of tool "echo" for this process: completed')


if __name__ == "__main__":
    main()

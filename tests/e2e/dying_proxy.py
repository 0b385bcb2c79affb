"""A TCP proxy in front of a server, whose next connection to carry bytes ends, or lies, at whichever byte a test wants."""
import socket
import struct
import threading


class DyingProxy:
    def __init__(self, port):
        self.target = port
        self.lock = threading.Lock()
        self.fate = None
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.listener.close()
        with self.lock:
            for end in self.open:
                end.close()

    def doom(self, **fate):
        """The connection on which a client says something next ends after `reads` bytes of the request, or in place of byte `says`
        of what the server says from then on: when that comes, and not before; with a reset if `resets`. Or the byte at `changes` or `drops` of what the
        server says is another one, or missing."""
        with self.lock:
            self.fate = {"reads": None, "says": None, "resets": False, "changes": None, "drops": None, **fate}

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            pair = Pair(self, client, server)
            with self.lock:
                self.open |= {client, server}
            threading.Thread(target=pair.upward, daemon=True).start()
            threading.Thread(target=pair.downward, daemon=True).start()


def lie(data, begin, changes, drops, **_):
    """The data, which begins at that byte of all."""
    if changes is not None and 0 <= changes - begin < len(data):
        at = changes - begin
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
    if drops is not None and 0 <= drops - begin < len(data):
        return data[:drops - begin] + data[drops - begin + 1:]
    return data


class Pair:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.fate = None
        self.read = self.said = 0
        self.over = False

    def upward(self):
        while data := self.receive(self.client):
            with self.proxy.lock:
                if self.proxy.fate and not self.fate:
                    self.fate, self.proxy.fate = self.proxy.fate, None
            limit = self.fate["reads"] if self.fate else None
            passed = data if limit is None else data[:limit - self.read]
            self.read += len(passed)
            self.send(self.server, passed)
            if limit is not None and self.read >= limit:
                break
        self.end()

    def downward(self):
        while data := self.receive(self.server):
            limit = self.fate["says"] if self.fate else None
            passed = data if limit is None else data[:limit - self.said]
            if self.fate:
                passed, self.said = lie(passed, self.said, **self.fate), self.said + len(passed)
            self.send(self.client, passed)
            if limit is not None and len(passed) < len(data):
                break
        self.end()

    @staticmethod
    def receive(end):
        try:
            return end.recv(1 << 16)
        except OSError:
            return b""

    @staticmethod
    def send(end, data):
        try:
            end.sendall(data)
        except OSError:
            pass

    def end(self):
        with self.proxy.lock:
            if self.over:
                return
            self.over = True
        resets = self.fate and self.fate["resets"]
        if resets:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for end, how in ((self.client, socket.SHUT_RD if resets else socket.SHUT_RDWR), (self.server, socket.SHUT_RDWR)):
            try:
                end.shutdown(how)  # wakes the thread that reads it
            except OSError:
                pass
            end.close()

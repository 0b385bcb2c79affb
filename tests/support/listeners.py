"""Many clients, each with an open subscriptions/listen stream."""
import json
import resource
import selectors
import socket
import time

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


def allow_open_files(count):
    """This process, and those that it starts from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def listen_request(id, wishes):
    body = json.dumps({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen",
                       "params": {"notifications": wishes, "_meta": META}})
    return (f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n"
            f"Mcp-Method: subscriptions/listen\r\n\r\n{body}").encode()


class Listeners:
    """`count` of them, at a port of loopback; each has been acknowledged."""

    def __init__(self, port, count, wishes, timeout_s=120):
        self._timeout_s = timeout_s
        self._selector = selectors.DefaultSelector()
        self._unread = {}
        for id in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout_s)
            connection.sendall(listen_request(id, wishes))
            connection.setblocking(False)
            self._unread[connection] = b""
            self._selector.register(connection, selectors.EVENT_READ)
        self.hear(b"notifications/subscriptions/acknowledged")

    def hear(self, text):
        """Reads until each has had an event with that text. The events that came first, and when the last one was read."""
        waiting = set(self._unread)
        first = []
        end = time.monotonic() + self._timeout_s
        while waiting:
            ready = self._selector.select(max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"{len(waiting)} of {len(self._unread)} streams have not had {text}")
            for key, _ in ready:
                if (event := self._event(key.fileobj, text)) and key.fileobj in waiting:
                    waiting.remove(key.fileobj)
                    first.append(event)
        return first, time.monotonic()

    def _event(self, connection, text):
        """The first event with the text in what has come; what came before it is dropped."""
        if not (data := connection.recv(1 << 16)):
            raise AssertionError("the server has closed a stream")
        self._unread[connection] += data
        while b"\n\n" in self._unread[connection]:
            event, _, self._unread[connection] = self._unread[connection].partition(b"\n\n")
            if text in event:
                return event[event.index(b"data: ") + len(b"data: "):]
        return None

    def close(self):
        self._selector.close()
        for connection in self._unread:
            connection.close()
        self._unread.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

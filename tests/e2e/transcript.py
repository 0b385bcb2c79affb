"""What was said on the connections of a test, written down for wire_check to hold against the protocol's schemas."""
import re
import subprocess


class Transcript:
    """Conversations, each a list of lines: a stdio peer's, or those of all HTTP connections together."""

    def __init__(self):
        self._http = []
        self._stdio = []

    def stdio(self):
        """The lines of a new peer."""
        self._stdio.append([])
        return self._stdio[-1]

    def exchange(self, request):
        """The lines of a new exchange over HTTP; exchanges stand in the order in which this is asked."""
        lines = [b"> " + line for line in request]
        self._http.append(lines)
        return lines

    def complaints(self, wire_check):
        """What the schemas refuse, as text."""
        http = [line for lines in self._http for line in lines]
        found = ""
        for lines in (lines for lines in (http, *self._stdio) if lines):
            done = subprocess.run([wire_check], input=b"\n".join(lines), stdout=subprocess.PIPE)
            if done.returncode != 0:
                found += done.stdout.decode(errors="replace")
        return found


def is_message(line):
    return line.startswith((b"{", b"["))


class SentLines:
    """Stands before a peer's stdin and writes down the messages that pass."""

    def __init__(self, stream, lines):
        self._stream, self._lines, self._begun = stream, lines, b""

    def write(self, data):
        taken = self._stream.write(data)
        *whole, self._begun = (self._begun + data[:taken or 0]).split(b"\n")
        self._lines += [b"> " + line.rstrip(b"\r") for line in whole if is_message(line)]
        return taken

    def __getattr__(self, name):
        return getattr(self._stream, name)


class SentRequests:
    """Finds the requests in the bytes that a connection sends; where they make no sense it gives up."""

    def __init__(self):
        self._bytes = b""
        self._requests = []

    def add(self, data):
        self._bytes += data
        while (found := self._first()) is not None:
            self._requests.append(found)

    def next(self):
        """The lines of the request that is to be answered now; a nameless one if it is not known."""
        return self._requests.pop(0) if self._requests else [b"POST /"]

    def _first(self):
        head, end, rest = self._bytes.partition(b"\r\n\r\n")
        lengths = re.findall(rb"(?i)\r\ncontent-length: (\d+)", head)
        if not end or len(lengths) > 1 or len(rest) < (size := int(lengths[0]) if lengths else 0):
            return None
        self._bytes = rest[size:]
        body = rest[:size]
        return [*head.split(b"\r\n"), *([body] if b"\n" not in body else [])]

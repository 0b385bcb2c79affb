"""An MCP server for tests, as good or as bad as a test wants, over HTTP inside the test or as a child process.

As a child: `fake_remote.py JSON`, where JSON has attributes of FakeRemote, such as {"era": "legacy"}.
"""
import itertools
import json
import os
import queue
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

META = "io.modelcontextprotocol/"
LANES = 1 << 23  # ids of requests that the client sends by lanes begin there


class RpcError(Exception):
    def __init__(self, code, message, data=None):
        self.error = {"code": code, "message": message, **({} if data is None else {"data": data})}


class NoAnswer(Exception):
    """The request is left without one."""


class Unavailable(Exception):
    """Over HTTP: the request is answered with 503."""


class NoSession(Exception):
    """Over HTTP: the request is answered with 404, as if its session were forgotten."""


class Talk:
    """What a request can do besides being answered: tell and ask. `send` takes a message."""

    def __init__(self, remote, message, send, headers=None):
        self.remote, self.message, self.send, self.headers = remote, message, send, headers or {}
        self.cancelled = threading.Event()

    @property
    def params(self):
        return self.message.get("params", {})

    @property
    def meta(self):
        return self.params.get("_meta", {})

    def notify(self, method, **params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method, **params):
        """Legacy: asks the client and waits for its answer."""
        answers = queue.Queue()
        with self.remote.lock:
            self.remote.questions += 1
            id = f"q{self.remote.questions}"
            self.remote.open_questions[id] = answers
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        answer = answers.get(timeout=120)  # a test may leave a thousand of them open, one after the other
        if "error" in answer:
            raise RpcError(-32000, "the client said " + answer["error"]["message"])
        return answer["result"]


def tool(name, schema=None, **more):
    return {"name": name, "description": name, "inputSchema": schema or {"type": "object"}, **more}


def text(words, **more):
    return {"content": [{"type": "text", "text": words}], **more}


ASK_NAME = {"method": "elicitation/create",
            "params": {"message": "who?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}}}


class FakeTask:
    """What the tool `job` runs as. `how` it goes: "done", "fails", "error", "ask", "wait", "die"."""

    def __init__(self, id, how, token):
        self.id, self.how, self.token = id, how, token
        self.looks = 0  # it takes two to be over
        self.answer = None
        self.cancelled = threading.Event()

    @property
    def status(self):
        if self.cancelled.is_set():
            return "cancelled"
        if self.how == "ask" and not self.answer:
            return "input_required"
        if self.how == "wait" or self.looks < 2:
            return "working"
        return "failed" if self.how == "error" else "completed"

    def describe(self, era):
        unit = "Ms" if era == "modern" else ""
        return {"taskId": self.id, "status": self.status, "createdAt": "2026-01-01T00:00:00Z",
                "lastUpdatedAt": "2026-01-01T00:00:00Z", "statusMessage": f"look {self.looks}", "ttl" + unit: 60_000,
                "pollInterval" + unit: 50}

    def outcome(self):
        if self.how == "error":
            raise RpcError(-32099, "I refuse")
        if self.how == "ask":
            return text(f"{self.answer['action']} {self.answer['content']['name']}")
        return text(self.how, **({"isError": True} if self.how == "fails" else {}))


class FakeRemote:
    era = "modern"
    version = None
    list_changed = True
    mode = ""
    instructions = None
    undeclared = False  # it does not say that it logs
    ttl_ms = 0

    def __init__(self, **attributes):
        self.__dict__.update(attributes)
        self.lock = threading.Lock()
        self.questions = 0
        self.open_questions = {}
        self.running = {}
        self.tasks = {}
        self.seen = []
        self.listeners = []  # Talk of open subscriptions, or side streams
        self.tools = [tool(name) for name in ("echo", "wait", "noisy", "ask", "sample", "roots", "refuse", "meta", "die")]
        self.tools += [tool("read_only", annotations={"readOnlyHint": True})]
        self.tools += [tool("job", **({"execution": {"taskSupport": "required"}} if self.era == "legacy" else {}))]
        self.resources = [{"uri": "fake://one", "name": "one", "mimeType": "text/plain"}]
        self.templates = [{"uriTemplate": "fake://item/{id}", "name": "items"}]
        self.prompts = [{"name": "greet", "description": "d", "arguments": [{"name": "who", "required": True}]}]

    # both eras

    def capabilities(self):
        changes = {"listChanged": True} if self.list_changed else {}
        tasks = ({"extensions": {META + "tasks": {}}} if self.era == "modern" else
                 {"tasks": {"cancel": {}, "requests": {"tools": {"call": {}}}}})
        return {"tools": changes, "resources": {"subscribe": True, **changes}, "prompts": changes, "completions": {},
                **({} if self.undeclared else {"logging": {}}), **tasks}

    def stamped(self, result):
        if self.era == "modern":
            result.setdefault("resultType", "complete")
        return result

    def handle(self, talk):
        method = talk.message["method"]
        handler = getattr(self, "on_" + method.replace("/", "_"), None)
        legacy_only = {"initialize", "resources/subscribe", "resources/unsubscribe", "logging/setLevel", "ping", "tasks/result"}
        if not handler or (method in legacy_only) == (self.era == "modern") and method in legacy_only | {"server/discover"}:
            raise RpcError(-32601, f"no method {method}")
        if self.era == "legacy" and method in ("server/discover", "subscriptions/listen", "tasks/update"):
            raise RpcError(-32601, f"no method {method}")
        return self.stamped(handler(talk))

    def told(self):
        return {"capabilities": self.capabilities(), **({"instructions": self.instructions} if self.instructions else {})}

    def on_server_discover(self, talk):
        return {"supportedVersions": ["2026-07-28"], "ttlMs": 0, "cacheScope": "public", **self.told(),
                "_meta": {META + "serverInfo": {"name": "fake", "version": "1"}}}

    def on_initialize(self, talk):
        version = self.version or talk.params["protocolVersion"]
        return {"protocolVersion": version, "serverInfo": {"name": "fake", "version": "1"}, **self.told()}

    def page(self, key, items):
        return {key: items, **({"ttlMs": self.ttl_ms, "cacheScope": "public"} if self.era == "modern" else {})}

    def on_tools_list(self, talk):
        return self.page("tools", self.tools)

    def on_resources_list(self, talk):
        return self.page("resources", self.resources)

    def on_resources_templates_list(self, talk):
        return self.page("resourceTemplates", self.templates)

    def on_prompts_list(self, talk):
        return self.page("prompts", self.prompts)

    def on_resources_read(self, talk):
        uri = talk.params["uri"]
        return self.page("contents", [{"uri": uri, "text": f"contents of {uri}"}])

    def on_prompts_get(self, talk):
        words = f"hello {talk.params.get('arguments', {}).get('who')}"
        return {"messages": [{"role": "user", "content": {"type": "text", "text": words}}], "description": "a greeting"}

    def on_completion_complete(self, talk):
        ref, value = talk.params["ref"], talk.params["argument"]["value"]
        return {"completion": {"values": [value + "!", json.dumps(ref, sort_keys=True)], "total": 9, "hasMore": True}}

    def on_logging_setLevel(self, talk):
        return {}

    def on_resources_subscribe(self, talk):
        return {}

    def on_resources_unsubscribe(self, talk):
        return {}

    def on_subscriptions_listen(self, talk):
        id = talk.message["id"]
        talk.notify("notifications/subscriptions/acknowledged", _meta={META + "subscriptionId": id},
                    notifications=talk.params["notifications"])
        with self.lock:
            self.listeners.append(talk)
        talk.cancelled.wait()
        raise NoAnswer

    def tell(self, method, **params):
        """All who listen."""
        with self.lock:
            listeners = list(self.listeners)
        for talk in listeners:
            try:
                talk.notify(method, **params)
            except OSError:
                pass

    def on_tools_call(self, talk):
        return getattr(self, "tool_" + talk.params["name"])(talk, talk.params.get("arguments") or {})

    # tools

    def tool_echo(self, talk, arguments):
        return text(arguments.get("text", ""), structuredContent={"number": 1.50}, more={"kept": True})

    def tool_read_only(self, talk, arguments):
        return text("read")

    def tool_wait(self, talk, arguments):
        if (token := talk.meta.get("progressToken")) is not None:
            talk.notify("notifications/progress", progressToken=token, progress=0, message="waiting")
        talk.cancelled.wait()
        raise NoAnswer

    def tool_noisy(self, talk, arguments):
        token = talk.meta.get("progressToken")
        if token is not None:
            talk.notify("notifications/progress", progressToken=token, progress=1, total=2, message="half")
        if self.era == "legacy" or META + "logLevel" in talk.meta:
            talk.notify("notifications/message", level="warning", logger="fake", data={"said": "something"})
        return text("done")

    def question(self, talk, key, request):
        """The client's answer to a question; in the modern era by asking for another try."""
        if self.era == "legacy":
            return talk.ask(request["method"], **request.get("params", {}))
        responses = talk.params.get("inputResponses") or {}
        if key not in responses:
            return None
        if talk.params.get("requestState") != "state of " + key:
            raise RpcError(-32602, "the state is not mine")
        return responses[key]

    def asked(self, talk, key, request, answer):
        response = self.question(talk, key, request)
        if response is None:
            return {"resultType": "input_required", "inputRequests": {key: request}, "requestState": "state of " + key}
        return text(answer(response))

    def tool_ask(self, talk, arguments):
        return self.asked(talk, "name", ASK_NAME, lambda r: f"{r['action']} {r.get('content', {}).get('name')}")

    def tool_sample(self, talk, arguments):
        request = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 5}}
        return self.asked(talk, "sample", request, lambda r: r["content"]["text"])

    def tool_roots(self, talk, arguments):
        return self.asked(talk, "roots", {"method": "roots/list"}, lambda r: r["roots"][0]["uri"])

    def tool_refuse(self, talk, arguments):
        raise RpcError(-32099, "I refuse", {"why": "I can"})

    def tool_meta(self, talk, arguments):
        headers = {name.lower(): value for name, value in talk.headers.items()}
        return text(json.dumps({"meta": talk.meta, "headers": headers}))

    def tool_die(self, talk, arguments):
        os._exit(3)

    # tasks

    def tool_job(self, talk, arguments):
        extensions = talk.meta.get(META + "clientCapabilities", {}).get("extensions", {})
        if self.era == "modern" and META + "tasks" not in extensions:
            raise RpcError(-32021, "tasks, please", {"requiredCapabilities": {"extensions": {META + "tasks": {}}}})
        if self.era == "legacy" and "task" not in talk.params:
            raise RpcError(-32601, "tasks, please")
        with self.lock:
            task = FakeTask(f"task-{len(self.tasks) + 1}", arguments["how"], talk.meta.get("progressToken"))
            self.tasks[task.id] = task
        state = task.describe(self.era)
        return {"resultType": "task", **state} if self.era == "modern" else {"task": state}

    def task_of(self, talk):
        if talk.params["taskId"] not in self.tasks:
            raise RpcError(-32602, "no such task")
        return self.tasks[talk.params["taskId"]]

    def on_tasks_get(self, talk):
        task = self.task_of(talk)
        task.looks += 1
        if task.how == "die":
            os._exit(3)
        state = task.describe(self.era)
        if self.era == "legacy":
            return state
        if task.status == "input_required":
            state["inputRequests"] = {"name": ASK_NAME}
        if task.status == "completed":
            state["result"] = task.outcome()
        if task.status == "failed":
            state["error"] = {"code": -32099, "message": "I refuse"}
        return state

    def on_tasks_update(self, talk):
        self.task_of(talk).answer = talk.params["inputResponses"]["name"]
        return {}

    def on_tasks_cancel(self, talk):
        task = self.task_of(talk)
        task.cancelled.set()
        return {} if self.era == "modern" else task.describe(self.era)

    def on_tasks_result(self, talk):
        task = self.task_of(talk)
        related = {META + "related-task": {"taskId": task.id}}
        if task.how == "die":
            os._exit(3)
        if self.mode == "impatient" and task.status not in ("completed", "failed", "input_required"):
            raise RpcError(-32602, "the task is not over yet")
        if task.token is not None:
            talk.notify("notifications/progress", progressToken=task.token, progress=1, total=2, message="half")
        if task.how == "ask":
            try:
                task.answer = talk.ask(ASK_NAME["method"], **ASK_NAME["params"], _meta=related)
            except RpcError:
                task.how, task.looks = "error", 2
                raise
        if task.how == "wait":
            task.cancelled.wait()
            raise RpcError(-32602, "the task was cancelled")
        return {**task.outcome(), "_meta": related}

    # taking messages

    def take(self, message, send, headers=None):
        """One message; what is to be said goes to `send`."""
        with self.lock:
            self.seen.append(message)
        method = message.get("method")
        if method is None:
            answers = self.open_questions.get(message["id"])
            return answers and answers.put(message)
        if method == "notifications/cancelled":
            running = self.running.get(message["params"]["requestId"])
            return running and running.cancelled.set()
        if "id" not in message:
            return None
        talk = Talk(self, message, send, headers)
        self.running[message["id"]] = talk
        try:
            send({"jsonrpc": "2.0", "id": message["id"], "result": self.handle(talk)})
        except RpcError as wrong:
            send({"jsonrpc": "2.0", "id": message["id"], "error": wrong.error})
        except NoAnswer:
            pass

    def methods(self):
        with self.lock:
            return [message.get("method") for message in self.seen]


class HttpRemote:
    """A FakeRemote on a port of its own."""

    def __init__(self, remote, port=0):
        self.remote = remote
        self.sessions = set()
        self.connections = set()
        self.statuses = {}  # by method: a status to answer with instead, as (status, headers, body)
        self.refusal = (404, b"no such session", {})  # of what names a session that is none
        self.raw = {}  # by method: a function of the message, whose bytes are all that its connection still says
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def finish(self):
                outer.connections.discard(self.connection)
                super().finish()

            def log_message(self, *_):
                pass

            def do_POST(self):
                outer.post(self)

            def do_GET(self):
                outer.get(self)

            def do_DELETE(self):
                outer.sessions.discard(self.headers.get("Mcp-Session-Id"))
                outer.reply(self, 200)

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 256

            def process_request(self, connection, address):
                outer.connections.add(connection)  # here, so that stop() knows of all that were accepted
                super().process_request(connection, address)

            def handle_error(self, *_):
                pass

        self.server = Listener(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def reply(http, status, body=b"", **headers):
        http.send_response(status)
        for name, value in headers.items():
            http.send_header(name.replace("_", "-"), value)
        http.send_header("Content-Length", len(body))
        http.end_headers()
        http.wfile.write(body)

    def refuse(self, http):
        status, body, headers = self.refusal
        return self.reply(http, status, body, **headers)

    @staticmethod
    def begin_stream(http):
        http.send_response(200)
        http.send_header("Content-Type", "text/event-stream")
        http.send_header("Transfer-Encoding", "chunked")
        http.end_headers()

    @staticmethod
    def event(http, message):
        data = f"data: {json.dumps(message)}\n\n".encode()
        http.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        http.wfile.flush()

    def post(self, http):
        if self.remote.mode == "sse":
            return self.post_sse(http)
        body = http.rfile.read(int(http.headers.get("Content-Length", 0)))
        message = json.loads(body)
        method = message.get("method")
        if method in self.statuses:
            status, headers, text = self.statuses[method]
            return self.reply(http, status, text, **headers)
        if method in self.raw:
            http.close_connection = True
            return http.wfile.write(self.raw[method](message))
        if self.remote.era == "legacy":
            session = http.headers.get("Mcp-Session-Id")
            if method == "initialize":
                session = f"session-{len(self.remote.seen)}"
                self.sessions.add(session)
            elif session is None:
                return self.reply(http, 400, b"no session")
            elif session not in self.sessions:
                return self.refuse(http)
        if "id" not in message or method is None:
            self.remote.take(message, None)
            return self.reply(http, 202)
        streaming = False

        def send(out):
            nonlocal streaming
            if out.get("id") == message["id"] and "method" not in out and not streaming:
                extra = {"Mcp_Session_Id": session} if method == "initialize" else {}
                status = 404 if self.remote.era == "modern" and out.get("error", {}).get("code") == -32601 else 200
                return self.reply(http, status, json.dumps(out).encode(), Content_Type="application/json", **extra)
            if not streaming:
                self.begin_stream(http)
                streaming = True
            self.event(http, out)

        try:
            self.remote.take(message, send, dict(http.headers))
        except Unavailable:
            return self.reply(http, 503)
        except NoSession:
            return self.reply(http, 404, b"no such session")
        return streaming and http.wfile.write(b"0\r\n\r\n")

    def get_sse(self, http):
        """HTTP with SSE: the stream that names its endpoint, and brings the answers."""
        self.begin_stream(http)
        lock = threading.Lock()

        def send(message, event="message"):
            data = message if event == "endpoint" else json.dumps(message)
            text = f"event: {event}\ndata: {data}\n\n".encode()
            with lock:
                http.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
                http.wfile.flush()

        self.sse = send
        with self.remote.lock:
            talk = Talk(self.remote, {}, send)
            self.remote.listeners.append(talk)
        send("messages?session=1", "endpoint")
        talk.cancelled.wait()

    def post_sse(self, http):
        message = json.loads(http.rfile.read(int(http.headers["Content-Length"])))
        if http.path != "/messages?session=1":
            return self.reply(http, 404)
        if "id" not in message:
            self.remote.take(message, self.sse)
            return self.reply(http, 202)
        self.reply(http, 202)
        return threading.Thread(target=self.take_quietly, args=(message, self.sse), daemon=True).start()

    def take_quietly(self, message, send):
        try:
            self.remote.take(message, send)
        except OSError:
            pass  # the stream has gone

    def get(self, http):
        if self.remote.mode == "sse":
            return self.get_sse(http)
        if self.remote.era == "modern" or self.remote.mode == "no side stream":
            return self.reply(http, 405)
        if http.headers.get("Mcp-Session-Id") not in self.sessions:
            return self.refuse(http)
        self.begin_stream(http)
        talk = Talk(self.remote, {}, lambda out: self.event(http, out))
        with self.remote.lock:
            self.remote.listeners.append(talk)
        talk.cancelled.wait()
        http.close_connection = True


class StdioRemote(FakeRemote):
    log = None
    first = b""  # of stdin, if that was read

    def __init__(self, **attributes):
        super().__init__(**attributes)
        self.tools += [tool("cut"), tool("deaf"), tool("say"), tool("variables")]

    def tool_variables(self, talk, arguments):
        return text(json.dumps(dict(os.environ)))

    def executed(self, what):
        if self.log:
            with open(self.log, "a") as log:
                log.write(what + "\n")

    def tool_cut(self, talk, arguments):
        """Ends after so many bytes of its answer."""
        self.executed("cut")
        answer = json.dumps({"jsonrpc": "2.0", "id": talk.message["id"], "result": text("cut")})
        sys.stdout.write(answer[:arguments["at"]])
        sys.stdout.flush()
        os._exit(3)

    def tool_deaf(self, talk, arguments):
        """Answers, reads so many bytes of the next request, and ends."""
        self.bytes_left = arguments["at"]
        return text("deaf")

    def tool_say(self, talk, arguments):
        """Says these bytes, in which @ is the request's id, for an answer."""
        self.executed("say")
        words = arguments["bytes"].replace("@", str(talk.message["id"]))
        sys.stdout.buffer.write(words.encode("latin-1") + b"\n")
        sys.stdout.buffer.flush()
        raise NoAnswer

    def expects(self, stdin):
        """Whether the first message, which is left to be read, is initialize; else goes the way that its mode has."""
        self.first = stdin.read(1 << 16)
        method = json.loads(self.first.splitlines()[0])["method"]
        with open(self.log, "a") as log:
            log.write(method + "\n")
        if method == "initialize":
            return True
        if self.mode.startswith("closes"):
            os.close(1)
        while self.mode.startswith(("closes", "hangs")) and stdin.read(1 << 16):
            pass
        os._exit(2)

    def run(self):
        lock = threading.Lock()

        def send(message):
            with lock:
                sys.stdout.write(json.dumps(message) + "\n")
                sys.stdout.flush()

        if self.mode == "silent":
            return sys.stdin.read()
        if self.mode.endswith("at a probe") and not self.expects(sys.stdin.buffer.raw):
            return
        if self.mode == "ignores signals":
            import signal
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.era == "legacy":
            self.listeners.append(Talk(self, {}, send))
        babble = ("this is no message", '{"jsonrpc":"2.0","result":' + "[" * 10_000 + "]" * 10_000 + "}",
                  '{"jsonrpc":"2.0","id":99999,"result":{}}', '{"id":"\udcff"}', "[]", "\0\r")
        if self.mode == "babbles":
            sys.stdout.reconfigure(errors="surrogateescape")
        for line in itertools.chain(self.first.decode().splitlines(), sys.stdin):
            if self.mode == "junk":
                print("this is no message")
            if self.mode == "babbles":
                with lock:
                    print(*babble, sep="\n", flush=True)
            taker = threading.Thread(target=self.take, args=(json.loads(line), send), daemon=True)
            taker.start()
            if '"deaf"' in line and '"tools/call"' in line:
                taker.join()
                heard = b""
                while len(heard) < self.bytes_left and b"\n" not in heard:
                    heard += os.read(0, self.bytes_left - len(heard))
                break
        while self.mode == "ignores signals":
            threading.Event().wait(60)
        os._exit(0)


if __name__ == "__main__":
    StdioRemote(**json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")).run()

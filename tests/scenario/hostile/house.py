"""What the hostile scenarios share: the gateway rig of tests/interop with raw sockets from several addresses (127.0.0.0/8 is
all ours), a WebSocket client that can misbehave, a well-behaved one in a process of its own, and TAP."""
import base64
import contextlib
import http.client
import json
import multiprocessing
import os
import re
import socket
import ssl
import statistics
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "interop"))
import gateway_rig  # noqa: E402
from gateway_rig import until  # noqa: E402,F401

BUILD = os.path.join(gateway_rig.ROOT, "build")
for name, place in (("GATEWAY", "gateway/ortoo-gateway"), ("MCU", "mcu/engine/ortoo-mcu"), ("LOAD", "tests/kit/ortoo-load")):
    os.environ.setdefault("ORTOO_" + name, os.path.join(BUILD, place))  # meson names them; this is for runs by hand

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Tap:
    """Every check is reported; one that fails stops nothing."""

    def __init__(self):
        self.n, self.bad = 0, 0

    def ok(self, good, what, *details):
        self.n += 1
        self.bad += not good
        print("ok" if good else "not ok", self.n, "-", what, flush=True)
        for d in details if not good else ():
            self.say(d)
        return good

    def little(self, grown, mib, pid):
        """Memory that a process took."""
        return self.ok(grown < mib << 20 or sanitized(pid), f"memory grew by {grown / (1 << 20):.1f} MiB, less than {mib}")

    def same(self, got, want, what):
        return self.ok(got == want, what, f"got  {str(got)[:400]}", f"want {str(want)[:400]}")

    def say(self, *words):
        print("#", *words, flush=True)

    def done(self):
        print(f"1..{self.n}", flush=True)


def run(*scenarios):
    """Names on the command line pick scenarios. One that breaks off is one failed check."""
    tap = Tap()
    for fn in scenarios:
        if len(sys.argv) > 1 and fn.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        try:
            fn(tap)
        except Exception as e:  # the next scenario has a house of its own
            import traceback
            traceback.print_exc()
            tap.ok(False, f"{fn.__name__} ran to its end", repr(e))
        tap.say(f"{fn.__name__}: {time.monotonic() - start:.1f} s")
    tap.done()


class Closed(Exception):
    """The other side ended the connection; code is that of the close frame, None when there was none."""

    def __init__(self, code=None, why=""):
        super().__init__(f"closed {code} {why}")
        self.code, self.why = code, why


class Ws:
    """RFC 6455 client without mercy: any bytes, any frame."""

    def __init__(self, sock, path="/ws", headers=(), timeout=10):
        self.sock, self.buffer, self.id, self.events, self.answers = sock, b"", 0, [], {}
        sock.settimeout(timeout)
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(), *headers]
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = self.read_until(b"\r\n\r\n").decode("latin-1")
        self.status = int(head.split(" ", 2)[1])
        if self.status != 101:
            self.close()
            raise Closed(self.status, "no upgrade")

    def fill(self):
        try:
            more = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError) as e:
            if isinstance(e, ssl.SSLWantReadError):
                raise
            more = b""
        if not more:
            raise Closed()
        self.buffer += more

    def take(self, n):
        while len(self.buffer) < n:
            self.fill()
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def read_until(self, mark):
        while mark not in self.buffer:
            self.fill()
        out, self.buffer = self.buffer.split(mark, 1)
        return out

    def frame(self, op, data, fin=True, mask=True, rsv=0, length=None):
        n = len(data) if length is None else length
        size = bytes([n]) if n < 126 else b"\x7e" + struct.pack(">H", n) if n < 65536 else b"\x7f" + struct.pack(">Q", n)
        head = bytes([(0x80 if fin else 0) | rsv << 4 | op, size[0] | (0x80 if mask else 0)]) + size[1:]
        self.sock.sendall(head + (b"\0\0\0\0" if mask else b"") + data)  # a mask of zeros is allowed

    def text(self, data):
        self.frame(TEXT, data if isinstance(data, bytes) else data.encode())

    def message(self):
        """Next whole message as (opcode, bytes); pings are answered."""
        whole, first = b"", None
        while True:
            head = self.take(2)
            op, n = head[0] & 15, head[1] & 127
            if n == 126:
                n = struct.unpack(">H", self.take(2))[0]
            elif n == 127:
                n = struct.unpack(">Q", self.take(8))[0]
            data = self.take(n)
            if op == CLOSE:
                raise Closed(struct.unpack(">H", data[:2])[0] if n >= 2 else None, data[2:].decode("utf-8", "replace"))
            if op == PING:
                self.frame(PONG, data)
                continue
            if op == PONG:
                return op, data
            first, whole = first if first is not None else op, whole + data
            if head[0] & 0x80:
                return first, whole

    def reply(self, want_id=None):
        """The answer of this number (None: the next one, in whatever order); others and events are put aside."""
        while want_id is not None or not self.answers:
            if want_id in self.answers:
                return self.answers.pop(want_id)
            op, data = self.message()
            if op == PONG:
                continue
            m = json.loads(data)
            if "method" not in m:
                self.answers[m["id"]] = m
            else:
                self.events.append(m)
                del self.events[:-1000]
        return self.answers.pop(next(iter(self.answers)))

    def ask(self, method, **params):
        self.id += 1
        self.text(json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}, ensure_ascii=False))
        return self.id

    def call(self, method, **params):
        """The answer's object: {"result": ...} or {"error": ...}."""
        return self.reply(self.ask(method, **params))

    def result(self, method, **params):
        m = self.call(method, **params)
        if "error" in m:
            raise AssertionError(f"{method}: {m['error']}")
        return m["result"]

    def ending(self, seconds=10):
        """Reads on until the other side closes: its code."""
        self.sock.settimeout(seconds)
        try:
            while True:
                self.message()
        except Closed as e:
            return e.code
        except (TimeoutError, ssl.SSLError):
            return "open"

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.close()


def code(message):
    """Name of an answer's error, "ok" for a result; of WebSocket and REST alike."""
    error = message.get("error") if isinstance(message, dict) else None
    return error.get("data", error).get("code") if error else "ok"


def sanitized(pid):
    """Built to find faults, not to be measured."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as f:
        return "libasan" in f.read()


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = None

    @property
    def code(self):
        return code(self.json) if self.json is not None else f"HTTP {self.status}"


class House(gateway_rig.Rig):
    """fds: descriptors that the gateway may have, soft and hard."""

    def __init__(self, *args, fds=None):
        super().__init__("--set", "auth.hash_memory_kib=8192", *args)
        self.fds_limit, self.context = fds, None

    def start(self):
        if self.context is None:
            self.context = ssl.create_default_context(cafile=self.ca)
        if not self.fds_limit:
            super().start()
            return
        real, wrapper = os.environ["ORTOO_GATEWAY"], os.path.join(self.state, "gateway")
        with open(wrapper, "w", encoding="ascii") as f:
            f.write(f'#!/bin/sh\nulimit -n {self.fds_limit}\nexec "{os.path.abspath(real)}" "$@"\n')
        os.chmod(wrapper, 0o700)
        os.environ["ORTOO_GATEWAY"] = wrapper
        try:
            super().start()
        finally:
            os.environ["ORTOO_GATEWAY"] = real

    def set_up(self):
        super().set_up()
        self.admin = self.call("token.issue", name="hostile", role="administrator")["token"]

    # ---- sockets ----
    def tcp(self, source="127.0.0.1", timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout, (source, 0))

    def tls(self, source="127.0.0.1", timeout=10):
        return self.context.wrap_socket(self.tcp(source, timeout), server_hostname="127.0.0.1")

    def ws(self, token=None, cookie=None, source="127.0.0.1", origin=None, path="/ws", timeout=10):
        headers = [f"Authorization: Bearer {token}"] if token else []
        headers += [f"Cookie: {cookie}"] if cookie else []
        headers += [f"Origin: {origin}"] if origin else []
        return Ws(self.tls(source, timeout), path, headers, timeout)

    def keep_alive(self, source="127.0.0.1"):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.context, source_address=(source, 0))

    def rest(self, method, params=None, token=None, cookie=None, source="127.0.0.1", headers=None, body=None, over=None):
        """POST of one method; `over` a keep_alive() connection."""
        h = {"Content-Type": "application/json", **(headers or {})}
        if token:
            h["Authorization"] = f"Bearer {token}"
        if cookie:
            h["Cookie"] = cookie
        c = over or self.keep_alive(source)
        try:
            c.request("POST", f"/api/v1/{method}", body if body is not None else json.dumps(params or {}).encode(), h)
            r = c.getresponse()
            return Reply(r.status, r.headers, r.read())
        finally:
            if not over:
                c.close()

    def raw(self, data, source="127.0.0.1", timeout=5):
        """Bytes in, all bytes out until the server closes or nothing more comes."""
        with self.tls(source, timeout) as s:
            out = b""
            with contextlib.suppress(OSError):
                s.sendall(data)
                s.settimeout(1.0)
                while more := s.recv(65536):
                    out += more
                    head, _, body = out.partition(b"\r\n\r\n")
                    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
                    if length and len(body) >= int(length[1]):
                        break
            return out

    # ---- figures ----
    def stats(self):
        r = self.rest("stats.get", token=self.admin, source="127.0.9.9")
        if r.status != 200:
            raise AssertionError(f"stats.get: {r.status} {r.body[:200]}")
        return r.json

    def rss(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) * 1024

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def database(self):
        return os.path.join(self.state, "ortoo.db")

    def verify(self):
        import subprocess
        r = subprocess.run([os.environ["ORTOO_GATEWAY"], "--verify-log", self.state], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        return r.returncode, r.stdout.strip()

    def kill(self):
        """As the power would: no signal handler, no last words. The engine stays."""
        self.process.kill()
        self.process.wait()


def watch(house, token, pipe, source):
    """Child: asks the time twenty times a second, until the pipe says stop; reports its round trips."""
    import signal
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    trips, why = [], ""
    try:
        ws = house.ws(token=token, source=source, timeout=20)
        pipe.send("here")
        while not pipe.poll(0.05):
            start = time.monotonic()
            reply = ws.call("time.sync", client_ms=len(trips))
            if reply["result"]["client_ms"] != len(trips):
                raise AssertionError("not my answer")
            trips.append(time.monotonic() - start)
    except Exception as e:  # whatever it was, the parent shall hear it
        why = repr(e)
        with contextlib.suppress(OSError):
            pipe.send("broken")
    pipe.send((trips, why))
    os._exit(0)


class Neighbour:
    """A well-behaved client in a process of its own; afterwards .trips and .why ("" = it lived)."""

    def __init__(self, house, source="127.0.7.7"):
        self.pipe, child = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=watch, args=(house, house.admin, child, source))
        self.process.start()

    def __enter__(self):
        self.pipe.recv()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.pipe.send("stop")
        got = None
        while not isinstance(got, tuple):
            got = self.pipe.recv() if self.pipe.poll(25) else ([], "no report")
        self.trips, self.why = got
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()

    def judge(self, tap, during):
        """Bounds are wide: other people's work runs on this machine too."""
        t = sorted(self.trips)
        if t:
            tap.say(f"neighbour during {during}: {len(t)} round trips, median {statistics.median(t) * 1e3:.1f} ms, "
                    f"p95 {t[int(len(t) * .95)] * 1e3:.1f} ms, worst {t[-1] * 1e3:.1f} ms")
        tap.ok(not self.why and len(t) > 2, f"{during}: the neighbour lost no answer", self.why, len(t))
        tap.ok(bool(t) and t[int(len(t) * .95)] < 2 and t[-1] < 8, f"{during}: the neighbour was answered in good time")

"""A real gateway with a real engine on free ports, with a state folder and an authority of its own; and what a script does
with it: set up the first administrator, open an incident, issue links, call any method over REST.

    with Rig() as rig:
        incident = rig.incident()
        link = rig.link(incident, "现场")            # {"id", "scene", "url", "token"}
        rig.call("incident.get", id=incident)

Programs come from the environment: ORTOO_GATEWAY, ORTOO_MCU, ORTOO_TERMINAL.
"""
import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_S, STOP_S = 20, 5
WITH_US = ["setpriv", "--pdeathsig", "TERM"]  # a peer that crashes takes this process along: nothing may stay behind
PASSWORD = "correct-horse-7-battery"


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def run(*cases, options=()):
    """Runs functions as TAP subtests under one rig; each gets the rig. options: more of the gateway's."""
    cases = [c for c in cases if len(sys.argv) < 2 or c.__name__ in sys.argv[1:]]
    print(f"1..{len(cases)}", flush=True)
    bad = 0
    with Rig(*options) as rig:
        for n, case in enumerate(cases, 1):
            begin = time.monotonic()
            try:
                case(rig)
                print(f"ok {n} - {case.__name__}", flush=True)
            except Exception:  # pylint: disable=broad-except
                bad += 1
                print(f"not ok {n} - {case.__name__}", flush=True)
                print("".join("# " + line for line in traceback.format_exc().splitlines(True)), flush=True)
            print(f"# {time.monotonic() - begin:.1f} s", flush=True)
            rig.end_terminals()
        if bad:
            print("".join("# " + line for line in rig.output[-40:]), flush=True)
    sys.exit(1 if bad else 0)


def own_address():
    """This machine's address towards the world, None without a network. libnice does not speak from 127.0.0.1 by itself.
    Connecting a UDP socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, contextlib.suppress(OSError):
        s.connect(("198.51.100.1", 9))
        return s.getsockname()[0]
    return None


def until(what, fn, timeout_s=10.0):
    """Polls; the last value is in the message when it never becomes true."""
    end, last = time.monotonic() + timeout_s, None
    while time.monotonic() < end:
        last = fn()
        if last:
            return last
        time.sleep(0.05)
    raise AssertionError(f"waited {timeout_s} s for {what}; last: {last!r}")


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:300]!r}")
        self.status, self.body = status, body
        try:
            self.code = json.loads(body)["error"]["code"]
        except (ValueError, KeyError, TypeError):
            self.code = ""


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Socket:
    """The API over WebSocket (RFC 6455), with the rig's session: what media methods need. One call at a time."""

    def __init__(self, rig):
        plain = socket.create_connection(("127.0.0.1", rig.port), 10)
        self.tls = ssl.create_default_context(cafile=rig.ca).wrap_socket(plain, server_hostname="127.0.0.1")
        host = f"127.0.0.1:{rig.port}"
        self.tls.sendall((f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
                          f"Cookie: {rig.cookie}\r\n\r\n").encode())
        self.stream, self.next_id, self.events = self.tls.makefile("rb"), 0, []
        status = self.stream.readline()
        while self.stream.readline().strip():
            pass
        if b" 101 " not in status:
            raise Refused(int(status.split()[1]), b"")

    def send(self, opcode, data):
        mask = os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        self.tls.sendall(bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        text = b""
        while True:
            first, size = self.stream.read(2)
            size = struct.unpack(">H", self.stream.read(2))[0] if size == 126 else \
                struct.unpack(">Q", self.stream.read(8))[0] if size == 127 else size
            data = self.stream.read(size)
            if first & 15 == 9:
                self.send(10, data)
            elif first & 15 == 8:
                raise ConnectionError(f"closed: {data!r}")
            elif first & 15 in (0, 1):
                text += data
                if first & 0x80:
                    return json.loads(text)

    def call(self, method, **params):
        self.next_id += 1
        self.send(1, json.dumps({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}).encode())
        while True:
            message = self.receive()
            if message.get("id") != self.next_id:
                self.events.append(message)
            elif "error" in message:
                raise Refused(0, json.dumps({"error": message["error"].get("data", {})}).encode())
            else:
                return message["result"]

    def close(self):
        self.tls.close()


class Rig:
    def __init__(self, *args):
        self.args, self.output, self.process, self.cookie, self.port = args, [], None, None, None
        self.state = tempfile.mkdtemp(prefix="ortoo-interop-")
        self.ca = os.path.join(self.state, "tls", "ca.crt")
        self.children = []

    # ---- life ----
    def __enter__(self):
        try:
            self.make_certificates()
            self.start()
            self.set_up()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is not None:
            print("".join(self.output[-60:]), file=sys.stderr)

    def make_certificates(self):
        tls = os.path.dirname(self.ca)
        os.makedirs(tls)
        key = lambda name: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{tls}/{name}.key"]
        with open(f"{tls}/leaf.cnf", "w", encoding="ascii") as f:
            f.write("basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n")
        for command in (["req", "-x509", "-days", "2", "-subj", "/CN=Ortoo test authority", *key("ca"), "-out", self.ca,
                         "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"],
                        ["req", "-new", "-subj", "/CN=127.0.0.1", *key("server"), "-out", f"{tls}/server.csr"],
                        ["x509", "-req", "-in", f"{tls}/server.csr", "-CA", self.ca, "-CAkey", f"{tls}/ca.key", "-days", "2",
                         "-set_serial", "7", "-extfile", f"{tls}/leaf.cnf", "-out", f"{tls}/server.crt"]):
            subprocess.run(["openssl", *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        if self.port is None:
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                self.port = s.getsockname()[1]
        tls = os.path.dirname(self.ca)
        self.process = subprocess.Popen(
            [*WITH_US, os.environ["ORTOO_GATEWAY"], "--state", self.state, "--listen", f"127.0.0.1:{self.port}", "--announce", "127.0.0.1",
             "--tls-cert", f"{tls}/server.crt", "--tls-key", f"{tls}/server.key", "--web-root", os.path.join(ROOT, "softclient/web"),
             "--engine", os.environ["ORTOO_MCU"], "--set", f"media.announce={own_address() or '127.0.0.1'}", *self.args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        threading.Thread(target=lambda out: self.output.extend(out), args=(self.process.stdout,), daemon=True).start()
        until("the gateway to serve", self.is_up, START_S)

    def kill_gateway(self):
        """As a crash: the engine stays, the next start() finds it by its socket in the state folder."""
        engine = self.engine()
        self.process.kill()
        self.process.wait()
        return engine

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError("ortoo-gateway ended:\n" + "".join(self.output[-30:]))
        with contextlib.suppress(OSError):
            return self.http("GET", "/healthz").status == 200
        return False

    def engine(self):
        """Process id of the media engine."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, IndexError):
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                    name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
                if int(rest.split()[1]) == self.process.pid and name.startswith("ortoo-mcu"):
                    return int(pid)
        return None

    def end_terminals(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
        self.children = []

    def stop(self):
        self.end_terminals()
        if self.process is not None:
            engine = self.engine()
            self.process.terminate()
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                if engine is not None:
                    os.kill(engine, signal.SIGKILL)
        if not os.environ.get("ORTOO_KEEP"):
            shutil.rmtree(self.state, ignore_errors=True)

    # ---- HTTP ----
    def http(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=ssl.create_default_context(cafile=self.ca))
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def call(self, method, **params):
        headers = {"Content-Type": "application/json", **({"Cookie": self.cookie} if self.cookie else {})}
        reply = self.http("POST", f"/api/v1/{method}", json.dumps(params), headers)
        if reply.headers["Set-Cookie"] and not self.cookie:
            self.cookie = reply.headers["Set-Cookie"].split(";")[0]
        if reply.status != 200:
            raise Refused(reply.status, reply.body)
        return json.loads(reply.body)

    def socket(self):
        return Socket(self)

    # ---- the usual ----
    def set_up(self):
        link = until("the set-up link", lambda: re.search(r"/setup#([\w-]+)", "".join(self.output)))
        self.call("setup.complete", token=link.group(1), name="admin", password=PASSWORD)
        until("the engine", self.engine)
        self.token = self.call("token.issue", name="interop", role="viewer")["token"]

    def incident(self, drill=True):
        return self.call("incident.open", kind="演习", level=3, place="测试场", text="互通测试", drill=drill)["id"]

    def link(self, incident, name):
        link = self.call("link.issue", incident=incident, guest_name=name)["link"]
        return {**link, "token": link["url"].rsplit("/", 1)[1], "url": f"https://127.0.0.1:{self.port}/j/" + link["url"].rsplit("/", 1)[1]}

    def scene(self, incident, scene):
        return next(s for s in self.call("incident.get", id=incident)["scenes"] if s["id"] == scene)

    def stamped(self, incident, scene, *names, timeout_s=10):
        """Waits until these stamps are there."""
        def missing():
            stamps = self.scene(incident, scene).get("stamps", {})
            return [n for n in names if not stamps.get(n)]
        try:
            until(f"stamps {names}", lambda: not missing(), timeout_s)
        except AssertionError as e:
            raise AssertionError(f"stamps missing: {missing()}") from e
        return self.scene(incident, scene)["stamps"]

    def post_sdp(self, path, token, sdp):
        reply = self.http("POST", path, sdp, {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"})
        if reply.status != 201:
            raise Refused(reply.status, reply.body)
        return reply.headers["Location"], reply.body.decode()

    def terminal(self, url, *args):
        """A running ortoo-terminal; its last line of figures is .figures (a dict). GStreamer's plug-ins keep what they like:
        a leak check of this process would only be about them."""
        env = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
        child = subprocess.Popen([*WITH_US, os.environ["ORTOO_TERMINAL"], "--headless", "--ca", self.ca, "--link", url, "--stats", *args],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                 env=env)
        child.figures, child.log = {}, []

        def read():
            for line in child.stdout:
                child.figures = json.loads(line)

        threading.Thread(target=read, daemon=True).start()
        threading.Thread(target=lambda: child.log.extend(child.stderr), daemon=True).start()
        self.children.append(child)
        return child

"""sip_stand (our SIP stack without media) as a process, and sipp against it."""
import glob
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

from gateway_rig import WITH_US

HERE = os.path.dirname(os.path.abspath(__file__))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Stand:
    def __init__(self, *args):
        self.process = subprocess.Popen([*WITH_US, os.environ["ORTOO_SIP_STAND"], *args], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.events, self.changed = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        listening = self.event("listening")
        self.port, self.tls = listening["port"], listening["tls"]

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                try:
                    self.events.append(json.loads(line))
                except ValueError:
                    self.events.append({"event": "not JSON", "line": line})
                self.changed.notify_all()

    def event(self, name, timeout_s=15, **members):
        """The next such event, counted from the last one that was taken; those before it are dropped."""
        end = time.monotonic() + timeout_s
        with self.changed:
            while True:
                for n, e in enumerate(self.events):
                    if e.get("event") == name and all(e.get(k) == v for k, v in members.items()):
                        del self.events[:n + 1]
                        return e
                left = end - time.monotonic()
                assert left > 0, f"no {name} {members} in {self.events}"
                self.changed.wait(left)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def dump(self):
        with self.changed:
            self.events.clear()
        self.tell("dump")
        end = time.monotonic() + 5
        with self.changed:
            while time.monotonic() < end:
                for e in self.events:
                    if "counters" in e:
                        return e
                self.changed.wait(0.2)
        raise AssertionError("no dump")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self.changed:
            odd = [e for e in self.events if e.get("event") == "not JSON"]
        try:
            self.tell("quit")
            code = self.process.wait(5)
        except (subprocess.TimeoutExpired, BrokenPipeError, OSError):
            self.process.kill()
            code = self.process.wait()
        assert code == 0, f"sip_stand ended with {code}"
        assert not odd, f"something wrote on stdout: {odd}"


def certificate(folder):
    """A pair for 127.0.0.1 that nobody signed -> (certificate, key)"""
    paths = [os.path.join(folder, n) for n in ("tls.crt", "tls.key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=stand", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", paths[1], "-out", paths[0]],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return paths


class TlsPipe:
    """Debian's sipp has no TLS: one TCP connection to self.port goes on in TLS to `port`, whose certificate is checked."""

    def __init__(self, port, ca):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.context = ssl.create_default_context(cafile=ca)
        threading.Thread(target=self._serve, args=(port,), daemon=True).start()

    def _serve(self, port):
        near, _ = self.listener.accept()
        far = self.context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
        threading.Thread(target=self._copy, args=(far, near), daemon=True).start()
        self._copy(near, far)

    @staticmethod
    def _copy(a, b):
        try:
            while data := a.recv(16384):
                b.sendall(data)
        except OSError:
            pass
        finally:
            b.close()


class Sipp:
    """One scenario of tests/interop/sipp, once, against `port` (in_*) or waiting on self.port (out_*). via: what it says of its
    transport instead of the truth, for a TlsPipe between."""

    def __init__(self, name, port=None, *more, folder=None, via=None):
        self.port, self.name, self.folder = free_port(), name, folder
        scenario = os.path.join(HERE, "sipp", name + ".xml")
        if via:
            with open(scenario, encoding="utf-8") as f:
                text = f.read().replace("SIP/2.0/[transport]", f"SIP/2.0/{via}")
            scenario = os.path.join(folder, name + ".xml")
            with open(scenario, "w", encoding="utf-8") as f:
                f.write(text)
        target = [f"127.0.0.1:{port}"] if port else []
        self.process = subprocess.Popen(
            [*WITH_US, "sipp", *target, "-sf", scenario, "-i", "127.0.0.1", "-p", str(self.port), "-m", "1",
             "-s", "1001", "-nostdin", "-timeout", "25s", "-timeout_error", "-trace_err", "-error_file", os.path.join(folder, name + ".err"),
             "-default_behaviors", "none", *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        time.sleep(0.3 if not port else 0)

    def done(self, timeout_s=30):
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = "too long"
        text = "".join(open(p, encoding="utf-8", errors="replace").read()[-3000:] for p in glob.glob(os.path.join(self.folder, self.name + "*.err")))
        assert code == 0, f"sipp {self.name}: {code}\n{text}"


def run(*cases):
    """Cases as TAP subtests; each gets an own folder."""
    import tempfile
    import traceback
    print(f"1..{len(cases)}", flush=True)
    bad = 0
    for n, case in enumerate(cases, 1):
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="ortoo-sip-") as folder:
            try:
                case(folder)
                print(f"ok {n} - {case.__name__}", flush=True)
            except Exception:  # pylint: disable=broad-except
                bad += 1
                print(f"not ok {n} - {case.__name__}", flush=True)
                print("".join("# " + line for line in traceback.format_exc().splitlines(True)), flush=True)
        print(f"# {time.monotonic() - begin:.1f} s", flush=True)
    sys.exit(1 if bad else 0)

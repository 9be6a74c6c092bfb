#!/usr/bin/env python3
"""config/quickstart --demo as a newcomer meets it, in a terminal: it builds, prints the set-up link, shows two live drill
phones, ends on Ctrl-C with nothing left behind, and starts again in seconds."""
import json
import os
import pty
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
results = []


def check(ok, name):
    results.append(ok)
    print("ok" if ok else "not ok", len(results), "-", name, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Terminal:
    """A program on a terminal of its own, so that Ctrl-C reaches all of it as it does for a person."""

    def __init__(self, *argv):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(argv[0], argv)

    def read(self, timeout_s, until):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    return False
                self.text += data.decode(errors="replace")
            if until and re.search(until, self.text):
                return True
        return False

    def end(self):
        """Ctrl-C; -> exit code, or None if it had to be killed"""
        os.write(self.fd, b"\x03")
        self.read(15, None)
        for _ in range(50):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.1)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None


def left_behind(state):
    """Processes of ours that are there still after 10 s: the engine says goodbye to its peers, which takes its time under load."""
    end = time.monotonic() + 10
    while True:
        out = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
        left = [line for line in out.splitlines() if state in line and "test_quickstart" not in line]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.2)


def caller(url, ca):
    context = ssl.create_default_context(cafile=ca)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor())

    def call(method, **params):
        request = urllib.request.Request(f"{url}/api/v1/{method}", json.dumps(params).encode(),
                                         {"Content-Type": "application/json", "Origin": url})
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)
    return call


def live_scenes(call, timeout_s):
    names = []
    end = time.monotonic() + timeout_s
    while time.monotonic() < end and len(names) < 2:
        scenes = [s for i in call("incident.list", open_only=True, limit=10)["incidents"] for s in i["scenes"]]
        names = [s["name"] for s in scenes if s["state"] == "present"]
        time.sleep(0.5)
    return names


def main():
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="ortoo-quickstart-") as folder:
        state = os.path.join(folder, "state")
        argv = [os.path.join(ROOT, "config", "quickstart"), "--no-install", "--demo", "--state", state,
                "--listen", f"127.0.0.1:{port}", "--announce", "127.0.0.1"]
        ready = r"/setup#([\w.~-]+)[\s\S]*Ctrl-C ends everything"
        term = Terminal(*argv)
        check(term.read(400, ready), "set-up link is printed")
        check("█" in term.text, "field page is printed as a QR code")
        token = re.search(r"/setup#([\w.~-]+)", term.text)
        if token:
            call = caller(url, os.path.join(state, "tls", "ca.crt"))
            call("setup.complete", token=token[1], name="admin", password="correct horse battery staple")
            names = live_scenes(call, 40)
            check(len(names) == 2, f"two drill phones are live: {names}")
        code = term.end()
        check(code == 130, f"Ctrl-C ends it ({code})")
        left = left_behind(state)
        check(not left, f"no process stays {left}")

        began = time.monotonic()
        term = Terminal(*argv)
        check(term.read(60, "Ctrl-C ends everything"), "starts again")
        check(time.monotonic() - began < 15, f"in seconds ({time.monotonic() - began:.1f} s)")
        check("/setup#" not in term.text, "set-up link is not offered twice")
        check(term.end() == 130 and not left_behind(state), "and ends again")
    if not all(results):
        print("# " + term.text.replace("\n", "\n# "))
    print(f"1..{len(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Sound of one conference of Opus parties over plain RTP: our mixer beside Debian's Janus AudioBridge, same parties, same
run. Unit: CPU seconds of the server per second of conference. Prints rows and the ratio; asserts nothing."""
import argparse
import itertools
import json
import os
import socket
import subprocess

import servers

AIM = 0.20


class Bridge:
    """Janus's AudioBridge over its Unix socket: one room of 48 kHz, parties by plain RTP, settings like ours."""

    def __init__(self, server):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(10)
        self.sock.connect(server.target)
        self.number = itertools.count(1)
        self.session = self.ask({"janus": "create"})["data"]["id"]

    def ask(self, message, until=("success", "event", "error")):
        name = str(next(self.number))
        self.sock.send(json.dumps(message | {"transaction": name}).encode())
        while True:
            answer = json.loads(self.sock.recv(65536))
            if answer.get("transaction") == name and answer["janus"] in until:
                return answer

    def handle(self):
        attach = {"janus": "attach", "session_id": self.session, "plugin": "janus.plugin.audiobridge"}
        return self.ask(attach)["data"]["id"]

    def message(self, handle, body):
        answer = self.ask({"janus": "message", "session_id": self.session, "handle_id": handle, "body": body})
        data = answer.get("plugindata", {}).get("data", answer)
        if "error" in data:
            raise RuntimeError(data)
        return data

    def open(self):
        self.message(self.handle(), {"request": "create", "room": 1, "sampling_rate": 48000, "record": False,
                                     "allow_rtp_participants": True, "default_bitrate": 32000, "audiolevel_event": False})

    def join(self, port):
        data = self.message(self.handle(), {
            "request": "join", "room": 1, "codec": "opus", "bitrate": 32000, "quality": 5, "expected_loss": 5,
            "rtp": {"ip": servers.own_address(), "port": port, "payload_type": 111, "audiolevel_ext": 1, "fec": True}})
        return data["rtp"]["ip"], data["rtp"]["port"]


def cpu_ns(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                total += int(f.read().split()[0])
        except OSError:
            pass
    return total


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def measure(program, n, seconds, pid, join):
    """`join` takes a party's port and tells where it is to send."""
    command = [program, "load", str(n), str(seconds + 2)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as load:
        ports = [int(load.stdout.readline()) for _ in range(n)]
        for port in ports:
            host, to = join(port)
            load.stdin.write(f"{host} {to}\n")
        load.stdin.close()
        load.stdout.readline()
        before = cpu_ns(pid)
        counts = json.loads(load.stdout.readline())
        return counts | {"cpu": (cpu_ns(pid) - before) / 1e9 / seconds, "rss": rss_mib(pid)}


def ours(program, n, seconds):
    with subprocess.Popen([program, "serve", str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline())
        r = measure(program, n, seconds, server.pid, lambda _: ("127.0.0.1", port))
        server.stdin.close()
        return r


def janus(program, n, seconds):
    server = servers.janus("janus", 0, "libjanus_audiobridge.so")
    if server is None or not server.up:
        return None
    try:
        bridge = Bridge(server)
        bridge.open()
        return measure(program, n, seconds, server.process.pid, bridge.join)
    finally:
        server.stop()


def row(label, n, r):
    short = "" if r["got"] > 0.98 * r["due"] else "  <- starved: looks cheaper than it is"
    print(f"  {label:22} {n:4} parties {r['cpu']:.3f} cs/s  got {100 * r['got'] / r['due']:.1f} %  {r['rss']:.0f} MiB{short}",
          flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--program", required=True)
    p.add_argument("--parties", type=int, nargs="+", default=[50, 200])
    p.add_argument("--seconds", type=int, default=8)
    args = p.parse_args()
    for n in args.parties:
        alone = json.loads(subprocess.run([args.program, "alone", str(n), str(args.seconds)], check=True, text=True,
                                          stdout=subprocess.PIPE).stdout)
        print(f"  {'mixer alone':22} {n:4} parties {alone['cpu']:.3f} cs/s  {alone['encodes']:.1f} encodes a tick", flush=True)
        own, peer = ours(args.program, n, args.seconds), janus(args.program, n, args.seconds)
        row("ours, UDP", n, own)
        if peer is None:
            print("  janus is not installed: no comparison")
            continue
        row("janus AudioBridge", n, peer)
        print(f"  ratio at {n}: {own['cpu'] / peer['cpu']:.3f} (aim at 50: <= {AIM})", flush=True)


if __name__ == "__main__":
    main()

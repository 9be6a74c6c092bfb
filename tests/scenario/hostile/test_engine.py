#!/usr/bin/env python3
"""The engine under fire: garbage at the media port, replayed and forged packets on a validated way, wrong certificates, wrong
clients at the control socket. A conference of real ICE, DTLS and SRTP runs meanwhile and must not notice."""
import contextlib
import hashlib
import hmac
import json
import multiprocessing
import os
import random
import socket
import struct
import subprocess
import sys
import time
import zlib

import house

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import servers  # noqa: E402

SECONDS, PUBS, SUBS, FPS, PKTS = 3, 2, 8, 30, 4  # of the longest conference


# ---- the control socket ----

class Control:
    """A second client, which never says hello: that would make it the gateway."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb")

    def line(self, data):
        self.sock.sendall(data + b"\n")
        return json.loads(self.file.readline())

    def call(self, method, **params):
        return self.line(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode())

    def close(self):
        self.file.close()
        self.sock.close()


def ask(path, method):
    c = Control(path)
    try:
        return c.call(method)["result"]
    finally:
        c.close()


def counters(path):
    return ask(path, "stats.get")["counters"]


def grown(before, after, *names):
    return {n: after.get(n, 0) - before.get(n, 0) for n in names}


class Engine:
    def __init__(self):
        self.server = servers.ortoo("ortoo", os.environ["ORTOO_MCU"])
        self.path, self.host = self.server.target, servers.own_address()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind or self.server.process.poll() is not None:
            print("#", self.server.last_words(), flush=True)
        self.server.stop()

    def alive(self):
        return self.server.process.poll() is None

    def rss(self):
        with open(f"/proc/{self.server.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def conference(self, *args):
        return subprocess.Popen([os.environ["ORTOO_LOAD"], "-t", self.path, "--host", self.host, "-p", str(PUBS), "-n", str(SUBS), "-f",
                                 str(FPS), "-k", str(PKTS), "-d", str(SECONDS), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def port(self):
        """The media port: workers' ports are in hello's answer only, so the sockets are looked up."""
        inodes = set()
        for fd in os.listdir(f"/proc/{self.server.process.pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{self.server.process.pid}/fd/{fd}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        with open("/proc/net/udp", encoding="ascii") as f:
            ports = {int(row.split()[1].split(":")[1], 16) for row in list(f)[1:] if row.split()[9] in inodes}
        return max(ports)


def wait_for_media(engine, load):
    """All sources of the conference are up: their SSRCs."""
    end = time.monotonic() + 15
    while time.monotonic() < end and load.poll() is None:
        sources = [s for room in ask(engine.path, "dump").get("rooms", []) for t in room.get("transports", [])
                   for s in t.get("sources", [])]
        if len(sources) == PUBS and all(s.get("up") for s in sources):
            return [s["ssrc"] for s in sources]
        time.sleep(0.05)
    raise AssertionError("no media within 15 s")


def judge(tap, load, what, most=0.01):
    out, err = load.communicate(timeout=60)
    tap.say(f"{what}: {out.strip()[:600]}", err.strip()[:300])
    r = json.loads(out)
    tap.same(r["media"], SUBS, f"{what}: everybody has media")
    tap.ok(r["worst_missing"] < most, f"{what}: the worst subscriber misses {r['worst_missing'] * 100:.2f} %")
    tap.same((r["auth_fail"], r["corrupt"]), (0, 0), f"{what}: every packet is authentic and whole")
    return r


# ---- what is thrown at it ----

def stun(kind, username, password, attributes=b"", transaction=None):
    body = b""
    if username is not None:
        body += struct.pack(">HH", 6, len(username)) + username + b"\0" * (-len(username) % 4)
    body += struct.pack(">HHI", 0x24, 4, 0x6e0001ff) + struct.pack(">HHQ", 0x802a, 8, 7) + struct.pack(">HH", 0x25, 0) + attributes
    head = lambda n: struct.pack(">HHI", kind, n, 0x2112a442) + (transaction or os.urandom(12))
    first = head(len(body) + 24)
    mac = hmac.new(password, first + body, hashlib.sha1).digest()
    message = struct.pack(">HH", kind, len(body) + 32) + first[4:] + body + struct.pack(">HH", 8, 20) + mac
    return message + struct.pack(">HHI", 0x8028, 4, zlib.crc32(message) ^ 0x5354554e)


def client_hello(rng):
    body = b"\xfe\xfd" + rng.randbytes(32) + b"\0\0" + struct.pack(">H", 4) + b"\xc0\x2b\xc0\x2f" + b"\1\0"
    hello = b"\1" + struct.pack(">I", len(body))[1:] + struct.pack(">H", 0) + b"\0\0\0" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\xfe\xff" + b"\0\0" + rng.randbytes(6) + struct.pack(">H", len(hello)) + hello


def rtp(rng, ssrc, seq=None, first=0x80, pt=96, extra=b""):
    return struct.pack(">BBHII", first, pt, rng.randrange(65536) if seq is None else seq, rng.randrange(1 << 32), ssrc) + extra + \
        rng.randbytes(rng.randrange(0, 1100))


def garbage(rng, ssrcs, seen):
    """One datagram. `seen`: datagrams of a publisher, caught on their way."""
    caught = rng.choice(seen) if seen else b""
    checks = [d for d in seen[:50] if d and d[0] < 4]
    username = checks[0][24:24 + struct.unpack(">H", checks[0][22:24])[0]] if checks else b"aaaaaaaa:bbbbbbbb"
    kinds = (
        lambda: rng.randbytes(rng.randrange(0, 1500)),
        lambda: bytes([rng.randrange(4)]) + rng.randbytes(rng.randrange(0, 200)),
        lambda: stun(1, rng.randbytes(4).hex().encode() + b":x", b"x" * 24),
        lambda: stun(1, username, rng.randbytes(12).hex().encode()),
        lambda: stun(rng.choice((0x11, 0x101, 0x111, 0x3, 0x3fff)), username, b"x" * 24),
        lambda: stun(1, username, b"x" * 24, struct.pack(">HH", rng.randrange(65536), 60000)),
        lambda: stun(1, username, b"x" * 24)[:rng.randrange(1, 90)],
        lambda: client_hello(rng),
        lambda: bytes([rng.randrange(20, 64)]) + rng.randbytes(rng.randrange(0, 400)),
        lambda: rtp(rng, rng.choice(ssrcs)),
        lambda: rtp(rng, rng.randrange(1 << 32), first=0x9f, extra=b"\xbe\xde\xff\xff"),
        lambda: rtp(rng, rng.choice(ssrcs), first=0xbf, pt=rng.randrange(256)),
        lambda: struct.pack(">BBHI", 0x80 | rng.randrange(32), rng.choice((200, 201, 205, 206)), rng.randrange(65536), rng.choice(ssrcs))
        + rng.randbytes(rng.randrange(0, 300)),
        lambda: caught,
        lambda: bytes(rng.randrange(2, 9) * 1000),
    )
    return rng.choice(kinds)()


def spray(addr, ssrcs, seen, per_s, seconds, seed, pipe):
    """Child: from sixteen sockets; counts what comes back."""
    rng, sent, back, n = random.Random(seed), 0, 0, 0
    socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(16)]
    for s in socks:
        s.setblocking(False)
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        while n < (time.monotonic() - begin) * per_s:
            with contextlib.suppress(OSError):
                sent += socks[n % 16].sendto(garbage(rng, ssrcs, seen), addr)
            n += 1
        for s in socks:
            with contextlib.suppress(BlockingIOError):
                while True:
                    back += len(s.recv(65536))
        time.sleep(0.005)
    pipe.send((n, sent, back))
    os._exit(0)


def relay(own, addr, pipe):
    """Child between the publishers and the engine: hands on, shows what it saw, and on "begin" adds its own on the validated way:
    copies, packets with a flipped bit, garbage."""
    rng, ways, seen, hostile, added = random.Random(5), {}, [], False, 0
    while True:
        if pipe.poll():
            word = pipe.recv()
            if word == "seen":
                pipe.send(seen[:400])
            elif word == "begin":
                hostile = True
            else:
                pipe.send(added)
                os._exit(0)
        ready = [own, *[w for w in ways.values()]]
        for s in __import__("select").select(ready, [], [], 0.02)[0]:
            data, source = s.recvfrom(65536)
            if s is not own:
                own.sendto(data, next(k for k, w in ways.items() if w is s))
                continue
            way = ways.get(source)
            if way is None:
                way = ways[source] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                way.connect(addr)
            way.send(data)
            if len(seen) < 400:
                seen.append(data)
            if hostile and data[0] >= 128:
                flipped = bytearray(data)
                flipped[rng.randrange(12, len(data))] ^= 1 << rng.randrange(8)
                for forged in (data, bytes(flipped), garbage(rng, [1], seen)[:1400]):
                    way.send(forged)
                    added += 1


# ---- scenarios ----

MOVED = ("stun.bad", "stun.unknown", "stun.limited", "stun.replayed", "dtls.foreign", "rtp.foreign", "rtp.bad", "rtp.replayed", "junk.in", "udp.long")


def under_fire(tap):
    """Garbage from strangers at 4,000 a second, forgeries on the publishers' own way, both while the conference runs."""
    ctx = multiprocessing.get_context("fork")
    with Engine() as e:
        addr = (e.host, e.port())
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.bind((e.host, 0))
        way, way_child = multiprocessing.Pipe()
        between = ctx.Process(target=relay, args=(own, addr, way_child))
        between.start()
        load = e.conference("--relay", f"{e.host}:{own.getsockname()[1]}", "--relay-pubs")
        try:
            ssrcs = wait_for_media(e, load)
            way.send("seen")
            seen = way.recv()
            before, rss = counters(e.path), e.rss()
            way.send("begin")
            report, report_child = multiprocessing.Pipe()
            sprayer = ctx.Process(target=spray, args=(addr, ssrcs, seen, 4000, SECONDS, 11, report_child))
            sprayer.start()
            n, sent, back = report.recv()
            after = counters(e.path)
            sprayer.join(5)
            r = judge(tap, load, "under fire")
            way.send("end")
            added = way.recv()
        finally:
            load.kill()
            between.kill()
        moved = grown(before, after, *MOVED, "dtls.fingerprint", "rtp.delivered", "rtp.in")
        tap.say(f"{n} datagrams from strangers, {sent} bytes out, {back} bytes back; {added} forged on the way; {moved}")
        tap.ok(n > 2000 * SECONDS // 2, "there was fire", n)
        tap.ok(all(moved[k] > 0 for k in MOVED), "each kind of garbage was counted", moved)
        tap.same(back, 0, "strangers get nothing back, not even for checks that they overheard")
        tap.ok(r["join_ms_p95"] < 2000, f"who joins meanwhile from the same address does not wait: {r['join_ms_p95']:.0f} ms")
        due = PUBS * FPS * PKTS * SECONDS
        tap.ok(moved["rtp.delivered"] < due * 1.6, f"no forged packet was taken for media: {moved['rtp.delivered']} of about {due}")
        tap.ok(moved["rtp.replayed"] > due / 8 and moved["rtp.bad"] > due / 8, "copies and forgeries were seen as such", moved)
        tap.little(e.rss() - rss, 16, e.server.process.pid)
        tap.ok(e.alive(), "the engine lives")


def fingerprints(tap):
    """A certificate that is not the signalled one: no packet of media passes, in neither direction."""
    for who in ("pubs", "subs"):
        with Engine() as e:
            load = e.conference("--liars", who, "-d", "1")
            end = time.monotonic() + 10
            while time.monotonic() < end and load.poll() is None and \
                    counters(e.path).get("dtls.fingerprint", 0) < (PUBS if who == "pubs" else SUBS):
                time.sleep(0.1)
            time.sleep(0.5)
            c = counters(e.path)
            load.kill()
            load.communicate()
            seen = {k: c.get(k, 0) for k in ("dtls.fingerprint", "rtp.delivered", "rtp.out", "rtp_out")}
            tap.ok(seen["dtls.fingerprint"] > 0, f"{who} lie: the wrong certificates were counted", seen)
            tap.ok((seen["rtp.delivered"] if who == "pubs" else seen["rtp.out"]) == 0, f"{who} lie: 0 packets of media pass", seen)


BAD_LINES = (b"\0\0\0", b"{", b"[" * 100000, b"null", b"{}", b'{"jsonrpc":"2.0","id":1}', b'{"jsonrpc":"2.0","id":1,"method":"no.such"}',
             b'{"jsonrpc":"2.0","id":1,"method":"room.open","params":{"room":"x"}}', b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"proto":"x"}}',
             b'{"jsonrpc":"2.0","id":1,"method":"stats.get","params":{"room":"../../etc"}}', b"\xff\xfe\xfd", b'{"jsonrpc":"2.0","id":1,"method":"dump","params":7}')


def control_socket(tap):
    """Wrong clients at the control socket: garbage, endless lines, too many connections, one that never reads. And a publisher
    that sends thousands of SSRCs besides its stream."""
    with Engine() as e:
        load = e.conference("--strangers", "15", "-d", "2")
        try:
            wait_for_media(e, load)
            before, rss = counters(e.path), e.rss()
            c, wrong = Control(e.path), []
            for bad in BAD_LINES:
                reply = c.line(bad)
                if "error" not in reply or not reply["error"].get("message"):
                    wrong.append((bad[:40], reply))
            tap.ok(not wrong, f"{len(BAD_LINES)} bad lines: each answered with an error", *wrong)
            tap.ok("result" in c.call("stats.get"), "and the next good one with a result")
            c.close()
            c = Control(e.path)
            try:
                for _ in range(64):
                    c.sock.sendall(b"x" * 65536)
                ended = c.sock.recv(1) == b""
            except OSError:
                ended = True
            tap.ok(ended, "a line without end ends its connection")
            c.close()
            crowd, answers = [], 0
            for _ in range(20):
                with contextlib.suppress(OSError):  # the backlog is short too
                    crowd.append(Control(e.path))
            for c in crowd:
                with contextlib.suppress(OSError, ValueError, KeyError):
                    answers += "result" in c.call("stats.get")
            tap.ok(0 < answers < 8, f"of 20 more connections {answers} are served")
            crowd[0].sock.settimeout(0.2)
            with contextlib.suppress(OSError):  # asks and never reads
                for _ in range(20000):
                    crowd[0].sock.sendall(b'{"jsonrpc":"2.0","id":1,"method":"dump","params":{}}\n')
            for c in crowd:
                c.close()
            time.sleep(0.2)
            tap.ok(counters(e.path).get("engine.connections_refused", 0) > 0, "the others were refused and counted", counters(e.path))
            judge(tap, load, "wrong clients, thousands of SSRCs")
            moved = grown(before, counters(e.path), "rtp.ssrc_limit")
            tap.ok(moved["rtp.ssrc_limit"] > 500, "SSRCs beyond the limit were dropped and counted", moved)
            tap.little(e.rss() - rss, 16, e.server.process.pid)
            tap.ok(e.alive(), "the engine lives")
        finally:
            load.kill()


if __name__ == "__main__":
    house.run(under_fire, fingerprints, control_socket)

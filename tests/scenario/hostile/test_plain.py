#!/usr/bin/env python3
"""Plain legs (SIP without ICE) under fire: twenty calls without keys while another address sprays each of their ports, and
two video legs with SDES whose endpoints are ffmpeg. Nothing of the sprayer's is relayed, nothing is sent to it."""
import base64
import json
import multiprocessing
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import house

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import servers  # noqa: E402

PAIRS, SECONDS, RATE = 10, 3, 50
HOST, FOREIGN = "127.0.0.1", "127.0.0.2"
PCMU = {"name": "PCMU", "pt": 0}


class Engine:
    """An engine on loopback, and we are its gateway."""

    def __init__(self):
        folder = tempfile.mkdtemp(prefix="ortoo-mcu-")
        path = os.path.join(folder, "control")
        self.server = servers.Server("ortoo", "ortoo", [os.environ["ORTOO_MCU"], "--socket", path, "--listen", HOST], path, folder)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(path)
        self.file = self.sock.makefile("rb")
        self.n, self.events = 0, []
        self.call("hello", proto=2, client="test")
        self.call("room.open", room="r")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind or self.server.process.poll() is not None:
            print("#", self.server.last_words(), flush=True)
        self.server.stop()

    def call(self, method, **params):
        self.n += 1
        self.sock.sendall(json.dumps({"jsonrpc": "2.0", "id": self.n, "method": method, "params": params}).encode() + b"\n")
        while True:
            m = json.loads(self.file.readline())
            if m.get("id") == self.n:
                if "error" in m:
                    raise AssertionError(f"{method}: {m['error']}")
                return m["result"]
            self.events.append(m)

    def counters(self):
        return self.call("stats.get")["counters"]

    def open(self, name, **more):
        return self.call("transport.open", room="r", transport=name, kind="plain", **more)


# ---- calls without keys ----

class Phone:
    def __init__(self, engine, name):
        self.name = name
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((HOST, 0))
        self.sock.setblocking(False)
        self.reply = engine.open(name, rtcp_mux=True)
        self.to = (self.reply["candidates"][0]["ip"], self.reply["candidates"][0]["port"])
        engine.call("transport.connect", room="r", transport=name, ip=HOST, port=self.sock.getsockname()[1])
        engine.call("source.add", room="r", transport=name, id=name + ".in", kind="audio", codecs=[PCMU])
        self.seq, self.sent, self.good, self.bad = 0, 0, 0, 0
        self.ssrc = 0x1000 + self.to[1]

    def listen_to(self, engine, other):
        engine.call("sink.add", room="r", transport=self.name, id=self.name + ".out", source=other.name + ".in", kind="audio",
                    ssrc=self.ssrc + 1, codecs=[PCMU])
        self.want = other.name.encode().ljust(160, b".")

    def say(self):
        self.seq += 1
        self.sock.sendto(struct.pack(">BBHII", 0x80, 0, self.seq & 0xffff, self.seq * 160, self.ssrc) +
                         self.name.encode().ljust(160, b"."), self.to)
        self.sent += 1

    def hear(self):
        while True:
            try:
                data = self.sock.recv(2000)
            except BlockingIOError:
                return
            if data[1] & 0x7f in range(72, 77):
                continue
            if data[12:] == self.want:
                self.good += 1
            else:
                self.bad += 1


def spray(ports, seconds, result):
    """RTP, RTCP, DTLS and STUN-like junk from another address: 10,000 a second to the first port (class 6), 1,000 to others."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((FOREIGN, 0))
    s.setblocking(False)
    junk = [struct.pack(">BBHII", 0x80, 0, 7, 160, 99) + b"x" * 160, struct.pack(">BBHI", 0x80, 201, 1, 99),
            struct.pack(">BBHI", 0x81, 203, 1, 99), b"\x16\xfe\xfd" + b"\0" * 60, b"\0\1\0\0\x21\x12\xa4\x42" + b"a" * 12]
    targets = ports + ports[:1] * 9
    begin, sent, back, rounds = time.monotonic(), 0, 0, 0
    while time.monotonic() < begin + seconds:
        for i, port in enumerate(targets):
            try:
                s.sendto(junk[(rounds + i) % len(junk)], (HOST, port))
                sent += 1
            except BlockingIOError:
                pass
        rounds += 1
        try:
            s.recv(2000)
            back += 1
        except BlockingIOError:
            pass
        time.sleep(max(0, begin + rounds / 1000 - time.monotonic()))
    time.sleep(0.2)
    try:
        while s.recv(2000):
            back += 1
    except BlockingIOError:
        pass
    result.put((sent, back))


def foreign_packets(tap):
    with Engine() as engine:
        phones = [Phone(engine, f"p{i}") for i in range(2 * PAIRS)]
        for a, b in zip(phones[::2], phones[1::2]):
            a.listen_to(engine, b)
            b.listen_to(engine, a)
        result = multiprocessing.Queue()
        attack = multiprocessing.Process(target=spray, args=([p.to[1] for p in phones], SECONDS - 0.5, result))
        attack.start()
        begin = time.monotonic()
        for n in range(SECONDS * RATE):
            for p in phones:
                p.say()
            while time.monotonic() < begin + (n + 1) / RATE:
                for p in phones:
                    p.hear()
                time.sleep(0.002)
        sent, back = result.get(timeout=20)
        attack.join()
        time.sleep(0.3)
        for p in phones:
            p.hear()
        c = engine.counters()
        foreign = c["rtp.foreign"] + c["dtls.foreign"] + c["junk.in"]
        tap.say(f"{sent} sprayed, {foreign} of them seen and dropped")
        tap.ok(sent > 1000 and foreign > 0, "the sprayer was heard knocking")
        tap.same(back, 0, "nothing was sent to the sprayer")
        tap.same(sum(p.bad for p in phones), 0, "nothing of the sprayer's was forwarded")
        worst = min(p.good for p in phones) / phones[0].sent
        tap.ok(worst > 0.99, f"the worst of {len(phones)} ears got {worst * 100:.1f} %")
        states = {m["params"]["state"] for m in engine.events if m["method"] == "transport.state"}
        tap.same(states, {"up"}, "no call was ended")


# ---- SDES video, ffmpeg at both ends ----

def pair_of_ports():
    while True:
        a, b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with a, b:
            a.bind((HOST, 0))
            port = a.getsockname()[1]
            if port % 2 == 0:
                try:
                    b.bind((HOST, port + 1))
                    return port
                except OSError:
                    pass


def sdes(tap, suite):
    codec = {"name": "H264", "pt": 96, "fmtp": "packetization-mode=1;profile-level-id=42e01f"}
    keys = [base64.b64encode(os.urandom(30)).decode() for _ in range(4)]
    with Engine() as engine, tempfile.TemporaryDirectory() as folder:
        mine, theirs = pair_of_ports(), pair_of_ports()
        a, b = engine.open("a", security="sdes"), engine.open("b", security="sdes")
        engine.call("transport.connect", room="r", transport="a", ip=HOST, port=mine, srtp_suite=suite, srtp_send=keys[0], srtp_recv=keys[1])
        engine.call("transport.connect", room="r", transport="b", ip=HOST, port=theirs, srtp_suite=suite, srtp_send=keys[2],
                    srtp_recv=keys[3], silent=True)
        engine.call("source.add", room="r", transport="a", id="v", kind="video", codecs=[codec])
        engine.call("sink.add", room="r", transport="b", id="k", source="v", kind="video", ssrc=7, codecs=[codec])
        sdp = os.path.join(folder, "sdp")
        with open(sdp, "w", encoding="ascii") as f:
            f.write(f"v=0\r\no=- 0 0 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=video {theirs} RTP/SAVP 96\r\n"
                    f"a=rtpmap:96 H264/90000\r\na=fmtp:96 {codec['fmtp']}\r\na=crypto:1 {suite} inline:{keys[2]}\r\n")
        ear = subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", "-progress", "-", "-protocol_whitelist", "file,rtp,udp,srtp,crypto",
                                "-i", sdp, "-t", "2", "-f", "null", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        port = a["candidates"][0]["port"]
        mouth = subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=s=320x180:r=15", "-t", "12",
                                  "-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-tune", "zerolatency", "-g",
                                  "15", "-f", "rtp", "-srtp_out_suite", suite, "-srtp_out_params", keys[1],
                                  f"srtp://{HOST}:{port}?rtcpport={a['rtcp_port']}&localrtpport={mine}&localrtcpport={mine + 1}"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            out, err = ear.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            ear.kill()
            out, err = ear.communicate()
        mouth.kill()
        mouth.communicate()
        c = engine.counters()
        frames = max([int(line.split("=")[1]) for line in out.splitlines() if line.startswith("frame=")] or [0])
        tap.ok(frames >= 25, f"{suite}: {frames} pictures came through", err[:300], c)
        tap.same(c["rtp.bad"], 0, f"{suite}: every packet was authentic")  # RTCP: ffmpeg as receiver has no key to send with


def sdes_with_ffmpeg(tap):
    if not shutil.which("ffmpeg"):
        tap.say("no ffmpeg")
        return
    for suite in ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"):
        sdes(tap, suite)


if __name__ == "__main__":
    house.run(foreign_packets, sdes_with_ffmpeg)

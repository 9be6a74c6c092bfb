"""Real SIP phones (baresip) on both sides of our SIP stack and engine; what they show and play is measured.

Each phone sends a picture of one colour and a sine of its own; it keeps what it hears as a WAV (module sndfile) and shows
what it sees on demand (module snapshot)."""
import json
import math
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from gateway_rig import WITH_US, own_address, until

STOP_S = 5
ADDRESS = own_address() or "127.0.0.1"  # baresip does not say 127.0.0.1 of itself


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Bridge:
    """ortoo-mcu and ortoo-sip-bridge."""

    def __init__(self, security="plain", trunk=None):
        self.folder = tempfile.mkdtemp(prefix="ortoo-sip-")
        self.socket = os.path.join(self.folder, "engine.sock")
        self.events, self.log = [], []
        self.security, self.trunk = security, trunk

    def certificate(self):
        paths = [os.path.join(self.folder, n) for n in ("tls.crt", "tls.key")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", f"/CN={ADDRESS}", "-addext", f"subjectAltName=IP:{ADDRESS}", "-keyout", paths[1], "-out", paths[0]],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return paths

    def __enter__(self):
        self.engine = subprocess.Popen([*WITH_US, os.environ["ORTOO_MCU"], f"--socket={self.socket}", f"--listen={ADDRESS}",
                                        f"--announce={ADDRESS}", "--workers=1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, errors="replace")
        threading.Thread(target=lambda: self.log.extend(self.engine.stdout), daemon=True).start()
        until("the engine's socket", lambda: os.path.exists(self.socket))
        self.bridge = subprocess.Popen([*WITH_US, os.environ["ORTOO_SIP_BRIDGE"], self.socket, ADDRESS, self.security, *self.certificate()],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       env={**os.environ, **({"ORTOO_TRUNK": self.trunk} if self.trunk else {})})
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=lambda: self.log.extend(self.bridge.stderr), daemon=True).start()
        self.ready = self.wait("ready")
        return self

    def read(self):
        for line in self.bridge.stdout:
            self.events.append(json.loads(line))

    def say(self, line):
        self.bridge.stdin.write(line + "\n")
        self.bridge.stdin.flush()

    def wait(self, event, timeout_s=15, **members):
        def found():
            return next((e for e in self.events if e["event"] == event and all(e.get(k) == v for k, v in members.items())), None)
        try:
            return until(f"{event} {members}", found, timeout_s)
        except AssertionError as e:
            raise AssertionError(f"{e}; seen: {self.events[-12:]}; {''.join(self.log[-10:])}") from e

    def print(self, leg):
        self.events = [e for e in self.events if e["event"] != "print"]
        self.say(f"print {leg}")
        return self.wait("print")["leg"]

    def __exit__(self, kind, value, trace):
        for child in (self.bridge, self.engine):
            child.terminate()
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
        if kind is not None:
            print("".join("# " + line for line in self.log[-40:]))
        if not os.environ.get("ORTOO_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def clip(path, colour, size="320x240"):
    """30 s of one colour, with a small moving box: an encoder that sleeps would be seen."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                    f"color=c={colour}:s={size}:r=15:d=40,drawbox=x='mod(t*40,200)':y=8:w=16:h=16:color=white:t=fill", "-c:v", "mpeg4", "-q:v", "3",
                    "-g", "15", path], check=True)


CONFIG = """poll_method epoll
sip_listen {address}:{port}
{tls}
call_max_calls 2
audio_player aubridge,sink
audio_source ausine,{tone}
audio_alert aubridge,sink
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 2
video_source avformat,{folder}/clip.mp4
video_display fakevideo,nil
video_size 320x240
video_bitrate 400000
video_fps 15
videnc_format yuv420p
rtcp_mux {mux}
jitter_buffer_delay 5-10
audio_buffer 20-160
snd_path {folder}
ctrl_tcp_listen 127.0.0.1:{control}
module_path /usr/lib/baresip/modules
{modules}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
"""
MODULES = ["sndfile", "opus", "g711", "ausine", "aubridge", "avcodec", "avformat", "fakevideo", "snapshot", "srtp", "dtls_srtp",
           "ice", "stun"]


class Phone:
    """One baresip. account: its parameters, e.g. ";mediaenc=srtp-mand"."""

    def __init__(self, name, colour, tone, account="", mux=False, transport="udp", ca=None, modules=None):
        self.name, self.tone, self.log = name, tone, []
        self.folder = tempfile.mkdtemp(prefix=f"ortoo-{name}-")
        self.control, self.port = free_port(), free_port(socket.SOCK_DGRAM)
        clip(os.path.join(self.folder, "clip.mp4"), colour)
        tls = f"sip_cafile {ca}" if ca else ""
        with open(os.path.join(self.folder, "config"), "w", encoding="ascii") as f:
            f.write(CONFIG.format(address=ADDRESS, port=self.port, tls=tls, tone=tone, folder=self.folder, control=self.control,
                                  mux="yes" if mux else "no", modules="\n".join(f"module {m}.so" for m in modules or MODULES)))
        with open(os.path.join(self.folder, "accounts"), "w", encoding="ascii") as f:
            f.write(f"<sip:{name}@{ADDRESS};transport={transport}>;regint=0;answermode=auto;auth_user={name};auth_pass=secret{account}\n")
        with open(os.path.join(self.folder, "contacts"), "w", encoding="ascii") as f:
            f.write("")
        self.process = subprocess.Popen([*WITH_US, "baresip", "-4", "-v", *(["-s"] if os.environ.get("ORTOO_KEEP") else []), "-f", self.folder], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True).start()
        until(f"{name} to listen", self.reach, 15)

    def reach(self):
        try:
            with socket.create_connection(("127.0.0.1", self.control), 1):
                return True
        except OSError:
            return False

    def command(self, command, params=""):
        text = json.dumps({"command": command, "params": params, "token": "t"})
        with socket.create_connection(("127.0.0.1", self.control), 5) as s:
            s.sendall(f"{len(text)}:{text},".encode())
            s.settimeout(3)
            try:
                return s.recv(4096).decode(errors="replace")
            except TimeoutError:
                return ""

    def picture(self, crop="iw:ih/2:0:ih/2"):
        """Mean colour (r, g, b) of a part of what it sees now, None without a picture."""
        path = os.path.join(self.folder, "seen.png")
        if os.path.exists(path):
            os.remove(path)
        self.command("snapshot_recv", path)
        end = time.monotonic() + 3
        while not os.path.exists(path) and time.monotonic() < end:
            time.sleep(0.1)
        if not os.path.exists(path):
            return None
        time.sleep(0.2)
        return mean_colour(path, crop)

    def hangup(self):
        self.command("hangup")

    def heard(self, frequency):
        """Level in dBFS at one frequency of the last 2 s of what was decoded, by Goertzel."""
        names = sorted(n for n in os.listdir(self.folder) if n.startswith("dump-") and n.endswith("-dec.wav"))
        if not names:
            return -120.0
        return level(os.path.join(self.folder, names[-1]), frequency)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if not os.environ.get("ORTOO_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def goertzel(samples, rate, frequency):
    """Level in dBFS at one frequency."""
    coefficient = 2 * math.cos(2 * math.pi * frequency / rate)
    s1 = s2 = 0.0
    for x in samples:
        s1, s2 = x + coefficient * s1 - s2, s1
    power = s1 * s1 + s2 * s2 - coefficient * s1 * s2
    return 20 * math.log10(max(2 * math.sqrt(max(power, 1e-9)) / len(samples), 1e-3) / 32768)


def level(path, frequency):
    """Of the last 2 s of a WAV. Headers of files that are still written say no length: the bytes count."""
    with open(path, "rb") as f:
        data = f.read()
    at = data.find(b"fmt ")
    if at < 0 or len(data) < at + 16:
        return -120.0
    channels, rate = struct.unpack("<HI", data[at + 10:at + 16])
    if not channels:  # not closed yet
        return -120.0
    body = data[data.find(b"data") + 8:]
    body = body[-4 * rate * channels:]
    samples = struct.unpack(f"<{len(body) // 2}h", body[:len(body) // 2 * 2])[::channels]
    return goertzel(samples, rate, frequency) if len(samples) > rate // 4 else -120.0


def mean_colour(path, crop="iw:ih/2:0:ih/2"):
    """(r, g, b) of a part of a picture file, None when it is none."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-vf", f"crop={crop},scale=1:1:flags=area", "-f", "rawvideo",
                           "-pix_fmt", "rgb24", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return tuple(done.stdout[:3]) if len(done.stdout) >= 3 else None


LINPHONERC = """[sip]
sip_port={port}
sip_tcp_port=0
bind_address={address}
media_encryption={encryption}
verify_server_certs=0
verify_server_cn=0
contact="lin" <sip:{name}@{address}>
[auth_info_0]
username={name}
passwd=secret
realm=bridge
[rtp]
rtcp_mux={mux}
audio_rtp_port={audio}
video_rtp_port={video}
[video]
enabled=1
capture=1
display=1
size=qvga
automatically_initiate=1
automatically_accept=1
device=StaticImage: Static picture
"""


class Linphone:
    """One linphonec that answers by itself: a still picture of one colour, a sine from a file. VP8, as Debian builds it."""

    def __init__(self, name, colour, tone, encryption="none", mux=False):
        self.name, self.tone, self.log = name, tone, []
        self.folder = tempfile.mkdtemp(prefix=f"ortoo-{name}-")
        self.port = free_port(socket.SOCK_DGRAM)
        picture, self.sine, self.record = (os.path.join(self.folder, n) for n in ("still.jpg", "sine.wav", "heard.wav"))
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"color=c={colour}:s=320x240", "-frames:v", "1", picture], check=True)
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate=48000:duration=60",
                        "-af", "volume=12dB", "-ac", "1", self.sine], check=True)
        with open(os.path.join(self.folder, "rc"), "w", encoding="ascii") as f:
            f.write(LINPHONERC.format(port=self.port, address=ADDRESS, name=name, encryption=encryption,
                                      mux=int(mux), audio=free_port(socket.SOCK_DGRAM),
                                      video=free_port(socket.SOCK_DGRAM)))
        os.makedirs(os.path.join(self.folder, ".local/share/linphone"))
        self.process = subprocess.Popen([*WITH_US, "linphonec", "-c", os.path.join(self.folder, "rc"), "-a", "-V", *(["-d", "6"] if os.environ.get("ORTOO_KEEP") else [])], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                        env={**os.environ, "HOME": self.folder})
        threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True).start()
        self.say("ipv6 disable", "soundcard use files", f"play {self.sine}", f"record {self.record}", f"staticpic set {picture}")
        time.sleep(1)

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            time.sleep(0.3)

    def picture(self):
        path = os.path.join(self.folder, f"seen{time.monotonic_ns()}.jpg")
        self.say(f"snapshot {path}")
        end = time.monotonic() + 3
        while not (os.path.exists(path) and os.path.getsize(path)) and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(0.2)
        return mean_colour(path) if os.path.exists(path) else None

    def heard(self, frequency):
        return level(self.record, frequency) if os.path.exists(self.record) else -120.0

    def command(self, command, params):
        self.say({"dial": "call"}.get(command, command) + " " + params)

    def hangup(self):
        self.say("terminate all")

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if not os.environ.get("ORTOO_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

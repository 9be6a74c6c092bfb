"""baresip as a meeting room: registers by digest, sends a clip of one colour and a tone, writes down what it sees and hears.

    room = Baresip(folder, "room1", password, sip_port, colour="red", tone=440)
    room.dial("8001")
    room.picture()          # {(x, y): (r, g, b)} sampler over the last received frame, None before
    room.tones()            # level of each asked frequency in what it heard
"""
import array
import glob
import json
import math
import os
import socket
import struct
import subprocess
import threading
import time
import wave
import zlib

WITH_US = ["setpriv", "--pdeathsig", "TERM"]
MODULES = "/usr/lib/baresip/modules"
CONFIG = """
sip_listen {listen}
audio_path /usr/share/baresip
audio_player aubridge,nobody
audio_source ausine,{tone}
audio_alert aubridge,nobody
audio_srate 48000
video_source avformat,{clip}
video_display fakevideo,nil
video_size 640x360
video_bitrate 800000
video_fps 25
call_local_timeout 60
call_max_calls 4
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
rtp_timeout 0
avcodec_h264enc libx264
{more}
"""
LOADED = ["g711", "opus", "g722", "ausine", "aubridge", "sndfile", "avcodec", "avformat", "fakevideo", "snapshot", "srtp", "dtls_srtp"]
APPS = ["account", "menu", "ctrl_tcp"]


def installed():
    return os.path.exists("/usr/bin/baresip") and all(os.path.exists(f"{MODULES}/{m}.so") for m in LOADED + APPS)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Png:
    """Pixels of an 8-bit RGB or RGBA picture (PNG 1.2: no interlace)."""

    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        self.width, self.height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
        assert depth == 8 and kind in (2, 6) and interlace == 0, (depth, kind, interlace)
        self.step, body, at = 3 if kind == 2 else 4, b"", 8
        while at < len(data):
            size = struct.unpack(">I", data[at:at + 4])[0]
            if data[at + 4:at + 8] == b"IDAT":
                body += data[at + 8:at + 8 + size]
            at += size + 12
        self.rows = self.unfilter(zlib.decompress(body))

    def unfilter(self, raw):
        line, rows, above = self.width * self.step, [], bytearray(self.width * self.step)
        for y in range(self.height):
            kind, row = raw[y * (line + 1)], bytearray(raw[y * (line + 1) + 1:(y + 1) * (line + 1)])
            for i in range(line if kind else 0):
                left, up = row[i - self.step] if i >= self.step else 0, above[i]
                corner = above[i - self.step] if i >= self.step else 0
                guess = left + up - corner
                paeth = min((left, up, corner), key=lambda v: abs(guess - v)) if kind == 4 else 0
                row[i] = (row[i] + (left, up, (left + up) // 2, paeth)[kind - 1]) & 255
            rows.append(row)
            above = row
        return rows

    def at(self, x, y):
        """Colour at a place given in parts of the picture, 0..1."""
        row, i = self.rows[min(int(y * self.height), self.height - 1)], min(int(x * self.width), self.width - 1) * self.step
        return tuple(row[i:i + 3])


class Baresip:
    def __init__(self, folder, user, password, sip_port, colour="red", tone=440, host="127.0.0.1", listen=None, transport="udp",
                 encryption=None, more=""):
        self.folder, self.user = os.path.join(folder, user), user
        os.makedirs(self.folder)
        self.log, self.events, self.answers, self.token = [], [], {}, 0
        clip = self.make_clip(colour)
        self.control = free_port()
        self.domain = f"{host}:{sip_port}"
        with open(f"{self.folder}/config", "w", encoding="ascii") as f:
            f.write(f"module_path {MODULES}\n" + "".join(f"module {m}.so\n" for m in LOADED) + "".join(f"module_app {m}.so\n" for m in APPS))
            f.write(CONFIG.format(listen=f"{listen or host}:0", tone=tone, clip=clip, control=self.control, folder=self.folder, more=more))
        media = f";mediaenc={encryption}" if encryption else ""
        with open(f"{self.folder}/accounts", "w", encoding="ascii") as f:
            f.write(f"<sip:{user}@{self.domain};transport={transport}>;auth_user={user};auth_pass={password};regint=60;answermode=auto"
                    f";audio_codecs=opus/48000/2,PCMU/8000/1;video_codecs=H264{media}\n")
        self.process = subprocess.Popen([*WITH_US, "baresip", "-f", self.folder, "-v"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace", cwd=self.folder)
        threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True).start()
        self.connect()

    def make_clip(self, colour):
        clip = f"{self.folder}/clip.mp4"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"color={colour}:size=640x360:rate=25:duration=120", "-c:v", "libx264",
                        "-preset", "ultrafast", "-pix_fmt", "yuv420p", clip], check=True, stdin=subprocess.DEVNULL)
        return clip

    # ---- control: netstrings of JSON ----
    def connect(self):
        end = time.monotonic() + 10
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", self.control), 10)
                break
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise AssertionError("baresip does not listen:\n" + "".join(self.log[-30:])) from None
                time.sleep(0.1)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        data = b""
        self.socket.settimeout(None)
        while True:
            try:
                more = self.socket.recv(65536)
            except OSError:
                return
            if not more:
                return
            data += more
            while b":" in data:
                size, rest = data.split(b":", 1)
                if len(rest) < int(size) + 1:
                    break
                message = json.loads(rest[:int(size)])
                data = rest[int(size) + 1:]
                (self.answers.__setitem__(message.get("token"), message) if message.get("response") else self.events.append(message))

    def command(self, name, params=""):
        self.token += 1
        text = json.dumps({"command": name, "params": params, "token": str(self.token)}).encode()
        self.socket.sendall(str(len(text)).encode() + b":" + text + b",")
        end = time.monotonic() + 5
        while str(self.token) not in self.answers and time.monotonic() < end:
            time.sleep(0.01)
        return self.answers.get(str(self.token), {})

    def saw(self, kind):
        return [e for e in self.events if e.get("type") == kind]

    # ---- what a person would do ----
    def dial(self, number):
        return self.command("dial", f"sip:{number}@{self.domain}")

    def digits(self, digits):
        for d in digits:
            self.command("sndcode", d)
            time.sleep(0.25)

    def hang_up(self):
        return self.command("hangup")

    def picture(self):
        """The newest received frame as a Png, None when there is none yet."""
        path = f"{self.folder}/seen-{self.token + 1}.png"
        self.command("snapshot_recv", path)
        end, size = time.monotonic() + 3, -1
        while time.monotonic() < end:
            now = os.path.getsize(path) if os.path.exists(path) else -1
            if now > 0 and now == size:
                return Png(path)
            size = now
            time.sleep(0.1)
        return None

    def heard(self, frequencies, seconds=1.0):
        """dBFS of each frequency at the end of what was decoded (Goertzel)."""
        files = sorted(glob.glob(f"{self.folder}/dump-*-dec.wav"), key=os.path.getmtime)
        if not files:
            return None
        with open(files[-1], "rb") as f:
            data = f.read()
        channels, rate = struct.unpack("<HI", data[22:28])
        samples = array.array("h", data[44:44 + (len(data) - 44) // 2 * 2])[::channels][-int(rate * seconds):]
        if len(samples) < rate * seconds * 0.9:
            return None
        return {f: level(samples, f, rate) for f in frequencies}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def level(samples, frequency, rate):
    c = 2 * math.cos(2 * math.pi * frequency / rate)
    a = b = 0.0
    for s in samples:
        a, b = s + c * a - b, a
    power = max(a * a + b * b - c * a * b, 1e-9)
    return 20 * math.log10(max(2 * math.sqrt(power) / len(samples) / 32768, 1e-9))

"""A meeting room with a second video, as scripts see one: answers SIP calls (H.264, PCMU, plain RTP), sends one colour as its
picture and another as slides when the floor is its own (BFCP by Debian's libre: bfcp_peer room), and says which colours it gets.

    slides_room.py PICTURE SLIDES|none [SEND_CODEC]    {"port": N}, then a line of JSON each half second; "ask", "release" on stdin
"""
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway_rig import WITH_US, skip  # noqa: E402

try:
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gio, Gst  # noqa: E402
except (ImportError, ValueError) as e:
    skip(f"python3-gi or GStreamer's descriptions are missing: {e}")
Gst.init(None)

ADDRESS = "127.0.0.1"
COLOURS = {"red": 0xFFFF0000, "blue": 0xFF0000FF, "magenta": 0xFFFF00FF, "lime": 0xFF00FF00, "yellow": 0xFFFFFF00}
SIZE = 16  # of what is looked at
SENDS = {
    "H264": "x264enc tune=zerolatency key-int-max=15 bframes=0 speed-preset=ultrafast bitrate=300 ! video/x-h264,profile=constrained-baseline "
            "! rtph264pay config-interval=1 mtu=1200",
    "VP8": "vp8enc deadline=1 keyframe-max-dist=15 target-bitrate=300000 ! rtpvp8pay mtu=1200",
}
READS = {"H264": "rtph264depay ! h264parse ! avdec_h264", "VP8": "rtpvp8depay ! vp8dec"}


def can_run(codecs=("H264",)):
    elements = {"H264": ["x264enc", "avdec_h264"], "VP8": ["vp8enc", "vp8dec"]}
    return bool(os.environ.get("ORTOO_BFCP_PEER")) and all(Gst.ElementFactory.find(e) for c in codecs for e in elements[c])


def rtp_pair():
    """An even port and the next one, both bound."""
    while True:
        a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        a.bind((ADDRESS, 0))
        port, b = a.getsockname()[1], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            if port % 2 == 0:
                b.bind((ADDRESS, port + 1))
                return a, b
        except OSError:
            pass
        a.close()
        b.close()


class Line:
    """One m-line: its ports, what it sends and sees."""

    def __init__(self):
        self.rtp, self.rtcp = rtp_pair()
        self.port, self.pipes, self.seen = self.rtp.getsockname()[1], {}, None
        self.socket = Gio.Socket.new_from_fd(self.rtp.fileno())

    def run(self, name, text, sink=None):
        self.end(name)
        pipe = Gst.parse_launch(text)
        for element in ("in", "out"):
            if pipe.get_by_name(element):
                pipe.get_by_name(element).set_property("socket", self.socket)
                pipe.get_by_name(element).set_property("close-socket", False)
        if sink:
            pipe.get_by_name("look").connect("new-sample", sink)
        pipe.set_state(Gst.State.PLAYING)
        self.pipes[name] = pipe

    def end(self, name):
        if name in self.pipes:
            self.pipes.pop(name).set_state(Gst.State.NULL)

    def look(self, sink):
        buffer = sink.emit("pull-sample").get_buffer()
        at = (SIZE // 2 * SIZE + 3) * 3
        self.seen = list(buffer.extract_dup(0, buffer.get_size())[at:at + 3])
        return Gst.FlowReturn.OK

    def receive(self, codec, pt):
        self.run("receive", f'udpsrc name=in caps="application/x-rtp,media=video,clock-rate=90000,encoding-name={codec},payload={pt}" '
                 f"! rtpjitterbuffer latency=40 ! {READS[codec]} ! videoconvert ! videoscale ! video/x-raw,format=RGB,width={SIZE},height={SIZE} "
                 "! appsink name=look sync=false max-buffers=1 drop=true emit-signals=true", self.look)

    def send(self, codec, pt, colour, to):
        self.run("send", f"videotestsrc is-live=true pattern=solid-color foreground-color={COLOURS[colour]} ! video/x-raw,width=640,height=360,framerate=15/1 "
                 f"! videoconvert ! {SENDS[codec]} pt={pt} ! udpsink name=out host={to[0]} port={to[1]} sync=false")

    def hum(self, to):
        self.run("send", "audiotestsrc is-live=true wave=silence ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay pt=0 "
                 f"! udpsink name=out host={to[0]} port={to[1]} sync=false")

    def close(self):
        for name in list(self.pipes):
            self.end(name)


class SlidesRoom:
    def __init__(self, picture="red", slides=None, codec="H264"):
        self.picture, self.slides, self.codec = picture, slides, codec
        self.audio, self.main, self.content = Line(), Line(), Line() if slides else None
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind((ADDRESS, 0))
        self.port = self.sip.getsockname()[1]
        self.tag, self.floor, self.floor_events, self.send_slides, self.ended = uuid.uuid4().hex[:8], None, [], None, False
        threading.Thread(target=self.serve, daemon=True).start()

    # ---- floor ----
    def open_floor(self, attributes, port):
        if self.floor is None:
            values = [attributes.get(k, "1").split()[0] for k in ("confid", "userid", "floorid")]
            self.floor = subprocess.Popen([*WITH_US, os.environ["ORTOO_BFCP_PEER"], "room", ADDRESS, str(port), *values],
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.floor_port = int(self.floor.stdout.readline().split()[1])
            threading.Thread(target=self.read_floor, daemon=True).start()
        return self.floor_port

    def read_floor(self):
        for line in self.floor.stdout:
            word = line.strip()
            self.floor_events.append(word)
            if word == "granted":
                self.content.send(*self.send_slides)
            elif word in ("released", "revoked"):
                self.content.end("send")

    def say(self, word):
        self.floor.stdin.write(word + "\n")
        self.floor.stdin.flush()

    # ---- SDP ----
    @staticmethod
    def sections(sdp):
        """[(first line, attributes)] of the m-lines; codecs as {name: [(pt, fmtp)]} under "codecs"."""
        found = []
        for part in re.split(r"\r?\n(?=m=)", sdp)[1:]:
            lines = part.splitlines()
            attributes = dict(l[2:].split(":", 1) for l in lines if l.startswith("a=") and ":" in l)
            fmtp = dict(re.findall(r"a=fmtp:(\d+) ([^\r\n]*)", part))
            codecs = {}
            for pt, name in re.findall(r"a=rtpmap:(\d+) ([\w.-]+)/", part):
                codecs.setdefault(name.upper(), []).append((int(pt), fmtp.get(pt, "")))
            address = re.search(r"c=IN IP4 (\S+)", part) or re.search(r"c=IN IP4 (\S+)", sdp)
            found.append((lines[0], {**attributes, "codecs": codecs, "to": (address.group(1), int(lines[0].split()[1]))}))
        return found

    def video(self, attributes, line, colour, content):
        choices = attributes["codecs"].get(self.codec, [])
        pt, fmtp = next((c for c in choices if self.codec != "H264" or "packetization-mode=1" in c[1]), (None, None))
        if pt is None or line is None:
            return ["m=video 0 RTP/AVP 96"]
        line.receive(self.codec, pt)
        if content:
            self.send_slides = (self.codec, pt, colour, attributes["to"])
        else:
            line.send(self.codec, pt, colour, attributes["to"])
        return [f"m=video {line.port} RTP/AVP {pt}", f"a=rtpmap:{pt} {self.codec}/90000", *([f"a=fmtp:{pt} {fmtp}"] if fmtp else []),
                *(["a=content:" + attributes["content"]] if "content" in attributes else []),
                *(["a=label:" + attributes["label"]] if "label" in attributes else []), "a=sendrecv"]

    def answer(self, sdp):
        out = ["v=0", f"o=room 1 {int(time.time() * 1000)} IN IP4 {ADDRESS}", "s=-", f"c=IN IP4 {ADDRESS}", "t=0 0"]
        for first, attributes in self.sections(sdp):
            kind = first.split("=")[1].split()[0]
            if kind == "audio":
                self.audio.hum(attributes["to"])
                out += [f"m=audio {self.audio.port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=sendrecv"]
            elif kind == "application" and self.slides:
                port = self.open_floor(attributes, first.split()[1])
                out += [f"m=application {port} UDP/BFCP *", "a=floorctrl:c-only"]
            elif kind == "video":
                content = attributes.get("content") == "slides"
                out += self.video(attributes, self.content if content else self.main, self.slides if content else self.picture, content)
            else:
                out.append(f"m={kind} 0 {first.split()[2]} *")
        return "\r\n".join(out) + "\r\n"

    # ---- SIP ----
    def serve(self):
        while not self.ended:
            data, peer = self.sip.recvfrom(65536)
            head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
            method = head.split(" ", 1)[0]
            if method in ("ACK", "SIP/2.0"):
                if method == "ACK" and self.floor:
                    self.say("hello")
                continue
            sdp = self.answer(body) if method in ("INVITE", "UPDATE") and body else ""
            self.reply(head, peer, sdp)
            if method == "BYE":
                self.hang_up()

    def reply(self, head, peer, sdp):
        keep = [l for l in head.split("\r\n")[1:] if re.match(r"(?i)(via|v|from|f|call-id|i|cseq|record-route):", l)]
        to = next(l for l in head.split("\r\n") if re.match(r"(?i)(to|t):", l))
        lines = ["SIP/2.0 200 OK", *keep, to if ";tag=" in to else f"{to};tag={self.tag}", f"Contact: <sip:room@{ADDRESS}:{self.port}>",
                 "User-Agent: slides room", *(["Content-Type: application/sdp"] if sdp else []), f"Content-Length: {len(sdp)}", "", sdp]
        self.sip.sendto("\r\n".join(lines).encode(), peer)

    def hang_up(self):
        for line in filter(None, (self.audio, self.main, self.content)):
            line.close()

    def close(self):
        self.ended = True
        self.hang_up()
        if self.floor:
            self.floor.terminate()

    def now(self):
        return {"main": self.main.seen, "content": self.content.seen if self.content else None, "floor": self.floor_events}


def main():
    if not can_run():
        skip("bfcp_peer or GStreamer's H.264 is not there")
    room = SlidesRoom(sys.argv[1], None if sys.argv[2] == "none" else sys.argv[2], *sys.argv[3:])
    print(json.dumps({"port": room.port}), flush=True)
    while True:
        if select.select([sys.stdin], [], [], 0.5)[0]:
            line = sys.stdin.readline()
            if not line:
                break
            room.say(line.strip())
        print(json.dumps(room.now()), flush=True)
    room.close()


if __name__ == "__main__":
    main()

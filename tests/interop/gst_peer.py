"""GStreamer's webrtcbin as a foreign peer: views what WHEP gives, or publishes a tone as a dispatcher does. Needs python3-gi."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway_rig import own_address, skip  # noqa: E402

try:
    import gi
    for name in ("Gst", "GstWebRTC", "GstSdp", "GstApp"):
        gi.require_version(name, "1.0")
    from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402
except (ImportError, ValueError) as e:
    skip(f"python3-gi or GStreamer's descriptions are missing: {e}")
Gst.init(None)
for element in ("webrtcbin", "nicesink", "avdec_h264" if Gst.ElementFactory.find("avdec_h264") else "openh264dec", "vp8dec"):
    if Gst.ElementFactory.find(element) is None:
        skip(f"GStreamer's {element} is missing")

if own_address() is None:
    skip("there is no network interface beside loopback")

MARK_CELLS = 20


def read_mark(luma, width, height, stride):
    """The frame number that ortoo-terminal draws along the bottom (softclient/desktop/media/picture.c); None = there is none."""
    row, cells = height - ((height // 20) & ~1) // 2, 0
    for n in range(MARK_CELLS):
        cells = cells << 1 | (luma[row * stride + (2 * n + 1) * width // (2 * MARK_CELLS)] > 126)
    bits = cells >> 3 & 0xFFFF
    return bits if cells == 1 << 19 | bits << 3 | (bin(bits).count("1") & 1) << 2 | 1 else None


class Peer:
    def __init__(self, text):
        self.pipeline = Gst.Pipeline.new()
        self.pipeline.add(Gst.parse_bin_from_description("webrtcbin name=rtc bundle-policy=max-bundle latency=50 " + text, False))
        self.rtc = self.pipeline.get_by_name("rtc")
        self.faults = []
        bus = self.pipeline.get_bus()
        bus.set_sync_handler(self.on_message, None)

    def on_message(self, _bus, message, _data):
        if message.type == Gst.MessageType.ERROR:
            self.faults.append(message.parse_error()[0].message)
        return Gst.BusSyncReply.DROP

    def offer(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        promise = Gst.Promise.new()
        self.rtc.emit("create-offer", None, promise)
        promise.wait()
        reply = promise.get_reply()  # owns what get_value() shows
        offer = reply.get_value("offer")
        self.rtc.emit("set-local-description", offer, Gst.Promise.new())
        return offer.sdp.as_text()

    def answer(self, sdp):
        ok, message = GstSdp.SDPMessage.new_from_text(sdp)
        assert ok == GstSdp.SDPResult.OK, sdp
        self.rtc.emit("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message),
                      Gst.Promise.new())

    def close(self):
        self.pipeline.set_state(Gst.State.NULL)


class Viewer(Peer):
    """Decodes; .marks are the frame numbers seen, .loud counts 100 ms pieces of sound above -40 dB."""

    def __init__(self, codec):
        super().__init__("")
        self.frames, self.marks, self.loud, self.size = 0, [], 0, None
        caps = {"h264": "encoding-name=H264,payload=102,packetization-mode=(string)1,profile-level-id=(string)42e01f",
                "vp8": "encoding-name=VP8,payload=96"}[codec]
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        self.rtc.emit("add-transceiver", direction, Gst.Caps.from_string(
            f"application/x-rtp,media=video,clock-rate=90000,{caps},rtcp-fb-nack-pli=(boolean)true"))
        self.rtc.emit("add-transceiver", direction, Gst.Caps.from_string(
            "application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,encoding-params=(string)2,payload=111"))
        self.rtc.connect("pad-added", self.on_pad)

    def on_pad(self, _rtc, pad):
        caps = pad.get_current_caps().get_structure(0)
        kind, name = caps.get_string("media"), caps.get_string("encoding-name")
        depay = {"H264": "rtph264depay ! h264parse ! " + ("avdec_h264" if Gst.ElementFactory.find("avdec_h264") else "openh264dec"),
                 "VP8": "rtpvp8depay ! vp8dec", "OPUS": "rtpopusdepay ! opusdec"}[name.upper()]
        tail = "videoconvert ! video/x-raw,format=I420" if kind == "video" else "audioconvert ! audio/x-raw,format=S16LE,channels=1"
        branch = Gst.parse_bin_from_description(f"queue ! {depay} ! {tail} ! appsink name=out emit-signals=true sync=false async=false", True)
        branch.get_by_name("out").connect("new-sample", self.on_picture if kind == "video" else self.on_sound)
        self.rtc.get_parent().add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def on_picture(self, sink):
        sample = sink.emit("pull-sample")
        caps = sample.get_caps().get_structure(0)
        width, height = caps.get_value("width"), caps.get_value("height")
        data = sample.get_buffer().extract_dup(0, width * height)
        mark = read_mark(data, width, height, (width + 3) & ~3)
        self.size, self.frames = (width, height), self.frames + 1
        if mark is not None:
            self.marks.append(mark)
        return Gst.FlowReturn.OK

    def on_sound(self, sink):
        buffer = sink.emit("pull-sample").get_buffer()
        samples = memoryview(buffer.extract_dup(0, buffer.get_size())).cast("h")
        if samples and sum(s * s for s in samples[::8]) / len(samples[::8]) > (32768 * 0.01) ** 2:
            self.loud += 1
        return Gst.FlowReturn.OK


def dispatcher():
    """Publishes a tone and nothing else."""
    return Peer("audiotestsrc is-live=true wave=ticks freq=440 volume=0.8 ! audioconvert ! audio/x-raw,rate=48000,channels=1 ! opusenc "
                "! rtpopuspay pt=111 ssrc=77 ! application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,"
                "encoding-params=(string)2,payload=111,ssrc=(uint)77 ! rtc.")


#!/usr/bin/env python3
"""aiortc (another WebRTC stack, in Python) publishes by WHIP and views by WHEP; real gateway, real engine."""
import asyncio
import fractions
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway_rig import own_address, run, skip  # noqa: E402

try:
    import aioice.ice
    import av
    from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
except ImportError as e:
    skip(f"python3-aiortc is missing: {e}")

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [own_address() or "127.0.0.1"]
WIDTH, HEIGHT, FPS, WAIT_S = 320, 240, 15, 12


class Picture(MediaStreamTrack):
    """Grey that changes, paced by the clock."""
    kind = "video"

    def __init__(self):
        super().__init__()
        self.n = 0

    async def recv(self):
        await asyncio.sleep(1 / FPS)
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, grey in zip(frame.planes, (40 + self.n * 3 % 160, 128, 128)):
            plane.update(bytes([grey]) * plane.buffer_size)
        frame.pts, frame.time_base = self.n * 90000 // FPS, fractions.Fraction(1, 90000)
        self.n += 1
        return frame


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self):
        super().__init__()
        self.n = 0

    async def recv(self):
        await asyncio.sleep(0.02)
        samples = [int(9000 * math.sin(2 * math.pi * 440 * (self.n + i) / 48000)) for i in range(960)]
        frame = av.AudioFrame("s16", "mono", 960)
        frame.planes[0].update(b"".join(s.to_bytes(2, "little", signed=True) for s in samples))
        frame.sample_rate, frame.pts, frame.time_base = 48000, self.n, fractions.Fraction(1, 48000)
        self.n += 960
        return frame


class Seen:
    def __init__(self):
        self.pictures, self.sounds, self.greys, self.loud = 0, 0, set(), 0

    async def take(self, track):
        while True:
            frame = await track.recv()
            if track.kind == "video":
                self.pictures += 1
                self.greys.add(bytes(frame.planes[0])[frame.planes[0].line_size * 100 + 100] // 8)
            else:
                self.sounds += 1
                self.loud += max(memoryview(bytes(frame.planes[0])).cast("h")) > 2000

    def enough(self):
        return self.pictures >= 10 and len(self.greys) >= 3 and self.sounds >= 20 and self.loud >= 5


async def exchange(rig, pc, path, token):
    await pc.setLocalDescription(await pc.createOffer())
    place, answer = await asyncio.to_thread(rig.post_sdp, path, token, pc.localDescription.sdp)
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return place


async def until(what, fn):
    for _ in range(WAIT_S * 20):
        if fn():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited {WAIT_S} s for {what}")


async def publish_and_view(rig, codec):
    incident = rig.incident()
    link = rig.link(incident, f"aiortc {codec}")
    sender, viewer, seen = RTCPeerConnection(), RTCPeerConnection(), Seen()
    tasks = []
    try:
        sender.addTrack(Tone())
        sender.addTrack(Picture())
        prefer(sender, codec)
        place = await exchange(rig, sender, "/whip", link["token"])
        await until("the sender to connect", lambda: sender.connectionState == "connected")
        viewer.on("track", lambda track: tasks.append(asyncio.ensure_future(seen.take(track))))
        viewer.addTransceiver("video", direction="recvonly")
        viewer.addTransceiver("audio", direction="recvonly")
        await exchange(rig, viewer, f"/whep/{link['scene']}", rig.token)
        try:
            await until("pictures and sound", seen.enough)
        except AssertionError as e:
            raise AssertionError(f"{e}: {vars(seen)}") from e
        await asyncio.to_thread(rig.stamped, incident, link["scene"], "ice_connected_ms", "first_rtp_ms", "first_keyframe_ms")
        assert (await asyncio.to_thread(rig.http, "DELETE", place)).status == 200
        assert rig.scene(incident, link["scene"])["state"] == "absent"
    finally:
        for task in tasks:
            task.cancel()
        await viewer.close()
        await sender.close()


def prefer(pc, codec):
    """aiortc offers VP8 first; the engine takes the first that it knows."""
    from aiortc import RTCRtpSender
    codecs = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType.lower() in (f"video/{codec}", "video/rtx")]
    for t in pc.getTransceivers():
        if t.kind == "video":
            t.setCodecPreferences(codecs)


def vp8_published_and_viewed(rig):
    asyncio.run(publish_and_view(rig, "vp8"))


def h264_published_and_viewed(rig):
    asyncio.run(publish_and_view(rig, "h264"))


def terminal_viewed(rig):
    """What GStreamer publishes, aiortc decodes."""
    incident = rig.incident()
    link = rig.link(incident, "终端")
    rig.terminal(link["url"], "--size", "320x240")
    rig.stamped(incident, link["scene"], "first_rtp_ms")

    async def view():
        viewer, seen, tasks = RTCPeerConnection(), Seen(), []
        viewer.on("track", lambda track: tasks.append(asyncio.ensure_future(seen.take(track))))
        viewer.addTransceiver("video", direction="recvonly")
        viewer.addTransceiver("audio", direction="recvonly")
        try:
            await exchange(rig, viewer, f"/whep/{link['scene']}", rig.token)
            await until("pictures and sound", lambda: seen.pictures >= 10 and seen.loud >= 3)
        finally:
            for task in tasks:
                task.cancel()
            await viewer.close()

    asyncio.run(view())


if __name__ == "__main__":
    run(vp8_published_and_viewed, h264_published_and_viewed, terminal_viewed)

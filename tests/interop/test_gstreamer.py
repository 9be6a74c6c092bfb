#!/usr/bin/env python3
"""ortoo-terminal (GStreamer's webrtcbin) publishes, a second webrtcbin views by WHEP; real gateway, real engine."""
import os
import re
import select
import signal
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway_rig import run, until  # noqa: E402
from gst_peer import Viewer, dispatcher  # noqa: E402


def watch(rig, scene, codec):
    viewer = Viewer(codec)
    _place, answer = rig.post_sdp(f"/whep/{scene}", rig.token, viewer.offer())
    viewer.answer(answer)
    return viewer


def moves(viewer, n=10):
    """n new frames whose numbers grow."""
    begin = len(viewer.marks)
    until(f"{n} frames", lambda: len(viewer.marks) >= begin + n, 10)
    new = viewer.marks[begin:begin + n]
    assert all((b - a) & 0xFFFF in range(1, 200) for a, b in zip(new, new[1:])), new


def seen(rig, codec, size):
    incident = rig.incident()
    link = rig.link(incident, f"现场 {codec}")
    rig.terminal(link["url"], "--codec", codec, "--size", "x".join(map(str, size)))
    rig.stamped(incident, link["scene"], "camera_granted_ms", "ice_connected_ms", "first_rtp_ms", timeout_s=10)
    viewer = watch(rig, link["scene"], codec)
    try:
        moves(viewer)
        assert viewer.size == size, viewer.size
        until("its voice", lambda: viewer.loud >= 5, 8)
        rig.stamped(incident, link["scene"], "first_keyframe_ms", "heard_scene_ms")
        assert not viewer.faults, viewer.faults
    finally:
        viewer.close()
    rig.call("incident.close", id=incident, reason="done")
    terminal = rig.children[-1]
    assert terminal.wait(5) == 0, terminal.log[-3:]


def h264_reaches_a_viewer(rig):
    seen(rig, "h264", (640, 360))


def vp8_reaches_a_viewer(rig):
    seen(rig, "vp8", (320, 240))


def dispatcher_is_heard(rig):
    incident = rig.incident()
    link = rig.link(incident, "听")
    terminal = rig.terminal(link["url"])
    rig.stamped(incident, link["scene"], "ice_connected_ms", "heard_scene_ms")
    assert not terminal.figures.get("heard"), "heard before anybody spoke"
    voice, api = dispatcher(), rig.socket()
    try:
        offer = voice.offer()
        mid = next(line[6:] for line in offer.splitlines() if line.startswith("a=mid:"))
        voice.answer(api.call("rtc.offer", pc="dsp-1", sdp=offer, publish=[{"mid": mid, "kind": "audio"}], view=[])["sdp"])
        api.call("talk.set", incident=incident, scenes=[link["scene"]], on=True)
        rig.stamped(incident, link["scene"], "heard_dispatcher_ms", "two_way_ms", timeout_s=10)
    finally:
        voice.close()
        api.close()


def engine_killed_picture_is_back(rig):
    incident = rig.incident()
    link = rig.link(incident, "断")
    terminal = rig.terminal(link["url"])
    rig.stamped(incident, link["scene"], "first_rtp_ms")
    os.kill(rig.engine(), signal.SIGKILL)
    begin = time.monotonic()
    until("a second connection", lambda: terminal.figures.get("connections", 0) >= 2 and terminal.figures.get("leg") == "up", 10)
    until("the scene to be present", lambda: rig.scene(incident, link["scene"])["state"] == "present", 5)
    print(f"# up again after {time.monotonic() - begin:.1f} s")
    viewer = watch(rig, link["scene"], "h264")
    try:
        moves(viewer)
    finally:
        viewer.close()


class Meddler:
    """Stands between terminal and gateway with a good TLS certificate, and changes the fingerprint in answers."""

    def __init__(self, rig):
        self.rig, self.server = rig, socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls = os.path.dirname(rig.ca)
        self.context.load_cert_chain(f"{tls}/server.crt", f"{tls}/server.key")
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                near = self.context.wrap_socket(self.server.accept()[0], server_side=True)
                far = ssl.create_default_context(cafile=self.rig.ca).wrap_socket(
                    socket.create_connection(("127.0.0.1", self.rig.port)), server_hostname="127.0.0.1")
                threading.Thread(target=self.relay, args=(near, far), daemon=True).start()
        except OSError:
            pass

    @staticmethod
    def change(data):
        return re.sub(rb"(a=fingerprint:sha-256 )([0-9A-F]{2})", lambda m: m[1] + (b"00" if m[2] != b"00" else b"11"), data)

    def relay(self, near, far):
        """One thread a connection: an SSL object must not be read and written at the same time."""
        other = {near: (far, lambda data: data), far: (near, self.change)}
        try:
            while True:
                for s in [s for s in other if s.pending()] or select.select(list(other), [], [], 60)[0]:
                    s.settimeout(0.02)  # readable may be a session ticket, with no data behind it
                    try:
                        data = s.recv(65536)
                    except TimeoutError:
                        continue
                    if not data:
                        return
                    to, change = other[s]
                    to.settimeout(10)
                    to.sendall(change(data))
        except OSError:
            pass
        finally:
            near.close()
            far.close()


def foreign_certificate_gets_no_media(rig):
    """The signalled fingerprint is not the engine's: ICE and DTLS come up, not one packet of media may leave."""
    incident = rig.incident()
    link = rig.link(incident, "伪")
    meddler = Meddler(rig)
    terminal = rig.terminal(link["url"].replace(f":{rig.port}/", f":{meddler.port}/"))
    until("the terminal to notice", lambda: [x for x in terminal.log if "not the signalled one" in x], 10)
    rig.stamped(incident, link["scene"], "ice_connected_ms")
    time.sleep(1)
    until("the terminal's figures", lambda: terminal.figures, 10)
    assert terminal.figures["frames"] == 0 and terminal.figures["leg"] != "up", terminal.figures
    assert not rig.scene(incident, link["scene"])["stamps"]["first_rtp_ms"]
    meddler.server.close()


def gateway_killed_media_goes_on(rig):
    """The engine keeps what it has; the new gateway adopts it, the terminal finds back and keeps its connection."""
    incident = rig.incident()
    link = rig.link(incident, "续")
    terminal = rig.terminal(link["url"])
    rig.stamped(incident, link["scene"], "first_rtp_ms")
    viewer = watch(rig, link["scene"], "h264")
    try:
        moves(viewer)
        rig.kill_gateway()
        moves(viewer)
        rig.start()
        until("the terminal to be back", lambda: terminal.figures["wire"] == "up" and sum('"wire"' in x and '"up"' in x for x in terminal.log) >= 2)
        moves(viewer)
        assert terminal.figures["connections"] == 1, terminal.figures
        assert rig.scene(incident, link["scene"])["state"] == "present"
    finally:
        viewer.close()


if __name__ == "__main__":
    run(h264_reaches_a_viewer, vp8_reaches_a_viewer, dispatcher_is_heard, foreign_certificate_gets_no_media,
        engine_killed_picture_is_back, gateway_killed_media_goes_on)

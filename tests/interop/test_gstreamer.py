#!/usr/bin/env python3
"""ortoo-terminal (GStreamer's webrtcbin) publishes, a second webrtcbin views by WHEP; real gateway, real engine."""
import os
import signal
import sys
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


if __name__ == "__main__":
    run(h264_reaches_a_viewer, vp8_reaches_a_viewer, dispatcher_is_heard, engine_killed_picture_is_back)

#!/usr/bin/env python3
"""WHIP (RFC 9725) and WHEP refusals: what a publisher that is wrong, late or foreign is told."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway_rig import run  # noqa: E402

FINGERPRINT = ":".join(["AB"] * 32)
OFFER = "\r\n".join([
    "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0",
    "a=mid:0", "a=rtcp-mux", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdef0123456789", f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:actpass", "a=sendonly", "a=rtpmap:96 VP8/90000", "a=ssrc:1 cname:x", ""])
SDP = "application/sdp"


def post(rig, path, body=OFFER, token=None, kind=SDP):
    headers = {**({"Content-Type": kind} if kind else {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    return rig.http("POST", path, body, headers)


def refused(reply, status, code=None):
    assert reply.status == status, (reply.status, reply.body[:300])
    error = json.loads(reply.body)["error"]
    assert error["message"] and error["message_zh"], error
    assert code is None or error["code"] == code, error


def no_token_is_401(rig):
    refused(post(rig, "/whip"), 401, "unauthenticated")
    refused(post(rig, "/whep/s1"), 401, "unauthenticated")


def foreign_token_is_401(rig):
    refused(post(rig, "/whip", token="b0gC6m9_kq-2YtWw8Zs1Rg"), 401, "unauthenticated")
    refused(post(rig, "/whep/s1", token="b0gC6m9_kq-2YtWw8Zs1Rg"), 401, "unauthenticated")


def only_sdp_is_taken(rig):
    link = rig.link(rig.incident(), "型")
    for kind in ("application/json", "text/plain", None):
        refused(post(rig, "/whip", token=link["token"], kind=kind), 400, "invalid")


def bad_sdp_is_400(rig):
    link = rig.link(rig.incident(), "坏")
    for body in ("", "hello", "v=0\r\n", OFFER.replace("a=ice-ufrag:abcd\r\n", ""),
                 OFFER.replace(FINGERPRINT, "AB")):
        reply = post(rig, "/whip", body, link["token"])
        assert reply.status in (400, 409), (body[:40], reply.status, reply.body)


def too_long_is_413(rig):
    link = rig.link(rig.incident(), "长")
    reply = post(rig, "/whip", OFFER + "a=x:y\r\n" * 20000, link["token"])
    assert reply.status == 413, reply.status


def opened_elsewhere_is_used(rig):
    link = rig.link(rig.incident(), "用")
    phone = rig.http("POST", "/api/v1/link.open", json.dumps({"token": link["token"]}), {"Content-Type": "application/json"})
    assert phone.status == 200, phone.body
    refused(post(rig, "/whip", token=link["token"]), 410, "used")


def closed_incident_is_gone(rig):
    incident = rig.incident()
    link = rig.link(incident, "闭")
    rig.call("incident.close", id=incident, reason="over")
    assert post(rig, "/whip", token=link["token"]).status in (401, 410)


def whole_life_of_a_session(rig):
    """201 with Location, the same token again makes another one, DELETE ends it, twice is 404."""
    incident = rig.incident()
    link = rig.link(incident, "生")
    first = post(rig, "/whip", token=link["token"])
    assert first.status == 201 and first.headers["Content-Type"] == SDP, (first.status, first.body)
    assert b"a=ice-lite" in first.body and b"a=candidate:" in first.body and b"a=recvonly" in first.body
    place = first.headers["Location"]
    assert rig.http("PATCH", place, "a=end-of-candidates\r\n", {"Content-Type": "application/trickle-ice-sdpfrag"}).status == 204
    second = post(rig, "/whip", token=link["token"])
    assert second.status == 201 and second.headers["Location"] != place
    for where in (place, second.headers["Location"]):
        assert rig.http("DELETE", where).status in (200, 404)
        refused(rig.http("DELETE", where), 404, "not_found")
    assert rig.scene(incident, link["scene"])["state"] == "absent"


def foreign_session_is_404(rig):
    refused(rig.http("DELETE", "/whip/h-000000000000000000000000"), 404, "not_found")
    refused(rig.http("DELETE", "/whip/"), 404)


def viewer_rules(rig):
    """A field token may not watch; a scene that is not there is 404; OPTIONS says what is taken."""
    incident = rig.incident()
    link = rig.link(incident, "看")
    watch = OFFER.replace("a=sendonly", "a=recvonly").replace("a=ssrc:1 cname:x\r\n", "")
    refused(post(rig, "/whep/nowhere", watch, rig.token), 404, "not_found")
    assert post(rig, f"/whep/{link['scene']}", watch, rig.token).status == 201
    assert rig.http("OPTIONS", "/whip").headers["Accept-Post"] == SDP


if __name__ == "__main__":
    run(no_token_is_401, foreign_token_is_401, only_sdp_is_taken, bad_sdp_is_400, too_long_is_413, opened_elsewhere_is_used,
        closed_incident_is_gone, whole_life_of_a_session, foreign_session_is_404, viewer_rules)

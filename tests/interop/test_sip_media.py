"""Two baresip phones through our SIP stack and the real engine: each sees the other's colour and hears the other's tone and
never its own, over plain RTP, SDES in TLS, DTLS-SRTP, and DTLS-SRTP with ICE."""
import shutil
import sys
import time
import traceback

from gateway_rig import skip, until
from sip_peers import ADDRESS, MODULES, Bridge, Linphone, Phone

RED, BLUE = (0, "red", 440), (2, "blue", 1000)


def sees(phone, channel):
    colour = phone.picture()
    return colour is not None and colour[channel] > 120 and all(colour[k] < 90 for k in range(3) if k != channel) and colour


def they_call(bridge, transport, phones):
    for phone in phones:  # baresip takes the transport from its account, and twice is once too much
        phone.suffix = f";transport={transport}" if isinstance(phone, Linphone) else ""
    port = bridge.ready["tls" if transport == "tls" else "udp"]
    legs = []
    for phone in phones:
        phone.command("dial", f"sip:1000@{ADDRESS}:{port}{phone.suffix}")
        legs.append(until("the call", lambda: next((e["leg"] for e in bridge.events if e["event"] == "call" and e["leg"] not in legs),
                                                   None), 15))
        bridge.wait("state", leg=legs[-1], state="up", timeout_s=20)
    return legs


def we_call(bridge, transport, phones):
    for phone in phones:
        bridge.say(f"dial to-{phone.name} sip:{phone.name}@{ADDRESS}:{phone.port};transport={transport}")
        bridge.wait("state", leg=f"to-{phone.name}", state="up", timeout_s=20)
    return [f"to-{phone.name}" for phone in phones]


def check_media(bridge, legs, security, ice):
    for leg in legs:
        lines = [l for l in bridge.print(leg)["media"] if l["on"]]
        assert len(lines) == 2, lines
        assert all(l["security"] == security and l["ice"] == ice and l["sends"] in ("opus", "H264") for l in lines), lines


def talk(bridge, transport, security, ice=False, call=they_call, between=None, **phone):
    a = Phone("room", RED[1], RED[2], transport=transport, **phone)
    b = Phone("phone", BLUE[1], BLUE[2], transport=transport, **phone)
    try:
        legs = call(bridge, transport, (a, b))
        print("# seen by room:", until("blue at the room's", lambda: sees(a, BLUE[0]), 25))
        print("# seen by phone:", until("red at the phone's", lambda: sees(b, RED[0]), 25))
        check_media(bridge, legs, security, ice)
        if between:
            between(bridge, legs, a, b)
        time.sleep(2.5)
        for leg, peer in zip(legs, (a, b)):
            peer.hangup()
            bridge.wait("state", leg=leg, state="ended")
        time.sleep(0.5)
        levels = {"room hears phone": a.heard(BLUE[2]), "room hears itself": a.heard(RED[2]), "phone hears room": b.heard(RED[2]),
                  "phone hears itself": b.heard(BLUE[2])}
        print("#", {k: round(v, 1) for k, v in levels.items()})
        # the source is a full-scale sine less 6 dB: what arrives is within 1 dB of it
        assert abs(levels["room hears phone"] + 6) < 1 and abs(levels["phone hears room"] + 6) < 1, levels
        assert levels["room hears itself"] < -50 and levels["phone hears itself"] < -50, levels
    except BaseException:
        for p in (a, b):
            print("".join(f"# {p.name}: {line}" for line in [l for l in p.log if "bit/s" not in l and l.strip()][-30:]))
        raise
    finally:
        a.end()
        b.end()


def hold_and_digits(bridge, legs, a, b):
    """The room holds us and comes back; digits arrive; we hold it and come back: the same pictures as before."""
    a.command("hold")
    bridge.wait("state", leg=legs[0], state="held")
    bridge.events.clear()
    a.command("resume")
    bridge.wait("state", leg=legs[0], state="up")
    until("blue at the room's again", lambda: sees(a, BLUE[0]), 20)
    until("red at the phone's again", lambda: sees(b, RED[0]), 20)
    a.command("sndcode", "5")
    bridge.wait("dtmf", leg=legs[0])
    bridge.events.clear()
    bridge.say(f"hold {legs[0]} 1")
    bridge.wait("state", leg=legs[0], state="held")
    bridge.say(f"hold {legs[0]} 0")
    bridge.wait("state", leg=legs[0], state="up")
    until("red at the phone's after our hold", lambda: sees(b, RED[0]), 20)


def plain_rtp():
    with Bridge("plain") as bridge:
        talk(bridge, "udp", "none")


def plain_rtp_called_by_us():
    with Bridge("plain") as bridge:
        talk(bridge, "udp", "none", call=we_call, between=hold_and_digits)


def sdes_in_tls():
    with Bridge("secret") as bridge:
        talk(bridge, "tls", "sdes", account=";mediaenc=srtp-mand", ca=f"{bridge.folder}/tls.crt")


def dtls_srtp():
    with Bridge("secret") as bridge:
        talk(bridge, "udp", "dtls", account=";mediaenc=dtls_srtp", mux=True)


def dtls_srtp_called_by_us():
    with Bridge("secret") as bridge:
        talk(bridge, "udp", "dtls", call=we_call, account=";mediaenc=dtls_srtp", mux=True)


def dtls_srtp_with_ice():
    with Bridge("secret") as bridge:
        talk(bridge, "udp", "dtls", ice=True, account=";mediaenc=dtls_srtp;medianat=ice", mux=True)


def ice_offered_by_us():
    def we_call_with_ice(bridge, transport, phones):
        for phone in phones:
            bridge.say(f"dial to-{phone.name} sip:{phone.name}@{ADDRESS}:{phone.port};transport={transport};ice")
            bridge.wait("state", leg=f"to-{phone.name}", state="up", timeout_s=20)
        return [f"to-{phone.name}" for phone in phones]
    with Bridge("secret") as bridge:
        talk(bridge, "udp", "dtls", ice=True, call=we_call_with_ice, account=";mediaenc=dtls_srtp;medianat=ice", mux=True)


def linphone(bridge, security, call, a, b):
    """linphonec of Debian has VP8 and no H.264: the other side speaks VP8 too, and nothing is transcoded."""
    try:
        legs = call(bridge, (a, b))
        print("# seen by linphone:", until("blue at linphone's", lambda: sees(a, BLUE[0]), 25))
        print("# seen by phone:", until("green at the phone's", lambda: sees(b, 1), 25))
        lines = [l for leg in legs for l in bridge.print(leg)["media"] if l["on"]]
        assert [l["sends"] for l in lines] == ["opus", "VP8"] * 2 and all(l["security"] == security for l in lines), lines
        time.sleep(2.5)
        a.hangup()
        bridge.wait("state", leg=legs[0], state="ended")
        time.sleep(0.5)
        levels = {"linphone hears phone": a.heard(BLUE[2]), "linphone hears itself": a.heard(700), "phone hears linphone": b.heard(700)}
        print("#", {k: round(v, 1) for k, v in levels.items()})
        assert abs(levels["linphone hears phone"] + 6) < 1.5 and abs(levels["phone hears linphone"] + 6) < 1.5, levels
        assert levels["linphone hears itself"] < -50, levels
    except BaseException:
        print("".join(f"# {p.name}: {line}" for p in (a, b) for line in [l for l in p.log if "bit/s" not in l and l.strip()][-30:]))
        raise
    finally:
        a.end()
        b.end()


def through_two_systems():
    """Room - Ortoo - Ortoo - phone: pictures and sound over both, and the content floor by BFCP between the two."""
    with Bridge("plain") as near, Bridge("plain", f"sip:{ADDRESS}:{near.ready['udp']};transport=tcp") as far:
        a, b = Phone("room", RED[1], RED[2]), Phone("phone", BLUE[1], BLUE[2])
        try:
            we_call(near, "udp", [a])
            we_call(far, "udp", [b])
            near.say(f"dial link sip:1000@{ADDRESS}:{far.ready['tcp']};transport=tcp")
            near.wait("state", leg="link", state="up")
            there = far.wait("call")["leg"]
            far.wait("state", leg=there, state="up")
            print("# seen by room:", until("blue at the room's", lambda: sees(a, BLUE[0]), 25))
            print("# seen by phone:", until("red at the phone's", lambda: sees(b, RED[0]), 25))
            lines = {l["slot"]: l for l in near.print("link")["media"]}
            assert lines["content"]["on"] and lines["floor"]["on"] and lines["floor"]["serves"] is False, lines
            near.say("floor link taken")  # somebody here presents: asked of the far server, which grants
            far.wait("floor", leg=there, on=True)
            near.say("floor link free")
            far.wait("floor", leg=there, on=False)
            far.say(f"floor {there} taken")  # somebody there presents
            near.wait("floor", leg="link", on=True)
            far.say(f"floor {there} free")
            near.wait("floor", leg="link", on=False)
            time.sleep(2)
            a.hangup()
            b.hangup()
            near.wait("state", leg="to-room", state="ended")
            time.sleep(0.5)
            levels = {"room hears phone": a.heard(BLUE[2]), "room hears itself": a.heard(RED[2]), "phone hears room": b.heard(RED[2])}
            print("#", {k: round(v, 1) for k, v in levels.items()})
            assert abs(levels["room hears phone"] + 6) < 1 and abs(levels["phone hears room"] + 6) < 1, levels
            assert levels["room hears itself"] < -50, levels
        finally:
            a.end()
            b.end()


VP8 = ["vp8" if m == "avcodec" else m for m in MODULES]


def linphone_plain():
    with Bridge("plain") as bridge:
        linphone(bridge, "none", lambda b, phones: we_call(b, "udp", phones), Linphone("lin", "green", 700),
                 Phone("phone", BLUE[1], BLUE[2], modules=VP8))


def linphone_sdes_in_tls():
    """linphonec calls, proves itself by SHA-256, and both offer keys."""
    with Bridge("secret") as bridge:
        linphone(bridge, "sdes", lambda b, phones: they_call(b, "tls", phones), Linphone("room", "green", 700, "srtp"),
                 Phone("phone", BLUE[1], BLUE[2], modules=VP8, transport="tls", account=";mediaenc=srtp-mand",
                       ca=f"{bridge.folder}/tls.crt"))


def linphone_dtls():
    """linphonec calls as it comes: DTLS-SRTP without rtcp-mux (RTP has keys, RTCP is left out)."""
    with Bridge("secret") as bridge:
        linphone(bridge, "dtls", lambda b, phones: they_call(b, "udp", phones), Linphone("room", "green", 700, "dtls"),
                 Phone("phone", BLUE[1], BLUE[2], modules=VP8, account=";mediaenc=dtls_srtp", mux=True))


def main():
    cases = [plain_rtp, plain_rtp_called_by_us, sdes_in_tls, dtls_srtp, dtls_srtp_called_by_us, dtls_srtp_with_ice, ice_offered_by_us,
             through_two_systems]
    if shutil.which("linphonec"):
        cases += [linphone_plain, linphone_sdes_in_tls, linphone_dtls]
    if not shutil.which("baresip") or not shutil.which("ffmpeg"):
        skip("baresip or ffmpeg is not installed")
    wanted = sys.argv[1:]
    cases = [c for c in cases if not wanted or c.__name__ in wanted]
    print(f"1..{len(cases)}", flush=True)
    bad = 0
    for n, case in enumerate(cases, 1):
        try:
            case()
            print(f"ok {n} - {case.__name__}", flush=True)
        except Exception:  # pylint: disable=broad-except
            bad += 1
            print(f"not ok {n} - {case.__name__}", flush=True)
            print("".join("# " + line for line in traceback.format_exc().splitlines(True)), flush=True)
    sys.exit(1 if bad else 0)


main()

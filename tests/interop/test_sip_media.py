"""Two baresip phones through our SIP stack and the real engine: each sees the other's colour and hears the other's tone and
never its own, over plain RTP, SDES in TLS, DTLS-SRTP, and DTLS-SRTP with ICE."""
import shutil
import sys
import time
import traceback

from gateway_rig import skip, until
from sip_peers import ADDRESS, Bridge, Phone

RED, BLUE = (0, "red", 440), (2, "blue", 1000)


def sees(phone, channel):
    colour = phone.picture()
    return colour is not None and colour[channel] > 120 and all(colour[k] < 90 for k in range(3) if k != channel) and colour


def talk(bridge, transport, secret, leg_security, ice=False, **phone):
    port = bridge.ready["tls" if transport == "tls" else "udp"]
    uri = f"sip:1000@{ADDRESS}:{port}"  # the transport is the account's
    a = Phone("room", RED[1], RED[2], transport=transport, **phone)
    b = Phone("phone", BLUE[1], BLUE[2], transport=transport, **phone)
    try:
        a.command("dial", uri)
        leg_a = bridge.wait("call")["leg"]
        bridge.wait("state", leg=leg_a, state="up", timeout_s=20)
        b.command("dial", uri)
        leg_b = until("the second call", lambda: next((e["leg"] for e in bridge.events if e["event"] == "call" and e["leg"] != leg_a),
                                                      None), 15)
        bridge.wait("state", leg=leg_b, state="up", timeout_s=20)
        print("# seen by anna:", until("blue at anna's", lambda: sees(a, BLUE[0]), 25))
        print("# seen by bert:", until("red at bert's", lambda: sees(b, RED[0]), 25))
        lines = bridge.print(leg_a)["media"]
        assert [l["security"] for l in lines if l["on"]] == [leg_security] * 2, lines
        assert all(l["ice"] == ice for l in lines if l["on"]), lines
        time.sleep(2.5)
        a.hangup()
        bridge.wait("state", leg=leg_a, state="ended")
        b.hangup()
        bridge.wait("state", leg=leg_b, state="ended")
        time.sleep(0.5)
        levels = {"anna hears bert": a.heard(BLUE[2]), "anna hears herself": a.heard(RED[2]), "bert hears anna": b.heard(RED[2]),
                  "bert hears himself": b.heard(BLUE[2])}
        print("#", {k: round(v, 1) for k, v in levels.items()})
        assert levels["anna hears bert"] > -20 and levels["bert hears anna"] > -20, levels
        assert levels["anna hears herself"] < -50 and levels["bert hears himself"] < -50, levels
    except BaseException:
        for p in (a, b):
            print("".join(f"# {p.name}: {line}" for line in p.log[-30:]))
        raise
    finally:
        a.end()
        b.end()


def plain_rtp():
    with Bridge("plain") as bridge:
        talk(bridge, "udp", False, "none")


def sdes_in_tls():
    with Bridge("secret") as bridge:
        talk(bridge, "tls", True, "sdes", account=";mediaenc=srtp-mand", ca=f"{bridge.folder}/tls.crt")


def dtls_srtp():
    with Bridge("secret") as bridge:
        talk(bridge, "udp", False, "dtls", account=";mediaenc=dtls_srtp", mux=True)


def dtls_srtp_with_ice():
    with Bridge("secret") as bridge:
        talk(bridge, "udp", False, "dtls", ice=True, account=";mediaenc=dtls_srtp;medianat=ice", mux=True)


def main():
    cases = [plain_rtp, sdes_in_tls, dtls_srtp, dtls_srtp_with_ice]
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

"""Two whole Ortoos joined by an H.323 call, H.245 tunnelled or apart, a phone on each side: the far picture fills its cell without our
own in it, the far sound is there, slides go both ways by H.239; who is not there is told in words, and a call that ends there ends here."""
import contextlib
import shutil
import sys
import time
import traceback

from gateway_rig import skip, until
from member import Browser, has_chromium
from sip_peers import ADDRESS
from test_twin import BLUE, FAR_DB, LEFT, MAGENTA, OWN_DB, RED, RIGHT, YELLOW, Side, free_ports, is_colour, levels, nobody_holds


class Pair:
    def __init__(self, stack, tunnelling):
        near_sip, far_sip, near_port, self.port = free_ports(4)
        row = f"name=default bind={ADDRESS} tunnelling={tunnelling}"
        self.near = Side(stack, "near", "8001", near_sip, ("unused", far_sip), "", RED,
                         more=[f"--set=h323.zones={row} port={near_port} number=8001"])
        self.far = Side(stack, "far", "8002", far_sip, ("unused", near_sip), "", BLUE,
                        more=[f"--set=h323.zones={row} port={self.port}"])
        for side in (self.near, self.far):
            side.present(side.local)

    def call(self, number):
        return self.near.rig.call("party.call", conference=self.near.id, address=f"h323:{number}@{ADDRESS}:{self.port}", name="H.323")["party"]

    def guest(self):
        return next((p for p in self.far.state()["parties"] if p["kind"] == "h323" and p["state"] == "present"), None)


def both_see_and_hear(p):
    party = p.call("8002")
    p.near.present(party)
    guest = until("the site at the far conference", p.guest, 20)
    assert guest["agent"].startswith("Ortoo") and guest["address"].startswith("h323:8001@"), guest
    for side, own, other in ((p.near, RED, BLUE), (p.far, BLUE, RED)):
        print(f"# {side.name} sees", until(f"{own[1]} left at {side.name}", lambda s=side, o=own: is_colour(s.seen(LEFT), o[0]), 30),
              until(f"{other[1]} right at {side.name}", lambda s=side, o=other: is_colour(s.seen(RIGHT), o[0]), 30), flush=True)
    for side, own, other in ((p.near, RED, BLUE), (p.far, BLUE, RED)):
        def heard(s=side, o=own, f=other):
            far, mine = levels(s.phone, f[2], o[2])
            return far > FAR_DB and mine < OWN_DB and (round(far, 1), round(mine, 1))
        print(f"# {side.name} hears far and own at", until("sound", heard, 10), "dBFS", flush=True)
    p.link = {p.near.name: party, p.far.name: guest["id"]}


def slides_go_both_ways(p):
    """A browser presents on one side, then on the other: the token is one (H.239), the slides are in the far room's picture."""
    browsers = {s.name: Browser(s.rig, s.number, [(0.2, 0.5)], [], colour="gray") for s in (p.near, p.far)}
    for side in (p.near, p.far):
        until(f"the browser at {side.name}", lambda s=side: s.named("chromium") and s.party(s.named("chromium"))["state"] == "present", 40)
    for giver, taker, name, colour in ((p.near, p.far, "yellow", YELLOW), (p.far, p.near, "magenta", MAGENTA)):
        browsers[giver.name].say(f"share {name}")
        until("the token here", lambda g=giver: g.holder() == g.named("chromium"), 10)
        until("the token there", lambda t=taker: t.holder() == p.link[t.name], 10)
        until(f"{name} in the room at {taker.name}", lambda t=taker, c=colour: t.shows(c), 30)
        browsers[giver.name].say("stop")
        nobody_holds(p.near, p.far)


def the_end_there_is_the_end_here(p):
    party, guest = p.link[p.near.name], p.link[p.far.name]
    p.far.rig.call("party.hangup", conference=p.far.id, party=guest)
    until("the end of the call here", lambda: p.near.party(party)["state"] == "absent", 10)
    p.near.rig.call("party.remove", conference=p.near.id, party=party)


def failures_are_told_in_words(p):
    party = p.call("9999")
    until("the unknown number", lambda: p.near.party(party)["state"] == "unreachable", 10)
    assert p.near.party(party)["why"] == "no such number", p.near.party(party)
    nobody = p.near.rig.call("party.call", conference=p.near.id, address=f"h323:1@{ADDRESS}:9", name="nobody")["party"]
    until("nobody", lambda: p.near.party(nobody)["state"] == "unreachable", 15)
    assert p.near.party(nobody)["why"] == "nobody listens there", p.near.party(nobody)


CASES = [both_see_and_hear, *([slides_go_both_ways] if has_chromium() else []), the_end_there_is_the_end_here, failures_are_told_in_words]
APART = [both_see_and_hear, the_end_there_is_the_end_here]


def main():
    if not shutil.which("baresip") or not shutil.which("ffmpeg"):
        skip("baresip or ffmpeg is not installed")
    runs = [(t, c) for t in ("yes", "no") for c in (CASES if t == "yes" else APART)]
    print(f"1..{len(runs)}", flush=True)
    bad, n = 0, 0
    for tunnelling in ("yes", "no"):
        with contextlib.ExitStack() as stack:
            pair = Pair(stack, tunnelling)
            for case in [c for t, c in runs if t == tunnelling]:
                n += 1
                begin = time.monotonic()
                try:
                    case(pair)
                    print(f"ok {n} - {case.__name__} tunnelling={tunnelling}", flush=True)
                except Exception:  # pylint: disable=broad-except
                    bad += 1
                    print(f"not ok {n} - {case.__name__} tunnelling={tunnelling}", flush=True)
                    print("".join("# " + line for line in traceback.format_exc().splitlines(True)), flush=True)
                    for side in (pair.near, pair.far):
                        print("".join(f"# {side.name}: {line}" for line in side.rig.output[-25:]), flush=True)
                    break
                finally:
                    print(f"# {time.monotonic() - begin:.1f} s", flush=True)
    sys.exit(1 if bad else 0)


main()

"""A second whole Ortoo in the role of the hardware MCU: its gateway, engine and codec worker beside ours, joined by a trunk row.
Each side has a phone with a colour and a tone of its own. What is seen in which cell is read from pixels, what is heard from the
phones' recordings: the far tone is there, the own one is not; a second way between the two is refused in words; a line that is cut comes back by
itself into the cell where it was; slides of either side are slides of the other, and both floors are one token."""
import contextlib
import math
import os
import shutil
import signal
import socket
import struct
import sys
import time
import traceback

from gateway_rig import Refused, Rig, skip, until
from member import Browser, has_chromium, near
from sip_peers import ADDRESS, Phone

RED, BLUE = (0, "red", 440), (2, "blue", 1000)
NEAR, FAR = "8001", "8002"
PASSWORD = "246810"
YELLOW, MAGENTA = (254, 254, 0), (254, 0, 254)
LEFT, RIGHT = 1 / 4, 3 / 4  # middles of the cells of layout 2
OWN_DB, FAR_DB = -45, -14   # the phones send a full-scale sine less 6 dB, and baresip plays it


def free_ports(n):
    """UDP and TCP ports that are free together; they stay ours until all are chosen."""
    with contextlib.ExitStack() as held:
        ports = []
        while len(ports) < n:
            tcp = held.enter_context(socket.socket())
            tcp.bind((ADDRESS, 0))
            udp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):
                udp.bind((ADDRESS, tcp.getsockname()[1]))
                ports.append(tcp.getsockname()[1])
        return ports


class Side:
    """One Ortoo with a conference, a phone in it, and the row of the other one."""

    def __init__(self, stack, name, number, port, peer, row, look, password=None, more=()):
        self.name, self.number = name, number
        self.rig = stack.enter_context(Rig(
            f"--set=sip.zones=name=default bind={ADDRESS} announce={ADDRESS} port={port} plain_rtp=yes",
            f"--set=sip.trunks=name={peer[0]} address=sip:{ADDRESS}:{peer[1]} {row}", *more))
        self.phone = Phone(f"phone-{name}", look[1], look[2])
        stack.callback(self.phone.end)
        secret = {"password": password} if password else {}
        self.id = self.rig.call("conference.open", name=f"Conference {name}", number=number, drill=True, **secret)["id"]
        self.local = self.rig.call("party.call", conference=self.id, address=f"sip:{self.phone.name}@{ADDRESS}:{self.phone.port}",
                                   name=f"Room {name}")["party"]

    def state(self):
        return self.rig.call("conference.get", id=self.id)

    def party(self, party):
        return next(p for p in self.state()["parties"] if p["id"] == party)

    def trunk(self):
        return next((p for p in self.state()["parties"] if p["kind"] == "trunk"), None)

    def present(self, party, timeout_s=25):
        try:
            until(f"{party} to be present at {self.name}", lambda: self.party(party)["state"] == "present", timeout_s)
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.party(party)}") from e

    def holder(self):
        return self.state()["content"]["holder"]

    def named(self, name):
        return next((p["id"] for p in self.state()["parties"] if p["name"] == name), None)

    def shows(self, colour):
        """What fills the left of what the phone sees: slides are large in the picture of a room without a second video."""
        return near(self.phone.picture("iw/8:ih/8:iw/8:ih*7/16"), colour)

    def cells(self):
        return [c["party"] for c in self.state()["views"][0]["cells"]]

    def seen(self, at):
        """Colour in the middle of a cell of what the phone sees."""
        return self.phone.picture(f"iw/8:ih/8:iw*{at}-iw/16:ih*7/16")


def is_colour(seen, channel):
    return seen is not None and seen[channel] > 110 and all(seen[k] < 100 for k in range(3) if k != channel) and seen


def levels(phone, *tones):
    """Level in dBFS at each tone of the last second that a phone decoded; it writes while it plays."""
    names = sorted((n for n in os.listdir(phone.folder) if n.startswith("dump-") and n.endswith("-dec.wav")),
                   key=lambda n: os.path.getmtime(os.path.join(phone.folder, n)))
    if not names:
        return [-120.0] * len(tones)
    with open(os.path.join(phone.folder, names[-1]), "rb") as f:
        head = f.read(44)
        channels, rate = struct.unpack_from("<HI", head, 22)
        want = rate * channels * 2
        size = (os.fstat(f.fileno()).st_size - 44) // (2 * channels) * 2 * channels
        f.seek(44 + max(0, size - want))
        data = f.read(min(size, want))
    samples = struct.unpack(f"<{len(data) // 2}h", data)[::channels]
    found = []
    for tone in tones:
        step, s1, s2 = 2 * math.cos(2 * math.pi * tone / rate), 0.0, 0.0
        for x in samples:
            s1, s2 = x + step * s1 - s2, s1
        power = max(s1 * s1 + s2 * s2 - step * s1 * s2, 1e-9)
        found.append(20 * math.log10(max(2 * math.sqrt(power) / max(len(samples), 1), 1e-3) / 32768))
    return found


class Twins:
    def __init__(self, stack):
        near_port, far_port = free_ports(2)
        self.near = Side(stack, "near", NEAR, near_port, ("hardware", far_port),
                         f"conference={FAR} dtmf={PASSWORD}# max_bps=2000000 keep=yes", RED)
        self.far = Side(stack, "far", FAR, far_port, ("city", near_port), f"conference={NEAR} max_bps=2000000", BLUE, PASSWORD)
        for side in (self.near, self.far):
            side.present(side.local)

    def seen_and_heard(self, timeout_s=30):
        """Each phone sees itself left and the far one right, hears the far one and not itself."""
        for side, own, other in ((self.near, RED, BLUE), (self.far, BLUE, RED)):
            print(f"# {side.name} sees", until(f"{own[1]} left at {side.name}", lambda: is_colour(side.seen(LEFT), own[0]), timeout_s),
                  until(f"{other[1]} right at {side.name}", lambda: is_colour(side.seen(RIGHT), other[0]), timeout_s), flush=True)
        for side, own, other in ((self.near, RED, BLUE), (self.far, BLUE, RED)):
            def heard(side=side, own=own, other=other):
                far, mine = levels(side.phone, other[2], own[2])
                return far > FAR_DB and mine < OWN_DB and (round(far, 1), round(mine, 1))
            try:
                print(f"# {side.name} hears far and own at", until("sound", heard, 10), "dBFS", flush=True)
            except AssertionError as e:
                raise AssertionError(f"{side.name} hears far, own: {levels(side.phone, other[2], own[2])}") from e


def two_conferences_are_one_site_to_each_other(t):
    party = t.near.rig.call("party.call", conference=t.near.id, trunk="hardware", name="Hardware MCU")["party"]
    t.near.present(party)
    far = until("the site at the far conference", t.far.trunk, 20)
    t.far.present(far["id"])
    for side, site in ((t.near, party), (t.far, far["id"])):
        assert side.cells() == [side.local, site], side.cells()
        assert len([p for p in side.state()["parties"] if p["state"] == "present"]) == 2, side.state()["parties"]
    t.seen_and_heard()
    row = t.near.rig.call("trunk.list")["trunks"][0]
    assert row["state"] == "up" and row["calls"] == 1, row


def a_second_way_is_refused_in_words(t):
    """The far conference calls back over its own trunk: each would be twice in the other, and hear itself."""
    back = t.far.rig.call("party.call", conference=t.far.id, trunk="city", name="back")["party"]
    until("the second way to be refused", lambda: t.far.party(back)["state"] == "refused", 10)
    assert "loop" in t.far.party(back)["why"], t.far.party(back)
    t.far.rig.call("party.remove", conference=t.far.id, party=back)
    for side in (t.near, t.far):
        assert len([p for p in side.state()["parties"] if p["state"] == "present"]) == 2, side.state()["parties"]


def a_killed_engine_ends_no_call(t):
    """The far engine dies: the same call goes on over the next one, and nobody changes his cell."""
    calls = [c["call_id"] for c in t.near.rig.call("sip.state")["calls"]]
    os.kill(t.far.rig.engine(), signal.SIGKILL)
    until("another engine", t.far.rig.engine, 10)
    time.sleep(1)
    t.seen_and_heard(30)
    assert [c["call_id"] for c in t.near.rig.call("sip.state")["calls"]] == calls


def a_lost_line_comes_back_into_its_cell(t):
    """The far system is switched off and on: it knows the call no more. We hear silence, call again, and say the password again."""
    before, cells = t.near.trunk()["id"], t.near.cells()
    t.far.phone.hangup()  # it would not know either that its call is gone
    until("the far room to leave", lambda: t.far.party(t.far.local)["state"] == "absent")
    os.kill(t.far.rig.kill_gateway(), signal.SIGKILL)
    t.far.rig.start()
    until("the far engine", t.far.rig.engine)
    time.sleep(1)
    t.far.rig.call("party.call", conference=t.far.id, address=f"sip:{t.far.phone.name}@{ADDRESS}:{t.far.phone.port}", name="Room far")
    until("the call again", lambda: time.sleep(0.5) or (t.far.trunk() or {}).get("state") == "present", 60)
    t.near.present(before)
    assert t.near.trunk()["id"] == before and t.near.cells() == cells, t.near.state()["parties"]
    until(f"{BLUE[1]} right at near", lambda: is_colour(t.near.seen(RIGHT), BLUE[0]), 30)
    until("sound", lambda: levels(t.near.phone, BLUE[2])[0] > FAR_DB, 10)


def slides_from(giver, taker, colour, browsers):
    """The presenter's browser shows slides: they are in both rooms' pictures, and slides for the other browser."""
    browsers[giver.name].say(f"share {colour[0]}")
    until("the token here", lambda: giver.holder() == giver.named("chromium"), 10)
    until("the token there", lambda: taker.holder() == taker.trunk()["id"], 10)
    until("the stream there", lambda: taker.trunk()["slides"], 10)
    browsers[taker.name].say("watch " + taker.trunk()["slides"])
    for side in (taker, giver):
        until(f"{colour[0]} in the room at {side.name}", lambda s=side: s.shows(colour[1]), 30)
    until(f"{colour[0]} as slides at {taker.name}", lambda: browsers[taker.name].sees(colour[1]), 30)
    assert "error" not in browsers[taker.name].now, browsers[taker.name].now
    assert giver.holder() == giver.named("chromium") and taker.holder() == taker.trunk()["id"]


def nobody_holds(*sides):
    for side in sides:
        until(f"the token to be free at {side.name}", lambda s=side: s.holder() is None, 10)


def slides_of_one_are_slides_of_the_other(t):
    """A whole presentation both ways. Either side's dispatcher ends it for both; a lock there is a no here."""
    near_, far = t.near, t.far
    browsers = {s.name: Browser(s.rig, s.number, [(0.2, 0.5)], [], colour="gray") for s in (near_, far)}
    for side in (near_, far):
        until(f"the browser at {side.name}", lambda s=side: s.named("chromium") and s.party(s.named("chromium"))["state"] == "present", 40)
    slides_from(near_, far, ("yellow", YELLOW), browsers)
    try:  # the token is taken: also there, by the trunk
        far.rig.call("content.take", conference=far.id, party=far.named("chromium"))
        raise AssertionError("two hold the token")
    except Refused as e:
        assert e.code == "conflict", e
    far.rig.call("content.revoke", conference=far.id)
    nobody_holds(far, near_)
    slides_from(far, near_, ("magenta", MAGENTA), browsers)
    browsers["far"].say("stop")
    nobody_holds(far, near_)
    far.rig.call("content.lock", conference=far.id, on=True)
    browsers["near"].say("share yellow")
    until("the no of the far side in the log", lambda: any(
        e["type"] == "content.revoke" and e["actor"] == "party:" + near_.trunk()["id"] for e in near_.rig.call("log.list", type="content.revoke")["records"]), 10)
    nobody_holds(near_, far)
    far.rig.call("content.lock", conference=far.id, on=False)
    slides_from(near_, far, ("yellow", YELLOW), browsers)
    browsers["near"].say("stop")
    nobody_holds(far, near_)


CASES = [two_conferences_are_one_site_to_each_other, a_second_way_is_refused_in_words, a_killed_engine_ends_no_call,
         a_lost_line_comes_back_into_its_cell, *([slides_of_one_are_slides_of_the_other] if has_chromium() else [])]


def main():
    if not shutil.which("baresip") or not shutil.which("ffmpeg"):
        skip("baresip or ffmpeg is not installed")
    cases = [c for c in CASES if c is CASES[0] or len(sys.argv) < 2 or c.__name__ in sys.argv[1:]]
    print(f"1..{len(cases)}", flush=True)
    bad = 0
    with contextlib.ExitStack() as stack:
        twins = Twins(stack)
        for n, case in enumerate(cases, 1):
            begin = time.monotonic()
            try:
                case(twins)
                print(f"ok {n} - {case.__name__}", flush=True)
            except Exception:  # pylint: disable=broad-except
                bad += 1
                print(f"not ok {n} - {case.__name__}", flush=True)
                print("".join("# " + line for line in traceback.format_exc().splitlines(True)), flush=True)
                for side in (twins.near, twins.far):
                    print("".join(f"# {side.name}: {line}" for line in side.rig.output[-25:]), flush=True)
                break
            finally:
                print(f"# {time.monotonic() - begin:.1f} s", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

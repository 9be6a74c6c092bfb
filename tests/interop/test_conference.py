"""Meeting rooms (baresip) in a conference: they dial its number and are called, see each other in their cells, hear the other
and not themselves, and owe a password."""
import os
import signal
import time

import baresip
from gateway_rig import Rig, run, skip, until
from member import Browser, has_chromium, near

SIP = baresip.free_port()
RED, BLUE, LIME, YELLOW = (254, 0, 0), (0, 0, 254), (0, 254, 0), (254, 254, 0)
# layout "3": the first above, two below
ABOVE, LEFT, RIGHT = (0.5, 0.25), (0.25, 0.75), (0.75, 0.75)


def room(rig, user, **kw):
    made = rig.call("endpoint.put", user=user, name=user, md5=True)
    if "password" not in made:
        made = rig.call("endpoint.put", user=user, name=user, md5=True, password="another-one-9")
        made["password"] = "another-one-9"
    r = baresip.Baresip(rig.state, user, made["password"], SIP, **kw)
    rig.children.append(r.process)
    until(f"{user} to be registered", lambda: any(x["user"] == user for x in rig.call("sip.state")["registrations"]))
    return r


def conference(rig, **kw):
    return rig.call("conference.open", name="调度会商", **kw)


def parties(rig, conf):
    """Who is there. A picture of one colour stands still, and is said to after some seconds."""
    return {p["name"]: p for p in rig.call("conference.get", id=conf["id"])["parties"] if p["state"] in ("present", "degraded")}


def shows(r, x, y, colour, what):
    """The picture that this room receives has the colour there."""
    def look():
        png = r.picture()
        return png is not None and near(png.at(x, y), colour) or (png and png.at(x, y))
    try:
        until(what, lambda: look() is True, 15)
    except AssertionError as e:
        raise AssertionError(f"{what}: {look()}; {r.log[-15:]}") from e


def two_rooms_see_and_hear_each_other(rig):
    conf = conference(rig)
    a, b = room(rig, "room-a", colour="red", tone=440), room(rig, "room-b", colour="blue", tone=1000)
    a.dial(conf["number"])
    until("room-a in the conference", lambda: "room-a" in parties(rig, conf), 15)
    rig.call("party.call", conference=conf["id"], address="room-b")
    until("room-b in the conference", lambda: "room-b" in parties(rig, conf), 15)
    for r in (a, b):
        shows(r, 0.25, 0.5, RED, f"{r.user} sees room-a on the left")
        shows(r, 0.75, 0.5, BLUE, f"{r.user} sees room-b on the right")
    time.sleep(2)
    heard_a, heard_b = a.heard([440, 1000]), b.heard([440, 1000])
    assert heard_a[1000] > -30 > -45 > heard_a[440], heard_a
    assert heard_b[440] > -30 > -45 > heard_b[1000], heard_b
    figures = parties(rig, conf)["room-a"]
    assert figures["sends"]["codec"] == "H264" and figures["sends"]["width"] == 640, figures
    rig.call("conference.close", id=conf["id"])
    until("both calls to end", lambda: a.saw("CALL_CLOSED") and b.saw("CALL_CLOSED"))


def rooms_and_a_browser_in_their_cells(rig):
    conf = conference(rig)
    a, b = room(rig, "room-e", colour="red", tone=440), room(rig, "room-f", colour="blue", tone=1000)
    a.dial(conf["number"])
    until("room-e in the conference", lambda: "room-e" in parties(rig, conf), 15)
    b.dial(conf["number"])
    until("room-f in the conference", lambda: "room-f" in parties(rig, conf), 15)
    c = Browser(rig, conf["number"], [ABOVE, LEFT, RIGHT], [440, 1000, 2000])
    until("the browser in the conference", lambda: c.now.get("error") or "chromium" in parties(rig, conf), 30)
    until("the browser to see three", lambda: c.sees(RED, BLUE, LIME), 20)
    assert "error" not in c.now, c.now
    for r in (a, b):
        for place, colour in ((ABOVE, RED), (LEFT, BLUE), (RIGHT, LIME)):
            shows(r, *place, colour, f"{r.user} sees {colour} at {place}")
    time.sleep(3)
    heard = c.now["tones"]
    assert heard["440"] > -50 and heard["1000"] > -50 and heard["2000"] < heard["1000"] - 20, heard
    heard = a.heard([440, 1000, 2000])
    assert heard[1000] > -30 and heard[2000] > -40 and heard[440] < -45, heard
    slides_in_the_picture(rig, conf, a, c)
    rig.call("conference.close", id=conf["id"])


def slides_in_the_picture(rig, conf, a, c):
    """A room without a second video sees the browser's slides large, in its main picture."""
    c.say("share yellow")
    until("the token", lambda: rig.call("conference.get", id=conf["id"])["content"]["holder"], 10)
    shows(a, 0.2, 0.2, YELLOW, f"{a.user} sees the slides")
    assert rig.call("conference.get", id=conf["id"])["content"]["holder"] == parties(rig, conf)["chromium"]["id"]
    rig.call("content.revoke", conference=conf["id"])
    shows(a, *ABOVE, RED, f"{a.user} sees the others again")
    assert "error" not in c.now, c.now


def a_browser_without_h264(rig):
    """It sends VP8, which the mixer decodes, and is shown VP8, which the mixer encodes while it is there; also a room's H.264."""
    conf = conference(rig)
    a = room(rig, "room-k", colour="red")
    a.dial(conf["number"])
    until("room-k in the conference", lambda: "room-k" in parties(rig, conf), 15)
    c = Browser(rig, conf["number"], [(0.25, 0.5), (0.75, 0.5)], [], ORTOO_CODECS="VP8")
    until("the browser in the conference", lambda: c.now.get("error") or "chromium" in parties(rig, conf), 30)
    until("the browser to see both", lambda: c.sees(RED, LIME), 20)
    assert c.now.get("codec") == "video/VP8", c.now
    shows(a, 0.75, 0.5, LIME, "room-k sees the browser")
    until("VP8 in the figures", lambda: parties(rig, conf)["chromium"]["gets"]["codec"] == "VP8", 10)
    c.say("watch " + parties(rig, conf)["room-k"]["video"])
    until("the room's own picture, recoded", lambda: c.sees(RED, RED), 20)
    c.say("share yellow")
    shows(a, 0.2, 0.2, YELLOW, "room-k sees slides that came as VP8")
    assert "error" not in c.now, c.now
    rig.call("conference.close", id=conf["id"])


def engine_and_mixer_die(rig):
    """Killed at any moment: the calls go on, the picture comes back."""
    conf = conference(rig)
    a = room(rig, "room-g", colour="red")
    a.dial(conf["number"])
    until("room-g in the conference", lambda: "room-g" in parties(rig, conf), 15)
    shows(a, 0.5, 0.5, RED, "room-g sees itself")
    for victim in ("ortoo-mixer", "ortoo-mcu"):
        pid, before = process_below(rig.process.pid, victim), frames(rig, conf)
        os.kill(pid, signal.SIGKILL)
        until(f"another {victim}", lambda: process_below(rig.process.pid, victim) not in (None, pid), 10)
        until(f"the picture after {victim}", lambda: frames(rig, conf) > before, 15)
        shows(a, 0.5, 0.5, RED, f"room-g sees itself after {victim}")
        assert not a.saw("CALL_CLOSED"), a.saw("CALL_CLOSED")
    rig.call("conference.close", id=conf["id"])


def gateway_dies(rig):
    """Who was called is called again by the next process; the conference, its layout and its number are as they were."""
    conf = conference(rig)
    rig.call("conference.layout", id=conf["id"], layout="4", titles=True)
    a = room(rig, "room-j", colour="blue")
    rig.call("party.call", conference=conf["id"], address="room-j")
    until("room-j in the conference", lambda: "room-j" in parties(rig, conf), 15)
    b = room(rig, "room-l", colour="red")
    b.dial(conf["number"])  # who came in by itself is called back where it registered
    until("room-l in the conference", lambda: "room-l" in parties(rig, conf), 15)
    cells = [c["party"] for c in rig.call("conference.get", id=conf["id"])["views"][0]["cells"]]
    rig.kill_gateway()
    rig.start()
    until("both again", lambda: {"room-j", "room-l"} <= set(parties(rig, conf)), 30)
    assert cells == [c["party"] for c in rig.call("conference.get", id=conf["id"])["views"][0]["cells"]]
    again = rig.call("conference.get", id=conf["id"])
    assert again["number"] == conf["number"] and again["views"][0]["layout"] == "4", again
    shows(a, 0.25, 0.25, BLUE, "room-j sees itself above on the left")
    shows(a, 0.75, 0.25, RED, "and room-l beside it")
    rig.call("conference.close", id=conf["id"])


def frames(rig, conf):
    """When the program was committed last: grows with each new mixer."""
    return rig.call("conference.get", id=conf["id"])["views"][0]["shown_ms"]


def process_below(pid, name):
    """A process of this name among the children of pid and theirs."""
    for child in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{child}/stat", encoding="ascii", errors="replace") as f:
                comm, rest = f.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if int(rest.split()[1]) == pid and rest.split()[0] != "Z":
            found = int(child) if comm == name else process_below(int(child), name)
            if found is not None:
                return found
    return None


def two_systems_are_one_conference(rig):
    """A second Ortoo as the city's MCU: each conference is one site of the other, nobody sees or hears himself (J3)."""
    other = "127.0.0.2"
    zone = f"name=default bind={other} port={SIP} plain_rtp=yes md5=yes"
    with Rig("--set", f"sip.zones={zone}", "--set", f"sip.trunks=name=below address=sip:127.0.0.1:{SIP} conference=any") as city:
        ours, theirs = conference(rig), conference(city)
        a = room(rig, "room-h", colour="red", tone=440, listen="127.0.0.3")
        b = room(city, "room-i", colour="blue", tone=1000, host=other, listen="127.0.0.3")
        a.dial(ours["number"])
        b.dial(theirs["number"])
        until("both rooms", lambda: parties(rig, ours) and parties(city, theirs), 15)
        rig.call("party.call", conference=ours["id"], trunk="city", number=theirs["number"])
        until("the link here", lambda: len(parties(rig, ours)) == 2, 15)
        until("the link there", lambda: len(parties(city, theirs)) == 2, 15)
        shows(a, 0.25, 0.5, RED, "room-h sees itself on the left")
        shows(a, 0.75, 0.5, BLUE, "room-h sees the city on the right")
        shows(b, 0.75, 0.5, RED, "room-i sees us on the right")
        time.sleep(3)
        heard = a.heard([440, 1000])
        assert heard[1000] > -30 > -45 > heard[440], heard
        # the city calls back into the conference that it is linked with already: a loop
        link = city.call("party.call", conference=theirs["id"], trunk="below", number=ours["number"])["party"]
        until("the loop to be refused", lambda: "482" in str(state_of(city, theirs, link)) or "oop" in str(state_of(city, theirs, link)), 10)
        rig.call("conference.close", id=ours["id"])
        until("the link to end there", lambda: len(parties(city, theirs)) == 1, 10)


def state_of(rig, conf, party):
    return next(p for p in rig.call("conference.get", id=conf["id"])["parties"] if p["id"] == party)["why"]


def password_by_keys(rig):
    conf = conference(rig, password="4711")
    a = room(rig, "room-c")
    a.dial(conf["number"])
    until("the call", lambda: a.saw("CALL_ESTABLISHED"))
    time.sleep(1)
    a.digits("12#")
    assert not parties(rig, conf)
    a.digits("4711#")
    until("room-c in the conference", lambda: "room-c" in parties(rig, conf), 15)
    a.digits("*6")
    until("room-c's own microphone to be shut", lambda: parties(rig, conf)["room-c"]["mic_muted"])
    a.digits("*6")
    until("and open", lambda: not parties(rig, conf)["room-c"]["mic_muted"])
    rig.call("conference.close", id=conf["id"])


def unknown_number_is_refused(rig):
    a = room(rig, "room-d")
    a.dial("99999")
    until("a refusal", lambda: a.saw("CALL_CLOSED"))
    assert "404" in str(a.saw("CALL_CLOSED")), a.saw("CALL_CLOSED")


if __name__ == "__main__":
    if not baresip.installed() or not os.path.exists(os.environ.get("ORTOO_MIXER", "")):
        skip("baresip or ortoo-mixer is not there")
    browser = [rooms_and_a_browser_in_their_cells, a_browser_without_h264] if has_chromium() else []
    zone = f"name=default bind=127.0.0.1 port={SIP} plain_rtp=yes md5=yes"
    trunk = f"name=city address=sip:127.0.0.2:{SIP} conference=any"
    run(two_rooms_see_and_hear_each_other, *browser, engine_and_mixer_die, gateway_dies, two_systems_are_one_conference,
        password_by_keys, unknown_number_is_refused, options=["--set", f"sip.zones={zone}", "--set", f"sip.trunks={trunk}"])

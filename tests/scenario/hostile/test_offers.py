#!/usr/bin/env python3
"""Bad session descriptions at rtc.offer, and what a guesser can learn from the time that a refused log-in takes."""
import statistics
import time

import house
from house import House, Neighbour, code, sanitized

#: every refusal that a bad offer may get; anything else is a fault
REFUSALS = {"sdp", "invalid", "too_large", "no_codec", "parse", "limit"}


GOOD = """v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic: WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 {print}
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 {print}
a=setup:actpass
a=mid:1
a=recvonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
"""


def good_offer():
    return GOOD.replace("{print}", ":".join(["AB"] * 32)).replace("\n", "\r\n")


def repeated(sdp, line, n):
    """The offer with n more lines at the end of its last section."""
    return sdp + "".join(line.format(i) + "\r\n" for i in range(n))


def bad_offers():
    good = good_offer()
    head, first = good.split("m=", 1)
    section = "m=" + first.split("\r\nm=", 1)[0] + "\r\n"
    return {
        "10,000 attributes": repeated(good, "a=x{}:1", 10000),
        "5,000 candidates": repeated(good, "a=candidate:{0} 1 udp 1 10.0.0.1 {0} typ host", 1600),
        "one line of 100,000 bytes": good + "a=x:" + "y" * 100000 + "\r\n",
        "100 sections": head + "".join(section.replace("a=mid:0", f"a=mid:{n}") for n in range(20)) * 5,
        "the same mid ten times": head + section * 10,
        "127 payload types of one codec": good.replace("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVPF " + " ".join(map(str, range(128))), 1),
        "no fingerprint": "\r\n".join(x for x in good.split("\r\n") if not x.startswith("a=fingerprint")),
        "a fingerprint of one byte": "\r\n".join("a=fingerprint:sha-256 AA" if x.startswith("a=fingerprint") else x for x in good.split("\r\n")),
        "no ICE": "\r\n".join(x for x in good.split("\r\n") if not x.startswith("a=ice-")),
        "an ICE password of 5,000": good.replace("a=ice-pwd:", "a=ice-pwd:" + "p" * 5000),
        "a port beyond": good.replace("m=audio 9", "m=audio 99999").replace("m=video 9", "m=video -1"),
        "version 7": good.replace("v=0", "v=7", 1),
        "only LF, and empty lines": good.replace("\r\n", "\n\n"),
        "no lines at all": "x" * 50000,
        "empty": "",
        "two megabytes": "v=0\r\n" * 400000,
        "HTML": "<script>alert(1)</script>",
        "control characters": good.replace("a=mid:0", "a=mid:\x01\x02"),
        "another's words": good.replace("UDP/TLS/RTP/SAVPF", "TCP/MSRP"),
        "numbers without end": good.replace("a=rtpmap:", "a=rtpmap:99999999999999999999"),
        "simulcast of 1,000 layers": good + "a=simulcast:send " + ";".join(f"r{n}" for n in range(1000)) + "\r\n",
        "groups of groups": good.replace("a=group:BUNDLE", "a=group:BUNDLE " + " ".join(f"m{n}" for n in range(3000))),
    }


def offers(tap):
    """Each is refused in words or answered; the gateway, its engine and everybody else go on."""
    with House() as h:
        token = h.call("token.issue", name="desk", role="dispatcher")["token"]
        cases, odd, longest, answered = bad_offers(), [], 0, []
        rss = h.rss()
        with Neighbour(h) as neighbour:
            for n, (what, sdp) in enumerate(cases.items()):
                ws = h.ws(token=token, source=f"127.0.30.{n + 1}")
                begun = time.monotonic()
                try:
                    got = code(ws.call("rtc.offer", pc=f"bad-{n}", sdp=sdp, publish=[{"mid": "0", "kind": "audio"}], view=[]))
                except house.Closed as e:
                    got = e.code
                longest = max(longest, time.monotonic() - begun)
                answered += [what] if got == "ok" else []
                if got not in REFUSALS | {"ok", 1009}:
                    odd.append((what, got))
                ws.close()
            tap.ok(not odd, f"{len(cases)} bad offers: each refused in its words", *odd)
            tap.say(f"the longest took {longest * 1000:.0f} ms; answered all the same, as RFC 8866 lets one: {answered}")
            ws = h.ws(token=token, source="127.0.31.1")
            reply = ws.call("rtc.offer", pc="good", sdp=good_offer(), publish=[{"mid": "0", "kind": "audio"}], view=[])
            tap.same(code(reply), "ok", "a good one is answered")
            ws.close()
        neighbour.judge(tap, "bad offers")
        tap.little(h.rss() - rss, 24, h.process.pid)
        dump = h.stats()["rtc"]["connections"]
        tap.ok(dump <= len(answered) + 1, "what was refused has left no connection behind", dump)


def log_in_times(tap):
    """Known and unknown names cost the same hash. Printed, not judged: other work runs on these cores."""
    with House() as h:
        h.call("account.put", name="known", role="viewer", password="a password of some length")
        took = {"known": [], "unknown": []}
        for n in range(12):
            for who in took:
                name = "known" if who == "known" else f"nobody{n}"
                begun = time.monotonic()
                r = h.rest("auth.login", {"name": name, "password": f"wrong password {n}"}, source=f"127.0.{40 + (who == 'known')}.{n + 1}")
                took[who].append(time.monotonic() - begun)
                if r.code not in ("credentials", "locked", "rate_limited"):
                    tap.ok(False, f"a wrong password of {who} is refused", r.code)
        known, unknown = (statistics.median(took[w]) * 1000 for w in ("known", "unknown"))
        tap.say(f"a refused log-in: known name {known:.1f} ms, unknown {unknown:.1f} ms (medians of 12), difference {known - unknown:+.1f} ms"
                + (" (sanitizer build)" if sanitized(h.process.pid) else ""))
        tap.ok(True, "measured")


if __name__ == "__main__":
    house.run(offers, log_in_times)

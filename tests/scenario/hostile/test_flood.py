#!/usr/bin/env python3
"""Too many of everything: half-open sockets, joins with guessed tokens, passwords. A newcomer and a neighbour must not notice."""
import contextlib
import resource
import ssl
import statistics
import threading
import time

import house
from house import Closed, House, Neighbour, code, until

MIB = 1 << 20
OLD = 500  # sockets of each kind


def sources(network, n):
    return [f"127.{network}.{i // 250}.{i % 250 + 1}" for i in range(n)]


def half_hello(h):
    """First half of a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = h.context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    return hello[:len(hello) // 2]


def tcp_only(h, source):
    return h.tcp(source)


def tls_half(h, source):
    s = h.tcp(source)
    s.sendall(half_hello(h))
    return s


def dribble(h, source):
    s = h.tls(source)
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
    return s


def ws_mute(h, source):
    return h.ws(source=source).sock


def hold(h, kind, from_where, held):
    for source in from_where:
        try:
            held.append(kind(h, source))
        except (Closed, OSError):
            held.append(None)


def newcomer(h, token, source):
    """Page, log-in, WebSocket, first answer: seconds."""
    start = time.monotonic()
    c = h.keep_alive(source)
    c.request("GET", "/")
    c.getresponse().read()
    r = h.rest("auth.login", {"name": "admin", "password": house.gateway_rig.PASSWORD}, over=c)
    ws = h.ws(cookie=r.headers["Set-Cookie"].split(";")[0], source=source)
    ok = code(ws.call("auth.whoami")) == "ok"
    ws.close()
    c.close()
    return time.monotonic() - start if ok else 99


def newcomers(h, network):
    return statistics.median(newcomer(h, None, f"127.{network}.0.{n + 1}") for n in range(3))


def wave(h, tap, network):
    """2,000 sockets that never say a whole sentence. Gives the most that were open."""
    kinds = (dribble, ws_mute, tls_half, tcp_only)
    held = [[] for _ in kinds]
    # 8 WebSockets without credentials an address, so as many addresses as that takes; of the others 50 each
    where = [sources(network + k, OLD) if kind is ws_mute else sources(network + k, 10) * (OLD // 10) for k, kind in enumerate(kinds)]
    before = h.stats()["web"]
    threads = [threading.Thread(target=hold, args=(h, kind, w, held[k])) for k, (kind, w) in enumerate(zip(kinds, where))]
    for t in threads:
        t.start()
    slow = []
    while any(t.is_alive() for t in threads):
        slow.append(newcomer(h, None, f"127.9.{network}.{len(slow) % 250 + 1}"))
        time.sleep(0.2)
    for t in threads:
        t.join()
    at_peak = h.stats()["web"]
    slow += [newcomer(h, None, f"127.9.{network + 1}.{n + 1}") for n in range(3)]
    tap.say(f"{at_peak['accepted'] - before['accepted']} accepted, {at_peak['sockets']} open, "
            f"{at_peak['evicted'] - before['evicted']} evicted, {at_peak['timed_out'] - before['timed_out']} timed out, "
            f"newcomers {', '.join(f'{s * 1e3:.0f}' for s in slow)} ms")
    return held, slow, at_peak


def half_open(tap):
    """2,000 half-open sockets of four kinds."""
    with House() as h:
        quiet = newcomers(h, 8)
        base_sockets, base_fds, base_rss = h.stats()["web"]["sockets"], h.fds(), h.rss()
        with Neighbour(h) as neighbour:
            held, slow, peak = wave(h, tap, 20)
            tap.ok(statistics.median(slow) < max(1, 20 * quiet), "a newcomer gets in within a second", quiet, slow)
            tap.ok(peak["accepted"] >= 1900, "there was a crowd")
            rss = h.rss()
            until("the crowd to be sent away", lambda: h.stats()["web"]["sockets"] <= base_sockets + 3, 30)
            tap.ok(True, "the gateway itself sends all of them away")
            until("descriptors to be given back", lambda: h.fds() <= base_fds + 8, 10)
            tap.ok(True, f"and gives their descriptors back ({h.fds()}, before {base_fds})")
            for sock in (s for kind in held for s in kind if s is not None):
                sock.close()
        neighbour.judge(tap, "half-open sockets")
        tap.say(f"resident MiB: {base_rss / MIB:.1f}, with the crowd {rss / MIB:.1f}, after it {h.rss() / MIB:.1f}")
        tap.little(rss - base_rss, 64, h.process.pid)
        until("memory to be given back", lambda: h.rss() - base_rss < 24 * MIB or house.sanitized(h.process.pid), 5)
        tap.ok(True, "and was given back")
        web = h.stats()["web"]
        tap.ok(web["timed_out"] + web["evicted"] > 500, "those who dawdled were counted", web)


def one_address(tap):
    """Everything from one address: it fills its own share only."""
    with House("--set", "web.max_connections=256") as h:
        held = []
        for kind in (tcp_only, tls_half):
            hold(h, kind, ["127.30.0.1"] * 300, held)
        hold(h, ws_mute, ["127.30.0.1"] * 20, held)
        tap.ok(newcomer(h, None, "127.30.0.2") < 5, "600 sockets of one address leave room for another")
        tap.ok(newcomer(h, None, "127.30.0.1") < 5, "and for an honest one behind the same address")
        web = h.stats()["web"]
        tap.ok(web["evicted"] > 100 and web["refused_upgrade"] >= 10, "evictions and refusals were counted", web)


def guess(h, addresses, n, out):
    """Joins with guessed tokens, n from each address, over a connection kept open as a program would."""
    for source in addresses:
        c = h.keep_alive(source)
        for i in range(n):
            try:
                r = h.rest("link.open", {"token": f"{source.replace('.', '-')}-{i:08d}"}, over=c)
                out.append((r.status, r.code, r.headers["Retry-After"]))
            except OSError:
                c.close()
                c = h.keep_alive(source)
                out.append((0, "closed", None))
        c.close()


def joins(tap):
    """1,000 joins with guessed tokens from 20 addresses; the good link opens meanwhile, from elsewhere and from among them."""
    with House() as h:
        inc = h.incident()
        good, among = h.link(inc, "好"), h.link(inc, "中")
        rss, before = h.rss(), h.stats()
        with Neighbour(h) as neighbour:
            out, addresses, start = [], sources(50, 20), time.monotonic()
            threads = [threading.Thread(target=guess, args=(h, addresses[k::4], 50, out)) for k in range(4)]
            for t in threads:
                t.start()
            time.sleep(0.2)
            begun = time.monotonic()
            first = h.rest("link.open", {"token": good["token"]}, source="127.0.0.5")
            took, busy = time.monotonic() - begun, any(t.is_alive() for t in threads)
            for t in threads:
                t.join()
            seconds = time.monotonic() - start
        neighbour.judge(tap, "hostile joins")
        tap.say(f"{len(out)} joins in {seconds:.1f} s: "
                f"{ {k: sum(1 for o in out if o[1] == k) for k in sorted({o[1] for o in out})} }; the good one took {took * 1e3:.0f} ms, "
                f"flood {'on' if busy else 'over'}")
        tap.same(first.code, "ok", "the good link opens")
        limited = [o for o in out if o[1] == "rate_limited"]
        tap.ok(len(out) == 1000 and len(limited) > 500, "most of 1,000 guesses are turned away unseen")
        tap.ok(all(o[0] == 429 and int(o[2] or 0) >= 1 for o in limited), "with 429 and Retry-After", limited[:3])
        tap.ok({o[1] for o in out} <= {"rate_limited", "not_found"}, "and no guess learns anything else", {o[1] for o in out})
        time.sleep(int(limited[0][2]))
        tap.same(h.rest("link.open", {"token": among["token"]}, source=addresses[-1]).code, "ok",
                 "after Retry-After a phone behind a guilty address gets in")
        after = h.stats()
        tap.ok(after["api"]["error_rate_limited"] - before["api"]["error_rate_limited"] >= len(limited), "they were counted")
        tap.little(h.rss() - rss, 16, h.process.pid)


def attempt(h, name, password, source):
    start = time.monotonic()
    r = h.rest("auth.login", {"name": name, "password": password}, source=source)
    return r, time.monotonic() - start


def lock_out(tap):
    """Guessing passwords: five, then a wait; a name that does not exist looks the same."""
    with House("--set", "auth.hash_memory_kib=16384") as h:
        known, unknown = [], []
        for n in range(7):
            known.append(attempt(h, "admin", f"wrong-{n}-battery", "127.60.0.1"))
            unknown.append(attempt(h, "nobody", f"wrong-{n}-battery", "127.60.0.2"))
            time.sleep(0.15)
        codes = [r.code for r, _ in known]
        tap.same(codes, ["credentials"] * 5 + ["locked_out"] * 2, "five wrong passwords, then the door is shut")
        tap.ok(all(int(r.headers["Retry-After"] or 0) >= 20 for r, _ in known[5:]), "with a Retry-After of about half a minute")
        tap.ok([(r.status, r.body) for r, _ in known] == [(r.status, r.body) for r, _ in unknown],
               "an unknown name gets the same answers, byte for byte", [r.body for r, _ in unknown])
        a, b = (statistics.median(t for _, t in x[:5]) for x in (known, unknown))
        tap.say(f"median seconds: known {a:.3f}, unknown {b:.3f}")
        tap.ok(max(a, b) / min(a, b) < 3, "in about the same time")
        tap.same(attempt(h, "admin", house.gateway_rig.PASSWORD, "127.60.0.1")[0].code, "locked_out", "the right password is too late there")
        tap.same(attempt(h, "admin", house.gateway_rig.PASSWORD, "127.60.0.3")[0].code, "ok", "but the officer gets in elsewhere")
        stats = h.stats()
        tap.ok(stats["auth"]["lockouts"] >= 2 and stats["api"]["error_locked_out"] >= 4, "lock-outs were counted", stats["auth"])
        log = h.call("log.list", type="auth.login", limit=1000)["records"]
        tap.ok(sum(1 for r in log if r["body"]["result"] != "ok") >= 10, "each failure stands in the log")


def guess_passwords(h, source, over, out):
    c, n = h.keep_alive(source), 0
    while not over.is_set():
        try:
            out.append(h.rest("auth.login", {"name": f"user{source}{n}"[:60], "password": "x" * 20}, over=c).code)
        except OSError:
            c.close()
            c = h.keep_alive(source)
        n += 1
        time.sleep(0.02)
    c.close()


def passwords(tap):
    """Twenty addresses guess passwords of many names at once; hashing is dear, and the officer must still get in."""
    with House() as h, Neighbour(h) as neighbour:
        out, over = [], threading.Event()
        threads = [threading.Thread(target=guess_passwords, args=(h, s, over, out)) for s in sources(70, 20)]
        for t in threads:
            t.start()
        time.sleep(0.5)
        got = [attempt(h, "admin", house.gateway_rig.PASSWORD, f"127.61.0.{n + 1}") for n in range(4)]
        over.set()
        for t in threads:
            t.join()
    neighbour.judge(tap, "password guessing")
    tap.say(f"{ {k: out.count(k) for k in sorted(set(out))} }; officer: {[(r.code, round(t, 2)) for r, t in got]}")
    tap.ok(all(r.code == "ok" for r, _ in got), "the officer gets in at the first try, each time", [r.code for r, _ in got])


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    house.run(half_open, one_address, joins, lock_out, passwords)

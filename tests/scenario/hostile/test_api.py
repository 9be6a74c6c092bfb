#!/usr/bin/env python3
"""Bad requests to the client protocol: each is refused in the protocol's own words, its counter moves, nobody else notices."""
import json
import os
import re
import sqlite3
import struct
import tempfile
import time

import house
from house import BINARY, CLOSE, PING, TEXT, Closed, House, Neighbour, code, until

# Who may call what, said once more here: the table of the program is judged by it.
RIGHTS = {
    "time.sync setup.state setup.complete auth.login auth.bearer link.open device.open":
        "none administrator dispatcher viewer auditor wall room field",
    "auth.logout auth.whoami config.get": "administrator dispatcher viewer auditor wall room field",
    "account.password directory.get incident.certificate incident.log stats.get": "administrator dispatcher viewer auditor",
    "incident.list wall.list": "administrator dispatcher viewer auditor wall room",
    "incident.get": "administrator dispatcher viewer auditor wall room field",
    "account.put account.remove device.issue device.revoke token.issue token.revoke webhook.test": "administrator",
    "account.list token.list log.list log.verify": "administrator auditor",
    "device.list directory.put directory.remove directory.import incident.open incident.update incident.close incident.note "
    "escalation.ack link.issue link.revoke scene.remove talk.set wall.layout wall.push wall.clear": "administrator dispatcher",
    "directory.export": "administrator dispatcher auditor",
    "scene.position scene.stamp": "field",
    "scene.mute scene.note": "administrator dispatcher field",
    "wall.report": "wall",
    "rtc.offer rtc.candidate rtc.route rtc.prefer rtc.close": "administrator dispatcher viewer wall room field",
    "conference.open conference.close conference.update conference.layout conference.cell conference.play party.call "
    "party.call_absent party.hangup party.remove party.move party.volume party.role party.dtmf party.view content.refuse "
    "content.revoke content.lock rollcall.open rollcall.run rollcall.next rollcall.mark rollcall.jump rollcall.close":
        "administrator dispatcher",
    "conference.list": "administrator dispatcher viewer auditor wall room",
    "conference.get": "administrator dispatcher viewer auditor wall room field",
    "conference.join conference.leave party.mic_mute party.speaker_mute content.take content.release":
        "administrator dispatcher room field",
    "endpoint.put endpoint.remove": "administrator",
    "endpoint.list": "administrator dispatcher",
    # conference control; who is chair may more than its role: the rule is the domain's
    "conference.main_site chair.request chair.refuse chair.grant chair.release floor.request floor.cancel floor.give "
    "conference.free_discussion conference.broadcast conference.voice party.view_site poll.start poll.step poll.stop lobby.set "
    "lobby.admit lobby.refuse conference.extend party.camera": "administrator dispatcher room field",
    "chair.revoke conference.split conference.rejoin conference.priority conference.monitor conference.barge_in "
    "party.force_release party.loop": "administrator dispatcher",
    # roll calls' papers, readiness, rooms
    "rollcall.code rollcall.code_said rollcall.schedule_put rollcall.schedule_remove ready.run room.put": "administrator dispatcher",
    "rollcall.search rollcall.stats rollcall.schedules ready.get ready.list room.list": "administrator dispatcher viewer auditor",
    "room.get": "administrator dispatcher viewer auditor room",
    "room.answer room.refuse room.report room.invite": "room",
    # reports, calls to acknowledge, duty
    "report.file report.receipt callack.open callack.close callack.link duty.roster_put duty.roster_import duty.alarm_ack "
    "handover.begin handover.complete handover.cancel watch.note contact.verify": "administrator dispatcher",
    "report.sheet report.paper report.export callack.get callack.list duty.roster duty.roster_export duty.alarms handover.sheet "
    "watch.list zero.month zero.export contact.list contact.export": "administrator dispatcher viewer auditor",
    "callack.ack": "administrator dispatcher room field",
    "callack.seen zero.report": "administrator dispatcher room",
    "callack.link_open": "none administrator dispatcher viewer auditor wall room field",
    "duty.now": "administrator dispatcher viewer auditor wall room",
    "zero.day": "administrator dispatcher viewer auditor room",
    # data rights, second factor, sessions, four eyes
    "access.list approval.list": "administrator dispatcher auditor",
    "access.share access.unshare": "administrator dispatcher",
    "access.assign session.end session.end_all totp.reset approval.decide": "administrator",
    "session.list log.export": "administrator auditor",
    "totp.begin totp.confirm totp.remove": "administrator dispatcher viewer auditor",
    "trunk.list sip.state rollcall.get rollcall.list rollcall.circular": "administrator dispatcher viewer auditor",
}
# A script's token is no person: it has no second factor to set up and nothing to be approved. A phone confirms its own page only.
FORBIDDEN_HERE = {(role, method) for role in ("administrator", "dispatcher", "viewer", "auditor") for method in ("directory.export", "totp.begin")
                  } | {("field", "callack.ack")}
ROLES = ("none", "administrator", "dispatcher", "viewer", "auditor", "wall", "room", "field")
OPEN_DOORS = {"time.sync", "setup.state", "setup.complete", "auth.login", "auth.bearer", "link.open", "device.open",
              "callack.link_open"}


def grown(before, after, counter, part="api"):
    return after[part].get(counter, 0) - before[part].get(counter, 0)


# ---- rights ----

def cookie_of(reply):
    return reply.headers["Set-Cookie"].split(";")[0]


def credentials(h):
    """Role -> what a connection of it is opened with."""
    out = {"none": {}, "administrator": {"token": h.admin}}
    for role in ("dispatcher", "viewer", "auditor"):
        out[role] = {"token": h.call("token.issue", name=role, role=role)["token"]}
    for kind in ("wall", "room"):
        token = h.call("device.issue", kind=kind, name=kind)["token"]
        out[kind] = {"cookie": cookie_of(h.rest("device.open", {"token": token})), "as": "?as=device"}
    link = h.link(h.incident(), "现场")
    out["field"] = {"cookie": cookie_of(h.rest("link.open", {"token": link["token"]})), "as": "?as=field"}
    return out


def open_ws(h, who, source):
    return h.ws(token=who.get("token"), cookie=who.get("cookie"), path="/ws" + who.get("as", ""), source=source)


def expectation(role, roles, flags):
    """The only answers that are right; for who may call, anything but a refusal of the person."""
    if "rest" in flags:
        return {"no_method"}
    if role not in roles:
        return {"unauthenticated"} if role == "none" else {"forbidden"}
    return None


def rights(tap):
    """Every method by every role, by WebSocket; those of REST only by REST as well."""
    with House() as h:
        who = credentials(h)
        described = {path.rsplit("/", 1)[1]: set(op["post"].get("x-roles", [])) for path, op in
                     json.loads(h.http("GET", "/api/v1/openapi.json").body)["paths"].items()}
        wanted = {m: set(roles.split()) for names, roles in RIGHTS.items() for m in names.split()}
        rest_only = {"setup.complete", "auth.login", "link.open", "device.open", "callack.link_open", "log.export"}
        tap.ok(set(described) <= set(wanted), "every method of the table stands in this test too", set(described) - set(wanted))
        wrong, asked = [], 0
        before = h.stats()
        for n, role in enumerate(ROLES):
            ws = None
            for k, method in enumerate(sorted(set(wanted) - {"auth.logout"})):
                if k % 40 == 0:  # a session's bucket holds sixty
                    ws = ws and ws.close() or open_ws(h, who[role], f"127.0.1.{n + 1 + 10 * (k // 40)}")
                if role == "none" and method == "auth.bearer":
                    continue
                got = code(ws.call(method))
                want = expectation(role, wanted[method], {"rest"} if method in rest_only else {})
                want = {"forbidden"} if (role, method) in FORBIDDEN_HERE else want
                asked += 1
                if (want and got not in want) or (not want and got in ("forbidden", "unauthenticated", "no_method")):
                    wrong.append((role, method, got))
            ws.close()
        tap.ok(not wrong, f"{asked} calls of {len(wanted)} methods by {len(ROLES)} roles: each as its row says", *wrong[:20])
        after = h.stats()
        tap.ok(grown(before, after, "error_forbidden") > 100 and grown(before, after, "error_unauthenticated") > 30,
               "forbidden and unauthenticated were counted", after["api"])
        open_doors = {m for m in sorted(set(wanted) - {"auth.bearer"}) for r in [h.rest(m, source="127.0.2.1")]
                      if r.code not in ("unauthenticated", "no_method")}
        tap.same(open_doors, OPEN_DOORS - {"auth.bearer"}, "without credentials REST answers the openers and two questions")


# ---- frames ----

DEEP = "[" * 30000 + "]" * 30000
BAD_TEXTS = {
    # text or bytes: code of the answer
    "": "parse", "{": "parse", "nul": "parse", "{}": "bad_request", "[]": "parse", "7": "parse", '"x"': "parse",
    '{"jsonrpc":"2.0"}': "bad_request",
    '{"jsonrpc":"1.0","id":1,"method":"time.sync"}': "bad_request",
    '{"jsonrpc":"2.0","id":{},"method":"time.sync"}': "bad_request",
    '{"jsonrpc":"2.0","id":1,"method":7}': "bad_request",
    '{"jsonrpc":"2.0","id":1,"method":""}': "bad_request",
    '{"jsonrpc":"2.0","id":1,"method":"' + "x" * 300 + '"}': "bad_request",
    '{"jsonrpc":"2.0","id":1,"method":"no.such"}': "no_method",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync\\u0000x"}': "parse",
    '{"jsonrpc":"2.0","id":1,"method":"__proto__"}': "no_method",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync","params":[1]}': "invalid",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync","params":7}': "bad_request",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync","params":{"client_ms":"7"}}': "invalid",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync","params":{"client_ms":-1}}': "invalid",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync","params":{"client_ms":1e300}}': "invalid",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync","params":{"client_ms":1e999}}': "parse",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync","params":{"client_ms":99999999999999999999999}}': "parse",
    '{"jsonrpc":"2.0","id":1,"method":"incident.get","params":{"id":["a"]}}': "invalid",
    '{"jsonrpc":"2.0","id":1,"method":"incident.get","params":{"id":"a\\r\\nb"}}': "invalid",
    '{"jsonrpc":"2.0","id":1,"method":"incident.get","params":{"id":"\\u0000"}}': "parse",
    '{"jsonrpc":"2.0","id":1,"method":"incident.get","params":{"id":"\\ud800"}}': "parse",
    '{"jsonrpc":"2.0","id":1,"method":"incident.get","params":' + '{"id":' * 40 + "1" + "}" * 40 + "}": "parse",
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"time.sync"}': "parse",
    '{"jsonrpc":"2.0","id":1,"method":"time.sync"}x': "parse",
    '[{"jsonrpc":"2.0","id":1,"method":"time.sync"}]': "parse",
    DEEP: "parse", '{"a":' * 9000 + "1" + "}" * 9000: "parse",
}


def texts(tap, h):
    ws, wrong = h.ws(token=h.admin, source="127.0.3.1"), []
    before = h.stats()
    for text, want in BAD_TEXTS.items():
        ws.text(text)
        got = ws.reply()
        refusal = code(got)
        if refusal != want and not (want == "parse" and refusal == "bad_request"):
            wrong.append((text[:80], refusal, want))
        elif not got["error"].get("message") or not got["error"]["data"].get("message_zh"):
            wrong.append((text[:80], "without words"))
    tap.ok(not wrong, f"{len(BAD_TEXTS)} bad messages: each refused in its words, the connection lives", *wrong)
    tap.same(code(ws.call("time.sync", client_ms=7)), "ok", "and answers the next good one")
    after = h.stats()
    tap.ok(all(grown(before, after, "error_" + e) > 0 for e in ("parse", "bad_request", "no_method", "invalid")),
           "each kind of refusal was counted", after["api"])
    for quiet in ('{"jsonrpc":"2.0","method":"time.sync"}', '{"jsonrpc":"2.0","id":9,"result":{}}',
                  '{"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"x"}}'):
        ws.text(quiet)
    tap.same(code(ws.call("time.sync")), "ok", "notifications and answers of clients are ignored")
    tap.same(grown(after, h.stats(), "ignored"), 3, "and counted")
    ws.close()


def frames(tap, h):
    cases = {
        "a message over the limit": (lambda w: w.text('{"x":"' + "a" * 200000 + '"}'), {1009, None}),
        "a message over the limit in pieces": (lambda w: [w.frame(TEXT if i == 0 else 0, b"a" * 60000, fin=False) for i in range(5)],
                                               {1009, None}),
        "a frame that says 2^62 bytes": (lambda w: w.frame(TEXT, b"x" * 200000, length=1 << 62), {1009, 1002, None}),
        "a binary message": (lambda w: w.frame(BINARY, b"{}"), {1003}),
        "text that is not UTF-8": (lambda w: w.text(b'{"a":"\xff\xfe"}'), {1007}),
        "a frame without a mask": (lambda w: w.frame(TEXT, b'{"jsonrpc":"2.0","id":1,"method":"time.sync"}', mask=False), {1002, None, "open"}),  # see gateway/README.md
        "a reserved bit": (lambda w: w.frame(TEXT, b"{}", rsv=4), {1002, None}),
        "a reserved opcode": (lambda w: w.frame(5, b"{}"), {1002, None}),
        "a continuation of nothing": (lambda w: w.frame(0, b"{}"), {1002, None}),
        "a ping of 126 bytes": (lambda w: w.frame(PING, b"x" * 126), {1002, None}),
        "a ping in pieces": (lambda w: w.frame(PING, b"x", fin=False), {1002, None}),
        "a close with a bad code": (lambda w: w.frame(CLOSE, struct.pack(">H", 5)), {1002, None, 5, 1000}),
        "a close of one byte": (lambda w: w.frame(CLOSE, b"x"), {1002, None}),
    }
    # None: what it was still sending met a closed socket, and the reset took the close frame with it
    viewer = h.call("token.issue", name="viewer", role="viewer")["token"]
    before, wrong = h.stats(), []
    for n, (what, (do, want)) in enumerate(cases.items()):
        ws = h.ws(token=viewer, source=f"127.0.4.{n + 1}")
        try:
            do(ws)
            got = ws.ending(5)
        except (Closed, OSError):
            got = None
        if got not in want:
            wrong.append((what, got))
        ws.close()
    tap.ok(not wrong, f"{len(cases)} bad frames: each ends its connection with the code of RFC 6455", *wrong)
    tap.ok(grown(before, h.stats(), "ws_oversize", "web") >= 2, "messages over the limit were counted")
    ws = h.ws(token=h.admin, source="127.0.4.99")
    for i in range(200):
        ws.frame(PING, b"%d" % i)
    tap.same(code(ws.call("time.sync")), "ok", "200 pings are no harm")
    ws.text('{"jsonrpc":"2.0","id":"')
    ws.close()


def wrong_doors(tap, h):
    """Origin, credentials, and how many may stand before the door."""
    before = h.stats()
    refused = []
    for origin in ("https://evil.example", "null", "https://127.0.0.1", f"http://127.0.0.1:{h.port}", "https://127.0.0.1.evil.example"):
        try:
            h.ws(token=h.admin, origin=origin, source="127.0.5.1").close()
        except Closed as e:
            refused.append(e.code)
        r = h.rest("incident.list", token=h.admin, headers={"Origin": origin}, source="127.0.5.2")
        refused.append(r.status)
    # The client's Host header is without the port, so "https://127.0.0.1" is its own origin for the WebSocket only.
    tap.same(sorted(refused), [403] * 9, "foreign origins get 403, over WebSocket and by POST")
    tap.ok(grown(before, h.stats(), "refused_origin", "web") >= 9, "and are counted")
    for cookie, want in (("ortoo_session=" + "A" * 22, "unauthenticated"), ("ortoo_session=", "unauthenticated"),
                         ("ortoo_session=a b; ortoo_session=\xff", "unauthenticated"), ("x=" + "y" * 3000, "unauthenticated")):
        tap.same(h.rest("auth.whoami", headers={"Cookie": cookie}).code, want, f"a foreign cookie is nobody: {cookie[:20]!a}")
    tap.same(h.rest("setup.state", headers={"Cookie": "ortoo_session=" + "A" * 22}).code, "ok", "and no obstacle where none is needed")


def states(tap, h):
    """Links and tokens that are over, and that a refusal changes nothing."""
    inc = h.incident()
    good, revoked, closed = (h.link(inc, n) for n in ("一", "二", "三"))
    first = h.rest("link.open", {"token": good["token"]}, source="127.0.6.1")
    tap.same(first.code, "ok", "a good link opens")
    for n in range(2):
        again = h.rest("link.open", {"token": good["token"]}, source="127.0.6.2")
        tap.same((again.status, again.code, again.headers["Set-Cookie"]), (410, "used", None), f"a used one does not ({n + 1})")
    tap.same(h.rest("link.open", {"token": good["token"]}, cookie=cookie_of(first)).code, "ok", "but for the phone that has it")
    tap.same(h.rest("auth.whoami", cookie=cookie_of(first).replace("ortoo_field", "ortoo_session")).json.get("role"), "field",
             "whose session lives on")
    field = {"cookie": cookie_of(first).replace("ortoo_field", "ortoo_session")}
    own = h.rest("incident.get", {"id": inc}, **field).json
    tap.same(([x["id"] for x in own["scenes"]], own["links"], own["notes"]), ([good["scene"]], [], []), "it sees its own scene only")
    tap.same(h.rest("incident.get", {"id": h.incident()}, **field).code, "not_found", "and no other incident")
    h.call("link.revoke", link=revoked["id"])
    for n in range(2):
        tap.same(h.rest("link.open", {"token": revoked["token"]}, source="127.0.6.3").code, "revoked", f"a revoked one does not ({n + 1})")
    for token in ("A" * 22, good["token"][:-1] + ("A" if good["token"][-1] != "A" else "B")):
        tap.same(h.rest("link.open", {"token": token}, source="127.0.6.4").code, "not_found", "a guessed one is not there")
    for token in ("", "x" * 65, "../../etc/passwd?", "' OR 1=1 --", "a\r\nb", 7, None, {"a": 1}):
        tap.same(h.rest("link.open", {"token": token}, source=f"127.0.6.{10 + len(str(token))}").code, "invalid",
                 f"no token at all: {str(token)[:20]!a}")
    h.call("incident.close", id=inc, reason="完")
    tap.ok(h.rest("link.open", {"token": closed["token"]}, source="127.0.6.5").code in ("revoked", "ended"), "a closed incident's link is dead")
    tap.same(h.rest("auth.whoami", cookie=cookie_of(first).replace("ortoo_field", "ortoo_session")).code, "unauthenticated",
             "and so is the session that came by one")
    again = [h.rest("incident.close", {"id": inc, "reason": "完"}, token=h.admin).code for _ in range(2)]
    tap.same(again, ["state", "state"], "closing twice is refused, twice in the same words")
    soon = h.call("token.issue", name="soon", role="viewer", expires_ms=int(time.time() * 1000) + 1500)["token"]
    tap.same(h.rest("auth.whoami", token=soon).code, "ok", "a script's token is good")
    until("the token's end", lambda: h.rest("auth.whoami", token=soon).code == "expired", 10)
    tap.ok(True, "until it expires")


def expired_link(tap, h):
    """A link whose half hour is over: the stored end is put back while the gateway is down."""
    link = h.link(h.incident(), "晚")
    h.kill()
    with sqlite3.connect(h.database()) as db:
        db.execute("UPDATE doc SET body=json_set(body, '$.expires_ms', 1000) WHERE kind='link' AND key=?", (link["id"],))
    db.close()
    h.start()
    for n in range(2):
        r = h.rest("link.open", {"token": link["token"]}, source="127.0.6.6")
        tap.same((r.status, r.code), (410, "expired"), f"an expired link does not open ({n + 1})")


def requests(tap):
    """Bad messages, frames, doors and tokens, while a neighbour watches."""
    with House() as h:
        with Neighbour(h) as neighbour:
            mute = h.ws(source="127.0.5.3")
            tap.same(code(mute.call("auth.bearer", token="A" * 22)), "unauthenticated", "a wrong bearer over WebSocket")
            texts(tap, h)
            frames(tap, h)
            wrong_doors(tap, h)
            states(tap, h)
            tap.same(mute.ending(12), 4401, "who brings no credentials is sent away with 4401")
        neighbour.judge(tap, "bad requests")
        expired_link(tap, h)
        lines_are_whole(tap, h)


# ---- raw HTTP ----

def http_cases(port):
    host = f"Host: 127.0.0.1:{port}\r\n"
    post = f"POST /api/v1/time.sync HTTP/1.1\r\n{host}Content-Type: application/json\r\n"
    return {
        "not HTTP": ("\x16\x03\x01\0\xff" * 20, (0, 400, 403)),
        "no version": ("GET /\r\n\r\n", (0, 200, 400, 505)),
        "HTTP/9.9": (f"GET / HTTP/9.9\r\n{host}\r\n", (0, 200, 400, 505)),
        "an unknown method": (f"BREW /healthz HTTP/1.1\r\n{host}\r\n", (0, 400, 403, 405, 501)),
        "CONNECT": (f"CONNECT 10.0.0.1:22 HTTP/1.1\r\n{host}\r\n", (0, 400, 404, 405)),
        "TRACE": (f"TRACE / HTTP/1.1\r\n{host}\r\n", (0, 400, 403, 405, 501)),
        "an absolute address": (f"GET http://evil.example/healthz HTTP/1.1\r\n{host}\r\n", (0, 400, 403, 404)),
        "headers without end": (f"GET /healthz HTTP/1.1\r\n{host}" + "X-A: b\r\n" * 4000 + "\r\n", (0, 400, 413, 431)),
        "one header of 100 KB": (f"GET /healthz HTTP/1.1\r\n{host}Cookie: {'a' * 100000}\r\n\r\n", (0, 400, 413, 431)),
        "a path of 100 KB": (f"GET /{'a' * 100000} HTTP/1.1\r\n{host}\r\n", (0, 400, 413, 414, 431)),
        "a negative length": (f"{post}Content-Length: -1\r\n\r\n{{}}", (0, 400)),
        "a length with a sign": (f"{post}Content-Length: +2\r\n\r\n{{}}", (0, 400)),
        "two lengths": (f"{post}Content-Length: 2\r\nContent-Length: 30\r\n\r\n{{}}", (0, 400)),
        "no length": (f"{post}\r\n{{}}", (0, 400, 411)),
        "chunks": (f"{post}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n", (0, 400, 411)),
        "chunks and a length": (f"{post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n", (0, 400)),
        "a body of 9 GB": (f"{post}Content-Length: 9000000000\r\n\r\n{{}}", (0, 400, 413)),
        "a body over the limit": (f"{post}Content-Length: 2000000\r\n\r\n{{}}", (0, 413)),
        "a form": (f"POST /api/v1/auth.login HTTP/1.1\r\n{host}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}", (400, 415)),
        "a method with a path": (f"POST /api/v1/../../etc/passwd HTTP/1.1\r\n{host}Content-Length: 0\r\n\r\n", (0, 400, 404, 405)),
        "h2c": (f"GET / HTTP/1.1\r\n{host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
                (0, 200, 400, 404, 501)),
        "WebSocket elsewhere": (f"GET /wss HTTP/1.1\r\n{host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", (0, 400, 404)),
        "WebSocket without a key": (f"GET /ws HTTP/1.1\r\n{host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", (0, 400, 403, 404, 426)),
        "a NUL in a header": (f"GET /healthz HTTP/1.1\r\n{host}Cookie: a\0b\r\n\r\n", (0, 200, 400)),
        "a folded header": (f"GET /healthz HTTP/1.1\r\n{host}X-A: b\r\n c\r\n\r\n", (0, 200, 400)),
        "a header without a colon": (f"GET /healthz HTTP/1.1\r\n{host}nonsense\r\n\r\n", (0, 200, 400)),
        "bare line feeds": (f"GET /healthz HTTP/1.1\n{host.strip()}\n\n", (0, 200, 400)),
    }


TRAVERSAL = """
/../secret.txt /console/../../secret.txt /console/../../../secret.txt /..%2fsecret.txt /console/..%2f..%2fsecret.txt
/console/%2e%2e/%2e%2e/secret.txt /%2e%2e/secret.txt /console/..%252f..%252fsecret.txt /console/....//....//secret.txt
/console/..;/..;/secret.txt /console/..\\..\\secret.txt /console/..%5c..%5csecret.txt /console/%c0%ae%c0%ae/secret.txt
/console/%c0%ae%c0%ae%c0%af%c0%ae%c0%ae%c0%afsecret.txt /console/%e0%80%ae%e0%80%ae/secret.txt /console/.%2e/.%2e/secret.txt
/console/%u002e%u002e/secret.txt //secret.txt ///etc/passwd //etc/passwd /etc/passwd /%2fetc%2fpasswd /console//etc/passwd
/console/./../../secret.txt /console/index.html/../../../secret.txt /console/index.html%00.png /console/secret.txt%00.html
/secret.txt /console/link.txt /console/absolute.txt /console/folder/secret.txt /console/fifo.txt /console/ /console /console/.
/console/.hidden.txt /.git/config /package.json /package-lock.json /console/index.html/ /j/../secret.txt /j/..%2f..%2fsecret.txt
/certificate/..%2f..%2fsecret.txt /console/..%00/secret.txt /console/%2e%2e%2f%2e%2e%2fsecret.txt /?/../secret.txt
/console/index.html?../../secret.txt /ortoo.db /console/../../ortoo.db /proc/self/environ /console/..%ef%bc%8f..%ef%bc%8fsecret.txt
""".split()


def web_root(folder):
    """Pages with traps among them, and beside them what must never be seen."""
    root = os.path.join(folder, "root")
    for name in ("console", "field", "certificate", ".git"):
        os.makedirs(os.path.join(root, name))
        with open(os.path.join(root, name, "index.html"), "w", encoding="ascii") as f:
            f.write("<p>page</p>")
    for name in ("secret.txt", "root/secret.txt", "root/package.json", "root/.git/config", "root/console/.hidden.txt"):
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write("SECRET")
    os.symlink("../../secret.txt", os.path.join(root, "console", "link.txt"))
    os.symlink("/etc/passwd", os.path.join(root, "console", "absolute.txt"))
    os.symlink("../..", os.path.join(root, "console", "folder"))
    os.mkfifo(os.path.join(root, "console", "fifo.txt"))
    return root


def http(tap):
    """Bad HTTP and every way out of the folder of pages."""
    with tempfile.TemporaryDirectory(prefix="ortoo-pages-") as folder, \
            House("--web-root", web_root(folder)) as h, Neighbour(h) as neighbour:
        wrong = []
        for n, (what, (data, want)) in enumerate(http_cases(h.port).items()):
            out = h.raw(data.encode("latin-1"), source=f"127.0.8.{n + 1}")
            status = int(out.split(b" ", 2)[1][:3]) if out.startswith(b"HTTP/1.") else 0
            if status not in want or (out and not out.startswith(b"HTTP/1.")):
                wrong.append((what, status, out[:120]))
        tap.ok(not wrong, f"{n + 1} bad requests: refused or hung up on", *wrong)
        smuggled = h.raw((f"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                          "GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n").encode())
        tap.ok(smuggled.count(b"HTTP/1.1 ") <= 1 and b"openapi" not in smuggled, "nothing is smuggled behind a body", smuggled[:200])
        leaks = []
        for path in TRAVERSAL:
            out = h.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode("latin-1"))
            if b"SECRET" in out or b"root:" in out or b"SQLite" in out or b"PATH=" in out or \
                    (b" 200 " in out[:20] and b"<p>page</p>" not in out):
                leaks.append((path, out[:100]))
        tap.ok(not leaks, f"{len(TRAVERSAL)} ways out of the folder of pages lead nowhere", *leaks)
        split = h.raw(b"GET /console/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        tap.ok(b"Set-Cookie" not in split, "CR and LF in a path make no header", split[:200])
        tap.same(h.http("GET", "/healthz").status, 200, "the gateway is well")
    neighbour.judge(tap, "bad HTTP")


# ---- naughty strings ----

def naughty():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "blns", "blns.json")
    with open(path, encoding="utf-8") as f:
        own = ["a\r\nb", "a\nb", "\x1b[2J\x1b[31mred", "\x00", "a\x7fb", "\x9b31m", "\u2028", "\x85", "x\n{\"level\":\"error\"}",
               "'; DROP TABLE log; --", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\ufeff", "\u202etxt.exe"]
        return [s for s in json.load(f) if s] + own


def clean(text):
    """Has nothing that the protocol refuses in a text: C0 but tab and line feed, DEL, C1."""
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


class Many:
    """So many calls that each goes by another of n sessions: the limits are per session and per address."""

    def __init__(self, h, n):
        tokens = [h.call("token.issue", name=f"many {i}", role="administrator")["token"] for i in range(n)]
        self.ws = [h.ws(token=t, source=f"127.0.10.{i + 1}", timeout=30) for i, t in enumerate(tokens)]

    def call(self, calls):
        """calls: (method, params) in any order; the answers in the same. 30 a second and session, 60 at once."""
        out, waves = [None] * len(calls), max(1, len(self.ws) * 25)
        for start in range(0, len(calls), waves):
            ids = [(n, self.ws[n % len(self.ws)], self.ws[n % len(self.ws)].ask(method, **params))
                   for n, (method, params) in list(enumerate(calls))[start:start + waves]]
            for n, ws, i in ids:
                out[n] = ws.reply(i)
            time.sleep(0.85)  # the sessions' buckets fill again
        return out


def lines_are_whole(tap, h):
    """What the gateway and its engine printed: after the banner each line is one JSON object."""
    banner = re.compile(r"^(\s*$|  |Ortoo|ortoo|Console|Set-up|.*https?://)")
    odd = [line for line in h.output if not line.startswith("{") and not banner.match(line)]
    broken = []
    for line in h.output:
        if line.startswith("{"):
            try:
                json.loads(line)
            except ValueError:
                broken.append(line)
    tap.ok(not any('"replay.record"' in line for line in h.output), "every record of the log was read back")
    tap.ok(not odd and not broken, "each line of the log is one JSON object", *(odd + broken)[:5])
    tap.ok(not any("\x1b" in line or "\x9b" in line for line in h.output if not banner.match(line)), "no escape sequence reached the terminal")


def longest(tap, h, inc):
    """The longest of everything that is taken; the restart below reads it back."""
    text = "\"" * 4000
    got = [h.rest(m, p, token=h.admin).code for m, p in (
        ("incident.note", {"id": inc, "text": text}),
        ("incident.open", {"kind": "火" * 21, "place": "京" * 66, "text": text, "level": 4, "lat": -90, "lon": 180}),
        ("link.issue", {"incident": inc, "guest_name": "名" * 21, "phone": "9" * 64}),
        ("directory.put", {"kind": "division", "item": {"id": "d" * 96, "code": "9" * 96, "name": "名" * 66}}),
        ("wall.layout", {"wall": h.call("device.issue", kind="wall", name="墙" * 21)["id"], "layout": 9}))]
    tap.same(got, ["ok"] * 5, "the longest of everything is taken")
    link = h.link(inc, "长")
    cookie = cookie_of(h.rest("link.open", {"token": link["token"]})).replace("ortoo_field", "ortoo_session")
    got = [h.rest(m, p, cookie=cookie).code for m, p in (
        ("scene.position", {"lat": 90, "lon": -180, "accuracy_m": 1e7, "at_ms": 9e15}),
        ("scene.position", {"lat": 1, "lon": 2, "accuracy_m": 3, "at_ms": int(time.time() * 1000)}),
        ("scene.stamp", {"kind": "battery", "at_ms": 9e15, "detail": "x" * 256}),
        ("scene.stamp", {"kind": "camera_granted", "at_ms": 0}),
        ("scene.note", {"text": text}))]
    tap.same(got, ["ok"] * 5, "a phone's too")
    stamps = h.scene(inc, link["scene"])
    tap.ok(stamps["stamps"]["camera_granted_ms"] > 1e12, "a phone's clock does not make the certificate", stamps)
    tap.ok(stamps["position"]["at_ms"] < 1e13, "nor a position of the future that would hide those to come", stamps["position"])


def names(tap):
    """Naughty strings as names, places, texts and notes: stored and given back byte for byte, or refused as invalid."""
    with House() as h, Neighbour(h) as neighbour:
        strings, many = [s for s in naughty() if "\0" not in s], Many(h, 12)
        inc = h.incident()
        notes = many.call([("incident.note", {"id": inc, "text": s}) for s in strings])
        kept = [s for s, m in zip(strings, notes) if code(m) == "ok"]
        odd = [(s[:40], code(m)) for s, m in zip(strings, notes) if code(m) != ("ok" if clean(s) and len(s.encode()) <= 4000 else "invalid")]
        tap.ok(not odd, f"{len(strings)} notes: {len(kept)} taken, the others refused as invalid", *odd[:5])
        records, after = [], 0
        while batch := h.call("incident.log", id=inc, after_seq=after, limit=1000)["records"]:
            records, after = records + batch, batch[-1]["seq"]
        stored = [r["body"].get("text") for r in records if "note" in r["type"]]
        tap.same(sorted(stored), sorted(kept), "the log has them byte for byte")
        tap.same(h.rest("incident.note", {"id": inc, "text": "a\0b"}, token=h.admin).code, "parse", "NUL is in no text")
        people = many.call([("directory.put", {"kind": "person", "item": {"id": f"p{n}", "name": s}}) for n, s in enumerate(strings)])
        wanted = {f"p{n}": s for n, (s, m) in enumerate(zip(strings, people)) if code(m) == "ok"}
        odd = [(s[:40], code(m)) for s, m in zip(strings, people) if code(m) != ("ok" if clean(s) and len(s.encode()) <= 200 else "invalid")]
        tap.ok(not odd, f"{len(strings)} names in the directory: {len(wanted)} taken, the others refused as invalid", *odd[:5])
        got = {p["id"]: p["name"] for p in h.call("directory.get")["people"]}
        tap.ok(got == wanted, "the directory has them byte for byte",
               *[(i, got.get(i), s) for i, s in wanted.items() if got.get(i) != s][:5])
        csv = h.call("directory.export")["csv"]
        back = h.call("directory.import", csv=csv, dry_run=True)
        tap.same((back["added"], back["changed"], back["errors"]), (0, 0, []), "out to CSV and in again changes nothing")
        some = [s for s in strings if len(s.encode()) <= 64][::4]
        facts = ("kind", "place", "text")  # of the newest of the updates that were on their way together
        opened = many.call([("incident.update", {"id": inc, "kind": s, "place": s, "text": s}) for s in some])
        odd = [(s[:40], code(m)) for s, m in zip(some, opened)
               if (code(m) == "ok") != clean(s) or (code(m) == "ok" and (together := {m["result"][k] for k in facts}) and
                                                    (len(together) > 1 or not together <= set(some)))]
        tap.ok(not odd, f"{len(some)} as kind, place and text of an incident", *odd[:5])
        longest(tap, h, inc)
        for n, s in enumerate(some[::6]):
            h.rest("auth.login", body=json.dumps({"name": s, "password": s}).encode(), source=f"127.0.11.{n + 1}")
            h.raw(f"GET /{s} HTTP/1.1\r\nHost: x\r\nUser-Agent: {s}\r\nOrigin: {s}\r\n\r\n".encode("utf-8", "replace"),
                  source=f"127.0.12.{n + 1}")
        tap.same(h.call("log.verify")["ok"], True, "the log's chain is whole")
        h.kill()
        tap.same(h.verify()[0], 0, "after kill -9 too")
        h.start()
        got = {p["id"]: p["name"] for p in h.call("directory.get")["people"]}
        tap.ok(got == wanted, "a restart gives the same names back")
        lines_are_whole(tap, h)
    neighbour.why = "" if neighbour.trips else neighbour.why  # it saw the kill, as it must
    neighbour.judge(tap, "naughty strings")


if __name__ == "__main__":
    house.run(rights, requests, http, names)

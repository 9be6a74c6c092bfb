#!/usr/bin/env python3
"""Awkward SIP flows, scripted with sipp, against our stack without media; scanners; kamailio between two of ours."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway_rig import WITH_US, skip  # noqa: E402
from sip_stand import Sipp, Stand, TlsPipe, certificate, free_port, run  # noqa: E402


# ---- sipp calls us ----
def late_offer(folder):
    with Stand("trust") as s:
        Sipp("in_late_offer", s.port, folder=folder).done()
        s.event("state", state="up")
        s.event("state", state="ended", why="the peer hung up")


def reinvites_and_update(folder):
    with Stand("trust") as s:
        Sipp("in_reinvite", s.port, folder=folder).done()
        s.event("state", state="ended", why="the peer hung up")


def reliable_ringing(folder):
    with Stand("trust") as s:
        s.tell("auto off")
        sipp = Sipp("in_prack", s.port, folder=folder)
        s.event("call")
        time.sleep(0.3)
        s.tell("answer")
        sipp.done()


def cancelled(folder):
    with Stand("trust") as s:
        s.tell("auto off")
        Sipp("in_cancel", s.port, folder=folder).done()
        s.event("state", state="ended", why="cancelled by the caller")


def session_timer(folder):
    with Stand("trust") as s:
        Sipp("in_session_timer", s.port, folder=folder).done()


def odd_requests(folder):
    with Stand("trust") as s:
        Sipp("in_odd", s.port, folder=folder).done()


def a_device_with_md5(folder):
    with Stand("password=secret") as s:
        Sipp("in_digest", s.port, "-au", "1001", "-ap", "secret", folder=folder).done()
        assert s.event("call")["device"] == "1001"


def a_vanished_peer_is_noticed(folder):
    with Stand("trust") as s:
        Sipp("in_silent", s.port, folder=folder).done()
        s.event("state", state="up")
        s.tell("again")
        s.event("state", 40, state="ended", why="the peer does not answer any more")


# ---- we call sipp ----
def out(name, folder, *args):
    stand, sipp = Stand(*args), Sipp(name, folder=folder)
    stand.tell(f"dial sip:1001@127.0.0.1:{sipp.port}")
    return stand, sipp


def redirected(folder):
    stand, sipp = out("out_302", folder)
    with stand:
        stand.event("state", state="up")
        stand.tell("hangup test")
        sipp.done()
        assert stand.dump()["counters"]["redirects"] == 1


def a_late_200_after_cancel(folder):
    stand, sipp = out("out_late_200", folder)
    with stand:
        stand.event("state", state="ringing")
        stand.tell("hangup test")
        sipp.done()


def glare(folder):
    stand, sipp = out("out_glare", folder)
    with stand:
        stand.event("state", state="up")
        stand.tell("again")
        time.sleep(5)
        stand.tell("hangup test")
        sipp.done()


def reliable_answer(folder):
    stand, sipp = out("out_prack", folder)
    with stand:
        stand.event("state", state="up")
        stand.tell("hangup test")
        sipp.done()


def update_before_the_answer(folder):
    with Stand("trust") as s:
        s.tell("auto off")
        sipp = Sipp("in_update_early", s.port, folder=folder)
        s.event("call")
        time.sleep(1)
        s.tell("answer")
        sipp.done()
    stand, sipp = out("out_update_early", folder)
    with stand:
        stand.event("state", state="up")
        stand.tell("hangup test")
        sipp.done()


def forks(folder):
    stand, sipp = out("out_fork", folder)
    with stand:
        stand.event("state", state="up")
        time.sleep(1)
        stand.tell("hangup test")
        sipp.done()


# ---- over TLS ----
def sipp_over_tls(folder):
    pair = certificate(folder)
    with Stand("trust", "tls=" + ",".join(pair)) as s:
        for name in ("in_late_offer", "in_reinvite", "in_cancel", "in_odd"):
            s.tell("auto " + ("off" if name == "in_cancel" else "on"))
            Sipp(name, TlsPipe(s.tls, pair[0]).port, "-t", "t1", folder=folder, via="TLS").done()
        front = s.dump()["listeners"][0]["tls_front"]
        assert front["accepted"] == 4 and front["failed_handshakes"] == 0 and front["malformed"] == 0, front


def s_client(folder):
    """TLS 1.2 and 1.3, our certificate, one answer; older versions and strangers' bytes get nothing."""
    pair = certificate(folder)
    text = ("OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 10.9.8.7;branch=z9hG4bKx;rport\r\nFrom: <sip:x@y>;tag=1\r\n"
            "To: <sip:127.0.0.1>\r\nCall-ID: s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n")
    with Stand("tls=" + ",".join(pair)) as s:
        for version, good in (("-tls1_2", True), ("-tls1_3", True), ("-tls1_1", False)):
            p = subprocess.Popen([*WITH_US, "openssl", "s_client", "-connect", f"127.0.0.1:{s.tls}", "-quiet", "-verify_return_error",
                                  "-CAfile", pair[0], "-verify_ip", "127.0.0.1", version, "-cipher", "DEFAULT:@SECLEVEL=0"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            try:
                p.stdin.write(text)
                p.stdin.flush()
                time.sleep(1)
            except BrokenPipeError:
                pass
            p.terminate()
            said = p.communicate(timeout=10)[0]
            assert ("SIP/2.0 200" in said and "SIP/2.0/TLS 10.9.8.7" in said and "received=127.0.0.1" in said) == good, said


# ---- scanners ----
def output_of(*argv, timeout_s=40):
    p = subprocess.run([*WITH_US, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False)
    return p.returncode, p.stdout + p.stderr


def sipsak_is_answered(folder):
    with Stand() as s:
        code, text = output_of("sipsak", "-vv", "-s", f"sip:1001@127.0.0.1:{s.port}")
        assert code == 0 and "200 OK" in text, text


def svwar_finds_nobody(folder):
    with Stand("password=secret") as s:
        for method in ("REGISTER", "INVITE"):
            _, text = output_of("svwar", f"-p{s.port}", "-e995-1010", "-m", method, "--force", "127.0.0.1")
            rows = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in text.splitlines() if line.count("|") == 3}
            assert rows.get("1001") == rows.get("1002"), text


def svcrack_is_stopped(folder):
    words = os.path.join(folder, "words")
    with open(words, "w", encoding="utf-8") as f:
        f.write("".join(f"guess{n}\n" for n in range(30)) + "secret\n")
    with Stand("password=secret") as s:
        try:
            _, text = output_of("svcrack", f"-p{s.port}", "-u1001", "-d", words, "127.0.0.1", timeout_s=15)
        except subprocess.TimeoutExpired as e:
            text = str(e.output)
        assert "secret" not in text, text
        assert s.dump()["counters"]["auth_failed"] <= 5


# ---- kamailio between ----
KAMAILIO = """
debug=0
log_stderror=no
children=2
listen=udp:127.0.0.1:{port}
alias="127.0.0.1:{port}"
mpath="{modules}"
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("auth", "nonce_expire", 60)
request_route {{
	if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
	if (has_totag()) {{
		if (loose_route()) {{ t_relay(); exit; }}
		if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
		sl_send_reply("404", "Not here"); exit;
	}}
	if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
	if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
	if (is_method("REGISTER")) {{
		if (!pv_www_authenticate("city", "secret", "0")) {{ www_challenge("city", "1"); exit; }}
		save("location"); exit;
	}}
	if ($si == "127.0.0.1" && $sp == {inside}) {{
		record_route(); lookup("location"); t_relay(); exit;
	}}
	if (!pv_proxy_authenticate("city", "secret", "0")) {{ proxy_challenge("city", "1"); exit; }}
	consume_credentials();
	record_route();
	$rd = "127.0.0.1"; $rp = "{inside}";
	t_relay();
}}
"""


class Kamailio:
    def __init__(self, folder, inside):
        self.port = free_port()
        modules = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"
        if not os.path.isdir(modules):
            modules = "/usr/lib/kamailio/modules/"
        path = os.path.join(folder, "kamailio.cfg")
        with open(path, "w", encoding="utf-8") as f:
            f.write(KAMAILIO.format(port=self.port, inside=inside, modules=modules))
        self.process = subprocess.Popen([*WITH_US, "kamailio", "-DD", "-f", path, "-P", os.path.join(folder, "pid"), "-Y", folder, "-m", "64"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        time.sleep(1.5)
        assert self.process.poll() is None, "kamailio does not start"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def kamailio_between(folder):
    """One of ours is a trunk of kamailio's (registered, digest MD5); another stands behind it."""
    with Stand("trust") as inside, Kamailio(folder, inside.port) as proxy:
        with Stand(f"trunk=city,sip:127.0.0.1:{proxy.port},room1,secret,enroll") as room:
            room.event("trunk", state="up")
            room.tell("dial trunk:city/88001")
            assert inside.event("call")["number"] == "88001"
            room.event("state", state="up")
            inside.event("state", state="up")
            room.tell("again")
            inside.tell("again")
            time.sleep(5)
            inside.tell("hangup test")
            room.event("state", state="ended", why="the peer hung up")


if __name__ == "__main__":
    if shutil.which("sipp") is None:
        skip("sipp is not installed")
    cases = [late_offer, reinvites_and_update, reliable_ringing, cancelled, session_timer, odd_requests, a_device_with_md5, redirected,
             a_late_200_after_cancel, glare, reliable_answer, update_before_the_answer, forks, a_vanished_peer_is_noticed]
    cases += [sipsak_is_answered] if shutil.which("sipsak") else []
    cases += [svwar_finds_nobody, svcrack_is_stopped] if shutil.which("svwar") else []
    cases += [sipp_over_tls, s_client] if shutil.which("openssl") else []
    cases += [kamailio_between] if shutil.which("kamailio") else []
    chosen = [c for c in cases if len(sys.argv) == 1 or c.__name__ in sys.argv[1:]]
    run(*chosen)

#!/usr/bin/env python3
"""Subscribers behind a link that loses 5 % both ways: after NACK and RTX (RFC 4585, RFC 4588) less than 0.5 % is missing.
Real processes: ortoo-mcu, the relay ortoo-impair, the generator ortoo-load."""
import argparse
import json
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import servers  # noqa: E402

CASES = {
    # name: commands to the relay, which side is behind it, most that may be missing at any subscriber
    "down": ("both loss 5", [], 0.005),
    "burst": ("both burst_enter 1 burst_leave 30 delay_ms 20", [], 0.005),
    "mess": ("both loss 1 reorder 3 dup 3 delay_ms 15 jitter_ms 10", [], 0.001),
    "up": ("both loss 5", ["--relay-pubs"], 0.005),
}


def engine_port(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(path)
        s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"proto":1,"client":"test","grace_ms":1000}}\n')
        for line in s.makefile():
            message = json.loads(line)
            if message.get("id") == 1:
                return message["result"]["workers"][0]["port"]
    raise RuntimeError("no answer to hello")


def start_relay(program, host, port, commands):
    relay = subprocess.Popen([program, f"{host}:0", f"{host}:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
    own = relay.stdout.readline().split()[1]
    relay.stdin.write(commands + "\n")
    relay.stdin.flush()
    return relay, own


def run(args, name):
    commands, extra, most = CASES[name]
    server = servers.ortoo("ortoo", args.mcu)
    relay = None
    try:
        host = servers.own_address()
        relay, port = start_relay(args.impair, host, engine_port(server.target), commands)
        out = subprocess.run([args.load, "-t", server.target, "--host", host, "--relay", f"{host}:{port}", "-n", "10",
                              "-f", "30", "-k", "4", "-d", "5", *extra], stdout=subprocess.PIPE, text=True, timeout=60,
                             check=False)
        r = json.loads(out.stdout or "{}")
        lost = json.loads(relay.communicate("stats\nquit\n", timeout=10)[0])
    finally:
        if relay:
            relay.kill()
            relay.wait()
        if not server.up:
            print("#", server.last_words())
        server.stop()
    print("#", json.dumps(r), json.dumps(lost))
    if not r:
        return {"the generator reported": False}
    checks = {
        "everybody has media": r["media"] == r["subs"],
        "the relay lost something": lost["up"]["lost"] + lost["down"]["lost"] > 20,
        f"less than {most * 100} % missing at the worst subscriber ({r['worst_missing'] * 100:.3f} %)":
            r["worst_missing"] < most,
        "repairs came": r["rtx_useful"] > 0 if not extra else r["pub_resent"] > 0,
        "every packet authentic and whole": r["auth_fail"] == 0 and r["corrupt"] == 0,
    }
    return checks


def main():
    p = argparse.ArgumentParser()
    for option in ("--load", "--mcu", "--impair"):
        p.add_argument(option, required=True)
    p.add_argument("--case", action="append", choices=CASES)
    args = p.parse_args()
    n = 0
    for name in args.case or CASES:
        for what, ok in run(args, name).items():
            n += 1
            print("ok" if ok else "not ok", n, "-", f"{name}: {what}", flush=True)
    print(f"1..{n}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Forwarding: our engine beside Debian's Janus under one generator in one run. Prints a table and the ratios."""
import argparse
import json
import os
import subprocess
import sys

import servers

# pubs, subs, frames/s, packets a frame; "join" has hardly any media, so that its CPU is that of joining
LOADS = {
    "B1": (1, 50, 30, 6),
    "B2": (1, 200, 30, 6),
    "B5": (4, 100, 50, 2),
    "join": (1, 200, 10, 1),
}
AIM = {"packets": 300000, "stock": 10, "tuned": 4, "rss": 100, "join": 2}


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--load", required=True, help="the generator, ortoo-load")
    p.add_argument("--mcu", help="our engine, ortoo-mcu")
    p.add_argument("--limit", help="the program that does nothing but protect and send")
    p.add_argument("--loads", default="B1,B5,join", help=f"of {','.join(LOADS)}")
    p.add_argument("--servers", default="ortoo,stock,tuned")
    p.add_argument("--seconds", type=int, default=8)
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("--srtp", default="any", help="any (Chromium's offer), gcm, cm80")
    p.add_argument("--json", action="store_true", help="print the generator's lines too")
    return p.parse_args()


def start(name, args):
    if name == "ortoo":
        return servers.ortoo("ortoo", args.mcu)
    return servers.janus("janus " + name, 1 if name == "tuned" else 0)


def measure(server, args, name):
    pubs, subs, fps, pkts = LOADS[name]
    command = [args.load, "--sig", server.kind, "--target", server.target, "--pid", str(server.process.pid),
               "--host", servers.own_address(), "--srtp", args.srtp, "-p", str(pubs), "-n", str(subs), "-f", str(fps),
               "-k", str(pkts), "-d", str(args.seconds)]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=args.seconds + 60, check=False).stdout
    if args.json:
        print(out.strip())
    return json.loads(out) if out.strip() else None


def row(label, r):
    whole = "" if r["delivered"] > 0.99 * r["due"] and r["media"] == r["subs"] else "  <- not all delivered"
    print(f"  {label:12} {r['srtp'].replace('SRTP_', ''):18} due {r['due']:7} got {r['delivered']:7} gaps {r['gaps']:4} "
          f"bad {r['auth_fail'] + r['corrupt']:2}  {r['cpu_us_per_due']:6.2f} us/pkt {r['packets_per_core_s']:8} pkt/core-s "
          f"{100 * r['cpu_share']:5.1f}%  way p50 {r['latency_ms_p50']:.2f} p99 {r['latency_ms_p99']:.2f} ms"
          f"  join {r['cpu_ms_per_join']:.2f} ms cpu, p50 {r['join_ms_p50']:.0f} p95 {r['join_ms_p95']:.0f} ms"
          f"  {r['rss_kib_per_sub']:.0f} KiB/sub{whole}", flush=True)


def one(name, which, args):
    server = start(which, args)
    if not server:
        print(f"  {which}: not here")
        return None
    try:
        if not server.up:
            print(f"  {which}: did not start: {server.last_words()}")
            return None
        r = measure(server, args, name)
    finally:
        server.stop()
    if r:
        row(server.label, r)
    return r


def ratios(name, got):
    ours = got.get("ortoo")
    for which in ("stock", "tuned"):
        if not ours or not got.get(which) or not ours["cpu_us_per_due"]:
            continue
        if name == "join":
            print(f"  ratio {which}:ortoo CPU per join {got[which]['cpu_ms_per_join'] / ours['cpu_ms_per_join']:.1f}, memory "
                  f"{got[which]['rss_kib_per_sub'] / max(1, ours['rss_kib_per_sub']):.1f}")
        else:
            aim = f" (aim {AIM[which]})" if name == "B1" else ""
            print(f"  ratio {which}:ortoo CPU per packet due {got[which]['cpu_us_per_due'] / ours['cpu_us_per_due']:.1f}{aim}, "
                  f"per packet delivered {got[which]['cpu_us_per_delivered'] / ours['cpu_us_per_delivered']:.1f}")


def limit(args):
    if args.limit and os.access(args.limit, os.X_OK):
        subprocess.run([args.limit], check=False)


def main():
    args = arguments()
    for name in args.loads.split(","):
        pubs, subs, fps, pkts = LOADS[name]
        print(f"{name}: {pubs} publisher(s), {subs} subscribers, {fps} frames/s of {pkts} packets of 1200 B, {args.seconds} s")
        for _ in range(args.rounds):
            ratios(name, {which: one(name, which, args) for which in args.servers.split(",")})
    limit(args)
    print(f"aims: B1 >= {AIM['packets']} pkt/core-s, {AIM['stock']}x stock, {AIM['tuned']}x tuned; "
          f"< {AIM['rss']} KiB a subscriber; < {AIM['join']} ms CPU a join")
    return 0


if __name__ == "__main__":
    sys.exit(main())

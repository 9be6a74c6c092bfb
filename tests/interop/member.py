"""Chromium as a party of a conference: tests/e2e/member.mjs, what it sees and hears in `now`, a line a second."""
import json
import os
import shutil
import subprocess
import threading

from gateway_rig import PASSWORD, ROOT, WITH_US


def has_chromium():
    return shutil.which("chromium") and os.path.isdir(os.path.join(ROOT, "tests/e2e/node_modules/playwright-core"))


def near(seen, wanted, off=60):
    return seen is not None and all(abs(a - b) <= off for a, b in zip(seen, wanted))


class Browser:
    def __init__(self, rig, number, places, tones, colour="lime", tone=2000, **env):
        self.now = {}
        self.process = subprocess.Popen(
            [*WITH_US, "node", os.path.join(ROOT, "tests/e2e/member.mjs"), f"https://127.0.0.1:{rig.port}", "admin", PASSWORD, number, colour,
             str(tone), *[f"{x},{y}" for x, y in places], "--", *map(str, tones)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **env})
        rig.children.append(self.process)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.now = json.loads(line)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def sees(self, *colours):
        return "error" in self.now or all(near(seen, want) for seen, want in zip(self.now.get("colours", [None]), colours))

"""Servers under load: each is started on private sockets in a folder of its own and stopped by its process object."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

JANUS = "/usr/bin/janus"


def own_address():
    """The address that a packet to the outside would carry, else loopback: Janus offers no candidate on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("198.51.100.1", 9))
            return s.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def wait_for(path, process, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if os.path.exists(path):
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.05)
    return False


class Server:
    """`kind` is the adapter of ortoo-load, `target` its socket."""

    def __init__(self, label, kind, command, target, folder, env=None):
        self.label, self.kind, self.target, self.folder = label, kind, target, folder
        self.log = open(os.path.join(folder, "log"), "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, env=env)
        self.up = wait_for(target, self.process)

    def last_words(self):
        if not os.path.exists(self.log.name):
            return f"exit code {self.process.poll()}"
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f"exit code {self.process.poll()}, " + "; ".join(f.read().splitlines()[-3:])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        if not os.path.isdir(self.folder):
            return
        if os.environ.get("KEEP"):
            print("kept", self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def janus_plugins():
    for base in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"):
        if os.path.isdir(base + "/janus/plugins"):
            return base + "/janus"
    return None


def only(folder, keep):
    """Janus's 'disable' list: all but the one that is used."""
    names = {n for n in os.listdir(folder) if n.endswith(".so")}
    return ",".join(sorted(names - {keep}))


def janus(label, event_loops, plugin="libjanus_videoroom.so"):
    """On a busy machine Janus 1.1.2 now and then starts without its Unix socket and ends: again, then."""
    for _ in range(8):
        server = janus_once(label, event_loops, plugin)
        if server is None or server.up:
            break
        server.stop()
    return server


def janus_once(label, event_loops, plugin):
    """Debian's Janus with its own defaults; the plug-ins that the load does not touch are not loaded."""
    base = janus_plugins()
    if not os.access(JANUS, os.X_OK) or not base:
        return None
    folder = tempfile.mkdtemp(prefix="ortoo-janus-")
    target = os.path.join(folder, "control")
    loops = f"event_loops = {event_loops}" if event_loops else ""
    with open(os.path.join(folder, "janus.jcfg"), "w", encoding="utf-8") as f:
        f.write(f"""general: {{
    configs_folder = "{folder}"
    plugins_folder = "{base}/plugins"
    transports_folder = "{base}/transports"
    events_folder = "{base}/events"
    loggers_folder = "{base}/loggers"
    debug_level = 3
    {loops}
}}
media: {{ }}
nat: {{ ice_enforce_list = "{own_address()}" }}
plugins: {{ disable = "{only(base + '/plugins', plugin)}" }}
transports: {{ disable = "{only(base + '/transports', 'libjanus_pfunix.so')}" }}
events: {{ broadcast = false }}
""")
    with open(os.path.join(folder, "janus.transport.pfunix.jcfg"), "w", encoding="utf-8") as f:
        f.write(f'general: {{ enabled = true\n json = "compact"\n path = "{target}"\n type = "SOCK_SEQPACKET" }}\n'
                "admin: { admin_enabled = false }\n")
    name = plugin.removeprefix("libjanus_").removesuffix(".so")
    with open(os.path.join(folder, f"janus.plugin.{name}.jcfg"), "w", encoding="utf-8") as f:
        f.write("general: { }\n")
    return Server(label, "janus", [JANUS, "-F", folder], target, folder)


def ortoo(label, program):
    """Our engine with its defaults."""
    if not program or not os.access(program, os.X_OK):
        return None
    folder = tempfile.mkdtemp(prefix="ortoo-mcu-")
    target = os.path.join(folder, "control")
    return Server(label, "ortoo", [program, "--socket", target], target, folder)

# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/systemd/sekishod.service: what it allows is enough, and hardly anything of it is left after the start.

    e2e_unit.py SEKISHOD SEKISHO_ENFORCER UNIT
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

if os.geteuid() != 0:
    print("1..0 # SKIP needs root")
    sys.exit(0)

from enforce.place import PBX4, World, alone, sh

alone()

from daemon.within_unit import values  # noqa: E402 - not before we are alone
from e2e.daemon import Daemon  # noqa: E402
from e2e.sip import Registrar  # noqa: E402
from e2e.tap import case, run  # noqa: E402
from enforce.wire import children  # noqa: E402

SEKISHOD, ENFORCER, UNIT = map(os.path.abspath, sys.argv[1:4])
ATTACKER, ADMIN = "10.9.1.1", "10.9.3.1"
CAP_NET_ADMIN = 1 << 12

world = World(ATTACKER, ADMIN)
work = tempfile.mkdtemp(prefix="unit-")
os.chmod(work, 0o755)
pbx = Registrar((PBX4,), {"1001": "right"})
within = os.path.join(os.path.dirname(os.path.abspath(__file__)), "within_unit.py")


def eventually(what, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not what():
        time.sleep(0.02)
    return what()


def credentials(pid):
    """Of a process: its user and its capabilities in the order permitted, effective, inheritable, ambient."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        status = dict(line.split(":", 1) for line in f)
    capabilities = [int(status[f"Cap{kind}"], 16) for kind in ("Prm", "Eff", "Inh", "Amb")]
    return set(status["Uid"].split()), capabilities, int(status["NoNewPrivs"])


def start():
    """As the unit does, but for the account, which this machine need not have."""
    never = os.path.join(work, "never-ban")
    runtime = os.path.join(work, "run")
    os.makedirs(runtime, exist_ok=True)
    python = sys.executable
    return Daemon([python, within, UNIT, SEKISHOD, "--user", "daemon"],
                  {"guard": {"enforce": "yes", "enforcer": ENFORCER, "never_ban": never},
                   "http": {"socket": runtime + "/sekisho.sock"}, "switch local": {"wire": "yes"}},
                  # A leak checker traces its own process, which a daemon may not.
                  {"RUNTIME_DIRECTORY": runtime, "ASAN_OPTIONS": "detect_leaks=0"}, open_to_all=True)


def log_in():
    """A session of sshd, as it looks: a program of that name and title that has given up root, connected to ADMIN."""
    sshd = os.path.join(work, "sshd")
    shutil.copy(sys.executable, sshd)
    world.run(f"python3 -c 'import socket, time; s = socket.create_server((\"{ADMIN}\", 2222)); one = s.accept(); time.sleep(600)' "
              ">/dev/null 2>&1 &")
    text = f"""
import os, socket, time
while True:
    try:
        s = socket.create_connection(('{ADMIN}', 2222))
        break
    except OSError:
        time.sleep(0.05)
os.setgid(2)
os.setuid(2)
print('in', flush=True)
time.sleep(600)
"""
    session = subprocess.Popen(["sshd: alice@pts/0", "-Ic", text], executable=sshd, stdout=subprocess.PIPE,
                               env={"PYTHONHOME": sys.prefix})
    assert session.stdout.readline() == b"in\n"
    return session


@case
def the_unit_is_sound():
    if not shutil.which("systemd-analyze"):
        return
    there = os.path.join(work, "sekishod.service")
    with open(UNIT, encoding="utf-8") as f, open(there, "w", encoding="utf-8") as to:
        to.write("".join(line for line in f if not line.startswith("Documentation"))
                 .replace("/usr/sbin/sekishod", SEKISHOD))
    done = subprocess.run(["systemd-analyze", "verify", there], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert not values(UNIT, "User") and not values(UNIT, "StateDirectory")


@case
def within_it_the_guard_works_and_privilege_ends():
    session = log_in()
    with start() as d:
        d.wait_log("event=witness switch=local witness=wire")
        user, capabilities, no_more = credentials(d.process.pid)
        assert "0" not in user and capabilities == [0, 0, 0, 0] and no_more, (user, capabilities)
        enforcer = children(children(d.process.pid)[0])[0]
        user, capabilities, no_more = credentials(enforcer)
        assert "0" not in user and capabilities == [CAP_NET_ADMIN, CAP_NET_ADMIN, 0, 0] and no_more, (user, capabilities)

        for i in range(8):
            world.register(ATTACKER, "1001", f"guess{i}", seconds=0.3)
        assert eventually(lambda: f"{ATTACKER} timeout" in sh("nft list table inet sekisho")), d.read_log()
        assert not [line for line in d.read_log().splitlines() if "level=error" in line], d.read_log()

        # Its keeper can end one that hangs, though it is another user's.
        os.kill(enforcer, signal.SIGSTOP)
        assert eventually(lambda: children(children(d.process.pid)[0]) not in ([], [enforcer]), 40), d.read_log()
        assert f"{ATTACKER} timeout" in sh("nft list table inet sekisho")
        assert d.stop() == 0
        # A second start finds a state directory that is not root's any more.
        d.start()
        d.wait_log("event=enforcement state=effective", since=len(d.read_log()) // 2)
        assert d.stop() == 0
    session.kill()
    with open(os.path.join(work, "never-ban"), encoding="utf-8") as f:
        text = f.read()
    assert f"{ADMIN}  # logged in by SSH" in text, text


run()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard at work, in namespaces of its own: nothing of this machine is touched. A registrar that knows one account
stands for the PBX.

    demo.py SEKISHOD
"""

import os
import sys
import tempfile
import time

if os.geteuid() != 0:
    sys.exit("Dropping in the kernel takes root.")

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from enforce.place import PBX4, World, alone

alone()

from e2e.daemon import Daemon  # noqa: E402 - not before we are alone
from e2e.sip import Registrar  # noqa: E402

ATTACKER, PHONE = "10.9.1.1", "10.9.2.1"


def register(world, who, address, password):
    answer = world.register(address, "1001", password, seconds=0.3)
    print(f"{time.strftime('%T')}  {who} at {address}, password {password:10}{answer or 'no answer any more'}", flush=True)
    return answer


world = World(ATTACKER, PHONE)
pbx = Registrar((PBX4,), {"1001": "secret"})
with tempfile.TemporaryDirectory() as work:
    sections = {"guard": {"enforce": "yes", "never_ban": os.path.join(work, "never-ban")}, "switch local": {"wire": "yes"}}
    with Daemon(sys.argv[1], sections) as daemon:
        daemon.wait_log("event=witness")
        register(world, "the phone   ", PHONE, "secret")
        for i in range(8):
            if not register(world, "the attacker", ATTACKER, f"guess-{i}"):
                break
        register(world, "the phone   ", PHONE, "secret")
        # A whole second, in which the last events are on their way to those who are asked.
        time.sleep(1)
        why = daemon.api.local("GET", f"/v1/why?address={ATTACKER}").json
        print(f"\nsekisho, why {ATTACKER}?\n")
        language = "ja" if os.environ.get("LANG", "").startswith("ja") else "en"
        print("\n".join(sentence[language] for sentence in why["text"]))
        daemon.stop()

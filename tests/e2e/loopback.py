# SPDX-License-Identifier: GPL-2.0-or-later
"""A loopback of one's own: nobody else takes a port of it between two starts of a daemon, so that tests may run side
by side."""

import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000


def own():
    """This thread and what it starts from now on have it. Who is not root shares the machine's."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

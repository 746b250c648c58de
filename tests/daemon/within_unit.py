# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a program within the limits of a systemd unit, where there is no systemd: its capabilities, its system calls,
no new privileges.

    within_unit.py UNIT PROGRAM ARGUMENT...
"""

import ctypes
import os
import re
import subprocess
import sys

CAPABILITIES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()
PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 23, 24, 38
ALLOW, EPERM = 0x7FFF0000, 0x00050001


def values(unit, key):
    """All words that the unit gives the key, in order."""
    with open(unit, encoding="utf-8") as f:
        return [word for line in f if line.startswith(key + "=") for word in line.split("=", 1)[1].split()]


def lines(unit, key):
    with open(unit, encoding="utf-8") as f:
        return [line.split("=", 1)[1].split() for line in f if line.startswith(key + "=")]


def sets():
    """systemd's own names for groups of system calls."""
    out, name = {}, None
    text = subprocess.run(["systemd-analyze", "syscall-filter"], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        if line.startswith("@"):
            name = line.strip()
            out[name] = []
        elif name and re.fullmatch(r"    [-@a-z0-9_]+", line):
            out[name].append(line.strip())
    return out


def expand(names, groups):
    return {call for name in names for call in
            (expand(groups[name], groups) if name.startswith("@") else {name})}


def allowed_calls(unit):
    groups, calls = sets(), set()
    for words in lines(unit, "SystemCallFilter"):
        if words[0].startswith("~"):
            calls -= expand([words[0][1:], *words[1:]], groups)
        else:
            calls |= expand(words, groups)
    return calls | expand(["@default"], groups) | {"execve"}


def limit(unit):
    libc, seccomp = ctypes.CDLL(None, use_errno=True), ctypes.CDLL("libseccomp.so.2")
    kept = values(unit, "CapabilityBoundingSet")
    assert kept and all(name[4:] in CAPABILITIES for name in kept), kept
    for number, name in enumerate(CAPABILITIES):
        if "CAP_" + name not in kept and libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1:
            assert libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0, name
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    seccomp.seccomp_init.restype = ctypes.c_void_p
    filter = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(EPERM)))
    for call in sorted(allowed_calls(unit)):
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            assert seccomp.seccomp_rule_add_array(filter, ctypes.c_uint32(ALLOW), number, 0, None) == 0, call
    assert seccomp.seccomp_load(filter) == 0


if __name__ == "__main__":
    limit(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])

# SPDX-License-Identifier: GPL-2.0-or-later
"""FastAGI as Asterisk speaks it."""

import re

from e2e.tcp import connect, read_all


def quote(part):
    if isinstance(part, str):
        part = part.encode()
    return "".join(chr(b) if chr(b).isascii() and (chr(b).isalnum() or chr(b) in "-_.!~*'()")
                   else f"%{b:02X}" for b in part)


def environment(account, number, remote="192.0.2.7", script=None, extra=""):
    """What Asterisk sends."""
    script = script or f"v1/authorize/{quote(account)}/{quote(remote)}/{quote(number)}"
    return (f"agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1/{script}\n"
            f"agi_channel: PJSIP/1001-00000001\nagi_language: en\nagi_type: PJSIP\n{extra}"
            f"agi_threadid: 1\n\n").encode()


def variables(data):
    return dict(re.findall(r'^SET VARIABLE (\w+) "([^"]*)"$', data.decode(), re.M))


def ask(port, account, number, **more):
    s = connect(port)
    s.sendall(environment(account, number, **more))
    answer = variables(read_all(s))
    s.close()
    return answer


def verdict(port, account, number, **more):
    """"allow unrestricted NATIONAL 0312345678"."""
    v = ask(port, account, number, **more)
    assert len(v) == 5, v
    return " ".join((v["SEKISHO_VERDICT"], v["SEKISHO_REASON"], v["SEKISHO_CLASS"],
                     v["SEKISHO_DIAL"])).strip()

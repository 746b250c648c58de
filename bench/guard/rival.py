# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's fail2ban as its manual has it set up for Asterisk: its own filter, inotify, nftables."""
import os
import pathlib
import shutil
import subprocess
import time

JAIL = '''[INCLUDES]
before = paths-debian.conf
[DEFAULT]
backend = pyinotify
banaction = nftables-multiport
chain = input
findtime = 600
bantime = 600
maxretry = {threshold}
ignoreself = false
usedns = no
protocol = udp,tcp
[asterisk]
enabled = true
filter = asterisk
port = 5060,5061
action = nftables-multiport[name=asterisk, port="5060,5061", protocol="udp,tcp", blocktype=drop]
logpath = {log}
'''


class Fail2ban:
    def __init__(self, work, log, threshold=5):
        self.base = pathlib.Path(work) / 'fail2ban'
        self.etc = self.base / 'etc'
        self.etc.mkdir(parents=True, exist_ok=True)
        for name in ('action.d', 'filter.d', 'paths-debian.conf', 'paths-common.conf'):
            source = pathlib.Path('/etc/fail2ban') / name
            if not (self.etc / name).exists():
                (shutil.copytree if source.is_dir() else shutil.copy)(source, self.etc / name)
        (self.etc / 'fail2ban.conf').write_text(
            f'[Definition]\nloglevel = ERROR\nlogtarget = {self.base}/log\nsyslogsocket = auto\nsocket = {self.base}/socket\n'
            f'pidfile = {self.base}/pid\ndbfile = None\ndbmaxmatches = 10\nallowipv6 = auto\n[Thread]\n')
        (self.etc / 'jail.conf').write_text(JAIL.format(threshold=threshold, log=log))

    def start(self):
        self.process = subprocess.Popen(['fail2ban-server', '-c', self.etc, '-f', '-x', 'start'], stdin=subprocess.DEVNULL,
                                        stdout=open(self.base / 'out', 'w'), stderr=subprocess.STDOUT)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if '1' in self.client('status').split('Number of jail:')[-1]:
                return
            time.sleep(0.2)
        raise RuntimeError('fail2ban does not start: ' + (self.base / 'out').read_text()[-1000:])

    def client(self, *words):
        return subprocess.run(['fail2ban-client', '-c', self.etc, *words], capture_output=True, text=True, timeout=30).stdout

    def forget(self):
        self.client('unban', '--all')

    def cpu(self):
        with open(f'/proc/{self.process.pid}/stat', encoding='ascii') as f:
            fields = f.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def rss(self):
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith('VmRSS'))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def filter_lines_per_cpu_second(log, work):
    """fail2ban-regex alone, without inotify, counters or bans."""
    done = subprocess.Popen(['fail2ban-regex', '--print-no-missed', '--print-no-ignored', log, '/etc/fail2ban/filter.d/asterisk.conf'],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=work)
    _, _, usage = os.wait4(done.pid, 0)
    with open(log, 'rb') as f:
        lines = sum(1 for _ in f)
    return lines / (usage.ru_utime + usage.ru_stime)

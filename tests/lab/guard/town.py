# SPDX-License-Identifier: GPL-2.0-or-later
"""A switch on one side of a cable, and everybody else on the other.

The network namespace that this runs in is the switch's machine (10.9.0.1, fd09::1). The world behind the
cable is another one, in which every address of WORLD4 and WORLD6 exists: attackers and phones send from where they like.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import lab  # noqa: E402  pylint: disable=wrong-import-position
from lab import SECRET, until  # noqa: E402  pylint: disable=wrong-import-position

SWITCH4, SWITCH6 = '10.9.0.1', 'fd09::1'
WORLD4, WORLD6 = '10.16.0.0/12', 'fd16::/16'
# RFC 8760: the switch sends a challenge for each algorithm.
ASKED_FOR = {'1058': 'supported_algorithms_uas=SHA-256,MD5\n', '1059': 'supported_algorithms_uas=SHA-256\n'}
PHONES = [str(n) for n in range(1001, 1061)]


def sh(text, **more):
    return subprocess.run(['/bin/sh', '-ec', text], check=True, text=True, capture_output=True, **more).stdout


class World:
    """The other side of the cable."""

    def __init__(self, attack):
        self.attack_program = attack
        self.process = subprocess.Popen(['unshare', '--net', 'sleep', '3600'], stdin=subprocess.DEVNULL)
        until(lambda: os.readlink(f'/proc/{self.process.pid}/ns/net') != os.readlink('/proc/self/ns/net'), 5)
        sh('ip link set lo up; ip link add cable type veth peer name world netns '
           f'{self.process.pid}; ip link set cable up; ip addr add {SWITCH4}/24 dev cable; '
           f'ip -6 addr add {SWITCH6}/64 dev cable nodad')
        self.run('ip link set lo up; ip link set world up; ip addr add 10.9.0.2/24 dev world; '
                 'ip -6 addr add fd09::2/64 dev world nodad; '
                 f'ip route add local {WORLD4} dev lo; ip -6 route add local {WORLD6} dev lo')
        sh(f'ip route add {WORLD4} via 10.9.0.2; ip -6 route add {WORLD6} via fd09::2; '
           'sysctl -qw net.ipv6.bindv6only=0 || true')

    def inside(self, argv):
        return ['nsenter', f'--net=/proc/{self.process.pid}/ns/net', *map(str, argv)]

    def run(self, command):
        sh(' '.join(self.inside(['/bin/sh', '-ec', f"'{command}'"])))

    def begin(self, **options):
        """An attack under way; finish() tells what came of it."""
        source = options.setdefault('sources', '10.16.0.1')
        options.setdefault('to', f'[{SWITCH6}]:5060' if ':' in source else f'{SWITCH4}:5060')
        argv = [self.attack_program]
        for key, value in options.items():
            argv += ['--' + key.replace('_', '-'), value]
        return subprocess.Popen(self.inside(argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def finish(process):
        out, err = process.communicate(timeout=620)
        if process.returncode:
            raise RuntimeError(f'attack: {err}')
        return json.loads(out)

    def attack(self, **options):
        return self.finish(self.begin(**options))

    def close(self):
        self.process.kill()
        self.process.wait()


class Asterisk(lab.Asterisk):
    """Open to the world by both families, UDP and TCP, with a security log, AMI and HEP."""

    def configure(self, accounts=tuple(PHONES)):
        super().configure(accounts)
        etc = self.base / 'etc'
        (etc / 'logger.conf').write_text('[general]\ndateformat = %F %T.%3q\n[logfiles]\nmessages => notice,warning,error\n'
                                         'security => security\n')
        (etc / 'manager.conf').write_text(
            '[general]\nenabled = yes\nbindaddr = 127.0.0.1\nallowmultiplelogin = yes\n'
            '[lab]\nsecret = lab\nread = call\nwrite = originate,command,system\n'
            '[sekisho]\nsecret = sekisho-ami\nread = security,call,system\nwrite = system,call\n')
        (etc / 'extensions.conf').write_text('[from-internal]\nexten => _X.,1,Hangup(21)\n[guests]\n[from-trunk]\n')
        modules = (etc / 'modules.conf').read_text()
        if self.tech == 'PJSIP':
            modules = modules.replace('noload => res_hep.so\n', '').replace('noload => res_hep_pjsip.so\n', '')
        (etc / 'modules.conf').write_text(modules)
        (etc / 'hep.conf').write_text('[general]\nenabled = yes\ncapture_address = 127.0.0.1:9061\ncapture_id = 1\n')

    @property
    def security(self):
        return self.base / 'log/security'

    def pjsip(self, etc, accounts):
        out = [f'[{name}]\ntype=transport\nprotocol={protocol}\nbind={bind}\n' for name, protocol, bind in (
            ('udp4', 'udp', '0.0.0.0'), ('tcp4', 'tcp', '0.0.0.0'), ('udp6', 'udp', f'[{SWITCH6}]'), ('tcp6', 'tcp', f'[{SWITCH6}]'))]
        algorithms = ASKED_FOR if self.version == '22' else {}
        out += [f'[{name}]\ntype=endpoint\ncontext=from-internal\ndisallow=all\nallow=ulaw\nauth={name}\naors={name}\n'
                f'[{name}]\ntype=auth\nauth_type=userpass\nusername={name}\npassword={SECRET}\n{algorithms.get(name, "")}'
                f'[{name}]\ntype=aor\nmax_contacts=10\nremove_existing=yes\n' for name in accounts]
        (etc / 'pjsip.conf').write_text('\n'.join(out))

    def sip(self, etc, accounts):
        out = ['[general]\nudpbindaddr=::\ntcpenable=yes\ntcpbindaddr=::\ncontext=guests\nallowguest=no\nalwaysauthreject=yes\ndisallow=all\nallow=ulaw\n']
        out += [f'[{name}]\ntype=friend\nhost=dynamic\nsecret={SECRET}\ncontext=from-internal\n' for name in accounts]
        (etc / 'sip.conf').write_text('\n'.join(out))


class Kamailio:
    """A registrar with accounts in memory; what it sees goes out as HEP too. `shared`: by its defaults, one nonce for
    all who ask within a second."""
    version, tech = '5.6', 'Kamailio'

    def __init__(self, work, shared=False):
        self.base, self.shared = pathlib.Path(work) / 'kamailio', shared

    def configure(self, accounts=tuple(PHONES)):
        self.base.mkdir(parents=True)
        text = (pathlib.Path(__file__).parent / 'kamailio.cfg').read_text()
        (self.base / 'kamailio.cfg').write_text(
            text.replace('@NONCES@', '' if self.shared else 'modparam("auth", "nonce_count", 1)').replace('@SECRET@', SECRET).replace('@FIRST@', accounts[0]).replace('@LAST@', accounts[-1]))

    def start(self):
        log = open(self.base / 'log', 'w', encoding='utf-8')
        self.process = subprocess.Popen(['kamailio', '-DD', '-E', '-f', self.base / 'kamailio.cfg', '-m', '64', '-M', '8',
                                         '-Y', self.base, '-P', self.base / 'pid'],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not until(lambda: self.process.poll() is not None or ':5060 ' in sh('ss -lun'), 20, 0.1) or self.process.poll() is not None:
            raise RuntimeError('Kamailio does not start: ' + (self.base / 'log').read_text()[-2000:])

    def close(self):
        self.process.terminate()
        self.process.wait(10)


class Sekisho(lab.Sekisho):
    """The daemon with the witnesses that a case wants, and what the kernel holds by its word."""

    def __init__(self, the_lab, build, enforcer=None):
        super().__init__(the_lab, build)
        self.enforcer = pathlib.Path(enforcer or self.build / 'src/enforce/sekisho-enforcer')

    def start(self, guard='', **watch):
        """`watch`: the keys of [switch local]; `guard`: more lines of [guard]."""
        self.state.mkdir(exist_ok=True)
        secret, never = self.lab.work / 'ami-secret', self.lab.work / 'never-ban'
        secret.write_text('sekisho-ami\n')
        secret.chmod(0o600)
        never.write_text('')
        if watch.pop('ami', False):
            watch.update(ami='127.0.0.1:5038', ami_user='sekisho', ami_secret_file=secret)
        keys = ''.join(f'{key} = {value}\n' for key, value in watch.items())
        config = self.lab.work / 'sekisho.conf'
        config.write_text(f'[daemon]\nstate_dir = {self.state}\n[guard]\nenforcer = {self.enforcer}\nnever_ban = {never}\n{guard}'
                          f'[switch local]\n{keys}')
        self.socket = self.state / 'sekisho.sock'
        self.socket.unlink(missing_ok=True)
        before, words = len(self.said()), ['state=effective']
        if watch.get('wire') == 'yes':
            words.append('event=witness switch=local witness=wire')
        self.process = subprocess.Popen([self.build / 'src/daemon/sekishod', '-c', config], stdin=subprocess.DEVNULL,
                                        stdout=open(self.lab.work / 'sekishod.out', 'a', encoding='utf-8'), stderr=subprocess.STDOUT)
        self.lab.processes.append(self.process)
        if not until(lambda: self.process.poll() is not None or self.up() and all(word in self.said()[before:] for word in words), 60, 0.05) or self.process.poll() is not None:
            raise RuntimeError('sekishod does not start: ' + '\n'.join(self.last_words()))

    def said(self):
        out = self.lab.work / 'sekishod.out'
        return out.read_text(encoding='utf-8', errors='replace') if out.exists() else ''

    @staticmethod
    def banned():
        """The addresses and networks that the kernel drops, as it says itself."""
        for _ in range(5):  # a list that changes meanwhile is an error to nft
            done = subprocess.run(['nft', '-j', 'list', 'sets', 'inet'], capture_output=True, text=True)
            if done.returncode == 0:
                break
            time.sleep(0.1)
        else:
            return set()
        sets = json.loads(done.stdout)
        out = set()
        for one in sets['nftables']:
            one = one.get('set', {})
            if one.get('table') == 'sekisho' and one['name'].startswith(('sip_', 'every_')):
                for element in one.get('elem', ()):
                    value = element.get('elem', {}).get('val', element) if isinstance(element, dict) else element
                    if isinstance(value, dict) and 'prefix' in value:
                        value = f"{value['prefix']['addr']}/{value['prefix']['len']}"
                    out.add(f'{value}' if '/' in str(value) else f"{value}{'/64' if '64' in one['name'] else '/48' if '48' in one['name'] else ''}")
        return out


def accept(switch, world, seconds=15):
    """Until a phone can register."""
    return until(lambda: world.attack(sources='10.16.255.1', password=SECRET, accounts='1060+1', rate=20, count=1,
                                      seconds=1)['accepted'] == 1, seconds, 0.2)


if __name__ == '__main__':
    raise SystemExit('imported by cases.py')

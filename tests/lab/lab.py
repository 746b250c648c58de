# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's instruments: a switch, sipp phones and trunks, and the daemon under test.

Everything runs inside network, mount and pid namespaces that tests/lab/run made: addresses are
loopback's, and what is left over dies with the namespace.
"""
import collections
import datetime
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SWITCH, TRUNK, EMERGENCY = '127.0.0.1', '127.0.0.2', '127.0.0.3'
TRUNK_PORT = 5064  # from which PJSIP speaks to the trunks
NOWHERE = '192.0.2.9'  # routed into a dummy interface: an interface with nobody behind it: packets vanish
SECRET = 'Lab-Secret-7193'

Arrival = collections.namedtuple('Arrival', 'number from_header headers at')
Call = collections.namedtuple('Call', 'status started ended')


def until(condition, seconds=5.0, step=0.02):
    """The value of condition() as soon as it is true; what it last was when the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() >= end:
            return value
        time.sleep(step)


# ---------------------------------------------------------------------------------------- sipp

SDP = '''
v=0
o=lab 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 40000 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
'''
REFUSALS = [400, 401, 403, 404, 408, 410, 420, 433, 480, 481, 482, 484, 486, 487, 488, 500, 501, 502, 503, 504, 600, 603, 604]


def escape(text):
    return text.replace('&', '&amp;').replace('<', '&lt;')


class Scenario:
    """A sipp scenario, built step by step."""

    def __init__(self, user):
        self.user, self.parts, self.cseq = user, [], 1

    def xml(self):
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="lab">\n'
                + '\n'.join(self.parts) + '\n</scenario>\n')

    def send(self, text, attributes=''):
        self.parts.append(f'<send {attributes}><![CDATA[\n\n{text}\n]]></send>')
        return self

    def recv(self, what, attributes=''):
        kind = 'response' if isinstance(what, int) else 'request'
        self.parts.append(f'<recv {kind}="{what}" {attributes}/>')
        return self

    def pause(self, ms):
        self.parts.append(f'<pause milliseconds="{ms}"/>')
        return self

    def label(self, n):
        self.parts.append(f'<label id="{n}"/>')
        return self

    def _request(self, method, uri, extra='', body='', cseq=None, to='', via='Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]'):
        return f'''{method} {uri} SIP/2.0
{via}
From: {self.claim()}<sip:{self.user}@{SWITCH}>;tag=[pid]lab[call_number]
To: <{uri}>{to}
Call-ID: [call_id]
CSeq: {cseq or self.cseq} {method}
Contact: <sip:{self.user}@[local_ip]:[local_port]>
Max-Forwards: 70
{extra}Content-Length: [len]
{body}'''

    display = ''

    def claim(self):
        return f'"{self.display}" ' if self.display else ''

    def register(self, contact_port):
        uri = f'sip:{SWITCH}'
        for auth in ('', f'[authentication username={self.user} password={SECRET}]\n'):
            text = self._request('REGISTER', uri, auth + 'Expires: 3600\n').replace(
                '[local_port]>', f'{contact_port}>').replace(f'To: <{uri}>', f'To: <sip:{self.user}@{SWITCH}>')
            self.send(text, 'retrans="500"')
            self.recv(200) if auth else self.recv(100, 'optional="true"').recv(401, 'auth="true"')
            self.cseq += 1
        return self

    def invite(self, number, *, auth=True, extra='', password=SECRET, host=f'{SWITCH}:5060'):
        """Until the call is answered; any refusal ends the scenario."""
        self.uri = f'sip:{number}@{host}'
        media = 'Content-Type: application/sdp\n'
        ack = self._request('ACK', self.uri, to='[peer_tag_param]', via='[last_Via:]')
        self.send(self._request('INVITE', self.uri, extra + media, SDP), 'retrans="2000"')
        if auth:
            self.recv(100, 'optional="true"')
            for code in REFUSALS:
                if code not in (401, 407):
                    self.recv(code, 'optional="true" next="9"')
            self.recv(401, 'auth="true"').send(ack)
            self.cseq += 1
            credentials = f'[authentication username={self.user} password={password}]\n'
            self.send(self._request('INVITE', self.uri, extra + credentials + media, SDP), 'retrans="2000"')
        # A busy Asterisk repeats its first 401 before it sees the ACK.
        for code in (401, 100, 401, 100, 180, 181, 183) if auth else (100, 180, 181, 183):
            self.recv(code, 'optional="true"')
        for code in REFUSALS:
            if code != 401 or not auth:
                self.recv(code, 'optional="true" next="9"')
        self.recv(200, 'rrs="true"')
        self.send(self._request('ACK', '[next_url]', to='[peer_tag_param]').replace('To: <[next_url]>', f'To: <{self.uri}>'))
        self.ack = ack
        return self

    def within(self, method, extra='', body='', answer=200):
        """A request inside the answered call."""
        self.cseq += 1
        text = self._request(method, '[next_url]', extra, body, to='[peer_tag_param]').replace(
            'To: <[next_url]>', f'To: <{self.uri}>')
        return self.send(text, 'retrans="500"').recv(answer)

    def digits(self, digits, pause=120):
        for digit in digits:
            if digit == ' ':
                self.pause(500)
                continue
            self.within('INFO', 'Content-Type: application/dtmf-relay\n', f'\nSignal={digit}\nDuration=100\n')
            self.pause(pause)
        return self

    def refer(self, number):
        return self.within('REFER', f'Refer-To: <sip:{number}@{SWITCH}:5060>\nReferred-By: <sip:{self.user}@{SWITCH}>\n', answer=202)

    def hang_up(self, pause=0):
        """Waits, then says BYE; a BYE from the other side meanwhile is as good."""
        if pause:
            self.parts.append(f'<recv request="BYE" timeout="{pause}" ontimeout="5" next="6"/>')
        self.label(5)
        self.cseq += 1
        self.send(self._request('BYE', '[next_url]', to='[peer_tag_param]').replace('To: <[next_url]>', f'To: <{self.uri}>'), 'retrans="500"')
        self.recv(200, 'next="7" timeout="1000" ontimeout="7"')
        self.label(6)
        self.send('SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n', 'next="7"')
        self.label(9)
        self.send(self.ack)
        return self.label(7)

    # the called side

    def answer(self, reply='200 OK', extra='', body=SDP):
        media = 'Content-Type: application/sdp\n' if body else ''
        return self.send(f'''SIP/2.0 {reply}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]lab[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:{self.user}@[local_ip]:[local_port]>
{extra}{media}Content-Length: [len]
{body}''')


def redirecting(user, target):
    """The scenario of a phone that answers 302."""
    s = Scenario(user).recv('INVITE')
    return s.send(f'''SIP/2.0 302 Moved Temporarily
[last_Via:]
[last_From:]
[last_To:];tag=[pid]lab[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <{target}>
Content-Length: 0
''').recv('ACK')


def called(user, *after):
    """The scenario of a phone that is called and answers; `after` are requests that it sends then."""
    s = Scenario(user)
    s.parts.append('<recv request="INVITE" rrs="true"><action><ereg regexp="sip:[^;&gt; ]*" search_in="hdr" header="Contact:" assign_to="1"/>'
                   '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="2"/>'
                   '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="3"/></action></recv>')
    s.answer().recv('ACK')
    cseq = 100
    for step in after:
        if isinstance(step, int):
            s.pause(step)
            continue
        method, extra, body, status = step
        cseq += 1
        s.send(f'''{method} [$1] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$3];tag=[pid]lab[call_number]
To: [$2]
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:{user}@[local_ip]:[local_port]>
Max-Forwards: 70
{extra}Content-Length: [len]
{body}''', 'retrans="500"').recv(status)
    s.parts.append('<Reference variables="1,2,3"/>')
    return s


def info(digit):
    return ('INFO', 'Content-Type: application/dtmf-relay\n', f'\nSignal={digit}\nDuration=100\n', 200)


def refer(user, number):
    return ('REFER', f'Refer-To: <sip:{number}@{SWITCH}:5060>\nReferred-By: <sip:{user}@{SWITCH}>\n', '', 202)


class Sipp:
    """One running sipp; its messages are read from its message log."""
    count = 0

    def __init__(self, lab, name, scenario, address, port, calls=1, seconds=20, more=()):
        Sipp.count += 1
        base = lab.work / f'sipp-{Sipp.count:04d}-{name}'
        self.log = base.with_suffix('.messages')
        self.errors = base.with_suffix('.errors')
        base.with_suffix('.xml').write_text(scenario.xml())
        argv = ['sipp', f'{SWITCH}:5060', '-sf', str(base.with_suffix('.xml')), '-i', address, '-p', str(port),
                '-nostdin', '-m', str(calls), '-trace_msg', '-message_file', str(self.log), '-trace_err',
                '-error_file', str(self.errors), '-default_behaviors', 'bye,abortunexp', *more]
        if seconds:
            argv += ['-timeout', f'{seconds}s', '-timeout_error']
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(base.with_suffix('.stderr'), 'w'), cwd=lab.work)
        lab.processes.append(self.process)

    def wait(self, seconds=30):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def messages(self):
        """(sent or received, time, text) of each message so far."""
        if not self.log.exists():
            return []
        text = self.log.read_bytes().decode('utf-8', 'replace')
        out = []
        for part in re.split(r'-{47} (?=\d{4}-)', text)[1:]:
            head, _, rest = part.partition('\n')
            kind, _, message = rest.partition('\n\n')
            at = datetime.datetime.strptime(head.strip()[:26], '%Y-%m-%d %H:%M:%S.%f' if '.' in head else '%Y-%m-%d\t%H:%M:%S').timestamp()
            out.append(('received' if 'received' in kind else 'sent', at, message))
        return out

    def status(self):
        """The last final answer to an INVITE, or 0."""
        last = 0
        for way, _, message in self.messages():
            m = re.match(r'SIP/2\.0 (\d{3})', message)
            if way == 'received' and m and int(m[1]) >= 200 and re.search(r'(?im)^CSeq:.*INVITE', message) and last != 200:
                last = int(m[1])
        return last


    def statuses(self):
        """The final answer to each call, for a sipp with many: refusals of the first INVITE (401) are none."""
        out = {}
        for way, _, message in self.messages():
            m = re.match(r'SIP/2\.0 (\d{3})', message)
            call = re.search(r'(?im)^Call-ID:\s*(\S+)', message)
            if way == 'received' and m and int(m[1]) >= 200 and m[1] != '401' and re.search(r'(?im)^CSeq:.*INVITE', message):
                out.setdefault(call[1], int(m[1]))
        return sorted(out.values())


class Trunk:
    """A sipp that takes every call, and what arrived at it."""

    def __init__(self, lab, name, address):
        s = Scenario(name)
        s.recv('INVITE').answer().recv('ACK', 'optional="true" timeout="2000" ontimeout="1"').label(1)
        s.recv('BYE').answer(body='')
        self.sipp = Sipp(lab, name, s, address, 5060, calls=1000000, seconds=0)
        self.seen = 0

    def all(self):
        out, calls = [], set()
        for way, at, message in self.sipp.messages():
            m = re.match(r'INVITE sip:([^@\s]*)@', message)
            call = re.search(r'(?im)^Call-ID:\s*(\S+)', message)
            if way == 'received' and m and call[1] not in calls:
                calls.add(call[1])
                headers = dict(re.findall(r'(?m)^([A-Za-z-]+):[ \t]*([^\r\n]*)', message))
                out.append(Arrival(m[1], headers.get('From', ''), headers, at))
        return out

    def new(self):
        """What arrived since the last time somebody asked."""
        everything = self.all()
        fresh, self.seen = everything[self.seen:], len(everything)
        return fresh


# ---------------------------------------------------------------------------------- the switch

class Asterisk:
    def __init__(self, lab, tree, version, tech):
        self.lab, self.tree, self.version, self.tech = lab, pathlib.Path(tree), version, tech
        self.base = lab.work / 'switch'

    def configure(self, accounts):
        etc = self.base / 'etc'
        for name in ('etc', 'lib/agi-bin', 'spool/outgoing', 'spool/tmp', 'spool/voicemail', 'run', 'log/cdr-csv'):
            (self.base / name).mkdir(parents=True)
        modules = next(self.tree.glob('usr/lib/**/asterisk/modules'))
        names = {'MODULES': '/' + str(modules.relative_to(self.tree)),
                 'TECH': self.tech, 'OTHER': 'chan_sip' if self.tech == 'PJSIP' else 'chan_pjsip',
                 'HOOK': 'Macro(dialout-trunk-predial-hook,)' if self.version == '16' else 'Gosub(macro-dialout-trunk-predial-hook,s,1())'}
        for path in (HERE / 'asterisk').glob('*.conf'):
            text = path.read_text()
            for key, value in names.items():
                text = text.replace(f'@{key}@', value)
            (etc / path.name).write_text(text)
        for name in ('sekisho.conf', 'sekisho-freepbx.conf'):
            shutil.copy(ROOT / 'contrib/asterisk' / name, etc / name)
        for name in ('indications.conf', 'codecs.conf'):
            shutil.copy(self.tree / 'etc/asterisk' / name, etc / name)
        (self.pjsip if self.tech == 'PJSIP' else self.sip)(etc, accounts)
        self.site()

    def site(self, **changes):
        """Writes the site's settings as its owner would edit sekisho-site.conf."""
        text = (ROOT / 'contrib/asterisk/sekisho-site.conf').read_text()
        settings = {'SEKISHO_TRUNK': 'PJSIP/NUMBER@trunk', 'SEKISHO_EMERGENCY_TRUNK': 'PJSIP/NUMBER@emergency'}
        if self.tech == 'SIP':
            settings = {'SEKISHO_TRUNK': 'SIP/trunk/NUMBER', 'SEKISHO_EMERGENCY_TRUNK': 'SIP/emergency/NUMBER'}
        settings.update(changes)
        for key, value in settings.items():
            text, n = re.subn(rf'Set\({key}=[^)]*\)', f'Set({key}={value})', text)
            assert n == 1, key
        owner = 'endpoint' if self.tech == 'PJSIP' else 'peername'
        (self.base / 'etc/sekisho-site.conf').write_text(text)
        (self.base / 'etc/site.conf').write_text(
            f'[globals]\nTECH={self.tech}\nOWNER={owner}\nFREEPBX_TRUNK={settings["SEKISHO_TRUNK"]}\n#include sekisho-site.conf\n')

    def pjsip(self, etc, accounts, plain=False):
        out = ['[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:5060\n',
               f'[udp-trunk]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{TRUNK_PORT}\n']
        fence = '' if plain else f'rewrite_contact=yes\ncontact_deny={TRUNK}\ncontact_deny={EMERGENCY}\n'
        for name in accounts:
            out.append(f'''[{name}]
type=endpoint
context=from-internal
disallow=all
allow=ulaw
dtmf_mode=info
direct_media=no
auth={name}
aors={name}
transport=udp
set_var=__SEKISHO_ACCOUNT={name}
{fence}[{name}]
type=auth
auth_type=userpass
username={name}
password={SECRET}
[{name}]
type=aor
max_contacts=1
remove_existing=yes
''')
        for name, address in (('trunk', TRUNK), ('emergency', EMERGENCY)):
            out.append(f'''[{name}]
type=endpoint
context=from-trunk
disallow=all
allow=ulaw
dtmf_mode=info
direct_media=no
identify_by=ip
transport=udp-trunk
aors={name}
[{name}]
type=aor
contact=sip:{address}:5060
[{name}]
type=identify
endpoint={name}
match={address}
''')
        out.append('''[anonymous]
type=endpoint
context=guests
disallow=all
allow=ulaw
''')
        (etc / 'pjsip.conf').write_text('\n'.join(out))

    def sip(self, etc, accounts, plain=False):
        fence = '' if plain else f'nat=force_rport,comedia\ncontactdeny={TRUNK}\ncontactdeny={EMERGENCY}\n'
        out = [f'''[general]
{fence}udpbindaddr=127.0.0.1:5060
context=guests
allowguest=yes
alwaysauthreject=yes
disallow=all
allow=ulaw
dtmfmode=info
directmedia=no
''']
        for name in accounts:
            out.append(f'[{name}]\ntype=friend\nhost=dynamic\nsecret={SECRET}\ncontext=from-internal\nsetvar=__SEKISHO_ACCOUNT={name}\n')
        for name, address in (('trunk', TRUNK), ('emergency', EMERGENCY)):
            out.append(f'[{name}]\ntype=peer\nhost={address}\nport=5060\ninsecure=port,invite\ncontext=from-trunk\n')
        (etc / 'sip.conf').write_text('\n'.join(out))

    def fence(self, plain):
        """Writes the telephones' sections with what our examples say against foreign Contacts, or without."""
        (self.pjsip if self.tech == 'PJSIP' else self.sip)(self.base / 'etc', self.lab.PHONES, plain)
        self.cli('module reload res_pjsip.so' if self.tech == 'PJSIP' else 'sip reload')

    def start(self):
        (self.base / 'hosts').write_text(f'127.0.0.1 localhost {socket.gethostname()}\n{TRUNK} thief.example\n')
        mounts = f'mount --bind {self.base} {self.tree}/mnt && touch {self.tree}/etc/hosts && mount --bind {self.base}/hosts {self.tree}/etc/hosts && exec chroot {self.tree} asterisk -f -C /mnt/etc/asterisk.conf'
        self.process = subprocess.Popen(['unshare', '-m', '--propagation', 'private', 'sh', '-c', mounts],
                                        stdin=subprocess.DEVNULL, stdout=open(self.base / 'stdout', 'w'), stderr=subprocess.STDOUT)
        self.lab.processes.append(self.process)
        if not until(lambda: self.process.poll() is not None or (self.base / 'run/asterisk.ctl').exists() and self.up(), 60, 0.1):
            raise RuntimeError(f'Asterisk does not start: {(self.base / "stdout").read_text()[-2000:]}')

    def up(self):
        try:
            self.ami = Ami()
            return 'fully booted' in self.cli('core waitfullybooted').lower() or True
        except OSError:
            return False

    def cli(self, command):
        return self.ami.command(command)

    def reload_dialplan(self):
        self.cli('dialplan reload')

    def clear(self):
        """Ends what is left of calls: a transfer can leave two trunks talking to each other."""
        if not self.idle(0.3):
            self.cli('channel request hangup all')
            self.idle()

    def idle(self, seconds=10):
        """Until no call is left."""
        return until(lambda: re.search(r'^0 active channels', self.cli('core show channels'), re.M), seconds, 0.03)


class Ami:
    def __init__(self):
        self.socket = socket.create_connection((SWITCH, 5038), 5)
        self.file = self.socket.makefile('rb')
        self.file.readline()
        self.action(Action='Login', Username='lab', Secret='lab', Events='off')

    def action(self, **fields):
        self.socket.sendall(''.join(f'{k}: {v}\r\n' for k, v in fields.items()).encode() + b'\r\n')
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise OSError('AMI closed')
            line = line.decode('utf-8', 'replace').rstrip('\r\n')
            if not line:
                if lines:
                    return lines
                continue
            lines.append(line)

    def command(self, command):
        return '\n'.join(line[8:] if line.startswith('Output: ') else line for line in self.action(Action='Command', Command=command))


# ---------------------------------------------------------------------------------- the daemon

class Sekisho:
    """The sekishod of the build directory, asked by its own command."""

    def __init__(self, lab, build):
        self.lab, self.build = lab, pathlib.Path(build)
        self.state = lab.work / 'sekisho'

    def start(self):
        self.state.mkdir(exist_ok=True)
        config = self.lab.work / 'sekisho.conf'
        secret = self.lab.work / 'manager-secret'
        secret.write_text('Lab-Manager-2817\n')
        never = self.lab.work / 'never-ban'
        never.write_text('')
        config.write_text(f'[daemon]\nstate_dir = {self.state}\n[guard]\nenforcer = {self.build}/src/enforce/sekisho-enforcer\n'
                          f'never_ban = {never}\n[switch local]\nwire = no\n'
                          f'ami = {SWITCH}:5038\nami_user = sekisho\nami_secret_file = {secret}\n')
        self.socket = self.state / 'sekisho.sock'
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen([self.build / 'src/daemon/sekishod', '-c', config], stdin=subprocess.DEVNULL,
                                        stdout=open(self.lab.work / 'sekishod.out', 'a'), stderr=subprocess.STDOUT)
        self.lab.processes.append(self.process)
        if not until(self.up, 30, 0.05):
            raise RuntimeError('sekishod does not start: ' + (self.lab.work / 'sekishod.out').read_text()[-2000:])
        self.run('status')  # answered when the guard is ready, which listening sockets do not tell

    def up(self):
        try:
            socket.create_connection((SWITCH, 4573), 1).close()
            return self.socket.exists()
        except OSError:
            return False

    def run(self, *words, ok=True):
        done = subprocess.run([self.build / 'src/cli/sekisho', *words], capture_output=True, text=True, timeout=20,
                              env={**os.environ, 'SEKISHO_SOCKET': str(self.socket)})
        if ok and done.returncode:
            raise RuntimeError(f'sekisho {" ".join(words)}: {done.returncode}: {done.stdout}{done.stderr}')
        return done.stdout

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def last_words(self):
        return (self.lab.work / 'sekishod.out').read_text(errors='replace').splitlines()[-30:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


# ------------------------------------------------------------------------------------- the lab

class Lab:
    # 1001 and 1003 stay as born, 1002 may call abroad, the others change; 1007 to 1009 have phones,
    # but no account.
    ACCOUNTS = ['1001', '1002', '1003', '1004', '1005', '1006', 'trunk']
    PHONES = ['1001', '1002', '1003', '1004', '1005', '1006', '1007', '1008', '1009']

    def __init__(self, work, tree, version, tech, build, daemon=Sekisho):
        self.work, self.processes, self.port = pathlib.Path(work), [], 6000
        self.version, self.tech = version, tech
        self.asterisk = Asterisk(self, tree, version, tech)
        self.sekisho = daemon(self, build)

    def start(self):
        subprocess.run(['sh', '-ec', 'ip link set lo up; ip link add nowhere type veth peer name beyond; '
                        'ip addr add 192.0.2.1/24 dev nowhere; ip link set nowhere up; ip link set beyond up; '
                        f'ip neigh add {NOWHERE} lladdr 02:00:00:00:00:09 dev nowhere nud permanent'], check=True)
        self.sekisho.start()
        self.asterisk.configure(self.PHONES)
        self.asterisk.start()
        self.trunk = Trunk(self, 'trunk', TRUNK)
        self.emergency = Trunk(self, 'emergency', EMERGENCY)
        for account in self.ACCOUNTS:
            self.sekisho.run('account', 'add', account)
        for phone in self.PHONES:
            self.register(phone, self.next_port())

    def address(self, phone):
        return f'127.0.1.{int(phone[-2:])}'

    def register(self, phone, port):
        status = Sipp(self, f'register-{phone}', Scenario(phone).register(port), self.address(phone), port).wait()
        if status:
            raise RuntimeError(f'{phone} cannot register')

    def next_port(self):
        self.port += 1
        return self.port

    def phone_sipp(self, name, scenario, phone, address=None, **more):
        return Sipp(self, f'{name}-{phone}', scenario, address or self.address(phone), self.next_port(), **more)

    def call(self, phone, number, then=None, hold=0, address=None, seconds=20, **invite):
        """A call from a phone to its end: the final status."""
        s = Scenario(phone)
        s.display = invite.pop('display', '')
        claimed = invite.pop('claimed', None)
        s.invite(escape(number), **invite)
        if then:
            then(s)
        s.hang_up(hold)
        if claimed:
            s.parts = [p.replace(f'From: <sip:{phone}@', f'From: <sip:{claimed}@') for p in s.parts]
        sipp = self.phone_sipp('call', s, phone, address, seconds=seconds)
        sipp.wait()
        return Call(sipp.status(), *self._times(sipp))

    def _times(self, sipp):
        messages = sipp.messages()
        invites = [at for way, at, m in messages if way == 'sent' and m.startswith('INVITE ')]
        return (invites[-1] if invites else 0), (messages[-1][1] if messages else 0)

    def inbound(self, number, then=None, hold=0):
        """A call from the trunk, by a caller from outside."""
        s = Scenario('0901111222')
        s.invite(number, auth=False)
        if then:
            then(s)
        s.hang_up(hold)
        sipp = Sipp(self, 'inbound', s, TRUNK, self.next_port())
        sipp.wait()
        return sipp.status()

    def answering(self, phone, scenario):
        """The phone, registered at a port where nothing late of another call arrives, and waiting."""
        port = self.next_port()
        self.register(phone, port)
        return Sipp(self, f'called-{phone}', scenario, self.address(phone), port)

    def arrives(self, number, seconds=8):
        """Whether exactly this arrives at the trunk, and nothing else."""
        until(lambda: len(self.trunk.all()) > self.trunk.seen, seconds)
        return [a.number for a in self.trunk.new()] == [number]

    def nothing(self):
        """Whether nothing has arrived at either trunk when no call is left."""
        self.asterisk.idle(3)
        self.asterisk.clear()
        return not self.trunk.new() + self.emergency.new()

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()

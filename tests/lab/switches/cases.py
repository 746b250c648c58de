# SPDX-License-Identifier: GPL-2.0-or-later
"""A provider's Kamailio that asks Sekisho, with the configuration of contrib/kamailio: what reaches its trunks.

    cases.py KIND TREE BUILD_DIR WORK_DIR [CASE]...        (inside the namespaces that ./run makes)

KIND is 5-sip, 6-sip (Kamailio 5.6 and 6.1 that ask by redirect) or 6-http. A real Asterisk is the PBX of a customer, registered as cid1003; callers
that do as they like (ua.py) have the passwords of others.
"""
import asyncio
import csv
import datetime
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
import traceback
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import lab  # noqa: E402  pylint: disable=wrong-import-position
from lab import EMERGENCY, ROOT, SECRET, SWITCH, TRUNK, until  # noqa: E402  pylint: disable=wrong-import-position
import ua  # noqa: E402  pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
PROXY, SEKISHO, CUSTOMER, REALM = '127.0.0.10', '127.0.0.20', '127.0.1.1', 'sip.example.jp'
ABROAD, HOME = '010441481123456', '0312345678'
ACCOUNTS = ('cid1001', 'cid1002', 'cid1003', 'cid1004')  # 1001 and 1003 stay as born, 1002 may call abroad
USERS = (*ACCOUNTS, 'cid1009', 'CID1001')  # who have a password
SILENT = 'Sekisho is silent'  # what the gate says of it
PROMPT = 0.25  # seconds within which an emergency call must be at its trunk, on a busy machine too
DEADLINE = 1.0  # the same for a national call, and for a refusal, while Sekisho is silent; the routes themselves wait 0.3 to 0.4
TITLES = {'5-sip': 'Kamailio 5.6, by redirect', '6-sip': 'Kamailio 6.1, by redirect', '6-http': 'Kamailio 6.1, by HTTP'}


class Asterisk(lab.Asterisk):
    """A customer's PBX. Whatever it is told to call goes to the provider, with the caller ID that it likes."""

    def configure(self, accounts=()):
        super().configure(accounts)
        etc = self.base / 'etc'
        (etc / 'extensions.conf').write_text(
            '[out]\nexten => _[+*#0-9].,1,Set(CALLERID(num)=cid1002)\n same => n,Dial(PJSIP/${EXTEN}@provider,5)\n'
            ' same => n,Hangup()\n[in]\nexten => _[a-z0-9].,1,Answer()\n same => n,Wait(1)\n')

    def pjsip(self, etc, accounts):
        """The provider, and a telephone 2001."""
        (etc / 'pjsip.conf').write_text(f'''[udp]
type=transport
protocol=udp
bind={SWITCH}:5060
[provider]
type=registration
outbound_auth=provider
server_uri=sip:{PROXY}:5060
client_uri=sip:cid1003@{REALM}
contact_user=cid1003
retry_interval=1
[provider]
type=auth
auth_type=userpass
username=cid1003
password={SECRET}
[provider]
type=aor
contact=sip:{PROXY}:5060
[provider]
type=endpoint
context=in
disallow=all
allow=ulaw
aors=provider
outbound_auth=provider
from_domain={REALM}
send_pai=yes
send_rpid=yes
trust_id_outbound=yes
direct_media=no
[provider]
type=identify
endpoint=provider
match={PROXY}
[2001]
type=endpoint
context=out
disallow=all
allow=ulaw
auth=2001
aors=2001
[2001]
type=auth
auth_type=userpass
username=2001
password={SECRET}
[2001]
type=aor
max_contacts=1
''')


class Kamailio:
    """The example of contrib/kamailio, edited as its owner would edit it."""

    def __init__(self, work, tree, by_http):
        """`tree`: of the machine that it runs on, if not this one's."""
        self.base, self.tree, self.by_http = pathlib.Path(work) / 'kamailio', tree, by_http

    @staticmethod
    def edit(text, *changes):
        for pattern, value in changes:
            text, n = re.subn(pattern, lambda _, value=value: value, text)
            assert n == 1, pattern
        return text

    def configure(self, token):
        shutil.copytree(ROOT / 'contrib/kamailio', self.base)
        site, own = self.base / 'sekisho-site.cfg', self.base / 'kamailio.cfg.example'
        site.write_text(self.edit(
            site.read_text(), (r'(?<=udp:)192\.0\.2\.10', SEKISHO), (r'(?<=http://)192\.0\.2\.10', SEKISHO), (r'\bTOKEN(?=")', token),
            (r'192\.0\.2\.30', TRUNK), (r'192\.0\.2\.31', EMERGENCY)))
        (self.base / 'kamailio.cfg').write_text(self.edit(
            own.read_text(), (r'(?<=DBURL ")[^"]*', 'text:///mnt/db'), (r'db_mysql', 'db_text'),
            (r'192\.0\.2\.20', PROXY)))
        (self.base / 'db').mkdir()
        (self.base / 'db/version').write_text('table_name(string) table_version(int)\nsubscriber:7\n')
        (self.base / 'db/subscriber').write_text('username(string) domain(string) password(string)\n'
                                                 + ''.join(f'{user}:{REALM}:{SECRET}\n' for user in USERS))

    def restart(self, patience=300):
        """`patience`: milliseconds for Sekisho's answer, instead of the example's 300."""
        assert self.process.poll() is None, 'Kamailio is gone'
        self.process.terminate()
        self.process.wait(20)
        for name, setting in (('sekisho-sip.cfg', 't_set_fr({0}, {0})'), ('sekisho-http.cfg', '$http_req(timeout) = {0}')):
            text = (ROOT / 'contrib/kamailio' / name).read_text()
            (self.base / name).write_text(self.edit(text, (re.escape(setting.format(300)), setting.format(patience))))
        self.start()

    def start(self):
        log = open(self.base / 'log', 'a', encoding='utf-8')
        command = f'mount --bind {self.base} {self.tree}/mnt && exec {f"chroot {self.tree} " if self.tree else ""}kamailio'
        command += ' -A WITH_SEKISHO_HTTP' if self.by_http else ''
        self.process = subprocess.Popen(['unshare', '-m', '--propagation', 'private', 'sh', '-c',
                                         f'{command} -DD -E -f /mnt/kamailio.cfg -m 64 -M 8 -Y /mnt -P /mnt/pid'],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        up = lambda: f'{PROXY}:5060' in subprocess.run(['ss', '-lun'], capture_output=True, text=True, check=True).stdout
        if not until(lambda: self.process.poll() is not None or up(), 20, 0.1) or self.process.poll() is not None:
            raise RuntimeError('Kamailio does not start: ' + (self.base / 'log').read_text()[-3000:])


class Sekisho(lab.Sekisho):
    """Beside the proxy, on an address of its own."""

    def start(self):
        self.state.mkdir(exist_ok=True)
        config = self.lab.work / 'sekisho.conf'
        config.write_text(f'[daemon]\nstate_dir = {self.state}\n[guard]\nenforce = no\n[sip]\nlisten = {SEKISHO}:5070\n'
                          f'[http]\nlisten = {SEKISHO}:8470\nhosts = {SEKISHO}\n')
        self.socket = self.state / 'sekisho.sock'
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen([self.build / 'src/daemon/sekishod', '-c', config], stdin=subprocess.DEVNULL,
                                        stdout=open(self.lab.work / 'sekishod.out', 'a', encoding='utf-8'), stderr=subprocess.STDOUT)
        self.lab.processes.append(self.process)
        if not until(lambda: self.process.poll() is not None or self.up(), 30, 0.05) or self.process.poll() is not None:
            raise RuntimeError('sekishod does not start: ' + '\n'.join(self.last_words()))
        self.run('status')

    def ask(self, token, number, account='cid1001'):
        """The verdict, as POST /v1/authorize says it."""
        body = urllib.parse.urlencode({'account': account, 'number': number, 'dry_run': 'true'}, errors='surrogateescape').encode()
        request = urllib.request.Request(f'http://{SEKISHO}:8470/v1/authorize', body, {'Authorization': f'Bearer {token}'})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def escape(text, keep=r"[A-Za-z0-9_.!~*'()&=+$,;?/-]"):
    """As the user of a SIP URI (RFC 3261): what cannot stand there is escaped; with keep='' everything is."""
    return ''.join(chr(b) if keep and re.fullmatch(keep, chr(b)) else f'%{b:02X}' for b in text.encode('utf-8', 'surrogatepass'))


def rows(path):
    with open(path, encoding='utf-8') as f:
        return list(csv.DictReader((line for line in f if not line.startswith('#')), delimiter='\t', quoting=csv.QUOTE_NONE))


class Cases:
    def __init__(self, kind, tree, build, work):
        self.kind, self.work, self.processes, self.n, self.failed = kind, pathlib.Path(work), [], 0, 0
        self.ports, self.silenced = itertools.count(6001), False
        self.by_http = kind == '6-http'  # Debian 12 has no http_async_client
        self.asterisk = Asterisk(self, tree, '22', 'PJSIP')
        self.sekisho = Sekisho(self, build)
        self.kamailio = Kamailio(work, tree if kind.startswith('6') else '', self.by_http)

    def check(self, name, ok, *detail):
        self.n += 1
        self.failed += not ok
        print(f'{"ok" if ok else "not ok"} {self.n} - {TITLES[self.kind]}: {name}')
        for line in () if ok else detail:
            print(f'# {line}')
        sys.stdout.flush()

    def note(self, text):
        print(f'# {TITLES[self.kind]}: {text}', flush=True)

    def command(self, *words):
        return self.sekisho.run(*words)

    def begin(self):
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        self.sekisho.start()
        self.command('switch', 'add', 'edge', '--plan', 'JP', '--address', PROXY)
        for account in ACCOUNTS:
            self.command('account', 'add', account, '--switch', 'edge')
        self.command('restrict', 'remove', 'cid1002', '010', '--yes')
        self.token = json.loads(self.command('--json', 'token', 'add', 'switch:edge'))['token']
        self.kamailio.configure(self.token)
        self.kamailio.start()
        self.processes.append(self.kamailio.process)
        self.asterisk.configure()
        self.asterisk.start()

    # What each case is made of.

    async def call(self, uri, user='cid1001', **more):
        if not uri.startswith(('sip:', 'tel:')):
            uri = f'sip:{uri}@{REALM}'
        for _ in range(2):
            call = await self.caller.call(uri, user, **more)
            # A busy machine may be silent for a moment; what is right then has its own cases.
            if self.silenced or SILENT not in call.reason:
                break
        return call

    def arrivals(self, call):
        """The numbers that arrived at the trunk and at the emergency trunk for the call."""
        return tuple([self.number(a.uri, address) for a in trunk.of(call.id)]
                     for trunk, address in ((self.trunk, TRUNK), (self.emergency, EMERGENCY)))

    @staticmethod
    def number(uri, address):
        """The number that a trunk is asked for, and nothing else in its URI; else the whole of it."""
        found = re.fullmatch(rf'sip:([^@;:]*)@{re.escape(address)}:5060', uri)
        return found[1].replace('%23', '#') if found else uri

    def delay(self, call):
        """Seconds until something arrived, or until the refusal."""
        return max([a.at - call.started for t in (self.trunk, self.emergency) for a in t.of(call.id)] or [call.ended - call.started])

    async def timely(self, numbers, limit, at_once):
        """[(number, call)] by who may call abroad. One that is late gets a second try: a busy machine may stall once, a gate that
        waits does so again."""
        calls = await self.all([self.call(n, 'cid1002') for n in numbers], at_once)
        return [(n, c if self.delay(c) < limit else await self.call(n, 'cid1002')) for n, c in zip(numbers, calls)]

    def judge(self, name, call, trunk=None, emergency=None, within=None):
        """Exactly this arrived, nothing else; and what was refused was refused by 603."""
        seen, wanted = self.arrivals(call), ([trunk] if trunk else [], [emergency] if emergency else [])
        answered = call.status == 200 if trunk or emergency else 400 <= call.status <= 699
        delay = self.delay(call)
        self.check(name, seen == wanted and answered and (within is None or delay < within),
                   f'trunk and emergency trunk: {seen} instead of {wanted}', f'{call}, {delay:.3f} s')
        return delay

    async def all(self, calls, limit=6):
        """The calls, a few at once, in their order."""
        gate = asyncio.Semaphore(limit)

        async def one(call):
            async with gate:
                return await call
        return await asyncio.gather(*map(one, calls))

    # The cases.

    async def spellings(self):
        table = rows(HERE / 'spellings.tsv')
        fill = lambda text: re.sub(r'\bH\b', REALM, text).replace('\\n', '\r\n')
        calls = await self.all(self.call(fill(row['uri']), row['user'], extra=fill(row['more'])) for row in table)
        for row, call in zip(table, calls):
            trunk, emergency = (None if row[key] == '-' else row[key] for key in ('trunk', 'emergency'))
            self.judge(f'{row["uri"]} ({row["why"]})', call, trunk, emergency)
        texts = [a.text for trunk in (self.trunk, self.emergency) for a in trunk.arrivals]
        loud = [t for t in texts if re.search(r'(?im)^(P-Asserted-Identity|P-Preferred-Identity|Remote-Party-ID|(Proxy-)?Authorization)[ \t]*:', t)]
        self.check('no identity and no credentials go out over the trunk', texts and not loud, *loud[:1])

    async def dialled(self):
        """Every spelling of Japan in dialled.tsv that fits into an INVITE, as it is and with every byte escaped."""
        cases = []
        for row in rows(ROOT / 'tests/numbering/dialled.tsv'):
            value = json.loads(row['dialled'])
            if row['profile'] != 'JP' or row['class'] == 'INTERNAL' or value.startswith(('urn:', '"x"', 'sips:', 'SIP:')):
                continue  # extensions are not a provider's; the rest is no URI that a proxy is asked for over UDP
            if value.startswith(('sip:', 'tel:')):
                cases.append((row, escape(value, r"[^\r\n\\ ]"), value))
            else:
                cases += [(row, f'sip:{escape(value)}@{REALM}', value), (row, f'sip:{escape(value, "")}@{REALM}', value)]
        calls = await self.all(self.call(uri) for _, uri, _ in cases)
        for (row, uri, value), call in zip(cases, calls):
            verdict = await asyncio.to_thread(self.sekisho.ask, self.token, value)
            dial = verdict['dial'] if verdict['verdict'] == 'allow' else None
            urgent = verdict['class'] == 'EMERGENCY'
            assert verdict['verdict'] == row['verdict'], (row, verdict)
            self.judge(f'{uri[:100]} ({row["comment"]})', call, None if urgent else dial, dial if urgent else None)

    async def claims(self):
        self.judge('From is another account', await self.call(ABROAD, claim='cid1002'))
        self.caller.secret = 'wrong'
        call = await self.call(HOME)
        self.caller.secret = SECRET
        self.check('a wrong password calls nobody', self.arrivals(call) == ([], []) and call.status == 407, call)
        for route in ('', f'Route: <sip:{PROXY};lr>\r\n', f'Route: <sip:{PROXY};lr;ftag=1>\r\nRoute: <sip:{TRUNK}:5060;lr>\r\n'):
            call = await self.call(f'sip:{ABROAD}@{TRUNK}:5060', extra=route, to_tag=';tag=trunk')
            self.judge(f'a new call that looks like an old one ({route.count("Route")} routes)', call)
        elsewhere = f'sip:{ABROAD}@{EMERGENCY}:5060'
        for name, status, arrives, within in (
                ('a trunk is not asked to transfer', '603', [HOME], ('REFER', '', f'Refer-To: <sip:{ABROAD}@{TRUNK}>\r\n')),
                ('another number within a call stays within it', '200', [HOME, 'trunk'], ('INVITE', f'sip:{ABROAD}@{TRUNK}:5060', '')),
                ('so does another number and another trunk', '200', [HOME, 'trunk'], ('INVITE', elsewhere, '')),
                ('and another way there', '200', [HOME, f'sip:trunk@{TRUNK}:5060'],
                 ('INVITE', elsewhere, f'Route: <sip:{EMERGENCY}:5060;lr>\r\n'))):
            call = await self.call(HOME, within=within)
            seen = sum(self.arrivals(call), [])
            self.check(name, (self.caller.answered, seen) == (status, arrives), call, self.caller.answered, seen)
        call = await self.call(ABROAD)
        self.check('a refusal is 603, and says why', call.status == 603 and ('restricted' in call.reason), call)
        refusals = ('--json', 'refusals', '--account', 'cid1001', '--switch', 'edge', '--limit', '1')
        until(lambda: CUSTOMER in self.command(*refusals))
        self.check('it is recorded, and where the call came from', CUSTOMER in self.command(*refusals), self.command(*refusals))

    async def registrations(self):
        """Whoever wrote a number at a trunk as his Contact is called himself, and not that number."""
        for n, host in enumerate((TRUNK, EMERGENCY, CUSTOMER)):
            call, contact = f'in-{n}@lab', f'sip:{ABROAD}@{host}:5060'
            self.check(f'REGISTER with {contact}', await self.caller.register('cid1004', contact) == 200)
            waits = asyncio.create_task(self.caller.is_called(call))
            await asyncio.sleep(0)
            self.trunk.call((PROXY, 5060), 'cid1004', call)
            called = await waits
            self.check('a call from the trunk goes where that came from', called and not self.trunk.of(call) and not self.emergency.of(call),
                       called, self.trunk.of(call), self.emergency.of(call))

    async def pace(self):
        calls = [await self.call(HOME) for _ in range(15)]
        delays = sorted(self.delay(call) for call in calls)
        self.check('15 national calls, one after the other', all(self.arrivals(call) == ([HOME], []) for call in calls), *calls)
        self.note(f'Sekisho answers: a national call was at the trunk after {1000 * delays[0]:.0f} to {1000 * delays[-1]:.0f} ms, median {1000 * delays[7]:.0f} ms')

    async def changes(self):
        self.judge('as it was born, cid1004 calls nobody abroad', await self.call(ABROAD, 'cid1004'))
        self.command('restrict', 'remove', 'cid1004', '010', '--yes')
        self.judge('lifted, its next call passes', await self.call(ABROAD, 'cid1004'), ABROAD)
        self.command('stop', '--account', 'cid1004')
        self.judge('stopped, it calls nobody abroad', await self.call(ABROAD, 'cid1004'))
        self.judge('stopped, national passes', await self.call(HOME, 'cid1004'), HOME)
        self.command('account', 'set', 'cid1004', '--state', 'suspended')
        self.judge('suspended, national does not', await self.call(HOME, 'cid1004'))
        self.judge('suspended, 110 passes', await self.call('110', 'cid1004'), None, '110')
        self.judge('suspended, full-width 110 passes, by the answer', await self.call(escape('１１０'), 'cid1004'), None, '110')
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
        self.command('restrict', 'except', 'cid1001', ABROAD, '--until', end.strftime('%Y-%m-%dT%H:%M:%SZ'), '--yes')
        call = await self.call(ABROAD, hold=8)
        ended = self.trunk.ended.get(call.id, call.started + 99) - call.started
        self.judge('an exception with an end: passes before it', call, ABROAD)
        self.check('and the proxy ends the call when it does', ended < 7, f'{ended:.1f} s')
        self.note(f'the call ended after {ended:.1f} s')

    async def asterisk_calls(self):
        """The customer's Asterisk, which says in all that it can that it is cid1002."""
        registered = lambda: 'Registered' in self.asterisk.cli('pjsip show registrations')
        self.check('Asterisk is registered as cid1003', await asyncio.to_thread(until, registered, 10, 0.1), self.asterisk.cli('pjsip show registrations'))
        for dialled, trunk, emergency in ((HOME, HOME, None), (ABROAD, None, None), ('184' + ABROAD, None, None), ('+441481123456', None, None),
                                          ('0033' + ABROAD, None, None), ('1840312345678', '1840312345678', None), ('110', None, '110')):
            await self.pbx_calls(f'Asterisk calls {dialled}', trunk, emergency, lambda d=dialled: self.asterisk.ami.action(
                Action='Originate', Channel=f'Local/{d}@out/n', Application='Wait', Data='0.3', Timeout='4000'))

    async def pbx_calls(self, name, trunk, emergency, call):
        """What arrives for a call of the PBX, whose Call-ID nobody knows."""
        before = len(self.trunk.arrivals), len(self.emergency.arrivals)
        await asyncio.to_thread(call)
        await asyncio.to_thread(self.asterisk.idle)
        seen = tuple([self.number(a.uri, address) for a in t.arrivals[n:]]
                     for t, n, address in zip((self.trunk, self.emergency), before, (TRUNK, EMERGENCY)))
        wanted = [trunk] if trunk else [], [emergency] if emergency else []
        self.check(name, seen == wanted, f'{seen} instead of {wanted}')

    async def telephone(self):
        """A telephone of the customer's PBX."""
        for dialled, trunk, emergency in ((HOME, HOME, None), ('03-1234-5678', HOME, None), (ABROAD, None, None), ('0033' + ABROAD, None, None),
                                          ('110', None, '110')):
            scenario = lab.Scenario('2001').invite(dialled).hang_up()
            await self.pbx_calls(f'the telephone calls {dialled}', trunk, emergency, lambda s=scenario: lab.Sipp(
                self, 'telephone', s, '127.0.1.2', next(self.ports)).wait())

    async def busy(self):
        """What the trunk says of a call is what the caller hears."""
        for refusal in ('486 Busy Here', '503 Service Unavailable', '404 Not Found', '603 Decline', '302 Moved Temporarily'):
            self.trunk.refusal = refusal
            call = await self.call(HOME)
            expected = 500 if refusal[:3] == '503' else int(refusal[:3])  # RFC 3261, 16.7: a proxy's own 503 it is not
            self.check(f'the trunk answers {refusal}: so does the proxy, once', call.status == expected and self.arrivals(call) == ([HOME], []),
                       call, self.arrivals(call))
        self.trunk.refusal = None

    async def no_emergency_trunk(self):
        self.emergency.transport.close()
        self.judge('the emergency trunk is gone: 110 takes the other', await self.call('110'), '110', None, 4)
        self.judge('the emergency trunk is gone: so does full-width 110', await self.call(escape('１１０')), '110', None, 4)
        self.emergency = await ua.Trunk().open(EMERGENCY, 5060)
        self.judge('the emergency trunk is back', await self.call('110'), None, '110')

    EMERGENCIES = ('110', '118', '119', '184110', '186119', '1-1-0', '%31%31%30')
    NATIONAL = (HOME, '0120123456', '08001234567', '09012345678', '05012345678', '0612345678', '0112521234', '184' + HOME)
    DOUBTFUL = (ABROAD, '0101234567', '010123456789', '%3010441481123456', '+441481123456', '00441481123456', '0033' + ABROAD, '0033' + HOME,
                '184' + ABROAD, '186' + ABROAD, '0570012345', '0990123456', '0180991234', '02012345678', '0910123456', '00777012', '104',
                HOME + '9', '03-1234-5678', '%30312345678', HOME + '%2C1', HOME + '%0a1', HOME + '%00', HOME + ';phone-context=+44',
                '119' + ABROAD, '142' + HOME, escape('１１０'))

    async def silent(self, what):
        """Sekisho does not answer: emergency goes out at once, national in time, nothing else, for whoever may else."""
        delays = []
        for number, call in await self.timely(self.EMERGENCIES, PROMPT, 2):
            self.judge(f'{what}: {number}', call, None, re.sub('-', '', number.replace('%31%31%30', '110')), PROMPT)
        for number, call in await self.timely(self.NATIONAL, DEADLINE, 8):
            delays.append(self.judge(f'{what}: {number} goes out in time', call, number, None, DEADLINE))
        for number, call in await self.timely(self.DOUBTFUL, DEADLINE, 8):
            self.judge(f'{what}: {number} does not', call, None, None, DEADLINE)
        self.note(f'{what}: national calls were at the trunk after {1000 * min(delays):.0f} to {1000 * max(delays):.0f} ms')

    async def loss(self):
        """Every other INVITE to Sekisho is lost: each question once."""
        if self.by_http:
            return  # TCP sees to that
        nft = lambda text: subprocess.run(['nft', text], check=True, capture_output=True, text=True).stdout
        nft('table inet lab { chain in { type filter hook input priority 0; '
            f'udp dport 5070 @th,64,48 0x{b"INVITE".hex()} numgen inc mod 2 0 counter drop; }}; }}')
        calls = [await self.call(ABROAD, 'cid1002') for _ in range(4)]
        dropped = int(re.search(r'counter packets (\d+)', nft('list table inet lab'))[1])
        nft('delete table inet lab')
        self.check('a lost question is asked again, in time', dropped == 4 and all(self.arrivals(call) == ([ABROAD], []) for call in calls),
                   f'{dropped} lost', *calls)

    async def hang_up(self):
        """The caller gives up before the proxy does, which here waits for seconds: no machine is so busy that the one becomes the other."""
        self.silenced = True
        self.kamailio.restart(patience=2000)
        self.sekisho.freeze()
        for _ in range(5):
            hung_up = asyncio.create_task(self.all([self.call(number, cancel=0.1) for number in (HOME, ABROAD, HOME)]))
            await asyncio.sleep(0.5)
            last = await self.call(HOME)  # asked about behind them: when it is let out, the proxy waits for their answers no longer
            calls = await hung_up
            in_time = all(c.gave_up and c.gave_up < c.started + 1 for c in calls) and last.started > max(c.started for c in calls)
            if in_time:
                break
        self.judge('daemon stopped: a national call waits, and goes out', last, HOME)
        self.check('daemon stopped: who hangs up meanwhile calls nobody',
                   in_time and all(c.status == 487 and self.arrivals(c) == ([], []) for c in calls),
                   *((c, f'{(c.gave_up or 0) - c.started:.3f} s until 200 to CANCEL', self.arrivals(c)) for c in (*calls, last)))
        self.sekisho.thaw()
        self.kamailio.restart()
        self.silenced = False

    async def silence(self):
        self.silenced = True
        self.sekisho.freeze()
        await self.silent('daemon stopped')
        before = len(self.trunk.arrivals) + len(self.emergency.arrivals)
        self.sekisho.thaw()
        await asyncio.sleep(0.7)
        self.check('daemon goes on: late answers send nothing out', len(self.trunk.arrivals) + len(self.emergency.arrivals) == before)
        self.silenced = False
        self.judge('daemon goes on: so do calls abroad', await self.call(ABROAD, 'cid1002'), ABROAD)
        self.silenced = True
        self.sekisho.kill()
        await self.silent('daemon dead')
        route = ['unreachable', SEKISHO, 'table', 'local']
        subprocess.run(['ip', 'route', 'add', *route], check=True)
        for number, trunk in ((HOME, HOME), (ABROAD, None)):
            self.judge(f'no route to Sekisho: {number}', await self.call(number, 'cid1002'), trunk, None, DEADLINE)
        subprocess.run(['ip', 'route', 'del', *route], check=True)
        self.sekisho.start()
        self.silenced = False
        self.judge('daemon back: cid1002 may call abroad as before', await self.call(ABROAD, 'cid1002'), ABROAD)
        self.judge('daemon back: cid1001 may not as before', await self.call(ABROAD))

    async def stranger(self):
        """To Sekisho the proxy is nobody: it is not answered, or not believed."""
        self.silenced = True
        if self.by_http:
            for token in json.loads(self.command('--json', 'token', 'list')):
                self.command('token', 'revoke', str(token['id']))
        else:
            self.command('switch', 'set', 'edge', '--address', '127.0.0.99', '--yes')
        self.judge('not known to Sekisho: abroad does not go out', await self.call(ABROAD, 'cid1002'), None, None, DEADLINE)
        self.judge('not known to Sekisho: national does', await self.call(HOME, 'cid1002'), HOME, None, DEADLINE)
        self.judge('not known to Sekisho: 110 does', await self.call('110', 'cid1002'), None, '110', PROMPT)

    ORDER = ('spellings', 'dialled', 'claims', 'registrations', 'pace', 'changes', 'asterisk_calls', 'telephone', 'busy', 'no_emergency_trunk', 'loss', 'hang_up', 'silence', 'stranger')

    async def run(self, only):
        self.trunk = await ua.Trunk().open(TRUNK, 5060)
        self.emergency = await ua.Trunk().open(EMERGENCY, 5060)
        self.caller = await ua.Caller((PROXY, 5060), REALM, SECRET).open(CUSTOMER, 5060)
        for name in only or self.ORDER:
            started = time.monotonic()
            try:
                await getattr(self, name)()
            except Exception:  # pylint: disable=broad-exception-caught
                self.check(f'{name}: runs to its end', False, *traceback.format_exc().splitlines())
                self.sekisho.thaw()
            self.note(f'{name}: {time.monotonic() - started:.1f} s')
        self.check('Kamailio and Asterisk are still there', self.kamailio.process.poll() is None and self.asterisk.process.poll() is None)
        self.check('sekishod ends cleanly', self.sekisho.stop() == 0, *self.sekisho.last_words())

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()


def main(kind, tree, build, work, *only):
    cases = Cases(kind, tree, build, work)
    try:
        cases.begin()
        asyncio.run(cases.run(only))
    except Exception:  # pylint: disable=broad-exception-caught
        cases.check('the lab starts', False, *traceback.format_exc().splitlines())
    finally:
        cases.close()
    print(f'1..{cases.n}')
    return cases.failed > 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

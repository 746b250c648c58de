# SPDX-License-Identifier: GPL-2.0-or-later
"""A thief who has a telephone's password, and says that its calls go to the trunk (contacts.tsv)."""
import csv
import re
import subprocess

import lab
from lab import HERE, ROOT, EMERGENCY, SWITCH, TRUNK, Scenario, called, redirecting, until

ABROAD = '010252615123456'
PHONE = '1003'  # as it was born
FOLLOWED, IGNORED = '0501111', '0506666'  # numbers behind which Dial() follows a 302, and does not
ANSWERS = (400, 403, 416, 420, 423, 480, 500, 501, 503, 603)


def rows(how):
    with open(HERE / 'contacts.tsv', encoding='utf-8') as f:
        lines = csv.DictReader((line for line in f if not line.startswith('#')), delimiter='\t', quoting=csv.QUOTE_NONE)
        return [row for row in lines if row['how'] == how]


class Thief:
    def _said(self, row):
        words = {'PHONE': PHONE, 'HERE': self.lab.address(PHONE), 'TRUNK': TRUNK, 'EMERGENCY': EMERGENCY, 'SWITCH': SWITCH, 'ABROAD': ABROAD}
        return re.sub(r'\b(?:[A-Z]+)\b|(?<=%2F|%3A)[A-Z]+|(?<=%40)[A-Z]+', lambda m: words.get(m[0], m[0]), row['says'].replace('\\n', '\n'))

    def _register(self, headers):
        """A REGISTER with the password and these headers; the answer."""
        s = Scenario(PHONE).register(0)
        own = f'Contact: <sip:{PHONE}@[local_ip]:0>'
        s.parts = [part.replace(own, headers) for part in s.parts]
        for status in ANSWERS:
            s.parts.insert(-1, f'<recv response="{status}" optional="true" next="9"/>')
        s.label(9)
        # From the port that the trunk listens on: it is what rewrite_contact writes, beside a maddr that stays.
        sipp = lab.Sipp(self.lab, 'thief', s, self.lab.address(PHONE), 5060)
        sipp.wait()
        return [message.partition('\n')[0].strip() for way, _, message in sipp.messages() if way == 'received'][-1:]

    def _rung(self, number):
        """What is at a trunk once a call from outside has come as far as the telephone's leg."""
        s = Scenario('0901111222').invite(number, auth=False).hang_up()
        sipp = lab.Sipp(self.lab, 'inbound', s, TRUNK, self.lab.next_port())
        channels = lambda: self.lab.asterisk.cli('core show channels concise')
        until(lambda: sipp.process.poll() is not None or f'{self.lab.tech}/{PHONE}-' in channels(), 8)
        until(self._arrived, 0.5)
        self.lab.asterisk.clear()
        sipp.wait()
        return self._out()

    def _arrived(self):
        return len(self.lab.trunk.all()) > self.lab.trunk.seen or len(self.lab.emergency.all()) > self.lab.emergency.seen

    def _out(self):
        """What has come to the trunks when no call is left."""
        self.lab.asterisk.idle(1.5)
        self.lab.asterisk.clear()
        return [a.number for a in self.lab.trunk.new() + self.lab.emergency.new()]

    def _registers(self, stage, reaches):
        for row in rows('register'):
            self.lab.register(PHONE, self.lab.next_port())
            answer = self._register(self._said(row))
            seen = self._rung(FOLLOWED + PHONE)
            expected = [ABROAD] if row[self.lab.tech.lower()] in reaches else []
            self.check(f'{stage}: {PHONE} registers {row["what"]}: {"the hole is there" if expected else "nothing goes out"}', seen == expected, answer, seen)

    def contacts(self):
        self.lab.asterisk.fence(plain=True)
        self._registers('without our lines', ('plain', 'lines'))
        self.lab.asterisk.fence(plain=False)
        self._registers('with our lines', ('lines',))
        if self.lab.tech == 'PJSIP':
            rules = (ROOT / 'contrib/asterisk/trunk.nft').read_text()
            rules = rules.replace('define TRUNKS = { 192.0.2.1 }', f'define TRUNKS = {{ {TRUNK}, {EMERGENCY} }}')
            subprocess.run(['nft', '-f', '-'], input=rules, text=True, check=True)
            self._registers('with trunk.nft', ())
            self.call('1001', '0312345678')
            self.arrived('with trunk.nft: a call that may go out does', '0312345678')
            self.check('with trunk.nft: a call from the trunk comes in', self._rings(), '')
        self.lab.register(PHONE, self.lab.next_port())

    def _rings(self):
        phone = self.lab.answering(PHONE, called(PHONE, 300))
        status = self.lab.inbound(FOLLOWED + PHONE, hold=200)
        phone.wait(5)
        self._out()
        return status == 200

    def _other_ways(self):
        """A 302 to a channel, when somebody else than Dial() calls the telephone."""
        tech = self.lab.tech
        target = f'sip:PJSIP%2F{ABROAD}%40trunk@{SWITCH}' if tech == 'PJSIP' else f'sip:SIP%2Ftrunk%2F{ABROAD}@{SWITCH}'
        originate = lambda channel: self.lab.asterisk.ami.action(Action='Originate', Channel=channel, Application='Wait', Data='1', Timeout='3000')
        for what, call, out in (
                ('Queue()', lambda: self.lab.inbound('05077770000'), True),
                ('Queue() with i', lambda: self.lab.inbound('05077770001'), False),
                ('Page()', lambda: self.lab.inbound('05077770002', hold=1500), True),
                ('Page() with i', lambda: self.lab.inbound('05077770003', hold=1500), False),
                ('Originate of the telephone', lambda: originate(f'{tech}/{PHONE}'), True),
                ('Originate of a Local channel that dials with i', lambda: originate(f'Local/{IGNORED}{PHONE}@from-trunk'), False)):
            phone = self.lab.answering(PHONE, redirecting(PHONE, target))
            call()
            phone.wait(5)
            seen = self._out()
            self.check(f'{what}, a 302 to a channel: {"the hole is there" if out else "nothing goes out"}', seen == ([ABROAD] if out else []), seen)

    def redirects(self):
        for row in rows('302'):
            for prefix, how in ((FOLLOWED, 'Dial() follows'), (IGNORED, 'Dial() with i')):
                phone = self.lab.answering(PHONE, redirecting(PHONE, self._said(row)))
                self.lab.inbound(prefix + PHONE)
                phone.wait(5)
                expected = [ABROAD] if prefix == FOLLOWED and row[self.lab.tech.lower()] == 'plain' else []
                seen = self._out()
                self.check(f'{how} 302 to {row["what"]}: {"the hole is there" if expected else "nothing goes out"}', seen == expected, seen)
        self._other_ways()
        for row in rows('refer'):
            phone = self.lab.answering(PHONE, called(PHONE, 200, ('REFER', f'Refer-To: {self._said(row)}\n', '', '202'), 400))
            self.lab.inbound(FOLLOWED + PHONE, hold=1500)
            phone.wait(5)
            seen = self._out()
            self.check(f'{PHONE} transfers to {row["what"]}: nothing goes out', not seen, seen)

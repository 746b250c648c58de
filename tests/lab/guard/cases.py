# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks on a real switch: cases.tsv, row by row.

    cases.py KIND TREE BUILD_DIR WORK_DIR [CASE]...        (inside the namespaces that ./run makes)

KIND is 22-pjsip, 16-sip, kamailio or kamailio-default. A witness that the switch does not have (HEP of chan_sip, log
and AMI of Kamailio) leaves its cases out. Kamailio with its defaults gives everybody the same nonce for a second: it
has the cases of `shared` alone.
"""
import csv
import ipaddress
import itertools
import json
import operator
import pathlib
import re
import subprocess
import sys
import time
import traceback

import town
from town import SECRET, SWITCH4, until

HERE = pathlib.Path(__file__).resolve().parent
HAS = {'22-pjsip': {'wire', 'hep', 'log', 'ami', 'good', 'sha256', 'svwar', 'svcrack'},
       '16-sip': {'wire', 'log', 'ami', 'good', 'svwar', 'svcrack'},
       'kamailio-default': {'wire', 'hep', 'good', 'shared'},
       'kamailio': {'wire', 'hep', 'good'}}  # sipvicious asks for a realm and a reply that it does not have
TITLES = {'22-pjsip': 'Asterisk 22, PJSIP', '16-sip': 'Asterisk 16, chan_sip', 'kamailio': 'Kamailio 5.6',
          'kamailio-default': 'Kamailio 5.6 by its defaults'}
OPERATOR = {'unban': ['unban'], 'unban-direct': ['unban', '--direct'], 'never-ban': ['never-ban', 'add']}
OPERATORS = {'<=': operator.le, '>=': operator.ge, '==': operator.eq}


def read_cases():
    """[(watch, name, rows)], those with the same watch together, in the order of the file."""
    with open(HERE / 'cases.tsv', encoding='utf-8') as f:
        rows = list(csv.DictReader((line for line in f if not line.startswith('#')), delimiter='\t', quoting=csv.QUOTE_NONE))
    cases = {}
    for row in rows:
        cases.setdefault((row['watch'], row['case']), []).append((row['step'], row['expect'] or ''))
    watches = list(dict.fromkeys(watch for watch, _ in cases))
    return [(watch, name, cases[watch, name]) for watch in watches for w, name in cases if w == watch]


class Case:
    """One run of a case, with addresses of its own."""
    numbers = itertools.count(1)
    ports = itertools.count(6001)  # two attacks at once have two

    def __init__(self, runner):
        self.runner, self.addresses, self.beside, self.failures = runner, {}, [], []

    def address(self, name):
        if name not in self.addresses:
            n = next(Case.numbers)
            first = f'fd16:{n:x}::1' if name.startswith('6') else f'10.{18 + n // 32}.{n % 32 * 8}.1'
            self.addresses[name] = first
        return self.addresses[name]

    def fill(self, text):
        return re.sub(r'@(6?[a-z]+)', lambda m: self.address(m[1]), text)

    def options(self, words):
        options = {'each': '0', 'accounts': '1005', 'port': str(next(Case.ports))}
        for word in words:
            key, _, value = word.partition('=')
            options[key] = SECRET if (key, value) == ('password', 'right') else self.fill(value)
        return options

    @staticmethod
    def sources(options):
        """The first, the last and one between."""
        first, _, n = options['sources'].partition('+')
        n = int(n or 1)
        return [str(ipaddress.ip_address(first) + i) for i in sorted({0, n // 2, n - 1})]

    def step(self, step, expect):
        word, *words = step.split(' ')
        if word in ('attack', 'beside'):
            options = self.options(words)
            process = self.runner.world.begin(**options)
            if word == 'beside':
                self.beside.append((process, options, step, expect))
            else:
                self.judge(self.runner.world.finish(process), options, step, expect)
        elif word == 'sleep':
            time.sleep(float(words[0]))
            self.judge({}, {}, step, expect)
        elif word in OPERATOR:
            self.runner.sekisho.run(*OPERATOR[word], self.fill(words[0]))
            self.judge({}, {}, step, expect)
        elif word == 'flush':
            town.sh('nft flush ruleset')
        elif word in ('restart', 'kill'):
            self.runner.again(kill=word == 'kill')
        else:
            self.sipvicious(word, self.fill(words[0]), step, expect)

    def sipvicious(self, tool, source, step, expect):
        """The stock tools; svcrack's list has the right password in its middle, and must not find it."""
        base = self.runner.work / f'{tool}-{source}'
        base.mkdir()
        (base / 'words').write_text('\n'.join([f'guess-{i}' for i in range(300)] + [SECRET] + [f'more-{i}' for i in range(100)]) + '\n')
        # They send from the address that the route has, whatever -b says.
        self.runner.world.run(f'ip route replace {SWITCH4} dev world src {source}')
        more = {'svmap': [SWITCH4] * 30, 'svwar': ['--force', '-e4001-4400', '-m', 'REGISTER', SWITCH4], 'svcrack': ['-u1001', '-d', base / 'words', SWITCH4]}
        argv = ['env', f'HOME={base}', 'timeout', '6', tool, '-b', source, *more[tool]]
        done = subprocess.run(self.runner.world.inside(argv), capture_output=True, text=True, cwd=base)
        if tool == 'svcrack' and SECRET in done.stdout + done.stderr:
            self.failures.append(f'{step}: it found the password: {done.stdout[-300:]}')
        if tool == 'svwar' and re.search(r'\| *4\d\d\d', done.stdout):
            self.failures.append(f'{step}: it found an account')
        self.judge({}, {'sources': source}, step + f' ({(done.stdout + done.stderr)[-200:]!r})', expect)

    def judge(self, seen, options, step, expect):
        for word in expect.replace('~', '').split():
            word = self.fill(word)
            if word.startswith('held>='):
                first, _, n = options['sources'].partition('+')
                ours = {str(ipaddress.ip_address(first) + i) for i in range(int(n))}
                if not until(lambda: len(ours & self.runner.sekisho.banned()) >= int(word[6:]), 3, 0.3):
                    self.failures.append(f'{step}: {word}: {len(ours & self.runner.sekisho.banned())}')
                continue
            compare = re.fullmatch(r'(\w+)(<=|>=|==)(\d+)', word)
            if compare:
                ok = OPERATORS[compare[2]](seen[compare[1]], int(compare[3]))
            else:
                kind, _, who = word.partition('=')
                ok = self.kernel(kind, [who] if who else self.sources(options))
            if not ok:
                short = {k: v for k, v in seen.items() if k in ('guesses', 'answered', 'accepted', 'most', 'last_answer_ms')}
                self.failures.append(f'{step}: {word}: {short}')

    def kernel(self, kind, addresses):
        """A ban is there soon; what is free must still be so when the daemon has had time."""
        if kind == 'warned':
            return until(lambda: 'same nonce' in self.runner.sekisho.run('status'), 3, 0.2)
        if kind == 'quenched':
            return self.kernel('banned', addresses) and all(self.state(a) == 'quenched' for a in addresses)
        if kind == 'unbanned':
            time.sleep(0.3)
            return all(self.state(a) in ('free', 'quenched') for a in addresses)
        def all_banned():
            held = [ipaddress.ip_network(n) for n in self.runner.sekisho.banned()]
            return all(any(ipaddress.ip_address(a) in n for n in held if n.version == ipaddress.ip_address(a).version) for a in addresses)
        if kind == 'banned':
            return until(all_banned, 3, 0.2)
        if kind == 'free':
            time.sleep(0.3)
        return not all_banned()

    def state(self, address):
        return json.loads(self.runner.sekisho.run('--json', 'why', address))['state']

    def run(self, rows):
        for step, expect in rows:
            self.step(step, expect)
        for process, options, step, expect in self.beside:
            self.judge(self.runner.world.finish(process), options, step, expect)
        return self.failures


class Runner:
    def __init__(self, kind, tree, build, work):
        self.kind, self.work, self.processes, self.n, self.failed = kind, pathlib.Path(work), [], 0, 0
        self.world = town.World(pathlib.Path(build) / 'tests/lab/attack/attack')
        if kind.startswith('kamailio'):
            self.switch = town.Kamailio(work, shared=kind == 'kamailio-default')
        else:
            version, _, tech = kind.partition('-')
            self.switch = town.Asterisk(self, tree, version, tech.upper())
        self.sekisho = town.Sekisho(self, build)
        self.watch = None

    def check(self, name, failures):
        self.n += 1
        self.failed += bool(failures)
        print(f'{"not ok" if failures else "ok"} {self.n} - {TITLES[self.kind]}: {name}')
        for line in failures:
            print(f'# {line}')
        sys.stdout.flush()

    def observe_with(self, watch):
        """The daemon, watching like this, and with nothing in mind of what others saw."""
        if self.watch == watch:
            return
        if self.watch is not None:
            self.sekisho.stop()
            for path in self.sekisho.state.glob('evidence.db*'):
                path.unlink()
        self.watch = watch
        self.begin()

    def begin(self):
        parts = self.watch.split('+')
        keys = {'wire': 'yes' if 'wire' in parts else 'no', 'trunks': ''}
        if 'log' in parts:
            keys['log'] = self.switch.security
        if 'hep' in parts:
            keys['hep'] = '127.0.0.1:9061'
        self.sekisho.start('good_days = 1\n' if 'good' in parts else '', ami='ami' in parts, **keys)
        time.sleep(0.5 if 'ami' in parts else 0.1)  # AMI logs in

    def again(self, kill):
        if kill:
            self.sekisho.kill()
            time.sleep(0.5)
        else:
            self.sekisho.stop()
        self.begin()

    def run(self, only):
        self.switch.configure()
        self.switch.start()
        if not town.accept(self.switch, self.world):
            raise RuntimeError('no phone can register')
        for watch, name, rows in read_cases():
            tools = {step.split(' ')[0] for step, _ in rows} & {'svwar', 'svcrack'}
            needs = set(watch.split('+')) | tools
            if not needs <= HAS[self.kind] or ('shared' in HAS[self.kind]) != ('shared' in needs) or (only and name not in only):
                continue
            failures, started = [], time.monotonic()
            for _ in range(2 if any('~' in expect for _, expect in rows) else 1):
                try:
                    self.observe_with(watch)
                    failures = Case(self).run(rows)
                except Exception:  # pylint: disable=broad-exception-caught
                    failures = traceback.format_exc().splitlines()
                if not failures:
                    break
            self.check(f'{watch}: {name}', failures)
            print(f'# {time.monotonic() - started:.1f} s', flush=True)
        if self.watch is not None:  # else there was no such case for this kind
            self.check('sekishod ends cleanly', [] if self.sekisho.stop() == 0 else self.sekisho.last_words())

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.kill()
        if self.kind.startswith('kamailio'):
            self.switch.close()
        self.world.close()


def main(kind, tree, build, work, *only):
    runner = Runner(kind, tree, build, work)
    try:
        runner.run(only)
    except Exception:  # pylint: disable=broad-exception-caught
        runner.check('the lab starts', traceback.format_exc().splitlines())
    finally:
        runner.close()
    print(f'1..{runner.n}')
    return runner.failed > 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

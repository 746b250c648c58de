#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard's part of the HTTP API of a real sekishod against docs/openapi.yaml.

guard_api_e2e.py SEKISHOD SEKISHO_ENFORCER OPENAPI.YAML

What the answers say in every case is in guard.cases; here the daemon gives them, keeps what it should and, where root
may make a namespace, has it done by the kernel.
"""

import csv
import io
import os
import sys
import time

ROOT = os.geteuid() == 0
if ROOT:
    from enforce.place import alone, sh

    alone()
    sh('ip link set lo up')

from e2e import tap  # noqa: E402 - not before we are alone
from e2e.daemon import Daemon  # noqa: E402
from spec import Api, Spec  # noqa: E402

# Nobody has three days: known good sources are forgotten in guard.cases.
ELSEWHERE = {('deleteKnownGood', '204'), ('deleteKnownGoodSource', '204')}

CONFIG = {'http': {'socket': '{dir}/s'},
          'guard': {'enforce': 'yes', 'enforcer': os.path.abspath(sys.argv[2]) if ROOT else '/nonexistent',
                    'enforcer_user': 'nobody', 'never_ban': '{dir}/never-ban'},
          'switch local': {'log': '{dir}/security', 'wire': 'no'}}

LINE = ('[2026-11-24 02:33:12] SECURITY[812] res_security_log.c: SecurityEvent="{event}",'
        'EventTV="2026-11-24T02:33:12.141+0000",Severity="{severity}",Service="PJSIP",EventVersion="2",'
        'AccountID="{account}",SessionID="{session}",LocalAddress="IPV4/TCP/192.0.2.200/5060",'
        'RemoteAddress="IPV4/TCP/{source}/5060"{rest}\n')
REFUSED = {'event': 'InvalidPassword', 'severity': 'Error', 'rest': ',Challenge="1",ReceivedChallenge="2",ReceivedHash="3"'}
WELCOME = {'event': 'SuccessfulAuth', 'severity': 'Informational', 'rest': ',UsingPassword="1"'}


def tag(answer):
    return {'If-Match': answer.headers['ETag']}


def tell(daemon, source, account, times=1, what=REFUSED):
    """Asterisk writes so many lines into its security log."""
    with open(daemon.dir + '/security', 'a', encoding='utf-8') as f:
        for i in range(times):
            f.write(LINE.format(source=source, account=account, session=f'{source}-{i}', **what))


def until(what, seconds=10):
    """Asks until the answer is true: what is told to the guard by a witness takes a moment."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, 'nothing has come of it'
        time.sleep(0.05)
    return answer


# ---- what the operator tells it beforehand --------------------------------------------------------


def one_list(api, kind, other):
    """The routes that never-ban and the access list have in common."""
    first = api('put' + kind, 201, {'note': 'office'}, network='198.51.100.0/24', query={'consent': 'ipv6-closed'})
    assert first.json['network'] == '198.51.100.0/24' and first.json['note'] == 'office', first
    again = api('put' + kind, 200, {'note': 'office'}, network='198.51.100.0/24')
    assert again.json == first.json and again.headers['ETag'] == first.headers['ETag']
    api('put' + kind, 412, None, network='198.51.100.0/24', headers={'If-None-Match': '*'})
    changed = api('put' + kind, 200, {'note': 'head office'}, network='198.51.100.0/24', headers=tag(first))
    api('put' + kind, 422, {'note': 'head office'}, network='198.51.100.1/24')
    api('put' + kind, 422, {'notes': 'x'}, network='198.51.100.0/24')
    seen = api('get' + kind, 200, network='198.51.100.0/24')
    assert seen.json == changed.json
    api('get' + kind, 304, network='198.51.100.0/24', headers={'If-None-Match': seen.headers['ETag']})
    api('get' + kind, 404, network='198.51.100.0')
    api('get' + kind, 422, network='everybody')
    api('put' + kind, 201, network=other)
    page = api('list' + kind, 200, query={'limit': 1}).json
    assert [n['network'] for n in page['items']] == ['198.51.100.0/24'] and page['next']
    page = api('list' + kind, 200, query={'cursor': page['next']}).json
    assert [n['network'] for n in page['items']] == [other] and not page['next']
    api('delete' + kind, 412, network='198.51.100.0/24', headers=tag(first))
    api('delete' + kind, 422, network='everybody')
    api('delete' + kind, 404, network='203.0.113.0/24')


def access(api):
    refused = api('putAccess', 409, {'note': 'office'}, network='198.51.100.0/24').json
    assert [harm['word'] for harm in refused['consent']] == ['ipv6-closed'], refused
    one_list(api, 'Access', '2001:db8::/32')
    refused = api('deleteAccess', 409, network='198.51.100.0/24').json
    assert [harm['word'] for harm in refused['consent']] == ['ipv4-closed'], refused
    api('deleteAccess', 204, network='2001:db8::/32', query={'consent': 'ipv6-closed'})
    refused = api('deleteAccess', 409, network='198.51.100.0/24').json
    assert [harm['word'] for harm in refused['consent']] == ['opened'], refused
    api('deleteAccess', 204, network='198.51.100.0/24', query={'consent': 'opened'})
    assert api('listAccess', 200).json['items'] == []


def never_ban(api):
    one_list(api, 'NeverBan', '203.0.113.9')
    refused = api('putNeverBan', 409, network='10.0.0.0/8').json
    assert [harm['word'] for harm in refused['consent']] == ['wide'], refused
    for network in ('198.51.100.0/24', '203.0.113.9'):
        api('deleteNeverBan', 204, network=network)


def canaries(api):
    made = api('putCanary', 201, {'note': 'nobody'}, switch='local', name='Admin')
    assert made.json['account'] == 'admin', made
    api('putCanary', 200, {'note': 'nobody'}, switch='local', name='admin', headers=tag(made))
    api('putCanary', 412, {'note': 'x'}, switch='local', name='admin', headers={'If-None-Match': '*'})
    api('putCanary', 422, None, switch='local', name='a b')
    api('putCanary', 404, None, switch='nowhere', name='admin')
    api('createAccount', 201, {'name': 'somebody'})
    api('putCanary', 409, None, switch='local', name='somebody')
    seen = api('getCanary', 200, switch='local', name='admin')
    api('getCanary', 304, switch='local', name='admin', headers={'If-None-Match': seen.headers['ETag']})
    api('getCanary', 404, switch='local', name='root')
    assert [c['account'] for c in api('listCanaries', 200).json['items']] == ['admin']
    api('deleteCanary', 412, switch='local', name='admin', headers={'If-Match': '"1"'})
    api('deleteCanary', 204, switch='local', name='admin')
    api('deleteCanary', 404, switch='local', name='admin')


# ---- what the guard decides, and the operator ------------------------------------------------------


def bans(api, daemon):
    assert api('listBans', 200).json['items'] == []
    made = api('createBan', 201, {'network': '198.18.7.0/24', 'seconds': 3600, 'note': 'ticket 4711'})
    assert made.headers['Location'] == '/v1/bans/198.18.7.0%2F24'
    assert made.json['by'] == 'operator' and made.json['seconds'] == 3600 and made.json['note'] == 'ticket 4711'
    assert api('getBan', 200, network='198.18.7.0/24').json == made.json
    assert api('listBans', 200).json['items'] == [made.json]
    api('createBan', 422, {'network': '10.0.0.0/8'})
    api('createBan', 409, {'network': '127.0.0.0/24'}, query={'consent': 'caller-banned'})
    refused = api('createBan', 409, {'network': '127.0.0.0/24'}).json
    assert refused['consent'][0]['word'] == 'caller-banned'
    api('getBan', 404, network='198.18.7.1')
    api('getBan', 422, network='somebody')
    api('deleteBan', 404, network='198.18.7.1')
    api('deleteBan', 422, network='somebody')
    api('listBans', 422, query={'attack': 'love'})
    api('createBan', 201, {'network': '198.18.7.7'})
    assert api('deleteBan', 200, network='198.18.7.7').json['network'] == '198.18.7.0/24'
    api('deleteBan', 204, network='198.18.7.0/24')
    api('createBan', 201, {'network': '198.18.7.99', 'note': 'for good'})


def attacks_are_banned(api, daemon):
    tell(daemon, '203.0.113.5', '1001', 5)
    ban = until(lambda: api('listBans', 200, query={'network': '203.0.113.5'}).json['items'])[0]
    assert ban['attack'] == 'brute-force' and ban['by'] == 'guard' and ban['witness'] == 'log', ban
    assert ban['switch'] == 'local' and ban['count'] == ban['threshold'] == 5, ban
    why = api('why', 200, query={'address': '203.0.113.5'}).json
    assert why['state'] == 'banned' and len(why['attempts']) == 5 and why['undo'] == 'DELETE /v1/bans/203.0.113.5'
    assert {a['outcome'] for a in why['attempts']} == {'wrong-credentials'}, why
    assert {a['proof'] for a in why['attempts']} == {'proved'}, why
    assert any('5 attempts within 600 seconds' in sentence['en'] for sentence in why['text']), why['text']
    decision = until(lambda: api('why', 200, query={'address': '203.0.113.5'}).json['decisions'])[0]
    assert decision['event'] == 'ban' and decision['named'] == len(decision['attempts']) == 5, decision
    assert decision['attempts'][0]['account'] == '1001' and decision['attempts'][0]['proof'] == 'proved', decision
    api('deleteBan', 204, network='203.0.113.5')
    why = until(lambda: (w := api('why', 200, query={'address': '203.0.113.5'}).json)['decisions'][0]['event']
                == 'unban' and w)
    assert why['state'] == 'free' and 'unban' in why['text'][-1]['en'], why
    tell(daemon, '203.0.113.5', '1001', 5)
    until(lambda: api('listBans', 200, query={'network': '203.0.113.5'}).json['items'])
    api('why', 422)
    api('why', 404, query={'account': '1001', 'switch': 'nowhere'})


def accounts_are_locked(api, daemon, spec):
    api('createTenant', 201, {'name': 'other', 'parent': 'main'})
    api('createAccount', 201, {'name': '2001', 'tenant': 'main'})
    for i in range(10):
        tell(daemon, f'203.0.114.{i + 1}', '2001')
    lock = until(lambda: api('listLockouts', 200).json['items'])[0]
    assert lock['account'] == '2001' and lock['kind'] == 'international' and lock['tenant'] == 'main', lock
    assert api('getLockout', 200, switch='local', name='2001').json == lock
    api('listLockouts', 422, query={'kind': 'love'})
    main = Api(daemon, spec, daemon.api.token('tenant:main'))
    other = Api(daemon, spec, daemon.api.token('tenant:other'))
    assert main('listLockouts', 200).json['items'] == [lock]
    assert other('listLockouts', 200).json['items'] == []
    main('getLockout', 200, switch='local', name='2001')
    other('getLockout', 404, switch='local', name='2001')
    main('deleteLockout', 403, switch='local', name='2001')
    verdict = {'switch': 'local', 'account': '2001', 'number': '010252615123456', 'remote': '192.0.2.1'}
    assert api('authorize', 200, verdict).json['verdict'] == 'deny'
    why = api('why', 200, query={'account': '2001'}).json
    assert why['state'] == 'international' and len(why['attempts']) == 10, why
    api('deleteLockout', 204, switch='local', name='2001')
    api('deleteLockout', 404, switch='local', name='2001')
    # Somebody gets it right at last.
    for i in range(5):
        tell(daemon, f'203.0.115.{i + 1}', '2001')
    tell(daemon, '203.0.115.9', '2001', 1, WELCOME)
    until(lambda: api('listLockouts', 200, query={'kind': 'takeover'}).json['items'])
    refused = api('deleteLockout', 409, switch='local', name='2001').json
    assert refused['consent'][0]['word'] == 'takeover', refused


def the_report(api, daemon):
    report = until(lambda: (r := api('attacks', 200).json)['attempts'] >= 20 and r)
    assert report['attacks'][0]['attack'] == 'brute-force' and report['attacks'][0]['share'] > 0.2, report
    assert abs(sum(kind['share'] for kind in report['attacks']) - 1) < 0.001, report['attacks']
    assert report['sources']['items'][0]['key'] == '203.0.113.5', report['sources']
    assert report['accounts']['items'][0]['key'] == '2001', report['accounts']
    assert {n['key'] for n in report['networks']['items']} >= {'203.0.113.0/24', '203.0.114.0/24'}, report['networks']
    assert report['decisions']['ban'] >= 1 and report['decisions']['takeover'] == 1, report['decisions']
    assert report['witnesses'][0]['witness'] == 'log' and report['witnesses'][0]['refused'] >= 20, report
    assert api('attacks', 200, query={'switch': 'local', 'top': 1}).json['sources']['items'] == \
        report['sources']['items'][:1]
    rows = list(csv.DictReader(io.StringIO(api('attacks', 200, query={'format': 'csv'}).raw.decode())))
    assert rows[0]['section'] == 'attempts' and int(rows[0]['attempts']) == report['attempts'], rows
    assert [r['key'] for r in rows if r['section'] == 'sources'] == [s['key'] for s in report['sources']['items']]
    past = api('attacks', 200, query={'since': '2020-01-01T00:00:00Z', 'until': '2020-02-01T00:00:00Z'}).json
    assert past['attempts'] == 0 and past['attacks'] == past['sources']['items'] == [], past
    for wrong in ({'top': 1001}, {'format': 'xml'}, {'since': 'yesterday'}, {'switch': 'nowhere'},
                  {'since': '2026-02-01T00:00:00Z', 'until': '2026-01-01T00:00:00Z'}):
        api('attacks', 422, query=wrong)


def known_good(api):
    assert api('listKnownGood', 200).json == {'items': [], 'next': None}
    assert api('listKnownGood', 200, query={'account': '2001', 'switch': 'local'}).json['items'] == []
    api('listKnownGood', 422, query={'switch': 'nowhere'})
    api('listKnownGood', 422, query={'network': 'somewhere'})
    api('deleteKnownGood', 404, switch='local', name='2001')
    api('deleteKnownGoodSource', 404, switch='local', name='2001', network='192.0.2.1')
    api('deleteKnownGoodSource', 422, switch='local', name='2001', network='somewhere')


def in_kernel(text):
    return text in sh('nft list table inet sekisho')


def the_kernel_obeys(api):
    """Every act reaches it, and is undone there."""
    until(lambda: api('status', 200).json['guard']['enforcer']['state'] == 'effective')
    api('createBan', 201, {'network': '198.18.8.8'})
    until(lambda: in_kernel('198.18.8.8'))
    api('deleteBan', 204, network='198.18.8.8')
    until(lambda: not in_kernel('198.18.8.8'))
    api('putAccess', 201, network='198.18.9.0/24', query={'consent': 'ipv6-closed'})
    until(lambda: in_kernel('198.18.9.0/24'))
    api('deleteAccess', 204, network='198.18.9.0/24', query={'consent': 'opened'})
    until(lambda: not in_kernel('198.18.9.0/24'))
    api('putNeverBan', 201, network='198.18.10.0/24')
    until(lambda: in_kernel('198.18.10.0/24'))
    until(lambda: api('createBan', 409, {'network': '198.18.10.1'}))


def the_status_tells(api):
    guard = api('status', 200).json['guard']
    if ROOT:
        assert guard['enforcer']['bans'] >= 1 and guard['enforcer']['counted'], guard
    else:
        assert guard['enforcer']['state'] == 'none' and guard['enforcer']['why'], guard
    log = [w for w in guard['witnesses'] if w['witness'] == 'log'][0]
    assert log['switch'] == 'local' and log['connected'] and log['attempts'] >= 21, log
    assert guard['figures']['bans'] >= 1 and guard['figures']['takeovers'] == 1, guard


def a_restart_keeps_it(api, daemon):
    before = {(b['network'], b['by'], b['until']) for b in api('listBans', 200).json['items']}
    locks = {(lock['account'], lock['kind']) for lock in api('listLockouts', 200).json['items']}
    assert daemon.stop() == 0, daemon.read_log()
    daemon.start()
    after = {(b['network'], b['by'], b['until']) for b in api('listBans', 200).json['items']}
    assert before == after and ('198.18.7.99', 'operator', None) in after, (before, after)
    held = {(lock['account'], lock['kind']) for lock in api('listLockouts', 200).json['items']}
    assert held == locks, (locks, held)


def operator_only(api, daemon, spec):
    tenant = Api(daemon, spec, daemon.api.token('tenant:main'))
    parts = {'network': '192.0.2.1', 'switch': 'local', 'name': '2001'}
    for name, operation in spec.operations.items():
        if 'guard' in operation['tags'] and 'tenant' not in operation['x-scopes']:
            tenant(name, 403, **parts)


def main():
    program, _, openapi = sys.argv[1:4]
    spec = Spec(openapi)
    operations = [name for name, operation in spec.operations.items() if 'guard' in operation['tags']]
    with Daemon(program, CONFIG) as daemon:
        os.close(os.open(daemon.dir + '/security', os.O_CREAT | os.O_WRONLY))
        api = Api(daemon, spec, daemon.api.token('operator'))
        tap.attempt('the access list', access, api)
        tap.attempt('never-ban', never_ban, api)
        tap.attempt('canaries', canaries, api)
        tap.attempt('what is the operator\'s is nobody else\'s', operator_only, api, daemon, spec)
        tap.attempt('bans by hand', bans, api, daemon)
        tap.attempt('who guesses is banned, and why', attacks_are_banned, api, daemon)
        tap.attempt('an account that is guessed at is locked, and why', accounts_are_locked, api, daemon, spec)
        tap.attempt('known good sources', known_good, api)
        tap.attempt('what share of the attacks was what', the_report, api, daemon)
        if ROOT:
            tap.attempt('the kernel obeys', the_kernel_obeys, api)
        tap.attempt('the status tells of it', the_status_tells, api)
        tap.attempt('a restart keeps it', a_restart_keeps_it, api, daemon)
        tap.check('it ends cleanly', daemon.stop() == 0 and not daemon.complaints(), daemon.read_log())
        for name in operations:
            missing = {s for n, s in spec.expected() - spec.seen - ELSEWHERE if n == name}
            tap.check(f'{name}: every answer that is documented was given', not missing, f'not seen: {missing}')
    tap.done()


main()

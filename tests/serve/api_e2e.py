#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTTP API of a real sekishod against docs/openapi.yaml.

api_e2e.py SEKISHOD ROUTES OPENAPI.YAML
"""

import csv
import hashlib
import io
import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time

from e2e import calls as call_records, loopback, tap
from e2e.daemon import Daemon
from e2e.http import Client
from e2e.metrics import parse
from e2e.smtp import Smtp
from spec import CSV, FORM, JSON, LINES, PATCH, Api, Spec

CONFIG = {'http': {'socket': '{dir}/s', 'backup_dir': '{dir}/backups'}}


def tag(answer):
    return {'If-Match': answer.headers['ETag']}


# ---- the description itself ----------------------------------------------------------------------


def routes_agree(spec, routes):
    table = {}
    for line in subprocess.run([routes], check=True, capture_output=True, text=True).stdout.splitlines():
        method, path, scopes, query = line.split('\t')
        table[(method, path)] = (set(scopes.split()), set(query.split()))
    described = {}
    for operation in spec.operations.values():
        query = {p['name'] for p in operation['parameters'] if p['in'] == 'query'}
        described[(operation['method'], operation['path'])] = (set(operation['x-scopes']), query)
    assert table == described, f'{set(table) ^ set(described)}' + ''.join(
        f'\n{key}: {table[key]} is described as {described[key]}'
        for key in table if key in described and table[key] != described[key])


def examples_hold(spec):
    for what, schema, example in spec.examples():
        spec.validate(schema, example, what)


# ---- each resource -------------------------------------------------------------------------------


def metrics(api, daemon):
    before = parse(api('metrics', 200).raw)
    assert before[('sekisho_build_info', ('version', api('status', 200).json['version']))] == 1
    denied, allowed = ('sekisho_decisions_total', ('verdict', 'deny')), ('sekisho_decisions_total', ('verdict', 'allow'))
    status = api('status', 200).json
    after = parse(api('metrics', 200).raw)
    assert (after[denied], after[allowed]) == (status['decisions']['denied'], status['decisions']['allowed'])
    assert after[('sekisho_change',)] == status['change']
    assert after[('sekisho_http_requests_total',)] == before[('sekisho_http_requests_total',)] + 3
    assert after[('sekisho_guard_running',)] == (status['guard'] is not None)
    assert ('sekisho_guard_memory_bytes',) in after or status['guard'] is None
    for name in before:
        assert not name[0].endswith('_total') or after[name] >= before[name], name


def daemon_resources(api, daemon):
    api('health', 200)
    status = api('status', 200).json
    assert status['counts']['switches'] == 1 and status['counts']['tenants'] == 1, status
    settings = api('getSettings', 200)
    api('getSettings', 304, headers={'If-None-Match': settings.headers['ETag']})
    changed = api('changeSettings', 200, {'refusal_days': 90}, headers=tag(settings))
    assert changed.json['refusal_days'] == 90
    api('changeSettings', 412, {'refusal_days': 91}, headers=tag(settings))
    api('changeSettings', 422, {'refusal_days': 0})
    api('changeSettings', 422, {'refusal_days': None})
    assert api('getSettings', 200).json == changed.json


def backup(api, daemon):
    path = daemon.dir + '/backups/one'
    made = api('backup', 200, {'path': path})
    assert made.json['path'] == path and os.path.isdir(path)
    api('backup', 409, {'path': path})
    for wrong in ('backups/two', daemon.dir + '/backups/../two', daemon.dir + '/two', '/', '',
                  daemon.dir + '/backups', daemon.dir + '/backupsx/two', daemon.dir + '/backups/./two'):
        api('backup', 422, {'path': wrong})
        assert not os.path.exists(daemon.dir + '/two')
    local = daemon.api.local('POST', '/v1/backup', {'path': daemon.dir + '/two'})
    assert local.status == 200, local
    assert os.path.isdir(daemon.dir + '/two')


def switches(api):
    new = {'name': 'tokyo-1', 'plan': 'JP', 'addresses': ['192.0.2.10', '2001:db8::/64'], 'outside': '0',
           'extensions': '1XXX', 'area': '03', 'form': '+e164', 'unknown': 'born', 'adopt_tenant': 'main',
           'tenants': ['main'], 'note': 'rack 7'}
    made = api('createSwitch', 201, new)
    assert made.headers['Location'] == '/v1/switches/tokyo-1'
    for key, value in new.items():
        assert made.json[key] == value, (key, made.json)
    assert made.json['mode'] == 'enforce'
    api('createSwitch', 409, new)
    api('createSwitch', 409, dict(new, name='tokyo-2'))
    api('createSwitch', 422, {'name': 'tokyo-2', 'plan': 'XX'})
    api('createSwitch', 422, {'name': 'tokyo-2', 'plan': 'JP', 'extensions': '11X'})
    api('createSwitch', 422, {'name': 'tokyo-2', 'plan': 'JP', 'addresses': ['192.0.2.300']})
    api('createSwitch', 422, {'name': 'tokyo-2', 'plan': 'JP', 'unknown': 'born'})
    api('createSwitch', 422, {'name': 'tokyo-2', 'plan': 'JP', 'tenants': ['nobody']})
    assert {s['name'] for s in api('listSwitches', 200).json['items']} == {'local', 'tokyo-1'}
    seen = api('getSwitch', 200, name='tokyo-1')
    assert seen.json == made.json and seen.headers['ETag'] == made.headers['ETag']
    api('getSwitch', 304, name='tokyo-1', headers={'If-None-Match': seen.headers['ETag']})
    api('getSwitch', 404, name='tokyo-9')
    api('changeSwitch', 404, {'mode': 'observe'}, name='tokyo-9')
    changed = api('changeSwitch', 200, {'mode': 'observe'}, name='tokyo-1', headers=tag(seen))
    assert changed.json['mode'] == 'observe' and changed.json['addresses'] == new['addresses']
    api('changeSwitch', 412, {'mode': 'enforce'}, name='tokyo-1', headers=tag(seen))
    api('changeSwitch', 422, {'mode': 'inherit'}, name='tokyo-1')
    api('changeSwitch', 409, {'addresses': ['127.0.0.1']}, name='tokyo-1')
    put = {k: v for k, v in new.items() if k != 'name'}
    first = api('putSwitch', 200, put, name='tokyo-1')
    again = api('putSwitch', 200, put, name='tokyo-1')
    assert first.json['mode'] == 'enforce' and again.headers['ETag'] == first.headers['ETag']
    api('putSwitch', 412, put, name='tokyo-1', headers={'If-None-Match': '*'})
    api('putSwitch', 412, put, name='tokyo-1', headers=tag(seen))
    api('putSwitch', 412, put, name='tokyo-3', headers={'If-Match': '*'})
    api('putSwitch', 409, put, name='tokyo-3')
    api('putSwitch', 422, {}, name='tokyo-3')
    api('putSwitch', 422, {'plan': 'JP'}, name='Tokyo 3')
    api('putSwitch', 201, {'plan': 'JP'}, name='tokyo-3', headers={'If-None-Match': '*'})
    api('createAccount', 201, {'name': '1001', 'switch': 'tokyo-3', 'tenant': 'main'})
    api('deleteSwitch', 409, name='tokyo-3')
    api('deleteSwitch', 412, name='tokyo-1', headers=tag(seen))
    api('deleteSwitch', 204, name='tokyo-1', headers=tag(first))
    api('deleteSwitch', 404, name='tokyo-1')
    account = api('findAccount', 200, switch='tokyo-3', name='1001')
    api('deleteAccount', 204, id=account.json['id'])
    api('deleteSwitch', 204, name='tokyo-3')


def tenants(api):
    made = api('createTenant', 201, {'name': 'umeda', 'title': '梅田商事', 'parent': 'main', 'preset': 'jp'})
    assert made.json == {'name': 'umeda', 'title': '梅田商事', 'parent': 'main', 'mode': 'inherit', 'preset': 'jp',
                         'language': 'ja', 'area': '', 'mail': [], 'stopped': False, 'change': made.json['change']}
    api('createTenant', 409, {'name': 'umeda'})
    api('createTenant', 422, {'name': 'Umeda'})
    api('createTenant', 422, {'name': 'x', 'parent': 'nobody'})
    api('createTenant', 422, {'name': 'x', 'title': 'a\nb'})
    names = [t['name'] for t in api('listTenants', 200).json['items']]
    assert names == ['main', 'umeda'], names
    below = api('listTenants', 200, query={'tenant': 'umeda'}).json['items']
    assert [t['name'] for t in below] == ['umeda']
    api('listTenants', 422, query={'tenant': 'nobody'})
    api('getTenant', 404, name='nobody')
    api('getTenant', 304, name='umeda', headers={'If-None-Match': 'W/' + made.headers['ETag'] + ', "0"'})
    changed = api('changeTenant', 200, {'language': 'en', 'title': None}, name='umeda', headers=tag(made))
    assert changed.json['language'] == 'en' and changed.json['title'] == ''
    api('changeTenant', 422, {'mail': ['nobody']}, name='umeda')
    assert api('getTenant', 200, name='umeda').json == changed.json
    api('changeTenant', 412, {'language': 'en'}, name='umeda', headers=tag(made))
    api('changeTenant', 404, {'language': 'en'}, name='nobody')
    api('changeTenant', 422, {'parent': 'umeda'}, name='umeda')
    api('changeTenant', 422, {'parent': 'umeda'}, name='main')
    put = {'title': 'x', 'parent': 'main'}
    first = api('putTenant', 200, put, name='umeda')
    assert first.json['preset'] is None
    assert api('putTenant', 200, put, name='umeda').headers['ETag'] == first.headers['ETag']
    api('putTenant', 412, put, name='umeda', headers={'If-None-Match': '*'})
    api('putTenant', 422, {'language': 'fr'}, name='umeda')
    api('putTenant', 201, {'parent': 'umeda'}, name='kita')
    api('deleteTenant', 409, name='umeda')
    api('deleteTenant', 412, name='kita', headers=tag(first))
    api('deleteTenant', 204, name='kita')
    api('deleteTenant', 404, name='kita')


def presets(api):
    rules = [{'action': 'restrict', 'prefix': '011'}]
    made = api('createPreset', 201, {'name': 'us', 'title': 'United States', 'rules': rules})
    assert made.json['rules'] == [
        {'action': 'restrict', 'prefix': '011', 'until': None, 'schedule': None, 'mandatory': False}]
    api('createPreset', 409, {'name': 'us', 'rules': rules})
    api('createPreset', 422, {'name': 'us2', 'rules': rules + rules})
    api('createPreset', 422, {'name': 'us2', 'rules': [dict(rules[0], mandatory=True)]})
    assert {p['name'] for p in api('listPresets', 200).json['items']} == {'jp', 'us'}
    api('getPreset', 200, name='us')
    api('getPreset', 304, name='us', headers={'If-None-Match': '*'})
    api('getPreset', 404, name='fr')
    changed = api('changePreset', 200, {'title': None}, name='us', headers=tag(made))
    assert changed.json['rules'] == made.json['rules'] and changed.json['title'] == ''
    api('changePreset', 412, {'title': 'x'}, name='us', headers=tag(made))
    api('changePreset', 404, {'title': 'x'}, name='fr')
    api('changePreset', 422, {'rules': None}, name='us')
    put = {'rules': rules + [{'action': 'except', 'prefix': '01144'}]}
    first = api('putPreset', 200, put, name='us')
    assert api('putPreset', 200, {'rules': put['rules'][::-1]}, name='us').headers['ETag'] == first.headers['ETag']
    api('putPreset', 412, put, name='us', headers=tag(made))
    api('putPreset', 422, {}, name='us')
    api('putPreset', 201, {'rules': []}, name='none')
    api('deletePreset', 204, name='none')
    api('deletePreset', 404, name='none')
    api('changeTenant', 200, {'preset': 'us'}, name='umeda')
    born = api('createAccount', 201, {'name': 'us-1', 'tenant': 'umeda'}).json
    assert api('listAccountRules', 200, id=born['id']).json['items'] == first.json['rules']
    api('deletePreset', 409, name='us')
    api('deleteAccount', 204, id=born['id'])
    api('changeTenant', 200, {'preset': None}, name='umeda')
    api('deletePreset', 412, name='us', headers=tag(made))
    api('deletePreset', 204, name='us')


def accounts(api):
    api('createAccount', 422, {'name': 'Desk-1'})  # in which of two tenants?
    made = api('createAccount', 201, {'name': 'Desk-1', 'tenant': 'main', 'note': '2F 受付'})
    account = made.json
    assert made.headers['Location'] == f'/v1/accounts/{account["id"]}'
    assert (account['name'], account['switch'], account['tenant']) == ('desk-1', 'local', 'main')
    assert account['state'] == 'active' and not account['adopted'] and not account['stopped']
    rules = api('listAccountRules', 200, id=account['id']).json['items']
    assert [(r['action'], r['prefix']) for r in rules] == [('restrict', '010')]
    api('createAccount', 409, {'name': 'DESK-1', 'tenant': 'umeda'})
    api('createAccount', 422, {'name': 'a b'})
    api('createAccount', 422, {'name': 'x', 'tenant': 'nobody'})
    api('createAccount', 422, {'name': 'x', 'tenant': 'main', 'switch': 'nowhere'})
    assert api('getAccount', 200, id=account['id']).json == account
    api('getAccount', 304, id=account['id'], headers={'If-None-Match': made.headers['ETag']})
    api('getAccount', 404, id=999999)
    for wrong in ('0', '01', '-1', '1.0', '999999999999999999999', 'x'):
        api('getAccount', 404, id=wrong)
    found = api('findAccount', 200, switch='local', name='DESK-1')
    assert found.json == account
    api('findAccount', 304, switch='local', name='desk-1', headers={'If-None-Match': found.headers['ETag']})
    api('findAccount', 404, switch='local', name='desk-2')
    api('findAccount', 404, switch='nowhere', name='desk-1')
    changed = api('changeAccount', 200, {'state': 'suspended', 'note': None}, id=account['id'], headers=tag(made))
    assert changed.json['state'] == 'suspended' and changed.json['note'] == ''
    api('changeAccount', 412, {'state': 'active'}, id=account['id'], headers=tag(made))
    api('changeAccount', 422, {'state': 'asleep'}, id=account['id'])
    api('changeAccount', 404, {'state': 'active'}, id=999999)
    same = api('changeAccount', 200, {'state': 'suspended'}, id=account['id'])
    assert same.headers['ETag'] == changed.headers['ETag'], 'nothing changed, and yet it is a change'
    moved = api('changeAccount', 200, {'name': 'desk-9', 'tenant': 'umeda'}, id=account['id'])
    assert (moved.json['name'], moved.json['tenant']) == ('desk-9', 'umeda')
    put = api('putAccount', 200, {'note': 'x'}, switch='local', name='Desk-9')
    assert put.json['tenant'] == 'umeda' and put.json['state'] == 'active' and put.json['id'] == account['id']
    assert api('putAccount', 200, {'note': 'x'}, switch='local', name='desk-9').headers['ETag'] == put.headers['ETag']
    api('putAccount', 412, {}, switch='local', name='desk-9', headers={'If-None-Match': '*'})
    api('putAccount', 404, {}, switch='nowhere', name='desk-9')
    api('putAccount', 422, {'tenant': 'nobody'}, switch='local', name='desk-9')
    api('putAccount', 422, {}, switch='local', name='a b')
    api('putAccount', 422, None, switch='local', name='desk-10')
    fresh = api('putAccount', 201, {'tenant': 'main'}, switch='local', name='desk-10', headers={'If-None-Match': '*'})
    api('deleteAccount', 412, id=fresh.json['id'], headers=tag(made))
    api('deleteAccount', 204, id=fresh.json['id'], headers=tag(fresh))
    api('deleteAccount', 404, id=fresh.json['id'])
    later = api('createAccount', 201, {'name': 'desk-10', 'tenant': 'main'})
    assert later.json['id'] > fresh.json['id'], 'an id was used again'
    names = [a['name'] for a in api('listAccounts', 200, query={'q': 'DESK'}).json['items']]
    assert names == ['desk-9', 'desk-10'], names
    assert [a['name'] for a in api('listAccounts', 200, query={'tenant': 'umeda'}).json['items']] == ['desk-9']
    assert api('listAccounts', 200, query={'state': 'locked'}).json['items'] == []
    assert api('listAccounts', 200, query={'adopted': 'true'}).json['items'] == []
    for query in ({'limit': 0}, {'limit': 1001}, {'limit': 'x'}, {'cursor': 'x'}, {'state': 'x'}, {'q': ''},
                  {'tenant': 'nobody'}, {'adopted': '1'}, {'sort': 'name'}, {'switch': 'A B'}):
        api('listAccounts', 422, query=query)


def rules_of(api, kind, **owner):
    """The same for accounts, tenants and the operator."""
    title = kind.capitalize()
    lists, replace = f'list{title}Rules', f'replace{title}Rules'
    put, delete = f'put{title}Rule', f'delete{title}Rule'
    before = api(lists, 200, **owner)
    api(lists, 304, headers={'If-None-Match': before.headers['ETag']}, **owner)
    first = api(put, 201, {'until': '2026-12-01T09:00:00+09:00'}, action='except', prefix='0101212', **owner)
    assert first.json == {'action': 'except', 'prefix': '0101212', 'until': '2026-12-01T00:00:00Z',
                          'schedule': None, 'mandatory': False}
    again = api(put, 200, {'until': '2026-12-01T00:00:00Z'}, action='except', prefix='0101-212', **owner)
    assert again.headers['ETag'] == first.headers['ETag']
    api(put, 412, None, action='except', prefix='0102', headers=tag(before), **owner)
    hours = api(put, 201, {'schedule': 'mon-fri,!holidays 09:00-18:00 Asia/Tokyo'}, action='restrict', prefix='#7',
                **owner)
    assert hours.json['prefix'] == '#7'
    for action, prefix, body in (('allow', '010', None), ('restrict', 'x', None), ('restrict', '1' * 33, None),
                                 ('restrict', '010', {'schedule': 'now'}), ('restrict', '010', {'until': 'x'}),
                                 ('except', '010', {'mandatory': True}), ('restrict', '010', {'prefix': '0'})):
        api(put, 422, body, action=action, prefix=prefix, **owner)
    api(delete, 412, action='restrict', prefix='#7', headers=tag(before), **owner)
    api(delete, 422, action='x', prefix='#7', **owner)
    api(delete, 204, action='restrict', prefix='#7', headers=tag(hours), **owner)
    api(delete, 404, action='restrict', prefix='#7', **owner)
    items = [{'action': 'restrict', 'prefix': '010'}, {'action': 'except', 'prefix': '01044'}]
    one = api(replace, 200, {'items': items}, **owner)
    two = api(replace, 200, {'items': items[::-1]}, **owner)
    assert one.headers['ETag'] == two.headers['ETag'] and one.json == two.json
    assert {(r['action'], r['prefix']) for r in one.json['items']} == {('restrict', '010'), ('except', '01044')}
    api(replace, 412, {'items': []}, headers=tag(before), **owner)
    api(replace, 422, {'items': items + items}, **owner)
    api(replace, 422, {'items': [{'action': 'restrict', 'prefix': ''}]}, **owner)
    api(replace, 422, {}, **owner)
    assert api(lists, 200, **owner).json == one.json
    if kind == 'operator':
        made = api(put, 201, {'mandatory': True}, action='restrict', prefix='0990', **owner)
        assert made.json['mandatory'] is True
    else:
        api(put, 422, {'mandatory': True}, action='restrict', prefix='0990', **owner)
        gone = dict.fromkeys(owner, '999999')
        api(lists, 404, **gone)
        api(replace, 404, {'items': []}, **gone)
        api(put, 404, None, action='restrict', prefix='010', **gone)
        api(delete, 404, action='restrict', prefix='010', **gone)
    api(replace, 200, {'items': [{k: r[k] for k in r} for r in before.json['items']]}, **owner)


def stops(api):
    account = api('findAccount', 200, switch='local', name='desk-9').json
    for scope in ('operator', 'tenant:umeda', f'account:{account["id"]}'):
        made = api('putStop', 201, {'note': 'strange bill'}, scope=scope)
        assert made.json['scope'] == scope and made.json['note'] == 'strange bill'
        again = api('putStop', 200, {'note': 'strange bill'}, scope=scope)
        assert again.json == made.json
    assert made.json['label'] == 'desk-9@local'
    assert len(api('listStops', 200).json['items']) == 3
    assert api('getAccount', 200, id=account['id']).json['stopped']
    assert api('getTenant', 200, name='umeda').json['stopped']
    verdict = api('authorize', 200, {'account': 'desk-9', 'number': '0101212', 'dry_run': True}).json
    assert verdict['verdict'] == 'deny', verdict
    api('putStop', 404, scope='tenant:nobody')
    api('putStop', 404, scope='account:999999')
    for wrong in ('all', 'switch:local', 'preset:jp', 'tenant:', 'account:x'):
        assert api.daemon.api.tcp(api.token, 'PUT', f'/v1/stops/{wrong}').status in (404, 422), wrong
    api('putStop', 422, scope='switch:local')
    api('putStop', 422, {'reason': 'x'}, scope='operator')
    for scope in ('operator', 'tenant:umeda', f'account:{account["id"]}'):
        api('deleteStop', 204, scope=scope)
        api('deleteStop', 404, scope=scope)
    api('deleteStop', 422, scope='x')
    assert api('listStops', 200).json == {'items': [], 'next': None}


def have_summed(daemon, summed):
    """In the midst of an import there are calls that history does not have yet."""
    db = sqlite3.connect(os.path.join(daemon.state, 'calls.db'))
    with db:
        db.execute('UPDATE blocks SET summed = ?', (int(summed),))
    db.close()


def digest(text):
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def record(who, dialled, second, disposition='ANSWERED'):
    return (f'"{who}","5551","{dialled}","internal","x","PJSIP/{who}-00","PJSIP/trunk-00","Dial",'
            f'"PJSIP/{dialled}@trunk","2026-11-0{1 + second // 60} 10:00:{second % 60:02}","","",62,60,"{disposition}",'
            f'"DOCUMENTATION","1793.{second}",""\n')


def calls(api):
    """Records come in, once; history and what is not the account's own."""
    account = api('createAccount', 201, {'name': 'cdr-1', 'switch': 'local', 'tenant': 'main'}).json['id']
    ask = {'switch': 'local', 'format': 'asterisk', 'zone': 'UTC', 'name': 'Master.csv'}
    for wrong, pointer in (({'zone': ''}, '/zone'), ({'format': 'x'}, '/format'), ({'switch': 'nobody'}, '/switch'),
                           ({'zone': 'Mars/Olympus'}, '/zone'), ({'payer': 'me'}, '/payer')):
        problem = api('beginCallImport', 422, {**ask, **wrong}).json
        assert pointer.strip('/') in json.dumps(problem), problem
    text = ''.join(record('cdr-1' if i % 2 else 'stranger', '010252615123456' if i % 5 == 0 else '0312345678', i)
                   for i in range(100)) + 'rubbish\n'
    ask['head'] = digest(text[:4096])
    for again in range(2):
        begun = api('beginCallImport', 201, ask).json
        id_ = begun['id']
        assert begun['resumable'] and (begun['known'] == []) == (not again), begun
        half = text.index('\n', len(text) // 2) + 5
        put = lambda status, at, until, last='false': api(
            'putCallPiece', status, text[at:until], media=CSV, id=id_,
            query={'position': at, 'digest': digest(text[:at]), 'last': last})
        api('putCallPiece', 422, text, media=CSV, id=id_, query={'position': 'x', 'digest': digest('')})
        put(409, 7, half)
        first = put(200, 0, half).json
        assert first['position'] < half and text[first['position'] - 1] == '\n', first
        put(409, 0, half)
        rest = put(200, first['position'], len(text), 'true').json
        assert rest['ended'] and rest['bad'] == 1 and rest['errors'][0]['line'] == 101, rest
        assert (rest['added'], rest['known']) == ((0, 100) if again else (100, 0)), rest
        api('finishCallImport', 422, {'digest': 'x'}, id=id_)
        done = api('finishCallImport', 200, {'digest': digest(text)}, id=id_).json
        assert done['payers']['doubtful'] and {'name': 'stranger', 'calls': 50} in done['payers']['strays'], done
    known = api('beginCallImport', 201, ask).json['known']
    assert known[0] == {'position': len(text), 'digest': digest(text)}, known
    api('putCallPiece', 404, text, media=CSV, id='gone', query={'position': 0, 'digest': digest('')})
    api('finishCallImport', 404, {'digest': digest('')}, id='gone')

    def abroad():
        return [s for s in api('getHistory', 200, id=account).json['items'] if s['abroad']][0]
    assert (abroad()['country'], abroad()['answered'], abroad()['doubted']) == ('SO', 10, 0), abroad()
    for wrong in ('S', 'so', 'SOM', '01', '1'):
        api('disownCalls', 422, {'country': wrong}, id=account)
    one = api('disownCalls', 201, {'country': 'SO', 'since': '2026-11-02T00:00:00Z'}, id=account).json
    assert (abroad()['answered'], abroad()['doubted']) == (6, 4), abroad()
    api('ownCalls', 204, id=account, number=one['id'])
    assert abroad()['answered'] == 10
    api('ownCalls', 404, id=account, number=one['id'])
    for name in ('getHistory', 'disownCalls'):
        api(name, 404, id=999999999)
    audit = api('listAudit', 200, query={'account': account}).json['items']
    assert {a['action'] for a in audit} >= {'calls.disown', 'calls.own'}, audit


def no_calls_yet(api):
    account = api('createAccount', 201, {'name': 'cdr-0', 'switch': 'local', 'tenant': 'main'}).json['id']
    assert 'no call records yet' in api('getHistory', 409, id=account).json['detail']


def sweeps(api, daemon):
    verdict = lambda name: api('authorize', 200, {'account': name, 'switch': 'local', 'number': '01012125551234',
                                                  'dry_run': True}).json['verdict']
    ids = {}
    for name in ('quiet', 'calls', 'past', 'stays'):
        ids[name] = api('createAccount', 201, {'name': name, 'switch': 'local', 'tenant': 'main'}).json['id']
        if name != 'stays':
            api('replaceAccountRules', 200, {'items': []}, id=ids[name])
    before = {name: api('listAccountRules', 200, id=number).json['items'] for name, number in ids.items()}
    counts = api('previewSweep', 200, {'young_days': 0}).json['counts']
    assert counts['restrict'] == 0 and counts['no-records'] >= 3 and counts['restricted'] >= 1, counts
    change = api('previewSweep', 200).json['change']
    api('applySweep', 409, {'change': change, 'restrict': 0})  # there is nobody
    api('applySweep', 422, {'change': change})  # how many it is to restrict has to be said
    call_records.put(daemon.state, 1, {'calls': 3, 'past': 500})

    ask = {'young_days': 0, 'tenant': 'main'}
    seen = api('previewSweep', 200, ask).json
    reach = {r['switch']: r for r in seen['records']}['local']
    assert reach['sufficient'] and reach['first'] == reach['reach'] and reach['gap'] is None, seen
    assert not api('previewSweep', 200, dict(ask, gap_days=1)).json['records'][0]['sufficient']
    assert {f['name'] for f in seen['samples']['lifted']} >= {'quiet', 'past'}, seen
    assert all(f['lifted_by'] and f['prefix'] == '010' for f in seen['samples']['lifted']), seen
    assert [(f['name'], f['country']) for f in seen['samples']['calls-abroad']] == [('calls', 'US')], seen
    ask['include_lifted'] = True
    seen = api('previewSweep', 200, ask).json
    rows = list(csv.DictReader(io.StringIO(
        api('previewSweep', 200, ask, query={'format': 'csv'}).raw.decode())))
    assert len(rows) == sum(seen['counts'].values()), (len(rows), seen['counts'])
    swept = {row['name'] for row in rows if row['verdict'] == 'restrict'}
    assert {'quiet', 'past'} <= swept and 'calls' not in swept and len(swept) == seen['counts']['restrict']
    assert verdict('quiet') == 'allow'
    api('applySweep', 409, {'change': seen['change'] + 1, 'restrict': seen['counts']['restrict']})
    api('applySweep', 422, {'change': 0, 'restrict': 1})
    # Somebody else's preview, of other terms, has the same change number.
    other = api('previewSweep', 200, {'young_days': 0, 'tenant': 'main'}).json
    assert other['change'] == seen['change'] and other['counts']['restrict'] != seen['counts']['restrict'], other
    api('applySweep', 409, {'change': seen['change'], 'restrict': seen['counts']['restrict']})
    have_summed(daemon, False)
    api('previewSweep', 409, ask)
    api('applySweep', 409, {'change': seen['change'], 'restrict': seen['counts']['restrict']})
    assert verdict('quiet') == 'allow'
    have_summed(daemon, True)
    assert api('previewSweep', 200, ask).json['counts'] == seen['counts']
    # The tenants are told first, and have time to object.
    chosen = {'change': seen['change'], 'restrict': seen['counts']['restrict']}
    for day in ('2020-01-01', '2026-13-01', '2027-02-30', 'today', '2027-1-1'):
        api('announceSweep', 422, dict(chosen, on=day))
    api('announceSweep', 409, dict(chosen, change=chosen['change'] + 1, on='2099-12-01'))
    told = api('announceSweep', 201, dict(chosen, on='2099-12-01')).json
    assert told['accounts'] == len(swept) and told['notices'] >= 1, told
    listed = api('listAnnouncements', 200).json['items']
    assert [(a['id'], a['accounts'], a['tenant']) for a in listed] == [(told['id'], len(swept), 'main')], listed
    refused = api('applySweep', 409, chosen)
    assert '2099-12-01' in refused.json['detail'], refused.json
    assert verdict('quiet') == 'allow'
    applied = api('applySweep', 201, dict(chosen, early=True))
    sweep = applied.json['id']
    assert applied.headers['Location'] == f'/v1/sweeps/{sweep}'
    assert applied.json['restricted'] == len(swept) and applied.json['called'] == 0
    assert [verdict(name) for name in ('quiet', 'past', 'calls')] == ['deny', 'deny', 'allow']
    api('applySweep', 409, {'change': seen['change'], 'restrict': seen['counts']['restrict']})  # it is gone
    api('replaceAccountRules', 200, {'items': []}, id=ids['past'])
    assert api('getSweep', 200, id=sweep).json['standing'] == len(swept) - 1
    fates = {row['name']: row['fate'] for row in api('listSweepAccounts', 200, id=sweep).json['items']}
    assert fates['past'] == 'changed' and fates['quiet'] == 'stands', fates
    changed = api('listSweepAccounts', 200, id=sweep, query={'fate': 'changed'}).json['items']
    assert [row['name'] for row in changed] == ['past'], changed
    api('listSweepAccounts', 422, id=sweep, query={'fate': 'forgotten'})
    assert api('undoSweep', 200, id=sweep).json['restored'] == len(swept) - 1
    assert [verdict(name) for name in ('quiet', 'past', 'calls')] == ['allow'] * 3
    assert {name: api('listAccountRules', 200, id=number).json['items'] for name, number in ids.items()} == before
    api('undoSweep', 409, id=sweep)
    api('undoSweep', 404, id=999999)
    api('getSweep', 404, id=999999)
    api('listSweepAccounts', 404, id=999999)
    assert [s['id'] for s in api('listSweeps', 200).json['items']] == [sweep]
    # What it looked at was changed meanwhile.
    seen = api('previewSweep', 200, ask).json
    api('replaceAccountRules', 200, {'items': [{'action': 'restrict', 'prefix': '010'}]}, id=ids['past'])
    refused = api('applySweep', 409, {'change': seen['change'], 'restrict': seen['counts']['restrict']})
    assert 'is stale' in refused.json['detail'], refused.json
    api('previewSweep', 422, {'tenant': 'nobody'})
    api('previewSweep', 422, {'since': '2999-01-01T00:00:00Z'})
    api('previewSweep', 422, {}, query={'format': 'xml'})
    for number in ids.values():
        api('deleteAccount', 204, id=number)


def objections(api):
    account = api('createAccount', 201, {'name': 'objector', 'switch': 'local', 'tenant': 'main'}).json
    api('replaceAccountRules', 200, {'items': []}, id=account['id'])
    scope = f'account:{account["id"]}'
    made = api('putObjection', 201, {'note': 'Jamaica'}, scope=scope).json
    assert made['label'] == 'objector@local' and made['note'] == 'Jamaica', made
    api('putObjection', 200, scope=scope)
    seen = api('previewSweep', 200, {'young_days': 0, 'include_lifted': True}).json['samples']['objected']
    assert [(f['name'], f['objected_by']) for f in seen] == [('objector', made['by'])], seen
    assert [o['scope'] for o in api('listObjections', 200).json['items']] == [scope]
    api('deleteObjection', 204, scope=scope)
    api('deleteObjection', 404, scope=scope)
    api('putObjection', 201, scope='tenant:main')
    assert api('previewSweep', 200, {'young_days': 0, 'include_lifted': True}).json['counts']['objected'] >= 1
    api('deleteObjection', 204, scope='tenant:main')
    api('putObjection', 404, scope='tenant:nobody')
    api('putObjection', 422, scope='operator')
    api('putObjection', 422, {'reason': 'x'}, scope='tenant:main')
    api('deleteObjection', 422, scope='x')
    api('deleteAccount', 204, id=account['id'])


def in_state(api, number, state):
    end = time.monotonic() + 60
    while (seen := api('getNotice', 200, id=number).json)['state'] != state:
        assert time.monotonic() < end, seen
        time.sleep(0.05)
    return seen


def notices(api, refuse):
    refuse.append(b'550 5.1.1 nobody here')
    asked = api('testNotice', 201, {'address': 'somebody@example.jp', 'language': 'en'})
    number = asked.json['id']
    assert asked.headers['Location'] == f'/v1/notices/{number}' and asked.json['recipient'] == 'somebody@example.jp', asked.json
    assert '5.1.1' in in_state(api, number, 'failed')['error']
    assert [n['id'] for n in api('listNotices', 200, query={'state': 'failed', 'kind': 'test'}).json['items']] == [number]
    refuse.clear()
    api('retryNotice', 200, id=number)
    in_state(api, number, 'sent')
    api('retryNotice', 409, id=number)
    api('retryNotice', 404, id=999999)
    api('getNotice', 404, id=999999)
    api('testNotice', 422, {'address': 'somebody'})
    api('testNotice', 422, {'address': 'somebody@example.jp', 'language': 'fr'})
    api('listNotices', 422, query={'state': 'lost'})
    api('listNotices', 422, query={'tenant': 'nobody'})
    seen = api('previewNotice', 200, kind='lockout', query={'language': 'en'}).json
    assert seen['subject'] and seen['text'] and '<html' in seen['html'], seen
    api('previewNotice', 404, kind='letter')
    api('previewNotice', 422, kind='lockout', query={'language': 'fr'})


def tokens(api, daemon, spec):
    made = api('createToken', 201, {'scope': 'tenant:umeda', 'label': 'console', 'expires': '2099-01-01T00:00:00Z'})
    secret = made.json['token']
    assert made.json['scope'] == 'tenant:umeda' and len(secret) > 40
    shown = [t for t in api('listTokens', 200).json['items'] if t['id'] == made.json['id']]
    assert shown and shown[0]['label'] == 'console' and secret not in json.dumps(shown)
    assert Api(daemon, spec, secret)('listTenants', 200).json['items'][0]['name'] == 'umeda'
    api('createToken', 422, {'scope': 'account:1'})
    api('createToken', 422, {'scope': 'tenant:nobody'})
    api('createToken', 422, {'scope': 'everything'})
    api('createToken', 422, {'scope': 'operator', 'expires': '2020-01-01T00:00:00Z'})
    api('deleteToken', 204, id=made.json['id'])
    api('deleteToken', 404, id=made.json['id'])
    Api(daemon, spec, secret)('listTenants', 401)


def authorize(api, daemon, spec):
    api('createAccount', 201, {'name': '1001', 'tenant': 'main'})
    question = {'account': '1001', 'number': '010-252-61-512-3456', 'remote': '192.0.2.7'}
    verdict = api('authorize', 200, question).json
    assert (verdict['verdict'], verdict['reason'], verdict['rule'], verdict['country']) == (
        'deny', 'restricted', '010', 'SO'), verdict
    form = api('authorize', 200, 'account=1001&number=010-252-61-512-3456&remote=192.0.2.7&switch=local',
               media=FORM).json
    assert form == verdict
    assert api('authorize', 200, 'account=1001&number=%2B252615123456', media=FORM).json['verdict'] == 'deny'
    assert api('authorize', 200, dict(question, number='0312345678')).json['dial'] == '0312345678'
    emergency = api('authorize', 200, {'account': 'nobody at all', 'number': '119'}).json
    assert (emergency['verdict'], emergency['reason'], emergency['dial']) == ('allow', 'emergency', '119')
    for number in ('', '1%0a', '\n', 'x' * 4096, '１１０,1', '\u202e110'):
        assert api('authorize', 200, dict(question, number=number)).json['verdict'] in ('allow', 'deny')
    api('authorize', 422, dict(question, number='1' * 4097))
    api('authorize', 422, {'account': '1001'})
    api('authorize', 422, {'number': '110'})
    api('authorize', 404, dict(question, switch='nowhere'))
    api('authorize', 422, dict(question, trunk='x'))
    api('authorize', 422, 'account=1001', media=FORM)
    api('authorize', 422, 'account=1001&number=1&number=2', media=FORM)
    api('authorize', 422, 'account=1001&number=1&trunk=2', media=FORM)
    api('authorize', 400, 'account=1001&number=%zz', media=FORM)
    api('authorize', 400, '{"account":"1001","number":"1\\u00000"}', media=JSON)
    id_ = api('findAccount', 200, switch='local', name='1001').json['id']
    api('putAccountRule', 201, {'until': '2099-01-01T00:00:00Z'}, id=id_, action='except', prefix='0101212')
    lifted = api('authorize', 200, dict(question, number='+1 212 555 0100')).json
    assert (lifted['verdict'], lifted['rule'], lifted['action']) == ('allow', '0101212', 'except'), lifted
    assert lifted['max_seconds'] > 0 and lifted['dial'] == '01012125550100'
    api('deleteAccountRule', 204, id=id_, action='except', prefix='0101212')
    switch = Api(daemon, spec, daemon.api.token('switch:local'))
    assert switch('authorize', 200, question).json['verdict'] == 'deny'
    assert switch('authorize', 200, dict(question, switch='local')).json['verdict'] == 'deny'
    switch('authorize', 403, dict(question, switch='other'))


def forms(api):
    """application/x-www-form-urlencoded in every spelling is the question that JSON asks; a refusal is 200 with the verdict."""
    number = '010-252-61-512-3456'
    verdict = api('authorize', 200, {'account': '1001', 'switch': 'local', 'number': number}).json
    assert (verdict['verdict'], verdict['dialled']) == ('deny', '010252615123456'), verdict
    every = lambda text: ''.join(f'%{byte:02X}' for byte in text.encode())
    for form in (f'account=1001&number={number}&switch=local',
                 f'switch=local&number={number}&account=1001&remote=&dry_run=false',
                 f'account={every("1001")}&number={every(number)}',
                 f'account={every("1001").lower()}&number={every(number).lower()}',
                 f'{every("account")}=1001&{every("number")}={every(number)}',
                 f'account=1001&number=010+252+61+512+3456',
                 f'account=1001&number=010%20252%2061%20512%203456',
                 f'account=1001&number=+{number}+',
                 f'account=1001&number=%2B252615123456',
                 f'account=1001&number={every("０１０")}252615123456',
                 f'account=1001&number={every("010‐252–61—5123456")}',
                 f'account=1001&number=sip:{number}@example.com;user=phone',
                 f'account=1001&number=sip%3A{number}%40example.com%3Buser%3Dphone',
                 f'account=1001&number=sip:%2530%2531%2530252615123456@example.com',
                 f'account=1001&number=tel:%2B252-61-5123456',
                 f'&&account=1001&&number={number}&'):
        got = api('authorize', 200, form, media=FORM).json
        assert got == verdict, (form, got)
    lines = api('authorize', 200, 'account=1001&number=0312345678%0D%0A', media=FORM).json
    assert lines == api('authorize', 200, {'account': '1001', 'number': '0312345678\r\n'}).json, lines
    equals = api('authorize', 200, 'account=1001&number=03=12', media=FORM).json
    assert equals == api('authorize', 200, {'account': '1001', 'number': '03=12'}).json, equals
    assert api('authorize', 200, 'account=%E5%8F%97%E4%BB%98&number=119', media=FORM).json['verdict'] == 'allow'
    assert api('authorize', 200, 'account=1001&number=%FF%FE', media=FORM).json['verdict'] == 'deny'
    assert api('authorize', 200, 'account=1001&number=', media=FORM).json['verdict'] == 'deny'
    assert api('authorize', 200, 'account=1001&number=' + 4096 * '%31', media=FORM).json['verdict'] == 'deny'
    for status, form in ((400, 'account=1001&number=%'), (400, 'account=1001&number=%3'), (400, 'account=1001&number=1%00'),
                         (400, '%00=1'), (422, ''), (422, 'account'), (422, 'account=1001'), (422, 'number=110'),
                         (422, 'account=1001&account=1001&number=110'), (422, 'Account=1001&number=110'), (422, 'account=1001;number=110'),
                         (422, 'account=1001&number=110&dry_run=yes'), (422, 'account=1001&number=110&switch=No+Name'),
                         (422, 'account=1001&number=110&%1B=1'), (422, 'account=1001&number=' + 4097 * '1'),
                         (422, 'account=' + 257 * 'x' + '&number=110'), (422, '&'.join(f'p{i}=1' for i in range(129)))):
        api('authorize', status, form, media=FORM)


def numbers(api):
    number = api('number', 200, query={'plan': 'JP', 'number': '0033-010-1-212-555-0100'}).json
    assert (number['class'], number['e164'], number['dial']) == ('INTERNATIONAL', '+12125550100', '01012125550100')
    assert number['country_name'] == {'en': 'United States', 'ja': number['country_name']['ja']}
    local = api('number', 200, query={'switch': 'local', 'number': '110'}).json
    assert local['class'] == 'EMERGENCY'
    inside = api('number', 200, query={'plan': 'JP', 'extensions': '1XXX', 'number': '1001'}).json
    assert inside['class'] == 'INTERNAL'
    api('number', 404, query={'switch': 'nowhere', 'number': '110'})
    for query in ({'number': '110'}, {'plan': 'JP'}, {'plan': 'JP', 'switch': 'local', 'number': '110'},
                  {'plan': 'XX', 'number': '110'}, {'plan': 'JP', 'extensions': '11X', 'number': '1'}):
        api('number', 422, query=query)
    only = api('complement', 200, query={'root': '010', 'allow': ['0101']}).json
    assert only['restrict'] == ['0100'] + [f'010{d}' for d in '23456789']
    new_york = api('complement', 200, query={'root': '０１０', 'allow': ['0101-212']}).json
    assert len(new_york['restrict']) == 36 and new_york['allow'] == ['0101212']
    for query in ({'root': '010'}, {'allow': '0101'}, {'root': '010', 'allow': '020'}, {'root': 'x', 'allow': '0101'},
                  {'root': '010', 'allow': ['0101'] * 101}):
        api('complement', 422, query=query)


def proofs(api):
    def rules(*words):
        return [{'action': 'restrict' if w[0] == '-' else 'except', 'prefix': w[1:]} for w in words]

    def summary(proof, country):
        return next(s for s in proof['summaries'] if s['country'] == country)

    whole = api('prove', 200, {'plan': 'JP', 'rules': rules(*(f'-010{d}' for d in '23456789'))}).json
    proof = whole['proof']
    assert whole['difference'] is None and proof['country'] == 'JP' and proof['access'] == '010'
    assert proof['countries']['high_risk'] > 0 and summary(proof, 'JM')['open_risk'] == 'high'
    jamaica = next(r for r in proof['ranges'] if r['prefix'] == '0101876')
    assert jamaica['country'] == 'JM' and jamaica['risk'] == 'high' and jamaica['example'].startswith('0101876')
    assert jamaica['text']['en'] == '+1-876 Jamaica: high risk, open', jamaica['text']
    nobody = next(r for r in proof['ranges'] if r['prefix'] == '0100')
    assert not nobody['exists'] and nobody['class'] is None and nobody['example'] is None
    assert all(r['open'] for r in proof['ranges'])
    everything = api('prove', 200, {'rules': rules('-010', '-0100', '-1171', '-184'), 'ranges': 'all'}).json['proof']
    assert [r['effect'] for r in everything['rules']] == ['effect', 'redundant', 'no-number', 'spelling'], everything['rules']
    assert next(r for r in everything['ranges'] if r['prefix'].startswith('0101'))['rule']['prefix'] == '010'
    compared = api('prove', 200, {'switch': 'local', 'ranges': 'none', 'rules': rules('-010', '+0101212'),
                                  'against': rules('-010')}).json
    assert compared['proof']['ranges'] == []
    assert compared['difference']['numbers'] == 'looser' and compared['difference']['looser']['prefix'] == '0101212'
    for body in ({}, {'rules': [{'action': 'restrict'}]}, {'rules': rules('-010', '-010')},
                 {'rules': [], 'against': rules('-010', '-010')}, {'rules': [], 'plan': 'ZZ'},
                 {'rules': [], 'switch': 'nowhere'}, {'rules': [], 'plan': 'JP', 'switch': 'local'},
                 {'rules': [], 'ranges': 'some'}, {'rules': [], 'plan': '*'}):
        api('prove', 422, body)
    assert api('prove', 422, {'rules': [], 'switch': 'nowhere'}).json['pointer'] == '/switch'

    first = api('createAccount', 201, {'name': 'prove-1', 'switch': 'local', 'tenant': 'main'}).json
    second = api('createAccount', 201, {'name': 'prove-2', 'switch': 'local', 'tenant': 'main'}).json
    api('putAccountRule', 201, id=second['id'], action='except', prefix='01044')
    alone = api('proveAccount', 200, id=second['id'], query={'ranges': 'open'}).json['proof']
    assert summary(alone, 'GB')['state'] == 'open' and summary(alone, 'US')['state'] == 'closed'
    both = api('proveAccount', 200, id=first['id'], query={'against': second['id'], 'ranges': 'none'}).json
    assert both['difference']['numbers'] == 'stricter'
    api('proveAccount', 404, id=999999)
    for query in ({'against': 999999}, {'against': 'x'}, {'ranges': 'some'}):
        api('proveAccount', 422, id=first['id'], query=query)
    tenant = api('proveTenant', 200, name='main', query={'against': 'main', 'plan': 'US'}).json
    assert tenant['difference']['numbers'] == 'equal' and tenant['proof']['access'] == '011'
    api('proveTenant', 404, name='nobody')
    assert api('proveOperator', 200, query={'plan': 'JP', 'ranges': 'none'}).json['proof']['countries']['open'] > 200
    api('proveOperator', 422, query={'plan': 'ZZ'})
    for query in ({'against': 'nobody'}, {'plan': 'ZZ'}, {'switch': 'nowhere'}, {'plan': 'JP', 'switch': 'local'}):
        api('proveTenant', 422, name='main', query=query)
    for made in (first, second):
        api('deleteAccount', 204, id=made['id'])


def templates(api, daemon, spec):
    names = [t['name'] for t in api('listTemplates', 200).json['items']]
    assert names == ['international-off', 'only-countries', 'us-canada', 'only-new-york', 'no-high-risk'], names
    made = api('createAccount', 201, {'name': 'template-1', 'switch': 'local', 'tenant': 'main'}).json
    owner = {'owner': f'account:{made["id"]}'}

    def prefixes(rules):
        return [('-' if r['action'] == 'restrict' else '+') + r['prefix'] for r in rules]

    alone = api('previewTemplate', 200, {'plan': 'US'}, name='only-new-york').json['items'][0]
    assert prefixes(alone['rules']) == ['-011', '+0111212'] and alone['owner'] is None and alone['as_meant']
    assert api('previewTemplate', 200, name='international-off').json['items'][0]['proof']['country'] == 'JP'
    api('putAccountRule', 201, id=made['id'], action='restrict', prefix='0990')
    seen = api('previewTemplate', 200, {'owners': [owner]}, name='only-new-york').json['items'][0]
    assert seen['label'] == 'template-1@local' and seen['as_meant'] and seen['deviation'] is None
    assert prefixes(seen['added']) == ['+0101212'] and seen['removed'] == [] and seen['proof']['ranges'] == []
    assert seen['effect']['numbers'] == 'looser' and seen['proof']['countries']['partly'] == 1
    # What other levels do is told.
    api('putOperatorRule', 201, action='except', prefix='0101876')
    api('putOperatorRule', 201, {'mandatory': True}, action='restrict', prefix='0101212555')
    seen = api('previewTemplate', 200, {'owners': [owner]}, name='only-new-york').json['items'][0]
    assert not seen['as_meant'] and seen['deviation']['numbers'] == 'different', seen['deviation']
    assert seen['deviation']['looser']['prefix'] == '0101876'
    assert seen['deviation']['stricter']['prefix'] == '0101212555'
    for action, prefix in (('except', '0101876'), ('restrict', '0101212555')):
        api('deleteOperatorRule', 204, action=action, prefix=prefix)

    until = {'until': '2030-01-01T00:00:00Z', 'schedule': 'mon-fri 09:00-18:00 Asia/Tokyo'}
    done = api('applyTemplate', 200, dict(until, owners=[dict(owner, change=seen['change'])]), name='only-new-york')
    rules = done.json['items'][0]['rules']
    assert prefixes(rules) == ['-010', '-0990', '+0101212'], rules
    assert rules[2]['until'] == until['until'] and rules[2]['schedule'] == until['schedule']
    assert rules[0]['until'] is None and done.json['items'][0]['change'] > seen['change']
    record = api('listAudit', 200, query={'account': made['id'], 'limit': 1}).json['items'][0]
    assert record['action'] == 'rules.replace' and record['id'] == done.json['items'][0]['change']
    again = api('applyTemplate', 200, dict(until, owners=[owner]), name='only-new-york').json
    assert again['items'] == done.json['items'], 'the same again changes nothing'
    api('applyTemplate', 409, {'owners': [dict(owner, change=seen['change'])]}, name='international-off')
    api('previewTemplate', 409, {'owners': [dict(owner, change=seen['change'])]}, name='international-off')
    api('applyTemplate', 412, {'owners': [owner]}, name='international-off', headers={'If-Match': '"1"'})
    api('previewTemplate', 412, {'owners': [owner]}, name='international-off', headers={'If-Match': '"1"'})
    tagged = {'If-Match': f'"1", "{again["items"][0]["change"]}"'}
    api('applyTemplate', 200, {'owners': [owner]}, name='international-off', headers=tagged)
    # All or none.
    api('createPreset', 201, {'name': 'templates', 'rules': []})
    several = [owner, {'owner': 'tenant:main'}, {'owner': 'preset:templates'}, {'owner': 'account:999999'}]
    problem = api('applyTemplate', 422, {'countries': ['us', 'GB'], 'owners': several}, name='only-countries').json
    assert problem['pointer'] == '/owners/3/owner', problem
    assert prefixes(api('listAccountRules', 200, id=made['id']).json['items']) == ['-010', '-0990']
    many = api('applyTemplate', 200, {'countries': ['us', 'GB'], 'plan': 'JP', 'owners': several[:3]},
               name='only-countries').json['items']
    assert [i['owner'] for i in many] == [o['owner'] for o in several[:3]] and len({i['change'] for i in many}) == 3
    for where, body, pointer in (
            ('us-canada', {'owners': [owner], 'countries': ['US']}, '/countries'),
            ('only-countries', {'owners': [owner]}, '/countries'),
            ('only-countries', {'owners': [owner], 'countries': ['US', 'XX']}, '/countries/1'),
            ('only-countries', {'owners': [owner], 'countries': [7]}, '/countries/0'),
            ('us-canada', {'owners': []}, '/owners'),
            ('us-canada', {'owners': [{'owner': 'switch:local'}]}, '/owners/0/owner'),
            ('us-canada', {'owners': [{'owner': 'x'}]}, '/owners/0/owner'),
            ('us-canada', {'owners': [{'owner': 'operator'}], 'plan': 'ZZ'}, '/plan'),
            ('us-canada', {'owners': [owner], 'schedule': 'never'}, '/schedule')):
        for call in ('previewTemplate', 'applyTemplate'):
            assert api(call, 422, body, name=where).json['pointer'] == pointer, (where, body)
    api('applyTemplate', 422, {}, name='us-canada')
    api('applyTemplate', 404, {'owners': [owner]}, name='nothing')
    api('previewTemplate', 404, {}, name='nothing')
    # What is mandatory for a time does not stand for what the template says for good.
    api('putOperatorRule', 201, {'mandatory': True, 'until': '2099-01-01T00:00:00Z'}, action='restrict', prefix='010')
    for call in ('previewTemplate', 'applyTemplate'):
        problem = api(call, 422, {'owners': [{'owner': 'operator'}], 'plan': 'JP'}, name='international-off').json
        assert problem['pointer'] == '/owners/0/owner' and 'mandatory' in problem['detail'], problem
    api('deleteOperatorRule', 204, action='restrict', prefix='010')
    # What owners could make of the answer together is bounded.
    split = [{'action': 'restrict', 'prefix': '0990' + f'{i * 7919 % 10 ** 6:06d}' * 4} for i in range(500)]
    api('replaceAccountRules', 200, {'items': split}, id=made['id'])
    crowd = {'owners': [owner] * 2, 'ranges': 'all'}
    assert api('previewTemplate', 422, crowd, name='us-canada').json['pointer'] == '/ranges'
    api('previewTemplate', 200, dict(crowd, ranges='none'), name='us-canada')
    # A tenant changes what is its own, and learns nothing of the rest.
    umeda = Api(daemon, spec, daemon.api.token('tenant:umeda'))
    umeda('applyTemplate', 200, {'owners': [{'owner': 'tenant:umeda'}]}, name='international-off')
    for other in ('tenant:main', 'operator', 'preset:jp', owner['owner']):
        umeda('applyTemplate', 422, {'owners': [{'owner': other}]}, name='international-off')
        umeda('previewTemplate', 422, {'owners': [{'owner': other}]}, name='international-off')
    umeda('proveAccount', 404, id=made['id'])
    umeda('proveTenant', 404, name='main')
    umeda('proveOperator', 403)
    api('deletePreset', 204, name='templates')
    for name in ('umeda', 'main'):
        api('replaceTenantRules', 200, {'items': []}, name=name)
    api('deleteAccount', 204, id=made['id'])


def records(api):
    refusals = []
    for _ in range(100):
        refusals = api('listRefusals', 200, query={'name': '1001'}).json['items']
        if refusals:
            break
        api('authorize', 200, {'account': '1001', 'number': '010252615123456'})
    assert refusals, 'the refused call is not recorded'
    refusal = refusals[-1]
    assert refusal['switch'] == 'local' and refusal['reason'] == 'restricted' and refusal['account_id'], refusal
    ours = {'account': refusal['account_id'], 'tenant': 'main', 'switch': 'local', 'reason': 'restricted',
            'since': '2020-01-01T00:00:00Z'}
    assert api('listRefusals', 200, query=ours).json['items']
    assert api('listRefusals', 200, query={'since': '2099-01-01T00:00:00Z'}).json['items'] == []
    assert api('listRefusals', 200, query={'tenant': 'umeda'}).json['items'] == []
    for query in ({'tenant': 'nobody'}, {'since': 'yesterday'}, {'account': 'x'}, {'cursor': '!'}):
        api('listRefusals', 422, query=query)
    audit = api('listAudit', 200, query={'limit': 1000}).json['items']
    ids = [a['id'] for a in audit]
    assert ids == sorted(ids, reverse=True) and len(set(ids)) == len(ids)
    assert all(a['by'] for a in audit)
    mine = api('listAudit', 200, query={'account': refusal['account_id']}).json['items']
    assert mine and all(a['object'] == f'account:{refusal["account_id"]}' for a in mine)
    adds = api('listAudit', 200, query={'action': 'account', 'object': mine[0]['object']}).json['items']
    assert adds and all(a['action'].startswith('account') for a in adds)
    who = audit[0]['by']
    assert all(a['by'] == who for a in api('listAudit', 200, query={'by': who}).json['items'])
    assert api('listAudit', 200, query={'until': '2020-01-01T00:00:00Z'}).json['items'] == []
    api('listAudit', 422, query={'tenant': 'nobody'})


# ---- many -----------------------------------------------------------------------------------------


def pages(api, name, query):
    items, cursor = [], None
    while True:
        page = api(name, 200, query=dict(query, **({'cursor': cursor} if cursor else {}))).json
        items += page['items']
        cursor = page['next']
        if cursor is None:
            return items
        assert len(page['items']) == int(query.get('limit', 100)), 'a page in the middle is short'


def importing(api):
    lines = '\n'.join(json.dumps({'name': f'bulk-{i:04}', 'tenant': 'umeda'}) for i in range(2000)) + '\n'
    before = api('status', 200).json['change']
    done = api('importAccounts', 200, lines, media=LINES).json
    assert done['added'] == 2000 and done['kept'] == 0 and done['change'] == before + 1
    csv = 'name,note,tenant\r\n' + ''.join(f'"bulk-{i:04}","a ""b"", c",umeda\r\n' for i in range(2000, 2500))
    assert api('importAccounts', 200, csv, media=CSV).json['added'] == 500
    found = api('findAccount', 200, switch='local', name='bulk-2499').json
    assert found['note'] == 'a "b", c' and found['tenant'] == 'umeda'
    born = api('listAccountRules', 200, id=found['id']).json['items']
    assert [(r['action'], r['prefix']) for r in born] == [('restrict', '010')]
    kept = api('importAccounts', 200, lines, media=LINES, query={'existing': 'keep'}).json
    assert kept == {'added': 0, 'kept': 2000, 'change': None}
    assert api('status', 200).json['change'] == before + 2


def importing_with_rules(api):
    csv = 'name,tenant,restrict,except\nrules-1,umeda,010 0990,0101212\nrules-2,umeda,none,\nrules-3,umeda,,\n'
    assert api('importAccounts', 200, csv, media=CSV).json['added'] == 3
    line = {'name': 'rules-4', 'tenant': 'umeda', 'rules': [{'action': 'restrict', 'prefix': '0570'}]}
    assert api('importAccounts', 200, json.dumps(line), media=LINES).json['added'] == 1
    for name, expected in (('rules-1', ['010', '0990', '0101212']), ('rules-2', []), ('rules-3', ['010']),
                           ('rules-4', ['0570'])):
        id_ = api('findAccount', 200, switch='local', name=name).json['id']
        assert [r['prefix'] for r in api('listAccountRules', 200, id=id_).json['items']] == expected, name
    line['rules'][0]['mandatory'] = True
    problem = api('importAccounts', 422, '\n\n' + json.dumps(dict(line, name='rules-5')), media=LINES).json
    assert [e['line'] for e in problem['errors']] == [3] and 'mandatory' in problem['detail'], problem
    question = {'account': 'rules-2', 'number': '010-252-61-512-3456', 'switch': 'local'}
    assert api('authorize', 200, question).json['verdict'] == 'allow'
    assert api('authorize', 200, dict(question, account='rules-3')).json['verdict'] == 'deny'


def an_import_that_is_cancelled(api, daemon, spec):
    """It is looked at, by its own ticket only; a stop goes through it, a second one is sent away."""
    lines = ''.join(f'{{"name":"cancelled-{i}","tenant":"umeda"}}\n' for i in range(150000))
    umeda = Api(daemon, spec, daemon.api.token('tenant:umeda'))
    before = api('status', 200).json['change']
    answers = []

    def run():
        client = Client(daemon.socket, daemon.http)
        answers.append(client.tcp(api.token, 'POST', spec.target('importAccounts', {}, {'ticket': 'e2e-ticket'}), lines,
                                  {'Content-Type': LINES}))
        spec.check('importAccounts', answers[0])
        client.close()

    thread = threading.Thread(target=run)
    thread.start()
    seen = set()
    end = time.monotonic() + 60
    while 'adding' not in seen and not answers and time.monotonic() < end:
        answer = daemon.api.tcp(api.token, 'GET', spec.target('getImport', {'ticket': 'e2e-ticket'}, None))
        if answer.status == 200:
            spec.check('getImport', answer)
            seen.add(answer.json['phase'])
    assert not answers and 'reading' in seen, f'the import was too quick to be seen: {seen} {answers}'
    assert api('importAccounts', 503, 'name\nx\n', media=CSV).headers['Retry-After']
    for other in ('getImport', 'cancelImport'):
        umeda(other, 404, ticket='e2e-ticket')
        api(other, 404, ticket='another-ticket')
    began = time.monotonic()
    api('putStop', 201, scope='tenant:umeda')
    took = time.monotonic() - began
    assert not answers and took < 2, f'a stop waited {took:.1f} s for an import'
    api('cancelImport', 204, ticket='e2e-ticket')
    thread.join()
    assert answers[0].status == 409 and 'nothing was imported' in answers[0].json['detail'], answers[0]
    api('getImport', 404, ticket='e2e-ticket')
    api('findAccount', 404, switch='local', name='cancelled-0')
    api('deleteStop', 204, scope='tenant:umeda')
    assert api('status', 200).json['change'] == before + 2
    assert api('importAccounts', 200, 'name,tenant\nfree-again,umeda\n', media=CSV).json['added'] == 1
    api('deleteAccount', 204, id=api('findAccount', 200, switch='local', name='free-again').json['id'])


def importing_is_all_or_nothing(api):
    before = api('status', 200).json['change']
    wrong = ('{"name":"new-1"}\n{"name":"new 2"}\n\n{"name":"new-3","state":"x"}\nx\n{"name":"bulk-0001"}\n'
             '{"name":"new-1"}\n{"name":"new-4","tenant":"nobody"}\n{"name":"new-5","x":1}')
    to = {'tenant': 'umeda'}
    problem = api('importAccounts', 422, wrong, media=LINES, query=to).json
    assert [e['line'] for e in problem['errors']] == [2, 4, 5, 6, 7, 8, 9], problem
    problem = api('importAccounts', 422, 'name,note\nnew-1,x\nnew-2\nnew-3,"y\nz\nnew-4,', media=CSV, query=to).json
    assert [e['line'] for e in problem['errors']][:2] == [3, 4], problem
    for body in ('note\nx\n', 'name,name\nx,y\n', 'name,color\nx,y\n', '"name\nx\n'):
        api('importAccounts', 422, body, media=CSV)
    many = api('importAccounts', 422, '{"name":"a b"}\n' * 500, media=LINES).json
    assert len(many['errors']) == 100
    assert many['errors_total'] == 500
    for query in ({'existing': 'x'}, {'tenant': 'A B'}, {'switch': '!'}, {'ticket': 'short'}):
        api('importAccounts', 422, '{"name":"new-1"}\n', media=LINES, query=query)
    api('findAccount', 404, switch='local', name='new-1')
    assert api('status', 200).json['change'] == before


def paging(api):
    for limit in (1000, 999, 7 * 100):
        items = pages(api, 'listAccounts', {'tenant': 'umeda', 'q': 'bulk-', 'limit': limit})
        names = [a['name'] for a in items]
        assert names == [f'bulk-{i:04}' for i in range(2500)], (limit, len(names), len(set(names)))
    assert len(api('listAccounts', 200).json['items']) == 100


def paging_while_rows_come_and_go(api):
    items, cursor, n = [], None, 0
    while True:
        query = {'q': 'bulk-', 'limit': 500}
        page = api('listAccounts', 200, query=dict(query, **({'cursor': cursor} if cursor else {}))).json
        items += page['items']
        cursor = page['next']
        if cursor is None:
            break
        n += 1
        api('deleteAccount', 204, id=page['items'][0]['id'])
        api('createAccount', 201, {'name': f'late-{n}', 'tenant': 'umeda'})
    names = [a['name'] for a in items]
    assert names == [f'bulk-{i:04}' for i in range(2500)], len(names)


def lists_have_cursors(api):
    for i in range(3):
        api('putTenant', 201, {'parent': 'umeda'}, name=f'page-{i}')
        api('putSwitch', 201, {'plan': 'JP'}, name=f'page-{i}')
        api('putPreset', 201, {'rules': []}, name=f'page-{i}')
        api('putStop', 201, scope=f'tenant:page-{i}')
    for name in ('listTenants', 'listSwitches', 'listPresets', 'listStops', 'listTokens', 'listAudit'):
        whole = api(name, 200, query={'limit': 1000}).json['items'][-20:]
        single = pages(api, name, {'limit': 1 if name != 'listAudit' else 37})
        assert len(single) >= 2 and single[-len(whole):] == whole, name
        if name in ('listStops', 'listTokens', 'listAudit'):
            api(name, 422, query={'cursor': '!'})
    for i in range(3):
        api('deleteStop', 204, scope=f'tenant:page-{i}')
        api('deletePreset', 204, name=f'page-{i}')
        api('deleteSwitch', 204, name=f'page-{i}')
        api('deleteTenant', 204, name=f'page-{i}')


# ---- scopes ---------------------------------------------------------------------------------------


PARTS = {'kind': 'test', 'number': 1, 'id': 1, 'network': '192.0.2.1', 'name': 'main', 'switch': 'local', 'action': 'restrict', 'prefix': '0', 'scope': 'operator',
         'ticket': 'ticket-1'}


def every_call(spec, scope):
    """Each operation that the scope may not use, with parts that exist."""
    for name, operation in spec.operations.items():
        if scope not in operation['x-scopes']:
            parts = {p['name']: PARTS[p['name']] for p in operation['parameters'] if p['in'] == 'path'}
            yield name, parts


def strangers(api, daemon, spec):
    for token in (None, 'x', 'sekisho_' + 'A' * 43):
        for name in spec.operations:
            parts = {p['name']: PARTS[p['name']] for p in spec.operations[name]['parameters'] if p['in'] == 'path'}
            operation = spec.operations[name]
            answer = daemon.api.tcp(token, operation['method'], spec.target(name, parts, None))
            assert answer.status in (401, 429), f'{name}: {answer}'
            spec.check(name, answer, documented=False)
            if answer.status == 401:
                assert answer.headers['WWW-Authenticate'] == 'Bearer'
            else:
                assert int(answer.headers['Retry-After']) > 0
    api('health', 200)


def switch_tokens(api, daemon, spec):
    switch = Api(daemon, spec, daemon.api.token('switch:local'))
    before = api('status', 200).json['change']
    for name, parts in every_call(spec, 'switch'):
        switch(name, 403, **parts)
    switch('health', 200)
    assert api('status', 200).json['change'] == before


def tenant_tokens(api, daemon, spec):
    tenant = Api(daemon, spec, daemon.api.token('tenant:umeda'))
    before = api('status', 200).json['change']
    for name, parts in every_call(spec, 'tenant'):
        tenant(name, 403, **parts)
    tenant('health', 200)
    assert api('status', 200).json['change'] == before


def another_tenant(api, daemon, spec):
    """Umeda's token tries everything that is Namba's, and Main's above it."""
    api('putTenant', 201, {'parent': 'main'}, name='namba')
    theirs = api('createAccount', 201, {'name': 'namba-1', 'tenant': 'namba', 'switch': 'local'}).json
    above = api('findAccount', 200, switch='local', name='1001').json
    own = api('createAccount', 201, {'name': 'umeda-1', 'tenant': 'umeda'}).json
    api('putStop', 201, scope=f'account:{theirs["id"]}')
    api('putStop', 201, scope='tenant:main')
    api('putSwitch', 201, {'plan': 'JP', 'tenants': ['namba'], 'addresses': ['192.0.2.99']}, name='namba-gate')
    api('createAccount', 201, {'name': 'x', 'tenant': 'namba', 'switch': 'namba-gate'})
    umeda = Api(daemon, spec, daemon.api.token('tenant:umeda'))
    umeda('createAccount', 201, {'name': 'on-the-only-switch-that-it-sees'})
    before = api('status', 200).json['change']
    for account in (theirs, above):
        id_, name = account['id'], account['name']
        umeda('getAccount', 404, id=id_)
        umeda('changeAccount', 404, {'state': 'suspended'}, id=id_)
        umeda('deleteAccount', 404, id=id_)
        umeda('findAccount', 404, switch='local', name=name)
        umeda('putAccount', 404, {'note': 'x'}, switch='local', name=name)
        umeda('listAccountRules', 404, id=id_)
        umeda('replaceAccountRules', 404, {'items': []}, id=id_)
        umeda('putAccountRule', 404, None, id=id_, action='except', prefix='010')
        umeda('deleteAccountRule', 404, id=id_, action='restrict', prefix='010')
        umeda('putStop', 404, scope=f'account:{id_}')
        umeda('deleteStop', 404, scope=f'account:{id_}')
        umeda('authorize', 404, {'account': name, 'number': '110'})
        assert umeda('listRefusals', 200, query={'account': id_}).json['items'] == []
        assert umeda('listAudit', 200, query={'account': id_}).json['items'] == []
    for name in ('namba', 'main', 'nobody'):
        umeda('getTenant', 404, name=name)
        umeda('listTenantRules', 404, name=name)
        umeda('replaceTenantRules', 404, {'items': []}, name=name)
        umeda('putTenantRule', 404, None, name=name, action='except', prefix='010')
        umeda('deleteTenantRule', 404, name=name, action='restrict', prefix='010')
        umeda('putStop', 404, scope=f'tenant:{name}')
        umeda('deleteStop', 404, scope=f'tenant:{name}')
        umeda('createAccount', 422, {'name': 'y', 'tenant': name})
        umeda('changeAccount', 422, {'tenant': name}, id=own['id'])
        for lists in ('listAccounts', 'listRefusals', 'listAudit', 'listTenants'):
            umeda(lists, 422, query={'tenant': name})
        problem = umeda('importAccounts', 422, f'{{"name":"y","tenant":"{name}"}}\n', media=LINES).json
        assert problem['errors'][0]['line'] == 1
        umeda('importAccounts', 422, '{"name":"y"}\n', media=LINES, query={'tenant': name})
    umeda('putStop', 403, scope='operator')
    umeda('deleteStop', 403, scope='operator')
    umeda('getSwitch', 404, name='namba-gate')
    umeda('findAccount', 404, switch='namba-gate', name='x')
    umeda('number', 404, query={'switch': 'namba-gate', 'number': '110'})
    umeda('createAccount', 422, {'name': 'y', 'switch': 'namba-gate'})
    umeda('authorize', 404, {'account': 'x', 'switch': 'namba-gate', 'number': '110'})
    assert api('status', 200).json['change'] == before, 'something was changed'


def what_a_tenant_sees(api, daemon, spec):
    umeda = Api(daemon, spec, daemon.api.token('tenant:umeda'))
    assert {a['tenant'] for a in pages(umeda, 'listAccounts', {'limit': 1000})} == {'umeda'}
    assert [t['name'] for t in umeda('listTenants', 200).json['items']] == ['umeda']
    switches_ = umeda('listSwitches', 200).json['items']
    assert [s['name'] for s in switches_] == ['local']
    assert not {'addresses', 'adopt_tenant', 'tenants', 'note'} & set(switches_[0])
    assert not {'addresses', 'note'} & set(umeda('getSwitch', 200, name='local').json)
    assert umeda('listStops', 200).json['items'] == []
    assert umeda('listPresets', 200).json['items']
    objects = {a['object'] for a in pages(umeda, 'listAudit', {'limit': 1000})}
    assert not {'tenant:namba', 'tenant:main', 'operator', 'switch:local'} & objects, objects
    text = json.dumps(pages(umeda, 'listAudit', {'limit': 1000}))
    assert 'namba' not in text


def what_a_tenant_may(api, daemon, spec):
    umeda = Api(daemon, spec, daemon.api.token('tenant:umeda'))
    own = umeda('createAccount', 201, {'name': 'own-1'}).json
    assert own['tenant'] == 'umeda'
    umeda('putAccountRule', 201, None, id=own['id'], action='except', prefix='0101')
    umeda('deleteAccountRule', 204, id=own['id'], action='restrict', prefix='010')
    umeda('putTenantRule', 201, None, name='umeda', action='restrict', prefix='0990')
    umeda('putTenantRule', 422, {'mandatory': True}, name='umeda', action='restrict', prefix='0990')
    umeda('deleteTenantRule', 204, name='umeda', action='restrict', prefix='0990')
    umeda('changeAccount', 200, {'state': 'suspended'}, id=own['id'])
    umeda('changeAccount', 200, {'state': 'active'}, id=own['id'])
    # A suspension is lifted by who made it or stands above; who suspends it again makes it his own.
    umeda('changeAccount', 200, {'state': 'suspended'}, id=own['id'])
    api('changeAccount', 200, {'note': 'seen'}, id=own['id'])
    umeda('changeAccount', 200, {'state': 'active'}, id=own['id'])
    umeda('changeAccount', 200, {'state': 'suspended'}, id=own['id'])
    api('changeAccount', 200, {'state': 'suspended'}, id=own['id'])
    umeda('changeAccount', 200, {'state': 'suspended'}, id=own['id'])
    umeda('changeAccount', 403, {'state': 'active'}, id=own['id'])
    umeda('putAccount', 403, {}, switch='local', name='own-1')
    umeda('deleteAccount', 403, id=own['id'])
    umeda('changeAccount', 403, {'name': 'own-9'}, id=own['id'])
    api('changeAccount', 200, {'state': 'active'}, id=own['id'])
    umeda('changeAccount', 403, {'state': 'locked'}, id=own['id'])
    umeda('createAccount', 403, {'name': 'own-2', 'state': 'locked'})
    api('changeAccount', 200, {'state': 'locked'}, id=own['id'])
    umeda('changeAccount', 403, {'state': 'active'}, id=own['id'])
    umeda('putAccount', 403, {}, switch='local', name='own-1')
    # Nor is the name given to another, which would not be locked.
    umeda('deleteAccount', 403, id=own['id'])
    umeda('changeAccount', 403, {'name': 'own-9'}, id=own['id'])
    umeda('changeAccount', 200, {'note': 'locked'}, id=own['id'])
    api('changeAccount', 200, {'state': 'active'}, id=own['id'])
    api('putStop', 201, scope=f'account:{own["id"]}')
    umeda('deleteAccount', 403, id=own['id'])
    umeda('changeAccount', 403, {'name': 'own-9'}, id=own['id'])
    api('deleteStop', 204, scope=f'account:{own["id"]}')
    made = umeda('putStop', 201, scope=f'account:{own["id"]}')
    assert made.json['by'].endswith(' tenant:umeda')
    umeda('deleteStop', 204, scope=f'account:{own["id"]}')
    # The operator's stop holds where the tenant's stood before it.
    for scope in (f'account:{own["id"]}', 'tenant:umeda'):
        umeda('putStop', 201, {'note': 'first'}, scope=scope)
        assert ' tenant:' not in api('putStop', 200, {'note': 'first'}, scope=scope).json['by']
        umeda('deleteStop', 403, scope=scope)
        api('deleteStop', 204, scope=scope)
    # So does one of the tenant above.
    api('putTenant', 201, {'parent': 'umeda'}, name='umeda-east')
    east = Api(daemon, spec, daemon.api.token('tenant:umeda-east'))
    east('putStop', 201, scope='tenant:umeda-east')
    umeda('putStop', 200, scope='tenant:umeda-east')
    east('deleteStop', 403, scope='tenant:umeda-east')
    umeda('deleteStop', 204, scope='tenant:umeda-east')
    api('putStop', 201, scope='tenant:umeda')
    umeda('deleteStop', 403, scope='tenant:umeda')
    umeda('putStop', 200, {'note': 'mine too'}, scope='tenant:umeda')
    umeda('deleteStop', 403, scope='tenant:umeda')
    api('deleteStop', 204, scope='tenant:umeda')
    verdict = umeda('authorize', 200, {'account': 'umeda-1', 'number': '010252615123456'}).json
    assert verdict['verdict'] == 'deny'
    umeda('importAccounts', 200, 'name\nown-3\n', media=CSV)
    assert umeda('findAccount', 200, switch='local', name='own-3').json['tenant'] == 'umeda'
    problem = umeda('importAccounts', 422, 'name,state\nown-4,locked\n', media=CSV).json
    assert len(problem['errors']) == 1
    umeda('deleteAccount', 204, id=own['id'])


def expired_tokens(api, daemon, spec):
    end = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 2))
    token = api('createToken', 201, {'scope': 'operator', 'expires': end}).json['token']
    Api(daemon, spec, token)('listTenants', 200)
    time.sleep(2.5)
    Api(daemon, spec, token)('listTenants', 401)


def the_unix_socket(api, daemon, spec):
    assert daemon.api.local('GET', '/v1/tenants').status == 200
    umeda = daemon.api.token('tenant:umeda')
    answer = daemon.api.local('GET', '/v1/tenants/main', headers={'Authorization': 'Bearer ' + umeda})
    assert answer.status == 404, 'a token on the socket must keep its scope'
    answer = daemon.api.local('GET', '/v1/tenants', headers={'Authorization': 'Bearer x'})
    assert answer.status == 401
    assert daemon.api.local('GET', '/v1/tenants', headers={'Host': 'whatever.example'}).status == 200
    by = daemon.api.local('GET', '/v1/audit?limit=1').json['items'][0]['by']
    assert by == f'uid:{os.getuid()}', by


def a_full_disk(api, daemon, spec):
    before = api('status', 200).json['change']
    unlimited = resource.RLIM_INFINITY
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (4096, unlimited))
    try:
        for i in range(3):
            refused = api('createAccount', 503, {'name': f'full-{i}', 'tenant': 'main', 'switch': 'local'})
            assert int(refused.headers['Retry-After']) > 0
        assert api('health', 503).json['problems']
        assert api('authorize', 200, {'account': '1001', 'number': '110', 'switch': 'local'}).json['verdict'] == 'allow'
        api('listAccounts', 200)
    finally:
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    assert api('status', 200).json['change'] == before
    api('findAccount', 404, switch='local', name='full-0')
    api('createAccount', 201, {'name': 'full-0', 'tenant': 'main', 'switch': 'local'})
    api('health', 200)


def survives_a_restart(api, daemon, spec):
    before = [api(name, 200, query={'limit': 1000}).json for name in
              ('listSwitches', 'listTenants', 'listPresets', 'listAccounts', 'listTokens', 'listAudit')]
    assert daemon.stop() == 0, daemon.read_log()
    daemon.start()
    after = [api(name, 200, query={'limit': 1000}).json for name in
             ('listSwitches', 'listTenants', 'listPresets', 'listAccounts', 'listTokens', 'listAudit')]
    assert before == after


def main():
    program, routes, openapi = sys.argv[1:4]
    spec = Spec(openapi)
    tap.attempt('the route table and openapi.yaml are the same', routes_agree, spec, routes)
    tap.attempt('the examples of openapi.yaml have the form that it describes', examples_hold, spec)
    # SIGXFSZ is ignored: a file that may not grow is an error, as on a full disk.
    refuse = []
    with Smtp(lambda what, session: refuse[0] if refuse and what == 'RCPT' else None) as mail, \
            Daemon(['env', '--ignore-signal=XFSZ', program],
                   {**CONFIG, 'mail': {'server': f'smtp://127.0.0.1:{mail.port}', 'from': 'sekisho@example.jp'}}) as daemon:
        os.mkdir(daemon.dir + '/backups', 0o700)
        api = Api(daemon, spec, daemon.api.token('operator'))
        tap.attempt('health, status and settings', daemon_resources, api, daemon)
        tap.attempt('metrics, read strictly', metrics, api, daemon)
        tap.attempt('backups, and only where they may be', backup, api, daemon)
        tap.attempt('switches', switches, api)
        tap.attempt('tenants', tenants, api)
        tap.attempt('presets, and accounts born with them', presets, api)
        tap.attempt('accounts', accounts, api)
        tap.attempt("an account's rules", lambda: rules_of(
            api, 'account', id=api('findAccount', 200, switch='local', name='desk-9').json['id']))
        tap.attempt("a tenant's rules", lambda: rules_of(api, 'tenant', name='umeda'))
        tap.attempt("the operator's rules", lambda: rules_of(api, 'operator'))
        tap.attempt('stops', stops, api)
        tap.attempt('no call records yet', no_calls_yet, api)
        tap.attempt('sweeps: previewed, applied, undone', sweeps, api, daemon)
        tap.attempt('objections', objections, api)
        tap.attempt('call records, history, fraud', calls, api)
        tap.attempt('notices', notices, api, refuse)
        tap.attempt('tokens', tokens, api, daemon, spec)
        tap.attempt('authorize', authorize, api, daemon, spec)
        tap.attempt('authorize by a form', forms, api)
        tap.attempt('numbers and complements', numbers, api)
        tap.attempt('proofs', proofs, api)
        tap.attempt('templates', templates, api, daemon, spec)
        tap.attempt('refusals and audit', records, api)
        tap.attempt('2,500 accounts by JSON lines and CSV', importing, api)
        tap.attempt('an import is all or nothing, and names the lines', importing_is_all_or_nothing, api)
        tap.attempt('an import with rules', importing_with_rules, api)
        tap.attempt('an import that is cancelled', an_import_that_is_cancelled, api, daemon, spec)
        tap.attempt('paging through 2,500 accounts', paging, api)
        tap.attempt('paging while accounts come and go', paging_while_rows_come_and_go, api)
        tap.attempt('every list has cursors', lists_have_cursors, api)
        tap.attempt("a switch's token can do nothing but ask", switch_tokens, api, daemon, spec)
        tap.attempt("a tenant's token can do nothing that is the operator's", tenant_tokens, api, daemon, spec)
        tap.attempt("a tenant's token reaches nothing of another tenant", another_tenant, api, daemon, spec)
        tap.attempt('what a tenant sees is its own', what_a_tenant_sees, api, daemon, spec)
        tap.attempt('what a tenant may change', what_a_tenant_may, api, daemon, spec)
        tap.attempt('a token that has expired', expired_tokens, api, daemon, spec)
        tap.attempt('the Unix socket', the_unix_socket, api, daemon, spec)
        tap.attempt('a full disk, and room again', a_full_disk, api, daemon, spec)
        tap.attempt('everything is there after a restart', survives_a_restart, api, daemon, spec)
        tap.attempt('without a token nothing is answered', strangers, api, daemon, spec)
        tap.check('it ends cleanly', daemon.stop() == 0 and not daemon.complaints(), daemon.read_log())
        for name in spec.operations:
            if 'guard' in spec.operations[name]['tags']: # guard_api_e2e.py
                continue
            missing = {s for n, s in spec.expected() - spec.seen if n == name}
            tap.check(f'{name}: every answer that is documented was given', not missing, f'not seen: {missing}')
    tap.done()


loopback.own()
main()

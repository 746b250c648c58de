# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/openapi.yaml as a test uses it: every answer is held against it, and what was seen is kept."""

import json
import re
import urllib.parse

import jsonschema
import yaml

JSON = 'application/json'
PATCH = 'application/merge-patch+json'
FORM = 'application/x-www-form-urlencoded'
LINES = 'application/x-ndjson'
CSV = 'text/csv'

METHODS = ('get', 'put', 'post', 'patch', 'delete')


class Spec:
    def __init__(self, path):
        with open(path, encoding='utf-8') as f:
            self.doc = yaml.safe_load(f)
        self.resolver = jsonschema.RefResolver.from_schema(self.doc)
        self.operations = {}
        self.seen = set()
        for path, item in self.doc['paths'].items():
            for method in METHODS:
                if method in item:
                    operation = dict(item[method], path=path, method=method.upper())
                    operation['parameters'] = [self.resolve(p) for p in item.get('parameters', [])
                                               + item[method].get('parameters', [])]
                    self.operations[operation['operationId']] = operation

    def resolve(self, node):
        while '$ref' in node:
            node = self.resolver.resolve(node['$ref'])[1]
        return node

    def validate(self, schema, value, what):
        validator = jsonschema.Draft202012Validator(
            schema, resolver=self.resolver, format_checker=jsonschema.FormatChecker())
        errors = [f'{"/".join(map(str, e.absolute_path))}: {e.message}' for e in validator.iter_errors(value)]
        assert not errors, f'{what}: {errors[:5]}\n{value}'

    def target(self, name, parts, query):
        operation = self.operations[name]
        path = re.sub(r'\{(\w+)\}', lambda m: urllib.parse.quote(str(parts[m.group(1)]), safe=''),
                      operation['path'])
        return path + ('?' + urllib.parse.urlencode(query, doseq=True) if query else '')

    def request_schema(self, name, media):
        body = self.operations[name].get('requestBody')
        return self.resolve(body)['content'][media]['schema'] if body else None

    def check(self, name, answer, documented=True):
        """The answer is one of those that the operation documents, and has its form."""
        operation = self.operations[name]
        status = str(answer.status)
        where = f'{name} {status}'
        explicit = operation['responses'].get(status)
        assert explicit or answer.status >= 400, f'{where} is not documented\n{answer}'
        response = self.resolve(explicit or operation['responses']['default'])
        if explicit and documented:
            self.seen.add((name, status))
        assert answer.headers['Cache-Control'] == 'no-store', where
        assert answer.headers['X-Content-Type-Options'] == 'nosniff', where
        assert answer.headers['Access-Control-Allow-Origin'] is None, where
        for header, rule in response.get('headers', {}).items():
            assert answer.headers[header] is not None, f'{where}: no {header}\n{answer}'
            self.validate(self.resolve(rule)['schema'], answer.headers[header], f'{where} {header}')
        content = response.get('content')
        if not content:
            assert answer.raw == b'', f'{where}: has a body\n{answer}'
            return answer
        media = answer.headers['Content-Type']
        assert media in content, f'{where}: {media} is not documented'
        self.validate(content[media]['schema'], answer.raw.decode() if media.startswith('text/') else answer.json, where)
        if media == 'application/problem+json':
            assert answer.json['status'] == answer.status, where
        return answer

    def expected(self):
        """Every answer that is documented by name."""
        return {(name, status) for name, operation in self.operations.items()
                for status in operation['responses'] if status != 'default'}

    def examples(self):
        """(what, schema, example) of every media type object that has an example."""
        found = []

        def walk(node, what):
            if isinstance(node, dict):
                if 'schema' in node and 'example' in node:
                    found.append((what, node['schema'], node['example']))
                for key, value in node.items():
                    walk(value, f'{what}/{key}')
            elif isinstance(node, list):
                for i, value in enumerate(node):
                    walk(value, f'{what}/{i}')

        walk(self.doc, '')
        return found


class Api:
    """Operations by name; every answer is held against the description."""

    def __init__(self, daemon, spec, token):
        self.daemon = daemon
        self.spec = spec
        self.token = token

    def __call__(self, name, expect, /, body=None, media=None, query=None, headers=None, **parts):
        operation = self.spec.operations[name]
        headers = dict(headers or {})
        if media is None and isinstance(body, (dict, list)):
            media = PATCH if operation['method'] == 'PATCH' else JSON
        if body is not None and media and not isinstance(body, bytes):
            if expect < 300 and media in (JSON, PATCH):
                self.spec.validate(self.spec.request_schema(name, media), body, f'{name}: the request')
            body = body if isinstance(body, str) else json.dumps(body)
        if media:
            headers['Content-Type'] = media
        answer = self.daemon.api.tcp(self.token, operation['method'], self.spec.target(name, parts, query), body,
                                 headers)
        assert answer.status == expect, f'{name}: {answer.status} instead of {expect}\n{answer}'
        self.spec.check(name, answer)
        return answer

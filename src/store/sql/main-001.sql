-- SPDX-License-Identifier: GPL-2.0-or-later
-- sekisho.db, version 1: what people decided.

-- Who changed what. The id is the one change number of the whole store: every row below points to the
-- record that made it what it is. A record is written open (without detail), then closed, then kept.
CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,              -- milliseconds since 1970
    actor       TEXT NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    action      TEXT NOT NULL,                 -- account.add
    object      TEXT NOT NULL DEFAULT '',      -- account:17, as it was called then
    object_name TEXT NOT NULL DEFAULT '',      -- 1001@local
    tenant      INTEGER,                       -- whom it concerned; may be gone since
    account     INTEGER,
    rows        INTEGER NOT NULL DEFAULT 1,    -- more than 1 for a batch
    detail      TEXT                           -- JSON
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant) WHERE tenant IS NOT NULL;
CREATE INDEX audit_by_account ON audit (account) WHERE account IS NOT NULL;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
    BEGIN SELECT raise(ABORT, 'an audit record is never deleted'); END;
CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit WHEN old.detail IS NOT NULL
    BEGIN SELECT raise(ABORT, 'an audit record is never changed'); END;

-- Equal lists of rules are one set, found by a hash of its content. A set never changes; owners point
-- to another one.
CREATE TABLE rule_sets (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE rules (
    rule_set  INTEGER NOT NULL REFERENCES rule_sets (id) ON DELETE CASCADE,
    action    TEXT NOT NULL CHECK (action IN ('restrict', 'except')),
    prefix    TEXT NOT NULL CHECK (length(prefix) BETWEEN 1 AND 32),
    mandatory INTEGER NOT NULL CHECK (mandatory IN (0, 1)),
    until     INTEGER NOT NULL,                -- seconds since 1970; 0 is for ever
    schedule  TEXT NOT NULL,
    PRIMARY KEY (rule_set, action, prefix)
) STRICT, WITHOUT ROWID;

CREATE TABLE operator (
    id       INTEGER PRIMARY KEY CHECK (id = 0),
    rule_set INTEGER NOT NULL REFERENCES rule_sets (id),
    change   INTEGER NOT NULL REFERENCES audit (id)
) STRICT;

CREATE TABLE settings (
    id                   INTEGER PRIMARY KEY CHECK (id = 0),
    seeded               INTEGER NOT NULL DEFAULT 0 CHECK (seeded IN (0, 1)),
    refusal_days         INTEGER NOT NULL DEFAULT 180,
    refusals_max         INTEGER NOT NULL DEFAULT 1000000,
    refusals_per_account INTEGER NOT NULL DEFAULT 1000,
    adopted_max          INTEGER NOT NULL DEFAULT 10000,
    change               INTEGER NOT NULL REFERENCES audit (id)
) STRICT;

CREATE TABLE presets (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,
    title    TEXT NOT NULL,
    rule_set INTEGER NOT NULL REFERENCES rule_sets (id),
    change   INTEGER NOT NULL REFERENCES audit (id)
) STRICT;
CREATE INDEX presets_by_rule_set ON presets (rule_set);

CREATE TABLE tenants (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,
    title    TEXT NOT NULL,
    parent   INTEGER REFERENCES tenants (id),
    mode     TEXT NOT NULL CHECK (mode IN ('inherit', 'enforce', 'observe')),
    preset   INTEGER REFERENCES presets (id),
    language TEXT NOT NULL CHECK (language IN ('ja', 'en')),
    area     TEXT NOT NULL,
    rule_set INTEGER NOT NULL REFERENCES rule_sets (id),
    change   INTEGER NOT NULL REFERENCES audit (id)
) STRICT;
CREATE INDEX tenants_by_parent ON tenants (parent);
CREATE INDEX tenants_by_preset ON tenants (preset);
CREATE INDEX tenants_by_rule_set ON tenants (rule_set);

CREATE TABLE switches (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL UNIQUE,
    plan         TEXT NOT NULL,
    outside      TEXT NOT NULL,
    extensions   TEXT NOT NULL,
    area         TEXT NOT NULL,
    form         TEXT NOT NULL CHECK (form IN ('dialled', '+e164', 'e164')),
    mode         TEXT NOT NULL CHECK (mode IN ('enforce', 'observe')),
    unknown      TEXT NOT NULL CHECK (unknown IN ('born', 'deny')),
    adopt_tenant INTEGER REFERENCES tenants (id),
    note         TEXT NOT NULL,
    change       INTEGER NOT NULL REFERENCES audit (id),
    CHECK (unknown = 'deny' OR adopt_tenant IS NOT NULL)
) STRICT;
CREATE INDEX switches_by_adopt_tenant ON switches (adopt_tenant);
CREATE TABLE switch_addresses (
    address  TEXT PRIMARY KEY,                 -- canonical: 192.0.2.1, 192.0.2.0/24, 2001:db8::/32
    switch   INTEGER NOT NULL REFERENCES switches (id) ON DELETE CASCADE,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX switch_addresses_by_switch ON switch_addresses (switch, position);
CREATE TABLE switch_tenants (
    switch INTEGER NOT NULL REFERENCES switches (id) ON DELETE CASCADE,
    tenant INTEGER NOT NULL REFERENCES tenants (id),
    PRIMARY KEY (switch, tenant)
) STRICT, WITHOUT ROWID;
CREATE INDEX switch_tenants_by_tenant ON switch_tenants (tenant);

CREATE TABLE accounts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    switch     INTEGER NOT NULL REFERENCES switches (id),
    name       TEXT NOT NULL,                  -- lower case
    tenant     INTEGER NOT NULL REFERENCES tenants (id),
    state      TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'locked')),
    state_set  INTEGER NOT NULL REFERENCES audit (id), -- the change that put it there
    note       TEXT NOT NULL,
    adopted    INTEGER NOT NULL CHECK (adopted IN (0, 1)),
    rule_set   INTEGER NOT NULL REFERENCES rule_sets (id),
    created    INTEGER NOT NULL REFERENCES audit (id),
    change     INTEGER NOT NULL REFERENCES audit (id),
    UNIQUE (switch, name)
) STRICT;
CREATE INDEX accounts_by_tenant ON accounts (tenant);
CREATE INDEX accounts_by_rule_set ON accounts (rule_set);
CREATE INDEX accounts_adopted ON accounts (switch) WHERE adopted = 1;

-- International off, now. Neither tenant nor account: everything.
CREATE TABLE stops (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  INTEGER UNIQUE REFERENCES tenants (id) ON DELETE CASCADE,
    account INTEGER UNIQUE REFERENCES accounts (id) ON DELETE CASCADE,
    since   INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    note    TEXT NOT NULL,
    change  INTEGER NOT NULL REFERENCES audit (id),
    CHECK (tenant IS NULL OR account IS NULL)
) STRICT;
CREATE UNIQUE INDEX stops_operator ON stops ((1)) WHERE tenant IS NULL AND account IS NULL;

-- Of a secret only a hash is kept.
CREATE TABLE tokens (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    hash    BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    tenant  INTEGER REFERENCES tenants (id),
    switch  INTEGER REFERENCES switches (id),
    label   TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    change  INTEGER NOT NULL REFERENCES audit (id),
    CHECK (tenant IS NULL OR switch IS NULL)
) STRICT;
CREATE INDEX tokens_by_tenant ON tokens (tenant);
CREATE INDEX tokens_by_switch ON tokens (switch);

INSERT INTO audit (id, at, actor, action, object, object_name, detail)
    VALUES (1, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'sekishod', 'store.create',
            'operator', 'operator', '{"before":null,"after":null}');
-- The hash of no rules at all: BLAKE2b-256 of nothing.
INSERT INTO rule_sets (id, hash)
    VALUES (1, x'0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8');
INSERT INTO operator (id, rule_set, change) VALUES (0, 1, 1);
INSERT INTO settings (id, change) VALUES (0, 1);

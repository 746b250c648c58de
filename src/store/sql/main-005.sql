-- SPDX-License-Identifier: GPL-2.0-or-later
-- sekisho.db, version 5: whom to tell, and what is to be told.

ALTER TABLE tenants ADD COLUMN mail TEXT NOT NULL DEFAULT ''; -- addresses, separated by commas

-- The outbox: one row is one mail to one address. It stands here and not in evidence.db, since what is told of a change
-- has to be in that change's own transaction: two files in write-ahead mode do not commit as one.
CREATE TABLE notices (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    token     TEXT NOT NULL,                          -- random; with the id it makes the Message-ID
    kind      TEXT NOT NULL,
    change    INTEGER NOT NULL,                       -- the audit record that it came with; 0: none
    batch     INTEGER NOT NULL,                       -- the sweep or announcement whose accounts it lists; 0: none
    tenant    INTEGER NOT NULL,                       -- who is told, may be gone since; 0: the operator
    recipient TEXT NOT NULL,                          -- '': whom the configuration has for the operator
    language  TEXT NOT NULL CHECK (language IN ('ja', 'en', '')), -- '': likewise
    facts     TEXT NOT NULL,                          -- a JSON object
    state     TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    at        INTEGER NOT NULL,                       -- milliseconds since 1970
    tries     INTEGER NOT NULL DEFAULT 0,
    next      INTEGER NOT NULL,                       -- milliseconds: not before
    ended     INTEGER,                                -- milliseconds: when it was sent, or given up
    error     TEXT NOT NULL DEFAULT ''                -- of the last try
) STRICT;
CREATE UNIQUE INDEX notices_once ON notices (change, kind, tenant, recipient) WHERE change <> 0;
CREATE INDEX notices_due ON notices (next) WHERE state IN ('waiting', 'sending');
CREATE INDEX notices_by_state ON notices (state, id);
CREATE INDEX notices_by_end ON notices (ended) WHERE ended IS NOT NULL;

-- Whom an announcement (an audit record) is about. The account may be gone since.
CREATE TABLE announced (
    announcement INTEGER NOT NULL,
    account      INTEGER NOT NULL,
    PRIMARY KEY (announcement, account)
) STRICT, WITHOUT ROWID;

-- Who is told of whose accounts by the digests of one change, as it was then.
CREATE TABLE notice_tenants (
    change INTEGER NOT NULL,
    tenant INTEGER NOT NULL,                          -- whose accounts
    told   INTEGER NOT NULL,                          -- notices.tenant
    PRIMARY KEY (change, tenant)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_tenants_by_told ON notice_tenants (change, told);

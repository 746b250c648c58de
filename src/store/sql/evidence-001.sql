-- SPDX-License-Identifier: GPL-2.0-or-later
-- evidence.db, version 1: what happened. Ids of switches, accounts and tenants are those of sekisho.db
-- and may be gone there.

CREATE TABLE refusals (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     BLOB NOT NULL CHECK (length(kind) = 16), -- a hash of what makes refusals the same
    bucket   INTEGER NOT NULL,                        -- whose quota: an account, or -switch
    first    INTEGER NOT NULL,                        -- milliseconds since 1970
    last     INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    switch   INTEGER NOT NULL,
    account  INTEGER,
    tenant   INTEGER,
    name     TEXT NOT NULL,                           -- of the account, as asked
    remote   TEXT NOT NULL,
    dialled  TEXT NOT NULL,
    class    TEXT NOT NULL,
    e164     TEXT NOT NULL,
    country  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    level    TEXT NOT NULL,
    rule     TEXT NOT NULL,
    observed INTEGER NOT NULL CHECK (observed IN (0, 1))
) STRICT;
CREATE INDEX refusals_by_kind ON refusals (kind, first);
CREATE INDEX refusals_by_bucket ON refusals (bucket, id);
CREATE INDEX refusals_by_last ON refusals (last);
CREATE INDEX refusals_by_tenant ON refusals (tenant, id);

-- How many there are, without counting a million rows for every one that is added.
CREATE TABLE refusal_total (
    id   INTEGER PRIMARY KEY CHECK (id = 0),
    rows INTEGER NOT NULL
) STRICT;
INSERT INTO refusal_total (id, rows) VALUES (0, 0);
CREATE TRIGGER refusal_comes AFTER INSERT ON refusals
    BEGIN UPDATE refusal_total SET rows = rows + 1; END;
CREATE TRIGGER refusal_goes AFTER DELETE ON refusals
    BEGIN UPDATE refusal_total SET rows = rows - 1; END;

-- SPDX-License-Identifier: GPL-2.0-or-later
-- sekisho.db, version 4: sweeps, and what accounts had before.

CREATE TABLE sweeps (
    id     INTEGER PRIMARY KEY REFERENCES audit (id), -- the change that applied it
    since  INTEGER NOT NULL,                          -- milliseconds since 1970: the terms
    lifted INTEGER NOT NULL CHECK (lifted IN (0, 1)), -- whether what was lifted was swept too
    tenant INTEGER,                                   -- whose accounts; may be gone since; NULL: all
    undone INTEGER REFERENCES audit (id)              -- the change that undid it
) STRICT;

-- A row for each account that was restricted. The account may be gone since.
CREATE TABLE sweep_rows (
    sweep    INTEGER NOT NULL REFERENCES sweeps (id),
    account  INTEGER NOT NULL,
    before   INTEGER NOT NULL REFERENCES rule_sets (id), -- the rules that it had,
    after    INTEGER NOT NULL REFERENCES rule_sets (id), -- that it got
    restored INTEGER NOT NULL DEFAULT 0 CHECK (restored IN (0, 1)),
    PRIMARY KEY (sweep, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX sweep_rows_by_before ON sweep_rows (before);
CREATE INDEX sweep_rows_by_after ON sweep_rows (after);

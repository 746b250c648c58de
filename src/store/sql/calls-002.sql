-- SPDX-License-Identifier: GPL-2.0-or-later
-- calls.db, version 2: which calls do not speak for their account, and whether names that pay are accounts.

-- Calls that an operator marked as fraud.
CREATE TABLE disowned (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    switch  INTEGER NOT NULL,
    name    TEXT NOT NULL,
    country TEXT NOT NULL,                             -- '' is all
    since   INTEGER NOT NULL,                          -- milliseconds since 1970
    until   INTEGER NOT NULL,                          -- not of it any more
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL
) STRICT;
CREATE INDEX disowned_by_name ON disowned (switch, name);

-- When accounts were under attack: of the guard's decisions, which evidence.db forgets after a time.
CREATE TABLE attacks (
    decision INTEGER PRIMARY KEY,                      -- its id in evidence.db
    switch   INTEGER NOT NULL,
    name     TEXT NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL
) STRICT;
CREATE INDEX attacks_by_name ON attacks (switch, name);

-- What was found when the last import of a switch had ended.
CREATE TABLE payers (
    switch        INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,
    calls         INTEGER NOT NULL,
    stray_calls   INTEGER NOT NULL,                    -- of names that no account has
    callers       INTEGER NOT NULL,
    stray_callers INTEGER NOT NULL,
    accounts      INTEGER NOT NULL,
    silent        INTEGER NOT NULL                     -- accounts without any call
) STRICT;

-- What calls are is asked in another way now.
DELETE FROM history;
UPDATE blocks SET summed = 0;

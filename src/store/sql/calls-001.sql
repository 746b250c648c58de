-- SPDX-License-Identifier: GPL-2.0-or-later
-- calls.db, version 1: what CDRs told. Ids of switches are those of sekisho.db and may be gone there.

-- Who pays for calls. A name is known by the switch on which it called, whether or not it is an account today.
CREATE TABLE callers (
    id     INTEGER PRIMARY KEY,
    switch INTEGER NOT NULL,
    name   TEXT NOT NULL,                              -- in lower case, as accounts have it
    UNIQUE (switch, name)
) STRICT;

-- Calls, some thousand to a row, in the form that ledger/pack.h tells.
CREATE TABLE blocks (
    id     INTEGER PRIMARY KEY,
    switch INTEGER NOT NULL,
    first  INTEGER NOT NULL,                           -- milliseconds since 1970: of the earliest call
    last   INTEGER NOT NULL,                           -- of the latest
    calls  INTEGER NOT NULL CHECK (calls > 0),
    summed INTEGER NOT NULL CHECK (summed IN (0, 1)),  -- whether `history` has them
    bytes  BLOB NOT NULL
) STRICT;
CREATE INDEX blocks_by_time ON blocks (switch, last);
CREATE INDEX blocks_by_last ON blocks (last);
CREATE INDEX blocks_unsummed ON blocks (id) WHERE summed = 0;

-- Sums of calls of one caller to one country, as ledger/history.h tells.
CREATE TABLE history (
    caller      INTEGER NOT NULL,
    country     TEXT NOT NULL,
    abroad      INTEGER NOT NULL CHECK (abroad IN (0, 1)),
    answered    INTEGER NOT NULL,
    unanswered  INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    refused     INTEGER NOT NULL,
    doubted     INTEGER NOT NULL,
    seconds     INTEGER NOT NULL,
    first       INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    spoke_first INTEGER,                               -- NULL: no call speaks for the account
    spoke_last  INTEGER,
    PRIMARY KEY (caller, country, abroad)
) STRICT, WITHOUT ROWID;

-- Files that were read: the same content is known again under any name, and read on where it grew.
CREATE TABLE files (
    id      INTEGER PRIMARY KEY,
    switch  INTEGER NOT NULL,
    head    BLOB NOT NULL,                             -- what the beginning looks like
    bytes   INTEGER NOT NULL,                          -- read, after decompression
    hash    BLOB NOT NULL,                             -- of all of them
    rows    INTEGER NOT NULL,
    unread  INTEGER NOT NULL,                          -- rows that could not be understood
    name    TEXT NOT NULL,                             -- when it was last read
    changed INTEGER NOT NULL                           -- milliseconds since 1970
) STRICT;
CREATE INDEX files_by_head ON files (switch, head);

-- SPDX-License-Identifier: GPL-2.0-or-later
-- sekisho.db, version 2: what the operator decided about who may reach the switches.

CREATE TABLE networks (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    list    TEXT NOT NULL CHECK (list IN ('access', 'never-ban')),
    network TEXT NOT NULL,                     -- canonical, like switch_addresses.address
    note    TEXT NOT NULL,
    since   INTEGER NOT NULL,                  -- milliseconds since 1970
    actor   TEXT NOT NULL,
    change  INTEGER NOT NULL REFERENCES audit (id),
    UNIQUE (list, network)
) STRICT;

CREATE TABLE canaries (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    switch INTEGER NOT NULL REFERENCES switches (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,                      -- lower case
    note   TEXT NOT NULL,
    since  INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    change INTEGER NOT NULL REFERENCES audit (id),
    UNIQUE (switch, name)
) STRICT;

-- The operator's own; the guard's are evidence.
CREATE TABLE bans (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    network TEXT NOT NULL UNIQUE,
    until   INTEGER NOT NULL,                  -- seconds since 1970; 0 is until it is lifted
    note    TEXT NOT NULL,
    since   INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    change  INTEGER NOT NULL REFERENCES audit (id)
) STRICT;
CREATE INDEX bans_by_until ON bans (until);

-- What of the guard's decisions the operator took back: what is older must not come back from evidence.db, which may
-- not have heard of it.
CREATE TABLE lifted (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL CHECK (kind IN ('ban', 'lockout', 'known-good')),
    switch  INTEGER NOT NULL,                  -- 0 for a ban
    account TEXT NOT NULL,                     -- as it is shown; empty for a ban
    network TEXT NOT NULL,                     -- empty: all of the account
    at      INTEGER NOT NULL,
    change  INTEGER NOT NULL REFERENCES audit (id),
    UNIQUE (kind, switch, account, network)
) STRICT;
CREATE INDEX lifted_by_at ON lifted (at);

ALTER TABLE settings ADD COLUMN attempt_days INTEGER NOT NULL DEFAULT 90;
ALTER TABLE settings ADD COLUMN attempts_max INTEGER NOT NULL DEFAULT 200000;
ALTER TABLE settings ADD COLUMN decision_days INTEGER NOT NULL DEFAULT 180;
ALTER TABLE settings ADD COLUMN decisions_max INTEGER NOT NULL DEFAULT 200000;
ALTER TABLE settings ADD COLUMN decisions_per_subject INTEGER NOT NULL DEFAULT 100;

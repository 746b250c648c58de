-- SPDX-License-Identifier: GPL-2.0-or-later
-- evidence.db, version 2: what happened at the guard. A network is a BLOB: family, address, length of the prefix.

-- What the guard must know again after a restart. `sweep` says by which walk through the guard's tables a row was
-- last seen: what a whole walk did not see is gone.
CREATE TABLE guard (
    id    INTEGER PRIMARY KEY CHECK (id = 0),
    key   BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;
CREATE TABLE bans (
    network      BLOB NOT NULL,
    observed     INTEGER NOT NULL CHECK (observed IN (0, 1)),
    quench       INTEGER NOT NULL CHECK (quench IN (0, 1)),
    attack       TEXT NOT NULL,
    witness      TEXT NOT NULL,
    switch       INTEGER NOT NULL,
    since        INTEGER NOT NULL,                    -- seconds since 1970
    until        INTEGER NOT NULL,                    -- 0 is until somebody ends it
    length       INTEGER NOT NULL,
    level        INTEGER NOT NULL,
    quench_level INTEGER NOT NULL,
    threshold    INTEGER NOT NULL,
    count        INTEGER NOT NULL,
    window       INTEGER NOT NULL,
    heard        INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    sweep        INTEGER NOT NULL,
    PRIMARY KEY (network, observed)
) STRICT, WITHOUT ROWID;
CREATE TABLE locks (
    switch    INTEGER NOT NULL,
    name      BLOB NOT NULL,                          -- any bytes
    kind      INTEGER NOT NULL CHECK (kind IN (0, 1, 2)), -- out, international, takeover
    observed  INTEGER NOT NULL CHECK (observed IN (0, 1)),
    since     INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    length    INTEGER NOT NULL,
    level     INTEGER NOT NULL,
    threshold INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    window    INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    sweep     INTEGER NOT NULL,
    PRIMARY KEY (switch, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE pairs (
    account   INTEGER NOT NULL,                       -- the guard's keyed hash of switch and name
    home      BLOB NOT NULL,
    first_day INTEGER NOT NULL,
    last_day  INTEGER NOT NULL,
    taint     INTEGER NOT NULL,
    days      INTEGER NOT NULL,
    good      INTEGER NOT NULL CHECK (good IN (0, 1)),
    sweep     INTEGER NOT NULL,
    PRIMARY KEY (account, home)
) STRICT, WITHOUT ROWID;
-- The good ones by name. A pair is good only if it stands here.
CREATE TABLE known_good (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    pair    INTEGER NOT NULL,                         -- pairs.account
    network BLOB NOT NULL,
    switch  INTEGER NOT NULL,
    account TEXT NOT NULL,                            -- as it is shown
    tenant  INTEGER,
    since   INTEGER NOT NULL,                         -- milliseconds
    UNIQUE (pair, network)
) STRICT;
CREATE INDEX known_good_by_account ON known_good (account, switch);
CREATE TABLE counts (
    subject BLOB PRIMARY KEY,                         -- a source or an account, as guard_state.c packs it
    known   INTEGER NOT NULL CHECK (known IN (0, 1)),
    counts  BLOB NOT NULL CHECK (length(counts) = 64),
    names   INTEGER NOT NULL,
    saved   INTEGER NOT NULL,                         -- milliseconds
    sweep   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The guard's events, and the attempts that counted. `light`: what anybody can cause by forged packets.
CREATE TABLE decisions (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    attack    TEXT NOT NULL,
    observed  INTEGER NOT NULL CHECK (observed IN (0, 1)),
    quench    INTEGER NOT NULL CHECK (quench IN (0, 1)),
    light     INTEGER NOT NULL CHECK (light IN (0, 1)),
    switch    INTEGER NOT NULL,
    network   BLOB NOT NULL,
    account   TEXT NOT NULL,                          -- as it is shown
    tenant    INTEGER,
    witness   TEXT NOT NULL,
    proof     TEXT NOT NULL,
    threshold INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    window    INTEGER NOT NULL,
    seconds   INTEGER NOT NULL,
    level     INTEGER NOT NULL,
    good      BLOB NOT NULL,                          -- networks, one behind the other
    named     INTEGER NOT NULL
) STRICT;
CREATE INDEX decisions_by_network ON decisions (network, id);
CREATE INDEX decisions_by_account ON decisions (account, switch, id) WHERE account <> '';
CREATE INDEX decisions_by_light ON decisions (light, id);
CREATE TABLE counted (
    decision   INTEGER NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,                      -- 0 is the newest
    at         INTEGER NOT NULL,
    switch     INTEGER NOT NULL,
    witness    TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    proof      TEXT NOT NULL,
    transport  TEXT NOT NULL,
    method     TEXT NOT NULL,
    source     BLOB NOT NULL,
    account    TEXT NOT NULL,
    dialled    TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    call_id    TEXT NOT NULL,
    PRIMARY KEY (decision, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE decision_total (
    light INTEGER PRIMARY KEY CHECK (light IN (0, 1)),
    rows  INTEGER NOT NULL
) STRICT;
INSERT INTO decision_total (light, rows) VALUES (0, 0), (1, 0);
CREATE TRIGGER decision_comes AFTER INSERT ON decisions
    BEGIN UPDATE decision_total SET rows = rows + 1 WHERE light = new.light; END;
CREATE TRIGGER decision_goes AFTER DELETE ON decisions
    BEGIN UPDATE decision_total SET rows = rows - 1 WHERE light = old.light; END;

-- Sums of attempts. `detail` 2: everything is told; 1: without account and User-Agent; 0: without the source, too.
CREATE TABLE attempts (
    hour       INTEGER NOT NULL,                      -- hours since 1970
    switch     INTEGER NOT NULL,
    source     BLOB NOT NULL,
    witness    TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    proof      TEXT NOT NULL,
    detail     INTEGER NOT NULL CHECK (detail IN (0, 1, 2)),
    account    TEXT NOT NULL,                         -- as it is shown
    user_agent TEXT NOT NULL,
    count      INTEGER NOT NULL,
    first      INTEGER NOT NULL,                      -- milliseconds
    last       INTEGER NOT NULL,
    PRIMARY KEY (hour, switch, source, witness, outcome, proof, detail, account, user_agent)
) STRICT, WITHOUT ROWID;
-- Rows with detail, proved and not.
CREATE TABLE attempt_hours (
    hour  INTEGER PRIMARY KEY,
    firm  INTEGER NOT NULL,
    loose INTEGER NOT NULL
) STRICT;
CREATE TABLE attempt_total (
    id   INTEGER PRIMARY KEY CHECK (id = 0),
    rows INTEGER NOT NULL
) STRICT;
INSERT INTO attempt_total (id, rows) VALUES (0, 0);
CREATE TRIGGER attempt_comes AFTER INSERT ON attempts WHEN new.detail > 0
    BEGIN
        UPDATE attempt_total SET rows = rows + 1;
        INSERT INTO attempt_hours (hour, firm, loose)
            VALUES (new.hour, new.proof = 'proved', new.proof <> 'proved')
            ON CONFLICT (hour) DO UPDATE SET firm = firm + excluded.firm, loose = loose + excluded.loose;
    END;
CREATE TRIGGER attempt_goes AFTER DELETE ON attempts WHEN old.detail > 0
    BEGIN
        UPDATE attempt_total SET rows = rows - 1;
        UPDATE attempt_hours SET firm = firm - (old.proof = 'proved'),
            loose = loose - (old.proof <> 'proved') WHERE hour = old.hour;
    END;

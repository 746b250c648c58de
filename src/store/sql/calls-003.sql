-- SPDX-License-Identifier: GPL-2.0-or-later
-- calls.db, version 3: on which days there are records, so that nobody takes a day without records for one without
-- calls. Calls that are forgotten stay counted here as long as history has them: who forgets history up to a day
-- forgets the days up to it too.

CREATE TABLE days (
    switch INTEGER NOT NULL,
    day    INTEGER NOT NULL,                           -- since 1970-01-01, UTC
    calls  INTEGER NOT NULL,
    PRIMARY KEY (switch, day)
) STRICT, WITHOUT ROWID;

-- Of what was there before only the ends of blocks are known.
INSERT INTO days SELECT switch, first / 86400000, calls FROM blocks WHERE true
    ON CONFLICT DO UPDATE SET calls = calls + excluded.calls;
INSERT INTO days SELECT switch, last / 86400000, 1 FROM blocks WHERE true ON CONFLICT DO NOTHING;

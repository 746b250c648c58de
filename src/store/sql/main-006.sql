-- SPDX-License-Identifier: GPL-2.0-or-later
-- sekisho.db, version 6: objections to sweeps, announcements of them, and what of each still stands.

-- "Do not sweep", said of a tenant and all below it, or of one account.
CREATE TABLE objections (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  INTEGER UNIQUE REFERENCES tenants (id) ON DELETE CASCADE,
    account INTEGER UNIQUE REFERENCES accounts (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,                         -- milliseconds since 1970
    actor   TEXT NOT NULL,
    note    TEXT NOT NULL,
    change  INTEGER NOT NULL REFERENCES audit (id),
    CHECK ((tenant IS NULL) <> (account IS NULL))
) STRICT;

-- What tenants were told that would be swept, and when. Whose accounts it was stands in `announced`.
CREATE TABLE announcements (
    id     INTEGER PRIMARY KEY REFERENCES audit (id), -- the change that announced it
    due    INTEGER NOT NULL,                          -- milliseconds since 1970: not before
    since  INTEGER NOT NULL,                          -- the terms
    lifted INTEGER NOT NULL CHECK (lifted IN (0, 1)),
    tenant INTEGER                                    -- whose accounts; may be gone since; NULL: all
) STRICT;

-- How many accounts of a sweep nobody has changed since: counted down, since counting a million takes long.
ALTER TABLE sweeps ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;
UPDATE sweeps SET standing = (SELECT count(*) FROM sweep_rows r JOIN accounts a ON a.id = r.account
                              WHERE r.sweep = sweeps.id AND a.change = sweeps.id);
CREATE TRIGGER accounts_leave_sweep AFTER UPDATE OF change ON accounts
    WHEN old.change <> new.change AND EXISTS (SELECT 1 FROM sweeps WHERE id = old.change AND undone IS NULL)
    BEGIN UPDATE sweeps SET standing = standing - 1 WHERE id = old.change; END;
CREATE TRIGGER accounts_are_gone AFTER DELETE ON accounts
    WHEN EXISTS (SELECT 1 FROM sweeps WHERE id = old.change AND undone IS NULL)
    BEGIN UPDATE sweeps SET standing = standing - 1 WHERE id = old.change; END;

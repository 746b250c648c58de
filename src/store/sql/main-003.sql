-- SPDX-License-Identifier: GPL-2.0-or-later
-- sekisho.db, version 3: how a switch asks over SIP.

ALTER TABLE switches ADD COLUMN sip_account TEXT NOT NULL DEFAULT 'P-Asserted-Identity';
ALTER TABLE switches ADD COLUMN sip_allow INTEGER NOT NULL DEFAULT 302 CHECK (sip_allow IN (302, 404, 503));
ALTER TABLE switches ADD COLUMN sip_deny INTEGER NOT NULL DEFAULT 603 CHECK (sip_deny IN (603, 403, 608));
-- Whoever goes on by 404 or 503 goes on where there is no Sekisho too.
ALTER TABLE switches ADD COLUMN fail_open INTEGER NOT NULL DEFAULT 0
    CHECK (fail_open IN (0, 1) AND (sip_allow = 302 OR fail_open = 1));

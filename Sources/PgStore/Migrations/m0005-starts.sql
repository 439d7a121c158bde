-- Starts after a certificate was revoked. One transaction. Never edited after release.

-- How many certificates of the account had been revoked when an exclusion-ended start was recorded; 0 for other reasons. After a
-- further revocation the same row of a file is another start.
ALTER TABLE start ADD COLUMN revocations integer NOT NULL DEFAULT 0;

CREATE INDEX certificate_revoked ON certificate (delegation_id, account_id) WHERE revoked_at IS NOT NULL;

UPDATE start t
   SET revocations = (SELECT count(*)
                        FROM certificate c
                       WHERE c.delegation_id = t.delegation_id AND c.account_id = t.account_id
                         AND c.revoked_at <= i.imported_at)
  FROM import i
 WHERE i.import_id = t.import_id AND t.reason = 'exclusion-ended';

ALTER TABLE start DROP CONSTRAINT start_delegation_id_account_id_reason_on_date_key;
ALTER TABLE start ADD CONSTRAINT start_once UNIQUE (delegation_id, account_id, reason, on_date, revocations);

-- The same file of starts can bring something new again then. Each of its rows is loaded once by the constraint above.
ALTER TABLE import DROP CONSTRAINT import_kind_period_digest_key;
CREATE UNIQUE INDEX import_once ON import (kind, period, digest) WHERE kind <> 'starts';

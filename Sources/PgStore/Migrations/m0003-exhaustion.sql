-- The month streams and exhaustion: stops by municipality, starts, certificates. One transaction. Never edited after
-- release.

-- Stops ------------------------------------------------------------------------------------------------------------

-- A stop that names a municipality is written out for each account that the cut has there; a stop of the account's own,
-- of the same reason and day, stands beside it.
ALTER TABLE stop ADD COLUMN municipality integer;
-- The first day on which it does not count any more: it was withdrawn, or ended before its last day.
ALTER TABLE stop ADD COLUMN ended_on date;
ALTER TABLE stop DROP CONSTRAINT stop_delegation_id_account_id_reason_from_on_key;
CREATE UNIQUE INDEX stop_once ON stop (delegation_id, account_id, reason, from_on, coalesce(municipality, 0));

-- Starts -----------------------------------------------------------------------------------------------------------

-- What changed of an account within its period, and what became of it. Appended, never edited.
CREATE TABLE start (
    start_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period        integer NOT NULL REFERENCES period,
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    reason        text NOT NULL CHECK (reason IN ('job-loss', 'missed-payment', 'exclusion-ended', 'new-account')),
    on_date       date NOT NULL,
    changes       jsonb NOT NULL,                                      -- the columns that the row gave, by name
    former        jsonb,                                               -- the same before; null: a new account
    placed_on     date NOT NULL,                                       -- the day as of which the policy placed it
    rule          text,                                                -- null: nothing to collect
    fate          text NOT NULL CHECK (fate IN (
                      'dealt', 'in-hand', 'excluded', 'nothing-to-collect', 'no-contract', 'quota', 'bond')),
    epoch         bigint,                                              -- of the deal that it got, or has
    import_id     bigint NOT NULL REFERENCES import,
    UNIQUE (delegation_id, account_id, reason, on_date)
);

-- Exhaustion -------------------------------------------------------------------------------------------------------

-- Certificates of exhaustion (DTCS). Numbered within the period without a gap: the period's row is locked meanwhile.
CREATE TABLE certificate (
    period        integer NOT NULL REFERENCES period,
    number        integer NOT NULL CHECK (number > 0),
    folio         text NOT NULL UNIQUE,
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    policy_digest bytea NOT NULL REFERENCES policy,
    validated_by  text NOT NULL,
    validated_at  timestamptz NOT NULL,
    valid_from    date NOT NULL,                                       -- the day of validated_at in Mexico
    body          text NOT NULL,                                       -- canonical JSON
    digest        bytea NOT NULL,                                      -- SHA-256 of the body
    revoked_by    text,
    revoked_at    timestamptz,
    revocation    text,                                                -- why
    PRIMARY KEY (period, number),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL) AND (revoked_at IS NULL) = (revocation IS NULL))
);
-- Of two validations at once one wins here.
CREATE UNIQUE INDEX certificate_valid_once ON certificate (delegation_id, account_id) WHERE revoked_at IS NULL;

-- What keeps an account from being collected, each from its first to its last day: stops as far as they were not ended,
-- and valid certificates.
CREATE VIEW standing_stop AS
    SELECT delegation_id, account_id, reason, from_on, least(until_on, ended_on - 1) AS until_on, municipality
      FROM stop
     WHERE ended_on IS NULL OR ended_on > from_on
    UNION ALL
    SELECT delegation_id, account_id, 'exhaustion', valid_from, NULL, NULL
      FROM certificate
     WHERE revoked_at IS NULL;

-- The dwelling outcomes, which are few: the dictum on an account's dwelling is read over all periods.
CREATE INDEX outcome_dwelling ON outcome (delegation_id, account_id)
    WHERE result IN ('dwelling-irregular', 'dwelling-inhabited');

-- Plans by targets, and hands that tell why. One transaction. Never edited after release.

-- Tactic, band, balance, probability and employment, packed; and why the contract got the account: 0 its turn, 1 a promise,
-- 2 another credit of the debtor, 3 the turn of one that had it before, 4 it searches.
ALTER TABLE position
    ALTER COLUMN stratum TYPE integer,
    ADD COLUMN reason smallint NOT NULL DEFAULT 0 CHECK (reason BETWEEN 0 AND 4);

-- A start can find no room for the same reasons as an account of a plan.
ALTER TABLE start DROP CONSTRAINT start_fate_check;
ALTER TABLE start ADD CONSTRAINT start_fate_check CHECK (fate IN (
    'dealt', 'in-hand', 'excluded', 'nothing-to-collect', 'no-contract', 'quota', 'bond', 'rotation', 'search'));

-- Plan settings, byte for byte: in force from a period on, until another row of the same or a later one. Appended, never
-- edited.
CREATE TABLE plan_settings (
    settings_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period        integer NOT NULL CHECK (period % 100 BETWEEN 1 AND 12),
    digest        bytea NOT NULL,                                      -- SHA-256 of the body
    body          text NOT NULL,
    put_by        text NOT NULL,
    put_at        timestamptz NOT NULL
);

-- How contracts were rated, for shares by scorecard. A later file of a period takes the place of an earlier one.
CREATE TABLE score (
    period        integer NOT NULL,
    delegation_id smallint NOT NULL,
    contract_id   integer NOT NULL REFERENCES contract,
    points        integer NOT NULL CHECK (points BETWEEN 0 AND 1000000),
    import_id     bigint NOT NULL REFERENCES import,
    PRIMARY KEY (period, delegation_id, contract_id)
);

-- What a plan was made from and what came out, so that it can be verified years later without any other table.
CREATE TABLE plan_proof (
    plan_id       bigint PRIMARY KEY REFERENCES plan,
    settings_digest bytea NOT NULL,
    body          text NOT NULL                                        -- canonical JSON: input, quotas, what is left, certificate
);

-- Who decided: one row per person and plan as it would come out. Two persons may be asked for.
CREATE TABLE plan_approval (
    period        integer NOT NULL,
    digest        bytea NOT NULL,                                      -- of the plan
    person        text NOT NULL,
    approved_at   timestamptz NOT NULL,
    PRIMARY KEY (period, digest, person)
);
ALTER TABLE plan
    ADD COLUMN applied_by text[] NOT NULL DEFAULT '{}',
    ADD COLUMN applied_at timestamptz;

-- Who had an account before, and whether they gave it back.
CREATE VIEW former_holder AS
    SELECT p.delegation_id, p.account_id, g.agency_id, h.period, g.granted_at,
           coalesce(e.kind = 'return', false) AS has_returned
      FROM lease_grant g
      JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
      JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                     AND p.position BETWEEN g.first_position AND g.last_position
      LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id AND e.epoch = p.epoch
     WHERE g.key IS NOT NULL AND p.position <> ALL (coalesce(g.skipped, '{}'));

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

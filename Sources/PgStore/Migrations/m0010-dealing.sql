-- Hands that several contracts share, hands of one tactic, and whose apply is under way. One transaction. Never edited after release.

-- 5: it waits in a hand that several contracts share. What is stored already fits, so nothing is read for it.
ALTER TABLE position DROP CONSTRAINT position_reason_check;
ALTER TABLE position ADD CONSTRAINT position_reason_check CHECK (reason BETWEEN 0 AND 5) NOT VALID;

-- Where pulls may name a tactic, each hand has accounts of one tactic and priority class; null: the hand is mixed, and no
-- pull may name one. An empty tactic: nothing was dealt, and pulls might name one.
ALTER TABLE hand
    ADD COLUMN tactic   text,
    ADD COLUMN priority smallint,
    -- Of a shared hand: contracts that draw from it no more, because their agency is given nothing.
    ADD COLUMN barred_ids integer[] NOT NULL DEFAULT '{}';

-- Who deals a plan: a server process, alive while it is there and beats. In real time, whatever the clock shows.
CREATE TABLE plan_dealing (
    plan_id       bigint PRIMARY KEY REFERENCES plan,
    backend       integer NOT NULL,
    backend_start timestamptz NOT NULL,
    beat_at       timestamptz NOT NULL
);

-- A start can find nobody who may work it: the band is suspended for the agencies there, or there are no visits.
ALTER TABLE start DROP CONSTRAINT start_fate_check;
ALTER TABLE start ADD CONSTRAINT start_fate_check CHECK (fate IN (
    'dealt', 'in-hand', 'excluded', 'nothing-to-collect', 'no-contract', 'quota', 'bond', 'rotation', 'search', 'ban'));

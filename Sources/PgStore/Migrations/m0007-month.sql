-- What happens within a dealt month: who is given work, dealing again, a running operation on board, experiments.
-- One transaction. Never edited after release.

-- Standing of agencies ---------------------------------------------------------------------------------------------

-- Everything that was ever ordered about an agency's standing, appended.
CREATE TABLE agency_order (
    order_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency_id     integer NOT NULL REFERENCES agency,
    action        text NOT NULL CHECK (action IN ('hold', 'release', 'suspend', 'terminate')),
    strategy      smallint CHECK (strategy BETWEEN 1 AND 4),           -- of a suspension or its release
    band          text,                                                -- null: every band of the strategy
    motive        text NOT NULL,
    held          text NOT NULL CHECK (held IN ('keep', 'recall')),    -- what becomes of what is held
    final_at      timestamptz,                                         -- of the recall
    ordered_by    text NOT NULL,
    ordered_at    timestamptz NOT NULL
);
CREATE INDEX agency_order_agency ON agency_order (agency_id, order_id);

-- The suspensions in force (ASG-06, SUS-01).
CREATE TABLE agency_suspension (
    agency_id     integer NOT NULL REFERENCES agency,
    strategy      smallint NOT NULL CHECK (strategy BETWEEN 1 AND 4),
    band          text NOT NULL,                                       -- a tactic of the policy; empty: every one
    motive        text NOT NULL,
    ordered_by    text NOT NULL,
    since         timestamptz NOT NULL,
    PRIMARY KEY (agency_id, strategy, band)
);

-- Dealing again ----------------------------------------------------------------------------------------------------

-- A hand that was closed within its period: what nobody had drawn of it then is withdrawn, without an ending of each
-- account, and can be dealt again.
ALTER TABLE hand
    ADD COLUMN withdrawn_at     timestamptz,
    ADD COLUMN withdrawn_from   integer,                               -- the last position that was drawn
    ADD COLUMN withdrawn_reason text,
    ADD COLUMN redeal_id        bigint,                                -- of the redeal that made the hand; null: the plan
    ADD COLUMN opened_at        timestamptz,                           -- null: with its plan
    ADD CONSTRAINT hand_withdrawn CHECK (
        (withdrawn_at IS NULL) = (withdrawn_from IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_reason IS NULL)
        AND (withdrawn_at IS NULL OR state = 'closed'));

-- One round of dealing again within an applied month.
CREATE TABLE redeal (
    redeal_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period        integer NOT NULL REFERENCES period,
    plan_id       bigint NOT NULL REFERENCES plan,
    reason        text NOT NULL,
    closes_all    boolean NOT NULL,                                    -- every hand of the pools, or only what waits for nobody
    ordered_by    text NOT NULL,
    seed          bigint NOT NULL,
    digest        bytea NOT NULL,                                      -- of the limits
    state         text NOT NULL CHECK (state IN ('dealing', 'done')),
    started_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    -- Who works on it: a server process, alive while it is there and beats. In real time, whatever the clock shows.
    backend       integer NOT NULL,
    backend_start timestamptz NOT NULL,
    beat_at       timestamptz NOT NULL
);
-- Of two at once one waits for nobody and is refused.
CREATE UNIQUE INDEX redeal_one_at_a_time ON redeal ((true)) WHERE state = 'dealing';

-- Its pools, dealt one after the other.
CREATE TABLE redeal_pool (
    redeal_id     bigint NOT NULL REFERENCES redeal,
    delegation_id smallint NOT NULL,
    strategy      smallint NOT NULL,
    portfolio     smallint NOT NULL,
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'closed', 'done')),
    closed_at     timestamptz,                                         -- in real time, as what pulls wait for is
    opened_at     timestamptz,
    accounts      bigint NOT NULL DEFAULT 0,                           -- dealt
    PRIMARY KEY (redeal_id, delegation_id, strategy, portfolio)
);

-- What each quota is to be when its pool has been dealt.
CREATE TABLE redeal_quota (
    redeal_id     bigint NOT NULL REFERENCES redeal,
    delegation_id smallint NOT NULL,
    contract_id   integer NOT NULL,
    strategy      smallint NOT NULL,
    portfolio     smallint NOT NULL,
    accounts      bigint NOT NULL CHECK (accounts >= 0),               -- to be dealt
    limit_accounts bigint NOT NULL CHECK (limit_accounts >= 0),
    limit_exposure bigint CHECK (limit_exposure >= 0),
    arm           smallint NOT NULL,
    PRIMARY KEY (redeal_id, delegation_id, contract_id, strategy, portfolio)
);

-- How the month is dealt in one delegation and strategy, where it is not as everywhere.
CREATE TABLE deal_setting (
    delegation_id smallint NOT NULL,
    strategy      smallint NOT NULL CHECK (strategy BETWEEN 1 AND 4),
    unpulled_days integer CHECK (unpulled_days BETWEEN 1 AND 366),     -- null: what nobody pulls stays where it is
    set_by        text NOT NULL,
    set_at        timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, strategy)
);

-- Opening state ----------------------------------------------------------------------------------------------------

-- Who held an account before this installation knew it.
CREATE TABLE opening_holder (
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    agency_id     integer NOT NULL REFERENCES agency,
    from_on       date NOT NULL,
    until_on      date NOT NULL CHECK (until_on >= from_on),
    ended_by      text NOT NULL CHECK (ended_by IN ('return', 'expiry', 'recall', 'agreement', 'payoff')),
    import_id     bigint NOT NULL REFERENCES import,
    PRIMARY KEY (delegation_id, account_id, agency_id, from_on)
);

-- The same view with those of before: whoever had an account then is remembered as whoever had it here.
CREATE OR REPLACE VIEW former_holder AS
    SELECT p.delegation_id, p.account_id, g.agency_id, h.period, g.granted_at,
           coalesce(e.kind = 'return', false) AS has_returned
      FROM lease_grant g
      JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
      JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                     AND p.position BETWEEN g.first_position AND g.last_position
      LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id AND e.epoch = p.epoch
     WHERE g.key IS NOT NULL AND p.position <> ALL (coalesce(g.skipped, '{}'))
     UNION ALL
    SELECT delegation_id, account_id, agency_id,
           (extract(year FROM until_on) * 100 + extract(month FROM until_on))::integer,
           from_on::timestamp AT TIME ZONE interval '-6 hours', ended_by = 'return'
      FROM opening_holder;

-- Breaches of plans before the first statement (PEN-08).
CREATE TABLE opening_breach (
    period        integer NOT NULL,
    contract_id   integer NOT NULL REFERENCES contract,
    delegation_id smallint NOT NULL,
    rule          text NOT NULL,
    import_id     bigint NOT NULL REFERENCES import,
    PRIMARY KEY (period, contract_id, delegation_id, rule)
);

-- Agreements in cure that were signed before: the account goes to this contract first.
CREATE TABLE opening_agreement (
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    contract_id   integer NOT NULL REFERENCES contract,
    signed_on     date NOT NULL,
    payments      smallint NOT NULL CHECK (payments >= 0),
    import_id     bigint NOT NULL REFERENCES import,
    PRIMARY KEY (delegation_id, account_id)
);

-- Months of prórroga that an account had used (SOL-01, SOL-40).
CREATE TABLE opening_extension (
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    months        smallint NOT NULL CHECK (months BETWEEN 0 AND 24),
    import_id     bigint NOT NULL REFERENCES import,
    PRIMARY KEY (delegation_id, account_id)
);

-- Experiments ------------------------------------------------------------------------------------------------------

-- Champion and challengers in the pools of one strategy. The arm of an account is stored with its position.
CREATE TABLE experiment (
    experiment_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    strategy      smallint NOT NULL CHECK (strategy BETWEEN 1 AND 4),
    delegations   smallint[] NOT NULL CHECK (cardinality(delegations) > 0),
    first_period  integer NOT NULL,
    last_period   integer NOT NULL CHECK (last_period >= first_period),
    strata        text[] NOT NULL,                                     -- tactic, and what else is told apart
    smallest_sample integer NOT NULL CHECK (smallest_sample > 0),      -- accounts of an arm, and of each of its strata
    defined_by    text NOT NULL,
    defined_at    timestamptz NOT NULL
);

CREATE TABLE experiment_arm (
    experiment_id integer NOT NULL REFERENCES experiment,
    arm           smallint NOT NULL CHECK (arm > 0),                   -- 1 is the champion
    name          text NOT NULL,
    share_bp      integer NOT NULL CHECK (share_bp BETWEEN 1 AND 10000),
    agencies      integer[] NOT NULL CHECK (cardinality(agencies) > 0),
    PRIMARY KEY (experiment_id, arm),
    UNIQUE (experiment_id, name)
);

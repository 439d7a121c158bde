-- Scorecards, work plans, checks of outcomes, early warnings, and the ledger's watch. One transaction. Never edited after release.

-- Scorecards -------------------------------------------------------------------------------------------------------

-- What scorecards weigh, from a month on until another file. Where there is none, the shipped weights.
CREATE TABLE scorecard_weight (
    period        integer NOT NULL REFERENCES period,
    measure       text NOT NULL,                                       -- IND-02, compliance, conduct …
    weight        integer NOT NULL CHECK (weight BETWEEN 0 AND 1000),
    sample        integer NOT NULL CHECK (sample BETWEEN 0 AND 1000000), -- the least denominator that counts
    import_id     bigint NOT NULL REFERENCES import,
    PRIMARY KEY (period, measure)
);

-- How a closed month rates each contract in each delegation. Kept by the close.
CREATE TABLE scorecard (
    period        integer NOT NULL REFERENCES period,
    delegation_id smallint NOT NULL,
    contract_id   integer NOT NULL REFERENCES contract,
    points        integer CHECK (points BETWEEN 0 AND 1000000),        -- null: nobody there had a sample that is large enough
    is_neutral    boolean NOT NULL,                                    -- too small a sample: the mean of the others
    body          text NOT NULL,                                       -- canonical JSON: each measure with its figures
    PRIMARY KEY (period, delegation_id, contract_id)
);

-- Work plans -------------------------------------------------------------------------------------------------------

-- Goals as an agency proposes them, or a delegation for itself (contract null). An approved goal of a contract is a fact besides.
CREATE TABLE work_goal (
    period        integer NOT NULL REFERENCES period,
    goal_id       text PRIMARY KEY,
    contract_id   integer REFERENCES contract,
    delegation_id smallint NOT NULL,
    tactic        text,                                                -- null: all of them
    indicator     text NOT NULL,
    minimum       text NOT NULL,
    weight        text NOT NULL,
    note          text,
    import_id     bigint NOT NULL REFERENCES import,
    decision      text CHECK (decision IN ('approved', 'rejected')),
    reason        text,                                                -- of a rejection, or of a change after the first grant
    is_late       boolean NOT NULL DEFAULT false,                      -- approved after the contract's first grant there
    replaces      text,                                                -- the fact of the goal that stood before
    decided_by    text,
    decided_at    timestamptz,
    CHECK ((decision IS NULL) = (decided_by IS NULL))
);

CREATE INDEX work_goal_period ON work_goal (period, contract_id, delegation_id);

-- Checks of outcomes -----------------------------------------------------------------------------------------------

-- The sample of outcomes that need no review, which delegations look at all the same: a seed and a rate, fixed once.
CREATE TABLE review_sampling (
    period        integer PRIMARY KEY REFERENCES period,
    seed          bigint NOT NULL,
    rate_bp       integer NOT NULL CHECK (rate_bp BETWEEN 0 AND 10000),
    set_by        text NOT NULL,
    set_at        timestamptz NOT NULL
);

-- Outcomes that failed an automatic check: nothing without an approval. Or that the sample drew: valid unless rejected.
CREATE TABLE review_demand (
    period        integer NOT NULL,
    delegation_id smallint NOT NULL,
    outcome_id    bigint NOT NULL,
    cause         text NOT NULL,                                       -- a check's name, or 'sample'
    found_at      timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, outcome_id)
);

CREATE INDEX review_demand_period ON review_demand (period, delegation_id, outcome_id);

-- Early warnings ---------------------------------------------------------------------------------------------------

-- What the month would charge if it went on as it has so far, by contract. Written as a whole; STATUS reads it.
CREATE TABLE projection (
    period        integer PRIMARY KEY REFERENCES period,
    made_at       timestamptz NOT NULL
);

CREATE TABLE projection_line (
    period        integer NOT NULL REFERENCES projection ON DELETE CASCADE,
    contract_id   integer NOT NULL REFERENCES contract,
    delegation_id smallint NOT NULL,                                   -- 0: the whole invoice
    number        integer NOT NULL,
    rule          text NOT NULL,
    subject       text NOT NULL,
    level         text NOT NULL CHECK (level IN ('breach', 'risk', 'fine')),
    now_text      text NOT NULL,                                       -- where it stands
    limit_text    text NOT NULL,                                       -- what has to be reached, or must not be passed
    projected_text text NOT NULL,                                      -- where it would end
    charge        bigint NOT NULL,                                     -- centavos that would be charged, before IVA
    need          text NOT NULL,                                       -- how much is missing
    mend          text NOT NULL,                                       -- what would mend it
    PRIMARY KEY (period, contract_id, delegation_id, number)
);

-- The ledger's watch -----------------------------------------------------------------------------------------------

-- Verifications by sample that a node did by itself.
CREATE TABLE ledger_watch (
    watch_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at      timestamptz NOT NULL,                                -- the domain's clock
    delegations   smallint[] NOT NULL,
    seed          bigint NOT NULL,
    records       bigint NOT NULL,
    findings      text[] NOT NULL
);

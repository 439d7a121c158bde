-- The spine: what a month needs from the cut to the statement. One transaction. Never edited after release.
--
-- Every hot table leads with delegation_id and every hot statement names it: on one server that is a prefix of the
-- key, on a distributed one it is the distribution column. Appended tables carry no index that the hot path does
-- not need itself.

-- Clock, outage, incarnation --------------------------------------------------------------------------------------

-- One row. virtual_now is null on a server that keeps real time; a simulated month steps it, and all nodes read it.
CREATE TABLE clock (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    virtual_now   timestamptz,
    outage_us     bigint NOT NULL DEFAULT 0 CHECK (outage_us >= 0),   -- total outage credited so far, monotone
    latest_beat   timestamptz,                                        -- real time of the latest beat of any node
    incarnation   integer NOT NULL DEFAULT 1 CHECK (incarnation > 0), -- high half of every epoch dealt from now on
    system_identifier bigint,
    timeline      integer
);
INSERT INTO clock DEFAULT VALUES;

-- The only clock of the system, read after the locks are held.
CREATE FUNCTION now_instant() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT coalesce(virtual_now, clock_timestamp()) FROM clock $$;

-- Periods, files, territory ---------------------------------------------------------------------------------------

CREATE TABLE period (
    period        integer PRIMARY KEY CHECK (period BETWEEN 190001 AND 219912 AND period % 100 BETWEEN 1 AND 12),
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closing', 'closed')),
    opened_at     timestamptz NOT NULL,
    closed_at     timestamptz,
    root          bytea                                                -- the chained head of the ledger at the close
);

-- Every file taken in; the digest makes loading the same file again a no-op.
CREATE TABLE import (
    import_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL,
    period        integer NOT NULL REFERENCES period,
    file_name     text NOT NULL,
    digest        bytea NOT NULL,                                      -- SHA-256 of the file's bytes
    rows_good     bigint NOT NULL,
    rows_bad      bigint NOT NULL,
    imported_at   timestamptz NOT NULL,
    UNIQUE (kind, period, digest)
);

CREATE TABLE zone_delegation (
    delegation_id smallint PRIMARY KEY CHECK (delegation_id BETWEEN 1 AND 32),
    zone_id       smallint NOT NULL CHECK (zone_id BETWEEN 1 AND 20)
);

-- Agencies and contracts ------------------------------------------------------------------------------------------

CREATE TABLE agency (
    agency_id     integer PRIMARY KEY CHECK (agency_id BETWEEN 1 AND 9999),
    name          text NOT NULL,
    status        text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'hold', 'terminated')),
    motive        text
);

CREATE TABLE agency_key (
    agency_id     integer NOT NULL REFERENCES agency,
    key_name      text NOT NULL,
    public_key    bytea NOT NULL CHECK (length(public_key) = 32),      -- Ed25519
    added_at      timestamptz NOT NULL,
    expires_at    timestamptz,
    revoked_at    timestamptz,
    PRIMARY KEY (agency_id, key_name)
);

-- Installations of an agency's client. The highest sequence seen tells a clone from a reconnect.
CREATE TABLE agency_instance (
    agency_id     integer NOT NULL REFERENCES agency,
    instance      text NOT NULL,
    instance_id   integer GENERATED ALWAYS AS IDENTITY UNIQUE,         -- what the hot tables carry instead of the text
    sequence      bigint NOT NULL CHECK (sequence >= 0),
    seen_at       timestamptz NOT NULL,
    PRIMARY KEY (agency_id, instance)
);

CREATE TABLE contract (
    contract_id   integer PRIMARY KEY,
    agency_id     integer NOT NULL REFERENCES agency,
    number        text NOT NULL,
    tender        text NOT NULL,
    zone_id       smallint NOT NULL,
    strategies    smallint[] NOT NULL CHECK (cardinality(strategies) > 0),
    starts_on     date NOT NULL,
    ends_on       date NOT NULL CHECK (ends_on >= starts_on),
    capacity_basis text NOT NULL CHECK (capacity_basis IN ('committed', 'present')),
    bond          bigint NOT NULL CHECK (bond >= 0),                   -- centavos
    exposure_basis text NOT NULL CHECK (exposure_basis IN ('none', 'overdue', 'total')),
    exposure_factor_bp integer NOT NULL CHECK (exposure_factor_bp BETWEEN 0 AND 100000),
    fee_schedule  text NOT NULL,
    penalty_schedule text NOT NULL,
    rule_packs    text[] NOT NULL
);

-- Committed advisers and how many accounts each may carry, per delegation and portfolio.
CREATE TABLE contract_capacity (
    contract_id   integer NOT NULL REFERENCES contract,
    delegation_id smallint NOT NULL,
    portfolio     smallint NOT NULL CHECK (portfolio IN (1, 2)),
    committed_advisers integer NOT NULL CHECK (committed_advisers >= 0),
    accounts_per_adviser integer NOT NULL CHECK (accounts_per_adviser > 0),
    PRIMARY KEY (contract_id, delegation_id, portfolio)
);

-- Schedules of fees and penalties as data: one value per schedule, rule, parameter and first day in force.
CREATE TABLE schedule (
    schedule      text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('fee', 'penalty')),
    effective_on  date NOT NULL,
    rule          text NOT NULL,                                       -- FEE-11, PEN-01, …
    parameter     text NOT NULL,
    value         text NOT NULL,
    PRIMARY KEY (schedule, effective_on, rule, parameter)
);

-- The cut and its placements (a partition per period, replaced whole) ----------------------------------------------

CREATE TABLE account (
    period        integer NOT NULL,
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    line          integer NOT NULL,                                    -- its line in the file
    municipality  integer NOT NULL,
    debtor        bigint,                                              -- keep-together key
    regime        smallint NOT NULL,                                   -- 1 REA, 2 ROA, 3 RE
    accounting    smallint NOT NULL,                                   -- 1 vigente, 2 vencido
    situation     smallint NOT NULL,                                   -- 1 active, 2 liquidated, 3 insured
    book          smallint NOT NULL,                                   -- 1 infonavit … 6 empleavit
    currency      smallint NOT NULL,                                   -- 1 pesos, 2 vsm
    original_amount bigint NOT NULL,
    balance       bigint NOT NULL,
    due           bigint NOT NULL,
    overdue       bigint NOT NULL,
    unpaid        smallint NOT NULL,                                   -- omisos
    arrears       smallint NOT NULL,                                   -- atrasos
    days_late     integer NOT NULL,
    extension_until date,
    extension_months smallint NOT NULL,
    fpp_until     date,
    disaster_until date,
    job_lost_on   date,
    last_payment_on date,
    incomplete_payments smallint NOT NULL,
    restructures  smallint NOT NULL,
    restructure_in_cure boolean NOT NULL,
    judicial_on   date,
    suit_profiled boolean NOT NULL,
    lawsuit_on    date,
    dispute_on    date,
    agreement_available boolean NOT NULL,
    instalment_drop_bp integer NOT NULL,
    signed        boolean NOT NULL,
    payment_probability_bp integer NOT NULL,
    cofinanced    boolean NOT NULL,
    has_phone     boolean NOT NULL,
    has_email     boolean NOT NULL,
    has_address   boolean NOT NULL,
    reference     text NOT NULL                                        -- what the debtor pays with (AGY-11)
) PARTITION BY LIST (period);

-- Every policy that ever placed an account, byte for byte: years later it still tells why.
CREATE TABLE policy (
    digest        bytea PRIMARY KEY,                                   -- SHA-256 of the body
    name          text NOT NULL,
    version       text NOT NULL,
    effective_on  date NOT NULL,
    body          text NOT NULL,
    recorded_at   timestamptz NOT NULL
);

CREATE TABLE segmentation (
    period        integer PRIMARY KEY REFERENCES period,
    policy        text NOT NULL,
    policy_version text NOT NULL,
    policy_digest bytea NOT NULL REFERENCES policy,
    cut_digest    bytea NOT NULL,                                      -- of what the rules could read
    accounts      bigint NOT NULL,
    placed        bigint NOT NULL,
    excluded      bigint NOT NULL,                                     -- the others have nothing to collect (rule none)
    digest        bytea NOT NULL,                                      -- of the placements themselves
    made_at       timestamptz NOT NULL
);

-- One verdict per account that is placed or excluded. strategy null: excluded, for the reason of that name. Accounts with
-- nothing to collect have no row; the segmentation counts them.
CREATE TABLE placement (
    period        integer NOT NULL,
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    strategy      smallint CHECK (strategy BETWEEN 1 AND 4),
    tactic        text,
    portfolio     smallint CHECK (portfolio IN (1, 2)),
    priority      smallint,                                            -- 1 is served first
    rule          text NOT NULL,
    exclusion     text
) PARTITION BY LIST (period);

-- Plan -------------------------------------------------------------------------------------------------------------

CREATE TABLE plan (
    plan_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period        integer NOT NULL REFERENCES period,
    state         text NOT NULL CHECK (state IN ('dealing', 'applied', 'discarded')),
    seed          bigint NOT NULL,
    segmentation_digest bytea NOT NULL,
    digest        bytea NOT NULL,
    made_at       timestamptz NOT NULL
);
CREATE UNIQUE INDEX plan_applied_once ON plan (period) WHERE state <> 'discarded';

-- How many accounts, and how much exposure, a contract may hold. It has no period: leases span months.
-- Locked by every grant; updated only by a plan and, about once a second, by the fold of what was released.
CREATE TABLE quota (
    delegation_id smallint NOT NULL,
    quota_id      integer GENERATED ALWAYS AS IDENTITY,
    contract_id   integer NOT NULL REFERENCES contract,
    strategy      smallint NOT NULL,
    portfolio     smallint NOT NULL,
    limit_accounts bigint NOT NULL CHECK (limit_accounts >= 0),
    limit_exposure bigint CHECK (limit_exposure >= 0),                 -- null: the contract's basis is none
    released_accounts bigint NOT NULL DEFAULT 0,
    released_exposure bigint NOT NULL DEFAULT 0,
    plan_id       bigint NOT NULL REFERENCES plan,
    PRIMARY KEY (delegation_id, quota_id),
    UNIQUE (delegation_id, contract_id, strategy, portfolio)
) WITH (fillfactor = 50);

-- Every limit that was ever in force, so that a past grant can be judged by its own.
CREATE TABLE quota_history (
    delegation_id smallint NOT NULL,
    quota_id      integer NOT NULL,
    since         timestamptz NOT NULL,
    limit_accounts bigint NOT NULL,
    limit_exposure bigint,
    plan_id       bigint NOT NULL,
    PRIMARY KEY (delegation_id, quota_id, since)
);

CREATE SEQUENCE hand_number AS integer;

-- The ordered accounts dealt to one contract, or to several that share it. Locked by every grant, never updated by it.
CREATE TABLE hand (
    delegation_id smallint NOT NULL,
    hand_id       integer NOT NULL,
    contract_ids  integer[] NOT NULL CHECK (cardinality(contract_ids) > 0),
    strategy      smallint NOT NULL,
    portfolio     smallint NOT NULL,
    period        integer NOT NULL REFERENCES period,
    plan_id       bigint NOT NULL REFERENCES plan,
    is_front      boolean NOT NULL,                                    -- returns and new placements, served first
    state         text NOT NULL CHECK (state IN ('inactive', 'open', 'closed')),
    size          integer NOT NULL CHECK (size >= 0),
    term_days     integer NOT NULL CHECK (term_days > 0),              -- the policy's, as dealt
    ceiling_days  integer NOT NULL CHECK (ceiling_days >= term_days),  -- the furthest that extensions reach
    grace_us      bigint NOT NULL CHECK (grace_us >= 0),
    late_report_us bigint NOT NULL CHECK (late_report_us >= 0),
    digest        bytea NOT NULL,                                      -- SHA-256 over its accounts, in order
    PRIMARY KEY (delegation_id, hand_id)
);

CREATE TABLE position (
    delegation_id smallint NOT NULL,
    hand_id       integer NOT NULL,
    position      integer NOT NULL CHECK (position > 0),
    account_id    bigint NOT NULL,
    epoch         bigint NOT NULL,
    exposure      bigint NOT NULL,                                     -- centavos, released by the same figure
    stratum       smallint NOT NULL,
    arm           smallint NOT NULL,
    priority      smallint NOT NULL,
    tactic        text NOT NULL,
    arrears       smallint NOT NULL,
    due           bigint NOT NULL,
    overdue       bigint NOT NULL,
    municipality  integer NOT NULL,
    reference     text NOT NULL,
    PRIMARY KEY (delegation_id, hand_id, position)
);

-- Which hand and position an account's epoch is. Its key is what makes an epoch live once.
CREATE TABLE deal (
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    epoch         bigint NOT NULL,
    hand_id       integer NOT NULL,
    position      integer NOT NULL,
    PRIMARY KEY (delegation_id, account_id, epoch)
);

-- The engine -------------------------------------------------------------------------------------------------------

-- Accounts leased by one request. first_position is the grant's number within its hand: it only rises, so the row of
-- the greatest one is the cursor, and the grant of any position is found on the primary key.
CREATE TABLE lease_grant (
    delegation_id smallint NOT NULL,
    hand_id       integer NOT NULL,
    first_position integer NOT NULL,
    last_position integer NOT NULL,
    quota_id      integer NOT NULL,
    contract_id   integer NOT NULL,
    agency_id     integer NOT NULL,
    instance_id   integer NOT NULL,
    key           bigint,                                              -- null: only skipped positions, no lease
    request_hash  bytea NOT NULL,
    skipped       integer[],                                           -- positions not leased
    accounts      integer NOT NULL CHECK (accounts >= 0),
    exposure      bigint NOT NULL,
    total_accounts bigint NOT NULL,                                    -- of the quota, this grant included, ever
    total_exposure bigint NOT NULL,
    left_accounts bigint NOT NULL,                                     -- what the reply said; replayed byte for byte
    stop          text NOT NULL,
    held_digest   bytea NOT NULL,                                      -- 16 bytes: sum mod 2^128 of the leased accounts' hashes
    granted_at    timestamptz NOT NULL,
    granted_term  timestamptz NOT NULL,                                -- the term that the reply announced
    term          timestamptz NOT NULL,                                -- the term now in force, after extensions
    ceiling       timestamptz NOT NULL,
    grace_us      bigint NOT NULL,
    outage_us     bigint NOT NULL,                                     -- the outage counter at the start
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    closed_at     timestamptz,
    PRIMARY KEY (delegation_id, hand_id, first_position)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX lease_grant_key ON lease_grant (delegation_id, agency_id, instance_id, key);
-- The quota's last grant gives its running totals over all of its hands.
CREATE INDEX lease_grant_total ON lease_grant (delegation_id, quota_id, total_accounts);

-- What ended one account's lease, or its deal, before the term. The key decides which ending wins.
CREATE TABLE ending (
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    epoch         bigint NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('return', 'recall', 'payoff', 'exclusion', 'withdrawal', 'sweep', 'agreement')),
    reason        text NOT NULL,
    ended_at      timestamptz NOT NULL,
    hand_id       integer NOT NULL,
    position      integer NOT NULL,
    was_held      boolean NOT NULL,                                    -- leased, or only dealt
    PRIMARY KEY (delegation_id, account_id, epoch)
);

-- Deltas of what was released, folded into quota.released_* by a follower and never counted on a live table.
CREATE TABLE release (
    release_id    bigint GENERATED ALWAYS AS IDENTITY,
    transaction   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    delegation_id smallint NOT NULL,
    quota_id      integer NOT NULL,
    accounts      bigint NOT NULL,
    exposure      bigint NOT NULL,
    PRIMARY KEY (transaction, release_id)
);

-- How far each follower has read an appended table, by (transaction, number).
CREATE TABLE follower (
    name          text PRIMARY KEY,
    transaction   xid8 NOT NULL,
    number        bigint NOT NULL
);

CREATE TABLE notice (
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    epoch         bigint NOT NULL,
    reason        text NOT NULL,
    noticed_at    timestamptz NOT NULL,
    final_at      timestamptz NOT NULL,
    objected_at   timestamptz,
    objection     text,
    decision      text CHECK (decision IN ('upheld', 'withdrawn')),
    decided_at    timestamptz,
    PRIMARY KEY (delegation_id, account_id, epoch)
);

CREATE SEQUENCE outcome_number;

-- One gestión. Appended, partitioned by the month of the work; the key of the request is the key of the row.
CREATE TABLE outcome (
    period        integer NOT NULL,
    delegation_id smallint NOT NULL,
    agency_id     integer NOT NULL,
    instance_id   integer NOT NULL,
    key           bigint NOT NULL,
    outcome_id    bigint NOT NULL,
    account_id    bigint NOT NULL,
    epoch         bigint NOT NULL,
    hand_id       integer NOT NULL,
    position      integer NOT NULL,
    contract_id   integer NOT NULL,
    worked_at     timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    channel       text NOT NULL,
    contact       text NOT NULL,
    result        text NOT NULL,
    amount        bigint,
    promised_on   date,
    marks         text[],                                              -- contact rules it broke: recorded, not refused
    extra         jsonb,                                               -- branch, motive, evidence, solution
    request_hash  bytea NOT NULL,
    PRIMARY KEY (period, delegation_id, agency_id, instance_id, key)
) PARTITION BY LIST (period);

CREATE SEQUENCE evidence_number;

-- Reports that came too late or to the wrong epoch: refused, kept, adjudicated by rule or by a person.
CREATE TABLE evidence (
    delegation_id smallint NOT NULL,
    agency_id     integer NOT NULL,
    instance_id   integer NOT NULL,
    key           bigint NOT NULL,
    evidence_id   bigint NOT NULL,
    code          text NOT NULL,                                       -- EXPIRED, REASSIGNED, RECALLED, CLOSED, UNKNOWN
    account_id    bigint NOT NULL,
    epoch         bigint NOT NULL,
    live_epoch    bigint,
    counts        boolean,                                             -- null: waits for a person
    received_at   timestamptz NOT NULL,
    content       text NOT NULL,                                       -- the request as it was sent
    request_hash  bytea NOT NULL,
    PRIMARY KEY (delegation_id, agency_id, instance_id, key)
);

-- Idempotency of the rare verbs: the reply as it was sent.
CREATE TABLE request (
    delegation_id smallint NOT NULL,
    agency_id     integer NOT NULL,
    instance_id   integer NOT NULL,
    verb          text NOT NULL,
    key           bigint NOT NULL,
    request_hash  bytea NOT NULL,
    reply         text NOT NULL,
    received_at   timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, agency_id, instance_id, verb, key)
);

-- Outside truth ----------------------------------------------------------------------------------------------------

CREATE TABLE payment (
    period        integer NOT NULL,
    payment_id    text NOT NULL,
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    paid_on       date NOT NULL,
    amount        bigint NOT NULL CHECK (amount > 0),
    origin        text NOT NULL CHECK (origin IN ('borrower', 'employer', 'fpp', 'subaccount')),
    reverses      text,
    import_id     bigint NOT NULL REFERENCES import,
    PRIMARY KEY (payment_id)
);

CREATE TABLE stop (
    stop_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period        integer NOT NULL,
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    reason        text NOT NULL CHECK (reason IN ('lawsuit', 'death', 'payoff', 'fpp', 'extension', 'dispute', 'disaster')),
    from_on       date NOT NULL,
    until_on      date,
    import_id     bigint NOT NULL REFERENCES import,
    UNIQUE (delegation_id, account_id, reason, from_on)
);

-- What supervision recorded. Never edited: a correction is a new fact that names the one it supersedes.
CREATE TABLE fact (
    period        integer NOT NULL,
    fact_id       text NOT NULL,
    kind          text NOT NULL,
    contract_id   integer NOT NULL REFERENCES contract,
    delegation_id smallint NOT NULL,
    on_date       date NOT NULL,
    portfolio     smallint,
    subject       text,
    value         text NOT NULL,
    minimum       text,
    weight        text,
    note          text,
    supersedes    text,
    import_id     bigint NOT NULL REFERENCES import,
    PRIMARY KEY (fact_id)
);

CREATE TABLE review (
    period        integer NOT NULL,
    delegation_id smallint NOT NULL,
    outcome_id    bigint NOT NULL,
    decision      text NOT NULL CHECK (decision IN ('approved', 'rejected')),
    reason        text NOT NULL,
    reviewer      text NOT NULL,
    reviewed_at   timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, outcome_id)
);

-- Statements -------------------------------------------------------------------------------------------------------

-- One contract's month as it was closed, byte for byte.
CREATE TABLE statement (
    period        integer NOT NULL REFERENCES period,
    contract_id   integer NOT NULL REFERENCES contract,
    digest        bytea NOT NULL,
    body          text NOT NULL,                                       -- canonical JSON
    made_at       timestamptz NOT NULL,
    PRIMARY KEY (period, contract_id)
);

-- Ledger -----------------------------------------------------------------------------------------------------------

-- The records that one transaction made in one delegation and period, with their Merkle root.
CREATE TABLE block (
    transaction   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    block_id      bigint GENERATED ALWAYS AS IDENTITY,
    delegation_id smallint NOT NULL,
    period        integer NOT NULL,
    records       bytea NOT NULL,                                      -- each: 4 bytes of length, then its bytes
    count         integer NOT NULL,
    root          bytea NOT NULL,
    PRIMARY KEY (transaction, block_id)
);

-- The sequencer's order of the blocks. Its key decides between two sequencers.
CREATE TABLE chain (
    delegation_id smallint NOT NULL,
    period        integer NOT NULL,
    height        bigint NOT NULL,
    transaction   xid8 NOT NULL,
    block_id      bigint NOT NULL,
    head          bytea NOT NULL,                                      -- SHA-256 of the previous head and the block's root
    PRIMARY KEY (delegation_id, period, height)
);

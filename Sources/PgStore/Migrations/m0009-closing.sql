-- What a close proves and what is decided about it. One transaction. Never edited after release.

-- Proof ------------------------------------------------------------------------------------------------------------

-- Public keys that roots of periods are signed with, each endorsed by the one before it. The private ones are in files.
CREATE TABLE signing_key (
    key_id        text PRIMARY KEY,                                    -- the first 16 digits of the public key's SHA-256
    public_key    bytea NOT NULL UNIQUE CHECK (length(public_key) = 32),
    number        integer NOT NULL UNIQUE CHECK (number > 0),          -- the order of their succession
    added_at      timestamptz NOT NULL,
    message       text NOT NULL,                                       -- what the key before it signed
    endorsement   bytea                                                -- null: the first, or the one before it was lost
);

-- The root of a closed period: what was hashed, what was signed, and the signature.
CREATE TABLE period_root (
    period        integer PRIMARY KEY REFERENCES period,
    leaves        text NOT NULL,                                       -- a line per chain and per statement
    root          bytea NOT NULL,
    message       text NOT NULL,
    key_id        text NOT NULL REFERENCES signing_key,
    signature     bytea NOT NULL,
    number        integer NOT NULL UNIQUE                              -- the order of signing; each names the one before it
);

-- States of a month ------------------------------------------------------------------------------------------------

-- What the agencies were shown before the month was closed; issued again, it is replaced.
CREATE TABLE pre_statement (
    period        integer NOT NULL REFERENCES period,
    contract_id   integer NOT NULL REFERENCES contract,
    digest        bytea NOT NULL,
    body          text NOT NULL,                                       -- canonical JSON
    issued_by     text NOT NULL,
    issued_at     timestamptz NOT NULL,
    PRIMARY KEY (period, contract_id)
);

-- What an agency says against a line of its pre-statement, and what was decided about that.
CREATE TABLE statement_objection (
    objection_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period        integer NOT NULL REFERENCES period,
    contract_id   integer NOT NULL REFERENCES contract,
    delegation_id smallint,                                            -- null: a charge on the whole invoice
    rule          text NOT NULL,
    reason        text NOT NULL,
    raised_by     text NOT NULL,
    raised_at     timestamptz NOT NULL,
    decision      text CHECK (decision IN ('upheld', 'rejected')),
    decision_reason text,
    decided_by    text,
    decided_at    timestamptz,
    CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decision_reason IS NULL))
);

-- What a person changes of a statement: a penalty that is waived, or a later credit or debit about an earlier month. Proposed by one,
-- decided by another.
CREATE TABLE adjustment (
    adjustment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period        integer NOT NULL REFERENCES period,                  -- whose statement has it
    about         integer NOT NULL REFERENCES period,
    contract_id   integer NOT NULL REFERENCES contract,
    delegation_id smallint,                                            -- null: on the whole invoice
    kind          text NOT NULL CHECK (kind IN ('waiver', 'credit', 'debit')),
    rule          text NOT NULL,
    amount        bigint CHECK (amount > 0),                           -- centavos before IVA; null: all that the rule charges
    reason        text NOT NULL,
    objection_id  bigint REFERENCES statement_objection,
    proposed_by   text NOT NULL,
    proposed_at   timestamptz NOT NULL,
    decision      text CHECK (decision IN ('approved', 'rejected')),
    decided_by    text,
    decided_at    timestamptz,
    CHECK ((decision IS NULL) = (decided_by IS NULL)),
    CHECK (kind = 'waiver' OR amount IS NOT NULL)
);

-- Who wants a month closed; another person closes it.
CREATE TABLE closing_proposal (
    period        integer PRIMARY KEY REFERENCES period,
    proposed_by   text NOT NULL,
    proposed_at   timestamptz NOT NULL
);

-- What the latest preview of a month showed, for the next one to tell what changed.
CREATE TABLE preview (
    period        integer NOT NULL REFERENCES period,
    contract_id   integer NOT NULL REFERENCES contract,
    fees          bigint NOT NULL,
    penalties     bigint NOT NULL,
    digest        bytea NOT NULL,
    made_at       timestamptz NOT NULL,
    PRIMARY KEY (period, contract_id)
);

-- Reviews ----------------------------------------------------------------------------------------------------------

-- An agency's one contest of a rejection, and the delegation's second decision, which stands.
CREATE TABLE contest (
    delegation_id smallint NOT NULL,
    outcome_id    bigint NOT NULL,
    period        integer NOT NULL,
    reason        text NOT NULL,
    contested_by  text NOT NULL,
    contested_at  timestamptz NOT NULL,
    decision      text CHECK (decision IN ('approved', 'rejected')),
    decision_reason text,
    reviewer      text,
    decided_at    timestamptz,
    PRIMARY KEY (delegation_id, outcome_id),
    FOREIGN KEY (delegation_id, outcome_id) REFERENCES review
);

-- The decision that counts.
CREATE VIEW standing_review AS
    SELECT r.period, r.delegation_id, r.outcome_id, coalesce(c.decision, r.decision) AS decision,
        coalesce(c.decision_reason, r.reason) AS reason, coalesce(c.reviewer, r.reviewer) AS reviewer,
        coalesce(c.decided_at, r.reviewed_at) AS reviewed_at
      FROM review r
      LEFT JOIN contest c ON c.delegation_id = r.delegation_id AND c.outcome_id = r.outcome_id
           AND c.decision IS NOT NULL;

-- Suspension -------------------------------------------------------------------------------------------------------

-- What a person decided about an agency that missed a band's minimum.
CREATE TABLE suspension (
    period        integer NOT NULL REFERENCES period,                  -- the month that was missed
    agency_id     integer NOT NULL REFERENCES agency,
    band          text NOT NULL,                                       -- FEE-01 to FEE-05
    kind          text NOT NULL CHECK (kind IN ('band', 'termination')),
    decision      text NOT NULL CHECK (decision IN ('suspended', 'declined')),
    reason        text NOT NULL,
    decided_by    text NOT NULL,
    decided_at    timestamptz NOT NULL,
    accounts      bigint NOT NULL,                                     -- dealt and not pulled, and withdrawn by it
    PRIMARY KEY (period, agency_id, band, kind)
);

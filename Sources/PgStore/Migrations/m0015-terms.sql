-- What contracts said before they changed, and why persons decided. One transaction. Never edited after release.

-- Terms ------------------------------------------------------------------------------------------------------------

-- What a contract says, from a month on: a close takes the terms of its own month, whatever was imported since. Table contract has the
-- latest. One that was never imported again since this table is there has no row, and those of table contract.
CREATE TABLE contract_term (
    contract_id   integer NOT NULL REFERENCES contract,
    period        integer NOT NULL CHECK (period BETWEEN 190001 AND 219912), -- from this month on
    number        text NOT NULL,
    tender        text NOT NULL,
    starts_on     date NOT NULL,
    ends_on       date NOT NULL,
    bond          bigint NOT NULL,
    fee_schedule  text NOT NULL,
    penalty_schedule text NOT NULL,
    rule_packs    text[] NOT NULL,
    PRIMARY KEY (contract_id, period)
);

-- The same of how many accounts an adviser may carry.
CREATE TABLE capacity_term (
    contract_id   integer NOT NULL REFERENCES contract,
    delegation_id smallint NOT NULL,
    portfolio     smallint NOT NULL,
    period        integer NOT NULL CHECK (period BETWEEN 190001 AND 219912),
    committed_advisers integer NOT NULL,
    accounts_per_adviser integer NOT NULL,
    PRIMARY KEY (contract_id, delegation_id, portfolio, period)
);

-- And of an agency's name.
CREATE TABLE agency_term (
    agency_id     integer NOT NULL REFERENCES agency,
    period        integer NOT NULL CHECK (period BETWEEN 190001 AND 219912),
    name          text NOT NULL,
    PRIMARY KEY (agency_id, period)
);

-- The day on which its budget was found to be used up, which ended it (AGY-15).
ALTER TABLE contract ADD COLUMN spent_on date;

-- Decisions --------------------------------------------------------------------------------------------------------

-- Why an adjustment was approved or rejected; null: decided before reasons were asked for.
ALTER TABLE adjustment ADD COLUMN decision_reason text;

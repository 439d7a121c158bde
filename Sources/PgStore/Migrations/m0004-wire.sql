-- What the whole of protocol version 1 needs besides the spine: recalls in two steps, pauses, pushes, contact data.
-- One transaction. Never edited after release.

-- Recall -----------------------------------------------------------------------------------------------------------

ALTER TABLE notice
    ADD COLUMN held_until    timestamptz,                              -- how long an undecided objection holds the date up
    ADD COLUMN noticed_by    text,
    ADD COLUMN decided_by    text,
    ADD COLUMN decision_reason text,
    ADD COLUMN finished_at   timestamptz;                              -- the account's lease is over, by the recall or otherwise
CREATE INDEX notice_open ON notice (delegation_id, final_at) WHERE finished_at IS NULL;

-- Pauses -----------------------------------------------------------------------------------------------------------

-- No accounts of a strategy for an agency in a delegation, for now: by its own wish (QUIET) or by the institution's.
CREATE TABLE pause (
    delegation_id smallint NOT NULL,
    agency_id     integer NOT NULL REFERENCES agency,
    strategy      smallint NOT NULL CHECK (strategy BETWEEN 1 AND 4),
    side          text NOT NULL CHECK (side IN ('agency', 'institution')),
    reason        text NOT NULL,
    since         timestamptz NOT NULL,
    until         timestamptz,                                         -- null: until it is lifted
    PRIMARY KEY (delegation_id, agency_id, strategy, side)
);

-- Pushes -----------------------------------------------------------------------------------------------------------

-- What agencies are told without asking. Written with its cause, read by every node for the agencies that are connected to it,
-- thrown away after some days: HELD and STATUS tell the same.
CREATE TABLE push (
    transaction   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    push_id       bigint GENERATED ALWAYS AS IDENTITY,
    agency_id     integer NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('EXPIRING', 'PAUSED', 'RECALL', 'RESUMED', 'UPDATE')),
    delegation_id smallint NOT NULL,
    account_id    bigint,
    epoch         bigint,
    hand_id       integer,                                             -- of a grant, with first_position
    first_position integer,
    strategy      smallint,
    word          text,                                                -- a reason, a decision, what changed
    at            timestamptz,                                         -- a term, a recall's date, the end of a pause
    on_date       date,
    amount        bigint,
    is_final      boolean,
    side          text,
    pushed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (transaction, push_id)
);

-- Files whose news have been pushed. What was loaded before there were pushes is no news.
CREATE TABLE announced_import (
    import_id     bigint PRIMARY KEY
);
INSERT INTO announced_import SELECT import_id FROM import;

-- Terms that were announced as near. An extension makes another term.
CREATE TABLE announced_term (
    delegation_id smallint NOT NULL,
    hand_id       integer NOT NULL,
    first_position integer NOT NULL,
    term          timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, hand_id, first_position, term)
);

-- Payments of one account, for HELD; payments and stops of one file, for pushes.
CREATE INDEX payment_account ON payment (delegation_id, account_id);
CREATE INDEX payment_import ON payment (import_id);
CREATE INDEX stop_import ON stop (import_id);

-- Contact data -----------------------------------------------------------------------------------------------------

-- Sealed by the program with a key that the database does not have. One row per account, replaced as a whole.
CREATE TABLE contact_data (
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    key_id        text NOT NULL,                                       -- which key opens it
    sealed        bytea NOT NULL,
    loaded_at     timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, account_id)
);

-- The life cycle beyond the term: accounts that nobody works or whose debtor cannot be found go back, a person decides what no
-- rule does about late reports, and contacts are judged by the rule packs that a hand was dealt under. One transaction. Never edited after release.

-- As dealt: days in which the first work must be done, and in which an unlocatable account goes back; null: no such deadline.
ALTER TABLE hand
    ADD COLUMN activity_days    integer CHECK (activity_days > 0),
    ADD COLUMN unlocatable_days integer CHECK (unlocatable_days >= 0),
    ADD COLUMN rule_packs       text[] NOT NULL DEFAULT '{infonavit-2023}';

-- Where a rule pack has no visits (GEO-02): a whole delegation, or one municipality of it.
CREATE TABLE visit_ban (
    delegation_id smallint NOT NULL,
    municipality  integer NOT NULL DEFAULT 0,                          -- 0: the whole delegation
    rule_pack     text NOT NULL,
    since         timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, municipality, rule_pack)
);

-- What was done about a lease whose contacts follow a cadence, added up by a follower of the ledger's outcomes.
CREATE TABLE contact_history (
    delegation_id smallint NOT NULL,
    account_id    bigint NOT NULL,
    epoch         bigint NOT NULL,
    first_call_on date,
    calls         integer NOT NULL,
    reached_debtor boolean NOT NULL,
    reached_others boolean NOT NULL,
    unlocatable_on date,
    PRIMARY KEY (delegation_id, account_id, epoch)
);

-- Grants whose activity deadline has been looked at. Each is looked at once.
CREATE TABLE activity_check (
    delegation_id smallint NOT NULL,
    hand_id       integer NOT NULL,
    first_position integer NOT NULL,
    checked_at    timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, hand_id, first_position)
);

-- The outcomes that say that a debtor cannot be found, which are few.
CREATE INDEX outcome_unlocatable ON outcome (delegation_id, account_id, epoch) WHERE contact = 'unlocatable';

-- What a person decided where counts is null. counts itself stays what the agency was told.
ALTER TABLE evidence
    ADD COLUMN decision        text CHECK (decision IN ('accepted', 'rejected')),
    ADD COLUMN decided_at      timestamptz,
    ADD COLUMN decided_by      text,
    ADD COLUMN decision_reason text,
    ADD CHECK (decision IS NULL OR counts IS NULL);
CREATE INDEX evidence_waiting ON evidence (evidence_id) WHERE counts IS NULL AND decision IS NULL;

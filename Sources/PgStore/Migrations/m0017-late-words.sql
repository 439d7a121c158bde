-- What an agency says of an account too late is kept whatever the verb, and its outcomes of one account are found without a
-- further index. One transaction. Never edited after release.

ALTER TABLE evidence ADD COLUMN verb text NOT NULL DEFAULT 'REPORT' CHECK (verb IN ('REPORT', 'RETURN', 'OBJECT'));
ALTER TABLE evidence DROP CONSTRAINT evidence_pkey;
ALTER TABLE evidence ADD PRIMARY KEY (delegation_id, agency_id, instance_id, key, verb);  -- keys are scoped by verb
ALTER TABLE evidence ADD CHECK (verb = 'REPORT' OR counts IS FALSE);                      -- only a report can be an outcome

-- The account stands in the key's index, so that the outcomes of one account are found without reading the rows of all the others. It
-- costs eight bytes per outcome, and no second index on the way of a report.
ALTER TABLE outcome DROP CONSTRAINT outcome_pkey;
ALTER TABLE outcome ADD PRIMARY KEY (period, delegation_id, agency_id, instance_id, key) INCLUDE (account_id);

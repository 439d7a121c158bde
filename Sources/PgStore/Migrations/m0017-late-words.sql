-- What an agency says of an account too late is kept whatever the verb, and its outcomes of one account are found without an index
-- per row. One transaction. Never edited after release.

ALTER TABLE evidence ADD COLUMN verb text NOT NULL DEFAULT 'REPORT' CHECK (verb IN ('REPORT', 'RETURN', 'OBJECT'));
ALTER TABLE evidence ALTER COLUMN verb DROP DEFAULT;
ALTER TABLE evidence DROP CONSTRAINT evidence_pkey;
ALTER TABLE evidence ADD PRIMARY KEY (delegation_id, agency_id, instance_id, key, verb);  -- keys are scoped by verb
ALTER TABLE evidence ADD CHECK (verb = 'REPORT' OR counts IS FALSE);                      -- only a report can be an outcome

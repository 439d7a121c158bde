-- Every limit that was ever in force keeps its row, also where two were put in force in one instant. One transaction. Never edited
-- after release.

ALTER TABLE quota_history
    ADD COLUMN entry bigint GENERATED ALWAYS AS IDENTITY,               -- the order in which they were put in force: under the quota's lock
    ADD COLUMN cause text CHECK (cause IN ('opening', 'plan', 'redeal', 'order')); -- null: put in force before causes were kept
ALTER TABLE quota_history DROP CONSTRAINT quota_history_pkey;
ALTER TABLE quota_history ADD PRIMARY KEY (delegation_id, quota_id, since, entry);

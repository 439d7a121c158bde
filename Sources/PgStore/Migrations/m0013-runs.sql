-- What placed accounts, run by run, and what it replaced. One transaction. Never edited after release.

-- Every run of a segmentation that changed the placements; table segmentation has the one that stands.
CREATE TABLE segmentation_run (
    run_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period        integer NOT NULL REFERENCES period,
    policy        text NOT NULL,
    policy_version text NOT NULL,
    policy_digest bytea NOT NULL REFERENCES policy,
    cut_digest    bytea NOT NULL,
    accounts      bigint NOT NULL,
    placed        bigint NOT NULL,
    excluded      bigint NOT NULL,
    digest        bytea NOT NULL,
    made_at       timestamptz NOT NULL,
    duration_ms   bigint                                               -- null: made before runs were kept
);
CREATE INDEX segmentation_run_period ON segmentation_run (period, run_id);

INSERT INTO segmentation_run (period, policy, policy_version, policy_digest, cut_digest, accounts, placed, excluded, digest,
                              made_at)
SELECT period, policy, policy_version, policy_digest, cut_digest, accounts, placed, excluded, digest, made_at
  FROM segmentation
 ORDER BY period;

-- The rule that had placed the account when the start came, and its latest deal by then: what was dealt before keeps its reason.
ALTER TABLE start ADD COLUMN former_rule text;
ALTER TABLE start ADD COLUMN former_epoch bigint;

-- As many agencies as contracts. One transaction. Never edited after release.

ALTER TABLE agency
    DROP CONSTRAINT agency_agency_id_check,
    ADD CONSTRAINT agency_agency_id_check CHECK (agency_id BETWEEN 1 AND 99999);

-- What an agency's contracts are, and whose a key is, was found by reading all of them: with tens of thousands that is felt.
CREATE INDEX contract_agency ON contract (agency_id);
CREATE INDEX agency_key_public_key ON agency_key (public_key);

-- What the cadence asks for besides calls: letters, visits, searches at new addresses. One transaction. Never edited after release.

ALTER TABLE contact_history
    ADD COLUMN letter_on   date,                                       -- the first letter or e-mail
    ADD COLUMN certified_on date,                                      -- the first letter
    ADD COLUMN visited_on  date,                                       -- the latest visit
    ADD COLUMN searched_on date;                                       -- the latest location visit

-- Since when the account has another address than it had before; null: it has the first one that is known.
ALTER TABLE contact_data ADD COLUMN address_since date;

-- Municipalities with a conciliation centre (CAD-16).
CREATE TABLE conciliation_centre (
    delegation_id smallint NOT NULL,
    municipality  integer NOT NULL,
    since         timestamptz NOT NULL,
    PRIMARY KEY (delegation_id, municipality)
);

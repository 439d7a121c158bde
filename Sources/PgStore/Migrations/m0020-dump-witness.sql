-- Tells a dump that was loaded into a database that already had its tables. One transaction. Never edited after release.

-- One row, and on purpose without a key: of a dump that is loaded beside what is there, this table alone takes every row, where others
-- refuse theirs, or have both. So two rows mean that the database is no backup of anything.
CREATE TABLE dump_witness (database_mark uuid NOT NULL DEFAULT gen_random_uuid());
INSERT INTO dump_witness DEFAULT VALUES;

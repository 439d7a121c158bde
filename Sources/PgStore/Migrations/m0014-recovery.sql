-- Where a database lives, so that one that was restored is known for it. One transaction. Never edited after release.

ALTER TABLE clock
    ADD COLUMN database_oid bigint,                                     -- with clock_oid: a copy and a restored dump have others
    ADD COLUMN clock_oid    bigint,
    ADD COLUMN beats        bigint NOT NULL DEFAULT 0,                  -- how many beats there were: falls only when a commit is lost
    ADD COLUMN restored_at  timestamptz,                                -- set: nothing is granted or dealt before somebody recovers it
    ADD COLUMN known_until  timestamptz;                                -- the latest beat of before, whatever node beats since

-- What somebody said about a database that was restored, or moved.
CREATE TABLE recovery (
    incarnation   integer PRIMARY KEY,                                  -- in force from then on
    recovered_at  timestamptz NOT NULL,
    ordered_by    text NOT NULL,
    nothing_lost  boolean NOT NULL
);

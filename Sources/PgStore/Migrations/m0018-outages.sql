-- Every outage that was ever credited keeps its row. One transaction. Never edited after release.

CREATE TABLE outage (
    outage_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_at       timestamptz,                                         -- the latest beat before it; null: not known
    booked_at     timestamptz NOT NULL,                                -- when the first node that came back booked it
    microseconds  bigint NOT NULL CHECK (microseconds > 0),            -- so the counter only rises
    total_us      bigint NOT NULL                                      -- clock.outage_us from then on
);
-- What was booked before rows were kept, in one.
INSERT INTO outage (booked_at, microseconds, total_us) SELECT now_instant(), outage_us, outage_us FROM clock WHERE outage_us > 0;

-- By a trigger, so that whoever raises the counter books, and the statement of the hot path stays as short as it is.
CREATE FUNCTION keep_outage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outage (from_at, booked_at, microseconds, total_us)
    VALUES (CASE WHEN NEW.virtual_now IS NULL THEN OLD.latest_beat END, coalesce(NEW.virtual_now, clock_timestamp()),
            NEW.outage_us - OLD.outage_us, NEW.outage_us);
    RETURN NULL;
END $$;
CREATE TRIGGER outage_kept AFTER UPDATE OF outage_us ON clock FOR EACH ROW
    WHEN (NEW.outage_us <> OLD.outage_us) EXECUTE FUNCTION keep_outage();

-- Partitions are made by the owner's functions: who imports, segments and plans needs no right on the schema. One transaction. Never
-- edited after release.

-- Whoever has rights on a table has them on what is to be a part of it.
CREATE FUNCTION share_rights(parent text, part text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    given record;
BEGIN
    FOR given IN
        SELECT a.privilege_type, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
          FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
         WHERE c.oid = to_regclass(parent) AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON %I TO %s', given.privilege_type, part, given.grantee);
    END LOOP;
END $$;

-- An empty table for the rows of a month, beside the partition that it will take the place of. The check makes attaching it a matter of
-- the catalogue, without reading it.
CREATE FUNCTION start_partition(parent text, month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    loaded text := format('%s_%s_load', parent, month);
BEGIN
    IF parent NOT IN ('account', 'placement') THEN RAISE EXCEPTION 'partitions of % are not loaded', parent; END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL, CONSTRAINT %I CHECK (period = %s))',
        loaded, parent, loaded || '_period', month);
    -- The rows of a cut come without their month.
    IF parent = 'account' THEN EXECUTE format('ALTER TABLE %I ALTER COLUMN period SET DEFAULT %s', loaded, month); END IF;
    PERFORM share_rights(parent, loaded);
END $$;

-- The key is built once over all rows, which costs less than keeping it while they come in.
CREATE FUNCTION index_partition(parent text, month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    loaded text := format('%s_%s_load', parent, month);
BEGIN
    IF parent NOT IN ('account', 'placement') THEN RAISE EXCEPTION 'partitions of % are not loaded', parent; END IF;
    EXECUTE format('ALTER TABLE %I ALTER COLUMN period DROP DEFAULT, ADD CONSTRAINT %I PRIMARY KEY (delegation_id, account_id)',
        loaded, loaded || '_pkey');
    EXECUTE format('ANALYZE %I', loaded);
END $$;

-- From here to the commit readers of the parent wait; nothing reads rows.
CREATE FUNCTION swap_partition(parent text, month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    part   text := format('%s_%s', parent, month);
    loaded text := part || '_load';
BEGIN
    IF parent NOT IN ('account', 'placement') THEN RAISE EXCEPTION 'partitions of % are not loaded', parent; END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I', part);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', loaded, part);
    EXECUTE format('ALTER INDEX %I RENAME TO %I', loaded || '_pkey', part || '_pkey');
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', parent, part, month);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', part, loaded || '_period');
END $$;

CREATE FUNCTION empty_placements(month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    part text := format('placement_%s', month);
BEGIN
    IF to_regclass(part) IS NOT NULL THEN EXECUTE format('TRUNCATE %I', part); END IF;
END $$;

-- Where it is missing.
CREATE FUNCTION make_outcomes(month integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    part text := format('outcome_%s', month);
BEGIN
    IF to_regclass(part) IS NOT NULL THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I (LIKE outcome INCLUDING ALL)', part);
    PERFORM share_rights('outcome', part);
    EXECUTE format('ALTER TABLE outcome ATTACH PARTITION %I FOR VALUES IN (%s)', part, month);
END $$;

-- They run by the owner's rights, in this schema whatever their callers look at first, and for those alone who are granted it.
DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN
        SELECT oid::regprocedure FROM pg_proc
         WHERE pronamespace = current_schema()::regnamespace
           AND proname IN ('start_partition', 'index_partition', 'swap_partition', 'empty_placements', 'make_outcomes')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', made, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
    END LOOP;
END $$;

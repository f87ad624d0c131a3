-- migrate:up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- The fence: called with the number of heads that a batch moved. Raising (instead of
-- answering 0) ends the whole transaction in the round trip that carries the batch.
CREATE FUNCTION ops.fence(moved bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
    IF moved <> 1 THEN
        RAISE EXCEPTION 'another writer owns the partition' USING ERRCODE = 'TS001';
    END IF;
END
$$;

-- A second line behind the grants: even the owner has to disable it, in sight of all.
CREATE FUNCTION ops.refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION '% on %.% refused: facts are only ever added',
        tg_op, tg_table_schema, tg_table_name
        USING ERRCODE = 'insufficient_privilege';
END
$$;

REVOKE EXECUTE ON FUNCTION ops.fence(bigint) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION ops.refuse_change() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.fence(bigint) TO ts_app;

-- A partition is a schema with one log, one head that fences its writer, and what
-- that writer keeps beside it.
CREATE FUNCTION ops.create_partition(name text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $create_partition$
BEGIN
    IF name !~ '^[a-z][a-z0-9]{0,15}$' THEN
        RAISE EXCEPTION 'a partition is named like p1, not %', name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    EXECUTE replace($ddl$
        CREATE SCHEMA {p};

        -- Old rows are never touched again: vacuum runs on inserts (visibility map,
        -- freezing), analyze often enough while the table is young.
        CREATE TABLE {p}.events (
            notification_id bigint PRIMARY KEY CHECK (notification_id >= 1),
            originator_version bigint NOT NULL CHECK (originator_version >= 0),
            originator_id text NOT NULL,
            topic text NOT NULL,
            state bytea NOT NULL,
            envelope json NOT NULL DEFAULT '{}',
            UNIQUE (originator_id, originator_version)
        ) WITH (
            autovacuum_vacuum_insert_scale_factor = 0.05,
            autovacuum_vacuum_insert_threshold = 10000,
            autovacuum_analyze_scale_factor = 0.02
        );
        COMMENT ON TABLE {p}.events IS 'The log: notification_id is the position, contiguous from 1';

        -- Updated by every batch: room on the page keeps those updates in place, and
        -- vacuum must not wait for a table of one row to grow.
        CREATE TABLE {p}.partition_head (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            epoch bigint NOT NULL CHECK (epoch >= 0),
            batch bigint NOT NULL CHECK (batch >= 0),
            position bigint NOT NULL CHECK (position >= 0),
            leased_until timestamptz NOT NULL DEFAULT clock_timestamp()
        ) WITH (
            fillfactor = 10,
            autovacuum_vacuum_threshold = 200,
            autovacuum_vacuum_scale_factor = 0,
            autovacuum_vacuum_cost_delay = 0,
            autovacuum_analyze_threshold = 1000000000
        );
        INSERT INTO {p}.partition_head (epoch, batch, position) VALUES (0, 0, 0);

        CREATE TABLE {p}.receipts (
            command_id uuid PRIMARY KEY,
            position bigint NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            status smallint NOT NULL,
            request_hash bytea NOT NULL,
            body bytea NOT NULL
        ) WITH (
            autovacuum_vacuum_insert_scale_factor = 0.05,
            autovacuum_analyze_scale_factor = 0.02
        );
        CREATE INDEX receipts_recorded_at ON {p}.receipts USING brin (recorded_at);

        CREATE TABLE {p}.tick_blocks (
            venue_id text NOT NULL,
            number bigint NOT NULL CHECK (number >= 1),
            first_sequence bigint NOT NULL,
            last_sequence bigint NOT NULL,
            engine_from timestamptz NOT NULL,
            engine_to timestamptz NOT NULL,
            sha256 bytea NOT NULL CHECK (length(sha256) = 32),
            previous_sha256 bytea NOT NULL CHECK (length(previous_sha256) = 32),
            body bytea NOT NULL,
            PRIMARY KEY (venue_id, number),
            CHECK (last_sequence >= first_sequence - 1)
        ) WITH (
            autovacuum_vacuum_insert_scale_factor = 0.05,
            autovacuum_analyze_scale_factor = 0.02
        );
        ALTER TABLE {p}.tick_blocks ALTER COLUMN body SET STORAGE external;
        -- A block of refused quotes only has last < first; it belongs before `first`.
        CREATE INDEX tick_blocks_by_sequence
        ON {p}.tick_blocks (venue_id, greatest(first_sequence, last_sequence), number);

        CREATE TABLE {p}.images (
            stream text PRIMARY KEY,
            version bigint NOT NULL,
            body bytea NOT NULL,
            index bytea NOT NULL DEFAULT ''
        ) WITH (fillfactor = 70);

        CREATE TABLE {p}.checkpoints (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            position bigint NOT NULL,
            taken_at timestamptz NOT NULL,
            body bytea NOT NULL
        );

        CREATE TABLE {p}.policy_positions (
            policy text PRIMARY KEY,
            position bigint NOT NULL CHECK (position >= 0)
        ) WITH (fillfactor = 50);

        CREATE TABLE {p}.parked (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT now(),
            kind text NOT NULL CHECK (kind IN ('command', 'policy', 'projection', 'event')),
            subject text NOT NULL,
            origin text NOT NULL,
            cause text NOT NULL,
            body bytea NOT NULL,
            settled text CHECK (settled IN ('retried', 'skipped', 'rebuilt')),
            UNIQUE (kind, origin)
        );
        COMMENT ON TABLE {p}.parked IS 'What failed, with its cause, and whether somebody has settled it';
        CREATE INDEX parked_unsettled ON {p}.parked (id) WHERE settled IS NULL;

        CREATE VIEW {p}.event_log AS
        SELECT
            notification_id AS position,
            originator_id AS stream,
            originator_version AS version,
            topic AS event,
            convert_from(state, 'UTF8')::json AS state,
            envelope
        FROM {p}.events;
        COMMENT ON VIEW {p}.event_log IS 'The log in readable form, for auditors';

        CREATE TRIGGER events_are_facts
        BEFORE UPDATE OR DELETE OR TRUNCATE ON {p}.events
        FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
        ALTER TABLE {p}.events ENABLE ALWAYS TRIGGER events_are_facts;

        CREATE TRIGGER ticks_are_facts
        BEFORE UPDATE OR DELETE OR TRUNCATE ON {p}.tick_blocks
        FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
        ALTER TABLE {p}.tick_blocks ENABLE ALWAYS TRIGGER ticks_are_facts;

        -- Receipts are kept for 30 days, then a job of the owner deletes them.
        CREATE TRIGGER receipts_are_facts
        BEFORE UPDATE OR TRUNCATE ON {p}.receipts
        FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
        ALTER TABLE {p}.receipts ENABLE ALWAYS TRIGGER receipts_are_facts;

        GRANT USAGE ON SCHEMA {p} TO ts_app, ts_projector, ts_auditor;
        GRANT SELECT, INSERT ON {p}.events, {p}.receipts, {p}.tick_blocks TO ts_app;
        GRANT SELECT, UPDATE ON {p}.partition_head TO ts_app;
        GRANT SELECT, INSERT, UPDATE
        ON {p}.images, {p}.checkpoints, {p}.policy_positions TO ts_app;
        GRANT SELECT, INSERT, UPDATE (settled) ON {p}.parked TO ts_app;
        GRANT SELECT, INSERT, UPDATE (settled, cause, at) ON {p}.parked TO ts_projector;
        GRANT SELECT ON {p}.events, {p}.partition_head, {p}.tick_blocks TO ts_projector;
        GRANT SELECT
        ON {p}.events, {p}.event_log, {p}.partition_head, {p}.tick_blocks, {p}.parked,
           {p}.images, {p}.checkpoints
        TO ts_auditor;
    $ddl$, '{p}', quote_ident(name));
END
$create_partition$;

REVOKE EXECUTE ON FUNCTION ops.create_partition(text) FROM PUBLIC;

SELECT ops.create_partition('p1');
SELECT ops.create_partition('s1');

-- migrate:down
-- Dropping a partition drops its log. There is no way back but a backup.
DROP SCHEMA s1 CASCADE;
DROP SCHEMA p1 CASCADE;
DROP FUNCTION ops.create_partition(text);
DROP FUNCTION ops.refuse_change();
DROP FUNCTION ops.fence(bigint);

-- The five roles, and what each may cost. Run by a superuser before the migrations, in
-- template1 or in the product's database; running it again changes nothing.
--
-- No role is a superuser, none may become another (the owner alone acts for the
-- projector, to set the default grants of the tables which the projector makes).

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['ts_owner', 'ts_app', 'ts_projector', 'ts_analyst', 'ts_auditor']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format(
                'CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', wanted
            );
        END IF;
    END LOOP;
END
$$;

GRANT ts_projector TO ts_owner;

ALTER ROLE ts_app SET statement_timeout = '5s';
ALTER ROLE ts_app SET lock_timeout = '2s';
ALTER ROLE ts_app SET idle_in_transaction_session_timeout = '10s';

ALTER ROLE ts_projector SET statement_timeout = '60s';
ALTER ROLE ts_projector SET lock_timeout = '5s';
ALTER ROLE ts_projector SET idle_in_transaction_session_timeout = '60s';

ALTER ROLE ts_analyst SET default_transaction_read_only = on;
ALTER ROLE ts_analyst SET statement_timeout = '30s';
ALTER ROLE ts_analyst SET idle_in_transaction_session_timeout = '10s';

ALTER ROLE ts_auditor SET default_transaction_read_only = on;
ALTER ROLE ts_auditor SET statement_timeout = '300s';
ALTER ROLE ts_auditor SET idle_in_transaction_session_timeout = '60s';

ALTER ROLE ts_owner SET lock_timeout = '10s';

-- Functions by which a reader could hold others up or leave something behind:
-- advisory locks, sleeps, large objects, notifications.
DO $$
DECLARE
    risky regprocedure;
BEGIN
    FOR risky IN
        SELECT oid::regprocedure
        FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
          AND (
              proname LIKE 'pg\_%advisory%'
              OR proname LIKE 'pg\_sleep%'
              OR proname LIKE 'lo\_%'
              OR proname IN ('loread', 'lowrite', 'pg_notify')
          )
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', risky);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ts_owner, ts_app, ts_projector', risky);
    END LOOP;
END
$$;

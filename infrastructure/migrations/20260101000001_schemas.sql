-- migrate:up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA IF NOT EXISTS ops;
CREATE SCHEMA identity;
CREATE SCHEMA read;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

COMMENT ON SCHEMA ops IS 'How the database is kept: the migrations that ran, functions';
COMMENT ON SCHEMA identity IS 'People and their sessions; rows here can be erased';
COMMENT ON SCHEMA read IS 'Tables derived from the log; may be dropped and rebuilt';

GRANT USAGE ON SCHEMA ops TO ts_app, ts_projector, ts_auditor;
GRANT USAGE ON SCHEMA identity TO ts_app;
GRANT USAGE, CREATE ON SCHEMA read TO ts_projector;
GRANT USAGE ON SCHEMA read TO ts_app, ts_analyst, ts_auditor;

-- The projector makes the tables of `read`; whoever answers from them may read them.
ALTER DEFAULT PRIVILEGES FOR ROLE ts_projector IN SCHEMA read
GRANT SELECT ON TABLES TO ts_app, ts_analyst, ts_auditor;

-- migrate:down
ALTER DEFAULT PRIVILEGES FOR ROLE ts_projector IN SCHEMA read
REVOKE SELECT ON TABLES FROM ts_app, ts_analyst, ts_auditor;
DROP SCHEMA read;
DROP SCHEMA identity;
REVOKE USAGE ON SCHEMA ops FROM ts_app, ts_projector, ts_auditor;

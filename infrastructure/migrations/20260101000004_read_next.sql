-- migrate:up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- A rebuild fills this schema beside the live one; then its tables move over.
CREATE SCHEMA read_next;
COMMENT ON SCHEMA read_next IS 'Tables of a rebuild that is under way; empty otherwise';
GRANT USAGE, CREATE ON SCHEMA read_next TO ts_projector;
ALTER DEFAULT PRIVILEGES FOR ROLE ts_projector IN SCHEMA read_next
GRANT SELECT ON TABLES TO ts_app, ts_analyst, ts_auditor;

-- migrate:down
ALTER DEFAULT PRIVILEGES FOR ROLE ts_projector IN SCHEMA read_next
REVOKE SELECT ON TABLES FROM ts_app, ts_analyst, ts_auditor;
DROP SCHEMA read_next CASCADE;

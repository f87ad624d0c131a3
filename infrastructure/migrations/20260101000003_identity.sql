-- migrate:up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE identity.people (
    trader_id text PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (email = lower(email)),
    handle text NOT NULL,
    password_hash text NOT NULL,
    roles text[] NOT NULL DEFAULT '{trader}',
    verified_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A token is known by its SHA-256 only. Rotation keeps the old row until the family
-- ends, so that a second use of it can be seen.
CREATE TABLE identity.refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    family uuid NOT NULL,
    trader_id text NOT NULL REFERENCES identity.people (trader_id) ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    rotated_at timestamptz,
    successor bytea,
    revoked_at timestamptz
);
CREATE INDEX refresh_tokens_family ON identity.refresh_tokens (family);
CREATE INDEX refresh_tokens_trader ON identity.refresh_tokens (trader_id);
CREATE INDEX refresh_tokens_expires ON identity.refresh_tokens (expires_at);

-- What would have been mailed, where no mail server is set up.
CREATE TABLE identity.mail (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    to_address text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL
);
CREATE INDEX mail_to_address ON identity.mail (to_address, id);

GRANT SELECT, INSERT, UPDATE, DELETE
ON identity.people, identity.refresh_tokens, identity.mail TO ts_app;

-- migrate:down
DROP TABLE identity.mail;
DROP TABLE identity.refresh_tokens;
DROP TABLE identity.people;

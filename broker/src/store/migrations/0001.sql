-- The first schema of the vault. Every `sealed` column is AES-256-GCM under the subkey of its table; every `*_hash`, `term`
-- and `expiry_bucket` is a keyed hash. AUTOINCREMENT: a row id is never used again, so a stamp never fits a later row.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE application (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name_hash BLOB NOT NULL UNIQUE,
    registration_hash BLOB NOT NULL,
    client_hash BLOB NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX application_registration ON application (registration_hash);
CREATE INDEX application_client ON application (client_hash);

CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_hash BLOB NOT NULL UNIQUE,
    client_hash BLOB NOT NULL,
    username_hash BLOB NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX account_client ON account (client_hash);
CREATE INDEX account_username ON account (username_hash);

CREATE TABLE grant_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    grant_hash BLOB NOT NULL UNIQUE,
    client_hash BLOB NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX grant_token_client ON grant_token (client_hash);

CREATE TABLE access_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    owner_hash BLOB NOT NULL,
    client_hash BLOB NOT NULL,
    expiry_bucket BLOB NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX access_token_owner ON access_token (owner_hash);
CREATE INDEX access_token_client ON access_token (client_hash);
CREATE INDEX access_token_expiry ON access_token (expiry_bucket);

-- One row per scope of a token, and one for "any scope": the inverted index that scope matching walks.
CREATE TABLE posting (
    term BLOB NOT NULL,
    token_id INTEGER NOT NULL REFERENCES access_token (id) ON DELETE CASCADE,
    PRIMARY KEY (term, token_id)
) WITHOUT ROWID;
CREATE INDEX posting_token ON posting (token_id);

CREATE TABLE identity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    identity_hash BLOB NOT NULL UNIQUE,
    owner_hash BLOB NOT NULL,
    client_hash BLOB NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX identity_owner ON identity (owner_hash);
CREATE INDEX identity_client ON identity (client_hash);

-- Whether a client belongs to a family of clients.
CREATE TABLE app_metadata (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_hash BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
);

CREATE TABLE provider_metadata (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    authority_hash BLOB NOT NULL UNIQUE,
    sealed BLOB NOT NULL
);

-- Row counts, kept by triggers so that they cost nothing to read and cannot drift.
CREATE TABLE tally (
    kind TEXT PRIMARY KEY,
    rows INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO tally (kind, rows) VALUES ('application', 0), ('account', 0), ('grant_token', 0), ('access_token', 0);

CREATE TRIGGER application_added AFTER INSERT ON application
BEGIN UPDATE tally SET rows = rows + 1 WHERE kind = 'application'; END;
CREATE TRIGGER application_removed AFTER DELETE ON application
BEGIN UPDATE tally SET rows = rows - 1 WHERE kind = 'application'; END;
CREATE TRIGGER account_added AFTER INSERT ON account
BEGIN UPDATE tally SET rows = rows + 1 WHERE kind = 'account'; END;
CREATE TRIGGER account_removed AFTER DELETE ON account
BEGIN UPDATE tally SET rows = rows - 1 WHERE kind = 'account'; END;
CREATE TRIGGER grant_token_added AFTER INSERT ON grant_token
BEGIN UPDATE tally SET rows = rows + 1 WHERE kind = 'grant_token'; END;
CREATE TRIGGER grant_token_removed AFTER DELETE ON grant_token
BEGIN UPDATE tally SET rows = rows - 1 WHERE kind = 'grant_token'; END;
CREATE TRIGGER access_token_added AFTER INSERT ON access_token
BEGIN UPDATE tally SET rows = rows + 1 WHERE kind = 'access_token'; END;
CREATE TRIGGER access_token_removed AFTER DELETE ON access_token
BEGIN UPDATE tally SET rows = rows - 1 WHERE kind = 'access_token'; END;

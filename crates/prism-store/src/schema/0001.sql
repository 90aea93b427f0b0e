-- What the challenge remembers. Times are microseconds since 1970 (UTC), digests 32 bytes, sizes bytes.
-- This file is never changed once a version with it has been in use: a change is another file.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rounds (
    id                  TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 36),
    number              INTEGER NOT NULL UNIQUE CHECK (number >= 1),
    name                TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
    recipe_toml         TEXT NOT NULL,
    recipe_sha256       BLOB NOT NULL CHECK (length(recipe_sha256) = 32),
    corpus_path         TEXT NOT NULL,
    corpus_sha256       BLOB NOT NULL CHECK (length(corpus_sha256) = 32),
    runtime_lock        TEXT NOT NULL,
    gate_version        TEXT NOT NULL,
    review_version      TEXT NOT NULL,
    review_mode         TEXT NOT NULL,
    -- The secret: revealed when the round closes.
    seed                INTEGER NOT NULL,
    salt                BLOB NOT NULL CHECK (length(salt) = 32),
    seed_commitment     TEXT NOT NULL CHECK (length(seed_commitment) = 64),
    scored_runs_per_day INTEGER NOT NULL CHECK (scored_runs_per_day >= 0),
    uploads_per_day     INTEGER NOT NULL CHECK (uploads_per_day >= 0),
    weight_policy       TEXT NOT NULL,
    noise_floor_bpb     REAL CHECK (noise_floor_bpb >= 0 AND noise_floor_bpb < 1e300),
    reference_sha256    BLOB CHECK (length(reference_sha256) = 32),
    publish_sources     INTEGER NOT NULL CHECK (publish_sources IN (0, 1)),
    state               TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    opened_at           INTEGER NOT NULL,
    closed_at           INTEGER,
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX rounds_one_open ON rounds (state) WHERE state = 'open';

CREATE TABLE submissions (
    seq                 INTEGER PRIMARY KEY,   -- the order of acceptance
    id                  TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    round_id            TEXT NOT NULL REFERENCES rounds (id),
    hotkey              TEXT NOT NULL CHECK (length(hotkey) BETWEEN 1 AND 128),
    epoch_id            INTEGER NOT NULL,
    accepted_at         INTEGER NOT NULL,
    filename            TEXT NOT NULL,
    code_sha256         BLOB NOT NULL CHECK (length(code_sha256) = 32),
    zip_sha256          BLOB NOT NULL CHECK (length(zip_sha256) = 32),
    zip_bytes           INTEGER NOT NULL CHECK (zip_bytes >= 0),
    metadata_json       TEXT NOT NULL CHECK (json_valid(metadata_json)),
    -- What its contract says, once it is read.
    bundle_sha256       BLOB CHECK (length(bundle_sha256) = 32),
    architecture_sha256 BLOB CHECK (length(architecture_sha256) = 32),
    training_sha256     BLOB CHECK (length(training_sha256) = 32),
    name                TEXT,
    status              TEXT NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed', 'rejected', 'held',
                            'cancelled', 'invalidated')),
    stage               TEXT CHECK (stage IN ('received', 'contract', 'gate', 'similarity', 'review', 'queued', 'training',
                            'scoring', 'confirming')),
    reason              TEXT,
    sentence            TEXT,
    traceback           TEXT,
    -- Why it does not move, while it is pending.
    wait                TEXT CHECK (wait IN ('queue', 'retry', 'no_executor', 'paused', 'breaker', 'no_round', 'budget', 'machine')),
    wait_sentence       TEXT,
    waiting_since       INTEGER,
    not_before          INTEGER,
    retries             INTEGER NOT NULL DEFAULT 0 CHECK (retries >= 0),
    -- The one result that counts.
    result_id           INTEGER REFERENCES results (id),
    updated_at          INTEGER NOT NULL,
    UNIQUE (round_id, hotkey, zip_sha256),
    CHECK ((status IN ('pending', 'running')) = (stage IS NOT NULL)),
    CHECK (status <> 'pending' OR stage NOT IN ('training', 'scoring')),
    CHECK (status <> 'running' OR stage IN ('training', 'scoring', 'confirming')),
    CHECK ((status = 'pending') = (wait IS NOT NULL)),
    CHECK (not_before IS NULL OR waiting_since IS NOT NULL),
    CHECK ((result_id IS NOT NULL) = (status = 'completed' OR ifnull(stage, '') = 'confirming'))
) STRICT;
CREATE INDEX submissions_of_hotkey ON submissions (hotkey, seq);
CREATE INDEX submissions_of_round ON submissions (round_id, seq);
CREATE INDEX submissions_by_status ON submissions (status, seq);
CREATE INDEX submissions_unfinished ON submissions (stage, status, seq) WHERE stage IS NOT NULL;
CREATE INDEX submissions_by_epoch ON submissions (epoch_id, seq);
CREATE INDEX submissions_by_time ON submissions (accepted_at);
CREATE INDEX submissions_of_day ON submissions (hotkey, accepted_at);
CREATE INDEX submissions_of_bundle ON submissions (bundle_sha256, seq) WHERE bundle_sha256 IS NOT NULL;
CREATE INDEX submissions_of_architecture ON submissions (architecture_sha256, seq) WHERE architecture_sha256 IS NOT NULL;
CREATE INDEX submissions_scored ON submissions (round_id, seq) WHERE result_id IS NOT NULL;
CREATE TRIGGER submissions_stay BEFORE DELETE ON submissions BEGIN
    SELECT raise(ABORT, 'submissions are never deleted');
END;

-- Each (hotkey, nonce) is used once, by one request, and keeps the answer to it.
CREATE TABLE nonces (
    hotkey         TEXT NOT NULL CHECK (length(hotkey) BETWEEN 1 AND 128),
    nonce          TEXT NOT NULL CHECK (length(nonce) BETWEEN 1 AND 256),
    request_sha256 BLOB NOT NULL CHECK (length(request_sha256) = 32),
    status_code    INTEGER NOT NULL CHECK (status_code BETWEEN 200 AND 599),
    submission     INTEGER REFERENCES submissions (seq),
    answered       TEXT,                      -- the submission's status in the answer
    answered_stage TEXT,
    body           BLOB CHECK (length(body) <= 65536),
    used_at        INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    PRIMARY KEY (hotkey, nonce),
    CHECK ((submission IS NULL) = (answered IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_by_expiry ON nonces (expires_at);

CREATE TABLE attempts (
    id                INTEGER PRIMARY KEY,
    submission        INTEGER REFERENCES submissions (seq),
    round_id          TEXT NOT NULL REFERENCES rounds (id),
    kind              TEXT NOT NULL CHECK (kind IN ('main', 'confirm', 'noise')),
    number            INTEGER NOT NULL CHECK (number >= 1),
    nonce             BLOB NOT NULL UNIQUE CHECK (length(nonce) = 16),
    executor          TEXT NOT NULL,
    handle            TEXT,
    seed              INTEGER NOT NULL,
    audit_rate_factor INTEGER NOT NULL CHECK (audit_rate_factor >= 1),
    state             TEXT NOT NULL CHECK (state IN ('created', 'started', 'ended', 'lost')),
    created_at        INTEGER NOT NULL,
    started_at        INTEGER,
    ended_at          INTEGER,
    reason            TEXT,
    sentence          TEXT,
    wall_seconds      REAL CHECK (wall_seconds >= 0 AND wall_seconds < 1e300),
    evidence_json     TEXT CHECK (json_valid(evidence_json)),
    evidence_sha256   BLOB CHECK (length(evidence_sha256) = 32),
    charged_day       INTEGER,                -- the day whose budget of scored runs it counts against
    charged_to        TEXT,                   -- and the hotkey
    UNIQUE (submission, number),
    CHECK ((kind = 'noise') = (submission IS NULL)),
    CHECK ((state IN ('ended', 'lost')) = (ended_at IS NOT NULL)),
    CHECK ((state IN ('ended', 'lost')) = (reason IS NOT NULL)),
    CHECK (state <> 'started' OR started_at IS NOT NULL),
    CHECK ((charged_day IS NULL) = (charged_to IS NULL))
) STRICT;
CREATE UNIQUE INDEX attempts_one_live ON attempts (submission) WHERE state IN ('created', 'started');
CREATE INDEX attempts_live ON attempts (id) WHERE state IN ('created', 'started');
CREATE INDEX attempts_of_round ON attempts (round_id, kind, ended_at);
CREATE INDEX attempts_charged ON attempts (charged_to, charged_day) WHERE charged_to IS NOT NULL;
CREATE TRIGGER attempts_stay BEFORE DELETE ON attempts BEGIN
    SELECT raise(ABORT, 'attempts are never deleted');
END;

-- What came for an attempt that was not the current one any more, or with another nonce. Evidence; decides nothing.
CREATE TABLE late_results (
    id              INTEGER PRIMARY KEY,
    attempt_id      INTEGER NOT NULL,
    nonce           BLOB NOT NULL CHECK (length(nonce) = 16),
    at              INTEGER NOT NULL,
    reason          TEXT NOT NULL,
    sentence        TEXT NOT NULL,
    wall_seconds    REAL,
    evidence_json   TEXT CHECK (json_valid(evidence_json)),
    evidence_sha256 BLOB CHECK (length(evidence_sha256) = 32)
) STRICT;
CREATE INDEX late_results_of_attempt ON late_results (attempt_id);

CREATE TABLE results (
    id                INTEGER PRIMARY KEY,
    submission        INTEGER REFERENCES submissions (seq),
    attempt_id        INTEGER NOT NULL REFERENCES attempts (id),
    round_id          TEXT NOT NULL REFERENCES rounds (id),
    kind              TEXT NOT NULL CHECK (kind IN ('main', 'confirm', 'noise')),
    rescored_from     INTEGER REFERENCES results (id),
    stored_at         INTEGER NOT NULL,
    engine_version    TEXT NOT NULL,
    bpb               REAL NOT NULL CHECK (abs(bpb) < 1e300),
    bpb_se            REAL NOT NULL CHECK (abs(bpb_se) < 1e300),
    bpb_ranked        REAL CHECK (abs(bpb_ranked) < 1e300),
    final_score       REAL CHECK (abs(final_score) < 1e300),
    no_rank           TEXT,
    rehearsal         INTEGER NOT NULL CHECK (rehearsal IN (0, 1)),
    flags_json        TEXT NOT NULL CHECK (json_type(flags_json) = 'array'),
    hidden_max_bpb    REAL CHECK (abs(hidden_max_bpb) < 1e300),
    claims_rms_nats   REAL CHECK (abs(claims_rms_nats) < 1e300),
    audits            INTEGER NOT NULL CHECK (audits >= 0),
    covered_bytes     INTEGER NOT NULL CHECK (covered_bytes >= 0),
    stream_bytes      INTEGER NOT NULL CHECK (stream_bytes >= 0),
    compute_json      TEXT NOT NULL CHECK (json_valid(compute_json)),
    curve_sha256      BLOB CHECK (length(curve_sha256) = 32),
    record_sha256     BLOB CHECK (length(record_sha256) = 32),
    targets_sha256    BLOB CHECK (length(targets_sha256) = 32),
    manifest_sha256   BLOB CHECK (length(manifest_sha256) = 32),
    report_sha256     BLOB CHECK (length(report_sha256) = 32),
    logs_sha256       BLOB CHECK (length(logs_sha256) = 32),
    events_sha256     BLOB CHECK (length(events_sha256) = 32),
    profile_sha256    BLOB CHECK (length(profile_sha256) = 32),
    invalidated_at    INTEGER,
    invalidated_cause TEXT,
    CHECK ((kind = 'noise') = (submission IS NULL)),
    CHECK ((no_rank IS NULL) = (final_score IS NOT NULL)),
    CHECK ((no_rank IS NULL) = (bpb_ranked IS NOT NULL)),
    CHECK ((invalidated_at IS NULL) = (invalidated_cause IS NULL))
) STRICT;
-- A result is accepted once.
CREATE UNIQUE INDEX results_one_an_attempt ON results (attempt_id) WHERE rescored_from IS NULL;
CREATE INDEX results_of_submission ON results (submission, id) WHERE submission IS NOT NULL;
CREATE INDEX results_of_round ON results (round_id, kind);
CREATE TRIGGER results_stay BEFORE DELETE ON results BEGIN
    SELECT raise(ABORT, 'results are never deleted');
END;
CREATE TRIGGER results_keep_figures BEFORE UPDATE OF submission, attempt_id, round_id, kind, rescored_from, stored_at,
    engine_version, bpb, bpb_se, bpb_ranked, final_score, no_rank, rehearsal, audits, covered_bytes, stream_bytes,
    record_sha256, targets_sha256 ON results BEGIN
    SELECT raise(ABORT, 'the figures of a result are never changed');
END;

CREATE TABLE events (
    seq           INTEGER PRIMARY KEY,
    submission    INTEGER NOT NULL REFERENCES submissions (seq),
    at            INTEGER NOT NULL,
    actor         TEXT NOT NULL CHECK (actor IN ('service', 'owner', 'operator')),
    status        TEXT NOT NULL,
    stage         TEXT,
    reason        TEXT,
    sentence      TEXT NOT NULL,
    evidence_json TEXT CHECK (json_valid(evidence_json))
) STRICT;
CREATE INDEX events_of_submission ON events (submission, seq);
CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN
    SELECT raise(ABORT, 'events are never deleted');
END;
CREATE TRIGGER events_keep BEFORE UPDATE ON events BEGIN
    SELECT raise(ABORT, 'events are never changed');
END;

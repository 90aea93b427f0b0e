-- Readings by the reviewer: what was asked of whom, what came back, and what it cost. Verdicts, never a key.

CREATE TABLE reviews (
    id              INTEGER PRIMARY KEY,
    submission      INTEGER NOT NULL REFERENCES submissions (seq),
    mode            TEXT NOT NULL CHECK (mode IN ('enforce', 'advisory')),
    bundle_sha256   BLOB NOT NULL CHECK (length(bundle_sha256) = 32),
    prompt_sha256   BLOB NOT NULL CHECK (length(prompt_sha256) = 32),
    rules_version   INTEGER NOT NULL CHECK (rules_version >= 1),
    rules_sha256    BLOB NOT NULL CHECK (length(rules_sha256) = 32),
    model           TEXT NOT NULL,
    second_model    TEXT NOT NULL,
    facts_json      TEXT NOT NULL CHECK (json_type(facts_json) = 'array'),
    begun_at        INTEGER NOT NULL,
    ended_at        INTEGER,
    -- `passed`, `rejected` or `held`, and what it rests on. The quotes are for the owner and the operator.
    verdict         TEXT CHECK (verdict IN ('passed', 'rejected', 'held')),
    verdict_json    TEXT CHECK (json_valid(verdict_json)),
    -- The earlier reading whose verdict this is.
    copied_from     INTEGER REFERENCES reviews (id),
    CHECK ((ended_at IS NULL) = (verdict IS NULL)),
    CHECK ((verdict IS NULL) = (verdict_json IS NULL))
) STRICT;
CREATE UNIQUE INDEX reviews_one_open ON reviews (submission) WHERE ended_at IS NULL;
CREATE INDEX reviews_of_submission ON reviews (submission, id);
CREATE INDEX reviews_of_bundle ON reviews (bundle_sha256, id) WHERE ended_at IS NOT NULL;
CREATE TRIGGER reviews_stay BEFORE DELETE ON reviews BEGIN
    SELECT raise(ABORT, 'reviews are never deleted');
END;

CREATE TABLE review_calls (
    id              INTEGER PRIMARY KEY,
    review          INTEGER NOT NULL REFERENCES reviews (id),
    hotkey          TEXT NOT NULL,
    day             INTEGER NOT NULL,
    purpose         TEXT NOT NULL CHECK (purpose IN ('bare', 'full', 'refute')),
    begun_at        INTEGER NOT NULL,
    planted         INTEGER NOT NULL CHECK (planted IN (0, 1)),
    -- Until it has ended, what it may cost at most.
    cost_usd        REAL NOT NULL CHECK (cost_usd >= 0 AND cost_usd < 1e300),
    ended_at        INTEGER,
    seconds         REAL CHECK (seconds >= 0 AND seconds < 1e300),
    outcome         TEXT,
    outcome_json    TEXT CHECK (json_valid(outcome_json)),
    model           TEXT,
    provider        TEXT,
    input_tokens    INTEGER CHECK (input_tokens >= 0),
    output_tokens   INTEGER CHECK (output_tokens >= 0),
    -- The beginning of what the model wrote: text of a stranger, for the operator alone.
    raw             TEXT CHECK (length(raw) <= 16384),
    CHECK ((ended_at IS NULL) = (outcome_json IS NULL)),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX review_calls_of_review ON review_calls (review, id);
CREATE INDEX review_calls_of_day ON review_calls (day, hotkey);
CREATE TRIGGER review_calls_stay BEFORE DELETE ON review_calls BEGIN
    SELECT raise(ABORT, 'review calls are never deleted');
END;

-- A rejection is appealed once.
CREATE TABLE appeals (
    submission INTEGER PRIMARY KEY REFERENCES submissions (seq),
    at         INTEGER NOT NULL,
    text       TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 4000)
) STRICT;
CREATE TRIGGER appeals_stay BEFORE DELETE ON appeals BEGIN
    SELECT raise(ABORT, 'appeals are never deleted');
END;

-- The database of runs, version 6. Times are UTC; hashes are hexadecimal; quantities are in nats.

-- One row for each recipe (its hash) that was begun.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,       -- SHA-256 of canonical
    canonical TEXT NOT NULL,         -- what decides the rows, as JSON
    source TEXT NOT NULL,            -- where the texts come from, as JSON
    n_samples INTEGER NOT NULL,      -- samples that every cell is to have
    version TEXT NOT NULL,           -- of the program that began it
    created TEXT NOT NULL,
    judge TEXT,                      -- the model whose opinion its samples have (judged_…), as JSON
    ask_metrics TEXT,                -- what the recipe wants to be reported, as JSON; NULL if it's silent
    ask_judge TEXT,                  -- the model that it wants to judge, or none; NULL if it's silent
    embedder TEXT,                   -- SHA-256 of the model by which its samples have embeddings
    is_open INTEGER NOT NULL DEFAULT 0  -- 1: a round of a search that hasn't ended
) STRICT;

-- The rows of a run's table, from 0, in the order of the recipe.
CREATE TABLE prompts (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    prompt INTEGER NOT NULL,
    text TEXT NOT NULL,
    fields TEXT NOT NULL,            -- what its line said besides, as JSON
    PRIMARY KEY (run, prompt)
) STRICT, WITHOUT ROWID;

-- The columns of a run's table, from 0, in the order of the recipe.
CREATE TABLE chains (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    chain INTEGER NOT NULL,
    text TEXT NOT NULL,              -- in the notation of a chain, or of a temperature of texts (text_temp=…)
    PRIMARY KEY (run, chain)
) STRICT, WITHOUT ROWID;

-- A prompt with a chain; there from its first sample on.
CREATE TABLE cells (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    prompt INTEGER NOT NULL,
    chain INTEGER NOT NULL,
    UNIQUE (run, prompt, chain)
) STRICT;

-- A text, whole: a sample comes with all its tokens, in one transaction.
CREATE TABLE samples (
    id INTEGER PRIMARY KEY,
    cell INTEGER NOT NULL REFERENCES cells(id) ON DELETE CASCADE,
    sample INTEGER NOT NULL,         -- which dice, from 0
    text TEXT NOT NULL,              -- up to a stop string
    finish TEXT NOT NULL,            -- why it ended: end_token, stop_string, stop, max_tokens, context_full, bad_logits, other
    n_tokens INTEGER NOT NULL,
    judged_tokens INTEGER,           -- the text's tokens under the judge, and their surprisal in all
    judged_nats REAL,
    embedding BLOB,                  -- by the run's embedder: numbers of single precision, little-endian, of length 1 together
    whole TEXT,                      -- how it was drawn as a whole, and how many tokens that took, as JSON; NULL if token by token
    UNIQUE (cell, sample)
) STRICT;

-- How each token was drawn. NULL is what the engine doesn't tell.
-- "Raw" is the model's own distribution, "final" the one that was drawn from, after the chain.
CREATE TABLE tokens (
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    pos INTEGER NOT NULL,            -- in the text, from 0
    id INTEGER,
    bytes BLOB NOT NULL,             -- what it says, maybe a part of a character
    rank INTEGER,                    -- survivors before it: 0 is the likeliest
    logprob_raw REAL,                -- ln p
    logprob_final REAL,
    entropy_raw REAL,
    entropy_final REAL,
    survivors INTEGER,               -- tokens that the chain left
    shift_width INTEGER,             -- tokens of the smallest set with 95 % of the final mass
    shift_outside REAL,              -- final mass outside the raw top 90 %
    heat_capacity REAL,              -- of the final distribution
    top TEXT,                        -- the likeliest and their ln p as a server told them, as JSON
    PRIMARY KEY (sample, pos)
) STRICT, WITHOUT ROWID;

-- The values of scores of one's own that cost time: a command's, a judge's. Others are computed anew.
CREATE TABLE scores (
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    definition TEXT NOT NULL,        -- SHA-256 of what was run or asked
    value REAL,                      -- NULL if there is none
    problem TEXT,                    -- why there is none
    PRIMARY KEY (sample, definition)
) STRICT, WITHOUT ROWID;

-- The logits that a token was drawn from, on request. packed is one byte for the form, then one raw deflate stream.
-- 6: n_vocab f32 of which all first (highest) bytes come first, then all second ones, and so on.
-- 14: numbers of seven bits a byte, the lowest first, the eighth bit saying that more follow: how many tokens are named; of each of them,
-- from the likeliest down, its id and how far its logit lies below the one before it (the first: below 2^32 - 1), where a logit counts as its
-- bits, all of them flipped if it is negative, else the highest alone; then, until there are n_vocab, the distances of all others from the
-- maximum as f16, from near to far: by how much its bits exceed those of the one before (the first: 0), and how many tokens lie there.
CREATE TABLE logits (
    sample INTEGER NOT NULL REFERENCES samples(id) ON DELETE CASCADE,
    pos INTEGER NOT NULL,            -- as in tokens
    place INTEGER NOT NULL,          -- the token's position in the whole text, prompt included, which names its dice
    n_vocab INTEGER NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (sample, pos)
) STRICT;

-- Each time somebody worked at a run: how long, and how much came of it.
CREATE TABLE sittings (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    begun TEXT NOT NULL,
    elapsed_secs REAL NOT NULL,
    tokens INTEGER NOT NULL,         -- of the samples that were finished
    threads INTEGER NOT NULL         -- or requests at once, with a server
) STRICT;

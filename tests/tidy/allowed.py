"""What may import what in `core/src`, and the present exceptions from the limits: they may only shrink."""

VALUES = {"error", "event"}
COLUMNS = VALUES | {"ingest/arrays"}
DISK = {"error", "layout", "storage"}

# A module of the library, and the modules that it may import. Data flows one way: who is below does not know
# who is above, and nobody knows the facade.
MODULES = {
    "error": set(),
    "layout": set(),
    "demo": set(),
    "described": set(),
    "event": {"error"},
    "query": VALUES,
    "storage": {"error"},
    "settings": DISK | {"event", "described", "format", "redact"},
    "output": {"error"},
    "wal": DISK,
    "log": DISK | {"event"},
    "engine": VALUES | {"query"},
    "ingest/progress": set(),
    "ingest/rest": {"event"},
    "ingest/arrays": VALUES,
    "ingest/pages": VALUES,
    "ingest/input": {"error"},
    "ingest/batch": COLUMNS,
    "ingest/parquet": VALUES | {"ingest/pages", "storage"},
    "ingest/stats": {"event", "log"},
    "ingest/register": DISK | {"event"},
    "ingest/table": DISK | COLUMNS | {"ingest/parquet", "ingest/rest", "ingest/stats", "log"},
    "quarantine": DISK | COLUMNS | {"ingest/parquet", "log"},
    "seal": DISK | VALUES | {"ingest/parquet", "ingest/register", "ingest/table", "log", "quarantine", "wal"},
    "ingest/pipeline": VALUES
    | {"ingest/input", "ingest/progress", "ingest/table", "log", "quarantine", "seal", "storage", "wal"},
    "maintenance": DISK
    | COLUMNS
    | {"ingest/batch", "ingest/parquet", "ingest/progress", "ingest/stats", "log", "quarantine", "seal"},
    "store": None,
}

# These do no I/O, start no threads and read no clock, so that they build for the browser.
PURE = {"error", "layout", "event", "query", "demo", "described", "output", "ingest/progress", "ingest/rest", "ingest/arrays", "ingest/pages"}
IMPURE = r"\bstd::(?:fs|net|process|thread|env)\b|\bstd(?:in|out|err)\(\)|\b(?:Instant|SystemTime|Utc|Local)::now\b"

# A crate, or a part of the standard library, and the modules that alone may use it.
CRATES = {
    "duckdb": {"engine"},
    "delta_kernel": {"log"},
    "delta_kernel_default_engine": {"log"},
    "object_store": {"log"},
    "tokio": {"log"},
    "url": {"log"},
    "rustix": {"storage"},
    "std::fs": {"storage", "ingest/input", "ingest/batch"},
    "std::net": set(),
    "std::env": {"store"},
}

# Imports that break the rules above, as (module, what it imports).
IMPORTS_EXCUSED = {
    ("store", "std::fs"),
}

FILE_LINES_MAX = 500
FILES_EXCUSED = {
    "core/src/event/shred.rs": 617,
}

FUNCTION_LINES_MAX = 70
FUNCTIONS_EXCUSED = {
    "core/src/engine/tests/sandbox.rs files_and_functions_outside_are_refused": 80,
}

"""What may import what in `core/src`, and the present exceptions from the limits: they may only shrink."""

VALUES = {"error", "event"}
COLUMNS = VALUES | {"ingest/arrays"}
DISK = {"error", "layout", "storage", "keys"}

# A module of the library, and the modules that it may import. Data flows one way: who is below does not know
# who is above, and nobody knows the facade.
MODULES = {
    "error": set(),
    "layout": set(),
    "demo": set(),
    "described": set(),
    "zone": set(),
    "event": {"error"},
    "query": VALUES | {"mine"},
    "bundle": VALUES
    | {"format", "intake", "mine", "query", "redact", "ingest/arrays", "ingest/blocks", "ingest/known", "ingest/settle", "leaves"},
    "keys": {"error", "layout"},
    "storage": {"error", "keys", "layout"},
    "heads": {"error", "log", "proof", "settings"},
    "format": {"event", "ingest/encoding"},
    "leaves": {"event"},
    "mine": {"event"},
    "proof": VALUES,
    "redact": VALUES | {"described"},
    "intake": {"event", "redact"},
    "settings": DISK | {"event", "described", "format", "query", "redact"},
    "output": {"error", "leaves"},
    "wal": DISK,
    "log": DISK | {"event"},
    "engine": VALUES | {"keys", "query"},
    "ingest/progress": set(),
    "ingest/rest": {"event"},
    "ingest/settle": COLUMNS | {"ingest/rest"},
    "ingest/arrays": VALUES,
    "ingest/pages": VALUES,
    "ingest/archive": set(),
    "ingest/decompress": set(),
    "ingest/encoding": set(),
    "ingest/blocks": {"error", "format", "ingest/encoding", "ingest/known"},
    "ingest/coding": {"error"},
    "ingest/order": COLUMNS,
    "ingest/columnar": {"error", "event", "format"},
    "ingest/input": {"error", "format", "ingest/archive", "ingest/columnar", "ingest/decompress", "ingest/known"},
    "ingest/source": {"error", "layout", "ingest/input"},
    "ingest/batch": COLUMNS | {"ingest/settle", "keys", "storage"},
    "ingest/parquet": VALUES | {"ingest/coding", "ingest/encrypted", "ingest/pages", "storage"},
    "ingest/encrypted": {"error", "ingest/pages", "keys"},
    "ingest/stats": {"event", "log"},
    "ingest/known": VALUES | {"layout"},
    "ingest/follow": VALUES
    | {"format", "ingest/archive", "ingest/blocks", "ingest/columnar", "ingest/decompress", "ingest/encoding"}
    | {"ingest/input", "ingest/known"},
    "ingest/register": DISK | {"event"},
    "ingest/templates": DISK | COLUMNS | {"mine"},
    "ingest/table": DISK | COLUMNS | {"ingest/order", "ingest/parquet", "ingest/settle", "ingest/stats", "log"},
    "quarantine": DISK | COLUMNS | {"ingest/batch", "ingest/parquet", "log"},
    "seal": DISK
    | {"engine"}
    | VALUES
    | {"format", "ingest/known", "ingest/parquet", "ingest/register", "ingest/table", "ingest/templates"}
    | {"index", "log", "quarantine", "rows", "wal"},
    "ingest/pipeline": VALUES
    | {"format", "intake", "redact", "log", "mine", "quarantine", "seal", "storage", "wal"}
    | {f"ingest/{name}" for name in ("blocks", "columnar", "encoding", "input", "known", "progress", "table")}
    | {"ingest/templates"},
    "ingest/explain": VALUES
    | {"format", "intake", "redact", "ingest/arrays", "ingest/batch"}
    | {f"ingest/{name}" for name in ("blocks", "columnar", "encoding", "input", "known", "register", "table")},
    "rows": COLUMNS | {"keys", "storage", "ingest/parquet"},
    "index": DISK | COLUMNS | {"ingest/batch", "ingest/pages", "ingest/parquet", "log"},
    "verify": DISK | {"event", "ingest/batch", "ingest/progress", "ingest/templates", "log", "mine", "proof", "quarantine", "seal"},
    "maintenance": DISK
    | COLUMNS
    | {"ingest/batch", "ingest/order", "ingest/pages", "ingest/parquet", "ingest/progress", "ingest/stats", "log", "quarantine", "query", "seal"}
    | {"mine", "wal"},
    "store": None,
}

# These do no I/O, start no threads and read no clock, so that they build for the browser.
PURE = {"error", "layout", "event", "format", "mine", "redact", "intake", "query", "demo", "described", "output", "proof", "bundle", "leaves"} | {
    f"ingest/{name}" for name in ("arrays", "blocks", "coding", "encoding", "known", "order", "pages", "progress", "rest", "settle")
}
IMPURE = r"\bstd::(?:fs|net|process|thread|env)\b|\bstd(?:in|out|err)\(\)|\b(?:Instant|SystemTime|Utc|Local)::now\b"

# A crate, or a part of the standard library, and the modules that alone may use it.
CRATES = {
    "duckdb": {"engine"},
    "delta_kernel": {"log"},
    "delta_kernel_default_engine": {"log"},
    "object_store": {"log", "storage"},
    "tokio": {"heads", "log", "storage"},
    "url": {"log"},
    "rustix": {"storage"},
    "aws_lc_rs": {"heads", "keys", "ingest/encrypted"},
    "reqwest": {"heads"},
    "std::fs": {"heads", "index", "keys", "rows", "storage"}
    | {f"ingest/{name}" for name in ("batch", "columnar", "follow", "input", "pipeline", "source")},
    "std::net": set(),
    "std::env": {"storage", "store", "ingest/columnar"},
}

# Imports that break the rules above, as (module, what it imports).
IMPORTS_EXCUSED = {
    ("store", "std::fs"),
}

FILE_LINES_MAX = 500
FILES_EXCUSED = {}

FUNCTION_LINES_MAX = 70
FUNCTIONS_EXCUSED = {
    "core/src/engine/tests/sandbox.rs files_and_functions_outside_are_refused": 80,
}

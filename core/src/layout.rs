//! Every name on disk, and the version of the format.

/// The format that this version writes. A store of a higher one is refused.
pub const FORMAT_VERSION: u32 = 1;

/// Delta's commit log.
pub const DELTA_LOG: &str = "_delta_log";
/// Events acknowledged and not yet in Parquet; one folder a writer.
pub const WAL: &str = "_wal";
/// The Delta table of what could not be read.
pub const QUARANTINE: &str = "_quarantine";
/// The lock of whoever reads records of the quarantine again.
pub const RETRY_LOCK: &str = "_quarantine/retry.lock";
/// The marker in the quarantine of a retry whose events are about to be committed.
pub const RETRY_BEGUN: &str = "retry:begun";
/// The marker in the quarantine of a retry whose records have left it.
pub const RETRY_DONE: &str = "retry:done";
/// The shapes of producers' events.
pub const SHAPES: &str = "_shapes";
/// Records of the hash chain.
pub const CHAIN: &str = "_chain";
/// The dictionary of message templates.
pub const TEMPLATES: &str = "_templates";
/// Copies of columns and filters of ids, made of the data files.
pub const INDEX: &str = "_index";
/// The lock of whoever adds to the index.
pub const INDEX_LOCK: &str = "_index/lock";
/// The lock of whoever looks after the store: compaction, retention, erasure.
pub const UPKEEP_LOCK: &str = "_upkeep.lock";
/// A file in a copy that is not finished; no store is opened where it is.
pub const INCOMPLETE: &str = "_incomplete";
/// The manifest of an archive.
pub const MANIFEST: &str = "_archive.json";
/// The records of erasures: what, when and why, without the data.
pub const ERASURES: &str = "_erasures";
/// The key of the hashes of filters in records of erasures.
pub const ERASE_KEY: &str = "_erase.key";
/// The marker of the last erasure: the version that made it.
pub const ERASED: &str = "erased";
/// The settings of a store.
pub const SETTINGS: &str = "daybook.toml";
/// The key of redacted values that are hashed: whoever has it can test guesses against them.
pub const REDACT_KEY: &str = "_redact.key";
/// What says that a store is encrypted: who has not the key of it is told so at once.
pub const ENCRYPTION: &str = "_encryption";
/// The highest `seq` handed out, behind a lock; in the folder of the write-ahead log.
pub const SEQ: &str = "_wal/seq";
/// The numbers that writers to a bucket have reserved, each reservation an object.
pub const SEQS: &str = "_seq";
/// The lock that a live writer holds; in its folder.
pub const WRITER_LOCK: &str = "lock";

/// Whether a file that is no Parquet and no log is encrypted, in a store that is.
pub fn is_sealed(path: &str) -> bool {
    let folder = path.split_once('/').map_or("", |(folder, _)| folder);
    [SHAPES, TEMPLATES, ERASURES].contains(&folder) || [ENCRYPTION, REDACT_KEY, ERASE_KEY].contains(&path)
}

/// The table property that holds [`FORMAT_VERSION`].
pub const FORMAT_PROPERTY: &str = "daybook.format";
/// The tag of a data file that holds the SHA-256 of its bytes.
pub const TAG_FILE_HASH: &str = "daybook.sha256";
/// The tag of a data file that holds its row-set hash.
pub const TAG_ROWS_HASH: &str = "daybook.rows";
/// The tag of a data file that holds the root of the tree of its rows.
pub const TAG_TREE: &str = "daybook.tree";
/// The tag of a data file that holds its row count.
pub const TAG_ROW_COUNT: &str = "daybook.count";
/// The tag of a data file that holds the level of zstd that all of it is compressed with, where that is one.
pub const TAG_LEVEL: &str = "daybook.zstd";
/// The tag of a data file that holds the id of the key that it is encrypted with, where it is.
pub const TAG_KEY: &str = "daybook.key";
/// The metadata key of a column that holds the path of its field, a JSON array.
pub const COLUMN_PATH: &str = "daybook.path";

/// The folder of a day's data files: `day=2026-02-03`.
pub fn day_folder(day: chrono::NaiveDate) -> String {
    format!("day={}", day.format("%Y-%m-%d"))
}

/// A new data file of a day.
pub fn data_file(day: chrono::NaiveDate, id: &str) -> String {
    format!("{}/part-{id}.parquet", day_folder(day))
}

/// The commit of a version.
pub fn commit(version: u64) -> String {
    format!("{DELTA_LOG}/{version:020}.json")
}

/// The checkpoint of a version.
pub fn checkpoint(version: u64) -> String {
    format!("{DELTA_LOG}/{version:020}.checkpoint.parquet")
}

/// The chain record of a version, kept when its commit is cleaned up.
pub fn chain_record(version: u64) -> String {
    format!("{CHAIN}/{version:020}.json")
}

/// A version of the shapes catalogue.
pub fn shapes(version: u64) -> String {
    format!("{SHAPES}/{version:010}.json")
}

/// The record of an erasure.
pub fn erasure(number: u64) -> String {
    format!("{ERASURES}/{number:010}.json")
}

/// The copies of columns of a segment of the index.
pub fn index_columns(id: &str) -> String {
    format!("{INDEX}/{id}.parquet")
}

/// The filters of a segment of the index.
pub fn index_filters(id: &str) -> String {
    format!("{INDEX}/{id}.filters")
}

/// What is in a copy of columns that questions asked for.
pub fn index_copy(id: &str) -> String {
    format!("{INDEX}/{id}.copy")
}

/// The copy of columns that a file tells of.
pub fn index_copy_id(path: &str) -> Option<&str> {
    index_id(path).filter(|_| path.ends_with(".copy"))
}

/// The segment whose filters are in a file.
pub fn index_filters_id(path: &str) -> Option<&str> {
    index_id(path).filter(|_| path.ends_with(".filters"))
}

/// The segment or copy that a file is of.
pub fn index_id(path: &str) -> Option<&str> {
    let name = path.strip_prefix(INDEX)?.strip_prefix('/')?;
    [".filters", ".copy", ".parquet"].iter().find_map(|ending| name.strip_suffix(ending))
}

/// A part of the dictionary of templates.
pub fn templates(version: u64) -> String {
    format!("{TEMPLATES}/{version:010}.json.zst")
}

/// A reservation of numbers in a bucket.
pub fn reservation(number: u64) -> String {
    format!("{SEQS}/{number:020}")
}

/// The folder of a writer's log.
pub fn writer_folder(writer: &str) -> String {
    format!("{WAL}/{writer}")
}

/// A segment of a writer's log.
pub fn segment(writer: &str, number: u64) -> String {
    format!("{WAL}/{writer}/{number:010}.wal")
}

/// The beginning of the exactly-once markers of followed files.
pub const FOLLOW: &str = "follow:";

/// The lock that whoever follows a file holds, by the hash of the file's name.
pub fn follow_lock(name_hash: &str) -> String {
    format!("{WAL}/follow-{name_hash}.lock")
}

/// The exactly-once marker of a writer's segments: the version is the last segment sealed.
pub fn wal_app_id(writer: &str) -> String {
    format!("wal:{writer}")
}

//! A store in a folder of its own, with the files that go into it.

use arrow::array::{Array, AsArray};
use daybook::storage::LocalStorage;
use daybook::{
    AskOptions, ExportRequest, IngestOptions, Input, NoProgress, QueryRequest, Receipt, Result, Store,
};
use serde_json::{Map, Value};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tempfile::TempDir;

/// When files were last written, unless a test says otherwise: 2026-02-04T00:00:00Z.
pub const WRITTEN_S: u64 = 1_770_163_200;

/// What the clock says.
const NOW_US: i64 = (WRITTEN_S as i64 + 5) * 1_000_000;

/// A store, and a folder for files beside it.
pub struct World {
    pub folder: TempDir,
    pub store: Store,
}

impl World {
    pub fn new() -> World {
        World::with_settings("")
    }

    /// A store whose `daybook.toml` says this.
    pub fn with_settings(settings: &str) -> World {
        let memory = Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
        let place = folder.path().join("store");
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("daybook.toml"), settings).unwrap();
        let store = Store::create_storage(LocalStorage::new(&place), Arc::new(|| NOW_US)).unwrap();
        World { folder, store }
    }

    pub fn place(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// A file with these bytes.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        self.file_of(name, bytes, WRITTEN_S)
    }

    /// A file that was last written then, in seconds since 1970.
    pub fn file_of(&self, name: &str, bytes: impl AsRef<[u8]>, written_s: u64) -> PathBuf {
        let path = self.folder.path().join("files").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(written_s)).unwrap();
        path
    }

    /// Ingests bytes under a name, as a file of that name.
    pub fn ingest(&self, name: &str, bytes: impl AsRef<[u8]>) -> Receipt {
        self.ingest_as(name, bytes, &IngestOptions::default())
    }

    pub fn ingest_as(&self, name: &str, bytes: impl AsRef<[u8]>, options: &IngestOptions) -> Receipt {
        let path = self.file(name, bytes);
        self.try_ingest(&[path], options).unwrap()
    }

    /// Ingests what these names stand for.
    pub fn try_ingest(&self, paths: &[PathBuf], options: &IngestOptions) -> Result<Receipt> {
        let inputs: Vec<Input> = daybook::expand(paths)?.inputs;
        let receipt = self.store.ingest(inputs, options, &NoProgress)?;
        check_receipt(&receipt);
        Ok(receipt)
    }

    /// All events as columns, in the order in which they came in.
    pub fn events(&self) -> Vec<Value> {
        let mut events = self.export(false);
        events.sort_by_key(|event| event["seq"].as_i64());
        events
    }

    /// All records as their producers wrote them, in the order of time.
    pub fn originals(&self) -> Vec<Value> {
        self.export(true)
    }

    fn export(&self, original: bool) -> Vec<Value> {
        let mut out = Vec::new();
        let request = ExportRequest { original, ..ExportRequest::default() };
        self.store.export(&request, &AskOptions::default(), &mut out, &NoProgress).unwrap();
        let lines = std::str::from_utf8(&out).unwrap().lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A query's first column, as text.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let mut request = QueryRequest::new(format!("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql})"));
        request.limits.threads = 1;
        let mut texts = Vec::new();
        for batch in self.store.query(&request).unwrap() {
            let batch = batch.unwrap();
            let column = batch.column(0).as_string::<i32>();
            texts.extend((0..column.len()).map(|row| match column.is_valid(row) {
                true => column.value(row).to_string(),
                false => "NULL".to_string(),
            }));
        }
        texts
    }

    /// The only number that a query gives.
    pub fn number(&self, sql: &str) -> i64 {
        self.texts(sql)[0].parse().unwrap()
    }

    /// What is in the quarantine, in the order of the input: `column, column` of it.
    pub fn quarantined(&self, columns: &str) -> Vec<String> {
        self.texts(&format!(
            "SELECT concat_ws(' | ', {columns}) FROM quarantine ORDER BY input, byte_offset, seq"
        ))
    }

    /// SQL counts what a receipt counts, if it is the store's only one.
    #[track_caller]
    pub fn check_counts(&self, receipt: &Receipt) {
        let sql = "SELECT concat((SELECT count(*) FROM events), ' ', (SELECT count(*) FROM quarantine))";
        let found = self.texts(sql).remove(0);
        assert_eq!(found, format!("{} {}", receipt.stored, receipt.quarantined), "{receipt:#?}");
    }
}

/// A receipt accounts for every record.
#[track_caller]
pub fn check_receipt(receipt: &Receipt) {
    assert_eq!(receipt.records, receipt.stored + receipt.duplicate + receipt.quarantined, "{receipt:#?}");
    for input in &receipt.inputs {
        assert_eq!(input.records, input.stored + input.duplicate + input.quarantined, "{input:#?}");
    }
    let sum = |of: fn(&daybook::InputReceipt) -> u64| receipt.inputs.iter().map(of).sum::<u64>();
    assert_eq!(
        [sum(|input| input.records), sum(|input| input.lines), sum(|input| input.bytes)],
        [receipt.records, receipt.lines, receipt.bytes]
    );
}

/// Records, stored, duplicates and quarantined.
pub fn counts(receipt: &Receipt) -> [u64; 4] {
    [receipt.records, receipt.stored, receipt.duplicate, receipt.quarantined]
}

/// The file of this name among the tests' data.
pub fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ingest/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A value whose numbers are equal if their values are.
pub fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) if !number.is_i64() => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => Value::from(float as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(key, value)| (key.clone(), normal(value))).collect::<Map<_, _>>(),
        ),
        other => other.clone(),
    }
}

/// Records in an order that does not depend on how they came.
pub fn sorted(records: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = records.iter().map(|record| normal(record).to_string()).collect();
    texts.sort_unstable();
    texts
}

/// Options with a format.
pub fn from(format: &str) -> IngestOptions {
    IngestOptions { from: Some(daybook::Format::from_name(format).unwrap()), ..IngestOptions::default() }
}

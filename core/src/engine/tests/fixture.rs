//! Tables, files and answers of the tests. Row `n` has values that follow from `n`.

use crate::engine::{Limits, MixedField, Session, Table};
use crate::error::{Error, Result};
use crate::event::column::{Column, ColumnType};
use arrow::array::*;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub(super) const DAY_US: i64 = 86_400_000_000;
/// 2026-02-01.
pub(super) const START_US: i64 = 1_769_904_000_000_000;

pub(super) fn column(name: &str, column_type: ColumnType) -> Column {
    Column { name: name.to_string(), column_type, path: None }
}

pub(super) const TYPES: [ColumnType; 12] = [
    ColumnType::Bool,
    ColumnType::Int8,
    ColumnType::Int32,
    ColumnType::Int64,
    ColumnType::Double,
    ColumnType::Text,
    ColumnType::Timestamp,
    ColumnType::BoolList,
    ColumnType::Int64List,
    ColumnType::DoubleList,
    ColumnType::TextList,
    ColumnType::TimestampList,
];

/// `seq`, `ts`, `kind`, `rest`, and one column of each type: `a_bool`, `a_list_of_int64` and so on.
pub(super) fn columns() -> Vec<Column> {
    let mut columns = vec![
        column("seq", ColumnType::Int64),
        column("ts", ColumnType::Timestamp),
        column("kind", ColumnType::Text),
        column("rest", ColumnType::Text),
    ];
    columns.extend(
        TYPES.map(|column_type| column(&format!("a_{}", column_type.name().replace(' ', "_")), column_type)),
    );
    columns
}

pub(super) fn data_type(column_type: ColumnType) -> DataType {
    let list = |item| DataType::List(Arc::new(Field::new("element", data_type(item), true)));
    match column_type {
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Int8 => DataType::Int8,
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Double => DataType::Float64,
        ColumnType::Text => DataType::Utf8,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        other => list(other.element().unwrap()),
    }
}

fn scalars(column_type: ColumnType, values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    match column_type {
        ColumnType::Bool => Arc::new(values.map(|n| n.map(|n| n % 2 == 0)).collect::<BooleanArray>()),
        ColumnType::Int8 => Arc::new(values.map(|n| n.map(|n| (n % 100) as i8)).collect::<Int8Array>()),
        ColumnType::Int32 => Arc::new(values.map(|n| n.map(|n| n as i32)).collect::<Int32Array>()),
        ColumnType::Int64 => Arc::new(values.collect::<Int64Array>()),
        ColumnType::Double => Arc::new(values.map(|n| n.map(|n| n as f64 + 0.5)).collect::<Float64Array>()),
        ColumnType::Timestamp => {
            let instants = values.map(|n| n.map(|n| START_US + n * 1_000_000));
            Arc::new(instants.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        _ => Arc::new(values.map(|n| n.map(|n| format!("t{n}"))).collect::<StringArray>()),
    }
}

/// Row `n` of a list has `n % 4` values; each `n` divisible by 7 is NULL.
fn values_of(column_type: ColumnType, rows: Range<i64>) -> ArrayRef {
    let Some(item) = column_type.element() else {
        return scalars(column_type, rows.map(|n| (n % 7 != 0).then_some(n)));
    };
    let lengths = rows.clone().map(|n| (n % 4) as usize);
    let offsets = arrow::buffer::OffsetBuffer::<i32>::from_lengths(lengths);
    let inside = rows.clone().flat_map(|n| (0..n % 4).map(move |i| (i != 2).then_some(n + i)));
    let nulls = rows.map(|n| n % 7 != 0).collect::<Vec<_>>();
    let field = Arc::new(Field::new("element", data_type(item), true));
    let list = ListArray::new(field, offsets, scalars(item, inside), Some(nulls.into()));
    Arc::new(list)
}

/// Rows of the table's columns. `seq` is `n`, `ts` one second later each, `rest` is NULL.
pub(super) fn batch(columns: &[Column], rows: Range<i64>) -> RecordBatch {
    let arrays = columns.iter().map(|column| match column.name.as_str() {
        "seq" => Arc::new(rows.clone().collect::<Int64Array>()) as ArrayRef,
        "ts" => scalars(ColumnType::Timestamp, rows.clone().map(Some)),
        "kind" => Arc::new(rows.clone().map(|n| Some(format!("k{}", n % 10))).collect::<StringArray>()),
        "rest" => Arc::new(StringArray::new_null(rows.clone().count())),
        _ => values_of(column.column_type, rows.clone()),
    });
    RecordBatch::try_new(schema(columns), arrays.collect()).unwrap()
}

pub(super) fn schema(columns: &[Column]) -> Arc<Schema> {
    let fields = columns.iter().map(|column| Field::new(&column.name, data_type(column.column_type), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A batch of `seq` and texts, for what the rules of `batch` do not give.
pub(super) fn texts(columns: &[Column], rows: &[(i64, &[Option<&str>])]) -> RecordBatch {
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(rows.iter().map(|(seq, _)| *seq).collect::<Int64Array>())];
    for position in 0..columns.len() - 1 {
        arrays.push(Arc::new(rows.iter().map(|(_, texts)| texts[position]).collect::<StringArray>()));
    }
    RecordBatch::try_new(schema(columns), arrays).unwrap()
}

pub(super) fn write(path: &Path, batch: &RecordBatch) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1000)).build();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    path.to_path_buf()
}

/// A folder with files of days, for a session.
pub(super) struct Store {
    pub(super) folder: Arc<TempDir>,
    pub(super) table: Table,
    pub(super) limits: Limits,
}

impl Store {
    pub(super) fn new(columns: Vec<Column>) -> Store {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut limits = Limits::new(folder.path().join("tmp"));
        limits.threads = 2;
        let table = Table {
            name: "events",
            files: Vec::new(),
            copies: Vec::new(),
            columns,
            pending: Vec::new(),
            mixed: Vec::new(),
        };
        Store { folder, table, limits }
    }

    /// Adds a file of a day in February 2026.
    pub(super) fn add(&mut self, day: u32, batch: &RecordBatch) -> PathBuf {
        let number = self.table.files.len();
        let path = self.folder.path().join(format!("day=2026-02-{day:02}/part-{number}.parquet"));
        self.table.files.push(write(&path, batch).into());
        path
    }

    /// Days of 5,000 events, one every second from midnight.
    pub(super) fn with_days(days: u32) -> Store {
        let mut store = Store::new(columns());
        for day in 0..days {
            let first = i64::from(day) * DAY_US / 1_000_000;
            let rows = batch(&store.table.columns, first..first + 5000);
            store.add(day + 1, &rows);
        }
        store
    }

    pub(super) fn mixed(mut self, mixed: Vec<MixedField>) -> Store {
        self.table.mixed = mixed;
        self
    }

    pub(super) fn session(&self) -> Opened {
        let session = Session::open(vec![self.table.clone()], Vec::new(), &self.limits).unwrap();
        Opened { session, _folder: Arc::clone(&self.folder) }
    }
}

/// A session whose files stay as long as it does.
pub(super) struct Opened {
    session: Session,
    _folder: Arc<TempDir>,
}

impl std::ops::Deref for Opened {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

/// The answer as texts, rows joined with `\n`, values with `|`, NULL as `-`.
pub(super) fn answer(session: &Session, sql: &str) -> Result<String> {
    let mut lines = Vec::new();
    for batch in session.query(sql, &[])? {
        lines.extend(lines_of(&batch?));
    }
    Ok(lines.join("\n"))
}

pub(super) fn lines_of(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let columns: Vec<_> =
        batch.columns().iter().map(|array| ArrayFormatter::try_new(array, &options).unwrap()).collect();
    let line = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(line).collect()
}

#[track_caller]
pub(super) fn check(session: &Session, sql: &str, expected: &str) {
    match answer(session, sql) {
        Ok(answer) => assert_eq!(answer, expected, "{sql}"),
        Err(error) => panic!("{sql}: {error:?}"),
    }
}

#[track_caller]
pub(super) fn fails(session: &Session, sql: &str) -> Error {
    match answer(session, sql) {
        Ok(answer) => panic!("{sql} gave {answer}"),
        Err(error) => error,
    }
}

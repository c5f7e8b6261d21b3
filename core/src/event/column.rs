//! Columns of the table: the fixed ones and one for each field.

use crate::error::{Error, ErrorKind, Result};
use hashbrown::HashMap;
use std::fmt;

/// The type of a column; one column has one type in every file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A whole number of 8 bits, signed.
    Int8,
    /// A whole number of 32 bits, signed.
    Int32,
    /// A whole number of 64 bits, signed.
    Int64,
    /// A double.
    Double,
    /// Text, UTF-8.
    Text,
    /// An instant, microseconds since 1970, UTC.
    Timestamp,
    /// A list of truth values.
    BoolList,
    /// A list of 64-bit integers.
    Int64List,
    /// A list of doubles.
    DoubleList,
    /// A list of texts.
    TextList,
    /// A list of instants.
    TimestampList,
}

impl ColumnType {
    /// The type of the elements, for a list.
    pub fn element(self) -> Option<ColumnType> {
        match self {
            ColumnType::BoolList => Some(ColumnType::Bool),
            ColumnType::Int64List => Some(ColumnType::Int64),
            ColumnType::DoubleList => Some(ColumnType::Double),
            ColumnType::TextList => Some(ColumnType::Text),
            ColumnType::TimestampList => Some(ColumnType::Timestamp),
            _ => None,
        }
    }

    /// The list of elements of this type.
    pub fn list_of(self) -> Option<ColumnType> {
        match self {
            ColumnType::Bool => Some(ColumnType::BoolList),
            ColumnType::Int64 => Some(ColumnType::Int64List),
            ColumnType::Double => Some(ColumnType::DoubleList),
            ColumnType::Text => Some(ColumnType::TextList),
            ColumnType::Timestamp => Some(ColumnType::TimestampList),
            _ => None,
        }
    }

    /// The name that `schema` shows: `int64`, `string`, `list of string`.
    pub fn name(self) -> &'static str {
        match self {
            ColumnType::Bool => "bool",
            ColumnType::Int8 => "int8",
            ColumnType::Int32 => "int32",
            ColumnType::Int64 => "int64",
            ColumnType::Double => "double",
            ColumnType::Text => "string",
            ColumnType::Timestamp => "timestamp",
            ColumnType::BoolList => "list of bool",
            ColumnType::Int64List => "list of int64",
            ColumnType::DoubleList => "list of double",
            ColumnType::TextList => "list of string",
            ColumnType::TimestampList => "list of timestamp",
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The exact path of a field in the producer's record, outermost key first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Box<[Box<str>]>);

impl FieldPath {
    /// A path of these keys.
    pub fn new<S: AsRef<str>>(keys: impl IntoIterator<Item = S>) -> Self {
        FieldPath(keys.into_iter().map(|key| key.as_ref().into()).collect())
    }

    /// The keys, outermost first.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.0.iter().map(|key| &**key)
    }

    /// The path as it is hashed: the length of each key, 32 bits little-endian, and its bytes.
    pub fn encoded(&self) -> Vec<u8> {
        let key = |key: &str| {
            let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
            length.to_le_bytes().into_iter().chain(key.bytes()).collect::<Vec<u8>>()
        };
        self.keys().flat_map(key).collect()
    }

    /// The path as a JSON array, as column metadata holds it.
    pub fn to_json(&self) -> String {
        serde_json::Value::from(self.keys().collect::<Vec<_>>()).to_string()
    }

    /// The path of a JSON array.
    pub fn from_json(text: &str) -> Result<Self> {
        let keys: Vec<String> = serde_json::from_str(text).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("column metadata holds no path: `{text}`"))
                .with_source(error)
        })?;
        Ok(FieldPath::new(keys))
    }
}

impl fmt::Display for FieldPath {
    /// Keys joined with dots; a key that has a dot or is empty is quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, key) in self.keys().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            if key.is_empty() || key.contains(['.', '"', ' ']) {
                write!(f, "{key:?}")?;
            } else {
                f.write_str(key)?;
            }
        }
        Ok(())
    }
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in SQL and in Parquet.
    pub name: String,
    /// The type in every file.
    pub column_type: ColumnType,
    /// The field that it holds; none for a fixed column.
    pub path: Option<FieldPath>,
}

/// The columns of a table, fixed ones first, in the order of the Delta schema; `day` is not among them.
#[derive(Clone, Debug, Default)]
pub struct TableSchema {
    columns: Vec<Column>,
    by_path: HashMap<FieldPath, usize>,
    by_lowercase: HashMap<String, usize>,
}

impl TableSchema {
    /// The schema of these columns, in their order.
    pub fn of(columns: impl IntoIterator<Item = Column>) -> Result<TableSchema> {
        let mut schema = TableSchema::default();
        for column in columns {
            schema.push(column)?;
        }
        Ok(schema)
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The position of the column that holds a field.
    pub fn position_of(&self, path: &FieldPath) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// The column of a name, whatever its case.
    pub fn by_name(&self, name: &str) -> Option<&Column> {
        self.columns.get(*self.by_lowercase.get(&name.to_lowercase())?)
    }

    /// Adds a column at the end, unless its name or path is taken.
    pub fn push(&mut self, column: Column) -> Result<usize> {
        let lowercase = column.name.to_lowercase();
        if self.by_lowercase.contains_key(&lowercase) {
            let message = format!("two columns are named `{}`", column.name);
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        let position = self.columns.len();
        if let Some(path) = &column.path
            && self.by_path.insert(path.clone(), position).is_some()
        {
            let message = format!("two columns hold the field `{path}`");
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        self.by_lowercase.insert(lowercase, position);
        self.columns.push(column);
        Ok(position)
    }

    /// Whether a name is taken, by a column of any case or by a name that is reserved.
    pub fn is_taken(&self, name: &str) -> bool {
        let lowercase = name.to_lowercase();
        super::fixed::RESERVED.contains(&lowercase.as_str()) || self.by_lowercase.contains_key(&lowercase)
    }
}

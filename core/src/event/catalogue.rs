//! The catalogue: which column holds which field, how producers wrote their records, and which fields have
//! values that their column cannot hold.
//!
//! It only grows. Whoever meets something new first adds it, as one numbered file that nobody else has
//! written; whoever comes second reads that file and decides again. So one field has one column of one type
//! for all writers, before any file uses it.

use super::chunk::Chunk;
use super::column::{Column, ColumnType, FieldPath, TableSchema};
use super::fixed::{self, Fixed};
use super::shape::{Shape, ShapeJson, keys_of};
use super::values::{FieldValues, ListClass};
use super::{naming, number};
use crate::error::{Error, ErrorKind, Result};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Beyond so many shapes, nulls and empty values are kept in `rest` and not in shapes.
const SHAPES_MAX: usize = 10_000;
/// Beyond so many, fields that only `rest` holds are not listed any more.
const REST_FIELDS_MAX: usize = 10_000;
/// The columns that fields may take, unless the settings say otherwise.
pub const COLUMNS_MAX: usize = 1_000;

/// What a field has in `rest`, beside its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spill {
    /// Numbers that a double holds.
    #[serde(default, skip_serializing_if = "is_false")]
    pub doubles: bool,
    /// Anything else.
    #[serde(default, skip_serializing_if = "is_false")]
    pub other: bool,
    /// Not in `rest`: integers in the column that no double holds.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wide_integers: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Spill {
    fn add(&mut self, more: Spill) {
        self.doubles |= more.doubles;
        self.other |= more.other;
        self.wide_integers |= more.wide_integers;
    }

    fn covers(self, other: Spill) -> bool {
        let mut both = self;
        both.add(other);
        both == self
    }
}

/// How `events` reads a field that is in its column and in `rest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// As double: a double holds every value exactly.
    Double,
    /// As text.
    Text,
}

/// The catalogue of a store.
#[derive(Clone, Debug)]
pub struct Catalogue {
    schema: TableSchema,
    spills: HashMap<FieldPath, Spill>,
    shapes: Vec<Shape>,
    shape_ids: HashMap<Shape, i32>,
    next_file: u64,
    columns_max: usize,
}

/// What one file of the catalogue adds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Addition {
    /// New columns, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<ColumnJson>,
    /// New shapes; their ids follow on the last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shapes: Vec<ShapeJson>,
    /// Fields that have values in `rest`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    spills: Vec<SpillJson>,
    /// Whether the file holds all that the files before it hold.
    #[serde(default, skip_serializing_if = "is_false")]
    complete: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ColumnJson {
    name: String,
    path: Vec<String>,
    #[serde(rename = "type")]
    column_type: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SpillJson {
    path: Vec<String>,
    #[serde(flatten)]
    spill: Spill,
}

impl Addition {
    /// Whether there is nothing new.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.shapes.is_empty() && self.spills.is_empty()
    }

    /// The addition in a file's bytes.
    pub fn from_json(bytes: &[u8], place: &str) -> Result<Addition> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("`{place}` is no part of a catalogue")).with_source(error)
        })
    }

    /// The bytes of a file.
    pub fn to_json(&self) -> Vec<u8> {
        // Plain structures of text and numbers always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether the file stands for all files before it.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

impl Catalogue {
    /// The catalogue of a new store.
    pub fn new(columns_max: usize) -> Self {
        Catalogue {
            schema: fixed::new_table(),
            spills: HashMap::new(),
            shapes: Vec::new(),
            shape_ids: HashMap::new(),
            next_file: 0,
            columns_max,
        }
    }

    /// All columns, fixed ones first.
    pub fn schema(&self) -> &TableSchema {
        &self.schema
    }

    /// The shape of an id.
    pub fn shape(&self, id: i32) -> Option<&Shape> {
        self.shapes.get(usize::try_from(id).ok()?)
    }

    /// The id of a shape.
    pub fn shape_id(&self, shape: &Shape) -> Option<i32> {
        self.shape_ids.get(shape).copied()
    }

    /// Whether no more shapes are taken, so that nulls and empty values go to `rest`.
    pub fn shapes_are_full(&self) -> bool {
        self.shapes.len() >= SHAPES_MAX
    }

    /// The number of the file that the next addition becomes.
    pub fn next_file(&self) -> u64 {
        self.next_file
    }

    /// The most columns that fields may take.
    pub fn columns_max(&self) -> usize {
        self.columns_max
    }

    /// Fields that have values in `rest` and no column.
    pub fn fields_in_rest(&self) -> impl Iterator<Item = &FieldPath> {
        self.spills.keys().filter(|path| self.schema.position_of(path).is_none())
    }

    /// How a column's field is read where `rest` has values of it too.
    pub fn reads(&self, column: &Column) -> Option<Reads> {
        let spill = self.spills.get(column.path.as_ref()?)?;
        let numeric = matches!(column.column_type, ColumnType::Int64 | ColumnType::Double);
        match (spill.doubles || spill.other, spill.other || spill.wide_integers || !numeric) {
            (false, _) => None,
            (true, false) => Some(Reads::Double),
            (true, true) => Some(Reads::Text),
        }
    }

    /// Takes in a file of the catalogue.
    pub fn apply(&mut self, addition: &Addition, number: u64) -> Result<()> {
        let unknown = |what: &str| {
            Error::new(ErrorKind::Unsupported, format!("the catalogue's file {number} has an unknown {what}"))
                .with_hint("a newer Daybook wrote it; use that one")
        };
        if addition.complete {
            *self = Catalogue::new(self.columns_max);
        }
        for column in &addition.columns {
            let column_type = type_of_name(&column.column_type).ok_or_else(|| unknown("column type"))?;
            let path = FieldPath::new(&column.path);
            self.schema.push(Column { name: column.name.clone(), column_type, path: Some(path) })?;
        }
        for shape in &addition.shapes {
            let shape = shape.read().ok_or_else(|| unknown("shape"))?;
            self.shape_ids.insert(shape.clone(), self.shapes.len() as i32);
            self.shapes.push(shape);
        }
        for entry in &addition.spills {
            self.spills.entry(FieldPath::new(&entry.path)).or_default().add(entry.spill);
        }
        self.next_file = number + 1;
        Ok(())
    }

    /// Everything in the catalogue, as one addition that stands for all before it.
    pub fn complete(&self) -> Addition {
        let columns = self.schema.columns().iter().filter_map(column_json).collect();
        let spill = |(path, spill): (&FieldPath, &Spill)| SpillJson { path: keys_of(path), spill: *spill };
        let mut spills: Vec<SpillJson> = self.spills.iter().map(spill).collect();
        spills.sort_by(|a, b| a.path.cmp(&b.path));
        Addition {
            columns,
            shapes: self.shapes.iter().map(ShapeJson::from).collect(),
            spills,
            complete: true,
        }
    }

    /// What the catalogue lacks to store these chunks.
    pub fn missing<'a>(&self, chunks: impl Iterator<Item = &'a Chunk> + Clone) -> Result<Addition> {
        let mut grown = self.clone();
        let mut addition = Addition::default();
        let (order, counts) = count_types(chunks.clone());
        for path in order {
            let (Some(counts), true) = (counts.get(path), grown.room_for(path)) else { continue };
            let Some(column_type) = counts.column_type() else { continue };
            let name = naming::column_name(path, column_type, &grown.schema);
            let column = Column { name, column_type, path: Some(path.clone()) };
            addition.columns.extend(column_json(&column));
            grown.schema.push(column)?;
        }
        let mut spills: HashMap<&FieldPath, Spill> = HashMap::new();
        for field in chunks.clone().flat_map(|chunk| &chunk.fields) {
            let column_type =
                grown.schema.position_of(&field.path).and_then(|at| grown.schema.columns().get(at));
            let spill = spill_of(&field.values, column_type.map(|column| column.column_type));
            if spill != Spill::default() {
                spills.entry(&field.path).or_default().add(spill);
            }
        }
        for (path, spill) in spills {
            let known = grown.spills.get(path).copied();
            let listed = known.is_some() || grown.spills.len() + addition.spills.len() < REST_FIELDS_MAX;
            let has_column = grown.schema.position_of(path).is_some();
            if !known.unwrap_or_default().covers(spill) && (listed || has_column) {
                addition.spills.push(SpillJson { path: keys_of(path), spill });
            }
        }
        addition.spills.sort_by(|a, b| a.path.cmp(&b.path));
        for shape in chunks.flat_map(|chunk| &chunk.shapes) {
            let shape = grown.storable(shape);
            if !grown.shape_ids.contains_key(&shape) {
                addition.shapes.push(ShapeJson::from(&shape));
                grown.shape_ids.insert(shape.clone(), grown.shapes.len() as i32);
                grown.shapes.push(shape);
            }
        }
        Ok(addition)
    }

    /// The shape under which a record of this shape is stored.
    pub fn storable(&self, shape: &Shape) -> Shape {
        if self.shapes_are_full() && !self.shape_ids.contains_key(shape) {
            return Shape { origins: shape.origins.clone(), ..Shape::default() };
        }
        shape.clone()
    }

    fn room_for(&self, path: &FieldPath) -> bool {
        let fields = self.schema.columns().len().saturating_sub(Fixed::ALL.len());
        self.schema.position_of(path).is_none() && fields < self.columns_max
    }
}

fn column_json(column: &Column) -> Option<ColumnJson> {
    let path = keys_of(column.path.as_ref()?);
    Some(ColumnJson { name: column.name.clone(), path, column_type: column.column_type.name().to_string() })
}

fn type_of_name(name: &str) -> Option<ColumnType> {
    let scalars =
        [ColumnType::Bool, ColumnType::Int64, ColumnType::Double, ColumnType::Text, ColumnType::Timestamp];
    let lists = scalars.into_iter().filter_map(ColumnType::list_of);
    scalars.into_iter().chain(lists).find(|column_type| column_type.name() == name)
}

/// How many values of each type a field has.
#[derive(Clone, Copy, Debug, Default)]
struct TypeCounts {
    bools: usize,
    ints: usize,
    doubles: usize,
    texts: usize,
    lists: [usize; 4],
}

/// The fields of all chunks in the order in which they were met, and the types of their values.
fn count_types<'a>(
    chunks: impl Iterator<Item = &'a Chunk>,
) -> (Vec<&'a FieldPath>, HashMap<&'a FieldPath, TypeCounts>) {
    let mut order = Vec::new();
    let mut counts: HashMap<&FieldPath, TypeCounts> = HashMap::new();
    for field in chunks.flat_map(|chunk| &chunk.fields) {
        let entry = counts.entry(&field.path).or_insert_with(|| {
            order.push(&*field.path);
            TypeCounts::default()
        });
        entry.add(&field.values);
    }
    (order, counts)
}

impl TypeCounts {
    fn add(&mut self, values: &FieldValues) {
        self.bools += values.bools.rows.len();
        self.ints += values.ints.rows.len();
        let whole =
            values.doubles.values.iter().filter(|value| number::as_integer(**value).is_some()).count();
        self.ints += whole;
        self.doubles += values.doubles.rows.len() - whole;
        self.texts += values.texts.len();
        let Some(rare) = &values.rare else { return };
        self.ints += rare.exact.len();
        for class in &rare.classes {
            let place = match class {
                ListClass::Bools => 0,
                ListClass::Ints | ListClass::WideInts => 1,
                ListClass::Doubles => 2,
                ListClass::Texts => 3,
                ListClass::Empty | ListClass::Nulls => continue,
            };
            if let Some(count) = self.lists.get_mut(place) {
                *count += 1;
            }
        }
    }

    /// The type that holds most of the values; none where no column can hold any.
    fn column_type(self) -> Option<ColumnType> {
        let [bool_lists, int_lists, double_lists, text_lists] = self.lists;
        let numbers = if self.doubles > 0 { ColumnType::Double } else { ColumnType::Int64 };
        let number_lists = if double_lists > 0 { ColumnType::DoubleList } else { ColumnType::Int64List };
        let choices = [
            (self.texts, ColumnType::Text),
            (self.ints + self.doubles, numbers),
            (self.bools, ColumnType::Bool),
            (text_lists, ColumnType::TextList),
            (int_lists + double_lists, number_lists),
            (bool_lists, ColumnType::BoolList),
        ];
        // Of equal counts the first wins.
        let best = choices.into_iter().rev().max_by_key(|(count, _)| *count)?;
        (best.0 > 0).then_some(best.1)
    }
}

/// What of a field's values its column cannot hold.
fn spill_of(values: &FieldValues, column: Option<ColumnType>) -> Spill {
    let mut spill = Spill::default();
    let any_int_wide = || values.ints.values.iter().any(|value| number::as_double(*value).is_none());
    match column {
        Some(ColumnType::Int64) => {
            spill.doubles = values.doubles.values.iter().any(|value| number::as_integer(*value).is_none());
            spill.wide_integers = any_int_wide();
        }
        Some(ColumnType::Double) => spill.other = any_int_wide(),
        _ => spill.doubles = !values.ints.rows.is_empty() || !values.doubles.rows.is_empty(),
    }
    spill.other |= !values.texts.is_empty() && column != Some(ColumnType::Text);
    spill.other |= !values.bools.rows.is_empty() && column != Some(ColumnType::Bool);
    if let Some(rare) = &values.rare {
        spill.other |= !rare.exact.is_empty() || !rare.other.is_empty();
        spill.other |=
            rare.classes.iter().any(|class| !list_fits(*class, column) && *class != ListClass::Empty);
    }
    spill
}

/// Whether a list column holds arrays of a class.
pub fn list_fits(class: ListClass, column: Option<ColumnType>) -> bool {
    match class {
        ListClass::Bools => column == Some(ColumnType::BoolList),
        ListClass::Ints => matches!(column, Some(ColumnType::Int64List | ColumnType::DoubleList)),
        ListClass::WideInts => column == Some(ColumnType::Int64List),
        ListClass::Doubles => column == Some(ColumnType::DoubleList),
        ListClass::Texts => column == Some(ColumnType::TextList),
        ListClass::Empty | ListClass::Nulls => column.is_some_and(|column| column.element().is_some()),
    }
}

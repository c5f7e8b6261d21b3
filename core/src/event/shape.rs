//! Shapes: what columns alone do not say about how a producer wrote a record.
//!
//! A field that has a column of its own needs no entry: the column's path and type say all. A shape names
//! the producer's own name and JSON type of each fixed column's value, and the fields that were null, `{}`
//! or `[]`.

use super::column::FieldPath;
use super::fixed::Fixed;
use super::time::{TimeForm, Unit};
use serde::{Deserialize, Serialize};

/// The JSON type of a value that became a fixed column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// A string.
    Text,
    /// A number, whose spelling the column holds.
    Number,
    /// `true` or `false`.
    Bool,
    /// Any JSON, whose text the column holds.
    Json,
    /// A timestamp.
    Time(TimeForm),
}

impl Form {
    /// A small number for the form, for keys in memory.
    pub fn code(self) -> u32 {
        FORMS.iter().position(|known| *known == self).unwrap_or(0) as u32
    }

    /// The form of a code.
    pub fn of_code(code: u32) -> Option<Form> {
        FORMS.get(code as usize).copied()
    }

    /// The name of the form in the catalogue.
    pub fn name(self) -> String {
        match self {
            Form::Text => "text".to_string(),
            Form::Number => "number".to_string(),
            Form::Bool => "bool".to_string(),
            Form::Json => "json".to_string(),
            Form::Time(form) => format!("time {}", form.name()),
        }
    }

    /// The form of a name.
    pub fn from_name(name: &str) -> Option<Form> {
        Some(match name {
            "text" => Form::Text,
            "number" => Form::Number,
            "bool" => Form::Bool,
            "json" => Form::Json,
            _ => Form::Time(TimeForm::from_name(name.strip_prefix("time ")?)?),
        })
    }
}

const FORMS: [Form; 13] = {
    use super::time::Unit::{Microseconds, Milliseconds, Nanoseconds, Seconds};
    const fn number(unit: Unit, quoted: bool) -> Form {
        Form::Time(TimeForm::Number { unit, quoted })
    }
    [
        Form::Text,
        Form::Number,
        Form::Bool,
        Form::Json,
        Form::Time(TimeForm::Text),
        number(Seconds, false),
        number(Milliseconds, false),
        number(Microseconds, false),
        number(Nanoseconds, false),
        number(Seconds, true),
        number(Milliseconds, true),
        number(Microseconds, true),
        number(Nanoseconds, true),
    ]
};

/// Where the value of a fixed column stood in the producer's record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The column.
    pub column: Fixed,
    /// The producer's own name.
    pub path: FieldPath,
    /// The JSON type.
    pub form: Form,
}

/// How a producer wrote a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Where the values of fixed columns came from, sorted.
    pub origins: Vec<Origin>,
    /// Fields that were null, sorted.
    pub nulls: Vec<FieldPath>,
    /// Fields that were `{}`, sorted; the empty path is the record itself.
    pub empty_objects: Vec<FieldPath>,
    /// Fields that were `[]`, sorted.
    pub empty_arrays: Vec<FieldPath>,
}

impl Shape {
    /// The same shape in its one order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.origins.sort();
        self.nulls.sort();
        self.empty_objects.sort();
        self.empty_arrays.sort();
        self
    }
}

/// A shape as the catalogue holds it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ShapeJson {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    origins: Vec<OriginJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nulls: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    empty_objects: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    empty_arrays: Vec<Vec<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct OriginJson {
    column: String,
    path: Vec<String>,
    form: String,
}

/// The keys of a path, as JSON holds them.
pub fn keys_of(path: &FieldPath) -> Vec<String> {
    path.keys().map(str::to_string).collect()
}

impl From<&Shape> for ShapeJson {
    fn from(shape: &Shape) -> Self {
        let origin = |origin: &Origin| OriginJson {
            column: origin.column.name().to_string(),
            path: keys_of(&origin.path),
            form: origin.form.name(),
        };
        ShapeJson {
            origins: shape.origins.iter().map(origin).collect(),
            nulls: shape.nulls.iter().map(keys_of).collect(),
            empty_objects: shape.empty_objects.iter().map(keys_of).collect(),
            empty_arrays: shape.empty_arrays.iter().map(keys_of).collect(),
        }
    }
}

impl ShapeJson {
    /// The shape, unless it names a column or form that this version does not know.
    pub fn read(&self) -> Option<Shape> {
        let origin = |json: &OriginJson| {
            Some(Origin {
                column: Fixed::ALL.into_iter().find(|fixed| fixed.name() == json.column)?,
                path: FieldPath::new(&json.path),
                form: Form::from_name(&json.form)?,
            })
        };
        let paths = |lists: &[Vec<String>]| lists.iter().map(FieldPath::new).collect();
        Some(Shape {
            origins: self.origins.iter().map(origin).collect::<Option<_>>()?,
            nulls: paths(&self.nulls),
            empty_objects: paths(&self.empty_objects),
            empty_arrays: paths(&self.empty_arrays),
        })
    }
}

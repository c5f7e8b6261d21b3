//! Which column a field of a filter is.

use super::build;
use super::error::{FilterError, quoted};
use super::field::Field;
use super::lexer::in_quotes;
use super::suggest::{close, did_you_mean};
use super::time::Context;
use crate::event::column::{Column, ColumnType, FieldPath, TableSchema};
use crate::event::fixed::{Fixed, HOISTED, WELL_KNOWN};
use crate::query::sql::identifier;
use crate::query::templates::TemplateSource;
use crate::query::view::{Mixed, MixedField};

/// The columns that a filter is about, and how it is read where that depends on them.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// The columns of the table.
    pub schema: &'a TableSchema,
    /// The fields that the view reads from their column and from `rest`.
    pub mixed: &'a [MixedField],
    /// The clock and the zone for times that fields are compared with.
    pub context: Context<'a>,
    /// Whether a comparison with a field that no event has matches nothing; otherwise it is an error.
    pub lenient: bool,
    /// The templates of messages, if they are known: an old id of a template stands for all of its events.
    pub templates: Option<&'a dyn TemplateSource>,
}

impl<'a> Columns<'a> {
    /// These columns, without a clock; unknown fields are errors.
    pub fn of(schema: &'a TableSchema) -> Columns<'a> {
        Columns { schema, mixed: &[], context: Context::without_clock(), lenient: false, templates: None }
    }
}

/// A column as the view shows it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The stored column; none for one that the view computes.
    pub(super) name: Option<String>,
    /// The column in SQL.
    pub(super) expression: String,
    /// The type in the view.
    pub(super) column_type: ColumnType,
    /// The type in files, which differs for a field of mixed type.
    pub(super) stored: ColumnType,
    /// The fixed column that it is.
    pub(super) fixed: Option<Fixed>,
}

impl Columns<'_> {
    /// The column of a name as filters write it, in SQL; none where a field that is not there is no error.
    pub fn expression(&self, name: &str) -> Result<Option<String>, FilterError> {
        let field = build::aliased(Field::parse(name)?);
        Ok(self.resolve(&field)?.map(|target| target.expression))
    }

    /// The column of a field; none where that is no error.
    pub(super) fn resolve(&self, field: &Field) -> Result<Option<Target>, FilterError> {
        match self.find(field) {
            Some(target) => Ok(Some(target)),
            None if self.lenient => Ok(None),
            None => Err(self.unknown(field)),
        }
    }

    fn find(&self, field: &Field) -> Option<Target> {
        let path = field.path();
        let by_path = || self.at_path(&path);
        let known = || self.well_known(field);
        let single = field.keys().next().filter(|_| field.keys().len() == 1);
        let by_name = || self.schema.by_name(single?).map(|column| self.target(column));
        match field.word() {
            Some(word) => by_name()
                .or_else(|| word.eq_ignore_ascii_case("recorded_at").then(recorded_at))
                .or_else(by_path)
                .or_else(|| self.hoisted(&path))
                .or_else(known),
            None if field.is_exact() => by_path().or_else(by_name).or_else(known),
            None => by_path().or_else(|| self.hoisted(&path)).or_else(known),
        }
    }

    /// The column of a path.
    pub(super) fn at_path(&self, path: &FieldPath) -> Option<Target> {
        let column = self.schema.columns().get(self.schema.position_of(path)?)?;
        Some(self.target(column))
    }

    /// The column of a field inside a container that names leave out.
    fn hoisted(&self, path: &FieldPath) -> Option<Target> {
        let inside =
            |container: &str| self.at_path(&FieldPath::new(std::iter::once(container).chain(path.keys())));
        HOISTED.iter().find_map(|container| inside(container))
    }

    /// The fixed column that producers write under this name.
    fn well_known(&self, field: &Field) -> Option<Target> {
        let name = field.keys().collect::<Vec<_>>().join(".");
        let any_case = field.keys().len() == 1;
        let is_it = |known: &str| known == name || (any_case && known.eq_ignore_ascii_case(&name));
        let (fixed, _) = WELL_KNOWN.iter().find(|(_, names)| names.iter().any(|known| is_it(known)))?;
        self.fixed(*fixed)
    }

    /// A fixed column, if the table has it.
    pub(super) fn fixed(&self, fixed: Fixed) -> Option<Target> {
        self.schema.by_name(fixed.name()).map(|column| self.target(column))
    }

    fn target(&self, column: &Column) -> Target {
        let mixed = self.mixed.iter().find(|field| field.column == column.name);
        let fixed = Fixed::ALL.into_iter().find(|fixed| fixed.name() == column.name && column.path.is_none());
        Target {
            name: Some(column.name.clone()),
            expression: identifier(&column.name),
            column_type: match mixed.map(|field| field.reads) {
                Some(Mixed::Double) => ColumnType::Double,
                Some(Mixed::Text) => ColumnType::Text,
                None => column.column_type,
            },
            stored: column.column_type,
            fixed,
        }
    }

    /// The error of a field that no column holds.
    fn unknown(&self, field: &Field) -> FilterError {
        let name = field.to_string();
        let error = FilterError::new(field.place.0, format!("there is no field {}", quoted(&name)));
        let joined = field.keys().collect::<Vec<_>>().join(".");
        if field.keys().len() > 1 && self.at_path(&FieldPath::new([&joined])).is_some() {
            return error.suggest(format!("the key with a dot is {}", in_quotes(&joined)));
        }
        if field.is_exact() && self.at_path(&FieldPath::new(joined.split('.'))).is_some() {
            return error.suggest(format!("`\"a.b\"` is a key with a dot; write `{joined}` for nesting"));
        }
        let columns = self.schema.columns();
        let paths: Vec<String> = columns
            .iter()
            .filter_map(|column| column.path.as_ref())
            .filter(|path| path.keys().len() > 1)
            .map(FieldPath::to_string)
            .collect();
        let aliases = build::ALIASES.iter().map(|(alias, _)| *alias);
        let known = columns.iter().map(|column| column.name.as_str());
        let known = known.chain(paths.iter().map(String::as_str)).chain(aliases).chain(build::SPECIAL);
        let names = close(&joined, known);
        error.suggest(
            did_you_mean(&names).unwrap_or_else(|| "put text with `:`, `=`, `<` or `>` in quotes".into()),
        )
    }
}

fn recorded_at() -> Target {
    Target {
        name: None,
        expression: "recorded_at".to_string(),
        column_type: ColumnType::Timestamp,
        stored: ColumnType::Timestamp,
        fixed: None,
    }
}

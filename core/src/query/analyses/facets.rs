//! Facets: the most frequent values of columns.

use super::{Analysis, Answers, Scope, Statement, counts};
use crate::error::{Error, ErrorKind, Result};
use crate::query::filter::Filter;
use serde::{Deserialize, Serialize};

/// So many columns can be asked about at once.
const COLUMNS_MAX: usize = 32;
/// So many values of a column can be asked for.
const VALUES_MAX: u64 = 100_000;

/// The most frequent values of columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facets {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// The columns, by name or path.
    pub by: Vec<String>,
    /// How many values of each.
    #[serde(default = "values_shown")]
    pub limit: u64,
}

/// The report of [`Facets`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FacetsReport {
    /// The columns, in the order in which they were asked for.
    pub facets: Vec<Facet>,
}

/// The most frequent values of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facet {
    /// The column as it was asked for.
    pub column: String,
    /// How many different values there are.
    pub distinct: u64,
    /// How many events have no value.
    pub missing: u64,
    /// The values, the most frequent first.
    pub values: Vec<FacetValue>,
}

/// A value, and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FacetValue {
    /// The value as text.
    pub value: String,
    /// How many events have it.
    pub count: u64,
}

fn values_shown() -> u64 {
    20
}

impl Facets {
    /// The values of these columns.
    pub fn by(columns: impl IntoIterator<Item = impl Into<String>>) -> Facets {
        let by = columns.into_iter().map(Into::into).collect();
        Facets { filter: Filter::all(), by, limit: values_shown() }
    }
}

impl Analysis for Facets {
    type Report = FacetsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        if self.by.is_empty() || self.by.len() > COLUMNS_MAX {
            let message = format!("`by` names {} columns; it takes 1 to {COLUMNS_MAX}", self.by.len());
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let condition = scope.condition(&self.filter)?;
        let columns = self.by.iter().map(|name| scope.grouped(name)).collect::<Result<Vec<_>>>()?;
        let sql = counts::sql(&columns, &condition.sql, self.limit.min(VALUES_MAX));
        let columns = self.by.iter().flat_map(|name| scope.columns.reads(name));
        Ok(vec![Statement::over("counts", sql, &condition).reading(columns, &condition)])
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<FacetsReport> {
        let rows = answers.rows("counts");
        let facets = (0_u64..).zip(&self.by).map(|(number, name)| {
            let read = counts::read(rows, number);
            let values = read.counts.0.into_iter().map(|(value, count)| FacetValue { value, count });
            Facet {
                column: name.clone(),
                distinct: read.distinct,
                missing: read.missing,
                values: values.collect(),
            }
        });
        Ok(FacetsReport { facets: facets.collect() })
    }
}

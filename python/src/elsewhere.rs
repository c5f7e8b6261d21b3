//! Questions that another engine answers: their SQL and their rows, as JSON.

use crate::store::json_of;
use daybook::query::analyses::{Answer, Answers, Statement};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// A query with the values of its parameters.
pub fn of_statement(statement: &Statement) -> Json {
    let parameters: serde_json::Map<String, Json> = statement.parameters.iter().cloned().collect();
    json!({ "name": statement.name, "sql": statement.sql, "parameters": parameters })
}

/// The answers to queries, by their names: `{"name": {"columns": [...], "rows": [[...]]}}`.
pub fn answers_of(text: &str) -> PyResult<Answers> {
    let read: BTreeMap<String, Answer> =
        BTreeMap::deserialize(json_of(text)?).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let mut answers = Answers::default();
    read.into_iter().for_each(|(name, answer)| answers.add(name, answer));
    Ok(answers)
}

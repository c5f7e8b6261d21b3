//! Secrets in what is stored, taken out on its way into a bundle.

use crate::error::{Error, ErrorKind, Result};
use crate::event::column::{Column, ColumnType, TableSchema};
use crate::event::json::Tape;
use crate::mine::{Dictionary, TemplateId};
use crate::redact::{Action, Pattern, RedactSettings, Redactor, Rules};
use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, RecordBatch, StringBuilder, new_null_array};
use arrow::datatypes::Field;
use serde_json::{Map, Value as Json};
use std::collections::HashSet;
use std::sync::Arc;

/// Takes secrets out of events that are columns.
#[derive(Debug)]
pub struct Hide {
    redactor: Redactor,
    tape: Tape,
    columns: Vec<Hidden>,
}

/// How the values of a column are looked at.
#[derive(Clone, Debug)]
struct Hidden {
    /// The last key of its path.
    key: String,
    column_type: ColumnType,
    is_secret: bool,
}

impl Hide {
    /// By the rules of a store, with all patterns, and a mask in place of what is secret.
    pub fn new(settings: &RedactSettings, schema: &TableSchema) -> Result<Hide> {
        let settings = RedactSettings {
            enabled: true,
            patterns: Pattern::ALL.to_vec(),
            action: Action::Mask,
            key_actions: settings.key_actions.keys().map(|key| (key.clone(), Action::Mask)).collect(),
            ..settings.clone()
        };
        let rules = Arc::new(Rules::new(&settings, None)?);
        let hidden = |column: &Column| {
            let keys: Vec<&str> = column.path.iter().flat_map(|path| path.keys()).collect();
            let is_secret = keys.iter().any(|key| rules.is_sensitive_key(key.as_bytes()));
            let key = keys.last().unwrap_or(&column.name.as_str()).to_string();
            Hidden { key, column_type: column.column_type, is_secret }
        };
        let columns = schema.columns().iter().map(hidden).collect();
        Ok(Hide { redactor: Redactor::new(rules), tape: Tape::default(), columns })
    }

    /// Events with all columns, without their secrets, and how many there were.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<(RecordBatch, u64)> {
        let columns = std::mem::take(&mut self.columns);
        let arrays = batch.columns().iter().zip(&columns).map(|(array, hidden)| self.array(array, hidden));
        let arrays: Vec<ArrayRef> = arrays.collect();
        self.columns = columns;
        let hidden = RecordBatch::try_new(batch.schema(), arrays).map_err(|error| {
            Error::new(ErrorKind::Internal, "redacted columns do not fit together").with_source(error)
        })?;
        Ok((hidden, self.redactor.take_counts().total()))
    }

    /// The templates whose texts hold no secrets.
    pub fn templates(&mut self, dictionary: &Dictionary) -> Dictionary {
        let texts = dictionary.entries().iter().map(|(id, entry)| (*id, entry.text.clone()));
        let secret: Vec<TemplateId> = texts
            .filter(|(_, text)| self.text("message", text).is_some_and(|hidden| hidden != *text))
            .map(|(id, _)| id)
            .collect();
        dictionary.forgetting(&secret.into_iter().collect::<HashSet<_>>())
    }

    fn array(&mut self, array: &ArrayRef, hidden: &Hidden) -> ArrayRef {
        if array.null_count() == array.len() {
            return array.clone();
        }
        match hidden.column_type {
            ColumnType::Text => self.texts(array, hidden),
            // A list of secrets is none of them.
            _ if hidden.is_secret => new_null_array(array.data_type(), array.len()),
            ColumnType::TextList => self.lists(array, hidden),
            _ => array.clone(),
        }
    }

    fn texts(&mut self, array: &ArrayRef, hidden: &Hidden) -> ArrayRef {
        let Some(texts) = array.as_string_opt::<i32>() else { return array.clone() };
        let mut out = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
        for text in texts {
            let changed = text.and_then(|text| self.text(&hidden.key, text));
            out.append_option(changed.as_deref().or(text));
        }
        Arc::new(out.finish())
    }

    fn lists(&mut self, array: &ArrayRef, hidden: &Hidden) -> ArrayRef {
        let Some(lists) = array.as_list_opt::<i32>() else { return array.clone() };
        let mut out = ListBuilder::new(StringBuilder::new()).with_field(Field::new(
            "element",
            arrow::datatypes::DataType::Utf8,
            true,
        ));
        for list in lists.iter() {
            let is_list = list.is_some();
            for text in list.iter().filter_map(|list| list.as_string_opt::<i32>()).flatten() {
                let changed = text.and_then(|text| self.text(&hidden.key, text));
                out.values().append_option(changed.as_deref().or(text));
            }
            out.append(is_list);
        }
        Arc::new(out.finish())
    }

    /// The text of a key without its secrets; none where it has none.
    fn text(&mut self, key: &str, text: &str) -> Option<String> {
        let mut record = Map::new();
        record.insert(key.to_string(), Json::from(text));
        let record = serde_json::to_vec(&Json::Object(record)).ok()?;
        self.tape.parse(&record).ok()?;
        let hidden = self.redactor.record(&record, &self.tape)?;
        let hidden: Json = serde_json::from_slice(&hidden).ok()?;
        hidden.get(key)?.as_str().map(str::to_string)
    }
}

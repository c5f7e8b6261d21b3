//! Writes a record of another format as a JSON object.

use crate::event::json;

/// A JSON object under construction; reused from record to record.
#[derive(Debug, Default)]
pub struct ObjectWriter {
    out: Vec<u8>,
}

impl ObjectWriter {
    /// Begins a new object.
    pub fn begin(&mut self) {
        self.out.clear();
        self.out.push(b'{');
    }

    /// Adds a string.
    pub fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        json::quote_into(value, &mut self.out);
    }

    /// Adds what is JSON already: a number, an object, an array, `true`, `null`.
    pub fn json(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(value);
    }

    /// Adds an integer.
    pub fn integer(&mut self, key: &str, value: i64) {
        self.key(key);
        crate::event::number::integer_into(value, &mut self.out);
    }

    /// Adds null.
    pub fn null(&mut self, key: &str) {
        self.json(key, b"null");
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.out.len() <= 1
    }

    /// The object.
    pub fn end(&mut self) -> &[u8] {
        self.out.push(b'}');
        &self.out
    }

    fn key(&mut self, key: &str) {
        if self.out.len() > 1 {
            self.out.push(b',');
        }
        json::quote_into(key, &mut self.out);
        self.out.push(b':');
    }
}

//! Errors for JavaScript: `{kind, message, hint}` as JSON.

use daybook::{Error, Result};
use serde_json::json;
use wasm_bindgen::JsValue;

/// An error as it is thrown.
pub type Thrown = JsValue;

/// The result, with its error as JavaScript gets it.
pub fn thrown<T>(result: Result<T>) -> std::result::Result<T, Thrown> {
    result.map_err(|error| JsValue::from_str(&told(&error)))
}

/// An error as JSON.
pub fn told(error: &Error) -> String {
    json!({"kind": error.kind().name(), "message": error.to_string(), "hint": error.hint()}).to_string()
}

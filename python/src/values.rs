//! Python's objects as JSON.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyString, PyTuple};

/// Deeper objects, and cycles, end in a text.
const DEPTH_MAX: usize = 64;
/// What stands for what is deeper.
const TOO_DEEP: &str = "(nested too deep)";

/// An object as JSON. What JSON does not know becomes what is closest to it, as `daybook.values.plain` says.
#[pyfunction]
pub fn encode<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out, 0)?;
    Ok(PyBytes::new(py, &out))
}

/// Writes an object as JSON.
pub fn write(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    if depth > DEPTH_MAX {
        write_text(TOO_DEEP, out);
    } else if let Ok(text) = value.cast_exact::<PyString>() {
        write_string(text, out)?;
    } else if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(truth) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if truth.is_true() { b"true" } else { b"false" });
    } else if let Ok(number) = value.cast_exact::<PyInt>() {
        write_integer(number, out)?;
    } else if let Ok(number) = value.cast_exact::<PyFloat>() {
        write_float(number.value(), out);
    } else if let Ok(members) = value.cast_exact::<PyDict>() {
        write_object(members, out, depth)?;
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        write_array(list.iter(), out, depth)?;
    } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        write_array(tuple.iter(), out, depth)?;
    } else {
        // What `plain` gives is one of the above, perhaps with others inside.
        let plain = plain(value.py())?.call1(value.py(), (value,))?;
        write(plain.bind(value.py()), out, depth.saturating_add(1))?;
    }
    Ok(())
}

/// The attributes that every record of `logging` has; all else came with `extra=`. Sorted.
const OF_EVERY_RECORD: [&str; 23] = [
    "args",
    "asctime",
    "created",
    "exc_info",
    "exc_text",
    "filename",
    "funcName",
    "levelname",
    "levelno",
    "lineno",
    "message",
    "module",
    "msecs",
    "msg",
    "name",
    "pathname",
    "process",
    "processName",
    "relativeCreated",
    "stack_info",
    "taskName",
    "thread",
    "threadName",
];

/// A record of `logging` as an event; false if some of what it brings are names of `taken`. So many attributes come first
/// that every record has.
pub fn write_log(
    attributes: &Bound<'_, PyDict>,
    (level, message): (&str, &Bound<'_, PyAny>),
    base: &[u8],
    (taken, standard): (&Bound<'_, PyFrozenSet>, usize),
    out: &mut Vec<u8>,
) -> PyResult<bool> {
    let mut brought = Vec::new();
    // What `extra=` brings stands after what the record itself has.
    for (name, value) in attributes.iter().skip(standard) {
        let Ok(text) = name.cast_exact::<PyString>() else { return Ok(false) };
        let text = text.to_cow()?;
        match &*text {
            known if OF_EVERY_RECORD.binary_search(&known).is_ok() => {}
            _ if value.is_none() => {}
            _ if taken.contains(&name)? => return Ok(false),
            _ => brought.push((name, value)),
        }
    }
    let py = attributes.py();
    let (created, logger) =
        (attributes.get_item(intern!(py, "created"))?, attributes.get_item(intern!(py, "name"))?);
    let (Some(created), Some(logger)) = (created, logger) else { return Ok(false) };
    let created = created.extract::<f64>()?;
    out.extend_from_slice(format!("{{\"ts\":{}", (created * 1_000_000.0) as i64).as_bytes());
    out.extend_from_slice(b",\"kind\":\"log\",\"level\":");
    write_text(level, out);
    out.extend_from_slice(b",\"logger\":");
    write(&logger, out, 1)?;
    out.extend_from_slice(base);
    out.extend_from_slice(b",\"message\":");
    write(message, out, 1)?;
    for (name, value) in brought {
        out.push(b',');
        write_string(name.cast::<PyString>()?, out)?;
        out.push(b':');
        write(&value, out, 1)?;
    }
    out.push(b'}');
    Ok(true)
}

/// `daybook.values.plain`.
fn plain(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    PLAIN.get_or_try_init(py, || Ok(py.import("daybook.values")?.getattr("plain")?.unbind()))
}

fn write_object(members: &Bound<'_, PyDict>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    out.push(b'{');
    let start = out.len();
    for (key, value) in members {
        if out.len() > start {
            out.push(b',');
        }
        match key.cast_exact::<PyString>() {
            Ok(key) => write_string(key, out)?,
            Err(_) => write_key(&key, out)?,
        }
        out.push(b':');
        write(&value, out, depth.saturating_add(1))?;
    }
    out.push(b'}');
    Ok(())
}

/// A key that is no text.
fn write_key(key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let plain = plain(key.py())?.call1(key.py(), (key,))?;
    let text = plain.bind(key.py()).str()?;
    write_string(&text, out)
}

fn write_array<'py>(
    values: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
    depth: usize,
) -> PyResult<()> {
    out.push(b'[');
    for (position, value) in values.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(&value, out, depth.saturating_add(1))?;
    }
    out.push(b']');
    Ok(())
}

fn write_integer(number: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    match number.extract::<i64>() {
        Ok(number) => out.extend_from_slice(number.to_string().as_bytes()),
        // `str` refuses huge ones.
        Err(_) => match number.str() {
            Ok(digits) => out.extend_from_slice(digits.to_str()?.as_bytes()),
            Err(_) => write_string(&number.call_method1("__format__", ("x",))?.str()?, out)?,
        },
    }
    Ok(())
}

/// What is no number in JSON is a text.
fn write_float(number: f64, out: &mut Vec<u8>) {
    match serde_json::Number::from_f64(number) {
        Some(number) => out.extend_from_slice(number.to_string().as_bytes()),
        None if number.is_nan() => write_text("NaN", out),
        None if number > 0.0 => write_text("Infinity", out),
        None => write_text("-Infinity", out),
    }
}

/// A text; half of a surrogate pair, which is no character, is escaped.
fn write_string(text: &Bound<'_, PyString>, out: &mut Vec<u8>) -> PyResult<()> {
    match text.to_cow() {
        Ok(text) => write_text(&text, out),
        Err(_) => {
            let bytes = text.call_method1("encode", ("utf-8", "backslashreplace"))?;
            write_text(&String::from_utf8_lossy(bytes.cast::<PyBytes>()?.as_bytes()), out);
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(text.as_bytes().get(plain..at).unwrap_or_default());
        plain = at.saturating_add(1);
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(text.as_bytes().get(plain..).unwrap_or_default());
    out.push(b'"');
}

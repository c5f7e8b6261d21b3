//! The cases of `tests/conformance`: what a question means, as data.

#[cfg(test)]
mod cases;

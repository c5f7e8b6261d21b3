//! The whole store through crashes, kills and bad input.

mod bad;
mod crash;
mod kill;
mod machine;
mod readers;
mod support;

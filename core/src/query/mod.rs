//! Text in, SQL text out: quoting, the views of a session, and what a statement may do. No I/O.

pub mod analyses;
pub mod failed;
pub mod filter;
pub mod prune;
pub mod reads;
pub mod sql;
pub mod statement;
pub mod templates;
pub mod view;

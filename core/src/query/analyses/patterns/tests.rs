//! Series made up with a known truth: what must be found, and how seldom anything else may be.

mod bursts;
mod rhythms;
mod sequences;
mod world;

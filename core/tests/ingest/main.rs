//! Ingest from end to end: whatever comes in, in any format and however damaged, is an event with the right columns,
//! known already, or in the quarantine.

#[cfg(test)]
mod bad;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod once;
#[cfg(test)]
mod redaction;
#[cfg(test)]
mod replaces;
#[cfg(test)]
mod support;

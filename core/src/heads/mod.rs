//! Heads of the hash chain, signed, and put elsewhere with each commit: into a file, and to an address.

mod key;
mod publish;
mod send;
#[cfg(test)]
mod tests;

pub use key::{PublicKey, SigningKey};
pub use publish::{OfTable, Publisher, Watch};

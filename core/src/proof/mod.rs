//! What is kept or handed on to prove something of a store without it: heads of the hash chain, and proofs of single
//! events.

mod event;
mod head;

pub use event::{EventProof, FORMAT, PROOF_BYTES_MAX, ProvenEvent, Provenance};
pub use head::{Head, SignedHead, TableHead};

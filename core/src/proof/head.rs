//! A head of the chain as a text that one keeps elsewhere.

use crate::error::{Error, ErrorKind, Result};
use crate::event::canonical::{from_hex, hex};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

const NAME: &str = "daybook-head-1";
const SIGNED: &str = "ed25519";

/// The last records of both tables. Its text is `daybook-head-1:<version>:<hash>:<version>:<hash>`, events first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Of the events.
    pub events: TableHead,
    /// Of what could not be read.
    pub quarantine: TableHead,
}

/// The last record of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableHead {
    /// The latest version.
    pub version: u64,
    /// The hash of the last record up to it.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { events, quarantine } = self;
        write!(f, "{NAME}:{}:{}:{}:{}", events.version, events.hash, quarantine.version, quarantine.hash)
    }
}

impl Serialize for Head {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Head {
    type Err = Error;

    /// Reads a head, signed or not.
    fn from_str(text: &str) -> Result<Head> {
        Ok(text.parse::<SignedHead>()?.head)
    }
}

/// A head, perhaps with its signature by Ed25519. The text of that is the one of the head, `:ed25519:`, and 128
/// hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// The head.
    pub head: Head,
    /// Its signature.
    pub signature: Option<[u8; 64]>,
}

impl fmt::Display for SignedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)?;
        self.signature.iter().try_for_each(|signature| write!(f, ":{SIGNED}:{}", hex(signature)))
    }
}

impl Serialize for SignedHead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for SignedHead {
    type Err = Error;

    fn from_str(text: &str) -> Result<SignedHead> {
        let parts: Vec<&str> = text.trim().split(':').collect();
        let (parts, signature) = match parts.as_slice() {
            [head @ .., SIGNED, signature] => (head, Some(*signature)),
            head => (head, None),
        };
        let table = |version: &str, hash: &str| {
            let is_hash =
                hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let version = version.parse().ok()?;
            is_hash.then(|| TableHead { version, hash: hash.to_string() })
        };
        let head = match parts {
            [NAME, version, hash, of_rejects, hash_of_rejects] => {
                table(version, hash).zip(table(of_rejects, hash_of_rejects))
            }
            _ => None,
        };
        let signature = signature.map(|digits| {
            let halves = digits.split_at_checked(64)?;
            let (first, last) = (from_hex(halves.0)?, from_hex(halves.1)?);
            first.into_iter().chain(last).collect::<Vec<u8>>().try_into().ok()
        });
        let head = head.filter(|_| signature != Some(None)).map(|(events, quarantine)| SignedHead {
            head: Head { events, quarantine },
            signature: signature.flatten(),
        });
        head.ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "this is no head of a chain")
                .with_hint(format!("`daybook proof` prints one as its last line: `{NAME}:...`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let table = |version, digit: &str| TableHead { version, hash: digit.repeat(64) };
        let head = Head { events: table(12, "a"), quarantine: table(3, "0") };
        assert_eq!(format!("  {head}\n").parse::<Head>().unwrap(), head);
    }

    #[test]
    fn a_signed_head_is_read_as_it_was_written() {
        let table = |version, digit: &str| TableHead { version, hash: digit.repeat(64) };
        let head = Head { events: table(12, "a"), quarantine: table(3, "0") };
        let signed = SignedHead { head: head.clone(), signature: Some(std::array::from_fn(|at| at as u8)) };
        assert_eq!(signed.to_string().parse::<SignedHead>().unwrap(), signed);
        assert_eq!(signed.to_string().parse::<Head>().unwrap(), head);
        let unsigned = head.to_string().parse::<SignedHead>().unwrap();
        assert_eq!(unsigned, SignedHead { head: head.clone(), signature: None });
        for digits in ["", "00", &"0".repeat(127), &"x".repeat(128), &"0".repeat(129)] {
            assert!(format!("{head}:ed25519:{digits}").parse::<SignedHead>().is_err(), "{digits}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let hash = "a".repeat(64);
        for text in [
            String::new(),
            hash.clone(),
            format!("daybook-head-1:1:{hash}"),
            format!("daybook-head-2:1:{hash}:1:{hash}"),
            format!("daybook-head-1:-1:{hash}:1:{hash}"),
            format!("daybook-head-1:1:{}:1:{hash}", "A".repeat(64)),
            format!("daybook-head-1:1:{hash}:1:{hash}:1"),
        ] {
            assert_eq!(text.parse::<Head>().unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
    }
}

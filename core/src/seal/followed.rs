//! What a follower puts into the log: some records of a file, and how far that file is stored with them. Both are
//! in one frame, so that neither survives without the other.

use super::{RECORD, REJECT};
use crate::event::canonical::{from_hex, hex};
use crate::event::mapping::Mapping;
use crate::format::{Format, Sample, detect};
use crate::ingest::known::{Check, Hash, Mark};
use serde::{Deserialize, Serialize};

/// The bytes before each part: its kind and its length.
const PART_HEAD_BYTES: usize = 5;

/// The beginning of a frame's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// The file's id.
    pub id: String,
    /// Its name.
    pub input: String,
    /// The format that it is read as.
    pub format: String,
    /// Bytes from its beginning that are stored, these records included.
    pub length: u64,
    /// The SHA-256 of these bytes, in hexadecimal digits.
    pub sha256: String,
    /// Columns, and the fields that the user mapped to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub map: Vec<(String, String)>,
}

impl Followed {
    /// How far the file is stored.
    pub fn mark(&self) -> Option<Mark> {
        let hash: Hash = from_hex(&self.sha256)?;
        Some(Mark { id: self.id.clone(), length: self.length, check: Check::of(&hash) })
    }

    /// Notes how far the file is stored.
    pub fn set_mark(&mut self, length: u64, hash: &Hash) {
        self.length = length;
        self.sha256 = hex(hash);
    }

    /// Which fields map to fixed columns.
    pub fn mapping(&self) -> Mapping {
        let mut mapping = Mapping::default();
        for (column, path) in &self.map {
            // They were checked when the file was opened.
            let _ = mapping.choose(column, path);
        }
        let nothing = Sample { bytes: b"", whole: false, time_us: 0, header: None };
        let format = Format::from_name(&self.format).and_then(|format| detect::layout(format, &nothing));
        format.map_or(mapping.clone(), |layout| mapping.with_format(layout.names))
    }
}

/// Records and rejects, as a frame holds them.
#[derive(Debug, Default)]
pub struct Parts {
    bytes: Vec<u8>,
    count: u64,
}

impl Parts {
    /// Adds a record.
    pub fn record(&mut self, json: &[u8]) {
        self.push(RECORD, json);
    }

    /// Adds something rejected, as [`crate::quarantine::Reject::to_payload`] has it.
    pub fn reject(&mut self, payload: &[u8]) {
        self.push(REJECT, payload);
    }

    fn push(&mut self, kind: u8, content: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.bytes.extend_from_slice(content);
        self.count += 1;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many bytes they take.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The payload of a frame, without the byte of its kind.
    pub fn to_payload(&self, followed: &Followed) -> Vec<u8> {
        // Plain structures of text and numbers always serialize.
        let head = serde_json::to_vec(followed).unwrap_or_default();
        let mut payload = Vec::with_capacity(head.len() + self.bytes.len() + 4);
        payload.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes());
        payload.extend_from_slice(&head);
        payload.extend_from_slice(&self.bytes);
        payload
    }
}

/// The kind of a part, and its content.
pub type Part<'a> = (u8, &'a [u8]);

/// The beginning of a payload, and its parts. None if it is damaged.
pub fn read_payload(payload: &[u8]) -> Option<(Followed, Vec<Part<'_>>)> {
    let (length, rest) = payload.split_first_chunk::<4>()?;
    let (head, mut rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let followed: Followed = serde_json::from_slice(head).ok()?;
    let mut parts = Vec::new();
    while let Some((head, after)) = rest.split_first_chunk::<PART_HEAD_BYTES>() {
        let [kind, length @ ..] = *head;
        let (content, after) = after.split_at_checked(u32::from_le_bytes(length) as usize)?;
        parts.push((kind, content));
        rest = after;
    }
    rest.is_empty().then_some((followed, parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::fixed::Fixed;

    fn followed() -> Followed {
        Followed {
            id: "0123456789abcdef".to_string(),
            input: "app.log".to_string(),
            format: "docker".to_string(),
            length: 9,
            sha256: hex(&[7; 32]),
            map: vec![("actor".to_string(), "who.name".to_string())],
        }
    }

    #[test]
    fn a_payload_is_read_back_whole() {
        let mut parts = Parts::default();
        parts.record(b"{}");
        parts.reject(b"");
        parts.record(&[b'x'; 300]);
        let payload = parts.to_payload(&followed());
        let (head, read) = read_payload(&payload).unwrap();
        assert_eq!(head, followed());
        assert_eq!(read, [(RECORD, &b"{}"[..]), (REJECT, &b""[..]), (RECORD, &[b'x'; 300][..])]);
        assert_eq!((parts.count(), head.mark().unwrap().length), (3, 9));
        for cut in 0..payload.len() {
            let same = read_payload(&payload[..cut]).is_some_and(|(_, parts)| parts.len() == 3);
            assert!(!same, "{cut}");
        }
    }

    #[test]
    fn a_mapping_is_the_users_and_the_formats() {
        let mapping = followed().mapping();
        assert_eq!(mapping.chosen(), [(Fixed::Actor, "who.name".to_string())]);
        assert_ne!(mapping, mapping.with_format(&[]));
    }
}

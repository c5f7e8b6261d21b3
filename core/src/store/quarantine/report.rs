//! The quarantine in numbers, and record by record.

use super::Scan;
use crate::error::Result;
use crate::event::reject::kind_of;
use crate::event::time::rfc3339;
use crate::quarantine::Reject;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// So many bytes of a record are shown with a reason.
const EXAMPLE_BYTES: usize = 200;
/// So many bytes of a record are shown in a list.
const TEXT_BYTES: usize = 2_000;
/// So many reasons, and so many inputs, are told apart.
const GROUPS_MAX: usize = 10_000;
/// What stands for the reasons and inputs beyond.
const OTHERS: &str = "(others)";

/// How much is in the quarantine.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QuarantineSummary {
    /// Records.
    pub records: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// When the first arrived.
    pub first: Option<String>,
    /// When the last arrived.
    pub last: Option<String>,
    /// By reason, the most frequent first.
    pub by_reason: Vec<ReasonGroup>,
    /// By input, those with most records first.
    pub by_input: Vec<InputGroup>,
}

/// Records with a reason of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReasonGroup {
    /// The reason, without what differs from record to record.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// When the first arrived.
    pub first: String,
    /// When the last arrived.
    pub last: String,
    /// The text of the last, cut.
    pub example: String,
}

/// Records of one input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputGroup {
    /// The name of the input; `append` for appended records.
    pub input: String,
    /// How many.
    pub count: u64,
    /// When the first arrived.
    pub first: String,
    /// When the last arrived.
    pub last: String,
}

/// Some records of the quarantine.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QuarantinePage {
    /// The records, the latest first.
    pub records: Vec<Quarantined>,
    /// Where to go on, if there are more: records before this number.
    pub before: Option<i64>,
}

/// A record in the quarantine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quarantined {
    /// Its number in the store.
    pub seq: i64,
    /// When it arrived.
    pub arrived: String,
    /// Why it could not be read.
    pub reason: String,
    /// The name of its input; `append` for an appended record.
    pub input: String,
    /// Where in the input it stood.
    pub byte_offset: i64,
    /// The format that it was read as.
    pub format: String,
    /// How long its text is.
    pub bytes: u64,
    /// Its text, the beginning if it is long; what is not UTF-8 is U+FFFD.
    pub text: String,
}

/// What is known of a group.
struct Group {
    count: u64,
    first: i64,
    last: i64,
    example: String,
}

/// Records by reason or by input.
#[derive(Default)]
struct Groups {
    by_name: HashMap<String, Group>,
}

pub(super) fn summary(scan: &Scan<'_>) -> Result<QuarantineSummary> {
    let (mut reasons, mut inputs) = (Groups::default(), Groups::default());
    let (mut records, mut bytes, mut first, mut last) = (0_u64, 0_u64, i64::MAX, i64::MIN);
    let mut take = |reject: Reject| {
        records = records.saturating_add(1);
        bytes = bytes.saturating_add(reject.raw.len() as u64);
        (first, last) = (first.min(reject.seq), last.max(reject.seq));
        reasons.add(&kind_of(&reject.reason), &reject, Some(&reject.raw));
        inputs.add(&reject.input, &reject, None);
    };
    scan.each_pending(&mut take)?;
    for file in scan.files() {
        scan.each_of_file(file, &mut take)?;
    }
    let by_reason = reasons.sorted().into_iter().map(|(reason, group)| {
        let (first, last) = (rfc3339(group.first), rfc3339(group.last));
        ReasonGroup { reason, count: group.count, first, last, example: group.example }
    });
    let by_input = inputs.sorted().into_iter().map(|(input, group)| {
        let (first, last) = (rfc3339(group.first), rfc3339(group.last));
        InputGroup { input, count: group.count, first, last }
    });
    Ok(QuarantineSummary {
        records,
        bytes,
        first: (records > 0).then(|| rfc3339(first)),
        last: (records > 0).then(|| rfc3339(last)),
        by_reason: by_reason.collect(),
        by_input: by_input.collect(),
    })
}

pub(super) fn page(scan: &Scan<'_>, before: Option<i64>, limit: usize) -> Result<QuarantinePage> {
    let limit = limit.max(1);
    // One more than is shown tells whether there are more.
    let mut latest: BTreeMap<i64, Quarantined> = BTreeMap::new();
    let wanted = |latest: &BTreeMap<i64, Quarantined>, seq: i64| {
        let least = latest.first_key_value().filter(|_| latest.len() > limit).map(|(least, _)| *least);
        before.is_none_or(|before| seq < before) && least.is_none_or(|least| seq > least)
    };
    let mut take = |reject: Reject| {
        if wanted(&latest, reject.seq) {
            latest.insert(reject.seq, shown(&reject));
            if latest.len() > limit.saturating_add(1) {
                latest.pop_first();
            }
        }
        latest.first_key_value().filter(|_| latest.len() > limit).map(|(least, _)| *least)
    };
    let mut least = None;
    scan.each_pending(&mut |reject| least = take(reject))?;
    for file in scan.files() {
        let range = file.seq_range();
        let is_past = |(first, last): (i64, i64)| {
            least.is_some_and(|least| last < least) || before.is_some_and(|before| first >= before)
        };
        if !range.is_some_and(is_past) {
            scan.each_of_file(file, &mut |reject| least = take(reject))?;
        }
    }
    if latest.len() > limit {
        latest.pop_first();
        let before = latest.first_key_value().map(|(seq, _)| *seq);
        return Ok(QuarantinePage { records: latest.into_values().rev().collect(), before });
    }
    Ok(QuarantinePage { records: latest.into_values().rev().collect(), before: None })
}

fn shown(reject: &Reject) -> Quarantined {
    Quarantined {
        seq: reject.seq,
        arrived: rfc3339(reject.seq),
        reason: reject.reason.clone(),
        input: reject.input.clone(),
        byte_offset: reject.byte_offset,
        format: reject.format.clone(),
        bytes: reject.raw.len() as u64,
        text: beginning(&reject.raw, TEXT_BYTES),
    }
}

/// The beginning of a text, cut between characters.
fn beginning(raw: &[u8], most: usize) -> String {
    let Some(head) = raw.get(..most).filter(|_| raw.len() > most) else {
        return String::from_utf8_lossy(raw).into_owned();
    };
    // A character is at most four bytes long.
    let cut = (0..4).find_map(|less| std::str::from_utf8(head.get(..most.saturating_sub(less))?).ok());
    format!("{}…", cut.map_or_else(|| String::from_utf8_lossy(head).into_owned(), str::to_string))
}

impl Groups {
    fn add(&mut self, name: &str, reject: &Reject, example: Option<&[u8]>) {
        let name = match self.by_name.len() >= GROUPS_MAX && !self.by_name.contains_key(name) {
            true => OTHERS,
            false => name,
        };
        let seq = reject.seq;
        match self.by_name.get_mut(name) {
            None => {
                let example = example.map(|raw| beginning(raw, EXAMPLE_BYTES)).unwrap_or_default();
                self.by_name.insert(name.to_string(), Group { count: 1, first: seq, last: seq, example });
            }
            Some(group) => {
                group.count = group.count.saturating_add(1);
                group.first = group.first.min(seq);
                if seq > group.last {
                    group.last = seq;
                    group.example = example.map(|raw| beginning(raw, EXAMPLE_BYTES)).unwrap_or_default();
                }
            }
        }
    }

    fn sorted(self) -> Vec<(String, Group)> {
        let mut groups: Vec<_> = self.by_name.into_iter().collect();
        groups.sort_by(|(name, group), (other, of_other)| (of_other.count, name).cmp(&(group.count, other)));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        let check = |raw: &[u8], expected: &str| assert_eq!(beginning(raw, 5), expected);
        check(b"12345", "12345");
        check(b"123456", "12345…");
        check("abcdé".as_bytes(), "abcd…");
        check("ab日本".as_bytes(), "ab日…");
        check(b"abcd\xff\xff", "abcd…");
        check(b"\xff\xff\xff\xff\xff\xff\xff", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}…");
    }

    #[test]
    fn groups_beyond_the_limit_are_told_together() {
        let reject = |seq: i64| Reject {
            seq,
            raw: b"x".to_vec(),
            reason: String::new(),
            input: String::new(),
            byte_offset: 0,
            format: String::new(),
            header: None,
        };
        let mut groups = Groups::default();
        for number in 0..GROUPS_MAX as i64 + 5 {
            groups.add(&format!("reason {number}"), &reject(number), Some(b"x"));
        }
        let sorted = groups.sorted();
        assert_eq!((sorted.len(), sorted[0].0.as_str(), sorted[0].1.count), (GROUPS_MAX + 1, OTHERS, 5));
        assert_eq!(sorted.iter().map(|(_, group)| group.count).sum::<u64>(), GROUPS_MAX as u64 + 5);
    }
}

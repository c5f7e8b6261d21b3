//! One text of the quarantine, read again.

use crate::error::{Error, ErrorKind, Result};
use crate::event::chunk::Chunk;
use crate::event::mapping::Mapping;
use crate::format::{Format, Layout, Place, Records, Sample, detect, lines};
use crate::ingest::blocks::ReadAs;
use crate::intake::Intake;
use crate::quarantine::Reject;
use crate::redact::{Counts, Rules};
use std::sync::Arc;

/// Why a text in which nothing stands stays where it is.
const NOTHING: &str = "there is no record in it, read like this";

/// Reads texts again, and keeps what became of them until it is taken.
pub(super) struct Rereader<'a> {
    read_as: &'a ReadAs,
    mapping: &'a Mapping,
    rules: &'a Arc<Rules>,
    /// One for each mapping that formats have, with the numbers of its records.
    intakes: Vec<(Mapping, Intake, Vec<i64>)>,
    bytes: usize,
    redacted: Counts,
}

impl<'a> Rereader<'a> {
    pub fn new(read_as: &'a ReadAs, mapping: &'a Mapping, rules: &'a Arc<Rules>) -> Rereader<'a> {
        Rereader { read_as, mapping, rules, intakes: Vec::new(), bytes: 0, redacted: Counts::default() }
    }

    /// Reads a text: all of it is records, or the reason says why not, and nothing is kept. The first record has
    /// the number of the text; `more` gives numbers for others.
    pub fn read(
        &mut self,
        reject: &Reject,
        more: &dyn Fn(u64) -> Result<i64>,
    ) -> Result<std::result::Result<u64, String>> {
        let Some(layout) = self.layout_of(reject) else {
            return Ok(Err(format!("`{}` is no format of text", reject.format)));
        };
        let text = reject.raw.get(layout.start..).unwrap_or_default();
        let mapping = self.mapping.with_format(layout.names);
        let known = self.intakes.iter().position(|(known, ..)| *known == mapping);
        let place = known.unwrap_or(self.intakes.len());
        if known.is_none() {
            self.intakes.push((mapping.clone(), Intake::new(mapping, self.rules), Vec::new()));
        }
        let Some((_, intake, seqs)) = self.intakes.get_mut(place) else {
            return Ok(Err(NOTHING.to_string()));
        };
        let mut check = Check { intake, arrival_us: reject.seq, records: 0, refused: None };
        layout.codec.read(text, &mut check);
        let (records, refused) = (check.records, check.refused);
        intake.take_counts();
        if let Some(reason) = refused {
            return Ok(Err(intake.reason(&reason)));
        }
        if records == 0 {
            return Ok(Err(NOTHING.to_string()));
        }
        let mut store = Keep { intake, arrival_us: reject.seq, records: 0 };
        layout.codec.read(text, &mut store);
        if store.records != records {
            return Err(Error::new(
                ErrorKind::Internal,
                "a text of the quarantine read differently the second time",
            ));
        }
        seqs.push(reject.seq);
        if records > 1 {
            let first = more(records - 1)?;
            seqs.extend((first..).take(usize::try_from(records - 1).unwrap_or(usize::MAX)));
        }
        self.redacted.add(&intake.take_counts());
        self.bytes = self.bytes.saturating_add(text.len());
        Ok(Ok(records))
    }

    /// About how many bytes of text wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// All records so far, with their numbers.
    pub fn take(&mut self) -> Vec<(Chunk, Vec<i64>)> {
        self.bytes = 0;
        let taken = self.intakes.iter_mut().map(|(_, intake, seqs)| (intake.take(), std::mem::take(seqs)));
        taken.filter(|(chunk, _)| !chunk.is_empty()).collect()
    }

    /// What was redacted.
    pub fn redacted(&self) -> &Counts {
        &self.redacted
    }

    /// How a text is read: as is asked for, else as it was.
    fn layout_of(&self, reject: &Reject) -> Option<Layout> {
        let noted = Format::from_name(&reject.format);
        let format = self.read_as.format.or(noted)?;
        if matches!(format, Format::Parquet | Format::Arrow) {
            // Their rows are kept as JSON.
            return Some(lines::layout());
        }
        let noted = reject.header.as_deref().filter(|_| noted == Some(format));
        let header = self.read_as.header.as_deref().or(noted);
        // A record that does not say its year happened before it arrived.
        detect::layout(format, &Sample { bytes: &reject.raw, whole: true, time_us: reject.seq, header })
    }
}

/// Finds out whether all records of a text can be stored.
struct Check<'a> {
    intake: &'a mut Intake,
    arrival_us: i64,
    records: u64,
    refused: Option<String>,
}

impl Records for Check<'_> {
    fn record(&mut self, _place: Place<'_>, json: &[u8]) {
        self.records += 1;
        if self.refused.is_none() {
            self.refused = self.intake.checked(json, self.arrival_us).err().map(|reject| reject.to_string());
        }
    }

    fn unreadable(&mut self, _place: Place<'_>, reason: &str) {
        self.refused.get_or_insert_with(|| reason.to_string());
    }

    fn decoded(&mut self) {}
}

/// Keeps all records of a text.
struct Keep<'a> {
    intake: &'a mut Intake,
    arrival_us: i64,
    records: u64,
}

impl Records for Keep<'_> {
    fn record(&mut self, _place: Place<'_>, json: &[u8]) {
        self.records += u64::from(self.intake.push(json, self.arrival_us).is_ok());
    }

    fn unreadable(&mut self, _place: Place<'_>, _reason: &str) {}

    fn decoded(&mut self) {}
}

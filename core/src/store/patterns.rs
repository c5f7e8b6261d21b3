//! Patterns of a store's events.

use super::Store;
use super::ask::{AskOptions, Asked};
use super::sources::is_within;
use crate::engine::Limits;
use crate::error::Result;
use crate::log::DataFile;
use crate::query::analyses::{Analysis, Answer, Samples, Scope, Templates, TemplatesReport};

/// What queries for patterns may use: what they hand over, and the statistics of it, need memory too.
const MEMORY_BYTES: u64 = 640 << 20;

impl Store {
    /// Answers an analysis that counts much, in less memory than other questions may use.
    pub fn find<A: Analysis>(&self, analysis: &A, options: &AskOptions<'_>) -> Result<A::Report> {
        let memory_bytes = options.limits.memory_bytes.min(MEMORY_BYTES);
        let limits = Limits { memory_bytes, ..options.limits.clone() };
        self.ask(analysis, &AskOptions { limits, ..options.clone() })
    }

    /// The templates of messages, each with its text, an example, and what stands in its parameters.
    pub fn templates(&self, templates: &Templates, options: &AskOptions<'_>) -> Result<TemplatesReport> {
        let asked = Asked::new(self, options)?;
        asked.scoped(|scope| {
            let answers = asked.answers(&templates.statements(scope)?)?;
            let mut report = templates.report(scope, &answers)?;
            if let Some(samples) = templates.samples(scope, &report)? {
                report.add_samples(scope, &asked.sampled(&samples)?);
                self.add_examples(&mut report, scope, &asked)?;
            }
            Ok(report)
        })
    }

    /// Reads the messages of templates that are so rare that no file of the sample has them.
    fn add_examples(&self, report: &mut TemplatesReport, scope: &Scope<'_>, asked: &Asked<'_>) -> Result<()> {
        let seqs = report.without_example();
        if seqs.is_empty() {
            return Ok(());
        }
        let has_one = |file: &DataFile| {
            let has = |seq: &i64| file.seq_range().is_none_or(|(first, last)| (first..=last).contains(seq));
            seqs.iter().any(has)
        };
        let answer = asked.answer(&report.examples(scope, &seqs)?, asked.files(has_one))?;
        report.add_samples(scope, &answer);
        Ok(())
    }
}

impl Asked<'_> {
    /// The rows of a query over some of the files, spread over all of time.
    fn sampled(&self, samples: &Samples) -> Result<Answer> {
        let files = self.files(|file| is_within(file, samples.statement.span));
        self.answer(&samples.statement, spread(files, samples.rows))
    }
}

/// Files with about so many rows together, as far from each other as possible; at least one.
fn spread(files: Vec<&DataFile>, rows: u64) -> Vec<&DataFile> {
    let all: u64 = files.iter().map(|file| file.rows).sum();
    if all <= rows {
        return files;
    }
    let mut chosen = Vec::new();
    let mut taken = 0_u64;
    for place in scattered(files.len()) {
        let Some(file) = files.get(place) else { continue };
        if taken > 0 && taken.saturating_add(file.rows) > rows {
            break;
        }
        taken = taken.saturating_add(file.rows);
        chosen.push(*file);
    }
    chosen
}

/// The numbers below a limit, so that the first few are spread over all of them: by their bits in reverse.
fn scattered(limit: usize) -> impl Iterator<Item = usize> {
    let bits = limit.next_power_of_two().trailing_zeros();
    let reversed =
        move |number: usize| number.reverse_bits().checked_shr(usize::BITS.saturating_sub(bits)).unwrap_or(0);
    (0..limit.next_power_of_two()).map(reversed).filter(move |place| *place < limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_scattered_and_all_there() {
        for limit in [0, 1, 2, 3, 7, 8, 365] {
            let mut numbers: Vec<usize> = scattered(limit).collect();
            if limit > 100 {
                let first = numbers.get(..4).unwrap();
                assert!(
                    first.iter().any(|one| *one < 100) && first.iter().any(|one| *one > 150),
                    "{first:?}"
                );
            }
            numbers.sort_unstable();
            assert_eq!(numbers, (0..limit).collect::<Vec<_>>());
        }
    }
}

//! What differs between the templates of two selections: what appeared, what vanished, whose share changed.

use super::super::{Answers, Scope};
use super::math::{believed, normal_above};
use super::templates::{TemplateChange, TemplateCount, Templates, counted};
use crate::mine::TemplateId;
use std::collections::BTreeMap;

impl Templates {
    pub(super) fn changes(&self, scope: &Scope<'_>, answers: &Answers) -> Vec<TemplateChange> {
        let mut counts: BTreeMap<String, [u64; 2]> = BTreeMap::new();
        let one = counted(scope, answers.rows("templates_one"));
        let other = counted(scope, answers.rows("templates_other"));
        let total = |of: &[TemplateCount]| of.iter().map(|template| template.events).sum::<u64>();
        let totals = [total(&one), total(&other)];
        for template in one {
            let [first, _] = counts.entry(template.id).or_default();
            *first = template.events;
        }
        for template in other {
            let [_, second] = counts.entry(template.id).or_default();
            *second = template.events;
        }
        let change = |(id, events): (String, [u64; 2])| {
            let ([one, other], [all_one, all_other]) = (events, totals);
            let shares = [one as f64 / all_one.max(1) as f64, other as f64 / all_other.max(1) as f64];
            let change = match (one, other) {
                (0, _) => "appeared",
                (_, 0) => "vanished",
                _ if shares.is_sorted() => "more",
                _ => "less",
            };
            let text = |id| scope.dictionary()?.text(id).map(str::to_string);
            let template = TemplateId::parse(&id).and_then(text);
            TemplateChange { id, template, change, events, shares, p: differs(events, totals) }
        };
        let mut changes: Vec<TemplateChange> = counts.into_iter().map(change).collect();
        let tests = changes.len() as f64;
        let bound = believed(changes.iter().map(|change| change.p).collect(), tests, self.alarm);
        changes.retain(|change| change.p <= bound);
        let apart = |change: &TemplateChange| {
            let [one, other] = change.shares;
            (one - other).abs()
        };
        changes.sort_by(|one, other| one.p.total_cmp(&other.p).then(apart(other).total_cmp(&apart(one))));
        changes.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        changes
    }
}

/// The probability that two shares differ as much by chance: the likelihood ratio of one share and two.
fn differs([one, other]: [u64; 2], [all_one, all_other]: [u64; 2]) -> f64 {
    let counts = [one, other].map(|count| count as f64);
    let totals = [all_one, all_other].map(|count| count as f64);
    let share = counts.iter().sum::<f64>() / totals.iter().sum::<f64>().max(1.0);
    let part = |seen: f64, expected: f64| {
        if seen > 0.0 && expected > 0.0 { seen * (seen / expected).ln() } else { 0.0 }
    };
    let parts = counts
        .iter()
        .zip(totals)
        .map(|(count, total)| part(*count, total * share) + part(total - count, total * (1.0 - share)));
    let ratio = 2.0 * parts.sum::<f64>();
    (2.0 * normal_above(ratio.max(0.0).sqrt())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_differ_as_the_likelihood_says() {
        assert!((differs([10, 10], [100, 100]) - 1.0).abs() < 1e-6);
        // G = 3.8415 has a probability of 5 %.
        assert!((0.01..0.1).contains(&differs([10, 20], [100, 100])));
        assert!(differs([0, 40], [1000, 1000]) < 1e-9);
        assert!((differs([0, 0], [0, 0]) - 1.0).abs() < 1e-6);
    }
}

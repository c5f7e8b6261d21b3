//! Pairs of kinds in sequences whose truth is known.

use super::super::sequences::Sequences;
use super::world::Rng;
use crate::query::analyses::{Analysis, Answer, Answers, Row, Scope};
use crate::query::filter::{Columns, Filter};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const KINDS: u64 = 30;

/// The report of sessions of numbered kinds.
fn report(sessions: &[Vec<u64>]) -> super::super::sequences::SequencesReport {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for session in sessions {
        for pair in session.windows(2) {
            *counts.entry(pair[0] * 512 + pair[1]).or_default() += 1;
        }
    }
    let rows =
        |rows: Vec<Vec<Json>>| Answer { columns: Vec::new(), rows: rows.into_iter().map(Row).collect() };
    let mut answers = Answers::default();
    answers.add(
        "kinds",
        rows((1..=KINDS).map(|kind| vec![json!(format!("k{kind}")), json!(1), json!(KINDS)]).collect()),
    );
    let paths = counts.iter().map(|(pair, count)| vec![json!(2), json!(pair), json!(count), json!(0)]);
    answers.add("steps", rows(paths.collect()));
    let schema = crate::event::fixed::new_table();
    let columns = Columns::of(&schema);
    let scope = Scope { columns, now_us: 0, span: None, text: "" };
    Sequences { limit: 1_000, ..Sequences::new(Filter::all()) }.report(&scope, &answers).unwrap()
}

/// Sessions of independent kinds, some more frequent, with planted pairs: this share of what follows the first.
fn sessions(rng: &mut Rng, planted: &[(u64, u64)], share: f64) -> Vec<Vec<u64>> {
    (0..2_000)
        .map(|_| {
            let length = 2 + rng.below(20);
            let mut session: Vec<u64> = Vec::new();
            for _ in 0..length {
                let last = session.last().copied().unwrap_or(0);
                let usual = 1 + (rng.unit() * rng.unit() * KINDS as f64) as u64;
                let follows = planted.iter().find(|(first, _)| *first == last && rng.unit() < share);
                session.push(follows.map_or(usual, |(_, then)| *then));
            }
            session
        })
        .collect()
}

#[test]
fn independent_kinds_follow_nothing() {
    // At most 1 % of these worlds may have any pair; the bound is what 1 % gives with 99.9 %.
    let alarmed =
        (0..200).filter(|seed| !report(&sessions(&mut Rng(*seed), &[], 0.0)).pairs.is_empty()).count();
    assert!(alarmed <= 8, "{alarmed} of 200");
}

#[test]
fn planted_pairs_are_found_and_no_others() {
    let planted = [(3, 20), (20, 5), (8, 9), (12, 28), (17, 2), (25, 26)];
    let (mut found, mut others) = (0, 0);
    for seed in 0..50 {
        let report = report(&sessions(&mut Rng(seed + 1_000), &planted, 0.3));
        let is_planted = |first: &str, then: &str| {
            planted.iter().any(|(one, next)| first == format!("k{one}") && then == format!("k{next}"))
        };
        for pair in &report.pairs {
            if is_planted(&pair.first, &pair.then) {
                found += 1;
                assert!(pair.lift > 1.5 && pair.confidence > 0.15, "{pair:?}");
            } else {
                others += 1;
            }
        }
    }
    assert!(found >= 295, "{found} of 300");
    assert!(others <= 6, "{others} others");
}

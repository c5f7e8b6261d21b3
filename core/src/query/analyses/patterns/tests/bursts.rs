//! Bursts, drops, silences and lasting changes in series whose truth is known.

use super::super::examine::{Deviation, Sort, examine};
use super::super::series::{Frame, Series};
use super::world::{HOURLY, Rng, Shape, frame, series};

const ALARM: f64 = 0.01;

fn found(all: &[Series], frame: &Frame) -> Vec<Deviation> {
    examine(all, &[], frame, ALARM).deviations
}

/// Shapes of series that have nothing to find.
const USUAL: [Shape; 7] = [
    HOURLY,
    Shape { per_hour: 200.0, ..HOURLY },
    Shape { per_hour: 0.05, ..HOURLY },
    Shape { season: false, ..HOURLY },
    Shape { group: 8.0, ..HOURLY },
    Shape { per_hour: 30.0, hours: 0.1, days: 0.05, ..HOURLY },
    Shape { per_hour: 3.0, group: 4.0, days: 0.2, ..HOURLY },
];

#[test]
fn false_alarms_are_as_rare_as_promised() {
    // Of so many worlds of 7 series and 180 days each, at most 1 % may have a finding; the bound is what 1 % gives
    // with a probability of 99.9 %.
    let frame = frame(180);
    let worlds = 150;
    let alarmed = (0..worlds).filter(|world| {
        let mut rng = Rng(*world * 7919 + 1);
        let all: Vec<Series> = USUAL
            .iter()
            .enumerate()
            .map(|(place, shape)| {
                series(&place.to_string(), shape.counts(&mut rng, frame.buckets, |_| 1.0), &frame)
            })
            .collect();
        let found = found(&all, &frame);
        !found.is_empty()
    });
    let alarmed = alarmed.count();
    assert!(alarmed <= 6, "{alarmed} of {worlds}");
}

/// How many of so many worlds have what is planted in them found, of series of all usual shapes.
fn recall(
    days: i64,
    plant: impl Fn(usize) -> (usize, usize, f64),
    is_it: impl Fn(&Deviation, usize, usize) -> bool,
) -> Vec<f64> {
    let frame = frame(days);
    USUAL
        .iter()
        .enumerate()
        .map(|(place, shape)| {
            let found_in = (0..20_u64).filter(|world| {
                let mut rng = Rng(world * 104_729 + place as u64);
                let (from, until, factor) = plant(place);
                let shift = if from > 0 { rng.below(24 * 20) as usize } else { 0 };
                let (from, until) = (from + shift, (until + shift).min(frame.buckets));
                let counts = shape.counts(&mut rng, frame.buckets, |hour| {
                    if (from..until).contains(&hour) { factor } else { 1.0 }
                });
                let mut all = vec![series("planted", counts, &frame)];
                all.extend((0..6).map(|other| {
                    series(&format!("other{other}"), HOURLY.counts(&mut rng, frame.buckets, |_| 1.0), &frame)
                }));
                found(&all, &frame)
                    .iter()
                    .any(|one| one.subject.value == "planted" && is_it(one, from, until))
            });
            found_in.count() as f64 / 20.0
        })
        .collect()
}

fn touches(one: &Deviation, frame: &Frame, from: usize, until: usize) -> bool {
    one.from_us < frame.begins(until) && one.to_us > frame.begins(from)
}

#[test]
fn bursts_are_found() {
    let frame = frame(180);
    // Three hours, eight times as busy; more where events are rare or come in groups: any hour may be at night.
    let factors = [8.0, 8.0, 400.0, 8.0, 40.0, 8.0, 60.0];
    let recall = recall(
        180,
        |place| (24 * 90, 24 * 90 + 3, factors[place]),
        |one, from, until| {
            one.sort == Sort::Block && one.seen > one.expected && touches(one, &frame, from, until)
        },
    );
    assert!(recall.iter().sum::<f64>() / recall.len() as f64 >= 0.9, "{recall:?}");
    assert!(recall.iter().all(|share| *share >= 0.7), "{recall:?}");
}

#[test]
fn silences_are_found() {
    let frame = frame(180);
    // A few days; of a rare kind 40.
    let lengths = [24 * 3, 24, 24 * 40, 24, 24 * 10, 24 * 2, 24 * 30];
    let recall = recall(
        180,
        |place| (24 * 90, 24 * 90 + lengths[place], 0.0),
        |one, from, until| {
            let is_down =
                matches!(one.sort, Sort::Silence) || (one.sort == Sort::Block && one.seen < one.expected);
            is_down && touches(one, &frame, from, until)
        },
    );
    assert!(recall.iter().sum::<f64>() / recall.len() as f64 >= 0.9, "{recall:?}");
    assert!(recall.iter().all(|share| *share >= 0.7), "{recall:?}");
}

#[test]
fn what_ends_and_what_begins_is_found() {
    let frame = frame(180);
    let ended = recall(180, |_| (24 * 135, 24 * 180, 0.0), |one, _, _| one.sort == Sort::Ended);
    let begun = recall(
        180,
        |_| (0, 24 * 60, 0.0),
        |one, from, _| one.sort == Sort::Begun && touches(one, &frame, from + 24 * 60, 24 * 180),
    );
    assert!(ended.iter().sum::<f64>() / ended.len() as f64 >= 0.9, "{ended:?}");
    assert!(begun.iter().sum::<f64>() / begun.len() as f64 >= 0.95, "{begun:?}");
}

#[test]
fn lasting_changes_are_found_where_they_are() {
    let frame = frame(180);
    let recall = recall(
        180,
        |_| (24 * 90, 24 * 180, 2.0),
        |one, from, _| {
            let days = (one.from_us - frame.begins(from)).abs() / crate::event::time::DAY_US;
            one.sort == Sort::Step && days <= 7 && (1.5..2.7).contains(&(one.seen / one.expected))
        },
    );
    assert!(recall.iter().sum::<f64>() / recall.len() as f64 >= 0.8, "{recall:?}");
}

#[test]
fn a_burst_of_what_hardly_ever_happens_is_found() {
    let frame = frame(365);
    let mut counts = vec![0.0; frame.buckets];
    for hour in (100..8000).step_by(240) {
        counts[hour] = 1.0;
    }
    counts[8_400] = 260.0;
    let found = found(&[series("rare", counts, &frame)], &frame);
    assert!(found.iter().any(|one| one.sort == Sort::Block && one.seen == 260.0), "{found:?}");
}

#[test]
fn durations_that_grow_for_two_weeks_are_found() {
    let frame = frame(365);
    let mut rng = Rng(5);
    let slower = |day: i64| match day {
        231..245 => (1.0 + 3.0 * (day - 230) as f64 / 14.0).ln(),
        _ => 0.0,
    };
    let means: Vec<f64> = (0..365).map(|day| 5.5 + slower(day) + 0.15 * rng.normal()).collect();
    let found = examine(&[], &[("slow".to_string(), means, vec![50.0; 365])], &frame, ALARM).deviations;
    let days: Vec<(i64, bool)> = found
        .iter()
        .map(|one| ((one.from_us - frame.start_us) / crate::event::time::DAY_US, one.seen > one.expected))
        .collect();
    assert!(days.iter().any(|(day, slower)| (224..240).contains(day) && *slower), "{days:?}");
    assert!(days.iter().any(|(day, slower)| (243..250).contains(day) && !slower), "{days:?}");
}

#[test]
fn awkward_series_are_no_harm_and_no_news() {
    let short = Frame { buckets: 1, width_us: 60_000_000, last_us: frame(1).start_us, ..frame(1) };
    let empty = Frame { buckets: 0, ..short };
    let cases = [
        (empty, Vec::new()),
        (short, vec![1e6]),
        (frame(30), vec![0.0; 720]),
        (frame(30), vec![1e12; 720]),
        (frame(200), vec![7.0; 4_800]),
        (frame(200), vec![1.0; 4_800]),
    ];
    for (frame, counts) in cases {
        let name = format!("{} of {:?}", counts.len(), counts.first());
        assert_eq!(found(&[series("x", counts, &frame)], &frame), [], "{name}");
    }
    let mut rng = Rng(3);
    let wild: Vec<f64> = (0..4_800).map(|_| if rng.below(50) == 0 { 1e15 } else { 0.0 }).collect();
    let found = found(&[series("wild", wild, &frame(200))], &frame(200));
    assert!(found.iter().all(|one| (0.0..=1.0).contains(&one.p)), "{found:?}");
}

//! Patterns of whole stores: events of which it is known what is unusual, and fields with awkward names.

use super::*;
use crate::event::time::{DAY_US, HOUR_US, rfc3339};
use crate::query::analyses::{
    Actors, Analysis, Bursts, CoChanges, Facets, Patterns, Rhythms, Sequences, Statement, Templates,
    TemplatesReport, Timeline,
};
use crate::query::filter::Filter;
use crate::store::ask::{AskOptions, Asked};
use serde_json::{Value as Json, json};

/// A Monday.
const MONDAY_US: i64 = 20_486 * DAY_US;

/// splitmix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, share: f64) -> bool {
        (self.next() >> 11) as f64 / ((1_u64 << 53) as f64) < share
    }
}

fn stored(events: &[Json]) -> (Fixture, Store) {
    let fixture = Fixture::new("");
    let store = fixture.store();
    let lines: Vec<String> = events.iter().map(Json::to_string).collect();
    let receipt = ingest(&store, &lines.join("\n"));
    assert_eq!(receipt.stored, events.len() as u64);
    (fixture, store)
}

fn asked(store: &Store, templates: &Templates) -> TemplatesReport {
    store.templates(templates, &AskOptions::default()).unwrap()
}

fn read(text: &str) -> Filter {
    Filter::parse(text, &crate::query::filter::Context::without_clock()).unwrap()
}

/// Actors at work: each has kinds and hours of its own, and takes some more seldom than others.
fn at_work(rng: &mut Rng, days: i64, planted: &[(u64, i64, i64)]) -> Vec<Json> {
    const KINDS: [&str; 8] = ["read", "write", "move", "share", "print", "sign", "export", "lock"];
    let mut events = Vec::new();
    let mut add = |at_us: i64, actor: u64, kind: &str, entity_type: &str| {
        let (ts, actor) = (rfc3339(at_us), format!("actor{actor:02}"));
        events.push(json!({"ts": ts, "actor": actor, "kind": kind, "entity_type": entity_type}));
    };
    for actor in 0..20 {
        let own: Vec<&str> = (0..3).map(|_| KINDS[rng.below(6) as usize]).collect();
        let begins = 7 + rng.below(4) as i64;
        for day in (0..days).filter(|day| day % 7 < 5) {
            for hour in begins..begins + 3 + rng.below(4) as i64 {
                for _ in 0..1 + rng.below(4) {
                    let at_us = MONDAY_US + day * DAY_US + hour * HOUR_US + rng.below(3_600_000_000) as i64;
                    let kind = if rng.chance(0.02) { KINDS[6] } else { own[rng.below(3) as usize] };
                    add(at_us, actor, kind, if rng.chance(0.3) { "folder" } else { "page" });
                }
            }
        }
    }
    for (actor, day, hour) in planted {
        for minute in 0..3 {
            let at_us = MONDAY_US + day * DAY_US + hour * HOUR_US + minute * 60_000_000;
            add(at_us, *actor, "delete", "key");
        }
    }
    events
}

#[test]
fn hours_that_are_new_for_an_actor_are_found_and_seldom_others() {
    let find = |events: &[Json]| {
        let (_fixture, store) = stored(events);
        let report =
            store.find(&Actors { limit: 1_000, ..Actors::new(Filter::all()) }, &AskOptions::default());
        report.unwrap().unusual
    };
    let (mut hit, mut all, mut others) = (0, 0, 0);
    for seed in 0..10 {
        let mut rng = Rng(seed);
        // At night, what nobody does otherwise; each on another day.
        let first = rng.below(20);
        let planted: Vec<(u64, i64, i64)> = (0..3_u64)
            .map(|at| {
                ((first + 7 * at) % 20, 7 * (1 + at as i64) + rng.below(5) as i64, 2 + rng.below(3) as i64)
            })
            .collect();
        let unusual = find(&at_work(&mut rng, 40, &planted));
        let hour = |(actor, day, hour): &(u64, i64, i64)| {
            (format!("actor{actor:02}"), rfc3339(MONDAY_US + day * DAY_US + hour * HOUR_US))
        };
        let planted: BTreeSet<(String, String)> = planted.iter().map(hour).collect();
        all += planted.len();
        for found in &unusual {
            if planted.contains(&(found.actor.clone(), found.from.clone())) {
                hit += 1;
                assert!(found.new_hour.is_some() && found.events == 3, "{found:?}");
            } else {
                others += 1;
            }
        }
    }
    assert!(hit * 100 >= all * 95, "{hit} of {all}");
    assert!(others <= 2, "{others} beside {all}");
    // At most 1 % of worlds where nothing is planted may have any; more than two of twenty would be 1 in 1,000.
    let alarmed = (100..120).filter(|seed| !find(&at_work(&mut Rng(*seed), 40, &[])).is_empty()).count();
    assert!(alarmed <= 2, "{alarmed} of 20");
}

/// Sessions that go the usual path, with turns that some of them take; and some that take none of its steps.
fn visits(rng: &mut Rng, planted: &BTreeSet<u64>) -> Vec<Json> {
    const PATH: [&str; 8] = ["open", "login", "list", "view", "buy", "pay", "rate", "leave"];
    let mut events = Vec::new();
    for session in 0..400_u64 {
        let mut at_us = MONDAY_US + session as i64 * 600_000_000;
        let mut place = 0;
        let mut path = PATH;
        let is_usual = |pair: &[&str]| {
            matches!(pair, ["view", "list" | "leave"]) || PATH.windows(2).any(|own| own == pair)
        };
        while planted.contains(&session) && path.windows(2).any(is_usual) {
            (1..path.len()).rev().for_each(|at| path.swap(at, rng.below(at as u64) as usize));
        }
        loop {
            let kind = path[place];
            events.push(json!({"ts": rfc3339(at_us), "kind": kind, "session": format!("s{session}")}));
            at_us += 1_000_000 + rng.below(30_000_000) as i64;
            if place + 1 == PATH.len() {
                break;
            }
            // Some look at several things, and some go without buying.
            place = match place {
                other if planted.contains(&session) => other + 1,
                3 if rng.chance(0.4) => 2,
                3 if rng.chance(0.5) => 7,
                other => other + 1,
            };
        }
    }
    events
}

#[test]
fn sessions_that_leave_the_path_are_found_and_seldom_others() {
    let find = |events: &[Json]| -> BTreeSet<String> {
        let (_fixture, store) = stored(events);
        let sequences = Sequences { limit: 1_000, ..Sequences::new(Filter::all()) };
        let report = store.find(&sequences, &AskOptions::default()).unwrap();
        report.unusual.into_iter().map(|session| session.session).collect()
    };
    let (mut hit, mut all, mut others) = (0, 0, 0);
    for seed in 0..10 {
        let mut rng = Rng(seed);
        let planted: BTreeSet<u64> = (0..3).map(|_| rng.below(400)).collect();
        let found = find(&visits(&mut rng, &planted));
        let names: BTreeSet<String> = planted.iter().map(|session| format!("s{session}")).collect();
        all += names.len();
        hit += found.intersection(&names).count();
        others += found.difference(&names).count();
    }
    assert!(hit * 100 >= all * 95, "{hit} of {all}");
    assert!(others <= 1, "{others} beside {all}");
    let alarmed =
        (100..120).filter(|seed| !find(&visits(&mut Rng(*seed), &BTreeSet::new())).is_empty()).count();
    assert!(alarmed <= 2, "{alarmed} of 20");
}

/// Whatever the SQL of patterns calls something.
fn words_of(statements: &[Statement]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for statement in statements {
        let word = |char: char| !(char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
        words.extend(statement.sql.split(word).filter(|word| !word.is_empty()).map(str::to_string));
    }
    words.retain(|word| word.starts_with(|first: char| first.is_ascii_lowercase()));
    let is_fixed = |word: &str| crate::event::fixed::Fixed::ALL.iter().any(|fixed| fixed.name() == word);
    words.retain(|word| {
        !is_fixed(word) && !["recorded_at", "events", "text", "type", "user"].contains(&word.as_str())
    });
    words
}

/// A report without what names the filter or the number of an event, and without the last digits of numbers, which
/// depend on the order in which they were added up.
fn without_names(mut report: Json) -> Json {
    match &mut report {
        Json::Object(object) => {
            object.retain(|key, _| key != "show" && key != "seq");
            object.values_mut().for_each(|value| *value = without_names(value.take()));
        }
        Json::Array(array) => array.iter_mut().for_each(|value| *value = without_names(value.take())),
        Json::Number(number) if number.is_f64() => {
            report = json!(format!("{:.9e}", number.as_f64().unwrap()));
        }
        _ => {}
    }
    report
}

#[test]
fn fields_that_are_named_as_the_queries_name_things_make_no_difference() {
    let mut rng = Rng(5);
    let mut events = at_work(&mut rng, 14, &[(3, 8, 3)]);
    events.extend(visits(&mut rng, &BTreeSet::from([7])));
    for (at, event) in events.iter_mut().enumerate() {
        event["message"] = json!(format!("took {at} ms"));
        event["entity_id"] = json!(format!("e{}", at % 9));
        event["duration_ms"] = json!(at % 50 + 1);
        event["source"] = json!("web");
    }
    let (_plain, store) = stored(&events);
    fn all(store: &Store, filter: &Filter) -> (Vec<Statement>, Vec<Json>) {
        let (mut statements, mut reports) = (Vec::new(), Vec::new());
        let options = AskOptions::default();
        let asked = Asked::new(store, &options).unwrap();
        let mut add = |more: crate::Result<Vec<Statement>>, report: Json| {
            statements.extend(more.unwrap());
            reports.push(without_names(report));
        };
        fn made<A: Analysis>(asked: &Asked<'_>, analysis: &A) -> crate::Result<Vec<Statement>> {
            asked.scoped(|scope| analysis.statements(scope))
        }
        macro_rules! ask {
            ($($analysis:ident),*) => {$(
                let analysis = $analysis::new(filter.clone());
                add(made(&asked, &analysis), json!(store.find(&analysis, &options).unwrap()));
            )*};
        }
        ask!(Patterns, Bursts, Rhythms, Sequences, CoChanges, Actors);
        let templates = Templates::new(filter.clone());
        add(made(&asked, &templates), json!(store.templates(&templates, &options).unwrap()));
        (statements, reports)
    }
    let (statements, expected) = all(&store, &Filter::all());
    let words = words_of(&statements);
    for word in ["n", "us", "id", "who", "failed", "bin", "path", "counted", "chosen", "name"] {
        assert!(words.contains(word), "{word}: {words:?}");
    }
    for event in &mut events {
        for word in &words {
            event[word] = json!(1);
        }
    }
    let (_awkward, store) = stored(&events);
    assert_eq!(all(&store, &Filter::all()).1, expected);
    // Each of them in the filter too, so that its column is there.
    let words: Vec<&String> = words.iter().collect();
    for some in words.chunks(30) {
        let filter = some.iter().map(|word| format!("\"{word}\":1")).collect::<Vec<_>>().join(" ");
        assert_eq!(all(&store, &read(&filter)).1, expected, "{filter}");
    }
}

#[test]
fn an_old_id_of_a_template_stands_for_all_of_its_events() {
    let fixture = Fixture::new("");
    let store = fixture.store();
    let colours = ["red", "green", "blue", "black", "white", "grey", "pink"];
    for colour in colours {
        let message = format!("the lamp is {colour} today");
        store.append(&Event::new("said").message(&message), Durability::Os).unwrap();
        store.seal().unwrap();
    }
    append(&store, 0..3);
    ingest(&store, "{\"message\":\"nothing else\",\"ts\":\"2026-01-01T00:00:00Z\"}\n");
    let old = crate::mine::TemplateId::of("the lamp is red today").to_string();
    let new = crate::mine::TemplateId::of("the lamp is <*> today").to_string();
    let report = asked(&store, &Templates::new(Filter::all()));
    let counts: Vec<(&str, u64)> =
        report.templates.iter().map(|one| (one.template.as_deref().unwrap(), one.events)).collect();
    assert_eq!(counts, [("the lamp is <*> today", 7), ("nothing else", 1)]);
    // What has a template and what has none is all that there is.
    let all = numbers(&store, COUNT, At::Latest);
    assert_eq!([(report.events + report.without) as i64], *all);
    let lamp = &report.templates[0];
    assert_eq!((lamp.id.as_str(), lamp.sampled), (new.as_str(), 7));
    assert_eq!(
        (lamp.parameters[0].distinct, lamp.parameters[0].exact, lamp.parameters[0].kind),
        (7, true, "word")
    );
    for id in [&old, &new] {
        let filter = read(&format!("template:{id}"));
        assert_eq!(asked(&store, &Templates::new(filter.clone())).events, 7, "{id}");
        let search = crate::query::analyses::Search::new(filter);
        let found = store.search(&search, &AskOptions::default()).unwrap();
        assert_eq!(found.batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 7, "{id}");
        let one = Templates { template: Some(id[..6].to_string()), ..Templates::new(Filter::all()) };
        let report = asked(&store, &one);
        assert_eq!((report.templates.len(), report.templates[0].events), (1, 7), "{id}");
        // Others are those of no other template and of none.
        let others = read(&format!("-template:{id}"));
        let count = asked(&store, &Templates::new(others));
        assert_eq!((count.events, count.without), (1, 3), "{id}");
    }
    let facets = store.ask(&Facets::by(["template"]), &AskOptions::default()).unwrap();
    let counts: Vec<(&str, u64)> =
        facets.facets[0].values.iter().map(|value| (value.value.as_str(), value.count)).collect();
    assert_eq!((counts[0], counts.len()), ((new.as_str(), 7), 2));
    let timeline: Timeline = serde_json::from_value(json!({"by": "template"})).unwrap();
    let buckets = store.ask(&timeline, &AskOptions::default()).unwrap().buckets;
    let lamps = buckets.iter().filter_map(|bucket| bucket.by.as_ref()).map(|by| by.get(&new).unwrap_or(0));
    assert_eq!(lamps.sum::<u64>(), 7);
    for wrong in ["zz", "0000000000000000"] {
        let one = Templates { template: Some(wrong.to_string()), ..Templates::new(Filter::all()) };
        let error = store.templates(&one, &AskOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[test]
fn a_template_that_becomes_part_of_another_one_is_neither_silent_nor_new() {
    let said = |days: std::ops::Range<i64>, colour: &dyn Fn(i64) -> &'static str| {
        let mut rng = Rng(days.start as u64);
        let mut lines = String::new();
        for hour in days.start * 24..days.end * 24 {
            for _ in 0..3 + rng.below(3) {
                let ts = rfc3339(MONDAY_US + hour * HOUR_US + rng.below(3_600_000_000) as i64);
                let message = format!("the lamp is {} today", colour(rng.below(7) as i64));
                lines.push_str(&format!("{}\n", json!({"ts": ts, "message": message})));
            }
        }
        lines
    };
    let fixture = Fixture::new("");
    let store = fixture.store();
    ingest(&store, &said(0..30, &|_| "red"));
    let colours = ["red", "green", "blue", "black", "white", "grey", "pink"];
    ingest(&store, &said(30..60, &|at| colours[at as usize]));
    assert_eq!(numbers(&store, "SELECT count(DISTINCT template) FROM events", At::Latest), [2]);
    let report = store.find(&Bursts::new(Filter::all()), &AskOptions::default()).unwrap();
    assert_eq!(report.findings, []);
}

//! Reports as tables.

use daybook::query::analyses::{ActorsReport, CoChangesReport, Entity, RhythmsReport, SequencesReport};

use super::findings::{command, remarks, write};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::printer::paint;
use crate::table::{self, Column, Look, Text};

pub fn visible(text: &str) -> Text {
    Some(escape::visible(text).into_owned())
}

pub fn count(number: u64) -> Text {
    Some(human::count(number))
}

/// A table below its title; nothing without rows.
pub fn section(context: &Context<'_>, title: &str, columns: &[Column], rows: &[Vec<Text>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    format!("{}\n{}\n", paint(look.color, "1", title), table::render(columns, rows, look))
}

/// Text of sections, without the last blank line.
pub fn sections(context: &Context<'_>, parts: &[String], none: &str) -> Result<(), Failure> {
    let text = parts.concat();
    if text.is_empty() {
        context.printer.note(none);
        return Ok(());
    }
    write(context, text.strip_suffix('\n').unwrap_or(&text))
}

/// `12 s`, `3 min 20 s`, `2.5 h`, `3.1 d`.
fn seconds(value: f64) -> Text {
    Some(match value {
        value if value < 3_600.0 => human::seconds(value),
        value if value < 172_800.0 => format!("{:.1} h", value / 3_600.0),
        value => format!("{:.1} d", value / 86_400.0),
    })
}

/// What follows what.
pub fn sequences(context: &Context<'_>, report: &SequencesReport) -> Result<(), Failure> {
    let pairs: Vec<Vec<Text>> = report
        .pairs
        .iter()
        .map(|pair| {
            vec![
                visible(&pair.first),
                visible(&pair.then),
                count(pair.support),
                Some(human::share(pair.confidence)),
                Some(format!("{:.1}", pair.lift)),
                seconds(pair.seconds_median),
                seconds(pair.seconds_p90),
            ]
        })
        .collect();
    let pair_columns = [
        Column::text("kind"),
        Column::text("then"),
        Column { rank: 1, ..Column::number("times") },
        Column { rank: 1, ..Column::number("confidence") },
        Column { rank: 2, ..Column::number("lift") },
        Column { rank: 3, ..Column::number("median") },
        Column { rank: 4, ..Column::number("p90") },
    ];
    let paths: Vec<Vec<Text>> = report
        .paths
        .iter()
        .map(|path| {
            vec![count(path.support), Some(human::share(path.confidence)), visible(&path.kinds.join(" → "))]
        })
        .collect();
    let path_columns = [Column::number("times"), Column::number("confidence"), Column::text("path")];
    let title = format!(
        "What follows what: {} pairs in {}, {}",
        human::count(report.pairs_found),
        human::counted(report.sessions, "session", "sessions"),
        human::counted(report.steps, "step", "steps")
    );
    sections(
        context,
        &[
            section(context, &title, &pair_columns, &pairs),
            section(context, "Frequent paths", &path_columns, &paths),
            sessions(context, report),
        ],
        "no event of a session or an actor follows another one",
    )?;
    remarks(context, report.alarm, &report.left_out);
    Ok(())
}

/// The sessions that leave the usual path.
fn sessions(context: &Context<'_>, report: &SequencesReport) -> String {
    let zone = context.global.zone;
    let unusual: Vec<Vec<Text>> = report
        .unusual
        .iter()
        .map(|session| {
            vec![
                Some(zone.restate(&session.from)),
                visible(&session.session),
                count(session.steps),
                Some(format!("{:.1}", session.likelihood)),
                visible(&session.rarest.join(" → ")),
                count(session.rarest_support),
                Some(command(context, &session.show)),
            ]
        })
        .collect();
    let unusual_columns = [
        Column { rigid: true, ..Column::text("from") },
        Column { rank: 1, ..Column::text("session") },
        Column { rank: 2, ..Column::number("steps") },
        Column { rank: 3, ..Column::number("likelihood") },
        Column { rank: 2, ..Column::text("rarest step") },
        Column { rank: 3, ..Column::number("elsewhere") },
        Column { rank: 4, ..Column::text("events") },
    ];
    section(context, "Sessions that leave the usual path", &unusual_columns, &unusual)
}

/// What has a period.
pub fn rhythms(context: &Context<'_>, report: &RhythmsReport) -> Result<(), Failure> {
    let zone = context.global.zone;
    let rows: Vec<Vec<Text>> = report
        .rhythms
        .iter()
        .map(|rhythm| {
            let missed = rhythm.missed_at.last().map(|last| zone.restate(last));
            vec![
                visible(&rhythm.value),
                visible(&rhythm.every),
                seconds(rhythm.jitter_seconds),
                count(rhythm.turns),
                count(rhythm.missed),
                count(rhythm.extra),
                missed,
                Some(zone.restate(&rhythm.last)),
            ]
        })
        .collect();
    let columns = [
        Column::text(escape::visible(&report.by)),
        Column { rank: 1, ..Column::text("every") },
        Column { rank: 3, ..Column::number("jitter") },
        Column { rank: 2, ..Column::number("due") },
        Column { rank: 1, ..Column::number("missed") },
        Column { rank: 4, ..Column::number("extra") },
        Column { rank: 2, rigid: true, ..Column::text("last missed") },
        Column { rank: 5, rigid: true, ..Column::text("last") },
    ];
    let title = format!(
        "{} of {} with a rhythm",
        human::count(report.found),
        human::counted(report.values, "value", "values")
    );
    sections(context, &[section(context, &title, &columns, &rows)], "nothing comes again and again")?;
    remarks(context, report.alarm, &report.left_out);
    Ok(())
}

fn entity(entity: &Entity) -> Text {
    match &entity.entity_type {
        Some(entity_type) => visible(&format!("{entity_type}:{}", entity.entity_id)),
        None => visible(&entity.entity_id),
    }
}

/// What changes together, and what changes most.
pub fn changes(context: &Context<'_>, report: &CoChangesReport) -> Result<(), Failure> {
    let zone = context.global.zone;
    let together: Vec<Vec<Text>> = report
        .together
        .iter()
        .map(|pair| {
            let [of_one, of_other] = pair.confidence;
            vec![
                entity(&pair.one),
                entity(&pair.other),
                count(pair.support),
                Some(human::share(of_one)),
                Some(human::share(of_other)),
                Some(format!("{:.1}", pair.lift)),
            ]
        })
        .collect();
    let together_columns = [
        Column::text("entity"),
        Column::text("and"),
        Column { rank: 1, ..Column::number("times") },
        Column { rank: 2, ..Column::number("of first") },
        Column { rank: 2, ..Column::number("of second") },
        Column { rank: 3, ..Column::number("lift") },
    ];
    let most: Vec<Vec<Text>> = report
        .most_changed
        .iter()
        .map(|spot| {
            let last = spot.last.as_deref().map(|last| zone.restate(last));
            vec![entity(&spot.entity), count(spot.events), count(spot.actors), last]
        })
        .collect();
    let most_columns = [
        Column::text("entity"),
        Column { rank: 1, ..Column::number("events") },
        Column { rank: 2, ..Column::number("actors") },
        Column { rank: 3, rigid: true, ..Column::text("last") },
    ];
    let title = format!(
        "What changes together: {} on {}",
        human::counted(report.together_found, "pair", "pairs"),
        human::counted(report.occasions, "occasion", "occasions")
    );
    let hot = format!("What changes most, of {}", human::counted(report.entities, "entity", "entities"));
    sections(
        context,
        &[
            section(context, &title, &together_columns, &together),
            section(context, &hot, &most_columns, &most),
        ],
        "no event is about an entity",
    )?;
    remarks(context, report.alarm, &report.left_out);
    Ok(())
}

/// Who does most, and what is new for whom.
pub fn actors(context: &Context<'_>, report: &ActorsReport) -> Result<(), Failure> {
    let zone = context.global.zone;
    let unusual: Vec<Vec<Text>> = report
        .unusual
        .iter()
        .map(|hour| {
            vec![
                Some(zone.restate(&hour.from)),
                visible(&hour.actor),
                count(hour.events),
                visible(&hour.novelty()),
                count(hour.other_hours),
                Some(format!("{:.1}", hour.score)),
                Some(command(context, &hour.show)),
            ]
        })
        .collect();
    let unusual_columns = [
        Column { rigid: true, ..Column::text("from") },
        Column { rank: 1, ..Column::text("actor") },
        Column { rank: 2, ..Column::number("events") },
        Column { rank: 1, ..Column::text("new") },
        Column { rank: 3, ..Column::number("other hours") },
        Column { rank: 3, ..Column::number("score") },
        Column { rank: 4, ..Column::text("events") },
    ];
    let active: Vec<Vec<Text>> = report
        .most_active
        .iter()
        .map(|one| {
            let last = one.last.as_deref().map(|last| zone.restate(last));
            vec![
                visible(&one.actor),
                count(one.events),
                count(one.errors),
                count(one.kinds),
                count(one.days),
                last,
            ]
        })
        .collect();
    let active_columns = [
        Column::text("actor"),
        Column { rank: 1, ..Column::number("events") },
        Column { rank: 2, ..Column::number("errors") },
        Column { rank: 2, ..Column::number("kinds") },
        Column { rank: 3, ..Column::number("days") },
        Column { rank: 4, rigid: true, ..Column::text("last") },
    ];
    let hours = human::counted(report.hours, "hour", "hours");
    let title = format!("Unusual for an actor, of {hours} in which any did something");
    let most = format!("Most active, of {}", human::counted(report.actors, "actor", "actors"));
    sections(
        context,
        &[
            section(context, &title, &unusual_columns, &unusual),
            section(context, &most, &active_columns, &active),
        ],
        "no event has an actor",
    )?;
    remarks(context, report.alarm, &report.left_out);
    Ok(())
}

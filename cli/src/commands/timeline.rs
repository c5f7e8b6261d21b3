//! `daybook timeline`: how many events there are in each stretch of time.

use daybook::query::analyses::{Bucket, Timeline, TimelineReport};

use super::asking::ask;
use crate::args::{TimelineInput, Zone};
use crate::context::Context;
use crate::failure::Failure;
use crate::human;
use crate::printer::paint;
use crate::table::{self, Column, Look, Text};

/// The width of a bar where there is no terminal, and the least.
const BAR: usize = 40;
const BAR_LEAST: usize = 10;

/// Counts, and prints a bar for each stretch.
pub fn run(context: &Context<'_>, input: &TimelineInput) -> Result<(), Failure> {
    let report = ask(context, &input.filter, |store, filter, options| {
        let timeline = Timeline { filter, every: input.every, by: input.by.clone(), limit: input.limit };
        Ok(store.ask(&timeline, options)?)
    })?;
    if context.printer.json() {
        return context.printer.object(&report);
    }
    if report.buckets.is_empty() {
        context.printer.note("no event matches");
        return Ok(());
    }
    let look = Look { width: context.printer.width(), color: context.printer.stdout().color };
    let zone = context.global.zone;
    let text = match report.by {
        Some(_) => split(&report, zone, look),
        None => bars(&report, zone, look),
    };
    let mut data = context.printer.styled();
    data.write(text.as_bytes())?;
    data.finish()
}

/// Stretches of whole days are days in UTC.
fn beginning(bucket: &Bucket, every: &str, zone: Zone) -> String {
    match bucket.ts.split_once('T') {
        Some((day, _)) if every.ends_with('d') => day.to_string(),
        _ => zone.restate(&bucket.ts).replace(":00Z", "Z").replacen('T', " ", 1),
    }
}

/// A line for each stretch, below the names of what stands in it; errors have a column if there are any.
fn bars(report: &TimelineReport, zone: Zone, look: Look) -> String {
    let most = report.buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0).max(1);
    let has_errors = report.buckets.iter().any(|bucket| bucket.errors > 0);
    let mut lines = vec![["from", "events", "errors"].map(str::to_string)];
    lines.extend(report.buckets.iter().map(|bucket| {
        [beginning(bucket, report.every, zone), human::count(bucket.count), human::count(bucket.errors)]
    }));
    let width = |of: fn(&[String; 3]) -> &String| lines.iter().map(|line| of(line).len()).max().unwrap_or(0);
    let (times, counts) = (width(|[time, ..]| time), width(|[_, count, _]| count));
    let errors = if has_errors { width(|[.., errors]| errors) + 2 } else { 0 };
    let room = look.width.map_or(BAR, |width| width.saturating_sub(times + counts + errors + 4));
    let room = room.clamp(BAR_LEAST, 100);
    let line = |[time, count, of_errors]: &[String; 3], bar: &str| {
        let of_errors = if has_errors { of_errors.as_str() } else { "" };
        format!("{time:<times$}  {count:>counts$}{of_errors:>errors$}  {bar}").trim_end().to_string()
    };
    let mut buckets = report.buckets.iter();
    let mut text = String::new();
    for (number, parts) in lines.iter().enumerate() {
        let bar = match number {
            0 => String::new(),
            _ => buckets.next().map(|bucket| bar(bucket, most, room, look.color)).unwrap_or_default(),
        };
        let line = line(parts, &bar);
        text.push_str(&if number == 0 { paint(look.color, "1", &line) } else { line });
        text.push('\n');
    }
    text
}

/// A bar in eighths of a character; the part that is errors comes first, and is red where there are colors.
fn bar(bucket: &Bucket, most: u64, room: usize, color: bool) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = |count: u64| (count as f64 / most as f64 * room as f64 * 8.0).round() as usize;
    let length = eighths(bucket.count).max(usize::from(bucket.count > 0));
    let whole = length / 8;
    let errors = if bucket.errors == 0 {
        0
    } else {
        (eighths(bucket.errors) / 8).clamp(usize::from(whole > 0), whole)
    };
    let last = EIGHTHS.get(length % 8).copied().unwrap_or_default();
    let (of_errors, of_others) = ("█".repeat(errors), "█".repeat(whole.saturating_sub(errors)));
    let of_others = format!("{of_others}{last}");
    if errors == 0 { of_others } else { format!("{}{of_others}", paint(color, "31", &of_errors)) }
}

/// A column for each value.
fn split(report: &TimelineReport, zone: Zone, look: Look) -> String {
    let mut columns = vec![Column { rigid: true, ..Column::text("from") }, Column::number("events")];
    columns.extend(report.values.iter().map(Column::number));
    columns.push(Column::number("other"));
    let rows: Vec<Vec<Text>> = report
        .buckets
        .iter()
        .map(|bucket| {
            let mut row = vec![beginning(bucket, report.every, zone), human::count(bucket.count)];
            let of = |value: &String| bucket.by.as_ref().and_then(|by| by.get(value)).unwrap_or(0);
            row.extend(report.values.iter().map(|value| human::count(of(value))));
            row.push(human::count(bucket.other.unwrap_or(0)));
            row.into_iter().map(Some).collect()
        })
        .collect();
    table::render(&columns, &rows, look)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(count: u64, errors: u64) -> Bucket {
        Bucket { ts: "2026-02-03T04:00:00Z".to_string(), count, errors, by: None, other: None }
    }

    #[test]
    fn bars_are_as_long_as_their_counts() {
        let check =
            |count, errors, expected: &str| assert_eq!(bar(&bucket(count, errors), 100, 10, false), expected);
        check(100, 0, "██████████");
        check(50, 50, "█████");
        check(5, 0, "▌");
        check(1, 1, "▏");
        check(0, 0, "");
    }

    #[test]
    fn errors_are_red_where_there_are_colors() {
        assert_eq!(bar(&bucket(100, 20), 100, 10, true), "\u{1b}[31m██\u{1b}[0m████████");
        assert_eq!(bar(&bucket(100, 1), 100, 10, true), "\u{1b}[31m█\u{1b}[0m█████████");
    }

    #[test]
    fn days_are_days_and_hours_are_times() {
        assert_eq!(beginning(&bucket(1, 0), "1d", Zone::Utc), "2026-02-03");
        assert_eq!(beginning(&bucket(1, 0), "1h", Zone::Utc), "2026-02-03 04:00Z");
    }
}

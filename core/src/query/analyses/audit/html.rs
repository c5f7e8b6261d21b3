//! The report as one HTML file: no scripts, nothing loaded, and it prints well.

use super::write::{
    Body, Section, Stretch, counted, entity, headline, number, period, sections, shown, time,
};
use super::{AuditReport, EntityHistory};
use crate::query::analyses::{Changed, Difference};

const STYLE: &str = include_str!("style.css");
/// The size of the chart, in units of its own.
const CHART_WIDTH: f64 = 1000.0;
const CHART_HEIGHT: f64 = 150.0;

pub(super) fn write(report: &AuditReport) -> String {
    let period = escaped(&period(report));
    let sections = sections(report);
    let links: String = sections
        .iter()
        .map(|section| format!("<a href=\"#{}\">{}</a>", section.id, escaped(section.title)))
        .collect();
    let filter = match report.filter.as_str() {
        "*" => String::new(),
        filter => format!("<p>Only events that match <code>{}</code></p>\n", escaped(filter)),
    };
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Audit report {period}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Audit report</h1>\n<p class=\"period\">{period}</p>\n\
         <p>Made at {made}. Times are UTC.</p>\n{filter}<nav>{links}</nav>\n</header>\n",
        made = escaped(&time(&report.period.made_at)),
    );
    for section in &sections {
        let half = if ["kinds", "actors"].contains(&section.id) { " class=\"half\"" } else { "" };
        text.push_str(&format!(
            "<section id=\"{}\"{half}>\n<h2>{}</h2>\n",
            section.id,
            escaped(section.title)
        ));
        if !section.note.is_empty() {
            text.push_str(&format!("<p>{}</p>\n", escaped(&section.note)));
        }
        write_body(section, &mut text);
        text.push_str("</section>\n");
    }
    text.push_str("<footer>Made by Daybook. The same report as JSON has every value whole.</footer>\n");
    text.push_str("</body>\n</html>\n");
    text
}

fn write_body(section: &Section<'_>, text: &mut String) {
    match &section.body {
        Body::Pairs(pairs) if section.id == "chain" => heads(pairs, text),
        Body::Pairs(pairs) => tiles(pairs, text),
        Body::Counts { of, counts, left_out } => bars(of, counts, *left_out, text),
        Body::Course(stretches) => chart(stretches, text),
        Body::Table { columns, rows } => table(columns, rows, text),
        Body::Changes(entities) => changes(entities, text),
    }
}

const NONE: &str = "<p class=\"none\">None.</p>\n";

fn tiles(pairs: &[(&str, String)], text: &mut String) {
    text.push_str("<dl class=\"tiles\">\n");
    for (name, value) in pairs {
        let class = if name.ends_with(" event") { " class=\"time\"" } else { "" };
        text.push_str(&format!("<div{class}><dt>{}</dt><dd>{}</dd></div>\n", escaped(name), escaped(value)));
    }
    text.push_str("</dl>\n");
}

fn heads(pairs: &[(&str, String)], text: &mut String) {
    text.push_str("<dl class=\"heads\">\n");
    for (name, value) in pairs {
        text.push_str(&format!("<dt>{}</dt><dd class=\"hash\">{}</dd>\n", escaped(name), escaped(value)));
    }
    text.push_str("</dl>\n");
}

fn bars(of: &str, counts: &[(String, u64)], left_out: usize, text: &mut String) {
    let Some(most) = counts.iter().map(|(_, count)| *count).max().filter(|most| *most > 0) else {
        return text.push_str(NONE);
    };
    let head =
        format!("<thead><tr><th>{}</th><th class=\"n\">events</th><th></th></tr></thead>", escaped(of));
    text.push_str(&format!("<table class=\"counts\">\n{head}\n<tbody>\n"));
    for (value, count) in counts {
        let share = *count as f64 / most as f64 * 100.0;
        text.push_str(&format!(
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"bar\"><i style=\"width:{share:.1}%\"></i></td></tr>\n",
            escaped(value),
            number(*count),
        ));
    }
    text.push_str("</tbody>\n</table>\n");
    if left_out > 0 {
        text.push_str(&format!("<p class=\"none\">And {} more.</p>\n", number(left_out as u64)));
    }
}

fn chart(stretches: &[Stretch], text: &mut String) {
    let most = stretches.iter().map(|stretch| stretch.events).max().filter(|most| *most > 0);
    let (Some(most), Some(first), Some(last)) = (most, stretches.first(), stretches.last()) else {
        return text.push_str(NONE);
    };
    let step = CHART_WIDTH / stretches.len() as f64;
    let width = (step * 0.86).min(60.0);
    text.push_str(&format!(
        "<figure class=\"chart\">\n<svg viewBox=\"0 0 {CHART_WIDTH} {CHART_HEIGHT}\" preserveAspectRatio=\"none\" \
         role=\"img\" aria-label=\"Events over time\">\n"
    ));
    for (place, stretch) in stretches.iter().enumerate() {
        let left = place as f64 * step + (step - width) / 2.0;
        let height = |count: u64| count as f64 / most as f64 * (CHART_HEIGHT - 2.0);
        let bar = |class: &str, count: u64| match count {
            0 => String::new(),
            _ => {
                let (height, top) = (height(count).max(1.0), CHART_HEIGHT - height(count).max(1.0));
                format!(
                    "<rect class=\"{class}\" x=\"{left:.2}\" y=\"{top:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/>"
                )
            }
        };
        let title = format!(
            "{}: {}, {}",
            stretch.name,
            counted(stretch.events, "event", "events"),
            counted(stretch.errors, "error", "errors")
        );
        let (all, bad) = (bar("all", stretch.events), bar("bad", stretch.errors));
        text.push_str(&format!("<g><title>{}</title>{all}{bad}</g>\n", escaped(&title)));
    }
    text.push_str(&format!(
        "<line x1=\"0\" x2=\"{CHART_WIDTH}\" y1=\"{CHART_HEIGHT}\" y2=\"{CHART_HEIGHT}\"/>\n</svg>\n<figcaption>\
         <span>{}</span><span><span class=\"key\">events, at most {}</span><span class=\"key errors\">errors</span>\
         </span><span>{}</span></figcaption>\n</figure>\n",
        escaped(&first.name),
        number(most),
        escaped(&last.name),
    ));
}

fn table(columns: &[&str], rows: &[Vec<String>], text: &mut String) {
    if rows.is_empty() {
        return text.push_str(NONE);
    }
    let class = |name: &str| match name {
        "when" | "from" | "to" => " class=\"when\"",
        "events" | "errors" | "hours" => " class=\"n\"",
        _ => "",
    };
    let cells = |tag: &str, cells: &[&str]| -> String {
        let cell = |(name, cell): (&&str, &&str)| format!("<{tag}{}>{}</{tag}>", class(name), escaped(cell));
        columns.iter().zip(cells).map(cell).collect()
    };
    text.push_str(&format!("<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n", cells("th", columns)));
    for row in rows {
        let row: Vec<&str> = row.iter().map(String::as_str).collect();
        text.push_str(&format!("<tr>{}</tr>\n", cells("td", &row)));
    }
    text.push_str("</tbody>\n</table>\n");
}

fn changes(entities: &[EntityHistory], text: &mut String) {
    if entities.is_empty() {
        return text.push_str(NONE);
    }
    for of in entities {
        text.push_str(&format!("<h3>{}</h3>\n", escaped(&entity(of))));
        of.changes.iter().for_each(|changed| change(changed, text));
    }
}

fn change(changed: &Changed, text: &mut String) {
    let [when, what, who, message] = headline(&changed.event).map(|part| escaped(&part));
    let by = if who.is_empty() { String::new() } else { format!(" by <b>{who}</b>") };
    text.push_str(&format!(
        "<div class=\"change\"><p><span class=\"when\">{when}</span>{what}{by} <span class=\"message\">{message}</span></p>\n"
    ));
    if !changed.diff.is_empty() {
        let rows: String = changed.diff.iter().map(difference).collect();
        text.push_str(&format!("<table class=\"diff\"><tbody>\n{rows}</tbody></table>\n"));
    }
    text.push_str("</div>\n");
}

fn difference(difference: &Difference) -> String {
    let path = if difference.path.is_empty() { "the whole" } else { &difference.path };
    if !difference.lines.is_empty() {
        let lines: Vec<String> = difference.lines.iter().map(|line| marked(line)).collect();
        return format!("<tr><td>{}</td><td colspan=\"2\">{}</td></tr>\n", escaped(path), lines.join("\n"));
    }
    let side = |tag: &str, value: Option<&serde_json::Value>| match value {
        Some(_) => format!("<{tag}>{}</{tag}>", escaped(&shown(value))),
        None => String::new(),
    };
    let (before, after) = (side("del", difference.before.as_ref()), side("ins", difference.after.as_ref()));
    format!("<tr><td>{}</td><td>{before}</td><td>{after}</td></tr>\n", escaped(path))
}

/// A line of a difference between texts, by its sign.
fn marked(line: &str) -> String {
    match line.chars().next() {
        Some('-') => format!("<del>{}</del>", escaped(line)),
        Some('+') => format!("<ins>{}</ins>", escaped(line)),
        _ => escaped(line),
    }
}

/// Text that is no markup. What would change the direction or the look of text around it is not shown.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(char),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push('\u{fffd}'),
            char if char.is_control() => safe.push('\u{fffd}'),
            char => safe.push(char),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::{Counts, Totals};
    use super::*;
    use crate::query::analyses::diff;

    #[test]
    fn hostile_text_is_text() {
        let hostile = "</td><script>alert('x')</script>\u{1b}\u{0}\u{202e}&\"".to_string();
        let event = serde_json::json!({"ts": hostile, "kind": hostile, "message": hostile, "actor": hostile});
        let event = event.as_object().cloned().unwrap();
        let state = serde_json::json!({ hostile.clone(): hostile }).to_string();
        let changed = Changed { event: event.clone(), diff: diff(None, Some(&state)) };
        let report = AuditReport {
            filter: hostile.clone(),
            totals: Totals { events: 1, ..Totals::default() },
            by_kind: Counts(vec![(hostile.clone(), 1)]),
            failures: vec![event.clone()],
            upkeep: vec![event],
            changes: vec![EntityHistory {
                entity_type: Some(hostile.clone()),
                entity_id: Some(hostile),
                changes: vec![changed],
            }],
            ..AuditReport::default()
        };
        let html = write(&report);
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)"));
        assert!(!html.chars().any(|char| (char.is_control() && char != '\n') || char == '\u{202e}'));
        assert!(!html.contains("http://") && !html.contains("https://"));
    }
}

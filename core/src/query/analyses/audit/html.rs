//! The report as one HTML file: no scripts, nothing loaded, and it prints well.

use super::AuditReport;
use super::write::sections;

const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;color:#1a1a1a;max-width:72rem;margin:2rem auto;\
padding:0 1rem}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #ccc}\
table{border-collapse:collapse;width:100%;font-size:12px}th,td{text-align:left;vertical-align:top;\
padding:.25rem .5rem;border-bottom:1px solid #e2e2e2;overflow-wrap:anywhere}th{background:#f4f4f4}\
td{white-space:pre-wrap;unicode-bidi:isolate}.none{color:#666}\
@media print{body{margin:0;max-width:none;font-size:10pt}table{font-size:8pt}thead{display:table-header-group}\
tr{break-inside:avoid}h2{break-after:avoid}@page{margin:15mm}}";

pub(super) fn write(report: &AuditReport) -> String {
    let period = &report.period;
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Audit report {from} until {until}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Audit report</h1>\n<p>From {from} until {until}, made at {made}.</p>\n",
        from = escaped(&period.from),
        until = escaped(&period.until),
        made = escaped(&period.made_at),
    );
    for section in sections(report) {
        text.push_str(&format!("<section>\n<h2>{}</h2>\n", escaped(section.title)));
        if !section.note.is_empty() {
            text.push_str(&format!("<p>{}</p>\n", escaped(&section.note)));
        }
        if section.rows.is_empty() {
            text.push_str("<p class=\"none\">None.</p>\n</section>\n");
            continue;
        }
        let cells = |tag: &str, cells: &[&str]| {
            let cell = |cell: &&str| format!("<{tag}>{}</{tag}>", escaped(cell));
            cells.iter().map(cell).collect::<String>()
        };
        let head = cells("th", &section.columns);
        text.push_str(&format!("<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"));
        for row in &section.rows {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            text.push_str(&format!("<tr>{}</tr>\n", cells("td", &row)));
        }
        text.push_str("</tbody>\n</table>\n</section>\n");
    }
    text.push_str("</body>\n</html>\n");
    text
}

/// Text that is no markup.
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

    #[test]
    fn hostile_text_is_text() {
        let hostile = "</td><script>alert('x')</script>\u{1b}\u{0}&\"".to_string();
        let report = AuditReport {
            filter: hostile.clone(),
            totals: Totals { events: 1, ..Totals::default() },
            by_kind: Counts(vec![(hostile, 1)]),
            ..AuditReport::default()
        };
        let html = write(&report);
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)"));
        assert!(!html.chars().any(|char| char.is_control() && char != '\n'));
        assert!(!html.contains("http://") && !html.contains("https://"));
    }
}

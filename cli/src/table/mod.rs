//! Rows as an aligned table that fits the terminal.

mod fit;
mod rows;
mod star;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use rows::{LeftOut, RowsTable};
pub use star::selects_all;

use crate::escape;
use crate::printer::paint;
use fit::Need;

/// What stands for NULL.
const NULL: &str = "∅";
const GAP: &str = "  ";

/// A column: its name, and how its values are laid out.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    /// Its values are aligned to the right.
    pub numeric: bool,
    /// Its values are shown whole or not at all.
    pub rigid: bool,
    /// Where not all columns fit, those of a lower rank are shown first.
    pub rank: usize,
}

impl Column {
    /// A column of text.
    pub fn text(name: impl Into<String>) -> Column {
        Column { name: name.into(), numeric: false, rigid: false, rank: 0 }
    }

    /// A column of numbers.
    pub fn number(name: impl Into<String>) -> Column {
        Column { name: name.into(), numeric: true, rigid: true, rank: 0 }
    }
}

/// How a table looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The columns of the terminal; `None`: nothing is cut.
    pub width: Option<usize>,
    pub color: bool,
}

/// Where the columns of a table stand, decided from its first rows.
#[derive(Debug)]
pub struct Layout {
    /// The position and width of each column that is shown.
    shown: Vec<(usize, usize)>,
    /// The positions of those that do not fit.
    pub unfit: Vec<usize>,
    look: Look,
}

/// The text of a cell on one line; `None` is NULL.
pub type Text = Option<String>;

impl Layout {
    /// Decides how `columns` stand, showing those that `wanted` names, from their first rows.
    pub fn new(columns: &[Column], wanted: &[usize], rows: &[Vec<Text>], look: Look) -> Layout {
        let needs: Vec<Need> = wanted
            .iter()
            .filter_map(|place| columns.get(*place).map(|column| need(column, *place, rows)))
            .collect();
        let fitting = fit::widths(&needs, look.width);
        let shown: Vec<(usize, usize)> =
            fitting.iter().filter_map(|(number, width)| Some((*wanted.get(*number)?, *width))).collect();
        let is_shown = |place: &usize| shown.iter().any(|(shown, _)| shown == place);
        let unfit = wanted.iter().filter(|place| !is_shown(place)).copied().collect();
        Layout { shown, unfit, look }
    }

    /// The names and the rule below them.
    pub fn header(&self, columns: &[Column]) -> String {
        let mut names = String::new();
        let mut rule = String::new();
        for (number, (column, width)) in
            self.shown.iter().filter_map(|(place, width)| Some((columns.get(*place)?, *width))).enumerate()
        {
            if number > 0 {
                names.push_str(GAP);
                rule.push_str(GAP);
            }
            let name = self.cut(&escape::visible(&column.name), width);
            names.push_str(&pad(&name, width, column.numeric));
            rule.push_str(&"─".repeat(width));
        }
        let color = self.look.color;
        format!("{}\n{}\n", paint(color, "1", names.trim_end()), paint(color, "2", &rule))
    }

    /// One row.
    pub fn row(&self, columns: &[Column], row: &[Text]) -> String {
        let mut line = String::new();
        let last = self.shown.len().saturating_sub(1);
        for (number, (place, width)) in self.shown.iter().enumerate() {
            if number > 0 {
                line.push_str(GAP);
            }
            let numeric = columns.get(*place).is_some_and(|column| column.numeric);
            let text = row.get(*place).and_then(Option::as_deref);
            let padded = match text {
                Some(text) => pad(&self.cut(text, *width), *width, numeric),
                None => pad(NULL, *width, numeric).replace(NULL, &paint(self.look.color, "2", NULL)),
            };
            line.push_str(if number == last { padded.trim_end() } else { &padded });
        }
        line.push('\n');
        line
    }

    fn cut(&self, text: &str, width: usize) -> String {
        if self.look.width.is_none() { text.to_string() } else { cut(text, width) }
    }
}

/// A whole table.
pub fn render(columns: &[Column], rows: &[Vec<Text>], look: Look) -> String {
    let wanted: Vec<usize> = (0..columns.len()).collect();
    let layout = Layout::new(columns, &wanted, rows, look);
    let mut text = layout.header(columns);
    for row in rows {
        text.push_str(&layout.row(columns, row));
    }
    text
}

fn need(column: &Column, place: usize, rows: &[Vec<Text>]) -> Need {
    let name = escape::visible(&column.name).width();
    let values = rows
        .iter()
        .filter_map(|row| row.get(place))
        .map(|text| text.as_deref().map_or(1, UnicodeWidthStr::width))
        .max()
        .unwrap_or(0);
    Need { name, values, rigid: column.rigid, rank: column.rank }
}

/// The text in at most `width` columns; what is cut ends in `…`.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

fn pad(text: &str, width: usize, right: bool) -> String {
    let space = " ".repeat(width.saturating_sub(text.width()));
    if right { format!("{space}{text}") } else { format!("{text}{space}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(width: Option<usize>, columns: &[Column], rows: &[&[Option<&str>]], expected: &str) {
        let rows: Vec<Vec<Text>> =
            rows.iter().map(|row| row.iter().map(|text| text.map(str::to_string)).collect()).collect();
        let text = render(columns, &rows, Look { width, color: false });
        assert_eq!(text, expected);
        if let Some(width) = width {
            assert!(text.lines().all(|line| line.width() <= width), "{text}");
        }
    }

    #[test]
    fn numbers_stand_to_the_right_and_null_is_marked() {
        check(
            None,
            &[Column::text("kind"), Column::number("n")],
            &[&[Some("a"), Some("1")], &[None, Some("12345")], &[Some(""), None]],
            "kind      n\n────  ─────\na         1\n∅     12345\n          ∅\n",
        );
    }

    #[test]
    fn long_text_is_cut_by_what_it_takes_on_the_screen() {
        check(
            Some(20),
            &[Column::number("n"), Column::text("message")],
            &[
                &[Some("12"), Some("a long message that does not fit")],
                &[Some("3"), Some("日本語の長いメッセージ")],
            ],
            " n  message\n──  ────────────────\n12  a long message …\n 3  日本語の長いメ…\n",
        );
    }

    #[test]
    fn nothing_is_cut_without_a_terminal() {
        let long = "x".repeat(300);
        check(None, &[Column::text("t")], &[&[Some(&long)]], &format!("t\n{}\n{long}\n", "─".repeat(300)));
    }

    #[test]
    fn a_column_that_does_not_fit_is_left_out_whole() {
        let columns = [Column::number("first"), Column::number("second"), Column::text("third")];
        let rows =
            [vec![Some("1234567890".to_string()), Some("1234567890".to_string()), Some("x".to_string())]];
        let layout = Layout::new(&columns, &[0, 1, 2], &rows, Look { width: Some(16), color: false });
        assert_eq!(layout.unfit, [1, 2]);
        assert_eq!(layout.row(&columns, &rows[0]), "1234567890\n");
    }

    #[test]
    fn the_null_mark_is_dim_where_there_are_colors() {
        let layout =
            Layout::new(&[Column::text("a")], &[0], &[vec![None]], Look { width: Some(80), color: true });
        assert_eq!(layout.row(&[Column::text("a")], &[None]), "\u{1b}[2m∅\u{1b}[0m\n");
    }
}

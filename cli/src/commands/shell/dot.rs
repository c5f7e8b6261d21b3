//! The commands of the shell that begin with a dot.

use daybook::output::OutputFormat;

use super::{Next, Session};
use crate::args::Format;
use crate::escape;
use crate::failure::Failure;
use crate::table::{self, Column, Look, Text};

/// The names of the commands.
pub const NAMES: [&str; 8] =
    [".help", ".mode", ".quit", ".schema", ".search", ".tables", ".timer", ".timeout"];

const HELP: &str = "\
.help               this
.mode MODE          how rows are printed: table, jsonl, json, csv, markdown
.quit               leave; also Ctrl-D
.schema [TABLE]     the columns of `events`, or of another table
.search FILTER      the newest 20 events that match, such as: .search kind:login -status:success last:7d
.tables             the tables
.timer on|off       say how long each query took
.timeout TIME       give up on a query after 500ms, 30s, 5m; 0 for never
Everything else is SQL that ends with `;`. Ctrl-C stops a query or clears the line.
";

/// How many events a search shows.
const FOUND: u64 = 20;

/// Runs a command, given without its dot.
pub fn run(session: &mut Session<'_>, command: &str) -> Result<Next, Failure> {
    let command = command.trim_end_matches([';', ' ']);
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    match name {
        "help" => print(session, HELP)?,
        "quit" | "exit" | "q" => return Ok(Next::Leave),
        "mode" => session.set_format(mode(rest)?),
        "timer" => session.timer = on_or_off(rest)?,
        "timeout" => {
            session.request.limits.timeout = crate::args::read_timeout(rest).map_err(Failure::usage)?
        }
        "tables" => tables(session)?,
        "schema" if rest.is_empty() || rest == "events" => columns(session)?,
        "schema" => {
            let name = rest.replace('"', "\"\"");
            session.ask(session.query_request(&format!("DESCRIBE \"{name}\"")))?;
        }
        "search" => session.search(rest, FOUND)?,
        _ => {
            let message = format!("there is no command `.{name}`");
            return Err(Failure::usage(message).hint("`.help` lists them; SQL does not begin with a dot"));
        }
    }
    Ok(Next::Go)
}

fn print(session: &Session<'_>, text: &str) -> Result<(), Failure> {
    let mut data = session.context.printer.styled();
    data.write(text.as_bytes())?;
    data.finish()
}

fn mode(name: &str) -> Result<Format, Failure> {
    if name == "table" {
        return Ok(Format::Table);
    }
    let format = OutputFormat::from_name(name).filter(|format| !format.is_binary());
    format.map(Format::Rows).ok_or_else(|| {
        Failure::usage(format!("`{name}` is no mode")).hint("there are: table, jsonl, json, csv, markdown")
    })
}

fn on_or_off(text: &str) -> Result<bool, Failure> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Failure::usage("`.timer` is `on` or `off`")),
    }
}

fn tables(session: &Session<'_>) -> Result<(), Failure> {
    let rows = [
        ("events", "what happened"),
        ("quarantine", "records that could not be read, each with its reason"),
        ("templates", "what messages have in common: the texts that they are filled into"),
        ("commits", "the versions of the store"),
    ];
    let rows: Vec<Vec<Text>> = rows
        .iter()
        .map(|(name, about)| vec![Some((*name).to_string()), Some((*about).to_string())])
        .collect();
    show(session, &[Column::text("table"), Column::text("holds")], &rows)
}

fn columns(session: &Session<'_>) -> Result<(), Failure> {
    let visible = |text: &str| Some(escape::visible(text).into_owned());
    let rows: Vec<Vec<Text>> = session
        .store
        .columns()?
        .iter()
        .map(|column| {
            let path = column.path.as_ref().map(ToString::to_string).unwrap_or_default();
            vec![visible(&column.name), visible(column.column_type.name()), visible(&path)]
        })
        .collect();
    show(session, &[Column::text("column"), Column::text("type"), Column::text("path")], &rows)
}

fn show(session: &Session<'_>, columns: &[Column], rows: &[Vec<Text>]) -> Result<(), Failure> {
    let printer = session.context.printer;
    let look = Look { width: printer.width(), color: printer.stdout().color };
    print(session, &table::render(columns, rows, look))
}

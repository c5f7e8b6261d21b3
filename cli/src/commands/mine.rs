//! `daybook mine`: the templates of messages, one a line of a file.

use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;

use daybook::ingest::input::{Content, each_stream};
use daybook::mine::lines::{Counter, Found, Templates, each_line};
use daybook::mine::{Assigned, Folded, Miner};
use daybook::{Error, ErrorKind, Input};
use serde_json::json;

use crate::args::{Mine, is_dash};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::interrupt;
use crate::printer::{Data, Printer, paint};

const BUFFER_BYTES: usize = 1 << 20;
/// So many lines are learned from before they are printed: four bytes are kept of each.
const BATCH_LINES: usize = 16 << 20;
/// Between so many lines, the program looks whether it is to stop.
const LINES_UNINTERRUPTED: usize = 1 << 16;

/// Prints the template of each line, or the templates and how many lines each has.
pub fn run(context: &Context<'_>, request: &Mine) -> Result<(), Failure> {
    if request.assign {
        assign(context.printer, &request.file)
    } else {
        count(context.printer, &request.file)
    }
}

fn count(printer: &Printer, file: &Path) -> Result<(), Failure> {
    let mut counter = Counter::default();
    each_message(file, &mut |line| {
        counter.count(line);
        Ok(())
    })?;
    let found = counter.finish();
    if printer.json() {
        return printer.object(&found);
    }
    let mut data = printer.styled();
    data.write(text(&found, printer.stdout().color).as_bytes())?;
    data.finish()?;
    note_folded(printer, found.folded);
    Ok(())
}

fn text(found: &Templates, color: bool) -> String {
    let counts: Vec<String> = found.templates.iter().map(|found| human::count(found.count)).collect();
    let width = counts.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (Found { id, template, example, .. }, count) in found.templates.iter().zip(&counts) {
        let shown = paint(color, "1", &escape::visible(template));
        text.push_str(&format!("{count:>width$}  {id}  {shown}\n"));
        if example != template {
            let indent = width + 20;
            text.push_str(&format!("{:indent$}{}\n", "", paint(color, "2", &escape::visible(example))));
        }
    }
    text
}

fn assign(printer: &Printer, file: &Path) -> Result<(), Failure> {
    let mut miner = Miner::default();
    let mut batch: Vec<Assigned> = Vec::new();
    let mut data = printer.data();
    let json = printer.json();
    each_message(file, &mut |line| {
        batch.push(miner.assign(line));
        if batch.len() < BATCH_LINES { Ok(()) } else { print(&mut miner, &mut batch, &mut data, json) }
    })?;
    print(&mut miner, &mut batch, &mut data, json)?;
    data.finish()?;
    let Folded { messages, .. } = miner.folded();
    note_folded(printer, messages);
    Ok(())
}

/// Prints what a batch was assigned to, a line for each message.
fn print(
    miner: &mut Miner,
    batch: &mut Vec<Assigned>,
    data: &mut Data<'_>,
    json: bool,
) -> Result<(), Failure> {
    miner.settle();
    let mut lines: Vec<Vec<u8>> = vec![Vec::new(); miner.texts()];
    for (at, assigned) in batch.drain(..).enumerate() {
        if at % LINES_UNINTERRUPTED == 0 {
            interrupt::check()?;
        }
        let Some(line) = lines.get_mut(assigned.position()) else { continue };
        if line.is_empty() {
            let (id, template) = (miner.id(assigned).to_string(), miner.template(assigned));
            if json {
                line.extend_from_slice(json!({ "id": id, "template": template }).to_string().as_bytes());
            } else {
                line.extend_from_slice(id.as_bytes());
                line.push(b'\t');
                line.extend_from_slice(template.as_bytes());
            }
            line.push(b'\n');
        }
        data.write(line)?;
    }
    Ok(())
}

fn note_folded(printer: &Printer, messages: u64) {
    if messages > 0 {
        let messages = human::counted(messages, "message has", "messages have");
        printer.warn(&format!(
            "too many different messages to learn from all: {messages} the template of the first words"
        ));
    }
}

/// Hands on the lines of a file or of standard input, decompressed.
fn each_message(file: &Path, visit: &mut dyn FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
    let input = if is_dash(file) {
        Input::Reader { name: "-".to_string(), reader: Box::new(interrupt::reader(std::io::stdin())?) }
    } else {
        Input::File(file.to_path_buf())
    };
    let mut result = Ok(());
    each_stream(input, &mut |stream| {
        if result.is_ok() {
            result = match stream.content {
                Content::Bytes(reader) => each_of(&stream.name, reader, visit),
                Content::Rows(format, _) => Err(Error::new(
                    ErrorKind::Invalid,
                    format!("`{}` has columns ({format}), not a message a line", stream.name),
                )
                .with_hint("ingest it, and ask for the templates of the events")
                .into()),
            };
        }
    })?;
    result
}

fn each_of(
    name: &str,
    reader: Box<dyn std::io::Read + Send>,
    visit: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut result = Ok(());
    let mut lines = 0_usize;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let read = each_line(&mut reader, &mut |line| {
        lines = lines.wrapping_add(1);
        result = if lines.is_multiple_of(LINES_UNINTERRUPTED) { interrupt::check() } else { Ok(()) };
        if result.is_ok() {
            result = visit(line);
        }
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    interrupt::check()?;
    read.map_err(|error| Error::io("read", name, error))?;
    result
}

//! `daybook verify` and `daybook proof`: whether anything was touched, and what to keep to know that later.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use daybook::heads::{PublicKey, SigningKey};
use daybook::proof::{EventProof, Head, PROOF_BYTES_MAX};
use daybook::verify::{VerifyReport, VerifyRequest};
use daybook::{AskOptions, Error, ErrorKind};
use serde_json::json;

use crate::args::{RawProof, Signed};
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;
use crate::human;
use crate::progress::ProgressLine;

/// Verifies the store; fails unless it is intact.
pub fn run(context: &Context<'_>, signed: Signed, deep: bool) -> Result<(), Failure> {
    let request = VerifyRequest { against: trusted(signed)?, deep };
    let store = context.open()?;
    let progress = ProgressLine::new(context.printer, "verifying");
    let is_against = request.against.is_some();
    let report = store.verify(&request, &progress)?;
    drop(progress);
    if context.printer.json() {
        context.printer.object(&report)?;
    } else {
        context.printer.receipt(&text(&report, is_against))?;
    }
    if report.intact {
        return Ok(());
    }
    let problems = human::counted(report.problems.len() as u64, "problem", "problems");
    Err(Error::new(ErrorKind::Corrupt, format!("the store is not intact: {problems}")).into())
}

/// The head, whose signature is checked if it must have one.
fn trusted(Signed { head, by }: Signed) -> Result<Option<Head>, Failure> {
    if let (Some(head), Some(file)) = (&head, by) {
        PublicKey::read(&file)?.check(head)?;
    }
    Ok(head.map(|signed| signed.head))
}

/// Checks a proof of an event, for which no store is needed.
pub fn of_event(context: &Context<'_>, file: &Path, signed: Signed) -> Result<(), Failure> {
    let against = trusted(signed)?;
    let mut bytes = Vec::new();
    let reader: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(File::open(file).map_err(|error| Error::io("open", file.display(), error))?),
    };
    reader
        .take(PROOF_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::io("read", file.display(), error))?;
    let proven = EventProof::parse(&bytes)?.check(against.as_ref())?;
    if context.printer.json() {
        context.printer.object(&proven)?;
        return Ok(());
    }
    let mut lines = vec![
        escape::visible(&proven.text).into_owned(),
        format!("seq {}, of {}, in `{}`", proven.seq, proven.ts, escape::visible(&proven.file)),
    ];
    lines.push(match proven.is_under_known_head {
        true => format!("proven: commit {} has it, and the head that was kept goes through that", proven.version),
        false => format!(
            "the proof fits the head of version {} with the hash {}: it proves something to whoever knows from \
             elsewhere that this is a head of the store, and then says `--against HEAD`",
            proven.head_version, proven.head_hash
        ),
    });
    context.printer.receipt(&lines.join("\n"))
}

/// Prints the head of the chain, or a proof of an event.
pub fn proof(context: &Context<'_>, request: &RawProof) -> Result<(), Failure> {
    if let Some(file) = &request.new_key {
        let public = SigningKey::create(file)?.public().to_pem();
        return match context.printer.json() {
            true => context.printer.object(&json!({ "public_key": public })),
            false => context.printer.receipt(public.trim_end()),
        };
    }
    let store = context.open()?;
    if let Some(id) = &request.event {
        let proof = store.prove(id, request.against.as_ref(), &AskOptions::default())?;
        return context.printer.object(&proof);
    }
    let head = store.signed_head()?;
    if context.printer.json() {
        return context.printer.object(&json!({ "head": head }));
    }
    let note = "Keep this line where nobody who can write to the store can change it.";
    context.printer.receipt(&format!("{note}\n{head}"))
}

fn text(report: &VerifyReport, is_against: bool) -> String {
    let mut lines = Vec::new();
    for problem in &report.problems {
        lines.push(format!("{}: {}", problem.table, escape::visible(&problem.message)));
    }
    for warning in &report.warnings {
        lines.push(format!("{}: strange: {}", warning.table, escape::visible(&warning.message)));
    }
    if report.intact {
        let since = if is_against { ", and it goes through the head that was written down" } else { "" };
        lines.push(format!("intact: everything is as the hash chain says{since}"));
    }
    lines.push(format!(
        "{}, {} with {} ({}), in {}",
        human::counted(report.commits, "commit", "commits"),
        human::counted(report.files, "file", "files"),
        human::counted(report.events, "event", "events"),
        human::bytes(report.bytes),
        human::seconds(report.seconds),
    ));
    if report.rows_hashed > 0 {
        lines.push(format!("{} hashed anew", human::counted(report.rows_hashed, "row", "rows")));
    }
    for taken in &report.taken {
        let events = human::counted(taken.events, "event", "events");
        let what = match taken.why.as_str() {
            "expire" => format!("{events} expired"),
            "erase" => format!("{events} erased"),
            "redact" => format!("{events} redacted"),
            "archive" => format!("{events} moved to an archive"),
            "restore" => "events came back from an archive".to_string(),
            other => format!("{events} taken out (`{}`)", escape::visible(other)),
        };
        lines.push(format!("{}: commit {}: {what}", taken.table, taken.version));
    }
    lines.join("\n")
}

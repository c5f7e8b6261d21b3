//! Which values of a record its fixed columns take.

use super::{Candidate, Plain, Shredder};
use crate::event::fixed::Fixed;
use crate::event::json::{self, Kind, Node};
use crate::event::mapping::OTHER_CASE_RANK;
use crate::event::number::{self, Number};
use crate::event::path::NodeId;
use crate::event::reject::Reject;
use crate::event::severity;
use crate::event::shape::Form;
use crate::event::time::{self, TimeForm};

impl Shredder {
    /// When the record happened, and where it says so.
    pub(super) fn timestamp(
        &mut self,
        text: &[u8],
        arrival_us: i64,
    ) -> Result<(i64, Option<(NodeId, TimeForm)>), Reject> {
        let mut unreadable: Option<Reject> = None;
        for candidate in self.candidates.iter().filter(|candidate| candidate.column == Fixed::Ts) {
            let Some(value) = self.tape.get(candidate.value as usize) else { continue };
            let reject = |make: fn(String, String) -> Reject| {
                let field = self.paths.get(candidate.node).map(|node| node.path.to_string());
                let value = String::from_utf8_lossy(json::text_of(text, &value)).into_owned();
                make(field.unwrap_or_default(), value)
            };
            match read_time(text, &value) {
                Some((micros, form)) if (time::EARLIEST_US..time::LATEST_US).contains(&micros) => {
                    let leaves = candidate.leaves.0 as usize..candidate.leaves.1 as usize;
                    let node = candidate.node;
                    for leaf in self.leaves.get_mut(leaves).unwrap_or_default() {
                        leaf.taken = true;
                    }
                    return Ok((micros, Some((node, form))));
                }
                Some(_) if candidate.rank < OTHER_CASE_RANK => {
                    unreadable.get_or_insert(reject(|field, value| Reject::TimeRange { field, value }));
                }
                // What has the name in another case only may well be something else.
                None if value.kind != Kind::Null && candidate.rank < OTHER_CASE_RANK => {
                    unreadable.get_or_insert(reject(|field, value| Reject::Time { field, value }));
                }
                _ => {}
            }
        }
        match unreadable {
            Some(reject) => Err(reject),
            None => Ok((arrival_us, None)),
        }
    }

    /// Gives each fixed column the first of its candidates that can be read.
    pub(super) fn take_fixed(&mut self, text: &[u8], row: u32) {
        let mut done = None;
        for position in 0..self.candidates.len() {
            let Some(candidate) = self.candidates.get(position).copied() else { break };
            if candidate.column == Fixed::Ts || done == Some(candidate.column) {
                continue;
            }
            let Some(value) = self.tape.get(candidate.value as usize) else { continue };
            if let Some(form) = self.read_fixed(text, row, &candidate, &value) {
                done = Some(candidate.column);
                if candidate.column == Fixed::DurationMs && form == Form::Text {
                    // A duration with a unit stays a field too, so that its spelling comes back.
                    continue;
                }
                self.note_origin(candidate.column, candidate.node, form);
                let leaves = candidate.leaves.0 as usize..candidate.leaves.1 as usize;
                for leaf in self.leaves.get_mut(leaves).unwrap_or_default() {
                    leaf.taken = true;
                    leaf.plain =
                        (form == Form::Text && value.escaped).then_some(Plain::Fixed(candidate.column));
                }
            }
        }
    }

    /// Stores a candidate's value in its column, if it can be read as one.
    fn read_fixed(&mut self, text: &[u8], row: u32, candidate: &Candidate, value: &Node) -> Option<Form> {
        let raw = json::text_of(text, value);
        let form = match value.kind {
            Kind::String => Form::Text,
            Kind::Number => Form::Number,
            Kind::True | Kind::False => Form::Bool,
            _ => Form::Json,
        };
        match (candidate.column, form) {
            (Fixed::Before | Fixed::After, _) if value.kind != Kind::Null => {
                let quoted = value.kind == Kind::String;
                let written = match quoted {
                    true => text.get(value.start as usize - 1..value.end as usize + 1)?,
                    false => raw,
                };
                self.chunk.fixed.get_mut(candidate.column.position())?.push(row, written);
                return Some(Form::Json);
            }
            (_, Form::Json) => return None,
            // A bare number there has no unit.
            (Fixed::DurationMs, Form::Number) if self.is_named(candidate, "duration") => return None,
            (Fixed::DurationMs, _) => return self.read_duration(raw, row, value),
            (Fixed::Status, Form::Number | Form::Bool) => return None,
            // A file's path also says the entity's type.
            (Fixed::EntityId, _) if self.is_named(candidate, "file_path") => {
                let types = self.chunk.fixed.get_mut(Fixed::EntityType.position())?;
                if types.rows.last() == Some(&row) {
                    return None;
                }
                types.push(row, b"file");
            }
            _ => {}
        }
        let number = if candidate.column == Fixed::Level { self.severity_number(text) } else { None };
        let texts = self.chunk.fixed.get_mut(candidate.column.position())?;
        let written = texts.push_with(row, |out| match value.escaped {
            true => json::unescape_into(raw, out),
            false => out.extend_from_slice(raw),
        });
        if candidate.column == Fixed::Level {
            let level = std::str::from_utf8(written).unwrap_or_default();
            let severity = number.or_else(|| severity::of_level(level));
            if let (Some(severity), Some(last)) = (severity, self.chunk.severity.last_mut()) {
                *last = severity;
            }
        }
        Some(form)
    }

    /// OpenTelemetry's own number, which others also use in another sense. It decides, whatever the level's text is.
    fn severity_number(&self, text: &[u8]) -> Option<i8> {
        let mut levels = self.candidates.iter().filter(|candidate| candidate.column == Fixed::Level);
        let number = levels.find(|candidate| self.is_named(candidate, "severityNumber"))?;
        let value = self.tape.get(number.value as usize)?;
        let number = std::str::from_utf8(json::text_of(text, &value)).ok()?.parse().ok()?;
        (1..=24).contains(&number).then_some(number)
    }

    fn read_duration(&mut self, raw: &[u8], row: u32, value: &Node) -> Option<Form> {
        let (milliseconds, form) = match value.kind {
            Kind::Number => match number::read(raw) {
                Number::Int(value) => (number::as_double(value)?, Form::Number),
                Number::Double(value) => (value, Form::Number),
                Number::Exact => return None,
            },
            Kind::String => (time::read_duration_ms(std::str::from_utf8(raw).ok()?)?, Form::Text),
            _ => return None,
        };
        if !milliseconds.is_finite() {
            return None;
        }
        self.chunk.duration_ms.push(row, milliseconds);
        Some(form)
    }

    fn is_named(&self, candidate: &Candidate, name: &str) -> bool {
        let path = self.paths.get(candidate.node).map(|node| &node.path);
        path.is_some_and(|path| path.keys().next().is_some_and(|key| key.eq_ignore_ascii_case(name)))
    }
}

fn read_time(text: &[u8], value: &Node) -> Option<(i64, TimeForm)> {
    let raw = std::str::from_utf8(json::text_of(text, value)).ok()?;
    match value.kind {
        Kind::Number => time::read_number(raw),
        Kind::String if value.escaped => {
            let mut plain = Vec::new();
            json::unescape_into(raw.as_bytes(), &mut plain);
            time::read_text(std::str::from_utf8(&plain).ok()?)
        }
        Kind::String => time::read_text(raw),
        _ => None,
    }
}

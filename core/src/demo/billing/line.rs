//! The lines of the four channels.

use std::fmt;

use super::super::names::{Address, USER_AGENTS, at, of};
use super::super::record::{Hex, Record};
use super::super::rng::mix;
use super::super::simulation::Moment;
use super::{CLIENTS, Invoice, USERS, Visit};

/// What all lines of one kind have in common.
pub(super) struct Line {
    pub(super) event_type: &'static str,
    pub(super) level: &'static str,
    pub(super) title: &'static str,
}

impl Line {
    pub(super) fn write(
        &self,
        now: &Moment<'_>,
        channel: &str,
        text: fmt::Arguments<'_>,
        fields: impl FnOnce(&mut Record),
    ) -> String {
        let mut record = Record::compact();
        record.say("timestamp", format_args!("{now}+00:00")).text("app", "billing").text("channel", channel);
        record.text("event_type", self.event_type).text("level", self.level).text("title", self.title);
        record.say("message", text);
        fields(&mut record);
        record.finish()
    }

    pub(super) fn finance(
        &self,
        now: &Moment<'_>,
        invoice: &Invoice,
        text: fmt::Arguments<'_>,
        details: impl FnOnce(&mut Record),
    ) -> String {
        self.write(now, "finance", text, |record| {
            record.object("details", |fields| {
                fields.say("invoice_id", format_args!("{invoice}")).text("client", invoice.client());
                details(fields);
            });
        })
    }

    pub(super) fn activity(
        &self,
        now: &Moment<'_>,
        visit: &Visit,
        (method, endpoint): (&str, &str),
        text: fmt::Arguments<'_>,
        details: impl FnOnce(&mut Record),
    ) -> String {
        self.write(now, "activity", text, |record| {
            record
                .text("user", at(&USERS, visit.user))
                .say("session_id", format_args!("{}", Hex(visit.session, 12)));
            record.object("details", details).object("request", |request| {
                request.text("method", method).text("endpoint", endpoint);
                request.say("ip_address", format_args!("{}", Address(visit.user ^ 0xb111)));
                request.text("user_agent", of(&USER_AGENTS, visit.user));
                request.maybe("referrer", visit.greeted.then_some("https://billing.example/dashboard"));
            });
        })
    }
}

impl Invoice {
    pub(super) fn gross_cents(&self) -> i64 {
        self.net_cents + (self.net_cents * self.rate + 50) / 100
    }

    pub(super) fn client(&self) -> &'static str {
        at(&CLIENTS, self.client)
    }
}

impl fmt::Display for Invoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "INV-{}-{:05}", self.year, self.number)
    }
}

pub(super) struct FileOf<'a>(pub(super) &'a Visit);

impl fmt::Display for FileOf<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = mix(self.0.session ^ 3) % 900 + 100;
        match number % 3 {
            0 => write!(out, "receipt {number}.jpg"),
            1 => write!(out, "INV{number}.pdf"),
            _ => write!(out, "überweisung_{number}.csv"),
        }
    }
}

//! The four channels of a billing application: finance, system, errors, activity.

mod line;

use chrono::Datelike;

use line::{FileOf, Line};

use super::DemoOptions;
use super::names::{at, of};
use super::record::Hex;
use super::rng::{Rng, Skew, mix};
use super::simulation::{Agenda, Application, Day, HOUR, MILLISECOND, MINUTE, Moment, Pace, Rhythm, SECOND};
use super::story::Calendar;

/// The application and its books.
pub(super) struct Billing {
    rng: Rng,
    calendar: Calendar,
    pace: Pace,
    clients: Skew,
    users: Skew,
    invoices: u32,
    /// Invoices and cents of the day, for its summary.
    today: (i64, i64),
}

/// What happens next.
#[derive(Clone, Copy)]
pub(super) enum Task {
    Visit(Visit),
    Created(Invoice),
    Tax(Invoice),
    Alert(Invoice),
    Updated(Invoice),
    Paid(Invoice),
    Archive,
    Backup,
    Operation,
    Summary,
    Stop,
    Start,
    Slow,
}

#[derive(Clone, Copy)]
pub(super) struct Visit {
    user: u64,
    session: u64,
    left: u32,
    greeted: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Invoice {
    number: u32,
    year: i32,
    client: u32,
    net_cents: i64,
    rate: i64,
}

const SESSIONS_SHARE: f64 = 0.15 / 6.9;
const ALERT_CENTS: i64 = 1_000_000;
const RHYTHM: Rhythm = Rhythm {
    hours: [0, 0, 0, 0, 1, 4, 22, 62, 94, 98, 96, 74, 50, 84, 92, 82, 56, 24, 12, 10, 8, 5, 2, 1],
    weekdays: [140, 126, 120, 128, 112, 42, 32],
};
const CLIENTS: [&str; 28] = [
    "Van Dam Schilders",
    "Studio Koraal",
    "Hoefsmid & Zoon",
    "Bloem \"Binnen\" B.V.",
    "De Gele Fiets",
    "Atelier Ruw",
    "Waterkant Horeca",
    "Zonneveld Installaties",
    "Brouwerij 't Anker",
    "Molenaar Advies",
    "Café Périgord",
    "Tandarts Linde",
    "Drukkerij Pers & Co",
    "Noordzee Vis",
    "Kinderopvang Bij Bo",
    "Loods 12",
    "Fysio Oost",
    "Groene Vingers",
    "Reisbureau Ver",
    "Slagerij Hendriks",
    "Timmer\\Werk",
    "Uitgeverij Regel",
    "Vloeren van Vos",
    "Wolwinkel Spoel",
    "Yogastudio Zacht",
    "Zeilmakerij Bries",
    "Ijssalon 🍦 Top",
    "Architectenbureau Kubus",
];
const USERS: [&str; 9] =
    ["hanneke", "joris", "meryem", "pieter", "soraya", "bas", "lieke", "daan.w", "extern-1"];
const METRICS: [(&str, i64, &str); 5] = [
    ("Database Query Time", 1_000, "s"),
    ("Invoice PDF Time", 2_000, "s"),
    ("Memory Usage", 512_000, "MB"),
    ("Disk Usage", 85_000, "%"),
    ("Queue Size", 80_000, "messages"),
];

/// An error: event, type, context, message, the function in which it was raised.
type Fault = (&'static str, &'static str, &'static str, &'static str, &'static str);
const FAULTS: [(Fault, u32); 7] = [
    (
        (
            "validation_error",
            "ValidationError",
            "Invoice Form",
            "the field \"vat_number\" has 11 characters instead of 14",
            "check_form",
        ),
        34,
    ),
    (("validation_error", "ValidationError", "Client Form", "'e-mail' must not be empty", "check_form"), 22),
    (("application_error", "KeyError", "Invoice Processing", "'discount'", "total_of"), 14),
    (
        (
            "application_error",
            "TimeoutError",
            "Bank Import",
            "the bank did not answer within 20 s",
            "fetch_lines",
        ),
        12,
    ),
    (("application_error", "ZeroDivisionError", "Reports", "division by zero", "average_days"), 8),
    (
        (
            "application_error",
            "UnicodeDecodeError",
            "File Upload",
            "byte 0xe9 at position 18 is not UTF-8",
            "read_csv",
        ),
        7,
    ),
    (("critical_failure", "OperationalError", "Database", "the disk is full", "commit"), 2),
];

impl Billing {
    pub(super) fn new(options: &DemoOptions) -> Billing {
        Billing {
            rng: Rng::new(options.seed, 3),
            calendar: Calendar::new(options),
            pace: Pace::new(options.events_per_day * SESSIONS_SHARE),
            clients: Skew::new(CLIENTS.len()),
            users: Skew::new(USERS.len()),
            invoices: 410,
            today: (0, 0),
        }
    }

    fn visit(&mut self, now: &Moment<'_>, visit: Visit, agenda: &mut Agenda<Task>) -> String {
        if visit.left > 1 {
            let next = Visit { left: visit.left - 1, greeted: true, ..visit };
            agenda.plan(now.after(self.rng.spread(95 * SECOND)), Task::Visit(next));
        }
        if !visit.greeted {
            let failed = self.rng.chance(30);
            let text = if failed { "Login Failed" } else { "Login" };
            let kind = Line {
                event_type: "user_action",
                level: if failed { "warning" } else { "info" },
                title: "👤 User action",
            };
            return kind.activity(now, &visit, ("POST", "auth.login"), format_args!("{text}"), |details| {
                details.text("status", if failed { "failure" } else { "success" });
            });
        }
        if self.rng.chance(14) {
            agenda.plan(now.after(40 * MILLISECOND), Task::Slow);
        }
        match self.rng.below(1000) {
            0..330 => self.generate(now, &visit, agenda),
            330..470 => self.form(now, &visit),
            470..650 => {
                agenda.plan(now.after(self.rng.spread(300 * MILLISECOND)), Task::Archive);
                self.transfer(now, &visit)
            }
            650..970 => self.look(now, &visit),
            _ => self.fail(now, &visit),
        }
    }

    fn generate(&mut self, now: &Moment<'_>, visit: &Visit, agenda: &mut Agenda<Task>) -> String {
        self.invoices += 1;
        let net_cents = self.rng.spread(3_200) * self.rng.pick(&[10, 20, 25, 25, 30, 60]);
        let rate = self.rng.weighted(&[(21, 80), (9, 16), (0, 4)]);
        let client = self.clients.pick(&mut self.rng) as u32;
        let invoice = Invoice { number: self.invoices, year: now.day.date.year(), client, net_cents, rate };
        self.today = (self.today.0 + 1, self.today.1 + invoice.gross_cents());
        agenda.plan(now.after(self.rng.spread(180 * MILLISECOND)), Task::Created(invoice));
        let kind = Line { event_type: "user_action", level: "info", title: "👤 User action" };
        kind.activity(now, visit, ("POST", "invoices.create"), format_args!("Invoice Generated"), |details| {
            details.say("invoice_id", format_args!("{invoice}")).text("client", invoice.client());
        })
    }

    fn created(&mut self, now: &Moment<'_>, invoice: &Invoice, agenda: &mut Agenda<Task>) -> String {
        agenda.plan(now.after(self.rng.spread(60 * MILLISECOND)), Task::Tax(*invoice));
        if self.rng.chance(70) {
            agenda.plan(now.after(self.rng.spread(6 * MINUTE)), Task::Updated(*invoice));
        }
        if self.rng.chance(950) {
            let days = self.rng.spread(12) + 1;
            let hour = self.rng.between(7, 16);
            agenda.plan(now.on_later_day(days, hour, &mut self.rng), Task::Paid(*invoice));
        }
        let text = format_args!("Invoice {invoice} created for {}", invoice.client());
        let kind = Line { event_type: "invoice_created", level: "info", title: "💰 Invoice created" };
        kind.finance(now, invoice, text, |details| {
            details.cents("amount", invoice.gross_cents()).text("currency", "EUR").number("due_days", 14);
        })
    }

    fn tax(&mut self, now: &Moment<'_>, invoice: &Invoice, agenda: &mut Agenda<Task>) -> String {
        if invoice.gross_cents() >= ALERT_CENTS {
            agenda.plan(now.after(20 * MILLISECOND), Task::Alert(*invoice));
        }
        let text = format_args!("BTW of {} % calculated for {invoice}", invoice.rate);
        let kind = Line { event_type: "btw_calculated", level: "info", title: "🧮 BTW" };
        kind.finance(now, invoice, text, |details| {
            details.cents("net", invoice.net_cents).number("btw_rate", invoice.rate);
            details
                .cents("btw", invoice.gross_cents() - invoice.net_cents)
                .cents("amount", invoice.gross_cents());
        })
    }

    fn paid(&mut self, now: &Moment<'_>, invoice: &Invoice, agenda: &mut Agenda<Task>) -> String {
        let method = self.rng.weighted(&[("iDEAL", 62), ("bank_transfer", 30), ("card", 8)]);
        let failed = self.rng.chance(28);
        if failed {
            agenda.plan(now.after(self.rng.spread(5 * HOUR)), Task::Paid(*invoice));
        }
        let (event_type, level, verb) = match failed {
            true => ("payment_failed", "warning", "failed"),
            false => ("payment_received", "info", "received"),
        };
        let text = format_args!("Payment of {invoice} by {} {verb}", invoice.client());
        Line { event_type, level, title: "💶 Payment" }.finance(now, invoice, text, |details| {
            details.cents("amount", invoice.gross_cents()).text("currency", "EUR").text("method", method);
            details.text("status", if failed { "failure" } else { "success" });
        })
    }

    fn form(&mut self, now: &Moment<'_>, visit: &Visit) -> String {
        let form = self.rng.weighted(&[("client", 5), ("expense", 6), ("settings", 1)]);
        let fields = self.rng.between(4, 14);
        let endpoint = ("POST", of(&["clients.save", "expenses.save", "settings.save"], form.len() as u64));
        let kind = Line { event_type: "form_submitted", level: "info", title: "📝 Form" };
        kind.activity(now, visit, endpoint, format_args!("Form Submitted"), |details| {
            details.text("form", form).number("fields", fields);
            details.object("changed", |changed| {
                changed.text("e-mail", "yes").text("postal code", "no").null("");
            });
        })
    }

    fn look(&mut self, now: &Moment<'_>, visit: &Visit) -> String {
        let page = self.rng.weighted(&[
            ("Dashboard", 5),
            ("Invoice List", 6),
            ("Client Page", 3),
            ("BTW Report", 1),
        ]);
        // An old screen still sends the number of the invoice instead of its id.
        let number = self.invoices.saturating_sub(self.rng.below(120) as u32);
        let kind = Line { event_type: "user_action", level: "info", title: "👤 User action" };
        kind.activity(now, visit, ("GET", "pages.show"), format_args!("Viewed {page}"), |details| {
            match page {
                "Client Page" => details.number("invoice_id", number),
                _ => details.text("page", page),
            };
        })
    }

    fn transfer(&mut self, now: &Moment<'_>, visit: &Visit) -> String {
        let upload = mix(visit.session ^ u64::from(visit.left)).is_multiple_of(3);
        let (event_type, verb, endpoint) = match upload {
            true => ("file_upload", "Uploaded", ("POST", "files.upload")),
            false => ("file_download", "Downloaded", ("GET", "files.download")),
        };
        let bytes = self.rng.spread(86_000);
        let text = format_args!("{verb} {}", FileOf(visit));
        Line { event_type, level: "info", title: "📎 File" }.activity(now, visit, endpoint, text, |details| {
            details.say("file_name", format_args!("{}", FileOf(visit))).number("bytes", bytes);
        })
    }

    fn fail(&mut self, now: &Moment<'_>, visit: &Visit) -> String {
        let (event_type, error_type, context, message, function) = self.rng.weighted(&FAULTS);
        let line = self.rng.between(12, 380);
        let level = match event_type {
            "validation_error" => "warning",
            "critical_failure" => "critical",
            _ => "error",
        };
        let kind = Line { event_type, level, title: "🚨 Error" };
        kind.write(now, "errors", format_args!("{error_type}: {message}"), |record| {
            record.text("error_type", error_type).text("context", context).text("function", function);
            record.say("session_id", format_args!("{}", Hex(visit.session, 12)));
            record.say("user", format_args!("{}", at(&USERS, visit.user)));
            match event_type {
                "validation_error" => record.null("stack_trace"),
                _ => record.say(
                    "stack_trace",
                    format_args!(
                        "Traceback (most recent call last):\n  File \"/srv/billing/app.py\", line {line}, \
                         in {function}\n    value = row[\"amount\"] \\\n{error_type}: {message}"
                    ),
                ),
            };
        })
    }

    fn system(&mut self, now: &Moment<'_>, task: &Task) -> Option<String> {
        let took = self.rng.spread(64_000);
        let size = 40_000 + i64::from(self.invoices) * 3;
        let (kind, text) = match task {
            Task::Backup => (("database_backup", "🔧 Database Backup"), "Scheduled backup completed"),
            Task::Operation => (("database_operation", "🔧 Database"), "Rebuilt the index of invoices"),
            Task::Stop => (("app_stopped", "🔧 Shutdown"), "Application stopped"),
            Task::Start => (("app_started", "🔧 Startup"), "Application started"),
            Task::Archive => (("file_operation", "🔧 File"), "Stored a file in the archive"),
            _ => (("daily_summary", "📊 Summary"), "Summary of the day"),
        };
        let (invoices, cents) = self.today;
        Some(Line { event_type: kind.0, level: "info", title: kind.1 }.write(
            now,
            "system",
            format_args!("{text}"),
            |record| {
                record.object("details", |details| match task {
                    Task::Backup => {
                        details
                            .number("size_kb", size)
                            .number("duration_ms", took)
                            .text("target", "backup-2");
                    }
                    Task::Summary => {
                        details.number("invoices", invoices).cents("amount", cents).text("currency", "EUR");
                    }
                    Task::Stop | Task::Start => {
                        details.number("workers", 4).text("environment", "production");
                    }
                    _ => {
                        details.number("duration_ms", took / 300);
                    }
                });
            },
        ))
    }

    fn slow(&mut self, now: &Moment<'_>) -> String {
        let (metric, threshold, unit) = self.rng.pick(&METRICS);
        let value = match unit {
            "%" => threshold + self.rng.between(500, 13_000),
            _ => threshold + self.rng.spread(threshold / 2),
        };
        let kind = Line { event_type: "performance_warning", level: "warning", title: "⚡ Performance" };
        kind.write(now, "system", format_args!("{metric} is above its threshold"), |record| {
            record.text("metric", metric).thousandths("value", value).thousandths("threshold", threshold);
            record.text("unit", unit);
        })
    }
}

impl Application for Billing {
    type Task = Task;
    const NAME: &'static str = "billing";
    const GRAIN_US: i64 = 1;

    fn plan_day(&mut self, day: &Day, agenda: &mut Agenda<Task>) {
        self.today = (0, 0);
        if !self.calendar.missed_backups.contains(&day.at(2, 0)) {
            agenda.plan(day.at(2, 0) + self.rng.spread(3 * SECOND), Task::Backup);
        }
        agenda.plan(day.at(23, 55), Task::Summary);
        if day.weekday() == 6 {
            agenda.plan(day.at(5, 0), Task::Stop);
            agenda.plan(day.at(5, 0) + self.rng.spread(14 * SECOND), Task::Start);
            agenda.plan(day.at(5, 10), Task::Operation);
        }
        // Everybody closes the books at the turn of a month.
        let percent = if day.date.day() <= 3 { 160 } else { 94 };
        for start_us in self.pace.starts(day, &RHYTHM, percent, &mut self.rng) {
            let user = self.users.pick(&mut self.rng) as u64;
            let left = self.rng.between(2, 6) as u32;
            agenda
                .plan(start_us, Task::Visit(Visit { user, session: self.rng.next(), left, greeted: false }));
        }
    }

    fn perform(&mut self, now: &Moment<'_>, task: Task, agenda: &mut Agenda<Task>) -> Option<String> {
        Some(match task {
            Task::Visit(visit) => self.visit(now, visit, agenda),
            Task::Created(invoice) => self.created(now, &invoice, agenda),
            Task::Tax(invoice) => self.tax(now, &invoice, agenda),
            Task::Paid(invoice) => self.paid(now, &invoice, agenda),
            Task::Alert(invoice) => {
                let text = format_args!("{invoice} is a high-value transaction");
                let kind =
                    Line { event_type: "high_value_alert", level: "warning", title: "🚨 High value" };
                kind.finance(now, &invoice, text, |details| {
                    details.cents("amount", invoice.gross_cents()).cents("threshold", ALERT_CENTS);
                })
            }
            Task::Updated(invoice) => {
                let kind =
                    Line { event_type: "invoice_updated", level: "info", title: "💰 Invoice updated" };
                kind.finance(now, &invoice, format_args!("Invoice {invoice} updated"), |details| {
                    details
                        .text("field", "reference")
                        .null("old")
                        .say("new", format_args!("PO {}", invoice.number * 7));
                })
            }
            Task::Slow => self.slow(now),
            _ => return self.system(now, &task),
        })
    }
}

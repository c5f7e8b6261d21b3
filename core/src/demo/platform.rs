//! The action log of an integration platform: calls to providers on behalf of tenants, in workflows.

use std::fmt;

use super::DemoOptions;
use super::names::{Address, Email, Person, at, of};
use super::platform_audit::{Admin, Audit};
use super::record::{Hex, Record, Uuid};
use super::rng::{Rng, Skew, mix};
use super::simulation::{Agenda, Application, DAY, Day, MILLISECOND, MINUTE, Moment, Pace, Rhythm, SECOND};
use super::story::Calendar;

/// The platform: its tenants' calls, and the audit log of their settings.
pub(super) struct Platform {
    rng: Rng,
    calendar: Calendar,
    pace: Pace,
    popular: Skew,
    audit: Audit,
}

/// What the platform is going to do.
#[derive(Clone, Copy)]
pub(super) enum Task {
    Call(Call),
    Admin(Admin),
}

/// One step of a workflow.
#[derive(Clone, Copy)]
pub(super) struct Call {
    tenant: u32,
    workflow: u8,
    step: u8,
    attempt: u8,
    /// The result of a call that was pending.
    confirms: bool,
    /// Whom or what the workflow is about.
    subject: u64,
}

pub(super) const TENANTS: u32 = 26;

const SESSIONS_SHARE: f64 = 0.40 / 3.95;
const PROVIDER_TIMEOUT_MS: i64 = 30_000;
const ATTEMPTS: u8 = 3;
const RHYTHM: Rhythm = Rhythm {
    hours: [14, 12, 11, 11, 12, 16, 28, 52, 84, 96, 98, 90, 74, 88, 96, 94, 88, 76, 54, 38, 30, 26, 22, 18],
    weekdays: [122, 126, 124, 122, 110, 48, 48],
};

/// A workflow: how often it runs, and its actions.
type Workflow = (u32, &'static [&'static str]);
const WORKFLOWS: [Workflow; 10] = [
    (26, &["crm_search", "crm_create", "email_send", "calendar_create_event"]),
    (22, &["helpdesk_create_ticket", "knowledge_search", "helpdesk_add_comment", "helpdesk_update_ticket"]),
    (14, &["crm_list", "crm_get", "crm_update", "knowledge_store"]),
    (14, &["email_list", "email_get", "helpdesk_create_ticket"]),
    (8, &["calendar_list_events", "calendar_get_event", "calendar_update_event", "email_send"]),
    (7, &["helpdesk_list_tickets", "helpdesk_get_ticket", "crm_get", "knowledge_get", "email_send"]),
    (5, &["email_search", "crm_search", "crm_update"]),
    (2, &["crm_get", "crm_delete", "calendar_delete_event"]),
    (2, &["knowledge_search", "knowledge_get", "knowledge_delete"]),
    (0, &["helpdesk_list_tickets"]),
];
/// Asks whether a provider that failed is back.
const PROBE: u8 = 9;

/// The providers of a family of actions with their usual latencies in milliseconds; tenants choose one each.
type Provider = (&'static str, i64);
const CRM: [Provider; 3] = [("hubspot", 240), ("hubspot", 240), ("salesforce", 410)];
const HELPDESK: [Provider; 3] = [("zendesk", 310), ("zendesk", 310), ("freshdesk", 520)];
const CALENDAR: [Provider; 2] = [("google", 130), ("outlook", 280)];
const EMAIL: [Provider; 2] = [("sendgrid", 95), ("google", 150)];
const KNOWLEDGE: [Provider; 2] = [("notion", 680), ("confluence", 560)];

const QUERIES: [&str; 8] = [
    "renewal in march",
    "invoice \"not received\"",
    "reset password",
    "naïve users",
    "contract AND signed",
    "50% off",
    "shipping to Åland",
    "who_owns:this",
];
const SUBJECTS: [&str; 7] = [
    "Question about the last invoice",
    "Can't sign in since Monday",
    "Re: Re: the \"final\" offer",
    "Delivery 📦 is late",
    "Meeting notes",
    "Change of address",
    "Thanks!",
];
const FAILURES: [&str; 5] = [
    "400: the field `email` is not an address",
    "403: the token lacks the scope `write`",
    "404: there is no such object",
    "409: the object was changed by somebody else",
    "422: \"due\" must lie in the future",
];

#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Success,
    Pending,
    Failure,
    Timeout,
    Retry,
}

impl Platform {
    pub(super) fn new(options: &DemoOptions) -> Platform {
        Platform {
            rng: Rng::new(options.seed, 4),
            calendar: Calendar::new(options),
            pace: Pace::new(options.events_per_day * SESSIONS_SHARE),
            popular: Skew::new(TENANTS as usize),
            audit: Audit::new(options),
        }
    }

    fn call(&mut self, now: &Moment<'_>, call: Call, agenda: &mut Agenda<Task>) -> Option<String> {
        let steps = at(&WORKFLOWS, call.workflow).1;
        let action = at(steps, call.step);
        let (provider, median_ms) = provider(call.tenant, action);
        if provider == "zendesk" && self.calendar.quiet.contains(now.us) && self.rng.chance(880) {
            return None;
        }
        let down = provider == "zendesk" && self.calendar.outage.contains(now.us);
        let outcome = self.outcome(action, &call, down);
        let latency_ms = match outcome {
            Outcome::Timeout | Outcome::Retry => PROVIDER_TIMEOUT_MS + self.rng.between(1, 60),
            Outcome::Pending => self.rng.between(8, 40),
            _ => self.rng.spread(self.drift(provider, now, median_ms)),
        };
        let ended = now.after(latency_ms * MILLISECOND);
        match outcome {
            Outcome::Success if usize::from(call.step) + 1 < steps.len() => {
                let next = Call { step: call.step + 1, attempt: 0, confirms: false, ..call };
                agenda.plan(ended + self.rng.spread(700 * MILLISECOND), Task::Call(next));
            }
            Outcome::Pending => {
                agenda
                    .plan(ended + self.rng.spread(20 * SECOND), Task::Call(Call { confirms: true, ..call }));
            }
            Outcome::Timeout | Outcome::Retry => {
                let again = Call { attempt: call.attempt + 1, ..call };
                agenda.plan(ended + ((2 * SECOND) << call.attempt), Task::Call(again));
            }
            _ => {}
        }
        Some(self.write(now, &call, Done { action, provider, outcome, latency_ms, down }))
    }

    fn plan_probes(&mut self, day: &Day, agenda: &mut Agenda<Task>) {
        let outage = self.calendar.outage;
        if !(day.start_us..day.start_us + DAY).contains(&outage.from_us) {
            return;
        }
        let mut at_us = outage.from_us + 2 * MINUTE;
        while at_us < outage.until_us {
            let probe = Call {
                tenant: 0,
                workflow: PROBE,
                step: 0,
                attempt: 0,
                confirms: false,
                subject: at_us as u64,
            };
            agenda.plan(at_us, Task::Call(probe));
            at_us += self.rng.between(3, 5) * MINUTE;
        }
    }

    fn outcome(&mut self, action: &str, call: &Call, down: bool) -> Outcome {
        let unanswered = down || self.rng.chance(if call.attempt > 0 { 200 } else { 6 });
        match (unanswered, call.attempt) {
            (true, 0) => Outcome::Timeout,
            (true, attempt) if attempt < ATTEMPTS => Outcome::Retry,
            (true, _) => Outcome::Failure,
            (false, 0) if action == "email_send" && !call.confirms && self.rng.chance(60) => Outcome::Pending,
            (false, _) if self.rng.chance(17) => Outcome::Failure,
            (false, _) => Outcome::Success,
        }
    }

    /// The usual latency at this moment: one provider has two bad weeks.
    fn drift(&self, provider: &str, now: &Moment<'_>, median_ms: i64) -> i64 {
        let slow = self.calendar.slow;
        if provider != "hubspot" || !slow.contains(now.us) {
            return median_ms;
        }
        let passed_per_mille = (now.us - slow.from_us) / ((slow.until_us - slow.from_us) / 1000);
        median_ms * (1000 + 3 * passed_per_mille) / 1000
    }

    fn write(&mut self, now: &Moment<'_>, call: &Call, done: Done) -> String {
        let id = Uuid(self.rng.next(), self.rng.next());
        let mut record = Record::compact();
        record.say("id", format_args!("{id}")).say("tenant_id", format_args!("{}", tenant_id(call.tenant)));
        record.text("action_type", done.action).text("provider_name", done.provider);
        record.object("request_payload", |payload| request(done.action, call.subject, payload));
        match done.outcome {
            Outcome::Success => {
                record.object("response_data", |data| response(done.action, call.subject, data))
            }
            _ => record.null("response_data"),
        };
        record.text(
            "status",
            match done.outcome {
                Outcome::Success => "success",
                Outcome::Pending => "pending",
                Outcome::Failure => "failure",
                Outcome::Timeout => "timeout",
                Outcome::Retry => "retry",
            },
        );
        match done.outcome {
            Outcome::Success | Outcome::Pending => record.null("error_message"),
            Outcome::Failure if !done.down => record.text("error_message", self.rng.pick(&FAILURES)),
            Outcome::Failure => {
                record.say("error_message", format_args!("{} is down: gave up", done.provider))
            }
            _ => record.say("error_message", format_args!("{} did not answer within 30 s", done.provider)),
        };
        record.number("execution_time_ms", done.latency_ms);
        self.write_metadata(call, &mut record);
        record.say("created_at", format_args!("{now}Z")).say("updated_at", format_args!("{now}Z"));
        record.finish()
    }

    fn write_metadata(&mut self, call: &Call, record: &mut Record) {
        if call.subject.is_multiple_of(9) {
            record.object("metadata", |_| {});
            return;
        }
        let run = Hex(mix(call.subject ^ 0x7a7a), 10);
        record.object("metadata", |metadata| {
            metadata.say("run_id", format_args!("run_{run}")).number("attempt", call.attempt + 1);
            metadata.text("region", if call.tenant.is_multiple_of(3) { "eu-north" } else { "eu-west" });
            metadata.object("workflow", |workflow| {
                workflow
                    .number("number", call.workflow)
                    .number("step", call.step)
                    .flag("confirms", call.confirms);
            });
        });
    }
}

impl Application for Platform {
    type Task = Task;
    const NAME: &'static str = "platform";
    const GRAIN_US: i64 = 1;

    fn plan_day(&mut self, day: &Day, agenda: &mut Agenda<Task>) {
        for (at_us, admin) in self.audit.plan_day(day, &self.calendar) {
            agenda.plan(at_us, Task::Admin(admin));
        }
        self.plan_probes(day, agenda);
        let weights = WORKFLOWS.map(|(weight, _)| weight);
        let choices: Vec<(u8, u32)> = (0_u8..).zip(weights).collect();
        for start_us in self.pace.starts(day, &RHYTHM, 100, &mut self.rng) {
            let tenant = self.popular.pick(&mut self.rng) as u32;
            let workflow = self.rng.weighted(&choices);
            // Small numbers return often: the contacts that matter.
            let subject = (u64::from(tenant) << 32) | self.rng.spread(300) as u64;
            agenda.plan(
                start_us,
                Task::Call(Call { tenant, workflow, step: 0, attempt: 0, confirms: false, subject }),
            );
        }
    }

    fn perform(&mut self, now: &Moment<'_>, task: Task, agenda: &mut Agenda<Task>) -> Option<String> {
        match task {
            Task::Call(call) => self.call(now, call, agenda),
            Task::Admin(admin) => {
                if let Some((delay_us, next)) = self.audit.follow(&admin) {
                    agenda.plan(now.after(delay_us), Task::Admin(next));
                }
                Some(self.audit.perform(now, &admin))
            }
        }
    }
}

struct Done {
    action: &'static str,
    provider: &'static str,
    outcome: Outcome,
    latency_ms: i64,
    down: bool,
}

pub(super) fn tenant_id(tenant: u32) -> Uuid {
    Uuid(mix(u64::from(tenant) ^ 0x7e4a), mix(u64::from(tenant) ^ 0x1d1d))
}

/// The provider that a tenant has chosen for a family of actions.
fn provider(tenant: u32, action: &str) -> Provider {
    let (choice, providers): (u32, &[Provider]) = match action.split('_').next() {
        Some("crm") => (tenant, &CRM),
        Some("helpdesk") => (tenant / 2, &HELPDESK),
        Some("calendar") => (tenant / 3, &CALENDAR),
        Some("email") => (tenant / 2, &EMAIL),
        _ => (tenant, &KNOWLEDGE),
    };
    providers.iter().copied().cycle().nth(choice as usize).unwrap_or_default()
}

/// The address of a contact.
struct Contact(u64);

impl fmt::Display for Contact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Email(Person(self.0), of(&["example.com", "example.org", "mail.example.net"], self.0)).fmt(out)
    }
}

fn request(action: &str, subject: u64, payload: &mut Record) {
    let person = Person(subject);
    match action {
        "crm_create" | "crm_update" => {
            payload.say("email", format_args!("{}", Contact(subject))).text("firstname", person.first());
            payload
                .text("lastname", person.last())
                .maybe("phone", subject.is_multiple_of(4).then_some("+31 20 555 0123"));
        }
        "crm_search" | "knowledge_search" | "email_search" => {
            payload.text("query", of(&QUERIES, subject)).number("limit", 25);
        }
        "crm_list" | "helpdesk_list_tickets" | "email_list" => {
            payload.number("page", (subject % 6 + 1) as i64).number("limit", 100).object("filters", |_| {});
        }
        "helpdesk_create_ticket" => {
            payload
                .text("subject", of(&SUBJECTS, subject))
                .say("requester", format_args!("{}", Contact(subject)));
            payload.text("priority", of(&["low", "normal", "high"], subject)).texts("tags", ["mail", "auto"]);
        }
        "helpdesk_update_ticket" | "helpdesk_add_comment" => {
            payload
                .number("ticket_id", object_id(subject))
                .text("state", "solved")
                .flag("public", subject.is_multiple_of(2));
        }
        "calendar_create_event" | "calendar_update_event" => {
            payload
                .say("title", format_args!("Call with {person}"))
                .number("minutes", (subject % 4 + 1) as i64 * 15);
            payload.object("attendees", |people| {
                people
                    .say("organizer", format_args!("{}", Contact(subject)))
                    .number("count", (subject % 5 + 2) as i64);
            });
        }
        "email_send" => {
            payload.say("to", format_args!("{}", Contact(subject))).text("subject", of(&SUBJECTS, subject));
            payload.text("template", of(&["welcome", "follow-up", "ticket-solved"], subject));
        }
        "knowledge_store" => {
            payload
                .say("title", format_args!("Notes on {person}"))
                .number("words", (subject % 900) as i64 + 40);
        }
        _ => {
            payload.number("id", object_id(subject));
        }
    }
}

fn response(action: &str, subject: u64, data: &mut Record) {
    let found = (subject % 13) as i64;
    match action {
        "crm_search"
        | "knowledge_search"
        | "email_search"
        | "crm_list"
        | "helpdesk_list_tickets"
        | "email_list"
        | "calendar_list_events" => {
            data.number("total", found).flag("more", found > 10);
        }
        "crm_delete" | "calendar_delete_event" | "knowledge_delete" => {
            data.flag("deleted", true);
        }
        "email_send" => {
            data.say("message_id", format_args!("<{}@{}>", Hex(mix(subject), 10), "mta.example.net"));
        }
        "helpdesk_add_comment" => {
            // One provider answers with a number, the other with a string.
            match subject % 2 {
                0 => data.number("comment_id", object_id(subject)),
                _ => data.say("comment_id", format_args!("c-{}", object_id(subject))),
            };
        }
        _ => {
            data.say("id", format_args!("{}", object_id(subject))).object("properties", |properties| {
                properties
                    .say("owner", format_args!("{}", Person(subject ^ 0xff)))
                    .number("revision", found + 1);
                properties.say("seen_from", format_args!("{}", Address(subject)));
            });
        }
    }
}

fn object_id(subject: u64) -> i64 {
    10_000 + (mix(subject) % 900_000) as i64
}

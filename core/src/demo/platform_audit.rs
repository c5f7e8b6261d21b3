//! The audit log of the integration platform: what administrators change in their tenant, before and after.

use super::DemoOptions;
use super::names::{Address, Email, Person, USER_AGENTS, of};
use super::platform::{TENANTS, tenant_id};
use super::record::{Hex, Record, Uuid};
use super::rng::{Rng, Skew};
use super::simulation::{DAY, Day, MILLISECOND, MINUTE, Moment, Pace, Rhythm, SECOND};
use super::story::Calendar;

/// The settings of all tenants, as the audit log has told them so far.
pub(super) struct Audit {
    rng: Rng,
    pace: Pace,
    popular: Skew,
    tenants: Vec<Tenant>,
    keys: u64,
}

/// What an administrator does next.
#[derive(Clone, Copy)]
pub(super) struct Admin {
    tenant: u32,
    user: u64,
    left: u32,
    step: Step,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Login,
    Change,
    NightLogin,
    NightDeletion,
}

#[derive(Clone, Copy)]
struct Tenant {
    plan: &'static str,
    seats: i64,
    rate_limit: i64,
    retention_days: i64,
    renamed: u32,
    paused_workflows: u8,
}

const SESSIONS_SHARE: f64 = 0.03 / 2.9;
const NIGHT_DELETIONS: u32 = 64;
const NIGHT_ADDRESS: &str = "203.0.113.66";
const RHYTHM: Rhythm = Rhythm {
    hours: [1, 1, 0, 0, 1, 3, 14, 40, 80, 96, 98, 84, 60, 80, 94, 88, 70, 40, 18, 12, 8, 6, 4, 2],
    weekdays: [125, 130, 128, 125, 112, 42, 38],
};
const COMPANIES: [&str; 13] = [
    "Noorderlicht",
    "Bakkerij Zeven",
    "Fjordline Freight",
    "Café \"De Hoek\"",
    "Tulip & Sons",
    "Kade 9 Architects",
    "Østby Optics",
    "Meridiaan Media",
    "Larkspur Legal",
    "Zilt Seafood",
    "Papierhuis",
    "Grid & Grain",
    "Vuurtoren Labs",
];
const HOSTS: [&str; 6] = [
    "noorderlicht.example",
    "zeven.example",
    "fjordline.example",
    "kade9.example",
    "grid.example",
    "zilt.example",
];
const PLANS: [&str; 4] = ["starter", "team", "business", "enterprise"];
const PROVIDERS: [&str; 5] = ["hubspot", "zendesk", "google", "notion", "sendgrid"];

/// The administrator who comes at night.
pub(super) fn odd_actor() -> String {
    email(0, 0)
}

impl Audit {
    pub(super) fn new(options: &DemoOptions) -> Audit {
        let mut rng = Rng::new(options.seed, 5);
        let tenants = (0..TENANTS).map(|_| Tenant {
            plan: rng.pick(&PLANS),
            seats: rng.between(3, 60),
            rate_limit: 100,
            retention_days: 90,
            renamed: 0,
            paused_workflows: 0,
        });
        let tenants = tenants.collect();
        let pace = Pace::new(options.events_per_day * SESSIONS_SHARE);
        Audit { rng, pace, popular: Skew::new(TENANTS as usize), tenants, keys: 40_000 }
    }

    /// The visits of administrators on a day, and the one at night.
    pub(super) fn plan_day(&mut self, day: &Day, calendar: &Calendar) -> Vec<(i64, Admin)> {
        let starts = self.pace.starts(day, &RHYTHM, 100, &mut self.rng);
        let mut visits = Vec::with_capacity(starts.len() + 1);
        for start_us in starts {
            let tenant = self.popular.pick(&mut self.rng) as u32;
            let user = self.rng.weighted(&[(0, 6), (1, 3), (2, 1)]);
            let left = self.rng.between(1, 3) as u32;
            visits.push((start_us, Admin { tenant, user, left, step: Step::Login }));
        }
        let night_us = calendar.odd_actor.from_us;
        if (day.start_us..day.start_us + DAY).contains(&night_us) {
            visits.push((
                night_us,
                Admin { tenant: 0, user: 0, left: NIGHT_DELETIONS, step: Step::NightLogin },
            ));
        }
        visits
    }

    /// What the administrator does after this, and how much later.
    pub(super) fn follow(&mut self, admin: &Admin) -> Option<(i64, Admin)> {
        let left = admin.left.checked_sub(1)?;
        let (delay_us, step) = match admin.step {
            Step::Login | Step::Change => (self.rng.spread(70 * SECOND), Step::Change),
            Step::NightLogin => (MINUTE, Step::NightDeletion),
            // Ten by hand, the others with a program.
            Step::NightDeletion if left >= NIGHT_DELETIONS - 10 => {
                (self.rng.between(20, 50) * SECOND, Step::NightDeletion)
            }
            Step::NightDeletion => (self.rng.between(600, 950) * MILLISECOND, Step::NightDeletion),
        };
        Some((delay_us, Admin { left, step, ..*admin }))
    }

    pub(super) fn perform(&mut self, now: &Moment<'_>, admin: &Admin) -> String {
        let name = email(admin.tenant, admin.user);
        match admin.step {
            Step::Login if self.rng.chance(40) => {
                self.entry(now, admin, ("login_failed", "user", &name), |_| {})
            }
            Step::Login | Step::NightLogin => self.entry(now, admin, ("login", "user", &name), |_| {}),
            Step::NightDeletion => self.delete(now, admin),
            Step::Change => match self.rng.below(100) {
                0..46 => self.settings(now, admin),
                46..62 => self.workflow(now, admin),
                62..76 => self.create_key(now, admin),
                76..88 => self.connect(now, admin),
                88..95 => self.invite(now, admin),
                _ => self.delete(now, admin),
            },
        }
    }

    fn settings(&mut self, now: &Moment<'_>, admin: &Admin) -> String {
        let before = self.tenant(admin.tenant);
        let mut after = before;
        let changed = self.rng.weighted(&[
            ("rate_limit", 4),
            ("seats", 4),
            ("retention_days", 2),
            ("plan", 1),
            ("name", 1),
        ]);
        match changed {
            "rate_limit" => {
                after.rate_limit = if before.rate_limit >= 800 { 100 } else { before.rate_limit * 2 }
            }
            "seats" => after.seats = (before.seats + self.rng.pick(&[-2, -1, 1, 2, 5, 10])).max(1),
            "retention_days" => after.retention_days = if before.retention_days == 90 { 365 } else { 90 },
            "plan" => after.plan = self.rng.pick(&PLANS),
            _ => after.renamed += 1,
        }
        if let Some(tenant) = self.tenants.get_mut(admin.tenant as usize) {
            *tenant = after;
        }
        let id = tenant_id(admin.tenant).to_string();
        self.entry(now, admin, ("update", "tenant", &id), |changes| {
            for (name, state) in [("before", &before), ("after", &after)] {
                changes.object(name, |fields| state.write(changed, admin.tenant, fields));
            }
        })
    }

    fn workflow(&mut self, now: &Moment<'_>, admin: &Admin) -> String {
        let number = self.rng.below(6);
        let bit = 1_u8 << number;
        let before = self.tenant(admin.tenant).paused_workflows & bit == 0;
        if let Some(tenant) = self.tenants.get_mut(admin.tenant as usize) {
            tenant.paused_workflows ^= bit;
        }
        let id = format!("wf-{}-{number}", admin.tenant);
        self.entry(now, admin, ("update", "workflow", &id), |changes| {
            for (name, enabled) in [("before", before), ("after", !before)] {
                changes.object(name, |fields| {
                    fields.flag("enabled", enabled);
                });
            }
        })
    }

    fn create_key(&mut self, now: &Moment<'_>, admin: &Admin) -> String {
        self.keys += 1;
        let id = format!("key-{}", self.keys);
        let scope = self.rng.pick(&["read", "write", "admin"]);
        self.entry(now, admin, ("create", "api_key", &id), |changes| {
            changes.null("before").object("after", |fields| {
                fields.texts("scopes", [scope, "logs"]).null("expires_at");
            });
        })
    }

    fn connect(&mut self, now: &Moment<'_>, admin: &Admin) -> String {
        let provider = self.rng.pick(&PROVIDERS);
        let id = format!("int-{}-{provider}", admin.tenant);
        self.entry(now, admin, ("create", "integration", &id), |changes| {
            changes.null("before").object("after", |fields| {
                fields.text("provider", provider).object("options", |options| {
                    options.flag("sync", true).object("mapping", |mapping| {
                        mapping.text("first name", "firstname").text("e.mail", "email");
                    });
                });
            });
        })
    }

    fn invite(&mut self, now: &Moment<'_>, admin: &Admin) -> String {
        let number = self.rng.below(40) + 3;
        let id = email(admin.tenant, number);
        let role = self.rng.pick(&["viewer", "editor", "admin"]);
        self.entry(now, admin, ("create", "user", &id), |changes| {
            changes.null("before").object("after", |fields| {
                fields.text("role", role).say("name", format_args!("{}", person(admin.tenant, number)));
            });
        })
    }

    fn delete(&mut self, now: &Moment<'_>, admin: &Admin) -> String {
        let resource = self.rng.weighted(&[("api_key", 6), ("workflow", 3), ("integration", 2)]);
        let id = match resource {
            "api_key" => format!("key-{}", self.keys.saturating_sub(self.rng.below(400))),
            "workflow" => format!("wf-{}-{}", admin.tenant, self.rng.below(90) + 6),
            _ => format!("int-{}-{}", admin.tenant, self.rng.pick(&PROVIDERS)),
        };
        let hash = self.rng.next();
        self.entry(now, admin, ("delete", resource, &id), |changes| {
            changes.object("before", |fields| {
                fields.say("fingerprint", format_args!("{}", Hex(hash, 12)));
            });
            changes.null("after");
        })
    }

    fn entry(
        &mut self,
        now: &Moment<'_>,
        admin: &Admin,
        (action, resource_type, resource_id): (&str, &str, &str),
        changes: impl FnOnce(&mut Record),
    ) -> String {
        let at_night = matches!(admin.step, Step::NightLogin | Step::NightDeletion);
        let who = u64::from(admin.tenant) * 100 + admin.user;
        let id = Uuid(self.rng.next(), self.rng.next());
        let mut record = Record::compact();
        record.say("id", format_args!("{id}")).say("tenant_id", format_args!("{}", tenant_id(admin.tenant)));
        record.say("user_id", format_args!("{}", email(admin.tenant, admin.user)));
        record.text("action", action).text("resource_type", resource_type).text("resource_id", resource_id);
        match action {
            "login" | "login_failed" => record.null("changes"),
            _ => record.object("changes", changes),
        };
        match at_night {
            true => record.text("ip_address", NIGHT_ADDRESS).text("user_agent", "curl/8.9.1"),
            false => record
                .say("ip_address", format_args!("{}", Address(who)))
                .text("user_agent", of(&USER_AGENTS, who)),
        };
        match self.rng.below(3) {
            0 => record.null("metadata"),
            _ => record.object("metadata", |metadata| {
                metadata
                    .say("request_id", format_args!("req_{}", Hex(id.0, 9)))
                    .text("via", if at_night { "api" } else { "console" });
            }),
        };
        record.say("created_at", format_args!("{now}Z")).say("updated_at", format_args!("{now}Z"));
        record.finish()
    }

    fn tenant(&self, tenant: u32) -> Tenant {
        let start = Tenant {
            plan: "team",
            seats: 5,
            rate_limit: 100,
            retention_days: 90,
            renamed: 0,
            paused_workflows: 0,
        };
        self.tenants.get(tenant as usize).copied().unwrap_or(start)
    }
}

impl Tenant {
    fn write(&self, changed: &str, tenant: u32, fields: &mut Record) {
        match changed {
            "rate_limit" => fields.number("rate_limit", self.rate_limit),
            "seats" => fields.number("seats", self.seats),
            "retention_days" => fields.number("retention_days", self.retention_days),
            "plan" => fields.text("plan", self.plan),
            _ => {
                let company = of(&COMPANIES, u64::from(tenant) + u64::from(self.renamed) * 31);
                fields.text("name", company)
            }
        };
    }
}

fn person(tenant: u32, user: u64) -> Person {
    Person(u64::from(tenant) * 1_000 + user + 77)
}

fn email(tenant: u32, user: u64) -> String {
    Email(person(tenant, user), of(&HOSTS, u64::from(tenant))).to_string()
}

//! The change log of four AI agents that work on a code base: decisions, edits, commands, deployments.

mod entry;

use entry::{Entry, File, FileChange, Setting};

use super::DemoOptions;
use super::names::at;
use super::record::Hex;
use super::rng::{Rng, Skew, mix};
use super::simulation::{Agenda, Application, Day, HOUR, MINUTE, Moment, Pace, Rhythm, SECOND};

/// The agents and the files that they have changed.
pub(super) struct Agents {
    rng: Rng,
    pace: Pace,
    files: Vec<File>,
    popular: Skew,
    timeout_s: i64,
    release: u32,
}

/// A stage of a session; each leads to the next.
#[derive(Clone, Copy)]
enum Stage {
    Decide,
    Infer,
    Edit,
    Test,
    Commit,
    Push,
    Call,
    Store,
    Configure,
    Stop,
    Start,
    Deploy,
}

/// One stage of one session.
#[derive(Clone, Copy)]
pub(super) struct Task {
    session: u64,
    agent: u8,
    stage: Stage,
    edits_left: u8,
    failures: u8,
    ticket: u32,
}

const SESSIONS_SHARE: f64 = 0.13 / 11.0;
const RHYTHM: Rhythm = Rhythm {
    hours: [30, 26, 24, 22, 22, 24, 30, 46, 70, 84, 88, 80, 66, 78, 88, 86, 78, 64, 50, 44, 40, 38, 36, 32],
    weekdays: [116, 122, 124, 120, 104, 56, 58],
};
const AGENTS: [(&str, u32); 4] =
    [("refactor-agent", 44), ("triage-agent", 28), ("docs-agent", 18), ("release-agent", 10)];
const MODELS: [(&str, u32); 3] = [("lark-large-2", 55), ("lark-small-2", 35), ("heron-code-1", 10)];
const PATHS: [&str; 44] = [
    "api/main.py",
    "api/routes/orders.py",
    "api/routes/users.py",
    "api/auth/tokens.py",
    "api/auth/sessions.py",
    "api/models/invoice.py",
    "api/models/user.py",
    "api/settings.py",
    "core/scheduler.py",
    "core/queue.py",
    "core/retry.py",
    "core/cache.py",
    "core/metrics.py",
    "web/src/App.tsx",
    "web/src/pages/Login.tsx",
    "web/src/pages/Orders.tsx",
    "web/src/components/Table.tsx",
    "web/src/api.ts",
    "web/package.json",
    "tests/test_orders.py",
    "tests/test_auth.py",
    "tests/test_queue.py",
    "tests/test_retry.py",
    "docs/README.md",
    "docs/install.md",
    "docs/queue design.md",
    "docs/changelog.md",
    "deploy/compose.yaml",
    "deploy/api.Dockerfile",
    "deploy/nginx.conf",
    "config/production.toml",
    "config/staging.toml",
    "config/local.toml",
    "migrations/0041_orders_index.sql",
    "migrations/0042_sessions.sql",
    "scripts/backup.sh",
    "scripts/seed.py",
    "scripts/old/convert.py",
    "scripts/old/report.py",
    "tmp/notes.txt",
    "tmp/draft.md",
    "libs/naïve_parser.py",
    "libs/money.py",
    "libs/text \"quoted\".py",
];
const GOALS: [&str; 10] = [
    "shorten the retry loop",
    "explain the queue's settings",
    "close a gap in the session check",
    "move the price rules out of the view",
    "make the nightly import resume",
    "name the error that users see",
    "drop the unused converter",
    "add a test for empty orders",
    "keep the login page usable without scripts",
    "cache the table of countries",
];
const ENDPOINTS: [(&str, u32); 5] = [
    ("/api/v1/models", 30),
    ("/api/v1/tickets", 30),
    ("/api/v1/reviews", 20),
    ("/api/v1/builds", 15),
    ("/api/v1/health", 5),
];
const TABLES: [&str; 5] = ["tickets", "reviews", "embeddings", "run_state", "sessions"];

impl Agents {
    pub(super) fn new(options: &DemoOptions) -> Agents {
        let mut rng = Rng::new(options.seed, 2);
        let files = (0..PATHS.len() as u32).map(|n| File {
            revision: n % 5,
            size: rng.between(400, 9_000),
            exists: n % 7 != 0,
        });
        let files = files.collect();
        let pace = Pace::new(options.events_per_day * SESSIONS_SHARE);
        Agents { rng, pace, files, popular: Skew::new(PATHS.len()), timeout_s: 30, release: 300 }
    }

    fn decide(&mut self, now: &Moment<'_>, task: &Task) -> String {
        let goal = self.rng.pick(&GOALS);
        let priority = self.rng.weighted(&[("low", 5), ("normal", 12), ("urgent", 2)]);
        let ticket = task.ticket;
        Entry::new("agent_decision", "info").write(now, task, format_args!("Decided to {goal}"), |metadata| {
            metadata.say("decision", format_args!("{goal}"));
            metadata
                .say("reasoning", format_args!("Ticket {ticket} asks for it, and the tests cover that part"));
            metadata.object("context", |context| {
                context.say("ticket", format_args!("T-{ticket}")).text("priority", priority);
                context.flag("tests_passed", task.failures == 0).null("approved_by");
            });
        })
    }

    fn infer(&mut self, now: &Moment<'_>, task: &Task) -> String {
        let model = self.rng.weighted(&MODELS);
        let (tokens_in, tokens_out) = (self.rng.spread(5_200), self.rng.spread(640));
        let took_ms = self.rng.spread(900 + tokens_out * 7);
        let temperature = self.rng.weighted(&[(0, 4), (200, 5), (700, 1)]);
        let text = format_args!("Asked {model} with {tokens_in} tokens");
        Entry::new("model_inference", "debug").write(now, task, text, |metadata| {
            metadata.text("model", model).number("tokens_in", tokens_in).number("tokens_out", tokens_out);
            metadata.number("latency_ms", took_ms);
            // An integer when it is zero, as the client writes it.
            match temperature {
                0 => metadata.number("temperature", 0),
                other => metadata.thousandths("temperature", other),
            };
        })
    }

    fn edit(&mut self, now: &Moment<'_>, task: &Task) -> String {
        let index = self.popular.pick(&mut self.rng);
        let path = at(&PATHS, index as u64);
        let before = self.files.get(index).copied().unwrap_or_default();
        let passing = path.starts_with("tmp/") || path.starts_with("scripts/old/");
        let delete = before.exists && self.rng.chance(if passing { 420 } else { 6 });
        let size = if delete { 0 } else { (before.size + self.rng.between(-160, 230)).max(40) };
        let after = File {
            revision: before.revision + 1,
            size: if delete { before.size } else { size },
            exists: !delete,
        };
        if let Some(file) = self.files.get_mut(index) {
            *file = after;
        }
        let (change_type, verb) = match (before.exists, after.exists) {
            (false, _) => ("file_create", "Created"),
            (true, true) => ("file_update", "Updated"),
            (true, false) => ("file_delete", "Deleted"),
        };
        let file = FileChange {
            path,
            index,
            before: Some(before).filter(|f| f.exists),
            after: Some(after).filter(|f| f.exists),
        };
        let entry =
            Entry { file: Some(file), ..Entry::new(change_type, if delete { "warning" } else { "info" }) };
        entry.write(now, task, format_args!("{verb} {path}"), |metadata| {
            if before.exists {
                metadata.number("file_size_before", before.size);
            }
            if after.exists {
                metadata.number("file_size_after", after.size);
            }
            metadata.say("ticket", format_args!("T-{}", task.ticket));
        })
    }

    fn test(&mut self, now: &Moment<'_>, task: &Task, failed: bool) -> String {
        let passed = self.rng.between(380, 430);
        let command =
            self.rng.weighted(&[("pytest -q", 6), ("npm test", 3), ("docker compose up -d --wait", 1)]);
        let took_ms = self.rng.spread(21_000);
        let level = match (failed, task.failures) {
            (false, _) => "info",
            (true, 0) => "warning",
            (true, _) => "error",
        };
        Entry::new("system_command", level).write(now, task, format_args!("Ran `{command}`"), |metadata| {
            metadata
                .text("command", command)
                .number("exit_code", u8::from(failed))
                .number("duration_ms", took_ms);
            match failed {
                true => metadata.say(
                    "output",
                    format_args!("{passed} passed, 2 failed\nE   assert 'open' == \"closed\""),
                ),
                false => metadata.say("output", format_args!("{passed} passed")),
            };
        })
    }

    fn commit(&mut self, now: &Moment<'_>, task: &Task) -> String {
        let goal = self.rng.pick(&GOALS);
        let files = self.rng.between(1, 5);
        let hash = commit_of(task.session);
        Entry::new("git_commit", "info").write(
            now,
            task,
            format_args!("Committed {}: {goal}", Hex(hash.0, 7)),
            |metadata| {
                metadata
                    .say("commit", format_args!("{}{}", Hex(hash.0, 7), Hex(hash.1, 13)))
                    .text("branch", "main");
                metadata
                    .number("files_changed", files)
                    .texts("trailers", ["Tests: pass", "Review: \"none\""]);
            },
        )
    }

    fn push(&mut self, now: &Moment<'_>, task: &Task) -> String {
        let rejected = self.rng.chance(25);
        let level = if rejected { "error" } else { "info" };
        let text = if rejected { "Push was rejected: the branch has moved on" } else { "Pushed main" };
        Entry::new("git_push", level).write(now, task, format_args!("{text}"), |metadata| {
            metadata.text("remote", "origin").text("branch", "main").flag("rejected", rejected);
            metadata.say("commit", format_args!("{}", Hex(commit_of(task.session).0, 7)));
        })
    }

    fn call(&mut self, now: &Moment<'_>, task: &Task) -> String {
        let endpoint = self.rng.weighted(&ENDPOINTS);
        let method = if self.rng.chance(600) { "POST" } else { "GET" };
        let status_code = self.rng.weighted(&[(200, 90), (201, 40), (404, 3), (429, 4), (503, 2)]);
        let level = match status_code {
            503 => "error",
            404 | 429 => "warning",
            _ => "info",
        };
        let text = format_args!("{method} {endpoint} answered {status_code}");
        Entry::new("api_call", level).write(now, task, text, |metadata| {
            metadata.text("endpoint", endpoint).text("method", method).number("status_code", status_code);
            metadata.object("request_data", |data| {
                data.number("ticket", task.ticket).object("options", |_| {});
            });
            match status_code {
                200 | 201 => metadata.object("response_data", |data| {
                    data.text("status", "success").texts("labels", ["agent", "auto"]);
                }),
                _ => metadata.null("response_data"),
            };
        })
    }

    fn store(&mut self, now: &Moment<'_>, task: &Task) -> String {
        let table = self.rng.pick(&TABLES);
        let rows = self.rng.spread(18);
        Entry::new("database_write", "info").write(
            now,
            task,
            format_args!("Wrote {rows} rows to {table}"),
            |metadata| {
                metadata.text("table", table).number("rows", rows).text("database", "agents");
            },
        )
    }

    fn configure(&mut self, now: &Moment<'_>, task: &Task) -> String {
        let before = self.timeout_s;
        self.timeout_s = self.rng.pick(&[10, 20, 30, 45, 60, 90].map(|s| if s == before { 15 } else { s }));
        let setting = Setting { before, after: self.timeout_s };
        let entry = Entry { setting: Some(setting), ..Entry::new("config_change", "warning") };
        let text = format_args!("Changed `timeout_s` from {before} to {}", self.timeout_s);
        entry.write(now, task, text, |metadata| {
            metadata.text("key", "timeout_s").text("environment", "production");
        })
    }

    fn service(&mut self, now: &Moment<'_>, task: &Task, start: bool) -> String {
        let (kind, verb) = if start { ("service_start", "Started") } else { ("service_stop", "Stopped") };
        let service = self.rng.pick(&["api", "worker", "scheduler"]);
        Entry::new(kind, "info").write(now, task, format_args!("{verb} service {service}"), |metadata| {
            metadata.text("service", service).number("port", 8_000 + i64::from(task.agent)).null("reason");
        })
    }

    fn deploy(&mut self, now: &Moment<'_>, task: &Task) -> String {
        self.release += 1;
        let failed = self.rng.chance(50);
        let (level, verb) = if failed { ("critical", "Rolled back") } else { ("info", "Deployed") };
        let text = format_args!("{verb} release {}", self.release);
        Entry::new("deployment", level).write(now, task, text, |metadata| {
            metadata
                .number("release", self.release)
                .text("environment", "production")
                .flag("rolled_back", failed);
            metadata.texts(
                "files",
                [at(&PATHS, u64::from(self.release % 7)), at(&PATHS, 8 + u64::from(self.release % 9))],
            );
        })
    }

    /// What the session does after a stage, and how long that takes to come.
    fn follow(&mut self, now: &Moment<'_>, task: &Task, failed: bool) -> Option<(i64, Task)> {
        let stage = match task.stage {
            Stage::Decide => Stage::Infer,
            Stage::Infer if self.rng.chance(self.appetite(now)) => Stage::Infer,
            Stage::Infer => Stage::Edit,
            Stage::Edit if task.edits_left > 0 => Stage::Edit,
            Stage::Edit => Stage::Test,
            Stage::Test if failed && task.failures < 2 => Stage::Edit,
            Stage::Test if failed => return None,
            Stage::Test => Stage::Commit,
            Stage::Commit => Stage::Push,
            Stage::Push if self.rng.chance(600) => Stage::Call,
            Stage::Push | Stage::Call if self.rng.chance(350) => Stage::Store,
            Stage::Push | Stage::Call | Stage::Store if task.agent == 3 => Stage::Configure,
            Stage::Configure => Stage::Stop,
            Stage::Stop => Stage::Start,
            Stage::Start => Stage::Deploy,
            _ => return None,
        };
        let median_us = match stage {
            Stage::Infer => 4 * SECOND,
            Stage::Test => 30 * SECOND,
            Stage::Edit | Stage::Commit => 12 * SECOND,
            Stage::Deploy => 2 * MINUTE,
            _ => 5 * SECOND,
        };
        let edits_left = task.edits_left.saturating_sub(u8::from(matches!(task.stage, Stage::Edit)));
        let failures = task.failures + u8::from(failed);
        Some((self.rng.spread(median_us), Task { stage, edits_left, failures, ..*task }))
    }

    /// How often, per mille, one question to the model is followed by another: grows through the year.
    fn appetite(&self, now: &Moment<'_>) -> u64 {
        // With chance c there are 1 / (1 - c) questions: from 1.25 to 3.75.
        let percent_of_questions = 125 + 250 * now.day.progress_per_mille.max(0) as u64 / 1000;
        1000 - (100_000 / percent_of_questions).min(1000)
    }
}

impl Application for Agents {
    type Task = Task;
    const NAME: &'static str = "agent";
    const GRAIN_US: i64 = 1;

    fn plan_day(&mut self, day: &Day, agenda: &mut Agenda<Task>) {
        for start_us in self.pace.starts(day, &RHYTHM, 100, &mut self.rng) {
            let session = self.rng.next();
            let name = self.rng.weighted(&AGENTS);
            let agent = AGENTS.iter().position(|(known, _)| *known == name).unwrap_or(0) as u8;
            let edits_left = self.rng.below(4) as u8;
            let ticket = 1_000 + ((start_us / HOUR) % 100_000) as u32;
            agenda.plan(
                start_us,
                Task { session, agent, stage: Stage::Decide, edits_left, failures: 0, ticket },
            );
        }
    }

    fn perform(&mut self, now: &Moment<'_>, task: Task, agenda: &mut Agenda<Task>) -> Option<String> {
        let failed = matches!(task.stage, Stage::Test) && self.rng.chance(140);
        if let Some((delay_us, next)) = self.follow(now, &task, failed) {
            agenda.plan(now.after(delay_us), next);
        }
        Some(match task.stage {
            Stage::Decide => self.decide(now, &task),
            Stage::Infer => self.infer(now, &task),
            Stage::Edit => self.edit(now, &task),
            Stage::Test => self.test(now, &task, failed),
            Stage::Commit => self.commit(now, &task),
            Stage::Push => self.push(now, &task),
            Stage::Call => self.call(now, &task),
            Stage::Store => self.store(now, &task),
            Stage::Configure => self.configure(now, &task),
            Stage::Stop => self.service(now, &task, false),
            Stage::Start => self.service(now, &task, true),
            Stage::Deploy => self.deploy(now, &task),
        })
    }
}

fn commit_of(session: u64) -> (u64, u64) {
    (mix(session), mix(session ^ 1))
}

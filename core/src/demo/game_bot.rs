//! The change log of a bot for a music card game: packs, cards, players, payments, deployments, errors.

mod entry;

use chrono::Datelike;

use entry::{
    ADMIN_ACTION, CARD_GENERATION, CRITICAL, DATABASE, DEPLOYMENT, ERROR, HIGH, LOW, MEDIUM, PACK_CREATION,
    PAYMENT, Player, SECURITY, SYSTEM_EVENT, Version, action, entry,
};

use super::DemoOptions;
use super::names::at;
use super::record::Hex;
use super::rng::{Rng, Skew, mix};
use super::simulation::{
    Agenda, Application, DAY, Day, HOUR, MILLISECOND, MINUTE, Moment, Pace, Rhythm, SECOND,
};
use super::story::Calendar;

/// The bot and what it remembers.
pub(super) struct GameBot {
    rng: Rng,
    calendar: Calendar,
    pace: Pace,
    players: Skew,
    artists: Skew,
    version: Version,
}

/// One thing that the bot is going to do.
#[derive(Clone, Copy)]
pub(super) enum Task {
    Play(Visit),
    Open(Pack),
    Cards(Pack),
    Job(Job),
    Deploy { hotfix: bool },
    Migrate,
    FailedLogin(u32),
    Command(u64),
    Intruder(u64),
}

#[derive(Clone, Copy)]
pub(super) struct Visit {
    player: u64,
    left: u32,
    greeted: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Pack {
    id: u64,
    player: u64,
    artist: &'static str,
    tier: &'static str,
}

#[derive(Clone, Copy)]
pub(super) enum Job {
    Vacuum,
    Cache,
    Season,
}

const SESSIONS_SHARE: f64 = 0.12 / 4.4;
const FAILED_LOGINS: u32 = 260;

const RHYTHM: Rhythm = Rhythm {
    hours: [30, 18, 10, 6, 4, 4, 6, 10, 14, 16, 18, 22, 28, 28, 30, 36, 48, 60, 74, 88, 96, 92, 74, 48],
    weekdays: [82, 80, 84, 90, 116, 142, 130],
};

const ARTISTS: [&str; 24] = [
    "Nova Harbour",
    "The Paper Tigers",
    "Mira Solano",
    "DJ Kestrel",
    "Low Tide Choir",
    "Ólafur & the \"Quiet\" Machines",
    "Velvet Postcode",
    "Sable Run",
    "Kiwi 🥝 Parade",
    "Tin Roof Cathedral",
    "Juno & Ash",
    "N!ls\\Peter",
    "Saltwater Radio",
    "Marble Arcade",
    "猫と雨",
    "Copper Wren",
    "The Ninth Floor",
    "Agnes Oyelaran",
    "Half Past Blue",
    "Ghost Orchard",
    "Tomás del Río",
    "Plastic Meridian",
    "Winter Rehearsal",
    "Ferry to Nowhere",
];
const TIERS: [(&str, u32); 4] = [("community", 62), ("silver", 24), ("gold", 11), ("legend", 3)];
const ADMINS: [u64; 3] = [9_001, 9_002, 9_003];
const COMMANDS: [&str; 6] =
    ["grant_pack", "reset_cooldown", "mute_player", "announce", "reload_artists", "set_drop_rate"];

impl GameBot {
    pub(super) fn new(options: &DemoOptions) -> GameBot {
        GameBot {
            rng: Rng::new(options.seed, 1),
            calendar: Calendar::new(options),
            pace: Pace::new(options.events_per_day * SESSIONS_SHARE),
            players: Skew::new(420),
            artists: Skew::new(ARTISTS.len()),
            version: Version::default(),
        }
    }

    fn pack(&mut self, player: u64) -> Pack {
        let artist = at(&ARTISTS, self.artists.pick(&mut self.rng) as u64);
        Pack { id: self.rng.below(1 << 32), player, artist, tier: self.rng.weighted(&TIERS) }
    }

    fn play(&mut self, now: &Moment<'_>, visit: Visit, agenda: &mut Agenda<Task>) -> String {
        if visit.left > 1 {
            let next = Visit { left: visit.left - 1, greeted: true, ..visit };
            agenda.plan(now.after(self.rng.spread(75 * SECOND)), Task::Play(next));
        }
        let player = visit.player;
        if !visit.greeted {
            return self.claim(now, player);
        }
        match self.rng.below(1000) {
            0..440 => {
                let pack = self.pack(player);
                self.open(now, &pack)
            }
            440..700 => self.battle(now, player),
            700..820 => self.trade(now, player),
            820..920 => self.pay(now, player, agenda),
            920..985 => self.create(now, player, agenda),
            _ => self.fail(now, player),
        }
    }

    fn claim(&mut self, now: &Moment<'_>, player: u64) -> String {
        let streak = mix(player ^ now.day.start_us as u64) % 40;
        let coins = 50 + 10 * streak.min(20);
        action(now, player, LOW, format_args!("{} claimed the daily reward", Player(player)), |metadata| {
            metadata
                .text("action", "daily_claim")
                .number("streak", streak as i64)
                .number("coins", coins as i64);
        })
    }

    fn open(&mut self, now: &Moment<'_>, pack: &Pack) -> String {
        if self.calendar.faulty_release.contains(now.us) && self.rng.chance(750) {
            return self.missing_glyphs(now, pack);
        }
        let cards = self.rng.between(3, 7);
        let rare = self.rng.below(4) as i64;
        let text = format_args!("{} opened a {} pack of {}", Player(pack.player), pack.tier, pack.artist);
        action(now, pack.player, LOW, text, |metadata| {
            metadata
                .text("action", "opened_pack")
                .say("pack_id", format_args!("{pack}"))
                .text("artist", pack.artist);
            metadata.number("cards_received", cards).number("rare_cards", rare).text("type", pack.tier);
        })
    }

    fn battle(&mut self, now: &Moment<'_>, player: u64) -> String {
        let rival = self.players.pick(&mut self.rng) as u64;
        let (mine, theirs) = (self.rng.between(0, 60), self.rng.between(0, 60));
        let verb = if mine >= theirs { "won" } else { "lost" };
        let text = format_args!("{} {verb} a battle against {}", Player(player), Player(rival));
        action(now, player, LOW, text, |metadata| {
            metadata.text("action", "battle").number("opponent_id", Player(rival).id()).text("result", verb);
            metadata.object("score", |score| {
                score.number("own", mine).number("other", theirs);
            });
        })
    }

    fn trade(&mut self, now: &Moment<'_>, player: u64) -> String {
        let partner = self.players.pick(&mut self.rng) as u64;
        let artist = at(&ARTISTS, self.artists.pick(&mut self.rng) as u64);
        let fee = self.rng.chance(300).then(|| self.rng.between(5, 80));
        let text = format_args!("{} traded a card of {artist} with {}", Player(player), Player(partner));
        action(now, player, MEDIUM, text, |metadata| {
            metadata
                .text("action", "trade")
                .text("artist", artist)
                .number("partner_id", Player(partner).id());
            match fee {
                Some(fee) => metadata.number("fee", fee),
                None => metadata.null("fee"),
            };
        })
    }

    fn pay(&mut self, now: &Moment<'_>, player: u64, agenda: &mut Agenda<Task>) -> String {
        let pack = self.pack(player);
        let cents = match pack.tier {
            "community" => 199,
            "silver" => 499,
            "gold" => 999,
            _ => 2499,
        };
        let declined = self.rng.chance(45);
        if !declined {
            agenda.plan(now.after(self.rng.between(4, 40) * SECOND), Task::Open(pack));
        }
        let severity = if declined { HIGH } else { MEDIUM };
        let verb = if declined { "declined" } else { "received" };
        let payment = self.rng.next();
        let text = format_args!("Payment {verb}: {} pack for {}", pack.tier, Player(player));
        entry(now, PAYMENT, severity, Some(player), text, |metadata| {
            metadata.say("payment_id", format_args!("pay_{}", Hex(payment, 12))).cents("amount", cents);
            metadata.text("currency", "EUR").text("provider", "stripe").text("type", pack.tier);
            metadata.maybe("decline_code", declined.then_some("insufficient_funds"));
        })
    }

    fn create(&mut self, now: &Moment<'_>, player: u64, agenda: &mut Agenda<Task>) -> String {
        let pack = self.pack(player);
        agenda.plan(now.after(self.rng.spread(2_400 * MILLISECOND)), Task::Cards(pack));
        let kind = if self.rng.chance(850) { "community" } else { "official" };
        let text = format_args!("Created pack: {} ({kind})", pack.artist);
        entry(now, PACK_CREATION, HIGH, Some(player), text, |metadata| {
            metadata.say("pack_id", format_args!("{pack}")).text("artist", pack.artist).text("type", kind);
        })
    }

    fn cards(&mut self, now: &Moment<'_>, pack: &Pack) -> String {
        let count = self.rng.between(3, 12);
        let text = format_args!("Generated {count} cards for pack");
        entry(now, CARD_GENERATION, HIGH, Some(pack.player), text, |metadata| {
            metadata.say("pack_id", format_args!("{pack}")).number("card_count", count);
        })
    }

    fn missing_glyphs(&mut self, now: &Moment<'_>, pack: &Pack) -> String {
        let atlas = self.rng.below(4);
        let text =
            format_args!("Card image of pack {pack} could not be drawn: glyph atlas {atlas} is missing");
        entry(now, ERROR, HIGH, Some(pack.player), text, |metadata| {
            metadata.text("error_type", "GlyphAtlasMissing").say("pack_id", format_args!("{pack}"));
            metadata.say("version", format_args!("{}", self.version));
            metadata.text(
                "traceback",
                "File \"cards/render.py\", line 88, in draw\n    atlas = ATLASES[index]\nKeyError",
            );
        })
    }

    fn fail(&mut self, now: &Moment<'_>, player: u64) -> String {
        let wait = 300 * self.rng.between(1, 12);
        let as_text = self.rng.chance(250);
        match self.rng.below(100) {
            0..55 => {
                let text =
                    format_args!("YouTube API Error: no more calls allowed, next one in {wait} seconds");
                entry(now, ERROR, HIGH, None, text, |metadata| {
                    metadata.text("error_type", "YouTube API Error");
                    match as_text {
                        true => metadata.say("retry_after", format_args!("{wait}")),
                        false => metadata.number("retry_after", wait),
                    };
                })
            }
            55..94 => {
                let text = format_args!("Interaction of {} was answered too late", Player(player));
                entry(now, ERROR, MEDIUM, Some(player), text, |metadata| {
                    metadata.text("error_type", "InteractionExpired").number("waited_ms", 3000 + wait);
                })
            }
            _ => entry(
                now,
                ERROR,
                CRITICAL,
                None,
                format_args!("Lost the connection to the card database"),
                |metadata| {
                    metadata
                        .text("error_type", "ConnectionLost")
                        .text("host", "cards-db-1")
                        .number("attempts", wait / 300);
                },
            ),
        }
    }

    fn job(&mut self, now: &Moment<'_>, job: Job) -> String {
        let count = self.rng.between(9_000, 60_000);
        let took = self.rng.spread(41_000);
        match job {
            Job::Vacuum => {
                entry(now, DATABASE, LOW, None, format_args!("Tidied the card database"), |metadata| {
                    metadata.number("tables", 14).number("records", count).number("duration_ms", took);
                })
            }
            Job::Cache => {
                let text = format_args!("Rebuilt the card cache: {count} cards");
                entry(now, SYSTEM_EVENT, LOW, None, text, |metadata| {
                    metadata
                        .text("event_type", "cache_rebuild")
                        .number("cards", count)
                        .number("duration_ms", took);
                })
            }
            Job::Season => {
                let text = format_args!("Closed the ranking of the month");
                entry(now, SYSTEM_EVENT, HIGH, None, text, |metadata| {
                    metadata.text("event_type", "season_end").number("ranked_players", count / 100);
                    metadata.object("prizes", |prizes| {
                        prizes.number("gold", 3).number("silver", 10).object("extra", |_| {});
                    });
                })
            }
        }
    }

    fn deploy(&mut self, now: &Moment<'_>, hotfix: bool) -> String {
        let from = self.version;
        let to = if hotfix { Version(from.0, from.1 + 1) } else { Version(from.0 + 1, 0) };
        self.version = to;
        let commit = self.rng.next();
        entry(
            now,
            DEPLOYMENT,
            HIGH,
            Some(at(&ADMINS, 0_u64)),
            format_args!("Deployed bot version {to}"),
            |metadata| {
                metadata.say("version", format_args!("{to}")).say("previous_version", format_args!("{from}"));
                metadata.say("commit", format_args!("{}", Hex(commit, 7))).flag("hotfix", hotfix);
            },
        )
    }

    fn migrate(&mut self, now: &Moment<'_>) -> String {
        let (tables, records) = (self.rng.between(1, 6), self.rng.between(800, 48_000));
        entry(now, DATABASE, HIGH, None, format_args!("Migrated the card database"), |metadata| {
            metadata
                .text("event_type", "database_migration")
                .number("tables", tables)
                .number("records", records);
        })
    }

    fn command(&mut self, now: &Moment<'_>, admin: u64) -> String {
        let command = self.rng.pick(&COMMANDS);
        let target = self.players.pick(&mut self.rng) as u64;
        let text = format_args!("{} ran /{command} for {}", Player(admin), Player(target));
        entry(now, ADMIN_ACTION, MEDIUM, Some(admin), text, |metadata| {
            metadata.text("command", command).number("target_id", Player(target).id());
            metadata.say("reason", format_args!("asked in ticket #{} 🎫", target * 7 + 11));
        })
    }

    fn intruder(&mut self, now: &Moment<'_>, player: u64) -> String {
        let command = self.rng.pick(&COMMANDS);
        let text = format_args!("{} tried /{command} without the role for it", Player(player));
        entry(now, SECURITY, HIGH, Some(player), text, |metadata| {
            metadata.text("command", command).text("reason", "missing_role").flag("blocked", true);
        })
    }

    fn failed_login(&mut self, now: &Moment<'_>, attempt: u32) -> String {
        let locked = attempt >= FAILED_LOGINS;
        let account =
            if locked { "owner" } else { self.rng.weighted(&[("owner", 8), ("admin", 3), ("root", 1)]) };
        let (severity, text) = match locked {
            true => (CRITICAL, format!("Locked the admin panel after {attempt} failed log-ins")),
            false => (HIGH, format!("Failed log-in to the admin panel as \"{account}\"")),
        };
        entry(now, SECURITY, severity, None, format_args!("{text}"), |metadata| {
            metadata.text("account", account).text("ip_address", "203.0.113.199").number("attempt", attempt);
            metadata.text("reason", if locked { "locked" } else { "wrong_password" });
        })
    }

    fn plan_stories(&mut self, day: &Day, agenda: &mut Agenda<Task>) {
        let (release, logins) = (self.calendar.faulty_release, self.calendar.failed_logins);
        let today = day.start_us..day.start_us + DAY;
        if today.contains(&release.from_us) {
            agenda.plan(release.from_us, Task::Deploy { hotfix: false });
        }
        if today.contains(&release.until_us) {
            agenda.plan(release.until_us, Task::Deploy { hotfix: true });
        }
        if today.contains(&logins.from_us) {
            let step = (logins.until_us - logins.from_us) / i64::from(FAILED_LOGINS + 1);
            for attempt in 1..=FAILED_LOGINS {
                let at_us = logins.from_us + step * i64::from(attempt) + self.rng.between(0, step / 2);
                agenda.plan(at_us, Task::FailedLogin(attempt));
            }
        }
    }

    fn plan_jobs(&mut self, day: &Day, agenda: &mut Agenda<Task>) {
        let jitter = self.rng.between(0, 40 * SECOND);
        agenda.plan(day.at(3, 15) + jitter, Task::Job(Job::Vacuum));
        agenda.plan(day.at(4, 30) + jitter, Task::Job(Job::Cache));
        if day.date.day() == 1 {
            agenda.plan(day.at(0, 5) + jitter, Task::Job(Job::Season));
        }
        let near_release = (day.start_us - self.calendar.faulty_release.from_us).abs() < 4 * DAY;
        if day.weekday() == 1 && !near_release {
            if day.date.day() <= 7 {
                agenda.plan(day.at(15, 18) + jitter, Task::Migrate);
            }
            agenda.plan(day.at(15, 20) + jitter, Task::Deploy { hotfix: false });
        }
        if self.rng.chance(620) {
            let admin = self.rng.pick(&ADMINS);
            agenda.plan(day.at(9, 0) + self.rng.between(0, 11 * HOUR), Task::Command(admin));
        }
        if self.rng.chance(90) {
            let player = self.rng.below(420);
            agenda.plan(day.at(0, 0) + self.rng.between(0, DAY - MINUTE), Task::Intruder(player));
        }
    }
}

impl Application for GameBot {
    type Task = Task;
    const NAME: &'static str = "game-bot";
    const GRAIN_US: i64 = 1;

    fn plan_day(&mut self, day: &Day, agenda: &mut Agenda<Task>) {
        self.plan_jobs(day, agenda);
        self.plan_stories(day, agenda);
        for start_us in self.pace.starts(day, &RHYTHM, 100, &mut self.rng) {
            let player = self.players.pick(&mut self.rng) as u64;
            let left = self.rng.between(2, 6) as u32;
            agenda.plan(start_us, Task::Play(Visit { player, left, greeted: false }));
        }
    }

    fn perform(&mut self, now: &Moment<'_>, task: Task, agenda: &mut Agenda<Task>) -> Option<String> {
        Some(match task {
            Task::Play(visit) => self.play(now, visit, agenda),
            Task::Open(pack) => self.open(now, &pack),
            Task::Cards(pack) => self.cards(now, &pack),
            Task::Job(job) => self.job(now, job),
            Task::Deploy { hotfix } => self.deploy(now, hotfix),
            Task::Migrate => self.migrate(now),
            Task::FailedLogin(attempt) => self.failed_login(now, attempt),
            Task::Command(admin) => self.command(now, admin),
            Task::Intruder(player) => self.intruder(now, player),
        })
    }
}

//! The lines of the change log, and how the bot names players, packs and versions.

use std::fmt;

use super::super::names::of;
use super::super::record::{Hex, Record};
use super::super::rng::mix;
use super::super::simulation::Moment;
use super::Pack;

/// A category: its name in the record, and the one for people.
pub(super) type Category = (&'static str, &'static str);
pub(super) const PACK_CREATION: Category = ("pack_creation", "Pack Creation");
pub(super) const CARD_GENERATION: Category = ("card_generation", "Card Generation");
pub(super) const USER_ACTION: Category = ("user_action", "User Action");
pub(super) const SYSTEM_EVENT: Category = ("system_event", "System Event");
pub(super) const ERROR: Category = ("error", "Error");
pub(super) const SECURITY: Category = ("security", "Security");
pub(super) const PAYMENT: Category = ("payment", "Payment");
pub(super) const ADMIN_ACTION: Category = ("admin_action", "Admin Action");
pub(super) const DEPLOYMENT: Category = ("deployment", "Deployment");
pub(super) const DATABASE: Category = ("database", "Database");

/// A severity and its emoji.
pub(super) type Severity = (&'static str, &'static str);
pub(super) const CRITICAL: Severity = ("critical", "🔴");
pub(super) const HIGH: Severity = ("high", "🟠");
pub(super) const MEDIUM: Severity = ("medium", "🟡");
pub(super) const LOW: Severity = ("low", "⚪");

/// A player: a name, and a number of 18 digits.
#[derive(Clone, Copy)]
pub(super) struct Player(pub(super) u64);

impl Player {
    pub(super) fn id(self) -> i64 {
        100_000_000_000_000_000 + (mix(self.0 ^ 0x9e37) % 899_999_999_999_999_999) as i64
    }
}

impl fmt::Display for Player {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}{}", of(&FIRST_PARTS, self.0), of(&SECOND_PARTS, self.0 ^ 0xffff), self.0)
    }
}

impl fmt::Display for Pack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "pack_{}", Hex(self.id, 8))
    }
}

/// A release of the bot, and how often it was repaired.
#[derive(Clone, Copy, Default)]
pub(super) struct Version(pub(super) u32, pub(super) u32);

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "4.{}.{}", self.0, self.1)
    }
}

pub(super) fn action(
    now: &Moment<'_>,
    player: u64,
    severity: Severity,
    text: fmt::Arguments<'_>,
    metadata: impl FnOnce(&mut Record),
) -> String {
    entry(now, USER_ACTION, severity, Some(player), text, metadata)
}

pub(super) fn entry(
    now: &Moment<'_>,
    category: Category,
    severity: Severity,
    user: Option<u64>,
    description: fmt::Arguments<'_>,
    metadata: impl FnOnce(&mut Record),
) -> String {
    let mut record = Record::spaced();
    record
        .say("timestamp", format_args!("{now}"))
        .text("category", category.0)
        .text("category_name", category.1);
    record.say("description", description);
    match user {
        Some(user) => record.number("user_id", Player(user).id()),
        None => record.null("user_id"),
    };
    record.text("severity", severity.0).text("severity_emoji", severity.1).object("metadata", metadata);
    record.finish()
}

pub(super) const FIRST_PARTS: [&str; 16] = [
    "quiet", "neon", "amber", "lucky", "stray", "cobalt", "tiny", "velvet", "rapid", "mossy", "solar", "odd",
    "brave", "hazy", "iron", "mellow",
];

pub(super) const SECOND_PARTS: [&str; 16] = [
    "fox", "heron", "badger", "comet", "piano", "lynx", "walrus", "kite", "otter", "cymbal", "raven",
    "cello", "moth", "panda", "drum", "gecko",
];

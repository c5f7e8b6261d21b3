//! Who and what an entry of the activity log is about, and how it is written.

use std::fmt;

use super::super::names::{Address, USER_AGENTS, at, of};
use super::super::record::{Hex, Record};
use super::super::rng::mix;
use super::super::simulation::Moment;
use super::{Order, Product, Status};

/// What a line is about: event type, entity type, entity id.
pub(super) type About<'a> = (&'static str, &'static str, &'a dyn fmt::Display);

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Pending => "PENDING",
            Status::Processing => "PROCESSING",
            Status::Shipped => "SHIPPED",
            Status::Delivered => "DELIVERED",
            Status::Cancelled => "CANCELLED",
        }
    }
}

impl Product {
    pub(super) fn name(&self) -> &'static str {
        of(&PRODUCTS, u64::from(self.name))
    }
}

#[derive(Clone, Copy)]
pub(super) enum Who {
    Staff(u64),
    Customer(u32),
    System,
}

impl Who {
    /// A number for the machine that somebody uses; the system's own work has none.
    pub(super) fn machine(self) -> Option<u64> {
        match self {
            Who::Staff(number) => Some(number ^ 0x5708),
            Who::Customer(number) => Some(u64::from(number) | 1 << 32),
            Who::System => None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Staff(number) => out.write_str(at(&STAFF, *number)),
            Who::Customer(number) => write!(out, "customer-{number}"),
            Who::System => out.write_str("system"),
        }
    }
}

pub(super) struct PaymentOf<'a>(pub(super) &'a Order);

impl fmt::Display for PaymentOf<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "pay_{}", Hex(mix(u64::from(self.0.id) * 4 + u64::from(self.0.declined)), 10))
    }
}

pub(super) struct Shipment(pub(super) u32);

impl fmt::Display for Shipment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SH{:07}", self.0)
    }
}

pub(super) const PRODUCTS: [&str; 22] = [
    "Linen tea towel",
    "Oak desk lamp",
    "Enamel mug \"Noord\"",
    "Wool socks 39-42",
    "Cast-iron pan 28 cm",
    "Paper kite 🪁",
    "Beeswax candle",
    "Glass storage jar",
    "Canvas tote",
    "Chess set, walnut",
    "Crème brûlée torch",
    "Garden twine 100 m",
    "Folding stool",
    "Reading glasses +1.5",
    "Rain poncho",
    "Bread knife",
    "Seed box",
    "Wall clock Ø30",
    "Notebook A5",
    "Brass hook",
    "Ceramic planter",
    "Bicycle bell",
];

pub(super) const STAFF: [&str; 4] = ["admin", "sanne", "rachid", "warehouse-2"];

pub(super) fn write(
    now: &Moment<'_>,
    id: i64,
    (event_type, entity_type, entity_id): About<'_>,
    who: Who,
    description: fmt::Arguments<'_>,
    metadata: impl FnOnce(&mut Record),
) -> String {
    let mut record = Record::compact();
    record.number("id", id).say("timestamp", format_args!("{now}"));
    record
        .text("event_type", event_type)
        .text("entity_type", entity_type)
        .say("entity_id", format_args!("{entity_id}"));
    record.say("user_id", format_args!("{who}")).say("description", description);
    record.object_or_null("metadata", metadata);
    match who.machine() {
        Some(machine) => {
            record.say("ip_address", format_args!("{}", Address(machine)));
            record.text("user_agent", of(&USER_AGENTS, machine));
        }
        None => {
            record.null("ip_address").null("user_agent");
        }
    }
    record.finish()
}

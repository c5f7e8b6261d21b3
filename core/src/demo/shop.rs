//! The activity log of a shop: orders, customers, products, shipments and payments.

mod entry;

use std::fmt;

use entry::{About, PaymentOf, Shipment, Who, write};

use super::DemoOptions;
use super::names::{Person, of};
use super::record::Record;
use super::rng::{Rng, Skew, mix};
use super::simulation::{Agenda, Application, Day, HOUR, MINUTE, Moment, Pace, Rhythm, SECOND};

/// The shop: its counters and its shelf.
pub(super) struct Shop {
    rng: Rng,
    pace: Pace,
    entries: i64,
    orders: u32,
    customers: u32,
    products: u32,
    shelf: Vec<Product>,
    popular: Skew,
}

/// What happens next.
#[derive(Clone, Copy)]
pub(super) enum Task {
    Register(Order),
    Place(Order),
    Pay(Order),
    Move(Order, Status),
    Ship(Order),
    Arrive(Order, bool),
    Staff,
    Forget,
}

#[derive(Clone, Copy)]
pub(super) struct Order {
    id: u32,
    customer: u32,
    items: i64,
    cents: i64,
    status: Status,
    declined: u8,
}

/// Where an order stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Status {
    Pending,
    Processing,
    Shipped,
    Delivered,
    Cancelled,
}

#[derive(Clone, Copy, Default)]
struct Product {
    id: u32,
    name: u32,
    cents: i64,
    stock: i64,
}

const SESSIONS_SHARE: f64 = 0.20 / 8.1;
const RHYTHM: Rhythm = Rhythm {
    hours: [12, 6, 4, 3, 3, 6, 14, 30, 42, 50, 54, 58, 62, 54, 50, 50, 54, 64, 84, 98, 96, 76, 48, 26],
    weekdays: [104, 92, 90, 94, 98, 106, 118],
};
const METHODS: [(&str, u32); 4] = [("ideal", 58), ("card", 26), ("paypal", 12), ("gift_card", 4)];
const CARRIERS: [(&str, u32); 3] = [("postnl", 70), ("dhl", 24), ("bike", 6)];

impl Shop {
    pub(super) fn new(options: &DemoOptions) -> Shop {
        let mut rng = Rng::new(options.seed, 6);
        let shelf = (0..60).map(|n| Product {
            id: n + 1,
            name: n,
            cents: list_cents(n + 1),
            stock: rng.between(5, 200),
        });
        let shelf = shelf.collect();
        let pace = Pace::new(options.events_per_day * SESSIONS_SHARE);
        Shop {
            rng,
            pace,
            entries: 18_400,
            orders: 5_500,
            customers: 2_100,
            products: 60,
            shelf,
            popular: Skew::new(60),
        }
    }

    fn register(&mut self, now: &Moment<'_>, order: Order, agenda: &mut Agenda<Task>) -> String {
        agenda.plan(now.after(self.rng.spread(2 * MINUTE)), Task::Place(order));
        let person = Person(u64::from(order.customer));
        let about: About<'_> = ("CREATE", "customer", &order.customer);
        self.entry(
            now,
            about,
            Who::Customer(order.customer),
            format_args!("Registered customer {person}"),
            |metadata| {
                metadata.text("country", of(&["NL", "NL", "NL", "BE", "DE"], u64::from(order.customer)));
                metadata.flag("newsletter", order.customer.is_multiple_of(3)).null("company");
            },
        )
    }

    fn place(&mut self, now: &Moment<'_>, order: Order, agenda: &mut Agenda<Task>) -> String {
        self.orders += 1;
        let order = Order { id: self.orders, ..order };
        match self.rng.below(1000) {
            0..30 => {
                agenda.plan(now.after(self.rng.spread(40 * MINUTE)), Task::Move(order, Status::Cancelled))
            }
            _ => agenda.plan(now.after(self.rng.spread(50 * SECOND)), Task::Pay(order)),
        }
        let first = self.product();
        let text = format_args!("Created order for customer #{}", order.customer);
        let as_text = order.id.is_multiple_of(11);
        self.entry(now, ("CREATE", "order", &order.id), Who::Customer(order.customer), text, |metadata| {
            match as_text {
                // Orders by telephone are typed in.
                true => metadata.say("items_count", format_args!("{}", order.items)),
                false => metadata.number("items_count", order.items),
            };
            metadata
                .cents("total", order.cents)
                .text("currency", "EUR")
                .text("new_status", Status::Pending.name());
            metadata.object("first_item", |item| {
                item.number("product_id", first.id)
                    .text("name", first.name())
                    .number("quantity", order.items.min(2));
            });
        })
    }

    fn pay(&mut self, now: &Moment<'_>, order: Order, agenda: &mut Agenda<Task>) -> String {
        let method = self.rng.weighted(&METHODS);
        let declined = self.rng.chance(42);
        match (declined, order.declined) {
            (true, 0..2) => {
                let again = Order { declined: order.declined + 1, ..order };
                agenda.plan(now.after(self.rng.spread(2 * MINUTE)), Task::Pay(again));
            }
            (true, _) => agenda.plan(now.after(HOUR), Task::Move(order, Status::Cancelled)),
            (false, _) => {
                agenda.plan(now.after(self.rng.spread(70 * MINUTE)), Task::Move(order, Status::Processing))
            }
        }
        let new_status = if declined { "DECLINED" } else { "PAID" };
        let verb = if declined { "declined" } else { "received" };
        let about: About<'_> = ("PAYMENT", "payment", &PaymentOf(&order));
        let text = format_args!("Payment for order #{} {verb}", order.id);
        self.entry(now, about, Who::Customer(order.customer), text, |metadata| {
            metadata.number("order_id", order.id).cents("amount", order.cents).text("currency", "EUR");
            metadata.text("method", method).text("old_status", "OPEN").text("new_status", new_status);
        })
    }

    fn move_on(
        &mut self,
        now: &Moment<'_>,
        order: Order,
        status: Status,
        agenda: &mut Agenda<Task>,
    ) -> String {
        let moved = Order { status, ..order };
        match status {
            Status::Processing => {
                let hour = self.rng.between(7, 14);
                agenda.plan(now.on_later_day(1, hour, &mut self.rng), Task::Ship(moved));
            }
            Status::Shipped => {
                agenda.plan(now.after(self.rng.spread(5 * HOUR)), Task::Arrive(moved, false));
            }
            _ => {}
        }
        let who = match status {
            Status::Processing | Status::Shipped => Who::Staff(1 + u64::from(order.id % 3)),
            Status::Cancelled => Who::Staff(0),
            _ => Who::System,
        };
        let text = format_args!("Updated order status to {}", status.name());
        self.entry(now, ("UPDATE", "order", &order.id), who, text, |metadata| {
            metadata.text("old_status", order.status.name()).text("new_status", status.name());
            if status == Status::Processing {
                metadata.number("items_count", order.items);
            }
            if status == Status::Cancelled {
                metadata.text("reason", if order.declined > 0 { "not_paid" } else { "customer_asked" });
            }
        })
    }

    fn ship(&mut self, now: &Moment<'_>, order: Order, agenda: &mut Agenda<Task>) -> String {
        agenda.plan(now.after(self.rng.spread(90 * SECOND)), Task::Move(order, Status::Shipped));
        let carrier = self.rng.weighted(&CARRIERS);
        let about: About<'_> = ("CREATE", "shipment", &Shipment(order.id));
        let text = format_args!("Created shipment for order #{}", order.id);
        self.entry(now, about, Who::Staff(3), text, |metadata| {
            metadata
                .number("order_id", order.id)
                .text("carrier", carrier)
                .number("parcels", 1 + order.items / 6);
            metadata.thousandths("weight_kg", order.items * 420).text("new_status", "LABELLED");
        })
    }

    fn arrive(
        &mut self,
        now: &Moment<'_>,
        order: Order,
        delivered: bool,
        agenda: &mut Agenda<Task>,
    ) -> String {
        match delivered {
            false => {
                let (days, hour) =
                    (self.rng.weighted(&[(1, 7), (2, 4), (3, 1), (6, 1)]), self.rng.between(8, 19));
                agenda.plan(now.on_later_day(days, hour, &mut self.rng), Task::Arrive(order, true));
            }
            true => agenda.plan(now.after(3 * SECOND), Task::Move(order, Status::Delivered)),
        }
        let (old, new) = if delivered { ("IN_TRANSIT", "DELIVERED") } else { ("LABELLED", "IN_TRANSIT") };
        let about: About<'_> = ("UPDATE", "shipment", &Shipment(order.id));
        let text = format_args!("Updated shipment status to {new}");
        self.entry(now, about, Who::System, text, |metadata| {
            metadata.number("order_id", order.id).text("old_status", old).text("new_status", new);
        })
    }

    /// Somebody of the staff changes the price or the stock of a product, or replaces it by a new one.
    fn staff(&mut self, now: &Moment<'_>, agenda: &mut Agenda<Task>) -> String {
        let place = self.popular.pick(&mut self.rng);
        let product = self.shelf.get(place).copied().unwrap_or_default();
        let who = Who::Staff(self.rng.weighted(&[(0, 3), (1, 4), (2, 3)]));
        if product.id == 0 {
            return self.add_product(now, place, who);
        }
        match self.rng.below(100) {
            0..6 => {
                self.put(place, Product { id: 0, ..product });
                agenda.plan(now.after(self.rng.spread(8 * MINUTE)), Task::Staff);
                let text = format_args!("Deleted product {}", product.name());
                self.entry(now, ("DELETE", "product", &product.id), who, text, |metadata| {
                    metadata.cents("price", product.cents).number("stock", product.stock);
                })
            }
            6..40 => {
                let list_cents = list_cents(product.id);
                let cents = list_cents * self.rng.pick(&[75, 80, 85, 90, 95, 100, 105]) / 100;
                let cents = if cents == product.cents { cents + 50 } else { cents };
                self.put(place, Product { cents, ..product });
                let text = format_args!("Changed the price of {}", product.name());
                self.entry(now, ("UPDATE", "product", &product.id), who, text, |metadata| {
                    metadata
                        .text("field", "price")
                        .cents("old_price", product.cents)
                        .cents("new_price", cents);
                })
            }
            _ => {
                let stock = self.rng.spread(55);
                self.put(place, Product { stock, ..product });
                let text = format_args!("Counted the stock of {}", product.name());
                self.entry(now, ("UPDATE", "product", &product.id), who, text, |metadata| {
                    metadata
                        .text("field", "stock")
                        .number("old_stock", product.stock)
                        .number("new_stock", stock);
                })
            }
        }
    }

    fn add_product(&mut self, now: &Moment<'_>, place: usize, who: Who) -> String {
        self.products += 1;
        let id = self.products;
        let cents = list_cents(id);
        let product = Product { id, name: id, cents, stock: 25 };
        self.put(place, product);
        let text = format_args!("Created product {}", product.name());
        self.entry(now, ("CREATE", "product", &id), who, text, |metadata| {
            metadata.cents("price", cents).number("stock", 25).texts("tags", ["new", "shop \"front\""]);
        })
    }

    fn forget(&mut self, now: &Moment<'_>) -> String {
        let customer = self.rng.below(u64::from(self.customers));
        let text = format_args!("Deleted customer #{customer} as they asked");
        self.entry(now, ("DELETE", "customer", &customer), Who::Staff(0), text, |_| {})
    }

    fn entry(
        &mut self,
        now: &Moment<'_>,
        about: About<'_>,
        who: Who,
        description: fmt::Arguments<'_>,
        metadata: impl FnOnce(&mut Record),
    ) -> String {
        self.entries += 1;
        write(now, self.entries, about, who, description, metadata)
    }

    fn product(&mut self) -> Product {
        let place = self.popular.pick(&mut self.rng);
        let on_sale = self.shelf.iter().cycle().skip(place).take(self.shelf.len());
        on_sale.copied().find(|product| product.id > 0).unwrap_or_default()
    }

    fn put(&mut self, place: usize, product: Product) {
        if let Some(slot) = self.shelf.get_mut(place) {
            *slot = product;
        }
    }

    fn basket(&mut self) -> Order {
        let is_new = self.rng.chance(280);
        let customer = match is_new {
            true => self.customers + 1,
            // Mostly one of the latest.
            false => {
                let reach = 400 + self.rng.below(1_700);
                self.customers - self.rng.below(reach.min(u64::from(self.customers))) as u32
            }
        };
        self.customers = self.customers.max(customer);
        let items = self.rng.spread(3).min(24);
        let cents = (0..items.min(3)).map(|_| self.product().cents).sum::<i64>() + (items - 3).max(0) * 995;
        Order { id: 0, customer, items, cents, status: Status::Pending, declined: 0 }
    }
}

impl Application for Shop {
    type Task = Task;
    const NAME: &'static str = "shop";
    const GRAIN_US: i64 = SECOND;

    fn plan_day(&mut self, day: &Day, agenda: &mut Agenda<Task>) {
        for start_us in self.pace.starts(day, &RHYTHM, 100, &mut self.rng) {
            let known = self.customers;
            let order = self.basket();
            agenda.plan(
                start_us,
                if order.customer > known { Task::Register(order) } else { Task::Place(order) },
            );
            if self.rng.chance(650) && day.weekday() < 6 {
                agenda.plan(day.at(7, 0) + self.rng.between(0, 10 * HOUR), Task::Staff);
            }
            if self.rng.chance(12) {
                agenda.plan(day.at(9, 0) + self.rng.between(0, 7 * HOUR), Task::Forget);
            }
        }
    }

    fn perform(&mut self, now: &Moment<'_>, task: Task, agenda: &mut Agenda<Task>) -> Option<String> {
        Some(match task {
            Task::Register(order) => self.register(now, order, agenda),
            Task::Place(order) => self.place(now, order, agenda),
            Task::Pay(order) => self.pay(now, order, agenda),
            Task::Move(order, status) => self.move_on(now, order, status, agenda),
            Task::Ship(order) => self.ship(now, order, agenda),
            Task::Arrive(order, delivered) => self.arrive(now, order, delivered, agenda),
            Task::Staff => self.staff(now, agenda),
            Task::Forget => self.forget(now),
        })
    }
}

/// The price that a product is meant to have; offers move around it.
fn list_cents(product: u32) -> i64 {
    (mix(u64::from(product)) % 87 + 4) as i64 * 100 - 5
}

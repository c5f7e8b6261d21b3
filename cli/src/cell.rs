//! Values as text, with times in the zone that was asked for.

use daybook::output::Times;
pub use daybook::output::cell::{Cell, cell, is_numeric, is_rigid};

use crate::args::Zone;

/// The value as text for people, not escaped; `None` for NULL.
pub fn plain(cell: &Cell<'_>, zone: Zone) -> Option<String> {
    daybook::output::cell::plain(cell, Times::shown_by(&|time| zone.show(time)))
}

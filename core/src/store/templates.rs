//! The SQL table `templates`: the templates of messages, and what became of them.

use super::Store;
use crate::error::Result;
use crate::mine::Dictionary;

pub use crate::bundle::templates_table as batch_of;

/// The name of the table.
pub const TABLE: &str = "templates";

/// Whether a query may ask about templates; reading them costs some files.
pub fn is_named_in(sql: &str) -> bool {
    sql.to_ascii_lowercase().contains(TABLE)
}

impl Store {
    /// The templates of the messages: those of stored events, and those that this process met in the log.
    pub fn dictionary(&self) -> Result<Dictionary> {
        self.tables.templates.dictionary()
    }
}

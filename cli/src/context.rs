//! What every command works with.

use std::io::Write;
use std::path::Path;

use daybook::{Store, StoreOptions};

use crate::args::Global;
use crate::escape;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;

/// The printer, the store that was named, the zone of times.
pub struct Context<'a> {
    pub printer: &'a Printer,
    pub global: Global,
}

impl Context<'_> {
    /// The store, which has to be there.
    pub fn open(&self) -> Result<Store, Failure> {
        let store = self.open_alone()?.with_archives(&self.global.archives)?;
        self.opened(&self.global.store, store)
    }

    /// The store without its archives, as it is.
    pub fn open_alone(&self) -> Result<Store, Failure> {
        Ok(Store::open_with(&self.global.store, &self.options()?)?)
    }

    fn options(&self) -> Result<StoreOptions, Failure> {
        Ok(StoreOptions::with_key_file(self.global.key_file.clone())?)
    }

    /// The store, made if it is not there.
    pub fn open_or_create(&self) -> Result<Store, Failure> {
        self.open_or_create_at(&self.global.store)
    }

    /// The store in another folder than the named one, made if it is not there.
    pub fn open_or_create_at(&self, folder: &Path) -> Result<Store, Failure> {
        self.opened(folder, Store::open_or_create_with(folder, &self.options()?)?)
    }

    /// From here on, Ctrl-C stops what the store does.
    fn opened(&self, folder: &Path, store: Store) -> Result<Store, Failure> {
        self.printer.detail(&format!("opened the store `{}`", folder.display()));
        store.tell(|warning| {
            // Where nobody reads errors any more, nothing can be told.
            let _ = writeln!(std::io::stderr().lock(), "warning: {}", escape::visible(warning));
        });
        let interrupter = store.interrupter();
        interrupt::on_interrupt(move || interrupter.interrupt());
        interrupt::check()?;
        Ok(store)
    }
}

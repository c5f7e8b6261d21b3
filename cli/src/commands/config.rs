//! `daybook config`: checks the settings, shows them, prints their reference.

use daybook::layout;
use daybook::settings::{Settings, reference};
use daybook::storage::{LocalStorage, Storage};
use daybook::{Error, ErrorKind};
use serde_json::json;

use crate::args::ConfigAction;
use crate::context::Context;
use crate::escape;
use crate::failure::Failure;

/// Runs an action. The store need not be there.
pub fn run(context: &Context<'_>, action: ConfigAction) -> Result<(), Failure> {
    let text = match action {
        ConfigAction::Reference => reference::reference(),
        ConfigAction::Check => return check(context),
        ConfigAction::Show => {
            let (settings, written) = read(context)?;
            if context.printer.json() {
                return context.printer.object(&settings);
            }
            reference::shown(&settings, &written.unwrap_or_default())
        }
    };
    let mut data = context.printer.data();
    data.write(text.as_bytes())?;
    data.finish()
}

fn check(context: &Context<'_>) -> Result<(), Failure> {
    let file = context.global.store.join(layout::SETTINGS);
    let (_, written) = read(context)?;
    if context.printer.json() {
        return context.printer.object(&json!({"file": file, "found": written.is_some(), "ok": true}));
    }
    let name = file.display().to_string();
    let name = escape::visible(&name);
    context.printer.receipt(&match written {
        Some(_) => format!("`{name}` is right"),
        None => format!("there is no `{name}`: the defaults hold, which `daybook config show` prints"),
    })
}

/// The settings of the store, and the text of their file if there is one.
fn read(context: &Context<'_>) -> Result<(Settings, Option<String>), Failure> {
    let storage = LocalStorage::open(&context.global.store)?;
    let settings = Settings::load(&storage)?;
    settings.check()?;
    match storage.read(layout::SETTINGS) {
        Ok(bytes) => Ok((settings, Some(String::from_utf8_lossy(&bytes).into_owned()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((settings, None)),
        Err(error) => Err(Error::into(error)),
    }
}

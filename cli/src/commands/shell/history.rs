//! The file of the shell's history: the user's own, readable by nobody else.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

/// The file, made where it is not there; `None` where the user has no folder for it.
pub fn file() -> io::Result<Option<PathBuf>> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
    let Some(folder) = state.map(|state| state.join("daybook")) else { return Ok(None) };
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let file = folder.join("history");
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&file)?;
    opened.set_permissions(Permissions::from_mode(0o600))?;
    Ok(Some(file))
}

//! Files with keys.

use super::KEY_BYTES;
use crate::error::{Error, ErrorKind, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// How to make a key.
pub(super) const HINT: &str =
    "a key is 32 random bytes, in hexadecimal or base64, on a line of its own: `openssl rand -hex 32`";
/// More is no file of keys.
const BYTES_MAX: u64 = 64 << 10;

/// The key that a line is.
pub(super) fn key_of(line: &str) -> Option<[u8; KEY_BYTES]> {
    if line.len() == 2 * KEY_BYTES && line.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut key = [0; KEY_BYTES];
        for (to, digits) in key.iter_mut().zip(line.as_bytes().chunks_exact(2)) {
            *to = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        return Some(key);
    }
    BASE64_STANDARD.decode(line).ok()?.try_into().ok()
}

/// The text of a file of keys, and what is wrong with who may read it.
pub(super) fn read(path: &Path) -> Result<(String, Option<String>)> {
    let place = path.display();
    let failed = |error: std::io::Error| {
        let message = format!("the key file `{place}` cannot be read");
        Error::new(ErrorKind::Invalid, message).with_hint("check its name and owner").with_source(error)
    };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode();
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::new(ErrorKind::Invalid, format!("the key file `{place}` is no text")).with_hint(HINT)
    })?;
    let is_open = mode & 0o077 != 0;
    let warning =
        format!("the key file `{place}` can be read by others; `chmod 600` makes it its owner's alone");
    Ok((text, is_open.then_some(warning)))
}

/// Whether a file lies in a folder.
pub(super) fn is_inside(folder: &Path, file: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    file.canonicalize().is_ok_and(|file| file.starts_with(folder))
}

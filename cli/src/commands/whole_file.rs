//! Files that are written at once.

use std::io::Write;
use std::path::Path;

use daybook::Error;

use daybook::storage::PartialFile;

/// Writes a file that gets its name when it is complete.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let mut file = PartialFile::create(path)?;
    file.writer().write_all(content).map_err(|error| Error::io("write", path.display(), error))?;
    file.finish()
}

//! The manifest of a bundle: what it says, and what must hold for it to be believed.

use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::{Addition, COLUMNS_MAX, Catalogue};
use crate::event::time::{DAY_US, day_start_us};
use crate::mine::Dictionary;
use crate::query::analyses::ChainHead;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet};

/// The version of the form of bundles that this version writes. A bundle of a higher one is refused.
pub const VERSION: u32 = 1;

/// A manifest has at most so many bytes.
const BYTES_MAX: usize = 256 << 20;
/// Sizes and counts are below this, so that JavaScript has them exactly.
const NUMBER_MAX: u64 = 1 << 53;
/// A Parquet file ends with the length of its footer and four letters.
const TRAILER_BYTES: u64 = 8;
/// A catalogue of a store may have been made with a higher limit than the usual one.
const CATALOGUE_COLUMNS_MAX: usize = COLUMNS_MAX.saturating_mul(100);

/// What a bundle holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of its form.
    pub daybook_bundle: u32,
    /// What people call it.
    pub title: String,
    /// When it was made, in UTC.
    pub created: String,
    /// The version of Daybook that made it.
    pub daybook: String,
    /// Where its events are from.
    pub source: Source,
    /// Which of the store's events it has, as a filter; `*` for all.
    pub filter: String,
    /// Whether secrets were looked for and replaced when it was made.
    #[serde(default)]
    pub redacted: bool,
    /// Its events.
    pub events: u64,
    /// The bytes of its data files.
    pub bytes: u64,
    /// The columns and their paths, the shapes of records, and the fields of mixed type.
    catalogue: Addition,
    /// The dictionary of templates.
    templates: Json,
    /// Its data files, by day.
    pub files: Vec<BundleFile>,
    /// Some columns of many small data files once more, together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyFile>,
}

/// The store that a bundle was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The id of the table.
    pub table: String,
    /// The head of its hash chain.
    #[serde(flatten)]
    pub head: ChainHead,
}

/// A Parquet file of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Its path below the bundle's folder.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Its rows.
    pub rows: u64,
    /// The SHA-256 of its bytes in hexadecimal.
    pub sha256: String,
    /// The end of the file, from the footer on.
    pub footer: Place,
    /// The smallest and largest `ts`, in microseconds since 1970.
    pub ts: (i64, i64),
    /// The smallest and largest `seq`.
    pub seq: (i64, i64),
}

/// A data file of a bundle: all columns of events of a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BundleFile {
    /// Where it is and what is known of all its rows.
    #[serde(flatten)]
    pub stored: Stored,
    /// The day of all its rows.
    pub day: NaiveDate,
    /// The smallest and largest `severity`, of a file that has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<(i64, i64)>,
    /// The smallest and largest values of text columns, by column; null for one without any value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, Option<TextRange>>,
}

/// Some columns of all rows of data files that follow each other, sorted by `ts` and `seq`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopyFile {
    /// Where it is and what is known of all its rows.
    #[serde(flatten)]
    pub stored: Stored,
    /// The number of the first data file, from 0, and of the first one after them.
    pub of: (usize, usize),
    /// Its columns.
    pub columns: Vec<String>,
}

/// The smallest and the largest text of a column.
pub type TextRange = (String, String);

/// A part of a file, and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// Their SHA-256 in hexadecimal.
    pub sha256: String,
}

#[derive(Deserialize)]
struct VersionOnly {
    daybook_bundle: Option<u32>,
}

impl Manifest {
    /// A manifest without files.
    pub fn new(title: String, created: String, source: Source) -> Manifest {
        Manifest {
            daybook_bundle: VERSION,
            title,
            created,
            daybook: env!("CARGO_PKG_VERSION").to_string(),
            source,
            filter: "*".to_string(),
            redacted: false,
            events: 0,
            bytes: 0,
            catalogue: Addition::default(),
            templates: Json::Null,
            files: Vec::new(),
            copies: Vec::new(),
        }
    }

    /// Takes over what is known of fields and templates.
    pub fn describe(&mut self, catalogue: &Catalogue, templates: &Dictionary) {
        self.catalogue = catalogue.complete();
        self.templates = serde_json::from_str(&templates.to_json()).unwrap_or_default();
    }

    /// Adds a file, which is of the day of the last one or of a later one.
    pub fn add(&mut self, file: BundleFile) {
        self.events = self.events.saturating_add(file.stored.rows);
        self.bytes = self.bytes.saturating_add(file.stored.size);
        self.files.push(file);
    }

    /// Adds a copy of columns of data files.
    pub fn add_copy(&mut self, copy: CopyFile) {
        self.bytes = self.bytes.saturating_add(copy.stored.size);
        self.copies.push(copy);
    }

    /// All files, the data files first: what has a number has it in this order.
    pub fn stored(&self) -> impl Iterator<Item = &Stored> {
        let copies = self.copies.iter().map(|copy| &copy.stored);
        self.files.iter().map(|file| &file.stored).chain(copies)
    }

    /// Its bytes.
    pub fn to_json(&self) -> Vec<u8> {
        // Plain structures of text and numbers always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a manifest, and checks all that it says of itself.
    pub fn read(bytes: &[u8]) -> Result<Manifest> {
        if bytes.len() > BYTES_MAX {
            let message = format!("the manifest has {} bytes; it can have {BYTES_MAX}", bytes.len());
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let unreadable = |error: serde_json::Error| {
            Error::new(ErrorKind::Corrupt, format!("the manifest cannot be read: {error}"))
                .with_hint("load the page again; if that does not help, make the bundle anew")
        };
        let version: VersionOnly = serde_json::from_slice(bytes).map_err(unreadable)?;
        match version.daybook_bundle {
            None => return Err(lie("it does not say that it is a bundle's".to_string())),
            Some(0) => return Err(lie("there is no version 0 of bundles".to_string())),
            Some(version) if version > VERSION => {
                let message =
                    format!("the bundle is of version {version}; this program knows {VERSION} and below");
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with_hint("a newer Daybook made it; use that one, or make the bundle anew"));
            }
            Some(_) => {}
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(unreadable)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The columns of the events.
    pub fn catalogue(&self) -> Result<Catalogue> {
        let mut catalogue = Catalogue::new(CATALOGUE_COLUMNS_MAX);
        catalogue.apply(&self.catalogue, 0)?;
        Ok(catalogue)
    }

    /// The templates of messages.
    pub fn templates(&self) -> Result<Dictionary> {
        if self.templates.is_null() {
            return Ok(Dictionary::default());
        }
        Dictionary::from_json(&self.templates.to_string()).map_err(|error| lie(error.to_string()))
    }

    /// The first and the last instant of the events, if there are any.
    pub fn span(&self) -> Option<(i64, i64)> {
        let spans = self.files.iter().map(|file| file.stored.ts);
        spans.reduce(|all, span| (all.0.min(span.0), all.1.max(span.1)))
    }

    fn check(&self) -> Result<()> {
        self.catalogue()?;
        self.templates()?;
        let mut paths = HashSet::with_capacity(self.files.len());
        let mut bytes = 0_u64;
        for stored in self.stored() {
            stored.check()?;
            if !paths.insert(stored.path.as_str()) {
                return Err(lie(format!("the file `{}` is named twice", shown(&stored.path))));
            }
            bytes = bytes.saturating_add(stored.size);
        }
        self.files.iter().try_for_each(BundleFile::check)?;
        let mut copied = 0;
        for copy in &self.copies {
            copy.check(&self.files, copied)?;
            copied = copy.of.1;
        }
        let rows = rows_of(&self.files);
        if rows != self.events || bytes != self.bytes || rows > NUMBER_MAX || bytes > NUMBER_MAX {
            let message = format!(
                "it says {} events and {} bytes, and its files have {rows} and {bytes}",
                self.events, self.bytes
            );
            return Err(lie(message));
        }
        Ok(())
    }
}

impl Stored {
    fn check(&self) -> Result<()> {
        let path = shown(&self.path);
        if !is_below(&self.path) {
            return Err(lie(format!("the path `{path}` is not one below the bundle's folder")));
        }
        let footer_end = self.footer.offset.checked_add(self.footer.length);
        if self.size > NUMBER_MAX || self.rows > NUMBER_MAX || self.rows == 0 {
            return Err(self.wrong("has a size or a number of rows that cannot be"));
        }
        if footer_end != Some(self.size) || self.footer.length <= TRAILER_BYTES || self.footer.offset < 4 {
            return Err(self.wrong("has a footer that is not at its end"));
        }
        if !is_hash(&self.sha256) || !is_hash(&self.footer.sha256) {
            return Err(self.wrong("has a hash that is none"));
        }
        if self.ts.0 > self.ts.1 || self.seq.0 > self.seq.1 {
            return Err(self.wrong("has times or numbers that end before they begin"));
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> Error {
        lie(format!("the file `{}` {what}", shown(&self.path)))
    }
}

impl BundleFile {
    fn check(&self) -> Result<()> {
        let day = day_start_us(self.day);
        let Stored { ts, .. } = self.stored;
        if ts.0 < day || ts.1 >= day.saturating_add(DAY_US) {
            return Err(self.stored.wrong("has times that are not of its day"));
        }
        Ok(())
    }
}

impl CopyFile {
    /// Whether it can be the copy of some of the files, from one on.
    fn check(&self, files: &[BundleFile], from: usize) -> Result<()> {
        let wrong = |what: &str| Err(self.stored.wrong(what));
        let copied = files.get(self.of.0..self.of.1).filter(|copied| !copied.is_empty() && self.of.0 >= from);
        let Some(copied) = copied else { return wrong("is a copy of files that cannot be") };
        if self.stored.rows != rows_of(copied) {
            return wrong("has not the rows of the files that it is a copy of");
        }
        let is_outside = |file: &BundleFile| {
            let (one, all) = (&file.stored, &self.stored);
            one.ts.0 < all.ts.0 || one.ts.1 > all.ts.1 || one.seq.0 < all.seq.0 || one.seq.1 > all.seq.1
        };
        if copied.iter().any(is_outside) {
            return wrong("has not the times and numbers of the files that it is a copy of");
        }
        Ok(())
    }
}

fn rows_of(files: &[BundleFile]) -> u64 {
    files.iter().fold(0, |rows, file| rows.saturating_add(file.stored.rows))
}

/// Whether a path names a file below the folder, whatever a browser makes of it: a server's `%2e%2e`, a host after `//`,
/// a scheme before `:`, a `?` and a `#` are no part of the names that bundles have.
pub fn is_below(path: &str) -> bool {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.' | '=' | '/');
    let is_name = |part: &str| !part.is_empty() && !part.starts_with('.');
    path.len() <= 1_000 && path.chars().all(is_plain) && path.split('/').all(is_name)
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A path in a message: not too long, and without characters that do something.
fn shown(path: &str) -> String {
    path.chars().take(200).flat_map(char::escape_default).collect()
}

fn lie(what: String) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the manifest is wrong: {what}"))
        .with_hint("the bundle is damaged, or somebody changed it; make it anew")
}

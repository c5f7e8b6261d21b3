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

/// A data file of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BundleFile {
    /// Its path below the bundle's folder.
    pub path: String,
    /// The day of all its rows.
    pub day: NaiveDate,
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
    /// The smallest and largest `severity`, of a file that has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<(i64, i64)>,
    /// The smallest and largest values of text columns, by column; null for one without any value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, Option<TextRange>>,
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
        }
    }

    /// Takes over what is known of fields and templates.
    pub fn describe(&mut self, catalogue: &Catalogue, templates: &Dictionary) {
        self.catalogue = catalogue.complete();
        self.templates = serde_json::from_str(&templates.to_json()).unwrap_or_default();
    }

    /// Adds a file, which is of the day of the last one or of a later one.
    pub fn add(&mut self, file: BundleFile) {
        self.events = self.events.saturating_add(file.rows);
        self.bytes = self.bytes.saturating_add(file.size);
        self.files.push(file);
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
        let spans = self.files.iter().map(|file| file.ts);
        spans.reduce(|all, span| (all.0.min(span.0), all.1.max(span.1)))
    }

    fn check(&self) -> Result<()> {
        self.catalogue()?;
        self.templates()?;
        let mut paths = HashSet::with_capacity(self.files.len());
        let (mut rows, mut bytes) = (0_u64, 0_u64);
        for file in &self.files {
            file.check()?;
            if !paths.insert(file.path.as_str()) {
                return Err(lie(format!("the file `{}` is named twice", shown(&file.path))));
            }
            rows = rows.saturating_add(file.rows);
            bytes = bytes.saturating_add(file.size);
        }
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

impl BundleFile {
    fn check(&self) -> Result<()> {
        let path = shown(&self.path);
        if !is_below(&self.path) {
            return Err(lie(format!("the path `{path}` is not one below the bundle's folder")));
        }
        let wrong = |what: &str| Err(lie(format!("the file `{path}` {what}")));
        let footer_end = self.footer.offset.checked_add(self.footer.length);
        if self.size > NUMBER_MAX || self.rows > NUMBER_MAX || self.rows == 0 {
            return wrong("has a size or a number of rows that cannot be");
        }
        if footer_end != Some(self.size) || self.footer.length <= TRAILER_BYTES || self.footer.offset < 4 {
            return wrong("has a footer that is not at its end");
        }
        if !is_hash(&self.sha256) || !is_hash(&self.footer.sha256) {
            return wrong("has a hash that is none");
        }
        let day = day_start_us(self.day);
        let is_of_day = self.ts.0 >= day && self.ts.1 < day.saturating_add(DAY_US);
        if !is_of_day || self.ts.0 > self.ts.1 || self.seq.0 > self.seq.1 {
            return wrong("has times that are not of its day");
        }
        Ok(())
    }
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

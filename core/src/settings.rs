//! The settings of a store, `daybook.toml`: all optional.

use crate::described::{Setting, Takes, described};
use crate::error::{Error, ErrorKind, Result};
use crate::event::catalogue::COLUMNS_MAX;
use crate::event::mapping::Mapping;
use crate::format::Format;
use crate::layout;
use crate::query::filter::{Context, Filter};
use crate::redact::{RedactSettings, Rules};
use crate::storage::Storage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub mod reference;
mod size;

described! {
/// The settings of a store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many columns fields may have; further fields are kept in `rest`.
    pub max_columns: usize,
    /// When events of the write-ahead log become Parquet: at the first of these.
    pub seal: SealSettings,
    /// What is kept of the past.
    pub keep: KeepSettings,
    /// What is secret, and what becomes of it.
    pub redact: RedactSettings,
    /// Where heads of the hash chain go with each commit.
    pub heads: HeadSettings,
    /// When people work; an audit report lists what happens at other times.
    pub hours: HoursSettings,
    /// How the store is encrypted; without a key it is not.
    pub encryption: EncryptionSettings,
    /// How inputs are read that are ingested with `--mapping NAME`.
    pub mapping: BTreeMap<String, MappingSettings>,
}
}

described! {
/// How the store is encrypted; without a key it is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncryptionSettings {
    /// The file with the key, seen from the folder of the store: a line of 32 bytes in hexadecimal or base64. Further
    /// lines are keys that parts of the store are still encrypted with. `--key-file` and `DAYBOOK_KEY_FILE` come first.
    pub key_file: Option<String>,
}
}

described! {
/// How some inputs are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MappingSettings {
    /// The format, where it is not to be found by looking.
    pub from: Option<String>,
    /// The names of the columns, separated by commas, where inputs begin with a record.
    pub header: Option<String>,
    /// Columns, and the fields that map to them: a path, or several of which the first counts that is there.
    pub columns: BTreeMap<String, Paths>,
}
}

/// One path, or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Paths {
    /// One.
    One(String),
    /// Several, the first that a record has counts.
    Several(Vec<String>),
}

impl Setting for Paths {
    fn takes() -> Takes {
        Takes::Value("text, or list of text".to_string())
    }
}

impl MappingSettings {
    /// The mapping of the columns. The error says what is wrong, in words.
    pub fn mapping(&self) -> Result<Mapping, String> {
        let mut mapping = Mapping::default();
        for (column, paths) in &self.columns {
            let paths = match paths {
                Paths::One(path) => std::slice::from_ref(path),
                Paths::Several(paths) => paths,
            };
            paths.iter().try_for_each(|path| mapping.choose(column, path))?;
        }
        Ok(mapping)
    }
}

described! {
/// When events of the write-ahead log become Parquet: at the first of these.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SealSettings {
    /// At so many events.
    pub events: u64,
    /// At so many bytes.
    pub bytes: u64,
    /// At so many seconds after the first of them.
    pub seconds: u64,
}
}

described! {
/// Where heads of the hash chain go with each commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadSettings {
    /// A file with the Ed25519 key (PKCS #8, PEM) that signs them; relative paths begin in the store's folder.
    pub sign_with: Option<String>,
    /// A file that each is appended to, in a line.
    pub append_to: Option<String>,
    /// An address, `https://...`, that each is sent to as JSON, `{"head": "..."}`.
    pub send_to: Option<String>,
}
}

described! {
/// When people work.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HoursSettings {
    /// The days: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.
    pub days: Vec<String>,
    /// The hour in which work begins.
    pub from: u8,
    /// The hour before which it ends.
    pub to: u8,
    /// The zone of these hours: `UTC`, `+02:00`, or a name such as `Europe/Berlin`.
    pub zone: String,
}
}

impl Default for HoursSettings {
    fn default() -> Self {
        let days = ["mon", "tue", "wed", "thu", "fri"].map(str::to_string).to_vec();
        HoursSettings { days, from: 8, to: 18, zone: "UTC".to_string() }
    }
}

described! {
/// What is kept of the past.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeepSettings {
    /// How many days old versions can be read: files and commits go after that.
    pub versions_days: u32,
    /// How many days an input is remembered, so that it is not stored twice. It counts when the store is made.
    pub inputs_days: u32,
    /// After how many days compaction compresses the files of a day harder; 0 is never.
    pub compress_after_days: u32,
    /// What goes after a time, or when it is too much. Without any, everything stays.
    pub policy: Vec<PolicySettings>,
    /// Old quarters that upkeep moves to an archive.
    pub archive: ArchiveSettings,
}
}

described! {
/// Old quarters that upkeep moves to an archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArchiveSettings {
    /// Where to: the absolute path of a folder, or `s3://bucket/prefix`. Nothing is archived without it.
    pub to: Option<String>,
    /// How many whole quarters (UTC) stay here beside the present one; those before are archived.
    pub after_quarters: u32,
    /// Whether the events stay here, too.
    pub keep: bool,
}
}

impl ArchiveSettings {
    /// Looks for what is wrong.
    fn check(&self) -> Result<(), String> {
        match &self.to {
            Some(to) if !to.starts_with('/') && !to.starts_with("s3://") => {
                Err(format!("`{to}` in `keep.archive` is neither an absolute path nor `s3://bucket/prefix`"))
            }
            _ => Ok(()),
        }
    }
}

impl Default for ArchiveSettings {
    fn default() -> Self {
        ArchiveSettings { to: None, after_quarters: 1, keep: false }
    }
}

described! {
/// What goes after a time, or when it is too much. Without any, everything stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySettings {
    /// Which events it is about, as in a search: `level:debug`, `source:nginx -is:error`. All, without one.
    pub filter: Option<String>,
    /// After how many days they go: when their day (UTC) ended so many days ago.
    pub max_age_days: Option<u32>,
    /// How much they may be: a number of bytes, or `500MB`, `2GiB`. The oldest days go first.
    pub max_size: Option<String>,
}
}

impl PolicySettings {
    /// How many bytes they may be.
    pub fn max_bytes(&self) -> Result<Option<u64>> {
        let Some(text) = &self.max_size else { return Ok(None) };
        let wrong = || {
            let message = format!("`max_size = \"{text}\"` in `keep.policy` is no size");
            Error::new(ErrorKind::Invalid, message).with_hint("write a size such as `500MB` or `2GiB`")
        };
        size::parse(text).map(Some).ok_or_else(wrong)
    }

    /// Looks for what is wrong.
    fn check(&self) -> Result<(), String> {
        if self.max_age_days.is_none() && self.max_size.is_none() {
            return Err("a policy of `keep.policy` has neither `max_age_days` nor `max_size`".to_string());
        }
        self.max_bytes().map_err(|error| error.message().to_string())?;
        let text = self.filter.as_deref().unwrap_or_default();
        Filter::parse(text, &Context::without_clock())
            .map(drop)
            .map_err(|error| format!("the filter of a policy of `keep.policy`: {}", error.into_error(text)))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_columns: COLUMNS_MAX,
            seal: SealSettings::default(),
            keep: KeepSettings::default(),
            redact: RedactSettings::default(),
            heads: HeadSettings::default(),
            hours: HoursSettings::default(),
            encryption: EncryptionSettings::default(),
            mapping: BTreeMap::new(),
        }
    }
}

impl Default for SealSettings {
    fn default() -> Self {
        SealSettings { events: 100_000, bytes: 32 << 20, seconds: 600 }
    }
}

impl Default for KeepSettings {
    fn default() -> Self {
        KeepSettings {
            versions_days: 7,
            inputs_days: 400,
            compress_after_days: 30,
            policy: Vec::new(),
            archive: ArchiveSettings::default(),
        }
    }
}

impl Settings {
    /// The settings of a store; the defaults where it has no file of them.
    pub fn load(storage: &dyn Storage) -> Result<Settings> {
        let bytes = match storage.read(layout::SETTINGS) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
            Err(error) => return Err(error),
        };
        let invalid = |cause: String| {
            Error::new(ErrorKind::Invalid, format!("`{}` cannot be read: {cause}", layout::SETTINGS))
                .with_hint("mend the line, or remove it to have the default")
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| invalid(error.to_string()))?;
        Settings::parse(text).map_err(invalid)
    }

    /// Reads the text of the file. The error says what is wrong, in words, and where.
    pub fn parse(text: &str) -> Result<Settings, String> {
        let settings: Settings =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_string())?;
        for (name, mapping) in &settings.mapping {
            mapping.mapping().map_err(|cause| format!("in `mapping.{name}`: {cause}"))?;
        }
        settings.keep.policy.iter().try_for_each(PolicySettings::check)?;
        settings.keep.archive.check()?;
        Ok(settings)
    }

    /// Looks for what is wrong with values that are only needed later.
    pub fn check(&self) -> Result<()> {
        let invalid = |cause: String| {
            let message = format!("`{}` cannot be used: {cause}", layout::SETTINGS);
            Error::new(ErrorKind::Invalid, message)
                .with_hint("mend the line, or remove it to have the default")
        };
        Rules::new(&self.redact, Some([0; 32])).map_err(|error| invalid(error.message().to_string()))?;
        for (name, mapping) in &self.mapping {
            let Some(from) = mapping.from.as_ref().filter(|from| Format::from_name(from).is_none()) else {
                continue;
            };
            let names: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
            let names = names.join(", ");
            return Err(invalid(format!("`{from}` in `mapping.{name}` is no format; there are: {names}")));
        }
        Ok(())
    }

    /// The settings of a mapping.
    pub fn mapping(&self, name: &str) -> Result<&MappingSettings> {
        self.mapping.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.mapping.keys().map(String::as_str).collect();
            let hint = match names.is_empty() {
                true => format!("`{}` has none; write `[mapping.{name}]` into it", layout::SETTINGS),
                false => format!("there are: {}", names.join(", ")),
            };
            Error::new(ErrorKind::NotFound, format!("there is no mapping `{name}`")).with_hint(hint)
        })
    }

    /// How long old versions can be read, in milliseconds.
    pub fn keep_versions_ms(&self) -> i64 {
        i64::from(self.keep.versions_days) * 86_400_000
    }
}

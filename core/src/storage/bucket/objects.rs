//! Objects of a bucket: read, listed, put and removed.

use super::failure::{is_absent, is_taken, is_unknown, may_pass, told, was_repeated};
use super::runtime::wait;
use super::{Bucket, is_data};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Entry, Put};
use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, Error as StoreError, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

/// How often a request is made again that the client does not repeat by itself.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);
/// The name of what tells an object of ours from one of others.
const TOKEN: &str = "daybook-put";

/// What is in one folder.
#[derive(Debug, Default)]
pub(in crate::storage) struct Names {
    pub folders: Vec<String>,
    pub files: Vec<String>,
}

impl Bucket {
    /// Sees that there is such a bucket, and that it may be read.
    pub fn look(&self, client: &AmazonS3) -> Result<()> {
        let options = PaginatedListOptions { max_keys: Some(1), ..PaginatedListOptions::default() };
        let prefix = self.address.key("");
        let listed = self.again(|| wait(client.list_paginated(Some(&prefix), options.clone())))?;
        listed.map(drop).map_err(|error| told("read", &self.name(), &error))
    }

    pub(super) fn key(&self, path: &str) -> Result<Key> {
        Key::parse(self.address.key(path)).map_err(|error| self.told("name", path, &error.into()))
    }

    pub(super) fn told(&self, action: &str, path: &str, error: &StoreError) -> Error {
        told(action, &self.address.url(path), error)
    }

    /// Makes a request again that broke off in the middle of its answer, a few times; others the client has repeated.
    pub(super) fn again<T>(
        &self,
        mut request: impl FnMut() -> Result<Result<T, StoreError>>,
    ) -> Result<Result<T, StoreError>> {
        for tried in 1..TRIES {
            match request()? {
                Err(error) if may_pass(&error) && !was_repeated(&error) => {
                    std::thread::sleep(PAUSE.saturating_mul(tried))
                }
                done => return Ok(done),
            }
        }
        request()
    }

    /// All bytes of an object.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        let key = self.key(path)?;
        let read = self.again(|| wait(async { self.client.get(&key).await?.bytes().await }))?;
        read.map(|bytes| bytes.to_vec()).map_err(|error| self.told("read", path, &error))
    }

    /// Bytes of a range; shorter where the object ends.
    pub fn read_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        let key = self.key(path)?;
        match self.again(|| wait(self.client.get_range(&key, range.clone())))? {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(error) if is_absent(&error) => Err(self.told("read", path, &error)),
            Err(error) => match wait(self.client.head(&key))? {
                Ok(meta) if meta.size <= range.start => Ok(Vec::new()),
                _ => Err(self.told("read", path, &error)),
            },
        }
    }

    /// All objects below a folder, sorted.
    pub fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        self.pages(folder, None, |page| {
            for meta in page.objects {
                let Some(path) = self.path_of(meta.location.as_ref()) else { continue };
                found.push(Entry {
                    path,
                    size: meta.size,
                    modified_us: meta.last_modified.timestamp_micros(),
                });
            }
        })?;
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    /// The names directly in a folder.
    pub fn names(&self, folder: &str) -> Result<Names> {
        let mut names = Names::default();
        let name = |path: Option<String>| Some(path?.trim_end_matches('/').rsplit('/').next()?.to_string());
        self.pages(folder, Some("/"), |page| {
            names
                .folders
                .extend(page.common_prefixes.iter().filter_map(|key| name(self.path_of(key.as_ref()))));
            names
                .files
                .extend(page.objects.iter().filter_map(|meta| name(self.path_of(meta.location.as_ref()))));
        })?;
        names.folders.sort();
        names.files.sort();
        Ok(names)
    }

    fn pages(
        &self,
        folder: &str,
        delimiter: Option<&'static str>,
        mut take: impl FnMut(object_store::ListResult),
    ) -> Result<()> {
        let inside = self.address.key(folder);
        let inside = if inside.is_empty() { inside } else { format!("{inside}/") };
        let mut token: Option<String> = None;
        loop {
            let listed = self.again(|| {
                let options = PaginatedListOptions {
                    delimiter: delimiter.map(Into::into),
                    page_token: token.clone(),
                    ..PaginatedListOptions::default()
                };
                wait(self.client.list_paginated(Some(&inside), options))
            })?;
            let page = listed.map_err(|error| self.told("list", folder, &error))?;
            take(page.result);
            match page.page_token {
                Some(next) => token = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// The path in the store of an object.
    fn path_of(&self, key: &str) -> Option<String> {
        let prefix = self.address.key("");
        let path = if prefix.is_empty() { key } else { key.strip_prefix(&prefix)?.strip_prefix('/')? };
        (!path.is_empty()).then(|| path.to_string())
    }

    /// Makes an object unless there is one. An answer that is lost is found out: the object says who made it.
    pub fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<Put> {
        let (key, token) = (self.key(path)?, Uuid::new_v4().to_string());
        let mut tried = 0_u32;
        loop {
            let error = match wait(self.client.put_opts(
                &key,
                bytes.to_vec().into(),
                as_ours(PutMode::Create, &token),
            ))? {
                Ok(_) => return Ok(Put::Written),
                Err(error) => error,
            };
            tried = tried.saturating_add(1);
            if is_unknown(&error) {
                let message = format!("`{}` knows no conditional puts", self.name());
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .with_hint("commits need them; use a server that has `If-None-Match: *`"));
            }
            if !is_taken(&error) && !may_pass(&error) {
                return Err(self.told("write", path, &error));
            }
            match self.token_of(&key) {
                Ok(Some(made_by)) if made_by == token => return Ok(Put::Written),
                Ok(Some(_)) => return Ok(Put::Exists),
                Ok(None) if tried < TRIES && !was_repeated(&error) => {
                    std::thread::sleep(PAUSE.saturating_mul(tried))
                }
                Ok(None) => return Err(self.told("write", path, &error)),
                Err(_) => {
                    self.uncertain.store(true, Ordering::Relaxed);
                    let error = self.told("write", path, &error);
                    return Err(
                        error.with_hint("whether it was written is not known: look, then do it again")
                    );
                }
            }
        }
    }

    /// Who made an object: empty if it was not Daybook; none if it is not there.
    pub(super) fn token_of(&self, key: &Key) -> Result<Option<String>, StoreError> {
        let head = || wait(self.client.get_opts(key, GetOptions::new().with_head(true)));
        let found = self.again(head).unwrap_or_else(|error| {
            Err(StoreError::Generic { store: "S3", source: error.to_string().into() })
        });
        match found {
            Ok(found) => {
                let token = found.attributes.get(&Attribute::Metadata(TOKEN.into()));
                Ok(Some(token.map(|value| value.as_ref().to_string()).unwrap_or_default()))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes or replaces an object.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let key = self.key(path)?;
        let done = self.again(|| wait(self.client.put(&key, bytes.to_vec().into())))?;
        done.map(drop).map_err(|error| self.told("write", path, &error))
    }

    /// Removes an object. A data file stays if it may be part of a commit of which nobody knows.
    pub fn delete(&self, path: &str) -> Result<()> {
        if self.uncertain.load(Ordering::Relaxed) && is_data(path) {
            return Ok(());
        }
        let key = self.key(path)?;
        match self.again(|| wait(self.client.delete(&key)))? {
            Err(error) if !is_absent(&error) => Err(self.told("remove", path, &error)),
            _ => Ok(()),
        }
    }
}

/// A put that says who makes it.
pub(super) fn as_ours(mode: PutMode, token: &str) -> PutOptions {
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::Metadata(TOKEN.into()), token.to_string().into());
    PutOptions { mode, attributes, ..PutOptions::default() }
}

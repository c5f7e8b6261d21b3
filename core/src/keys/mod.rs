//! Keys of encryption at rest, and what is sealed with them. Nothing here shows a key, not even in an error.
//!
//! A key is 32 bytes. Parquet files are encrypted with it as it is, so that other programs that have it can read
//! them; everything else with keys that are made of it.

mod file;
mod id;
pub mod reading;

use crate::error::{Error, ErrorKind, Result};
use crate::layout;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use id::KeyId;

/// The bytes of a key.
pub const KEY_BYTES: usize = 32;
/// What sealing adds to what is sealed.
pub const TAG_BYTES: usize = 16;
/// How a sealed file begins.
const MAGIC: &[u8; 8] = b"DBKSEAL1";
/// So many bytes of a file say whether it is sealed, and with which key.
pub const SEALED_HEAD_BYTES: u64 = (MAGIC.len() + KeyId::BYTES) as u64;
/// The magic, the key's id and the nonce.
const HEAD_BYTES: usize = MAGIC.len() + KeyId::BYTES + NONCE_LEN;

/// The keys that a store may be read with. The first is what is written with.
pub struct Keys {
    first: Arc<Key>,
    others: Vec<Arc<Key>>,
    warnings: Vec<String>,
}

/// A key.
pub struct Key {
    id: KeyId,
    bytes: [u8; KEY_BYTES],
    of_files: LessSafeKey,
}

/// What seals the frames of one writer's log.
pub struct LogKey {
    id: KeyId,
    key: LessSafeKey,
}

impl Keys {
    /// The keys of a text: one a line, in hexadecimal or base64; the first is what is written with. Lines that are
    /// empty or begin with `#` are passed over.
    pub fn parse(text: &str, place: &str) -> Result<Keys> {
        let mut keys = Vec::new();
        for (number, line) in (1_usize..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bytes = file::key_of(line).ok_or_else(|| {
                let message = format!("line {number} of {place} is no key");
                Error::new(ErrorKind::Invalid, message).with_hint(file::HINT)
            })?;
            keys.push(Arc::new(Key::new(bytes)?));
        }
        let mut keys = keys.into_iter();
        let Some(first) = keys.next() else {
            let message = format!("there is no key in {place}");
            return Err(Error::new(ErrorKind::Invalid, message).with_hint(file::HINT));
        };
        Ok(Keys { first, others: keys.collect(), warnings: Vec::new() })
    }

    /// The keys of a file. Who else may read it is warned of.
    pub fn from_file(path: &Path) -> Result<Keys> {
        let (text, warning) = file::read(path)?;
        let keys = Keys::parse(&text, &format!("the key file `{}`", path.display()))?;
        Ok(Keys { warnings: warning.into_iter().collect(), ..keys })
    }

    /// The keys of the file that the settings of a store in a folder name.
    pub fn of_settings(root: Option<&Path>, file: &str) -> Result<Keys> {
        let path: PathBuf = root.map_or_else(|| PathBuf::from(file), |root| root.join(file));
        if root.is_some_and(|root| file::is_inside(root, &path)) {
            let message =
                format!("the key file `{}` lies in the store that it is to protect", path.display());
            return Err(Error::new(ErrorKind::Invalid, message).with_hint("move it to another place"));
        }
        Keys::from_file(&path)
    }

    /// What is written with.
    pub fn first(&self) -> &Arc<Key> {
        &self.first
    }

    /// What is wrong with where the keys come from, in sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// All keys, that which is written with first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Key>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The key of an id.
    pub fn find(&self, id: KeyId) -> Option<&Arc<Key>> {
        self.all().find(|key| key.id == id)
    }
}

impl Key {
    fn new(bytes: [u8; KEY_BYTES]) -> Result<Key> {
        let of_files = cipher(made_of(&bytes, &[b"daybook file"]).as_ref())?;
        Ok(Key { id: KeyId::of(&bytes), bytes, of_files })
    }

    /// Tells it from others; says nothing about it.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key itself, for what encrypts Parquet.
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// The key of a writer's log. No other writer has it, since its name is drawn at random.
    pub fn of_log(&self, writer: &str) -> Result<LogKey> {
        let key = cipher(made_of(&self.bytes, &[b"daybook log ", writer.as_bytes()]).as_ref())?;
        Ok(LogKey { id: self.id, key })
    }

    /// What encrypts the parts of a Parquet file.
    pub fn of_parts(&self) -> Result<LessSafeKey> {
        cipher(&self.bytes)
    }

    /// The bytes of a file, sealed; they are of use under its name alone.
    pub fn seal(&self, path: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = Vec::with_capacity(HEAD_BYTES + bytes.len() + TAG_BYTES);
        sealed.extend_from_slice(MAGIC);
        sealed.extend_from_slice(&self.id.bytes());
        sealed.extend_from_slice(&nonce);
        let mut content = bytes.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.of_files
            .seal_in_place_append_tag(nonce, Aad::from(path.as_bytes()), &mut content)
            .map_err(|_| Error::new(ErrorKind::Internal, format!("`{path}` cannot be encrypted")))?;
        sealed.append(&mut content);
        Ok(sealed)
    }

    fn open(&self, path: &str, nonce: [u8; NONCE_LEN], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut content = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = self.of_files.open_in_place(nonce, Aad::from(path.as_bytes()), &mut content).ok()?.len();
        content.truncate(length);
        Some(content)
    }
}

impl LogKey {
    /// The id of the key that it is made of.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// A payload, sealed. No two payloads of a writer have the same number.
    pub fn seal(&self, seq: i64, payload: &[u8]) -> Result<Vec<u8>> {
        let mut content = Vec::with_capacity(payload.len() + TAG_BYTES);
        content.extend_from_slice(payload);
        self.key
            .seal_in_place_append_tag(nonce_of(seq), Aad::empty(), &mut content)
            .map_err(|_| Error::new(ErrorKind::Internal, "an event cannot be encrypted"))?;
        Ok(content)
    }

    /// The payload; none if it is not what was sealed under this number.
    pub fn open(&self, seq: i64, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut content = sealed.to_vec();
        let length = self.key.open_in_place(nonce_of(seq), Aad::empty(), &mut content).ok()?.len();
        content.truncate(length);
        Some(content)
    }
}

fn nonce_of(seq: i64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce.iter_mut().zip(seq.to_le_bytes()).for_each(|(to, from)| *to = from);
    Nonce::assume_unique_for_key(nonce)
}

/// The id of the key that a file is sealed with; none of one that is not.
pub fn sealed_with(bytes: &[u8]) -> Option<KeyId> {
    let (id, _) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    Some(KeyId::from_bytes(*id))
}

/// The bytes of a file as they were before they were sealed, where they are.
pub fn opened(path: &str, bytes: Vec<u8>, keys: Option<&Keys>) -> Result<Vec<u8>> {
    let Some(id) = sealed_with(&bytes) else { return Ok(bytes) };
    let key = keys.and_then(|keys| keys.find(id)).ok_or_else(|| missing(path, id, keys.is_some()))?;
    let parts = || {
        let after = bytes.get(MAGIC.len().checked_add(KeyId::BYTES)?..)?;
        after.split_first_chunk::<NONCE_LEN>()
    };
    parts().and_then(|(nonce, sealed)| key.open(path, *nonce, sealed)).ok_or_else(|| {
        let message = format!("`{path}` is not what was encrypted under that name with the key `{id}`");
        Error::new(ErrorKind::Corrupt, message).with_hint("restore the file from a copy")
    })
}

/// What to say where a key lacks.
pub fn missing(path: &str, id: KeyId, has_others: bool) -> Error {
    let lacks = lacks(&id.to_string());
    let message = match path {
        layout::ENCRYPTION => format!("the store is encrypted, and {lacks}"),
        path => format!("`{path}` is encrypted, and {lacks}"),
    };
    let hint = match has_others {
        true => "the key that was given is another one; add a line with the right one to the key file",
        false => {
            "name the file of the key: `key_file` in `[encryption]` of `daybook.toml`, or `--key-file FILE`"
        }
    };
    Error::new(ErrorKind::Permission, message).with_hint(hint)
}

fn lacks(id: &str) -> String {
    format!("the key `{id}` is not there")
}

/// Bytes that nobody can guess.
pub fn random<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::new(ErrorKind::Io, "the operating system gives no random bytes"))?;
    Ok(bytes)
}

fn made_of(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> hmac::Tag {
    let mut made = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| made.update(part));
    made.sign()
}

fn cipher(key: &[u8]) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, key);
    key.map(LessSafeKey::new).map_err(|_| Error::new(ErrorKind::Internal, "a key has a wrong length"))
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.id == other.id
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({})", self.id)
    }
}

#[cfg(test)]
mod tests;

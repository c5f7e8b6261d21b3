//! Ed25519 keys in the files that other tools write too: PKCS #8 and SubjectPublicKeyInfo, in PEM.

use crate::error::{Error, ErrorKind, Result};
use crate::proof::{Head, SignedHead};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";
/// What comes before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo.
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// A file of a key is shorter.
const FILE_BYTES_MAX: u64 = 16 << 10;
/// What is signed begins so: a key that signs other things too signs nothing else that looks like a head.
const CONTEXT: &[u8] = b"daybook head\n";

/// A key that signs heads.
#[derive(Debug)]
pub struct SigningKey {
    pair: Ed25519KeyPair,
    /// What is wrong with its file, though it can be used.
    pub warning: Option<String>,
}

/// The key that tells whether a head was signed with the one that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl SigningKey {
    /// Makes a key, and puts it into a new file that only its owner may read.
    pub fn create(path: &Path) -> Result<SigningKey> {
        let failed = |_| Error::new(ErrorKind::Internal, "no key could be made");
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let der = pair.to_pkcs8v1().map_err(failed)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| Error::io("create", path.display(), error))?;
        file.write_all(pem(PRIVATE, der.as_ref()).as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| Error::io("write", path.display(), error))?;
        Ok(SigningKey { pair, warning: None })
    }

    /// The key in a file.
    pub fn read(path: &Path) -> Result<SigningKey> {
        let der = read_pem(path, PRIVATE)?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| no_key(path, "private"))?;
        let mode = std::fs::metadata(path).map_err(|error| Error::io("read", path.display(), error))?;
        let others = mode.permissions().mode() & 0o077;
        let warning = (others != 0).then(|| {
            format!("others than its owner may use the key `{}`: `chmod 600` would stop that", path.display())
        });
        Ok(SigningKey { pair, warning })
    }

    /// Signs a head.
    pub fn sign(&self, head: Head) -> SignedHead {
        let signature = self.pair.sign(&signed(&head));
        SignedHead { head, signature: signature.as_ref().try_into().ok() }
    }

    /// What others need to check its signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.pair.public_key().as_ref().try_into().unwrap_or_default())
    }
}

impl PublicKey {
    /// The key in a file.
    pub fn read(path: &Path) -> Result<PublicKey> {
        let der = read_pem(path, PUBLIC)?;
        let key = der.strip_prefix(&PUBLIC_PREFIX).and_then(|key| key.try_into().ok());
        key.map(PublicKey).ok_or_else(|| no_key(path, "public"))
    }

    /// The key as other tools read it.
    pub fn to_pem(&self) -> String {
        pem(PUBLIC, &[&PUBLIC_PREFIX[..], &self.0].concat())
    }

    /// Whether a head was signed with the key that belongs to this one.
    pub fn check(&self, head: &SignedHead) -> Result<()> {
        let Some(signature) = &head.signature else {
            return Err(Error::new(ErrorKind::Invalid, "the head is not signed"));
        };
        UnparsedPublicKey::new(&ED25519, &self.0).verify(&signed(&head.head), signature).map_err(|_| {
            Error::new(ErrorKind::Corrupt, "the signature of the head is not of this key")
                .with_hint("the head was changed, or somebody else signed it")
        })
    }
}

fn signed(head: &Head) -> Vec<u8> {
    [CONTEXT, head.to_string().as_bytes()].concat()
}

fn pem(what: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<String> =
        text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}

fn read_pem(path: &Path, what: &str) -> Result<Vec<u8>> {
    let failed = |error| Error::io("read", path.display(), error);
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    let (begin, end) = (format!("-----BEGIN {what}-----"), format!("-----END {what}-----"));
    let inner = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
    let digits: Option<String> =
        inner.map(|(inner, _)| inner.chars().filter(|one| !one.is_whitespace()).collect());
    let der = digits.and_then(|digits| BASE64_STANDARD.decode(digits).ok());
    der.ok_or_else(|| no_key(path, if what == PRIVATE { "private" } else { "public" }))
}

fn no_key(path: &Path, which: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("`{}` is no {which} Ed25519 key in PEM", path.display()))
        .with_hint(
            "`daybook proof --new-key FILE` makes a key, and so does `openssl genpkey -algorithm ed25519`",
        )
}

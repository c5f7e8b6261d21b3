//! What a store's settings say about redaction.

use crate::described::{Setting, Takes, described};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

described! {
/// `[redact]` of `daybook.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedactSettings {
    /// Whether anything is redacted.
    pub enabled: bool,
    /// Names of sensitive keys. A name matches a key whose words end with the name's words: `api_key` matches
    /// `apiKey`, `apikey` and `X-API-Key`; `token` matches `access_token` and neither `tokens` nor `token_count`.
    /// By default `password`, `passwd`, `pwd`, `passphrase`, `token`, `authorization`, `api_key`, `private_key`,
    /// `secret_key`, `secret_access_key`, `secret` and `cookie`.
    pub keys: Vec<String>,
    /// What is looked for in strings, whatever their keys. By default `card`, `bearer` and `private_key`.
    pub patterns: Vec<Pattern>,
    /// What becomes of a secret.
    pub action: Action,
    /// Names of sensitive keys, listed above or not, whose values have an action of their own.
    pub key_actions: BTreeMap<String, Action>,
    /// Strings longer than so many bytes are cut; 0 is no limit, and otherwise at least 64.
    pub max_value_bytes: usize,
}
}

/// What becomes of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `[redacted]` stands in its place, or in a text `[redacted card]` and the like.
    Mask,
    /// `[hmac ` and 16 hexadecimal digits `]` stand in its place, the same for the same secret in this store.
    Hash,
    /// The key goes with its value, or the secret from its text.
    Drop,
}

/// What is looked for in strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Numbers of payment cards: 13 to 16 digits that stand alone, an issuer's prefix and a right check digit.
    Card,
    /// `Bearer` and a token, `Authorization: Basic` and a token, and JSON web tokens wherever they stand.
    Bearer,
    /// PEM private keys.
    PrivateKey,
    /// E-mail addresses.
    Email,
    /// IP addresses, versions 4 and 6.
    Ip,
}

impl Setting for Action {
    fn takes() -> Takes {
        Takes::Value("\"mask\", \"hash\" or \"drop\"".to_string())
    }
}

impl Setting for Pattern {
    fn takes() -> Takes {
        Takes::Value("\"card\", \"bearer\", \"private_key\", \"email\" or \"ip\"".to_string())
    }
}

impl Pattern {
    /// All of them.
    pub const ALL: [Pattern; 5] =
        [Pattern::Card, Pattern::Bearer, Pattern::PrivateKey, Pattern::Email, Pattern::Ip];

    /// What it is called in texts and counts.
    pub fn label(self) -> &'static str {
        match self {
            Pattern::Card => "card",
            Pattern::Bearer => "bearer",
            Pattern::PrivateKey => "private key",
            Pattern::Email => "email",
            Pattern::Ip => "ip",
        }
    }
}

const KEYS: [&str; 12] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "token",
    "authorization",
    "api_key",
    "private_key",
    "secret_key",
    "secret_access_key",
    "secret",
    "cookie",
];

impl Default for RedactSettings {
    fn default() -> Self {
        RedactSettings {
            enabled: true,
            keys: KEYS.map(str::to_string).to_vec(),
            patterns: vec![Pattern::Card, Pattern::Bearer, Pattern::PrivateKey],
            action: Action::Mask,
            key_actions: BTreeMap::new(),
            max_value_bytes: 1 << 20,
        }
    }
}

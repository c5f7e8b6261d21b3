//! Where a bucket is, and with whose rights it is used, as the AWS tools are told.

use super::patience::Patient;
use crate::error::{Error, ErrorKind, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCHEME: &str = "s3://";
/// A request takes no longer than this, with a part of a file in it.
const REQUEST_TIME: Duration = Duration::from_secs(120);
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// A request is repeated for this time.
const RETRY_TIME: Duration = Duration::from_secs(60);
const RETRIES: usize = 7;
/// The first request says quickly that there is no network, or no such bucket.
const HURRY_TIME: Duration = Duration::from_secs(10);
const HURRY_RETRIES: usize = 3;

/// Whether a place is in a bucket: `s3://bucket/prefix`.
pub fn is_bucket(place: &Path) -> bool {
    place.to_str().is_some_and(|text| text.starts_with(SCHEME))
}

/// A bucket and a prefix in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    bucket: String,
    /// Without slashes at its ends.
    prefix: String,
}

/// What the AWS tools read from their files.
#[derive(Default)]
struct Profile {
    values: HashMap<String, String>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}

impl Address {
    /// The address in `s3://bucket/prefix`.
    pub fn parse(place: &Path) -> Result<Address> {
        let invalid = |what: &str| {
            // What stands before an `@` may be a secret.
            let shown = place.display().to_string();
            let shown = if shown.contains('@') { "s3://..." } else { &shown };
            let message = format!("`{shown}` {what}");
            Error::new(ErrorKind::Invalid, message).with_hint("a place in a bucket is `s3://bucket/prefix`")
        };
        let text = place.to_str().and_then(|text| text.strip_prefix(SCHEME));
        let text = text.ok_or_else(|| invalid("is no place in a bucket"))?;
        let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
        let fits = |char: char| char.is_ascii_alphanumeric() || ".-_".contains(char);
        if bucket.is_empty() || !bucket.chars().all(fits) {
            return Err(invalid("does not name a bucket"));
        }
        let prefix = prefix.trim_matches('/');
        let is_plain = |char: char| char.is_ascii_graphic() && !"?#\\{}^%`[]\"<>~|*".contains(char);
        if Key::parse(prefix).is_err() || !prefix.chars().all(is_plain) {
            return Err(invalid("has a prefix that not every bucket can have"));
        }
        Ok(Address { bucket: bucket.to_string(), prefix: prefix.to_string() })
    }

    /// The name of an object in the bucket.
    pub fn key(&self, path: &str) -> String {
        match (self.prefix.as_str(), path) {
            ("", path) => path.to_string(),
            (prefix, "") => prefix.to_string(),
            (prefix, path) => format!("{prefix}/{path}"),
        }
    }

    /// The same, for people.
    pub fn url(&self, path: &str) -> String {
        format!("{SCHEME}{}/{}", self.bucket, self.key(path)).trim_end_matches('/').to_string()
    }

    /// A client.
    pub fn client(&self) -> Result<AmazonS3> {
        self.build(REQUEST_TIME, RETRY_TIME, RETRIES)
    }

    /// A client that gives up soon.
    pub fn client_in_a_hurry(&self) -> Result<AmazonS3> {
        self.build(HURRY_TIME, HURRY_TIME, HURRY_RETRIES)
    }

    fn build(&self, request_time: Duration, retry_timeout: Duration, max_retries: usize) -> Result<AmazonS3> {
        let profile = Profile::load()?;
        let set = |name: &str| variable(name).is_some();
        let mut builder = of_environment().with_bucket_name(&self.bucket);
        if !set("AWS_ACCESS_KEY_ID")
            && let (Some(id), Some(secret)) =
                (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"))
        {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
            if let Some(token) = profile.get("aws_session_token") {
                builder = builder.with_token(token);
            }
        }
        if !set("AWS_REGION") && !set("AWS_DEFAULT_REGION") {
            builder = builder.with_region(profile.get("region").unwrap_or("us-east-1"));
        }
        let endpoint =
            ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"].into_iter().find_map(variable);
        let endpoint = endpoint.or_else(|| profile.get("endpoint_url").map(str::to_string));
        let mut options = ClientOptions::new().with_timeout(request_time).with_connect_timeout(CONNECT_TIME);
        if let Some(endpoint) = endpoint {
            // Without encryption only where the endpoint says so.
            options = options.with_allow_http(endpoint.starts_with("http://"));
            builder = builder.with_endpoint(endpoint);
        }
        let backoff = BackoffConfig { max_backoff: Duration::from_secs(5), ..BackoffConfig::default() };
        let built = builder
            .with_http_connector(Patient)
            .with_client_options(options)
            .with_retry(RetryConfig { backoff, max_retries, retry_timeout })
            .build();
        built.map_err(|_| {
            let message = format!("the settings for the bucket of `{}` do not fit together", self.url(""));
            Error::new(ErrorKind::Invalid, message).with_hint("check the variables that begin with AWS_")
        })
    }
}

impl Profile {
    /// The profile that `AWS_PROFILE` names, or `default`, of the files that the AWS tools read.
    fn load() -> Result<Profile> {
        let named = variable("AWS_PROFILE");
        let name = named.as_deref().unwrap_or("default");
        let mut profile = Profile::default();
        let home = variable("HOME").map(PathBuf::from).unwrap_or_default();
        let file = |name: &str, usual: &str| {
            variable(name).map_or_else(|| home.join(".aws").join(usual), PathBuf::from)
        };
        let config = std::fs::read_to_string(file("AWS_CONFIG_FILE", "config")).unwrap_or_default();
        let found_config = profile.read(&config, &[name, &format!("profile {name}")]);
        let shared = std::fs::read_to_string(file("AWS_SHARED_CREDENTIALS_FILE", "credentials"));
        let found_shared = profile.read(&shared.unwrap_or_default(), &[name]);
        if named.is_some() && !found_config && !found_shared && variable("AWS_ACCESS_KEY_ID").is_none() {
            let message = format!("there is no AWS profile `{name}`");
            return Err(Error::new(ErrorKind::NotFound, message)
                .with_hint("check AWS_PROFILE and ~/.aws/credentials"));
        }
        Ok(profile)
    }

    /// Takes over the values of a section; whether there is one.
    fn read(&mut self, text: &str, sections: &[&str]) -> bool {
        let (mut inside, mut found) = (false, false);
        for line in text.lines().map(str::trim_end) {
            if let Some(section) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
                inside = sections.contains(&section.trim());
                found = found || inside;
            } else if inside
                && !line.starts_with(['#', ';', ' ', '\t'])
                && let Some((key, value)) = line.split_once('=')
            {
                self.values.insert(key.trim().to_ascii_lowercase(), value.trim().to_string());
            }
        }
        found
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// What the variables say that the AWS tools know.
fn of_environment() -> AmazonS3Builder {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && name.starts_with("AWS_")
            && !value.is_empty()
            && let Ok(key) = name.to_ascii_lowercase().parse()
        {
            builder = builder.with_config(key, value);
        }
    }
    builder
}

/// A variable of the environment that is not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_buckets_are_told_from_folders() {
        let parse = |text: &str| Address::parse(Path::new(text)).map(|address| address.url("a/b"));
        assert_eq!(parse("s3://logs").unwrap(), "s3://logs/a/b");
        assert_eq!(parse("s3://logs/2026/store/").unwrap(), "s3://logs/2026/store/a/b");
        for wrong in
            ["s3://", "s3:///x", "s3://a b/x", "s3://a/x//y", "s3://a/../x", "s3://a/x?y", "s3://k:s@a/x"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(
            is_bucket(Path::new("s3://a/b"))
                && !is_bucket(Path::new("s3/a"))
                && !is_bucket(Path::new("./s3:/a"))
        );
    }

    #[test]
    fn profiles_are_read_as_the_aws_tools_write_them() {
        let mut profile = Profile::default();
        let text = "[default]\naws_access_key_id = A\n# aws_access_key_id = B\n\n[profile x]\nregion=eu-1\ns3 =\n  a = b\n";
        assert!(profile.read(text, &["x", "profile x"]));
        assert_eq!(
            (profile.get("region"), profile.get("aws_access_key_id"), profile.get("a")),
            (Some("eu-1"), None, None)
        );
        assert!(profile.read(text, &["default"]));
        assert_eq!(profile.get("aws_access_key_id"), Some("A"));
        assert!(!profile.read(text, &["other"]));
        assert!(!format!("{profile:?}").contains('A'));
    }
}

//! What errors of a bucket mean for the caller. Their texts name the object and the server's reason, and nothing else.

use crate::error::{Error, ErrorKind};
use object_store::Error as StoreError;

/// Reasons are cut to so many characters.
const REASON_CHARS: usize = 200;

/// The error of something that was done to an object.
pub(super) fn told(action: &str, url: &str, error: &StoreError) -> Error {
    let text = whole_text(error);
    let (kind, hint) = meaning(error, &text);
    let message = format!("cannot {action} `{url}`: {}", reason(error, &text));
    let error = Error::new(kind, message);
    match hint {
        "" => error,
        hint => error.with_hint(hint),
    }
}

/// Whether the same request may go well a little later.
pub(super) fn may_pass(error: &StoreError) -> bool {
    let StoreError::Generic { .. } = error else { return false };
    let text = whole_text(error);
    let status = status(&text);
    let is_early = status.is_none() && !is_redirect(&text);
    is_early
        || status.is_some_and(|status| status >= 500 || matches!(status, 408 | 409 | 429))
            && status != Some(501)
}

/// Whether the client has repeated the request already, until it gave up.
pub(super) fn was_repeated(error: &StoreError) -> bool {
    whole_text(error).contains(" retries, ")
}

/// Whether the object is not there, though its bucket is.
pub(super) fn is_absent(error: &StoreError) -> bool {
    matches!(error, StoreError::NotFound { .. }) && code(&whole_text(error)) != Some("NoSuchBucket")
}

/// Whether there is another object of that name.
pub(super) fn is_taken(error: &StoreError) -> bool {
    matches!(error, StoreError::AlreadyExists { .. } | StoreError::Precondition { .. })
}

/// Whether the server does not know conditional puts.
pub(super) fn is_unknown(error: &StoreError) -> bool {
    matches!(error, StoreError::NotImplemented { .. } | StoreError::NotSupported { .. })
        || status(&whole_text(error)) == Some(501)
}

fn meaning(error: &StoreError, text: &str) -> (ErrorKind, &'static str) {
    match code(text) {
        Some("NoSuchBucket") => {
            return (ErrorKind::NotFound, "make the bucket first; Daybook makes none");
        }
        Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken") => {
            return (ErrorKind::Permission, CREDENTIALS);
        }
        Some("AccessDenied") => {
            return (
                ErrorKind::Permission,
                "the credentials are known, and may not do this: see the bucket's policy",
            );
        }
        Some("QuotaExceeded" | "XMinioStorageFull" | "InsufficientStorage") => {
            return (ErrorKind::Full, "make room in the bucket, then try again");
        }
        Some("PermanentRedirect" | "AuthorizationHeaderMalformed") => return (ErrorKind::Invalid, REGION),
        _ => {}
    }
    match error {
        _ if is_redirect(text) => (ErrorKind::Invalid, REGION),
        _ if status(text) == Some(507) => (ErrorKind::Full, "make room in the bucket, then try again"),
        StoreError::NotFound { .. } => (ErrorKind::NotFound, ""),
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
            (ErrorKind::Permission, CREDENTIALS)
        }
        StoreError::InvalidPath { .. } => (ErrorKind::Invalid, ""),
        _ if text.contains("169.254.169.254") || text.contains("redential") => {
            (ErrorKind::Permission, CREDENTIALS)
        }
        _ => (ErrorKind::Io, "check the network and AWS_ENDPOINT_URL, then try again"),
    }
}

const REGION: &str = "set AWS_REGION to the bucket's region";
const CREDENTIALS: &str =
    "give credentials as to the AWS tools: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE";

/// Why it failed, in few words: the server's code and message, or the innermost cause.
fn reason(error: &StoreError, text: &str) -> String {
    if text.contains("169.254.169.254") {
        return "there are no credentials".to_string();
    }
    if matches!(error, StoreError::NotFound { .. }) && code(text).is_none() {
        return "it is not there".to_string();
    }
    let reason = match (code(text), between(text, "<Message>", "</Message>"), status(text)) {
        (Some(code), Some(message), _) => format!("{code}: {message}"),
        (Some(code), None, _) => code.to_string(),
        (None, _, Some(status)) => format!("the server answered {status}"),
        (None, _, None) => innermost(error),
    };
    let plain = |char: char| if char.is_control() { ' ' } else { char };
    reason.chars().map(plain).take(REASON_CHARS).collect::<String>().trim_end_matches('.').to_string()
}

fn innermost(error: &StoreError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The texts of an error and its causes.
fn whole_text(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push('\n');
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

/// Whether the bucket is elsewhere.
fn is_redirect(text: &str) -> bool {
    text.contains("redirect without LOCATION")
}

/// The code in an answer of S3.
fn code(text: &str) -> Option<&str> {
    between(text, "<Code>", "</Code>")
}

/// The status of an answer.
fn status(text: &str) -> Option<u16> {
    let (_, after) = text.split_once("status code: ")?;
    after.get(..3)?.parse().ok()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(from)?;
    after.split_once(to).map(|(inside, _)| inside)
}

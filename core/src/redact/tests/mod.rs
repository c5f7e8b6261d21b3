use super::*;
use crate::event::json::Tape;

mod hostile;
mod keys;
mod properties;
mod raw;
mod records;
mod suspects;

const CARD: &str = "4111111111111111";
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln";
const PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\n-----END RSA PRIVATE KEY-----";

fn redactor(settings: &RedactSettings) -> Redactor {
    Redactor::new(Arc::new(Rules::new(settings, Some([7; 32])).unwrap()))
}

fn with_action(action: Action) -> RedactSettings {
    RedactSettings { action, ..RedactSettings::default() }
}

fn with_all_patterns(action: Action) -> RedactSettings {
    RedactSettings { patterns: Pattern::ALL.to_vec(), action, ..RedactSettings::default() }
}

fn record_with(redactor: &mut Redactor, text: &str) -> String {
    let mut tape = Tape::default();
    tape.parse(text.as_bytes()).unwrap();
    let changed = redactor.record(text.as_bytes(), &tape);
    let result = String::from_utf8(changed.unwrap_or_else(|| text.into())).unwrap();
    tape.parse(result.as_bytes()).unwrap_or_else(|error| panic!("{text} became {result}: {error}"));
    assert_eq!(redactor.record(result.as_bytes(), &tape), None, "{result} changes again");
    result
}

fn check_record_with(settings: &RedactSettings, text: &str, expected: &str) {
    assert_eq!(record_with(&mut redactor(settings), text), expected);
}

fn raw_with(redactor: &mut Redactor, text: &[u8]) -> Vec<u8> {
    let result = redactor.raw(text).unwrap_or_else(|| text.to_vec());
    assert_eq!(redactor.raw(&result), None, "{} changes again", String::from_utf8_lossy(&result));
    result
}

fn check_raw_with(settings: &RedactSettings, text: &str, expected: &str) {
    let result = raw_with(&mut redactor(settings), text.as_bytes());
    assert_eq!(String::from_utf8_lossy(&result), expected);
}

use super::*;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn keys(text: &str) -> Keys {
    Keys::parse(text, "a test").unwrap()
}

#[test]
fn keys_are_read_from_lines_of_hexadecimal_and_base64() {
    let bytes: Vec<u8> = (0..32).collect();
    let other = "ff".repeat(32);
    let text = format!("# old\n\n {} \n{other}\n", BASE64_STANDARD.encode(&bytes));
    let both = keys(&text);
    assert_eq!(both.first().bytes().as_slice(), bytes);
    assert_eq!(both.first().id(), keys(HEX).first().id());
    assert_eq!(both.all().count(), 2);
    let (id, other) = (both.first().id(), keys(&other).first().id());
    assert!(both.find(id).is_some() && both.find(other).is_some() && keys(HEX).find(other).is_none());
    assert_eq!(KeyId::parse(&id.to_string()), Some(id));
}

#[test]
fn what_is_no_key_is_refused_and_not_shown() {
    let short = &HEX[..32];
    for (text, expected) in [
        ("", "there is no key in a test"),
        ("# nothing\n", "there is no key in a test"),
        (short, "line 1 of a test is no key"),
        ("\nsecret word\n", "line 2 of a test is no key"),
        (&format!("{HEX}00"), "line 1 of a test is no key"),
    ] {
        let error = Keys::parse(text, "a test").unwrap_err();
        assert_eq!(error.message(), expected);
        assert!(!format!("{error:?} {error}").contains(short) && !error.to_string().contains("secret"));
    }
    let shown = format!("{:?}", keys(HEX));
    assert!(!shown.contains("00, 1") && !shown.contains(short), "{shown}");
}

#[test]
fn a_sealed_file_opens_under_its_name_with_its_key_alone() {
    let ours = keys(HEX);
    let sealed = ours.first().seal("_shapes/1", b"a field's name").unwrap();
    assert_ne!(
        sealed,
        ours.first().seal("_shapes/1", b"a field's name").unwrap(),
        "a nonce is never used again"
    );
    assert_eq!(sealed_with(&sealed), Some(ours.first().id()));
    assert_eq!(opened("_shapes/1", sealed.clone(), Some(&ours)).unwrap(), b"a field's name");
    let other = keys(&"ff".repeat(32));
    let id = ours.first().id().to_string();
    for keys in [None, Some(&other)] {
        let error = opened("_shapes/1", sealed.clone(), keys).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert!(error.message().contains(&id), "{error}");
    }
    assert_eq!(opened("_shapes/2", sealed.clone(), Some(&ours)).unwrap_err().kind(), ErrorKind::Corrupt);
    for at in 16..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(opened("_shapes/1", changed, Some(&ours)).unwrap_err().kind(), ErrorKind::Corrupt, "{at}");
        assert!(opened("_shapes/1", sealed[..at].to_vec(), Some(&ours)).is_err(), "cut at {at}");
    }
    assert_eq!(opened("_shapes/1", b"{}".to_vec(), None).unwrap(), b"{}");
}

#[test]
fn a_frame_opens_under_its_number_in_its_log_alone() {
    let ours = keys(HEX);
    let log = ours.first().of_log("0123456789abcdef").unwrap();
    let sealed = log.seal(7, b"an event").unwrap();
    assert_eq!(sealed.len(), b"an event".len() + TAG_BYTES);
    assert_eq!(log.open(7, &sealed).unwrap(), b"an event");
    assert_eq!(log.open(8, &sealed), None);
    assert_eq!(ours.first().of_log("fedcba9876543210").unwrap().open(7, &sealed), None);
}

#[test]
fn a_key_file_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, HEX).unwrap();
    for (mode, count) in [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(Keys::from_file(&path).unwrap().warnings().len(), count, "{mode:o}");
    }
    let error = Keys::of_settings(Some(folder.path()), "key").unwrap_err();
    assert!(error.message().contains("lies in the store"), "{error}");
    assert_eq!(Keys::from_file(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::Invalid);
}

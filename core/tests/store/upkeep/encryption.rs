//! Encryption of a store that is there, and another key in the place of the first, stopped anywhere; and what upkeep
//! makes of encrypted files.

use super::points::{Case, everywhere, in_some_modes};
use super::{at_day, fixture, ids, verified};
use crate::support::fast_folder;
use daybook::{
    ArchiveRequest, EncryptReceipt, ErrorKind, Keys, NoProgress, Period, Result, Store, StoreOptions,
};
use std::path::Path;
use std::sync::Arc;

/// A key in a file, and settings of a store that name it.
pub fn set_key(store: &Path, place: &Path, keys: &str) {
    std::fs::write(place.join("key"), keys).unwrap();
    let settings = format!("[encryption]\nkey_file = \"{}\"\n", place.join("key").display());
    std::fs::write(store.join("daybook.toml"), settings).unwrap();
}

pub fn first() -> String {
    "1a".repeat(32)
}

fn second() -> String {
    "2b".repeat(32)
}

fn encrypt(store: &Store) -> Result<()> {
    store.encrypt(&NoProgress).map(|receipt: EncryptReceipt| assert_eq!(receipt.segments_waiting, 0))
}

/// No file has a value of an event.
fn nothing_to_read(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let place = entry.unwrap().path();
        if place.is_dir() {
            nothing_to_read(&place);
            continue;
        }
        let bytes = std::fs::read(&place).unwrap();
        let has = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        let is_commit = place.parent().is_some_and(|folder| folder.ends_with("_delta_log"));
        assert!(!has(b"login") && (is_commit || !has(b"PAR1")), "`{}` can be read", place.display());
    }
}

#[test]
fn encryption_of_a_plain_store_stops_anywhere() {
    let (store, secrets) = (fixture(2), fast_folder());
    set_key(store.path(), secrets.path(), &first());
    let case = Case { name: "encrypt", day: 3, work: encrypt, check: nothing_to_read };
    everywhere(store.path(), &case);
}

#[test]
fn a_change_of_the_key_stops_anywhere() {
    let (folder, secrets) = (fast_folder(), fast_folder());
    set_key(folder.path(), secrets.path(), &first());
    super::filled(folder.path(), 2);
    nothing_to_read(folder.path());
    set_key(folder.path(), secrets.path(), &format!("{}\n{}\n", second(), first()));
    let case = Case { name: "another key", day: 3, work: encrypt, check: nothing_to_read };
    in_some_modes(folder.path(), &case);
    let (store, _) = at_day(folder.path(), 3);
    encrypt(&store).unwrap();
    let kept = ids(&store);
    store.close().unwrap();
    set_key(folder.path(), secrets.path(), &second());
    let (store, _) = at_day(folder.path(), 3);
    assert_eq!(ids(&store), kept);
    verified(&store, None);
}

#[test]
fn an_archive_of_an_encrypted_store_has_its_key_and_comes_back() {
    let (folder, secrets, elsewhere) = (fast_folder(), fast_folder(), fast_folder());
    set_key(folder.path(), secrets.path(), &first());
    super::filled(folder.path(), 3);
    let archive = elsewhere.path().join("archive");
    let (store, _) = at_day(folder.path(), 40);
    let before = ids(&store);
    let request = ArchiveRequest {
        period: Period::before(chrono::NaiveDate::from_ymd_opt(2026, 2, 1).unwrap()),
        keep: false,
    };
    store.archive(&archive, &request, &NoProgress).unwrap();
    nothing_to_read(folder.path());
    nothing_to_read(&archive);
    assert_eq!(Store::open(&archive).unwrap_err().kind(), ErrorKind::Permission);
    let keys = Some(Arc::new(Keys::parse(&first(), "a test").unwrap()));
    let alone = Store::open_with(&archive, &StoreOptions { keys }).unwrap();
    assert_eq!(ids(&alone), before);
    verified(&alone, None);
    let together = at_day(folder.path(), 40).0.with_archives(&[&archive]).unwrap();
    assert_eq!(ids(&together), before);
    store.restore(&archive, None, &NoProgress).unwrap();
    assert_eq!(ids(&store), before);
    verified(&store, None);
    nothing_to_read(folder.path());
}

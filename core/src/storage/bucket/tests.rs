use super::*;

#[test]
fn files_of_the_process_are_told_from_those_of_the_bucket() {
    for path in ["_wal/seq", "_wal", "_index/a.filters", "day=2026-01-01/.tmp-1"] {
        assert!(is_of_process(path), "{path}");
    }
    for path in ["", "_delta_log/0.json", "_upkeep.lock", "daybook.toml", "day=2026-01-01/part-1.parquet"] {
        assert!(!is_of_process(path), "{path}");
    }
}

#[test]
fn what_changes_is_never_taken_from_the_folder() {
    for path in [
        "_delta_log/00000000000000000001.json",
        "_quarantine/_delta_log/1.json",
        "_chain/1.json",
        "_shapes/1.json",
    ] {
        assert!(is_settled(path), "{path}");
    }
    for path in ["_delta_log/_last_checkpoint", "_templates/1.json.zst", "daybook.toml", "_archive.json"] {
        assert!(!is_settled(path), "{path}");
    }
}

#[test]
fn the_first_error_of_many_objects_is_told() {
    use crate::error::{Error, ErrorKind};
    let all: Vec<u32> = (0..100).collect();
    let done = Mutex::new(0);
    objects_at_once(&all, |_| {
        *done.lock().unwrap() += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(*done.lock().unwrap(), 100);
    let failed = objects_at_once(&all, |number| match number {
        7 => Err(Error::new(ErrorKind::Io, "seven")),
        _ => Ok(()),
    });
    assert_eq!(failed.unwrap_err().message(), "seven");
}

//! Files that grow, as they are cut into records.

use super::*;
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::io::Write;

struct Growing {
    _folder: tempfile::TempDir,
    path: PathBuf,
    tail: Tail,
    read_as: ReadAs,
}

impl Growing {
    fn new(text: &[u8]) -> Growing {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        std::fs::write(&path, text).unwrap();
        let tail = Tail::new(&path, File::open(&path).unwrap());
        Growing { _folder: folder, path, tail, read_as: ReadAs::default() }
    }

    fn write(&self, text: &[u8]) {
        OpenOptions::new().append(true).open(&self.path).unwrap().write_all(text).unwrap();
    }

    /// Everything that is whole now, as text; what it says about the file is checked.
    fn cut(&mut self, whole: Whole) -> String {
        let mut found = Vec::new();
        loop {
            let count = self.tail.read(&self.read_as, None).unwrap();
            while let Some(cut) = self.tail.cut(whole, &self.read_as, &Known::default()).unwrap() {
                let file = std::fs::read(&self.path).unwrap();
                let hash: Hash = Sha256::digest(&file[..cut.length as usize]).into();
                assert_eq!(hash, cut.hash);
                assert!(!cut.too_long);
                found.extend(cut.bytes);
            }
            if count == 0 {
                return String::from_utf8(found).unwrap();
            }
        }
    }
}

#[test]
fn records_are_cut_when_they_are_whole() {
    use Whole::{AtEnd, BySign, ByTime};
    let trace = "2026-02-03 04:05:06 ERROR broken\n  at main\n";
    let (next, last) = ("2026-02-03 04:05:07 INFO on\n", "2026-02-03 04:05:08 INFO off\n");
    type Step<'a> = (&'a str, Whole, &'a str);
    let cases: &[(&str, &[Step<'_>])] = &[
        (
            "lines",
            &[
                ("{\"n\":1}\n{\"n\":", BySign, "{\"n\":1}\n"),
                ("2", ByTime, ""),
                ("}\n{}", BySign, "{\"n\":2}\n"),
                ("", AtEnd, "{}"),
                ("", AtEnd, ""),
            ],
        ),
        (
            "events of several lines",
            &[
                (trace, BySign, ""),
                ("  at start\n", BySign, ""),
                (next, BySign, "2026-02-03 04:05:06 ERROR broken\n  at main\n  at start\n"),
                ("", ByTime, next),
                (last, ByTime, last),
                ("2026-02-03 04:05:09 WARN ha", ByTime, ""),
                ("", AtEnd, "2026-02-03 04:05:09 WARN ha"),
            ],
        ),
        (
            "rows after their header",
            &[
                ("time,name,note\n", BySign, ""),
                ("2026-02-03,a,b\n2026-02-03,b,c\n", BySign, "2026-02-03,a,b\n2026-02-03,b,c\n"),
                ("2026-02-03,c,\"two\n", BySign, ""),
                ("lines\"\n", BySign, "2026-02-03,c,\"two\nlines\"\n"),
                ("2026-02-03,b,c\n2026", ByTime, "2026-02-03,b,c\n"),
            ],
        ),
        ("a line that is nothing known", &[("hello\n", BySign, ""), ("", AtEnd, "hello\n")]),
    ];
    for (name, steps) in cases {
        let mut growing = Growing::new(b"");
        for (text, whole, expected) in *steps {
            growing.write(text.as_bytes());
            assert_eq!(growing.cut(*whole), *expected, "{name}: {text:?}");
        }
    }
}

#[test]
fn text_in_other_encodings_is_cut_where_its_bytes_end() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut growing = Growing::new(b"\xff\xfe");
    let text = utf16("{\"n\":\"ä€😀\"}\n{\"n\":2}\n{\"n\"");
    growing.write(&text[..text.len() - 1]);
    assert_eq!(growing.cut(Whole::BySign), "{\"n\":\"ä€😀\"}\n{\"n\":2}\n");
    growing.write(&text[text.len() - 1..]);
    growing.write(&utf16(":3}\n"));
    assert_eq!(growing.cut(Whole::BySign), "{\"n\":3}\n");

    let mut growing = Growing::new(b"{\"n\":\"K\xf6ln\"}\n{\"n\":\"gr\xfcn\"}\n{");
    growing.read_as.encoding = Some(Encoding::Windows1252);
    assert_eq!(growing.cut(Whole::BySign), "{\"n\":\"Köln\"}\n{\"n\":\"grün\"}\n");
    assert_eq!(growing.tail.beginning().length(), 26);
}

#[test]
fn a_record_that_is_too_long_is_kept_in_part_and_the_next_is_whole() {
    let mut growing = Growing::new(b"{\"n\":1}\n");
    assert_eq!(growing.cut(Whole::BySign), "{\"n\":1}\n");
    let before = growing.tail.beginning().length();
    growing.write(&vec![b'x'; RECORD_BYTES_MAX + (3 << 20)]);
    assert_eq!(growing.cut(Whole::BySign), "");
    growing.write(b"x\n{\"n\":2}\n");
    let mut cuts = Vec::new();
    while growing.tail.read(&growing.read_as, None).unwrap() > 0 {}
    while let Some(cut) = growing.tail.cut(Whole::BySign, &growing.read_as, &Known::default()).unwrap() {
        cuts.push(cut);
    }
    assert_eq!(cuts.iter().map(|cut| cut.too_long).collect::<Vec<_>>(), [true, false]);
    assert_eq!((cuts[0].offset, cuts[0].bytes.len()), (before, 64 << 10));
    assert_eq!(cuts[1].bytes, b"{\"n\":2}\n");
}

#[test]
fn a_file_that_was_written_anew_is_noticed() {
    let rewrites: [&[u8]; 4] = [b"", b"{\"n\":2}\n", b"{\"n\":2}\n{\"n\":3}\n", b"{\"n\":1}"];
    for rewrite in rewrites {
        let mut growing = Growing::new(b"{\"n\":1}\n");
        growing.cut(Whole::BySign);
        assert!(!growing.tail.was_rewritten().unwrap());
        growing.write(b"{\"n\":7}\n{");
        assert!(!growing.tail.was_rewritten().unwrap());
        growing.cut(Whole::BySign);
        std::fs::write(&growing.path, rewrite).unwrap();
        assert!(growing.tail.was_rewritten().unwrap(), "{rewrite:?}");
    }
}

#[test]
fn what_is_known_is_passed_over_also_where_a_format_cannot_tell() {
    let text = "2026-02-03 04:05:06 INFO on\n2026-02-03 04:05:07 INFO off\n";
    let hash: Hash = Sha256::digest(text).into();
    let mut known = Known::default();
    known.add(text.len() as u64, hash);
    let mut growing = Growing::new(text.as_bytes());
    assert_eq!(growing.cut(Whole::BySign), "2026-02-03 04:05:06 INFO on\n");
    growing.tail.pass_known(&known);
    assert_eq!(growing.cut(Whole::AtEnd), "");
    growing.write(b"2026-02-03 04:05:08 INFO on\n");
    assert_eq!(growing.cut(Whole::ByTime), "2026-02-03 04:05:08 INFO on\n");
}

#[test]
fn what_does_not_grow_line_by_line_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        check(&path).err().map(|error| error.message().replace(&format!("{}/", folder.path().display()), ""))
    };
    let compressed = "`a.gz` is compressed with gzip and cannot be followed".to_string();
    assert_eq!(refused("a.gz", b"\x1f\x8b\x08\x00"), Some(compressed));
    let columns = "`a.parquet` is a file of parquet and cannot be followed".to_string();
    assert_eq!(refused("a.parquet", b"PAR1...."), Some(columns));
    assert_eq!(refused("a.log", b"{}\n"), None);
    assert!(check(folder.path()).unwrap_err().message().ends_with("is a folder and cannot be followed"));
    assert!(check(&folder.path().join("none")).is_ok());
}

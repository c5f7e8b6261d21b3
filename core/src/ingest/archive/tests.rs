use super::*;
use std::io::Cursor;

fn header(name: &str, size: u64, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    header.set_entry_type(kind);
    let bytes = name.as_bytes();
    header.as_old_mut().name[..bytes.len()].copy_from_slice(bytes);
    header.set_cksum();
    header
}

fn file(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = header(name, bytes.len() as u64, EntryType::Regular).as_bytes().to_vec();
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(BLOCK_BYTES), 0);
    out
}

fn end() -> Vec<u8> {
    vec![0; 2 * BLOCK_BYTES]
}

type Found = Vec<(String, Vec<u8>)>;

/// All members as far as they can be read, and the error.
fn members(bytes: &[u8]) -> (Found, Option<String>) {
    let mut members = Members::new(Box::new(Cursor::new(bytes.to_vec())));
    let mut found = Vec::new();
    loop {
        match members.next_member() {
            Ok(None) => return (found, None),
            Err(error) => return (found, Some(error.to_string())),
            Ok(Some(mut member)) => {
                let mut bytes = Vec::new();
                let read = member.reader.read_to_end(&mut bytes);
                found.push((member.name, bytes));
                if let Err(error) = read {
                    return (found, Some(error.to_string()));
                }
            }
        }
    }
}

fn named(name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    (name.to_string(), bytes.to_vec())
}

#[test]
fn what_was_archived_comes_back() {
    let long = "folder/".repeat(40) + "name.jsonl";
    let large = b"{\"line\":1}\n".repeat(10_000);
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in [("a.log", &b"one\n"[..]), ("empty", b""), (&long, b"two\n"), ("large", &large)] {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, name, bytes).unwrap();
    }
    let bytes = builder.into_inner().unwrap();
    assert!(is_archive(&bytes) && is_archive(&bytes[..BLOCK_BYTES]));
    let expected =
        vec![named("a.log", b"one\n"), named("empty", b""), named(&long, b"two\n"), named("large", &large)];
    assert!(members(&bytes) == (expected, None));
}

#[test]
fn old_archives_are_known_and_other_bytes_are_not() {
    let mut old = Header::new_old();
    old.set_path("notes.txt").unwrap();
    old.set_size(3);
    old.set_cksum();
    let bytes = [old.as_bytes(), &b"abc"[..], &[0; 509], &end()].concat();
    assert!(is_archive(&bytes));
    assert_eq!(members(&bytes), (vec![named("notes.txt", b"abc")], None));
    let text = b"{\"level\":\"info\"}\n".repeat(100);
    for other in [&b""[..], b"ustar", &[0; 1024], &[b' '; 1024], &text] {
        assert!(!is_archive(other));
    }
}

#[test]
fn only_regular_files_are_members() {
    let bytes = [
        header("folder/", 0, EntryType::Directory).as_bytes().to_vec(),
        header("link", 77, EntryType::Link).as_bytes().to_vec(),
        header("symlink", 0, EntryType::Symlink).as_bytes().to_vec(),
        header("device", 0, EntryType::Char).as_bytes().to_vec(),
        header("pipe", 0, EntryType::Fifo).as_bytes().to_vec(),
        file("./folder/file", b"x"),
        file("../../etc/passwd", b"y"),
        file("/absolute", b"z"),
        end(),
    ]
    .concat();
    let expected =
        vec![named("folder/file", b"x"), named("../../etc/passwd", b"y"), named("/absolute", b"z")];
    assert_eq!(members(&bytes), (expected, None));
}

fn pax(lines: &[u8]) -> Vec<u8> {
    let mut bytes = file("pax", lines);
    let mut head = header("pax", lines.len() as u64, EntryType::XHeader);
    head.set_cksum();
    bytes[..BLOCK_BYTES].copy_from_slice(head.as_bytes());
    bytes
}

#[test]
fn attributes_give_name_and_size() {
    let told = pax(b"20 path=new/n\xc3\xa4me.l\n9 size=2\n");
    assert_eq!(attribute(b"9 size=2\n"), Some((&b"size"[..], &b"2"[..], &b""[..])));
    // The header says that the member has no bytes, as it does for those of more than 8 GiB.
    let mut data = file("old", b"");
    data.extend_from_slice(&file("x", b"ab")[BLOCK_BYTES..]);
    let bytes = [told, data, file("next", b"c"), end()].concat();
    assert_eq!(members(&bytes), (vec![named("new/näme.l", b"ab"), named("next", b"c")], None));
    for nonsense in [
        &b""[..],
        b"9",
        b"99 path=x\n",
        b"0 a=b\n",
        b"5 path",
        b"-1 a=b\n",
        b"1 ",
        b"12345678901234567890123 a=b\n",
    ] {
        let bytes = [pax(nonsense), file("file", b"c"), end()].concat();
        assert_eq!(members(&bytes), (vec![named("file", b"c")], None));
    }
}

#[test]
fn sparse_files_are_told_after_all_others() {
    let mut sparse = header("holes.log", 512, EntryType::GNUSparse);
    sparse.as_gnu_mut().unwrap().isextended = [1];
    sparse.set_cksum();
    let mut listed = [0; BLOCK_BYTES];
    listed[504] = 1;
    let bytes = [
        file("a", b"1"),
        sparse.as_bytes().to_vec(),
        listed.to_vec(),
        vec![0; BLOCK_BYTES],
        vec![7; BLOCK_BYTES],
        pax(b"22 GNU.sparse.major=1\n"),
        file("GNUSparseFile.0/b", b"2"),
        file("c", b"3"),
        end(),
    ]
    .concat();
    let told = "the archive's member `holes.log` and 1 more is a sparse file, which is not read".to_string();
    assert_eq!(members(&bytes), (vec![named("a", b"1"), named("c", b"3")], Some(told)));
}

#[test]
fn an_archive_cut_anywhere_gives_what_came_before_and_an_error() {
    let whole = [file("a", b"first\n"), file("b", &[b'x'; 600]), file("c", b"")].concat();
    let complete = members(&[whole.clone(), end()].concat());
    assert_eq!((complete.0.len(), complete.1), (3, None));
    for length in 1..=whole.len() {
        let (found, error) = members(&whole[..length]);
        assert!(error.is_some_and(|error| error.contains("archive ends")), "{length}");
        for (place, (name, bytes)) in found.iter().enumerate() {
            assert!(complete.0[place].0 == *name && complete.0[place].1.starts_with(bytes));
        }
        assert!(length < 518 || found[0].1 == b"first\n");
    }
}

#[test]
fn archives_one_after_the_other_are_read_and_garbage_is_told() {
    let one = [file("a", b"1"), end()].concat();
    let two = [file("b", b"2"), end(), vec![0; 8192]].concat();
    let both = [one.clone(), two].concat();
    assert_eq!(members(&both), (vec![named("a", b"1"), named("b", b"2")], None));
    let told = "the tar archive is damaged: there are other bytes after its end".to_string();
    assert_eq!(members(&[one, vec![7; 512]].concat()), (vec![named("a", b"1")], Some(told)));
}

#[test]
fn hostile_sizes_are_errors() {
    for size in [1 << 20, 1 << 33, u64::MAX / 2, u64::MAX] {
        for kind in [
            EntryType::Regular,
            EntryType::XHeader,
            EntryType::GNULongName,
            EntryType::Directory,
            EntryType::GNUSparse,
        ] {
            let bytes = [file("a", b"1"), header("b", size, kind).as_bytes().to_vec(), end()].concat();
            let (found, error) = members(&bytes);
            assert!(found[0] == named("a", b"1") && error.is_some(), "{size} {kind:?}");
        }
    }
    let endless = pax(b"23 size=99999999999999\n");
    assert!(members(&[endless, file("a", b"1"), end()].concat()).1.is_some());
}

#[test]
fn damaged_headers_do_no_harm() {
    let whole = [pax(b"16 path=new/name\n"), file("a", b"first\n"), file("b", b"second\n"), end()].concat();
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << bit;
            let (found, _) = members(&bytes);
            assert!(found.len() <= 3);
        }
    }
}

#[test]
fn a_member_that_is_left_is_skipped_and_read_no_more() {
    let bytes = [file("a", &[b'x'; 2_000]), file("b", b"2"), end()].concat();
    let mut members = Members::new(Box::new(Cursor::new(bytes)));
    let mut first = members.next_member().unwrap().unwrap();
    first.reader.read_exact(&mut [0; 700]).unwrap();
    let second = members.next_member().unwrap().unwrap();
    assert_eq!(second.name, "b");
    assert!(first.reader.read(&mut [0; 8]).is_err());
    assert!(members.next_member().unwrap().is_none());
    assert!(members.next_member().unwrap().is_none());
}

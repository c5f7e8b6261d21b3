use super::*;

const WRITER: &str = "0123456789abcdef";
const NAME: SegmentName<'static> = SegmentName { writer: WRITER, number: 7, closed: false };

fn frames(count: i64) -> Vec<Frame> {
    let payload = |seq: i64| format!("{{\"number\":{seq},\"text\":\"{}\"}}", "x".repeat(seq as usize % 13));
    (1..=count).map(|seq| Frame { seq: seq * 10, payload: payload(seq).into_bytes() }).collect()
}

/// The segment, and where each frame starts and the last ends.
fn segment(frames: &[Frame]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = header(WRITER, 7, None);
    let mut starts = vec![bytes.len()];
    for frame in frames {
        encode(&mut bytes, checksum_seed(WRITER), frame.seq, &frame.payload);
        starts.push(bytes.len());
    }
    (bytes, starts)
}

fn read(bytes: &[u8]) -> SegmentContent {
    decode(bytes, NAME, None).unwrap()
}

#[test]
fn the_bytes_are_as_specified() {
    let (bytes, _) = segment(&[Frame { seq: 0x0102_0304_0506, payload: b"{}".to_vec() }]);
    assert_eq!(&bytes[..24], b"DBKWAL1\n0123456789abcdef");
    assert_eq!(&bytes[24..32], &[7, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(&bytes[32..36], &crc32c::crc32c(&bytes[..32]).to_le_bytes());
    assert_eq!(&bytes[36..40], &[2, 0, 0, 0]);
    let sum = crc32c::crc32c(b"0123456789abcdef\x06\x05\x04\x03\x02\x01\0\0{}");
    assert_eq!(&bytes[40..44], &sum.to_le_bytes());
    assert_eq!(&bytes[44..], b"\x06\x05\x04\x03\x02\x01\0\0{}");
}

#[test]
fn a_whole_segment_is_read_back() {
    let frames = frames(50);
    let (bytes, _) = segment(&frames);
    assert_eq!(read(&bytes), SegmentContent { frames: frames.clone(), damage: vec![], torn: false });
    assert_eq!(count(&bytes[HEADER_BYTES..]), 50);
    let empty = [Frame { seq: 1, payload: vec![] }];
    assert_eq!(read(&segment(&empty).0).frames, empty);
}

#[test]
fn a_segment_cut_at_any_byte_is_torn_and_keeps_whole_frames() {
    let frames = frames(8);
    let (bytes, starts) = segment(&frames);
    for end in 0..bytes.len() {
        let content = read(&bytes[..end]);
        let whole = starts.iter().filter(|start| **start <= end).count().saturating_sub(1);
        assert_eq!(content.frames, frames[..whole], "cut at {end}");
        assert_eq!(content.torn, !starts.contains(&end), "cut at {end}");
        assert_eq!(content.damage, [], "cut at {end}");
    }
}

#[test]
fn a_closed_segment_that_is_cut_is_damaged() {
    let frames = frames(3);
    let (bytes, starts) = segment(&frames);
    let content = decode(&bytes[..starts[2] + 5], SegmentName { closed: true, ..NAME }, None).unwrap();
    assert_eq!(content.frames, frames[..2]);
    assert!(!content.torn);
    let damage = &content.damage[0];
    assert_eq!((damage.offset, damage.bytes), (starts[2] as u64, 5));
    assert_eq!(damage.reason, "a frame is cut short");
    let content = decode(&[], SegmentName { closed: true, ..NAME }, None).unwrap();
    assert_eq!(content.damage.len(), 1);
}

#[test]
fn garbage_and_zeros_at_the_end_are_torn() {
    let frames = frames(4);
    let (bytes, _) = segment(&frames);
    for tail in [&[0u8; 4096][..], &[0xff; 100], b"{\"json\":1}", &[1, 0, 0, 0]] {
        let content = read(&[&bytes, tail].concat());
        assert_eq!(content, SegmentContent { frames: frames.clone(), damage: vec![], torn: true });
    }
}

#[test]
fn any_changed_byte_costs_one_frame_and_is_reported() {
    let frames = frames(6);
    let (bytes, starts) = segment(&frames);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x41;
        let content = read(&changed);
        let hit = starts.iter().rposition(|start| *start <= at);
        let expected: Vec<_> =
            frames.iter().enumerate().filter(|(i, _)| Some(*i) != hit).map(|(_, f)| f.clone()).collect();
        assert_eq!(content.frames, expected, "changed at {at}");
        let is_last = hit == Some(frames.len() - 1);
        assert_eq!(content.torn, is_last, "changed at {at}");
        let place = hit.map_or((0, HEADER_BYTES), |hit| (starts[hit], starts[hit + 1] - starts[hit]));
        match content.damage.as_slice() {
            [] => assert!(is_last),
            [damage] => {
                assert_eq!((damage.offset, damage.bytes), (place.0 as u64, place.1 as u64), "at {at}");
                assert_eq!(damage.path, "_wal/0123456789abcdef/0000000007.wal");
            }
            more => panic!("changed at {at}: {more:?}"),
        }
    }
}

#[test]
fn reading_goes_on_after_bytes_that_went_or_came() {
    let frames = frames(9);
    let (bytes, starts) = segment(&frames);
    let mut shorter = bytes.clone();
    shorter.drain(starts[3] + 4..starts[5] + 2);
    let content = read(&shorter);
    assert_eq!(content.frames, [&frames[..3], &frames[6..]].concat());
    assert_eq!(content.damage.len(), 1);
    let mut longer = bytes.clone();
    longer.splice(starts[3]..starts[3], [b'x'; 1000]);
    let content = read(&longer);
    assert_eq!(content.frames, frames);
    assert_eq!((content.damage[0].offset, content.damage[0].bytes), (starts[3] as u64, 1000));
    assert!(!content.torn);
}

#[test]
fn two_damaged_places_are_two_reports() {
    let frames = frames(9);
    let (mut bytes, starts) = segment(&frames);
    bytes[starts[1] + 17] ^= 1;
    bytes[starts[6] + 17] ^= 1;
    let content = read(&bytes);
    assert_eq!(content.frames.len(), 7);
    let offsets: Vec<_> = content.damage.iter().map(|damage| damage.offset as usize).collect();
    assert_eq!(offsets, [starts[1], starts[6]]);
}

#[test]
fn a_frame_inside_a_damaged_payload_is_not_believed() {
    // A payload that holds a frame as another writer would have written it.
    let mut forged = Vec::new();
    encode(&mut forged, checksum_seed("ffffffffffffffff"), 15, b"forged");
    let frames = [
        Frame { seq: 10, payload: b"first".to_vec() },
        Frame { seq: 11, payload: forged },
        Frame { seq: 20, payload: b"last".to_vec() },
    ];
    let (mut bytes, starts) = segment(&frames);
    bytes[starts[1]] ^= 0xff;
    let content = read(&bytes);
    assert_eq!(content.frames, [frames[0].clone(), frames[2].clone()]);
}

#[test]
fn an_older_frame_inside_a_damaged_one_is_not_read_again() {
    let mut copy = Vec::new();
    encode(&mut copy, checksum_seed(WRITER), 10, b"first");
    let frames = [
        Frame { seq: 10, payload: b"first".to_vec() },
        Frame { seq: 11, payload: copy },
        Frame { seq: 20, payload: b"last".to_vec() },
    ];
    let (mut bytes, starts) = segment(&frames);
    bytes[starts[1]] ^= 0xff;
    assert_eq!(read(&bytes).frames, [frames[0].clone(), frames[2].clone()]);
}

#[test]
fn another_writers_or_numbers_header_is_damage_and_a_newer_format_is_refused() {
    let (bytes, _) = segment(&frames(2));
    let content = decode(&bytes, SegmentName { number: 8, ..NAME }, None).unwrap();
    assert_eq!((content.frames.len(), content.damage.len()), (2, 1));
    let mut newer = header(WRITER, 7, None);
    newer[6] = b'3';
    let sum = crc32c::crc32c(&newer[..32]).to_le_bytes();
    newer[32..].copy_from_slice(&sum);
    assert_eq!(decode(&newer, NAME, None).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn payloads_have_a_limit() {
    check_payload(&vec![0; PAYLOAD_BYTES_MAX]).unwrap();
    let error = check_payload(&vec![0; PAYLOAD_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn writer_ids_are_16_digits() {
    assert!(is_writer_id(WRITER));
    for name in ["", "0123456789abcde", "0123456789ABCDEF", "0123456789abcdeg", "seq", "../4567890abcdef"] {
        assert!(!is_writer_id(name), "{name}");
    }
}

fn keys(digit: &str) -> Keys {
    Keys::parse(&digit.repeat(64), "a test").unwrap()
}

/// The same as [`segment`], sealed.
fn sealed_segment(frames: &[Frame], keys: &Keys) -> (Vec<u8>, Vec<usize>) {
    let framer = Framer::new(WRITER, Some(keys)).unwrap();
    let mut bytes = header(WRITER, 7, framer.key_id());
    let mut starts = vec![bytes.len()];
    for frame in frames {
        framer.encode(&mut bytes, frame.seq, &frame.payload).unwrap();
        starts.push(bytes.len());
    }
    (bytes, starts)
}

#[test]
fn a_sealed_segment_shows_no_payload_and_is_read_back_with_its_key() {
    let (frames, ours) = (frames(50), keys("a"));
    let (bytes, _) = sealed_segment(&frames, &ours);
    assert!(!bytes.windows(6).any(|part| part == b"number"));
    let whole = SegmentContent { frames, damage: vec![], torn: false };
    assert_eq!(decode(&bytes, NAME, Some(&ours)).unwrap(), whole);
    assert_eq!(count(&bytes[SEALED_HEADER_BYTES..]), 50);
    assert_eq!(key_of(&bytes), Some(ours.first().id()));
    assert_eq!(key_of(&segment(&whole.frames).0), None);
    let id = ours.first().id().to_string();
    for keys in [None, Some(&keys("b"))] {
        let error = decode(&bytes, NAME, keys).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert!(error.message().contains(&id), "{error}");
    }
}

#[test]
fn a_sealed_segment_cut_at_any_byte_keeps_whole_frames() {
    let (frames, ours) = (frames(8), keys("a"));
    let (bytes, starts) = sealed_segment(&frames, &ours);
    for end in 0..bytes.len() {
        let content = decode(&bytes[..end], NAME, Some(&ours)).unwrap();
        let whole = starts.iter().filter(|start| **start <= end).count().saturating_sub(1);
        assert_eq!(content.frames, frames[..whole], "cut at {end}");
        assert_eq!(content.torn, !starts.contains(&end), "cut at {end}");
        assert_eq!(content.damage, [], "cut at {end}");
    }
}

#[test]
fn a_changed_byte_of_a_sealed_segment_costs_one_frame_and_no_key() {
    let (frames, ours) = (frames(6), keys("a"));
    let (bytes, starts) = sealed_segment(&frames, &ours);
    for at in 8..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x41;
        let content = decode(&changed, NAME, Some(&ours)).unwrap();
        let hit = starts.iter().rposition(|start| *start <= at);
        let expected: Vec<_> =
            frames.iter().enumerate().filter(|(i, _)| Some(*i) != hit).map(|(_, f)| f.clone()).collect();
        assert_eq!(content.frames, expected, "changed at {at}");
    }
}

#[test]
fn a_payload_with_a_good_checksum_that_was_not_sealed_is_damage() {
    let (frames, ours) = (frames(3), keys("a"));
    let (mut bytes, starts) = sealed_segment(&frames[..2], &ours);
    encode(&mut bytes, checksum_seed(WRITER), 1_000, b"forged by who has no key");
    let content = decode(&bytes, SegmentName { closed: true, ..NAME }, Some(&ours)).unwrap();
    assert_eq!(content.frames, frames[..2]);
    assert_eq!(content.damage[0].offset as usize, starts[2]);
    assert_eq!(content.damage[0].reason, "a frame cannot be decrypted");
}

//! Hand-built logs, a real one against python-evtx, and hostile ones.

mod build;
mod fixture;
mod hostile;
mod limits;

use super::*;
use build::{chunk, log, put, seal, spec, time};

const WU: &str = "Microsoft-Windows-WindowsUpdateClient";
const RE: &str = "Microsoft-Windows-WinREAgent";
const FAILURES: &[Wanted<'static>] = &[
    Wanted {
        provider: WU,
        ids: &[20],
    },
    Wanted {
        provider: RE,
        ids: &[],
    },
];

fn read(bytes: &dyn ReadAt) -> EventLog {
    EventLog::read(bytes, FAILURES, Limits::default()).unwrap()
}

fn ids(log: &EventLog) -> Vec<u64> {
    log.events.iter().map(|event| event.record_id).collect()
}

/// Kinds of the damage with the chunks' numbers.
fn damage(log: &EventLog) -> Vec<(Option<u64>, &'static str)> {
    log.damage
        .iter()
        .map(|damage| (damage.chunk(), kind(&damage.kind)))
        .collect()
}

fn kind(kind: &DamageKind) -> &'static str {
    match kind {
        DamageKind::FileSignature => "file signature",
        DamageKind::FileChecksum { .. } => "file checksum",
        DamageKind::ChunkCount { .. } => "chunk count",
        DamageKind::Unreadable(_) => "unreadable",
        DamageKind::ChunkCut { .. } => "cut",
        DamageKind::ChunkSignature { .. } => "signature",
        DamageKind::ChunkHeaderChecksum { .. } => "header checksum",
        DamageKind::ChunkDataChecksum { .. } => "data checksum",
        DamageKind::FreeSpace { .. } => "free space",
        DamageKind::Record => "record",
        DamageKind::Undecodable { .. } => "undecodable",
        DamageKind::TooLarge { .. } => "too large",
        DamageKind::GaveUp => "gave up",
    }
}

/// Three chunks: records 1 to 3, 4 and 5, 6. Wanted are 2, 3 and 6.
fn sample() -> Vec<u8> {
    log(&[
        chunk(
            1,
            &[
                spec("Service Control Manager", 20, 0, ""),
                spec(WU, 20, 0x8007_0643, "2024-01 Security Update (KB5034441)"),
                spec(RE, 4502, 2, "second"),
            ],
        ),
        chunk(4, &[spec(WU, 19, 0, "good"), spec("Other", 20, 0, "")]),
        chunk(6, &[spec(WU, 20, 0x8007_0070, "M\u{e4}rz <&> \u{1f600}")]),
    ])
}

const CHUNK: usize = 64 << 10;
const FIRST: usize = 4096;

#[test]
fn wanted_events_are_read_with_all_their_data() {
    let log = read(&sample());
    assert_eq!(damage(&log), []);
    assert_eq!(
        (log.chunks, log.records_seen, log.dirty, log.truncated),
        (3, 6, false, false)
    );
    assert_eq!((log.first_time, log.last_time), (Some(time(1)), Some(time(6))));
    assert_eq!(ids(&log), [2, 3, 6]);
    let datum = |name: &str, text: &str| (name.to_string(), text.to_string());
    let expected = Event {
        record_id: 2,
        written: time(2),
        provider: WU.to_string(),
        id: 20,
        qualifiers: Some(16390),
        level: Some(2),
        data: vec![
            datum("errorCode", "0x80070643"),
            datum("updateTitle", "2024-01 Security Update (KB5034441)"),
            datum("", "-2"),
        ],
    };
    assert_eq!(log.events[0], expected);
    assert_eq!(log.events[0].get("ERRORCODE"), Some("0x80070643"));
    assert_eq!(log.events[0].get("code"), None);
    assert_eq!(log.events[2].get("updateTitle"), Some("M\u{e4}rz <&> \u{1f600}"));
}

#[test]
fn a_provider_that_only_the_record_names_is_found_and_a_mention_is_not_enough() {
    let mut own = spec(RE, 4502, 2, "own");
    own.names_provider_itself = true;
    let mut other = spec("Other", 20, 0, "other");
    other.names_provider_itself = true;
    let mention = spec("Other", 20, 0, WU);
    let log = read(&log(&[chunk(1, &[other, own, mention])]));
    assert_eq!((ids(&log), damage(&log)), (vec![2], vec![]));
}

#[test]
fn a_log_that_was_not_closed_is_read_behind_what_its_headers_say() {
    let mut bytes = sample();
    put(&mut bytes, 120, &[1]);
    put(&mut bytes, 42, &[1, 0]);
    let sum = crc32fast::hash(&bytes[..120]);
    put(&mut bytes, 124, &sum.to_le_bytes());
    // The first chunk as it was before its last two records.
    let first = &mut bytes[FIRST..FIRST + CHUNK];
    let size = u32::from_le_bytes(first[516..520].try_into().unwrap());
    put(first, 16, &1u64.to_le_bytes());
    put(first, 32, &1u64.to_le_bytes());
    put(first, 44, &512u32.to_le_bytes());
    put(first, 48, &(512 + size).to_le_bytes());
    seal(first);
    let log = read(&bytes);
    assert!(log.dirty);
    assert_eq!((ids(&log), damage(&log)), (vec![2, 3, 6], vec![]));
    // Records of an earlier use of the chunk do not continue the newest one.
    let mut reused = chunk(9, &[spec(RE, 4500, 0, ""), spec(RE, 4502, 2, "")]);
    let free = u32::from_le_bytes(reused[48..52].try_into().unwrap()) as usize;
    let old = build::record(5, &[0; 8]);
    put(&mut reused, free, &old);
    assert_eq!(read(&build::log(&[reused])).records_seen, 2);
}

#[test]
fn damage_of_one_part_leaves_the_others() {
    let check = |expected: &[(Option<u64>, &'static str)], events: &[u64], plant: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sample();
        plant(&mut bytes);
        let log = read(&bytes);
        assert_eq!((damage(&log), ids(&log)), (expected.to_vec(), events.to_vec()));
    };
    let all = [2, 3, 6];
    check(&[(None, "file signature")], &all, &|bytes| bytes[0] = b'X');
    check(&[(None, "file checksum")], &all, &|bytes| bytes[24] ^= 1);
    check(
        &[(None, "file checksum"), (None, "chunk count")],
        &all,
        &|bytes| bytes[42] = 9,
    );
    // A chunk's header that is gone does not take its records along.
    check(&[(Some(0), "signature")], &all, &|bytes| bytes[FIRST] = 0);
    check(&[(Some(0), "signature")], &all, &|bytes| {
        bytes[FIRST..FIRST + 511].fill(0xff)
    });
    check(&[(Some(0), "header checksum")], &all, &|bytes| {
        bytes[FIRST + 200] ^= 1
    });
    check(&[(Some(0), "free space")], &all, &|bytes| {
        put(bytes, FIRST + 48, &[0xff; 4])
    });
    // The tables are not needed, however they are linked.
    check(&[(Some(2), "header checksum")], &all, &|bytes| {
        bytes[FIRST + 2 * CHUNK + 128..FIRST + 2 * CHUNK + 512].fill(0x80);
    });
    check(&[(Some(1), "signature"), (Some(1), "record")], &all, &|bytes| {
        bytes[FIRST + CHUNK..FIRST + 2 * CHUNK].fill(0x5a);
    });
    // A chunk of zeros is one that was never used.
    check(&[(None, "chunk count")], &all, &|bytes| {
        bytes[FIRST + CHUNK..FIRST + 2 * CHUNK].fill(0)
    });
    check(
        &[(Some(2), "data checksum"), (Some(2), "record")],
        &[2, 3],
        &|bytes| {
            bytes[FIRST + 2 * CHUNK + 512] = 0;
        },
    );
    check(
        &[(Some(2), "data checksum"), (Some(2), "undecodable")],
        &[2, 3],
        &|bytes| {
            bytes[FIRST + 2 * CHUNK + 512 + 24 + 4 + 10 + 24 + 4] = 0x3f;
        },
    );
    check(&[(Some(2), "cut")], &all, &|bytes| {
        bytes.truncate(FIRST + 2 * CHUNK + 5000)
    });
    check(
        &[(Some(2), "cut"), (Some(2), "data checksum"), (Some(2), "record")],
        &[2, 3],
        &|bytes| {
            bytes.truncate(FIRST + 2 * CHUNK + 600);
        },
    );
}

#[test]
fn what_is_no_log_is_refused() {
    for bytes in [vec![], b"ElfChnk\0".to_vec(), vec![7; 100_000], vec![0; 1 << 20]] {
        let error = EventLog::read(&bytes, FAILURES, Limits::default()).unwrap_err();
        assert!(matches!(error, EvtxError::NotALog { file_bytes, .. } if file_bytes == bytes.len() as u64));
    }
    // A log that holds nothing yet.
    let empty = EventLog::read(
        &log(&[vec![0; CHUNK]])[..FIRST].to_vec(),
        FAILURES,
        Limits::default(),
    )
    .unwrap();
    assert_eq!((empty.chunks, empty.records_seen, empty.first_time), (0, 0, None));
}

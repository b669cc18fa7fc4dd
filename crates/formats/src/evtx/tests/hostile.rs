//! Bytes that no Windows wrote: nothing panics, and what is done stays in proportion.

use super::build::{record, spec as event};
use super::*;
use crate::bytes::utf16_bytes;
use crate::testing::{Random, shared_packed};
use std::time::{Duration, Instant};

/// Reads in a thread with the smallest stack that a program's main thread has on the systems that winrefit runs on.
fn read_on_small_stack(bytes: Vec<u8>) -> EventLog {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let read = move || EventLog::read(&bytes, FAILURES, Limits::default()).unwrap();
    thread.spawn(read).unwrap().join().unwrap()
}

/// What must hold of every result.
fn check(log: &EventLog, size: usize) {
    assert!(log.damage.len() <= DAMAGE_MAX);
    assert!(log.damage.iter().all(|damage| damage.offset < size.max(1) as u64));
    assert!(log.records_seen <= size / 28);
    assert!(
        log.events
            .iter()
            .all(|event| event.data.iter().map(|(_, text)| text.len()).sum::<usize>() < 1 << 18)
    );
}

/// Reads what can be read of `bytes` with every provider wanted that could be.
fn survives(bytes: &dyn ReadAt) {
    let wanted = [
        Wanted {
            provider: WU,
            ids: &[],
        },
        Wanted {
            provider: "Service Control Manager",
            ids: &[],
        },
        Wanted {
            provider: "e",
            ids: &[],
        },
    ];
    if let Ok(log) = EventLog::read(bytes, &wanted, Limits::default()) {
        check(&log, bytes.size() as usize);
    }
}

#[test]
fn flipped_bits_of_a_built_log_are_survived() {
    let good = sample();
    // Where there is something to flip.
    let places: Vec<usize> = (0..good.len()).filter(|&at| good[at] != 0).collect();
    let mut random = Random(1);
    let mut lost = 0;
    for _ in 0..1000 {
        let mut bytes = good.clone();
        for _ in 0..=random.below(3) {
            let at = places[random.below(places.len())] + random.below(3);
            bytes[at] ^= 1 << random.below(8);
        }
        survives(&bytes);
        let log = EventLog::read(&bytes, FAILURES, Limits::default()).unwrap();
        check(&log, bytes.len());
        // Whatever is missing is named.
        if log.events.len() < 3 {
            lost += 1;
            assert!(!log.damage.is_empty());
        }
    }
    assert!(
        lost > 40,
        "the bits that were flipped mattered in {lost} cases only"
    );
}

#[test]
fn flipped_bits_and_cuts_of_a_real_log_are_survived() {
    let Some(good) = shared_packed("fixtures/evtx/System-win10-wuclient-19-43-44.evtx.xz") else {
        return;
    };
    let mut random = Random(2);
    for round in 0..600 {
        // Two chunks of it, for speed.
        let mut bytes = good[..FIRST].to_vec();
        for _ in 0..2 {
            let at = FIRST + random.below(10) * CHUNK;
            bytes.extend(&good[at..at + CHUNK]);
        }
        for _ in 0..=random.below(40) {
            let at = random.below(bytes.len());
            match round % 3 {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = [0, 0xff, 0x0c, 0x21, 0x81][random.below(5)],
                _ => put(
                    &mut bytes,
                    at.min(2 * CHUNK),
                    &(random.next() as u32).to_le_bytes(),
                ),
            }
        }
        if round % 10 == 0 {
            bytes.truncate(random.below(bytes.len()));
        }
        survives(&bytes);
    }
    for length in (0..FIRST + CHUNK).step_by(997) {
        survives(&good[..length].to_vec());
    }
}

/// Where the definition of the template lies in a built chunk, and the name of its first element.
const DEFINITION: u32 = 512 + 24 + 4 + 10;
const NAME: u32 = DEFINITION + 24 + 4 + 1 + 2 + 4 + 4;

/// A chunk with one good record, and one for each of these bodies in BinXML.
fn crafted(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = chunk(1, &[event(RE, 4502, 2, "good")]);
    let mut at = end(&bytes);
    for (id, body) in (2..).zip(bodies) {
        let record = record(id, body);
        put(&mut bytes, at, &record);
        at += record.len();
    }
    put(&mut bytes, 48, &(at as u32).to_le_bytes());
    seal(&mut bytes);
    bytes
}

/// Where a chunk's free space begins.
fn end(chunk: &[u8]) -> usize {
    u32::from_le_bytes(chunk[48..52].try_into().unwrap()) as usize
}

/// The beginning of a fragment that is an instance of the template at `definition`.
fn instance(definition: u32) -> Vec<u8> {
    [
        &[0x0f, 1, 1, 0, 0x0c, 1, 1, 2, 3, 4][..],
        &definition.to_le_bytes(),
    ]
    .concat()
}

/// The start tag of an element.
fn open() -> Vec<u8> {
    [&[0x01, 0xff, 0xff, 0, 0, 0, 0][..], &NAME.to_le_bytes(), &[0x02]].concat()
}

#[test]
fn deep_elements_and_templates_in_templates_end() {
    let mention = utf16_bytes(RE);
    for depth in [40, 500, 4500] {
        let (open, close) = (open().repeat(depth), vec![0x04; depth]);
        let deep = [&[0x0f, 1, 1, 0][..], &open, &close, &[0], &mention].concat();
        let log = read_on_small_stack(log(&[crafted(&[deep])]));
        assert_eq!(
            (ids(&log), damage(&log)),
            (vec![1], vec![(Some(0), "undecodable")])
        );
    }
    // A template that is an instance of itself.
    let mut cyclic = chunk(1, &[event(RE, 4502, 2, "good")]);
    let again = [&instance(DEFINITION)[4..], &0u32.to_le_bytes()].concat();
    put(&mut cyclic, DEFINITION as usize + 24 + 4, &again);
    seal(&mut cyclic);
    let log = read_on_small_stack(log(&[cyclic]));
    assert_eq!(
        (ids(&log), damage(&log)),
        (vec![], vec![(Some(0), "undecodable")])
    );
}

#[test]
fn values_in_values_end() {
    // A fragment as the title of an event whose fragment is the title of another.
    let mut value = utf16_bytes(RE);
    for _ in 0..900 {
        let outer = [
            &instance(DEFINITION)[..],
            &6u32.to_le_bytes(),
            &[2, 0, 6, 0, 1, 0, 4, 0, 4, 0, 0x14, 0],
            &(value.len() as u16).to_le_bytes(),
            &[0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[20, 0, 2, 0, 0, 0, 0],
            &value,
            &[0],
        ];
        value = outer.concat();
    }
    assert!(value.len() > 40_000);
    let log = read_on_small_stack(log(&[crafted(&[value])]));
    assert_eq!(
        (ids(&log), damage(&log)),
        (vec![1], vec![(Some(0), "undecodable")])
    );
}

#[test]
fn counts_without_bytes_behind_them_are_refused() {
    for count in [u32::MAX, 0x1000_0000, 65_535, 7] {
        let values = [&instance(DEFINITION)[..], &count.to_le_bytes(), &utf16_bytes(RE)].concat();
        let template = [&instance(count)[..], &utf16_bytes(RE)].concat();
        for body in [values, template] {
            let log = read_on_small_stack(log(&[crafted(&[body])]));
            assert_eq!(
                (ids(&log), damage(&log)),
                (vec![1], vec![(Some(0), "undecodable")])
            );
        }
    }
}

#[test]
fn records_that_repeat_a_large_value_are_given_up_in_bounded_time() {
    // Each record of each chunk is an instance of one template that shows one value 2000 times.
    let here = end(&crafted(&[])) as u32 + 24 + 4 + 10;
    let shown = [&open()[..], &[0x0d, 0, 0, 1].repeat(2000), &[0x04, 0]].concat();
    let definition = [
        &[0; 20][..],
        &(shown.len() as u32 + 4).to_le_bytes(),
        &[0x0f, 1, 1, 0],
        &shown,
    ]
    .concat();
    let value = utf16_bytes(RE).repeat(40);
    let values = [
        &1u32.to_le_bytes()[..],
        &(value.len() as u16).to_le_bytes(),
        &[1, 0],
        &value,
        &[0],
    ]
    .concat();
    let mut bodies = vec![[&instance(here)[..], &definition, &values].concat()];
    bodies.resize(20, [&instance(here)[..], &values].concat());
    let start = Instant::now();
    let log = read_on_small_stack(log(&vec![crafted(&bodies); 64]));
    assert_eq!((log.records_seen, log.truncated), (64 * 21, true));
    assert!(
        damage(&log).contains(&(Some(0), "too large")),
        "{:?}",
        damage(&log)
    );
    assert!(log.damage.len() + log.damage_omitted <= FAILURES_MAX + 64);
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn random_chunks_are_survived() {
    let mut random = Random(3);
    for round in 0..120 {
        let mut bytes = vec![0; CHUNK];
        bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
        put(&mut bytes, 0, b"ElfChnk\0");
        put(&mut bytes, 48, &(CHUNK as u32).to_le_bytes());
        // Records of random BinXML that begins well.
        let mut at = 512;
        while round % 2 == 0 && at + 600 < CHUNK {
            let mut body = [&[0x0f, 1, 1, 0][..], &bytes[at + 64..at + 64 + random.below(400)]].concat();
            body.iter_mut()
                .skip(4)
                .for_each(|byte| *byte %= [0x12, 0x42, 0x82][round / 2 % 3]);
            body.extend(utf16_bytes(WU));
            let record = record(round as u64 * 1000 + at as u64, &body);
            put(&mut bytes, at, &record);
            at += record.len();
        }
        survives(&log(&[bytes]));
    }
}

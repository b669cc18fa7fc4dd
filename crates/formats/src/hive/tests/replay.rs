//! Logs of both formats, written here from the specification, applied to a copy of a real hive.

use super::super::marvin;
use super::*;
use winrefit_disk::Metered;

const ELEMENT: &str = "Objects\\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\\Elements\\25000004";
const TIMEOUT: u64 = 30;

/// The hive, and place and content of the 4096-byte page with the boot manager's time-out, set to `seconds`.
fn page_with_timeout(clean: &[u8], seconds: u64) -> (u32, Vec<u8>) {
    let hive = Hive::open(&clean).unwrap();
    let value = hive
        .key(ELEMENT)
        .unwrap()
        .unwrap()
        .value("Element")
        .unwrap()
        .unwrap();
    let at = value.data_ranges().unwrap()[0].start as usize;
    let page = at & !0xfff;
    let mut content = clean[page..page + 4096].to_vec();
    content[at - page..][..8].copy_from_slice(&seconds.to_le_bytes());
    ((page - 4096) as u32, content)
}

fn timeout(file: &dyn ReadAt) -> u64 {
    let Some(RegistryValue::Binary(data)) = Hive::open(file).unwrap().value(ELEMENT, "Element").unwrap()
    else {
        panic!("no binary value")
    };
    u64::from_le_bytes(data.try_into().unwrap())
}

/// The hive as after an interrupted write: sequence numbers 35 and 34.
fn dirty(clean: &[u8]) -> Vec<u8> {
    let mut bytes = clean.to_vec();
    base_block::patch(&mut bytes, &[(base_block::PRIMARY_SEQUENCE, 35)]);
    bytes
}

fn log_base(clean: &[u8], file_type: u32, sequence: u32) -> Vec<u8> {
    let mut block = clean[..512].to_vec();
    base_block::patch(
        &mut block,
        &[
            (base_block::FILE_TYPE, file_type),
            (base_block::PRIMARY_SEQUENCE, sequence),
            (base_block::SECONDARY_SEQUENCE, sequence),
        ],
    );
    block
}

fn entry(sequence: u32, bins_bytes: u32, pages: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, content) in pages {
        body.extend(at.to_le_bytes());
        body.extend((content.len() as u32).to_le_bytes());
    }
    pages.iter().for_each(|(_, content)| body.extend(content));
    body.resize((body.len() + 40).next_multiple_of(512) - 40, 0);
    let mut entry = b"HvLE".to_vec();
    for field in [
        body.len() as u32 + 40,
        1,
        sequence,
        bins_bytes,
        pages.len() as u32,
    ] {
        entry.extend(field.to_le_bytes());
    }
    entry.extend(marvin::hash(&body).to_le_bytes());
    entry.extend(marvin::hash(&entry).to_le_bytes());
    entry.extend(body);
    entry
}

/// A log in the new format: for each (sequence, seconds) an entry.
fn new_log(clean: &[u8], entries: &[(u32, u64)]) -> Vec<u8> {
    let bins_bytes = (clean.len() - 4096) as u32;
    let mut log = log_base(clean, 6, entries[0].0);
    for &(sequence, seconds) in entries {
        log.extend(entry(sequence, bins_bytes, &[page_with_timeout(clean, seconds)]));
    }
    log
}

fn replayed(file: &[u8], logs: &[&Vec<u8>]) -> (Replay, u64) {
    let logs: Vec<&dyn ReadAt> = logs.iter().map(|&log| log as &dyn ReadAt).collect();
    let image = replay(&file, &logs).unwrap_or_else(|error| panic!("{error}"));
    assert!(!Hive::open(&image).unwrap().is_dirty());
    (image.replay(), timeout(&image))
}

#[test]
fn entries_are_applied_in_order_and_only_those_that_follow() {
    let Some(clean) = bcd() else { return };
    let file = dirty(&clean);
    let entries = |count, sequence| Replay::Entries { count, sequence };
    let log = new_log(&clean, &[(33, 1), (34, 2), (35, 3), (36, 4)]);
    assert_eq!(replayed(&file, &[&log]), (entries(3, 36), 4));
    // Entry 37 is missing, so 38 is of another time.
    let gap = new_log(&clean, &[(35, 3), (36, 4), (38, 6)]);
    assert_eq!(replayed(&file, &[&gap]), (entries(2, 36), 4));
    let (first, second) = (
        new_log(&clean, &[(34, 2), (35, 3)]),
        new_log(&clean, &[(36, 4), (37, 5)]),
    );
    assert_eq!(replayed(&file, &[&first, &second]), (entries(4, 37), 5));
    assert_eq!(replayed(&file, &[&second, &first]), (entries(4, 37), 5));
    // What entry 35 changed is lost.
    assert!(matches!(
        replay(&file, &[&second]),
        Err(ReplayError::NoLogApplies { .. })
    ));
    let old = new_log(&clean, &[(20, 7), (21, 8)]);
    assert_eq!(replayed(&file, &[&old, &first]), (entries(2, 35), 3));
}

#[test]
fn a_damaged_entry_ends_the_replay() {
    let Some(clean) = bcd() else { return };
    let file = dirty(&clean);
    let good = new_log(&clean, &[(34, 2), (35, 3)]);
    let second = 512 + (good.len() - 512) / 2;
    // A bit of the head, of a page, of either hash.
    for at in [second + 8, second + 24, second + 32, second + 300] {
        let mut log = good.clone();
        log[at] ^= 4;
        let expected = Replay::Entries {
            count: 1,
            sequence: 34,
        };
        assert_eq!(replayed(&file, &[&log]), (expected, 2), "damage at {at}");
        log[at - second + 512] ^= 4;
        let error = replay(&file, &[&log]).unwrap_err();
        assert!(
            matches!(
                error,
                ReplayError::NoLogApplies {
                    primary: 35,
                    secondary: 34
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_clean_hive_ignores_its_logs_but_is_not_edited_beside_newer_ones() {
    let Some(clean) = bcd() else { return };
    let log = new_log(&clean, &[(34, 2), (35, 3)]);
    assert_eq!(replayed(&clean, &[&log]), (Replay::Clean, TIMEOUT));
    let error = HiveEdit::begin(&clean, &[&log]).unwrap_err();
    assert!(
        matches!(
            error,
            HiveEditError::NewerLog {
                sequence: 34,
                log_sequence: 35
            }
        ),
        "{error}"
    );
    let applied = new_log(&clean, &[(33, 2), (34, 3)]);
    assert!(HiveEdit::begin(&clean, &[&applied]).is_ok());
    let file = dirty(&clean);
    let error = HiveEdit::begin(&file, &[&log]).unwrap_err();
    assert!(
        matches!(error, HiveEditError::Dirty { logs_apply: true, .. }),
        "{error}"
    );
}

#[test]
fn a_torn_base_block_comes_from_the_log() {
    let Some(clean) = bcd() else { return };
    let mut file = clean.clone();
    file[4] ^= 0xff;
    assert!(matches!(
        replay(&file, &[]),
        Err(ReplayError::Hive(HiveError::Checksum { .. }))
    ));
    let (old, log) = (new_log(&clean, &[(20, 7)]), new_log(&clean, &[(35, 3), (36, 4)]));
    assert_eq!(
        replayed(&file, &[&old, &log]),
        (
            Replay::Entries {
                count: 2,
                sequence: 36
            },
            4
        )
    );
}

#[test]
fn a_hive_grows_with_its_log() {
    let Some(clean) = bcd() else { return };
    let grown = (clean.len() - 4096 + 4096) as u32;
    let mut bin = vec![0; 4096];
    bin[..4].copy_from_slice(b"hbin");
    let mut log = log_base(&clean, 6, 34);
    log.extend(entry(
        34,
        grown,
        &[(grown - 4096, bin.clone()), page_with_timeout(&clean, 9)],
    ));
    let file = dirty(&clean);
    let image = replay(&file, &[&log]).unwrap();
    assert_eq!((image.size(), timeout(&image)), (clean.len() as u64 + 4096, 9));
    assert!(image.read_vec(clean.len() as u64, 4096).unwrap() == bin);
    assert_eq!(Hive::open(&image).unwrap().base_block().bins_bytes, grown);
    // The entry's flags.
    assert_eq!(image.read_vec(144, 4).unwrap(), [1, 0, 0, 0]);
    // A read across the end of the file, and one behind everything.
    assert_eq!(image.read_vec(clean.len() as u64 - 2, 6).unwrap()[2..], *b"hbin");
    assert!(image.read_vec(image.size() - 1, 2).is_err());
}

#[test]
fn an_old_log_is_applied_if_it_is_of_the_same_time() {
    let Some(clean) = bcd() else { return };
    let (at, page) = page_with_timeout(&clean, 11);
    let mut log = log_base(&clean, 1, 35);
    let mut vector = b"DIRT".to_vec();
    vector.resize(4 + (clean.len() - 4096) / 512 / 8, 0);
    vector[4 + at as usize / 4096] = 0xff;
    vector.resize(512, 0);
    log.extend(vector);
    log.extend(page);
    let file = dirty(&clean);
    assert_eq!(replayed(&file, &[&log]), (Replay::DirtyVector { pages: 8 }, 11));
    let mut torn = clean.clone();
    torn[4] ^= 0xff;
    assert_eq!(replayed(&torn, &[&log]), (Replay::DirtyVector { pages: 8 }, 11));
    let mut other_time = log.clone();
    other_time[12] ^= 1;
    base_block::patch(&mut other_time[..512], &[]);
    assert!(replay(&file, &[&other_time]).is_err());
    let mut unfinished = log.clone();
    base_block::patch(&mut unfinished[..512], &[(base_block::PRIMARY_SEQUENCE, 36)]);
    assert!(replay(&file, &[&unfinished]).is_err());
    let short = log[..log.len() - 1].to_vec();
    assert!(replay(&file, &[&short]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// The hashes are redone, so that the damage gets past them.
    #[test]
    fn a_hostile_log_ends_in_an_error_or_a_bounded_image(
        head in prop::collection::vec((8usize..24, any::<u8>()), 0..4),
        body in prop::collection::vec((40usize..60, any::<u8>()), 0..6),
    ) {
        let Some(clean) = bcd() else { return Ok(()) };
        let mut log = new_log(&clean, &[(34, 2)]);
        let entry = &mut log[512..];
        for (at, value) in head.into_iter().chain(body) {
            entry[at] = value;
        }
        let hash = marvin::hash(&entry[40..]);
        entry[24..32].copy_from_slice(&hash.to_le_bytes());
        let hash = marvin::hash(&entry[..32]);
        entry[32..40].copy_from_slice(&hash.to_le_bytes());
        let file = dirty(&clean);
        if let Ok(image) = replay(&file, &[&log]) {
            prop_assert!(image.pages.len() <= log.len() / 512);
            if let Ok(hive) = Hive::open(&image) {
                let _ = walk(&hive);
            }
        }
    }
}

#[test]
fn opening_with_logs_falls_back_to_the_file_and_says_so() {
    let Some(clean) = bcd() else { return };
    let (file, log) = (dirty(&clean), new_log(&clean, &[(34, 2), (35, 3)]));
    let before = timeout(&clean);
    let open = |file: &Vec<u8>, logs: &[&dyn ReadAt]| {
        let current = open_with_logs(file, logs).unwrap();
        assert_eq!(
            current.hive().unwrap().root().unwrap().subkeys().unwrap().count(),
            2
        );
        (current.is_current(), current.replay(), timeout(&current))
    };
    assert_eq!(open(&clean, &[&log]), (true, Some(Replay::Clean), before));
    let (count, sequence) = (2, 35);
    assert_eq!(
        open(&file, &[&log]),
        (true, Some(Replay::Entries { count, sequence }), 3)
    );
    assert_eq!(open(&file, &[]), (false, None, before));
    assert!(matches!(
        open_with_logs(&vec![0; 8192], &[]),
        Err(HiveError::Signature)
    ));
}

#[test]
fn a_large_hive_is_not_read_to_be_opened() {
    let Some(clean) = bcd() else { return };
    // The bins grow by zeros, as if they were there.
    let grown = |bytes: Vec<u8>| {
        let mut bytes = bytes;
        bytes.resize(100 << 20, 0);
        base_block::patch(&mut bytes, &[(base_block::BINS_SIZE, (100 << 20) - 4096)]);
        bytes
    };
    let large = Metered::new(grown(clean.clone()));
    let current = open_with_logs(&large, &[]).unwrap();
    assert_eq!(
        (large.bytes_read(), current.replay()),
        (4096, Some(Replay::Clean))
    );
    assert_eq!(timeout(&current), TIMEOUT);
    assert!(large.bytes_read() < 64 << 10, "{}", large.bytes_read());
    // With a log: the base block, the check of the first bin, and of the log everything once and its pages again.
    let pages: Vec<(u32, Vec<u8>)> = (0..200)
        .map(|page| ((50 << 20) + page * 4096, vec![7; 4096]))
        .collect();
    let mut log = log_base(&clean, 6, 35);
    log.extend(entry(35, (100 << 20) - 4096, &pages));
    let (large, log) = (Metered::new(grown(dirty(&clean))), Metered::new(log));
    let current = replay(&large, &[&log]).unwrap();
    assert_eq!(large.bytes_read(), 4096 + 4096 + 4);
    assert!(log.bytes_read() <= 2 * log.size() + 8192);
    // In units of 512 bytes.
    assert_eq!(current.pages.len(), 200 * 8);
    assert_eq!(current.read_vec((50 << 20) + 4096, 4).unwrap(), [7; 4]);
}

//! Tables whose checksums are right and whose content is not: written by an encoder that was told to.

use super::*;

/// What reading says of the primary copy of a table with these changes.
fn error_of(change: impl Fn(&mut Gpt)) -> GptError {
    let mut gpt = table(SectorSize::B512);
    change(&mut gpt);
    reread(&disk_with(&gpt)).primary.unwrap_err()
}

#[test]
fn partitions_must_not_overlap() {
    let error = error_of(|gpt| gpt.partitions.push(partition(9, 4999, 6000)));
    assert!(
        matches!(error, GptError::Overlap { first: 7, second: 9 }),
        "{error}"
    );
}

#[test]
fn unique_guids_must_be_unique() {
    let twin = Partition {
        number: 9,
        ..partition(2, 6000, 7000)
    };
    let error = error_of(|gpt| gpt.partitions.push(twin.clone()));
    assert!(
        matches!(
            error,
            GptError::DuplicateGuid {
                first: 2,
                second: 9,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn partitions_must_lie_in_the_usable_range_and_not_be_reversed() {
    for (start, end) in [
        (33, 100),
        (8000, SECTORS - 32),
        (7000, 7000),
        (7000, 6000),
        (u64::MAX - 1, u64::MAX),
    ] {
        let range = LbaRange {
            start: Lba(start),
            end: Lba(end),
        };
        let bad = Partition {
            range,
            ..partition(9, 6000, 7000)
        };
        let error = error_of(|gpt| gpt.partitions.push(bad.clone()));
        assert!(
            matches!(error, GptError::PartitionRange { number: 9, .. }),
            "{start}..{end}: {error}"
        );
    }
}

#[test]
fn the_usable_range_must_be_clear_of_headers_and_on_the_device() {
    for (start, end) in [(1, 100), (34, SECTORS + 1), (0, 5), (100, 100)] {
        let range = LbaRange {
            start: Lba(start),
            end: Lba(end),
        };
        let error = error_of(|gpt| {
            gpt.partitions.clear();
            gpt.usable = range;
        });
        assert!(
            matches!(error, GptError::UsableRange { .. }),
            "{start}..{end}: {error}"
        );
    }
}

/// What reading says of a primary header that expects its entries at `lba`, where they are.
fn with_entries_at(lba: u64) -> Option<GptError> {
    let gpt = table(SectorSize::B512);
    let mut device = disk_with(&gpt);
    let entries = gpt.encode().primary_entries.bytes;
    if let Some(offset) = lba
        .checked_mul(512)
        .filter(|o| o + entries.len() as u64 <= device.size())
    {
        device.write_at(offset, &entries).unwrap();
    }
    device
        .write_at(512, &gpt.primary_header_with_entries_at(Lba(lba)))
        .unwrap();
    reread(&device).primary.err()
}

#[test]
fn entries_must_not_cover_headers_partitions_or_the_end() {
    for lba in [0, 1, 4000, 4999, SECTORS - 31, SECTORS, u64::MAX - 3, u64::MAX] {
        let error = with_entries_at(lba);
        assert!(
            matches!(error, Some(GptError::EntriesPlace { .. })),
            "{lba}: {error:?}"
        );
    }
    assert!(with_entries_at(5000).is_none());
}

#[test]
fn a_header_in_another_place_than_its_own_is_refused() {
    let mut device = disk_with(&table(SectorSize::B512));
    let backup = device.read_vec((SECTORS - 1) * 512, 512).unwrap();
    device.write_at(512, &backup).unwrap();
    let error = reread(&device).primary.unwrap_err();
    assert!(matches!(error, GptError::MyLba { lba: Lba(1), .. }), "{error}");
}

use super::*;
use crate::MemoryDevice;
use crate::journal::{Progress, Stage};

const AREA: ByteRange = ByteRange { start: 0, end: 4096 };

fn extent(offset: u64, sectors: usize, phase: u8) -> Extent {
    Extent {
        offset,
        before: vec![phase; sectors * 512],
        after: vec![phase + 1; sectors * 512],
        phase,
    }
}

fn checked(extents: &[Extent]) -> Result<Versions<'_>, JournalError> {
    Versions::new(extents, &[AREA], 16 << 20, SectorSize::B512)
}

#[test]
fn extents_that_cannot_be_are_refused() {
    assert!(matches!(checked(&[]), Err(JournalError::NoExtents)));
    let mut odd = extent(8192, 1, 0);
    odd.after.push(0);
    assert!(matches!(
        checked(&[odd]),
        Err(JournalError::ExtentShape { offset: 8192, .. })
    ));
    for bad in [extent(8193, 1, 0), extent(8192, 0, 0)] {
        assert!(matches!(checked(&[bad]), Err(JournalError::ExtentShape { .. })));
    }
    for outside in [(16 << 20) - 512, u64::MAX - 511] {
        assert!(matches!(
            checked(&[extent(outside, 2, 0)]),
            Err(JournalError::ExtentOutside { .. })
        ));
    }
    assert!(matches!(
        checked(&[extent(3584, 2, 0)]),
        Err(JournalError::ExtentInPlace { .. })
    ));
    let overlap = [extent(9216, 1, 3), extent(8192, 3, 3)];
    assert!(matches!(
        checked(&overlap),
        Err(JournalError::ExtentsOverlap { offset: 9216 })
    ));
    let neighbours = [extent(9216, 1, 3), extent(8192, 2, 3)];
    assert!(checked(&neighbours).is_ok());
}

#[test]
fn later_versions_begin_where_earlier_ones_end() {
    // Phase n goes from n to n + 1.
    let chain = [extent(8192, 4, 0), extent(8704, 1, 1), extent(8192, 2, 2)];
    assert!(matches!(
        checked(&chain),
        Err(JournalError::VersionsDisagree { offset: 8192 })
    ));
    let chain = [extent(8704, 1, 2), extent(8192, 4, 0), extent(8192, 3, 1)];
    let versions = checked(&chain).unwrap();
    let pieces: Vec<_> = versions
        .pieces
        .iter()
        .map(|piece| (piece.range.start, piece.range.end, versions.cover(piece).len()))
        .collect();
    assert_eq!(
        pieces,
        [
            (8192, 8704, 2),
            (8704, 9216, 3),
            (9216, 9728, 2),
            (9728, 10240, 1)
        ]
    );
    assert_eq!(versions.total_bytes(), 2048);
}

/// The survey of a device whose sectors 16..20 hold these bytes, under the chain of the test above.
fn survey(marks: [u8; 4]) -> (Content, Option<u8>, Option<u8>) {
    let chain = [extent(8704, 1, 2), extent(8192, 4, 0), extent(8192, 3, 1)];
    let mut device = MemoryDevice::zeroed(16 << 20, SectorSize::B512);
    for (sector, mark) in marks.into_iter().enumerate() {
        let at = 8192 + sector * 512;
        device.bytes_mut()[at..at + 512].fill(mark);
    }
    let seen = checked(&chain)
        .unwrap()
        .survey(&device, SectorSize::B512)
        .unwrap();
    (seen.content, seen.first_to_write, seen.last_to_undo)
}

#[test]
fn a_survey_knows_every_version_and_what_is_missing() {
    assert_eq!(survey([0, 0, 0, 0]), (Content::Before, Some(0), None));
    assert_eq!(survey([1, 0, 0, 0]), (Content::Mixed, Some(0), Some(0)));
    assert_eq!(survey([1, 1, 1, 1]), (Content::Mixed, Some(1), Some(0)));
    assert_eq!(survey([2, 1, 2, 1]), (Content::Mixed, Some(1), Some(1)));
    assert_eq!(survey([2, 2, 2, 1]), (Content::Mixed, Some(2), Some(1)));
    assert_eq!(survey([2, 3, 2, 1]), (Content::After, None, Some(2)));
    for (marks, offset) in [([3, 0, 0, 0], 8192), ([0, 0, 3, 9], 9216), ([2, 3, 2, 2], 9728)] {
        assert_eq!(survey(marks).0, Content::Foreign { offset }, "{marks:?}");
    }
}

#[test]
fn neighbours_are_read_together_and_long_pieces_in_parts() {
    let extents: Vec<Extent> = (0..5000)
        .map(|n| extent(8192 + n * 512 + n / 2500 * 512, 1, 0))
        .chain([extent(8 << 20, 5000, 0)])
        .collect();
    let device = crate::Metered::new(MemoryDevice::zeroed(16 << 20, SectorSize::B512));
    let versions = checked(&extents).unwrap();
    let mut done = 0;
    let mut tell = |step: Progress| done = step.done_bytes;
    let mut meter = Meter::new(&mut tell, Stage::Verify, versions.total_bytes());
    assert_eq!(
        versions.difference(&device, Image::Before, &mut meter).unwrap(),
        None
    );
    assert_eq!(done, 10_000 * 512);
    // Two runs of 2500 sectors and one of 5000, a mebibyte has 2048.
    assert_eq!(device.reads(), 2 + 2 + 3);
    let mut wrong = device.into_inner();
    wrong.bytes_mut()[(8 << 20) + 2_000_000] = 1;
    let mut quiet = |_| ();
    let mut meter = Meter::new(&mut quiet, Stage::Verify, 0);
    let first = versions.difference(&wrong, Image::Before, &mut meter).unwrap();
    assert_eq!(first, Some((8 << 20) + 2_000_000));
}

#[test]
fn the_old_content_is_the_first_version_over_the_device() {
    let extents = [extent(8192, 2, 1), extent(8704, 2, 2), extent(12_288, 1, 7)];
    let versions = checked(&extents).unwrap();
    let device = MemoryDevice::from_bytes(vec![0xEE; 16 << 20], SectorSize::B512);
    let old = versions.old_content(&device);
    let mut expected = vec![0xEE; 8192];
    expected[0..1024].fill(1);
    expected[1024..1536].fill(2);
    expected[4096..4608].fill(7);
    for (from, length) in [
        (0, 8192),
        (700, 3600),
        (1000, 30),
        (4500, 200),
        (4608, 9),
        (1536, 2560),
    ] {
        let read = old.read_vec(8192 + from as u64, length).unwrap();
        assert!(read == expected[from..from + length], "{length} bytes at {from}");
    }
}

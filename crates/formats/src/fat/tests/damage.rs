//! Volumes that are not as they should be.

use super::*;

fn open_error(sample: &Sample) -> FatError {
    match FatVolume::open(&sample.0) {
        Err(error) => error,
        Ok(volume) => panic!("opened as {:?}", volume.kind()),
    }
}

#[test]
fn fields_that_no_volume_has_are_refused_by_name() {
    for (at, bytes, name) in [
        (11, &[0u8, 1][..], "BPB_BytsPerSec"),
        (11, &[0, 0x20], "BPB_BytsPerSec"),
        (13, &[0], "BPB_SecPerClus"),
        (13, &[3], "BPB_SecPerClus"),
        (14, &[0, 0], "BPB_RsvdSecCnt"),
        (16, &[0], "BPB_NumFATs"),
        (16, &[200], "BPB_NumFATs"),
        (17, &[0, 0], "BPB_RootEntCnt"),
        (19, &[0, 0], "BPB_TotSec"),
        // Nothing left for clusters.
        (19, &[3, 0], "BPB_TotSec"),
        (17, &[0xff, 0xff], "BPB_TotSec"),
        // Bytes of the name of the file system and of the code, as a length of a FAT32 table.
        (22, &[0, 0], "BPB_FATSz"),
    ] {
        let mut sample = Sample::new();
        sample.put(at, bytes);
        let error = open_error(&sample);
        assert!(
            matches!(error, FatError::Field { field, .. } if field == name),
            "{name}: {error}"
        );
    }
    let mut sample = Sample::new();
    sample.0[510] = 0;
    assert!(matches!(
        open_error(&sample),
        FatError::Signature { actual: [0, 0xaa] }
    ));
}

#[test]
fn a_volume_that_is_cut_off_is_refused() {
    let sample = Sample::new();
    for length in [0, 100, 511, 512, sample.0.len() - 1] {
        let error = FatVolume::open(&sample.0[..length].to_vec()).err();
        assert!(
            matches!(error, Some(FatError::Truncated { available_bytes, .. }) if available_bytes == length as u64)
        );
    }
}

#[test]
fn chains_that_are_short_circular_or_lead_nowhere_are_errors() {
    let ranges = |links: &[(u32, u16)]| {
        let mut sample = Sample::new();
        links.iter().for_each(|&(from, to)| sample.link(from, to));
        sample.volume().ranges(&sample.bcd(), 4096)
    };
    assert!(matches!(
        ranges(&[(4, 0xfff)]),
        Err(FatError::ChainTooShort {
            first_cluster: 5,
            expected: 3,
            actual: 2
        })
    ));
    for circle in [&[(9, 5)][..], &[(4, 5)], &[(5, 5)]] {
        assert!(matches!(
            ranges(circle),
            Err(FatError::Endless { first_cluster: 5, .. })
        ));
    }
    for (to, _why) in [
        (0, "free"),
        (1, "reserved"),
        (62, "behind the last"),
        (0xff7, "bad"),
    ] {
        let error = ranges(&[(4, to)]).unwrap_err();
        assert!(
            matches!(error, FatError::NextCluster { cluster: 4, actual, clusters: CLUSTERS } if actual == u32::from(to)),
            "{error}"
        );
    }
    // The last cluster of the volume is one; more clusters than the file needs do no harm.
    assert_eq!(ranges(&[(4, 61), (61, 0xfff)]).unwrap()[2], range(61, 76));
    assert_eq!(ranges(&[(9, 20), (20, 0xfff)]).unwrap().len(), 3);
}

#[test]
fn a_file_that_begins_nowhere_is_an_error() {
    for cluster in [0u16, 1, 62, 0xffff] {
        let mut sample = Sample::new();
        let at = DATA + 2 * 32 + 26;
        sample.put(at, &cluster.to_le_bytes());
        let error = sample.volume().ranges(&sample.bcd(), 4096).unwrap_err();
        assert!(
            matches!(
                error,
                FatError::FirstCluster {
                    clusters: CLUSTERS,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_directory_in_a_circle_ends() {
    let mut sample = Sample::new();
    // No slot of it ends the directory.
    let full: Vec<u8> = (0..16).flat_map(|_| slot(b"X       BIN", 0x20, 7, 1)).collect();
    sample.put(DATA, &full);
    sample.link(2, 2);
    assert!(matches!(
        sample.volume().lookup(r"\boot\bcd"),
        Err(FatError::Endless { first_cluster: 2, .. })
    ));
}

#[test]
fn a_chain_that_another_one_runs_into_is_not_its_own() {
    for (from, to) in [(20, 4), (20, 9), (20, 5)] {
        let mut sample = Sample::new();
        sample.link(from, to);
        // It is read all the same.
        assert_eq!(sample.volume().read(&sample.bcd(), 4096).unwrap().len(), 1100);
        let error = sample.volume().require_unshared(&sample.bcd(), 4096).unwrap_err();
        assert!(
            matches!(error, FatError::Shared { cluster, from: 20 } if cluster == u32::from(to)),
            "{error}"
        );
    }
}

/// Goes through everything that the reader does; what comes out is of no account here.
pub(super) fn exercise(bytes: &[u8], paths: &[&str]) -> usize {
    let Ok(volume) = FatVolume::open(&bytes) else {
        return 0;
    };
    let _ = volume.state();
    let mut read = 0;
    for path in paths {
        if let Ok(Some(file)) = volume.lookup(path) {
            let content = volume.read(&file, 1 << 20);
            read += usize::from(content.is_ok());
            assert!(content.is_err() || content.unwrap().len() == file.size_bytes as usize);
            let _ = volume.require_unshared(&file, 1 << 20);
        }
    }
    read
}

/// xorshift64: the same damage on every machine.
pub(super) struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn random_damage_is_an_answer_or_an_error() {
    let paths = [r"\Boot\BCD", r"\Boot\BCD.LOG", r"\long file name.txt", r"\none"];
    let good = Sample::new().0;
    assert_eq!(exercise(&good, &paths), 3);
    let mut random = Random(0x5eed_0001);
    let mut unread = 0;
    for _ in 0..4000 {
        let mut bytes = good.clone();
        // Boot sector, table and directories: content has nothing to break.
        for _ in 0..1 + random.below(4) {
            let at = random.below(4 * SECTOR);
            bytes[at] ^= 1 << random.below(8);
        }
        if random.below(4) == 0 {
            bytes.truncate(random.below(bytes.len()));
        }
        unread += usize::from(exercise(&bytes, &paths) < 3);
    }
    assert!(unread > 500, "the damage hits nothing: {unread}");
}

//! `sfdisk` as an independent judge, in both directions, on a sparse disk of 16 GiB: its end lies behind the last
//! cylinder that CHS addresses reach.

use super::*;
use crate::testing::{printed, run};
use std::os::unix::fs::FileExt;
use winrefit_disk::DiskError;

const DISK_SECTORS: u64 = 32 << 20;
const SCRIPT: &str = "label: dos
label-id: 0xfeedc0de
start=2048, size=204800, type=7, bootable
start=206848, size=16000000, type=7
start=16300032, type=f
start=16302080, size=100000, type=7
start=16500000, size=60000, type=27
start=16600000, type=83
";

struct Image(tempfile::NamedTempFile);

impl ReadAt for Image {
    fn size(&self) -> u64 {
        DISK_SECTORS * 512
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.0.as_file().read_exact_at(buf, offset).unwrap();
        Ok(())
    }
}

impl Image {
    /// A disk with the script's partitions.
    fn made() -> Option<Self> {
        let image = Self(tempfile::NamedTempFile::new().unwrap());
        image.0.as_file().set_len(image.size()).unwrap();
        image.sfdisk(&["--quiet", "--no-reread"], SCRIPT)?;
        Some(image)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn sfdisk(&self, args: &[&str], input: &str) -> Option<String> {
        printed("sfdisk", &[args, &[self.path()]].concat(), input)
    }

    fn table(&self) -> Mbr {
        read_mbr(self, SectorSize::B512).unwrap().usable().unwrap()
    }

    fn write(&self, writes: &[MbrWrite]) {
        for write in writes {
            self.0
                .as_file()
                .write_all_at(&write.bytes, write.lba.0 * 512)
                .unwrap();
        }
    }

    /// Number, first LBA, end, type, as sfdisk says.
    fn dump(&self) -> Vec<(u32, u64, u64, u8)> {
        let text = self.sfdisk(&["--dump"], "").unwrap();
        let entry = |line: &str| {
            let field = |name: &str| {
                let rest = line.split(&format!("{name}=")).nth(1).unwrap();
                rest.split(',').next().unwrap().trim().to_owned()
            };
            let device = line.split(" :").next().unwrap();
            let number = device.strip_prefix(self.path()).unwrap().trim_start_matches('p');
            let (start, size): (u64, u64) = (field("start").parse().unwrap(), field("size").parse().unwrap());
            let type_code = u8::from_str_radix(&field("type"), 16).unwrap();
            (number.parse().unwrap(), start, start + size, type_code)
        };
        text.lines()
            .filter(|line| line.contains("start="))
            .map(entry)
            .collect()
    }

    /// Writes the table's changes; sfdisk must find no fault and see what we see.
    fn judge(&self, mbr: &Mbr) {
        self.write(&mbr.writes());
        let verdict = run("sfdisk", &["--verify", self.path()], "").unwrap();
        let said = [verdict.stdout, verdict.stderr].concat();
        let text = String::from_utf8_lossy(&said);
        assert!(
            verdict.status.success() && text.contains("No errors detected"),
            "{text}"
        );
        assert!(!text.contains("hysical"), "a CHS address is wrong: {text}");
        assert_eq!(self.dump(), summary(mbr));
    }
}

#[test]
fn a_table_by_sfdisk_is_read_as_it_says() {
    let Some(image) = Image::made() else { return };
    let mbr = image.table();
    assert_eq!(summary(&mbr), image.dump());
    assert_eq!(mbr.partitions().len(), 6);
    assert_eq!(mbr.disk_signature(), 0xfeed_c0de);
    assert_eq!(mbr.writes(), []);
}

#[test]
fn sfdisk_accepts_edits_of_primary_partitions() {
    let Some(image) = Image::made() else { return };
    let mut mbr = image.table();
    mbr.set_range(2, range(206848, 12_000_000)).unwrap();
    mbr.add_primary(4, PARTITION_MSFT_RECOVERY, range(12_001_280, 16_300_032))
        .unwrap();
    image.judge(&mbr);
    mbr.remove_primary(1).unwrap();
    mbr.set_type(2, PARTITION_FAT32_XINT13).unwrap();
    image.judge(&mbr);
}

#[test]
fn sfdisk_accepts_edits_of_logical_partitions() {
    let Some(image) = Image::made() else { return };
    let mut mbr = image.table();
    // A donor gives space to the recovery partition behind it, whose EBR is in the way.
    mbr.set_range(5, range(16_302_080, 16_390_000)).unwrap();
    image.judge(&mbr);
    mbr.set_range(6, range(16_393_000, 16_560_000)).unwrap();
    image.judge(&mbr);
    let MbrSlot::Logical { ebr, .. } = mbr.partition(6).unwrap().slot else {
        panic!()
    };
    assert_eq!(ebr, Lba(16_393_000 - 2048));
    mbr.move_ebr(6, Lba(16_392_999)).unwrap();
    image.judge(&mbr);
    mbr.move_ebr(7, Lba(16_560_000)).unwrap();
    mbr.set_range(7, range(16_560_001, 30_000_000)).unwrap();
    mbr.set_range(3, range(16_300_032, 30_000_000)).unwrap();
    image.judge(&mbr);
}

#[test]
fn sfdisk_and_we_change_the_same_bytes() {
    let (Some(ours), Some(theirs)) = (Image::made(), Image::made()) else {
        return;
    };
    let mut mbr = ours.table();
    mbr.set_range(6, range(16_500_000, 16_550_000)).unwrap();
    mbr.set_range(2, range(300_000, 10_000_000)).unwrap();
    ours.write(&mbr.writes());
    for (number, line) in [("6", "16500000,50000\n"), ("2", "300000,9700000\n")] {
        theirs
            .sfdisk(&["--quiet", "--no-reread", "-N", number], line)
            .unwrap();
    }
    let mut differing = Vec::new();
    for lba in mbr.table_sectors() {
        let [ours, theirs] = [&ours, &theirs].map(|image| image.read_vec(lba.0 * 512, 512).unwrap());
        differing.extend((0..512).filter(|&at| theirs[at] != ours[at]));
    }
    // sfdisk leaves the size in the entry that leads to partition 6's EBR as it was. Nothing else differs.
    let size = 446 + 16 + 12;
    assert!(
        differing.iter().all(|at| (size..size + 4).contains(at)),
        "{differing:?}"
    );
}

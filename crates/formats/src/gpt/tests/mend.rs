//! Tables that are written from one good copy.

use super::*;

fn mended(device: &MemoryDevice) -> (MemoryDevice, GptMend) {
    let changeable = reread(device).changeable().unwrap();
    let mut after = device.clone();
    changeable.gpt.write(&mut after).unwrap();
    (after, changeable.mend.unwrap())
}

#[test]
fn a_damaged_copy_comes_back_byte_for_byte() {
    for sector_size in [SectorSize::B512, SectorSize::B4096] {
        let good = disk_with(&table(sector_size));
        let last = SECTORS - 1;
        for (lba, is_primary) in [(1, true), (2, true), (last, false), (last - 1, false)] {
            let mut device = good.clone();
            device.write_at(lba * sector_size.bytes(), &[0xa5; 8]).unwrap();
            assert!(reread(&device).usable().is_err());
            let (after, mend) = mended(&device);
            assert_eq!(matches!(mend, GptMend::Primary(_)), is_primary, "LBA {lba}");
            assert_eq!(mend.is_primary_first(), is_primary);
            // The array of a 4 KiB-sector table need not end at the sector that was damaged.
            assert_eq!(reread(&after).usable().unwrap(), table_of(&good));
        }
    }
}

fn table_of(device: &MemoryDevice) -> Gpt {
    reread(device).usable().unwrap()
}

#[test]
fn the_backup_follows_the_end_of_a_disk_that_has_grown() {
    let old = disk_with(&table(SectorSize::B512));
    let mut bytes = old.bytes().to_vec();
    bytes.resize(bytes.len() + (4 << 20), 0);
    let grown = MemoryDevice::from_bytes(bytes, SectorSize::B512);
    let (after, mend) = mended(&grown);
    assert!(matches!(mend, GptMend::BackupPlace { from, .. } if from == Lba(SECTORS - 1)));
    let gpt = table_of(&after);
    let end = SECTORS + (4 << 20) / 512;
    assert_eq!(gpt.usable().end, Lba(end - 33));
    assert_eq!(gpt.partitions(), table_of(&old).partitions());
    sgdisk::verify(&after);
    // Also where the old backup is gone.
    let mut lost = grown.clone();
    lost.write_at((SECTORS - 1) * 512, &[0; 512]).unwrap();
    assert!(reread(&lost).changeable().is_ok());
}

#[test]
fn what_cannot_be_decided_stays_refused() {
    let good = disk_with(&table(SectorSize::B512));
    let mut differing = good.clone();
    let mut other = table(SectorSize::B512);
    other.set_range(7, LbaRange::new(Lba(4096), Lba(4500))).unwrap();
    let backup = other.encode();
    for part in [&backup.backup_entries, &backup.backup_header] {
        differing.write_at(part.lba.0 * 512, &part.bytes).unwrap();
    }
    let error = reread(&differing).changeable().unwrap_err();
    assert!(matches!(error, GptDisagreement::Differ { .. }), "{error}");
    // A copy of a disk that is not complete: the backup was cut off.
    let cut = MemoryDevice::from_bytes(
        good.bytes()[..good.bytes().len() - 512].to_vec(),
        SectorSize::B512,
    );
    let error = reread(&cut).changeable().unwrap_err();
    assert!(matches!(error, GptDisagreement::BackupDamaged(_)), "{error}");
}

#[test]
fn a_hybrid_mbr_is_told_apart_from_none() {
    let mut device = disk_with(&table(SectorSize::B512));
    let mut entry = [0u8; 16];
    entry[4] = 0x07;
    entry[8..12].copy_from_slice(&2048u32.to_le_bytes());
    entry[12..].copy_from_slice(&2048u32.to_le_bytes());
    device.write_at(446 + 16, &entry).unwrap();
    assert!(reread(&device).usable().is_err());
    let changeable = reread(&device).changeable().unwrap();
    assert_eq!(changeable.hybrid, [LbaRange::new(Lba(2048), Lba(4096))]);
    device.write_at(446, &[0; 16]).unwrap();
    let error = reread(&device).changeable().unwrap_err();
    assert!(
        matches!(error, GptDisagreement::MbrNotProtective { .. }),
        "{error}"
    );
}

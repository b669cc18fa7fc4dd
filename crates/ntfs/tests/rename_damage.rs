//! Damaged directories are refused by name of the damage, and no damage makes a renaming panic.

#![allow(clippy::unwrap_used, dead_code)]

mod common;
#[path = "common/indexed.rs"]
mod indexed;

use common::random::Random;
use common::renaming::TIME;
use indexed::{BLOCK, Indexed, entry_length};
use winrefit_ntfs::check::{CheckOptions, ProblemCode, check};
use winrefit_ntfs::index::BLOCK_HEADER;
use winrefit_ntfs::rename::{RenameError, rename};
use winrefit_ntfs::{NtfsError, Volume};

const NAME: &str = "a name of some length, number 01000";

fn attempt(image: &Indexed) -> Result<Vec<u8>, RenameError> {
    let renamed = rename(&image.volume(), "large", NAME, "another name", TIME)?;
    let mut bytes = image.bytes.clone();
    for edit in &renamed.edits.0 {
        let start = edit.offset as usize;
        bytes[start..start + edit.bytes.len()].copy_from_slice(&edit.bytes);
    }
    Ok(bytes)
}

fn refused_for(image: &Indexed) -> ProblemCode {
    match attempt(image) {
        Err(RenameError::DirectoryDamaged { problem, .. }) => problem.code,
        other => panic!("{:?}", other.map(|_| "done")),
    }
}

#[test]
fn every_kind_of_damage_is_refused_by_its_name() {
    let sound = Indexed::new();
    assert!(attempt(&sound).is_ok());
    let large = sound.file("large");
    let leaf = sound.find_block(large, false);
    let inner = sound.find_block(large, true);
    let first = 0x40;
    type Change = fn(&mut [u8]);
    let in_leaf: [(Change, ProblemCode); 4] = [
        (|b| b[0x40 + 8] = 7, ProblemCode::IndexEntryMalformed),
        (
            |b| b[BLOCK_HEADER + 4..][..4].fill(0xFF),
            ProblemCode::IndexNodeHeader,
        ),
        (|b| b[0x10] ^= 1, ProblemCode::IndexBlockVcn),
        (|b| b[0x40 + 0x10 + 0x42] = b'z', ProblemCode::IndexOrder),
    ];
    for (change, code) in in_leaf {
        let mut image = sound.clone();
        image.edit_block(large, leaf, change);
        assert_eq!(refused_for(&image), code);
    }
    // An inner block that leads to itself, and two entries that lead to one block.
    let own = sound.block(large, inner)[0x10..0x18].to_vec();
    let mut cyclic = sound.clone();
    cyclic.edit_block(large, inner, |block| {
        let end = first + entry_length(block, first);
        block[end - 8..end].copy_from_slice(&own);
    });
    assert_eq!(refused_for(&cyclic), ProblemCode::IndexBlockShared);
    let mut shared = sound.clone();
    shared.edit_block(large, inner, |block| {
        let end = first + entry_length(block, first);
        let vcn = block[end - 8..end].to_vec();
        let next = end + entry_length(block, end);
        block[next - 8..next].copy_from_slice(&vcn);
    });
    assert_eq!(refused_for(&shared), ProblemCode::IndexBlockShared);
    let mut torn = sound.clone();
    let place = torn.block_place(large, leaf);
    torn.bytes[place + 1023] ^= 0xFF;
    assert_eq!(refused_for(&torn), ProblemCode::IndexBlockTorn);
    let mut parent = sound.clone();
    parent.edit_entry(large, NAME, |block, offset| block[offset + 0x10] ^= 1);
    assert_eq!(refused_for(&parent), ProblemCode::IndexEntryParent);
}

/// The index is sound by itself, and the file's record says something else.
#[test]
fn a_record_that_does_not_agree_is_refused() {
    let sound = Indexed::new();
    let file = sound.file(&format!("large/{NAME}"));
    let mut other = sound.clone();
    other.edit_attribute(file, winrefit_ntfs::AttributeType::FILE_NAME, "", |attribute| {
        attribute[0x18 + 0x42] = b'b'
    });
    assert!(matches!(attempt(&other), Err(RenameError::NamesDiffer { .. })));
    let mut stale = sound.clone();
    stale.edit(file, |record| record[0x10] ^= 0x40);
    let error = attempt(&stale).unwrap_err();
    assert!(matches!(
        error,
        RenameError::Ntfs(NtfsError::StaleReference { .. })
    ));
}

/// Bytes of the directory's record and blocks changed at random: an error, or a volume no worse than it was.
#[test]
fn random_damage_never_panics_nor_spreads() {
    let sound = Indexed::new();
    let large = sound.file("large");
    let file = sound.file(&format!("large/{NAME}"));
    let blocks = sound.blocks(large) as u64;
    let mut random = Random::new(99);
    let (mut refused, mut done) = (0, 0);
    for _ in 0..1500 {
        let mut image = sound.clone();
        let at = random.below(1 << 12) as usize;
        let value = random.below(256) as u8;
        match random.below(3) {
            0 => image.edit(large, |record| record[0x38 + at % 0x200] = value),
            1 => image.edit(file, |record| record[0x38 + at % 0x180] = value),
            _ => {
                let block = random.below(blocks) as usize;
                image.edit_block(large, block, |bytes| bytes[0x10 + at % (BLOCK - 0x20)] = value);
            }
        }
        let Ok(volume) = Volume::open(&image.bytes) else {
            continue;
        };
        if rename(&volume, "large", NAME, "another name", TIME).is_err() {
            refused += 1;
            continue;
        }
        done += 1;
        // What the directory itself does not show may be damaged, before and after.
        if done % 10 == 0 {
            let options = CheckOptions::default();
            let before = check(&image.bytes, &options).unwrap().problems_total;
            let after = check(attempt(&image).unwrap(), &options).unwrap().problems_total;
            assert!(after <= before, "{before} problems became {after}");
        }
    }
    assert!(refused > 100 && done > 100, "{refused} refused, {done} done");
}

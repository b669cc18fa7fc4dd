//! A store that leads nowhere, link by link; one that is not understood; and one that is damaged at random.

use super::{boot_findings, boot_items, judged, only, seen, server};
use crate::made::{replace, target, utf16};
use winrefit_formats::bcd::{ChainBreak, WinreChain};
use winrefit_repair::boot::Target;
use winrefit_repair::commands::diagnose;
use winrefit_repair::report::{Severity, Verdict};

/// A way to damage the store, and words that the break is told with.
pub type Damage = (fn(&mut Vec<u8>), &'static str);

/// Name of the object with that element, as its key stands in the hive.
fn winre() -> WinreChain {
    let content = only(&server().view()).content.unwrap();
    content.loaders[0].winre.as_ref().unwrap().chain.clone()
}

fn recovery_guid() -> Vec<u8> {
    server().made().partitions[3].unique_guid.to_bytes_le().to_vec()
}

fn places_of(store: &[u8], bytes: &[u8]) -> Vec<usize> {
    let all = 0..store.len() - bytes.len();
    all.filter(|&at| store[at..].starts_with(bytes)).collect()
}

pub const BREAKS: &[Damage] = &[
    (
        |store| replace(store, b"23000003", b"2300000e", usize::MAX),
        "the boot manager 9dea862c-5cdd-4e70-acc1-f32b344d4795 has no valid element 23000003 (the default loader)",
    ),
    (
        |store| replace(store, b"14000008", b"1400000e", usize::MAX),
        "has no valid element 14000008 (the recovery sequence)",
    ),
    (
        |store| {
            let loader = format!("{{{}}}", winre().winre_loader);
            let other = format!("{{00000000{}", &loader[9..]);
            replace(store, loader.as_bytes(), other.as_bytes(), usize::MAX);
        },
        "is named and not in the store",
    ),
    (
        |store| {
            let loader = format!("{{{}}}", winre().options);
            let other = format!("{{00000000{}", &loader[9..]);
            replace(store, loader.as_bytes(), other.as_bytes(), usize::MAX);
        },
        "is named and not in the store",
    ),
    (
        |store| replace(store, &winre().options.to_bytes_le(), &[0; 16], usize::MAX),
        "has no options, so its frame (boot.sdi) is not known",
    ),
    (
        |store| replace(store, &utf16("Winre.wim"), &utf16("Winrx.wim"), 1),
        "names two different RAM disks in elements 11000001 and 21000001",
    ),
    (
        |store| replace(store, b"31000003", b"3100000e", usize::MAX),
        "has no valid element 31000003 (where boot.sdi is)",
    ),
    (
        |store| replace(store, b"32000004", b"3200000e", usize::MAX),
        "has no valid element 32000004 (the path of boot.sdi)",
    ),
    (
        |store| replace(store, &recovery_guid(), &[7; 16], usize::MAX),
        "takes the WinRE image from partition 07070707-0707-0707-0707-070707070707",
    ),
    (
        |store| {
            // The last one in the hive is the frame's; the RAM disks have theirs inside.
            let places = places_of(store, &recovery_guid());
            let at = *places.last().unwrap();
            store[at..at + 16].fill(7);
        },
        "takes the RAM disk's frame (boot.sdi) from partition 07070707-0707-0707-0707-070707070707",
    ),
    (
        |store| replace(store, &utf16("boot.sdi"), &utf16("boot.sdx"), usize::MAX),
        r"takes the RAM disk's frame (boot.sdi) from \Recovery\WindowsRE\boot.sdx on partition 4, which is not there",
    ),
    (
        |store| replace(store, &utf16("Winre.wim"), &utf16("Winrx.wim"), usize::MAX),
        r"takes the WinRE image from \Recovery\WindowsRE\Winrx.wim on partition 4, which is not there",
    ),
];

#[test]
fn every_broken_link_is_found_and_named() {
    for (damage, words) in BREAKS {
        let target = target(server().with_store(damage));
        let diagnosis = diagnose(&target, None).unwrap();
        let [finding] = boot_findings(&diagnosis)[..] else {
            panic!("{words}: {:?}", diagnosis.findings)
        };
        assert_eq!(
            (finding.code, finding.severity),
            ("boot-chain-broken", Severity::Warning)
        );
        let seen = seen(finding);
        assert!(seen.contains(words), "{words}\n{seen}");
        assert!(
            seen.contains(r"partition 1, \EFI\Microsoft\Boot\BCD") && seen.contains("ReAgent.xml"),
            "{seen}"
        );
        // What is wrong with the partition's room is as it was.
        assert_eq!(diagnosis.verdict, Verdict::NeedsRepair);
    }
    let (damage, words) = BREAKS[1];
    let proof = judged(server().with_store(damage)).1;
    let failed: Vec<_> = boot_items(&proof).into_iter().filter(|item| !item.ok).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(
        failed[0].detail.to_string().contains("ends early") && failed[0].detail.to_string().contains(words),
        "{failed:?}"
    );
}

#[test]
fn what_is_not_followed_is_named_and_no_failure() {
    // The frame on a device of a type that is not read.
    let device = [
        &6u32.to_le_bytes()[..],
        &[0; 4],
        &0x48u32.to_le_bytes(),
        &[0; 4],
        &recovery_guid(),
    ]
    .concat();
    let other = [&77u32.to_le_bytes()[..], &device[4..]].concat();
    let view = server().with_store(|store| {
        let places = places_of(store, &device);
        let at = *places.last().unwrap();
        store[at..at + other.len()].copy_from_slice(&other);
    });
    let content = only(&view).content.unwrap();
    let [unknown] = content.bcd.unknown_devices()[..] else {
        panic!("{content:?}")
    };
    assert_eq!(unknown.element_type, 0x3100_0003);
    assert_eq!(
        content.loaders[0].winre.as_ref().unwrap().sdi,
        Target::NotFollowed
    );
    let (diagnosis, proof) = judged(view);
    assert!(boot_findings(&diagnosis).is_empty(), "{:?}", diagnosis.findings);
    let items = boot_items(&proof);
    assert!(items.iter().all(|item| item.ok), "{items:?}");
    assert!(
        items[0]
            .detail
            .to_string()
            .contains("1 not understood: element 31000003"),
        "{items:?}"
    );
    assert!(
        items[1]
            .detail
            .to_string()
            .contains("not followed behind element 31000003"),
        "{items:?}"
    );
}

#[test]
fn random_damage_of_the_store_is_a_fact() {
    let mut random = 0x5eed_0003u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    let mut kinds = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let view = server().with_store(|store| {
            for _ in 0..2 {
                let at = 4096 + below(store.len() - 4096);
                store[at] ^= 1 << below(8);
            }
        });
        let store = only(&view);
        kinds.insert(match store.content {
            Err(_) => "unreadable",
            Ok(content)
                if content
                    .loaders
                    .iter()
                    .any(|l| matches!(l.winre, Err(ChainBreak::NoElement { .. }))) =>
            {
                "broken"
            }
            Ok(_) => "read",
        });
    }
    assert!(kinds.len() > 1, "{kinds:?}");
}

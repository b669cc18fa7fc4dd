//! Shadow copies: found, counted, and taken out, on volumes whose catalogs the tests write; vshadowinfo as a judge.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/shadow.rs"]
mod shadow;

use common::image::Image;
use common::judge::assert_our_checker_finds_nothing;
use common::tools::{oracle, run};
use shadow::{BLOCK, HEADER, created, id, patch, write_header};
use std::cell::Cell;
use winrefit_disk::{Device, DiskError, MemoryDevice, ReadAt, SectorSize};
use winrefit_ntfs::Volume;
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::resize::{FrontGrowth, grow_front};
use winrefit_ntfs::vss::{Catalog, ShadowCopies, Storage, Structure, VssError, disable, storage};

const SIZE: u64 = 32 << 20;

fn volume(stores: usize, sector: u32) -> Image {
    let mut image = Image::new(SIZE, sector);
    let options = match sector {
        512 => FormatOptions::new(SIZE / 512),
        _ => FormatOptions::new_4kn(SIZE / 4096),
    };
    let mut builder = VolumeBuilder::new(options).unwrap();
    builder
        .add_file(r"Users\a.txt", 0, FileData::Bytes(vec![7; 5000]))
        .unwrap();
    shadow::add_files(&mut builder, stores);
    builder.write_to(&mut image).unwrap();
    image
}

fn with_stores(stores: usize, sector: u32) -> (Image, u64) {
    let mut image = volume(stores, sector);
    let catalog = shadow::write(&mut image, stores);
    (image, catalog)
}

fn read(image: &Image) -> ShadowCopies {
    ShadowCopies::read(&Volume::open(image).unwrap()).unwrap()
}

fn catalog_of(image: &Image) -> Catalog {
    match read(image) {
        ShadowCopies::Catalog(catalog) => catalog,
        other => panic!("{other:?}"),
    }
}

/// How many stores vshadowinfo finds, or `None` where it is not installed.
fn stores_by_vshadowinfo(image: &Image) -> Option<usize> {
    let printed = run(oracle("vshadowinfo")?.arg(image.path()));
    let line = printed
        .lines()
        .find_map(|line| line.trim().strip_prefix("Number of stores:"));
    Some(match line {
        Some(count) => count.trim().parse().unwrap(),
        None => {
            assert!(printed.contains("No Volume Shadow Snapshots found"), "{printed}");
            0
        }
    })
}

fn assert_vshadowinfo_counts(image: &Image, stores: usize) {
    if let Some(count) = stores_by_vshadowinfo(image) {
        assert_eq!(count, stores);
    }
}

#[test]
fn a_volume_that_never_had_any_has_no_header_and_nothing_is_to_be_disabled() {
    let image = volume(0, 512);
    assert_eq!(read(&image), ShadowCopies::NoHeader);
    assert!(disable(&Volume::open(&image).unwrap()).unwrap().0.is_empty());
}

#[test]
fn a_header_without_catalog_is_no_shadow_copies() {
    for version in [1, 2] {
        let mut image = volume(0, 512);
        write_header(&mut image, version, 0);
        assert_eq!(read(&image), ShadowCopies::NoCatalog);
        assert!(disable(&Volume::open(&image).unwrap()).unwrap().0.is_empty());
        assert_vshadowinfo_counts(&image, 0);
    }
}

#[test]
fn shadow_copies_are_listed_oldest_first() {
    let (image, offset) = with_stores(3, 512);
    let catalog = catalog_of(&image);
    assert_eq!((catalog.offset, catalog.end), (offset, offset + BLOCK as u64));
    let found: Vec<_> = catalog
        .stores
        .iter()
        .map(|store| (store.id, store.created))
        .collect();
    let expected: Vec<_> = (0..3).map(|n| (id(n), Some(created(n)))).collect();
    assert_eq!(found, expected);
    assert_vshadowinfo_counts(&image, 3);
    if let Some(mut tool) = oracle("vshadowinfo") {
        let printed = run(tool.arg(image.path()));
        assert!(
            printed.contains("Jan 02, 2024"),
            "the second one's creation time: {printed}"
        );
    }
}

#[test]
fn a_catalog_of_several_blocks_is_read_to_its_end() {
    let (image, offset) = with_stores(130, 512);
    let catalog = catalog_of(&image);
    assert_eq!(catalog.stores.len(), 130);
    assert_eq!(catalog.end, offset + 3 * BLOCK as u64);
    assert!(catalog.stores.is_sorted_by_key(|store| store.created));
    assert_vshadowinfo_counts(&image, 130);
}

#[test]
fn disabling_changes_eight_bytes_and_leaves_a_sound_volume_without_shadow_copies() {
    for sector in [512, 4096] {
        let (mut image, catalog) = with_stores(4, sector);
        let before = image.read_vec(0, SIZE as usize).unwrap();
        let (edits, files) = {
            let volume = Volume::open(&image).unwrap();
            (disable(&volume).unwrap(), storage(&volume).unwrap())
        };
        assert_eq!((files.files, files.bytes), (4, 4 * 4 * BLOCK as u64));
        assert_eq!(edits.0.len(), 1);
        assert_eq!(edits.0[0].bytes.len(), sector as usize);
        assert_vshadowinfo_counts(&image, 4);
        edits.apply(&mut image).unwrap();
        let after = image.read_vec(0, SIZE as usize).unwrap();
        let at = HEADER as usize + 48;
        assert_eq!(before[at..at + 8], catalog.to_le_bytes());
        assert_eq!(after[at..at + 8], [0; 8]);
        assert!(before[..at] == after[..at] && before[at + 8..] == after[at + 8..]);
        assert_eq!(read(&image), ShadowCopies::NoCatalog);
        assert_vshadowinfo_counts(&image, 0);
        assert_our_checker_finds_nothing(&image, 0);
    }
}

/// A medium that counts its reads and gives up on too many.
struct Counted<'a>(&'a [u8], Cell<usize>);

impl ReadAt for Counted<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.1.set(self.1.get() + 1);
        assert!(self.1.get() < 1000, "too many reads");
        self.0.read_at(offset, buf)
    }
}

fn read_counted(bytes: &[u8]) -> ShadowCopies {
    ShadowCopies::read(&Volume::open(Counted(bytes, Cell::new(0))).unwrap()).unwrap()
}

/// Offset and bytes that are written over, and the structure, its place and the field that are to be named.
type Case<'a> = (u64, &'a [u8], (Structure, u64), &'a str);

#[test]
fn damage_is_told_with_its_place_and_disabling_works_wherever_the_header_is_sound() {
    let (image, offset) = with_stores(3, 512);
    let clean = image.read_vec(0, SIZE as usize).unwrap();
    let block = BLOCK as u64;
    let far = SIZE.to_le_bytes();
    let header = (Structure::Header, HEADER);
    let catalog = (Structure::CatalogBlock, offset);
    let cases: [Case<'_>; 10] = [
        (HEADER + 16, &[9], header, "version"),
        (HEADER + 20, &[2], header, "record type"),
        (HEADER + 24, &[1], header, "own offset"),
        (HEADER + 48, &far, (Structure::Chain, HEADER), "next offset"),
        (HEADER + 48, &[0xFF; 8], (Structure::Chain, HEADER), "next offset"),
        (offset, &[0], catalog, "identifier's first half"),
        (offset + 20, &[1], catalog, "record type"),
        (
            offset + 40,
            &offset.to_le_bytes(),
            (Structure::Chain, offset),
            "next offset",
        ),
        (offset + 40, &far, (Structure::Chain, offset), "next offset"),
        (
            offset + 256,
            &[9],
            (Structure::CatalogEntry, offset + 256),
            "type",
        ),
    ];
    for (at, bytes, (structure, position), field) in cases {
        let mut damaged = clean.clone();
        damaged[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
        match read_counted(&damaged) {
            ShadowCopies::Damaged(d) => {
                assert_eq!((d.structure, d.position, d.field), (structure, position, field));
            }
            other => panic!("{field}: {other:?}"),
        }
        let volume = Volume::open(&damaged).unwrap();
        let edits = disable(&volume);
        if structure == Structure::Header {
            assert!(matches!(edits, Err(VssError::Damaged(d)) if d.field == field));
        } else {
            assert_eq!(edits.unwrap().0.len(), 1, "{field}");
        }
    }
    // A chain of blocks that are all sound and never ends: each names the one before.
    let mut endless = clean.clone();
    let next = offset + block;
    let copy = endless[offset as usize..next as usize].to_vec();
    endless[next as usize..(next + block) as usize].copy_from_slice(&copy);
    for (at, value) in [(offset + 40, next), (next + 32, next), (next + 40, offset)] {
        endless[at as usize..at as usize + 8].copy_from_slice(&value.to_le_bytes());
    }
    assert!(matches!(
        read_counted(&endless),
        ShadowCopies::Damaged(d) if (d.position, d.field, d.actual) == (next, "next offset", offset)
    ));
}

#[test]
fn a_chain_longer_than_any_catalog_ends_at_the_limit() {
    let blocks = 300u64;
    let mut bytes = {
        let (image, _) = with_stores(1, 512);
        image.read_vec(0, SIZE as usize).unwrap()
    };
    let first = 16u64 << 20;
    bytes[HEADER as usize + 48..HEADER as usize + 56].copy_from_slice(&first.to_le_bytes());
    let identifier = bytes[HEADER as usize..HEADER as usize + 16].to_vec();
    for index in 0..blocks {
        let at = first + index * BLOCK as u64;
        let next = at + BLOCK as u64;
        let start = at as usize;
        bytes[start..start + 16].copy_from_slice(&identifier);
        bytes[start + 16..start + 24].copy_from_slice(&[1, 0, 0, 0, 2, 0, 0, 0]);
        bytes[start + 32..start + 40].copy_from_slice(&at.to_le_bytes());
        let next = if index + 1 < blocks { next } else { 0 };
        bytes[start + 40..start + 48].copy_from_slice(&next.to_le_bytes());
    }
    let last = first + 255 * BLOCK as u64;
    assert!(matches!(read_counted(&bytes), ShadowCopies::Damaged(d) if d.position == last));
}

#[test]
fn no_byte_of_header_and_catalog_makes_reading_panic_or_loop() {
    let (image, offset) = with_stores(3, 512);
    let mut bytes = image.read_vec(0, SIZE as usize).unwrap();
    let places = (HEADER..HEADER + 128).chain(offset..offset + 1024);
    for at in places.map(|at| at as usize) {
        let old = bytes[at];
        for new in [0, 1, 2, 3, 0x7F, 0xFF] {
            bytes[at] = new;
            read_counted(&bytes);
        }
        bytes[at] = old;
    }
}

#[test]
fn a_volume_grown_to_its_front_keeps_a_header_without_catalog() {
    let mut image = volume(0, 512);
    write_header(&mut image, 2, 0);
    let front = 4u64 << 20;
    let growth = FrontGrowth {
        clusters: front / 4096,
        hidden_sectors: 0,
    };
    let mut grown = MemoryDevice::zeroed((front + SIZE) as usize, SectorSize::B512);
    let old = image.read_vec(0, SIZE as usize).unwrap();
    grown.write_at(front, &old).unwrap();
    grow_front(&image, growth).unwrap().apply(&mut grown).unwrap();
    let found = ShadowCopies::read(&Volume::open(&grown).unwrap()).unwrap();
    assert_eq!(found, ShadowCopies::NoCatalog);
    let at = HEADER as usize;
    assert_eq!(grown.read_vec(HEADER, 512).unwrap(), old[at..at + 512]);
}

#[test]
fn only_files_named_as_stores_are_counted_as_their_storage() {
    let mut image = volume(2, 512);
    patch(&mut image, HEADER, &[0; 16]);
    let volume = Volume::open(&image).unwrap();
    let last = shadow::store_place(&volume, 1);
    let expected = Storage {
        files: 2,
        bytes: 2 * 4 * BLOCK as u64,
        end: last + 4 * BLOCK as u64,
    };
    assert_eq!(storage(&volume).unwrap(), expected);
    let none = self::volume(0, 512);
    assert_eq!(
        storage(&Volume::open(&none).unwrap()).unwrap(),
        Storage::default()
    );
}

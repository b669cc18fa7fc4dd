//! Trees that other writers leave: nodes above the leaves that have no key.

use super::*;
use crate::check::{CheckOptions, check};
use crate::edit::Editor;
use crate::format::{FileData, FormatOptions, VolumeBuilder};
use crate::rename::rename;
use crate::rename::space::Space;
use winrefit_disk::{MemoryDevice, SectorSize};

const SIZE: u64 = 8 << 20;
/// As many as need two leaves: in the first case the second one has a single entry.
const NAMES: [usize; 3] = [27, 28, 40];

fn name(index: usize) -> String {
    format!("a name of some length, number {index:02}")
}

fn assert_clean(device: &MemoryDevice, what: &str) {
    let report = check(device, &CheckOptions::default()).unwrap();
    assert!(report.problems_total == 0, "{what}: {:#?}", report.problems);
}

/// A directory with two leaves, each below a block without keys: the only key is in the root.
fn device(names: usize) -> MemoryDevice {
    let mut device = MemoryDevice::zeroed(SIZE as usize, SectorSize::B512);
    let mut builder = VolumeBuilder::new(FormatOptions::new(SIZE / 512)).unwrap();
    for index in 0..names {
        let path = format!("dir/{}", name(index));
        builder.add_file(&path, 0, FileData::Bytes(vec![1])).unwrap();
    }
    builder.write_to(&mut device).unwrap();
    let volume = Volume::open(&device).unwrap();
    let directory = volume.lookup("dir").unwrap().unwrap();
    let mut changes = Changes {
        volume: &volume,
        editor: Editor::new(&volume),
        space: Space::default(),
    };
    let mut tree = Tree::open(&volume, &directory).unwrap();
    let top = tree.root.last;
    let node = tree.node(&volume, top).unwrap();
    assert_eq!(node.items.len(), 1, "two leaves");
    let other = tree.blocks.take(&mut changes).unwrap();
    let key = node.items[0].clone();
    let above = |leaf| Node {
        items: Vec::new(),
        last: leaf,
    };
    tree.set_node(top, above(key.below));
    tree.set_node(Some(other), above(node.last));
    let root = Node {
        items: vec![key.above(top)],
        last: Some(other),
    };
    tree.set_node(None, root);
    tree.save(&mut changes, 0).unwrap();
    changes.space.save(&volume, &mut changes.editor, 0).unwrap();
    let edits = changes.editor.finish(0).unwrap();
    edits.apply(&mut device).unwrap();
    assert_clean(&device, "without keys");
    device
}

/// Either leaf empties first, and its neighbour is as full as it gets, or not.
#[test]
fn nodes_without_keys_are_filled_or_given_up() {
    for names in NAMES {
        for length in [1, 60, 200] {
            empty_by_and_by(names, &(0..names).collect::<Vec<_>>(), ("z", length));
            empty_by_and_by(names, &(0..names).rev().collect::<Vec<_>>(), ("!", length));
        }
    }
}

fn empty_by_and_by(names: usize, order: &[usize], (prefix, length): (&str, usize)) {
    let mut device = device(names);
    for &index in order {
        let new = format!("{prefix}{index:02}{}", "n".repeat(length));
        let volume = Volume::open(&device).unwrap();
        let renamed = rename(&volume, "dir", &name(index), &new, 7).unwrap();
        renamed.edits.apply(&mut device).unwrap();
        assert_clean(&device, &new);
    }
    let volume = Volume::open(&device).unwrap();
    let directory = volume.lookup("dir").unwrap().unwrap();
    let listed = volume.directory(&directory).unwrap().list().unwrap();
    assert_eq!(listed.len(), names);
    let is_new = |name: &str| name.starts_with(prefix);
    assert!(listed.iter().all(|(_, name)| is_new(&name.display_name())));
    assert_no_node_without_keys(&volume, &directory);
}

/// Every block that the tree reaches has a key, but for one right below the root.
fn assert_no_node_without_keys(volume: &Volume<&MemoryDevice>, directory: &File) {
    let mut tree = Tree::open(volume, directory).unwrap();
    let root = tree.root.clone();
    let mut places: Vec<Place> = (0..=root.items.len()).map(|i| root.child(i)).collect();
    let mut visited = 0;
    while let Some(place) = places.pop() {
        let Some(vcn) = place else { continue };
        let node = tree.node(volume, Some(vcn)).unwrap();
        assert!(!node.items.is_empty() || root.items.is_empty(), "{vcn}");
        places.extend((0..=node.items.len()).map(|index| node.child(index)));
        visited += 1;
    }
    assert!(visited > 1);
}

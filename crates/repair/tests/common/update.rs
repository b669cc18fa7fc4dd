//! Disks with a Windows Update to reset, and a look at what became of it.
#![allow(dead_code)]

use super::common::{Layout, WINDOWS, partition_range};
use std::collections::BTreeMap;
use winrefit_disk::{MemoryDevice, ReadAt, ReadWindow};
use winrefit_formats::Hive;
use winrefit_lab::evidence::RegistryFact;
use winrefit_lab::system_hive::system_hive;
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::reset::ResetRequest;

pub const ALL: ResetRequest = ResetRequest {
    windows: None,
    only: None,
};
pub const SYSTEM: &str = r"\Windows\System32\config\SYSTEM";
pub const FOLDERS: [&str; 2] = [r"\Windows\SoftwareDistribution", r"\Windows\System32\catroot2"];
/// What they are put aside as.
pub const ASIDE: [&str; 2] = [r"\Windows\SoftwareDistributio~", r"\Windows\System32\catroot~"];

/// A hive SYSTEM with these start types.
pub fn hive(starts: &[(&'static str, u32)]) -> Vec<u8> {
    let fact = |&(service, start): &(&'static str, u32)| RegistryFact::StartType { service, start };
    let facts: Vec<_> = starts.iter().map(fact).collect();
    system_hive(&facts, 0).unwrap()
}

/// A small disk whose Windows has these start types.
pub fn layout(starts: &[(&'static str, u32)]) -> Layout {
    Layout {
        update: Some(hive(starts)),
        ..Layout::default()
    }
}

/// One with two services disabled.
pub fn broken() -> MemoryDevice {
    layout(&[("wuauserv", 4), ("BITS", 4)]).build()
}

/// Whether there is a file or folder on C:.
pub fn has(disk: &dyn ReadAt, path: &str) -> bool {
    let range = partition_range(disk, WINDOWS);
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    volume.lookup(path).unwrap().is_some()
}

/// The content of a file on C:.
pub fn content(disk: &dyn ReadAt, path: &str) -> Vec<u8> {
    let range = partition_range(disk, WINDOWS);
    let volume = Volume::open(ReadWindow::new(disk, range).unwrap()).unwrap();
    let file = volume.lookup(path).unwrap().unwrap();
    let stream = file.require(AttributeType::DATA, "").unwrap();
    volume.read_stream(stream, 1 << 30).unwrap()
}

/// How a service starts.
pub fn start(disk: &dyn ReadAt, service: &str) -> u32 {
    let bytes = content(disk, SYSTEM);
    let hive = Hive::open(&bytes).unwrap();
    assert!(!hive.is_dirty());
    let path = format!(r"ControlSet001\Services\{service}");
    hive.dword(&path, "Start").unwrap().unwrap()
}

/// Paths as they are after the folders were put aside.
pub fn put_aside(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let path = |path: &String| {
        let mut pairs = FOLDERS.iter().zip(ASIDE);
        let found = pairs.find(|(from, _)| path.starts_with(&format!(r"{from}\")));
        found.map_or(path.clone(), |(from, to)| {
            format!("{to}{rest}", rest = &path[from.len()..])
        })
    };
    files
        .iter()
        .map(|(name, bytes)| (path(name), bytes.clone()))
        .collect()
}

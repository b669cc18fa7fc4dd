//! sgdisk and sfdisk on the partition table.

use crate::counts::Bench;
use crate::making::range_of;
use crate::recipe::{Recipe, TableState};
use crate::volume::image::Image;
use crate::volume::tools::{oracle, run, skip, try_run};
use std::collections::BTreeMap;
use winrefit_disk::{Device, MemoryDevice, SectorSize};
use winrefit_repair::plan::{Plan, Sectors, Step};
use winrefit_repair::table::DiskId;

/// A whole disk as a file, or as a loop device where the tools would not know the size of its sectors.
pub struct Attached {
    image: Image,
    device: Option<String>,
}

impl Attached {
    pub fn new(disk: &MemoryDevice) -> Option<Self> {
        let sector = disk.sector_size().bytes();
        let image = Image::of(disk.bytes(), 0, sector as u32);
        let mut attached = Self { image, device: None };
        if disk.sector_size() != SectorSize::B512 {
            let mut losetup = oracle("losetup")?;
            losetup.args(["-r", "-f", "--show", "-b", "4096"]);
            let (success, printed) = try_run(losetup.arg(attached.image.path()));
            if !success {
                skip(&format!("sectors of 4096 bytes need a loop device: {printed}"));
                return None;
            }
            attached.device = Some(printed.trim().to_owned());
        }
        Some(attached)
    }

    fn path(&self) -> &str {
        self.device.as_deref().unwrap_or(self.image.path())
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let (Some(device), Some(mut losetup)) = (&self.device, oracle("losetup")) {
            let _ = losetup.args(["-d", device]).status();
        }
    }
}

/// What sfdisk dumps: the disk's identity, and for each number its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    pub id: String,
    pub parts: BTreeMap<u32, BTreeMap<String, String>>,
}

impl Dump {
    fn of(attached: &Attached) -> Option<Self> {
        let (success, printed) = try_run(oracle("sfdisk")?.args(["-d", attached.path()]));
        assert!(success, "{printed}");
        let mut dump = Self {
            id: String::new(),
            parts: BTreeMap::new(),
        };
        for line in printed.lines() {
            if let Some(id) = line.strip_prefix("label-id: ") {
                dump.id = id.to_lowercase();
            }
            let Some((node, fields)) = line.split_once(" : ") else {
                continue;
            };
            let number = node.trim().strip_prefix(attached.path()).unwrap();
            let number = number.trim_start_matches('p').parse().unwrap();
            let field = |field: &str| {
                let (key, value) = field.split_once('=').unwrap_or((field, ""));
                (key.trim().to_owned(), value.trim().to_owned())
            };
            dump.parts.insert(number, fields.split(',').map(field).collect());
        }
        assert!(!dump.parts.is_empty(), "{printed}");
        Some(dump)
    }

    /// First sector of a partition.
    pub fn start(&self, number: u32) -> u64 {
        self.parts[&number]["start"].parse().unwrap()
    }
}

/// Where each partition of the recipe is to be after a plan, and where a new one.
pub fn places(recipe: &Recipe, plan: &Plan) -> BTreeMap<u32, Sectors> {
    let disk = &recipe.case.disk;
    let sector = disk.sector_size.bytes();
    let own = disk.parts.iter().map(|part| {
        let range = range_of(disk, part);
        Sectors {
            start: range.start / sector,
            end: range.end / sector,
        }
    });
    let mut places: BTreeMap<u32, Sectors> = disk.numbers().into_iter().zip(own).collect();
    for step in plan.commits().flat_map(|commit| &commit.steps) {
        match *step {
            Step::SetPartition {
                partition,
                before,
                after,
            } => assert_eq!(places.insert(partition, after), Some(before), "{step:?}"),
            Step::CreatePartition { partition, at, .. } => {
                assert_eq!(places.insert(partition, at), None, "{step:?}");
            }
            Step::RemovePartition { partition, before } => {
                assert_eq!(places.remove(&partition), Some(before), "{step:?}");
            }
            _ => {}
        }
    }
    places
}

/// Each partition is where the plan puts it and is otherwise what it was; nobody finds a problem. Gives the new dump.
pub fn judge(bench: &Bench<'_>, recipe: &Recipe, plan: &Plan, disks: [&MemoryDevice; 2]) -> Option<Dump> {
    let [old, new] = [Attached::new(disks[0])?, Attached::new(disks[1])?];
    let is_gpt = matches!(crate::common::compare::table(disks[1]).table.id, DiskId::Gpt(_));
    if is_gpt {
        let mut sgdisk = oracle("sgdisk")?;
        let printed = run(sgdisk.args(["-v", new.path()]));
        assert!(printed.contains("No problems found"), "{printed}");
        bench.judged("sgdisk -v");
    }
    let verify = |attached: &Attached| Some(try_run(oracle("sfdisk")?.args(["--verify", attached.path()])));
    let (_, before) = verify(&old)?;
    let (_, after) = verify(&new)?;
    let is_good = |printed: &str| printed.contains("No errors detected");
    // Of a damaged copy sfdisk says nothing but that the other one is used.
    let was_good = is_good(&before) || recipe.table != TableState::Sound;
    assert!(is_good(&after) || !was_good, "{before}\nbecame\n{after}");
    bench.judged("sfdisk --verify");
    let (old, new) = (Dump::of(&old)?, Dump::of(&new)?);
    assert_eq!(old.id, new.id);
    let places = places(recipe, plan);
    for (number, fields) in &new.parts {
        let mut due = old.parts.get(number).cloned().unwrap_or_else(|| fields.clone());
        if let Some(place) = places.get(number) {
            due.insert("start".to_owned(), place.start.to_string());
            due.insert("size".to_owned(), place.count().to_string());
        }
        if !old.parts.contains_key(number) {
            assert!(plan.commits().any(|commit| commit.creates(*number)));
            let kind = fields["type"].to_lowercase();
            let is_recovery = kind == "27" || kind == "de94bba4-06d1-4d40-a16a-bfd50179d6ac";
            assert!(is_recovery, "{fields:?}");
        }
        assert_eq!(*fields, due, "partition {number}");
    }
    let gone: Vec<u32> = old
        .parts
        .keys()
        .filter(|number| !new.parts.contains_key(number))
        .copied()
        .collect();
    assert!(
        gone.iter()
            .all(|&number| plan.commits().any(|commit| commit.removes(number))),
        "{gone:?}"
    );
    bench.judged("sfdisk -d");
    Some(new)
}

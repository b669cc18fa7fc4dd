//! All oracles on one repaired disk.

use crate::common::compare::{difference, table};
use crate::common::disks::{Kind, Style};
use crate::content::IMAGE;
use crate::counts::Bench;
use crate::making::range_of;
use crate::recipe::{Recipe, Wish};
use crate::tables::{self, Dump};
use crate::volume::image::Image;
use crate::volume::tools::{oracle, run};
use crate::volumes::{Pair, image_of, judge_by_ntfsprogs};
use crate::{peer, winre};
use winrefit_disk::{ByteRange, MemoryDevice};
use winrefit_ntfs::Volume;
use winrefit_repair::commands::verify;
use winrefit_repair::plan::{Plan, Step};

/// A repair that was done.
pub struct Repair<'r> {
    pub recipe: &'r Recipe,
    pub plan: &'r Plan,
    pub old: &'r MemoryDevice,
    pub new: &'r MemoryDevice,
}

impl Repair<'_> {
    /// Everybody judges the disk.
    pub fn judge(&self, bench: &Bench<'_>) {
        self.judge_by_ourselves(bench);
        let dump = tables::judge(bench, self.recipe, self.plan, [self.old, self.new]);
        self.judge_volumes(bench);
        self.judge_untouched(bench);
        if let Some(dump) = dump
            && self.recipe.wish != Wish::Reset
        {
            self.judge_winre(bench, &dump);
        }
    }

    fn judge_by_ourselves(&self, bench: &Bench<'_>) {
        let verified = verify(&crate::common::target(self.new.clone()), None, &mut |_| ()).unwrap();
        let sound = |check: &winrefit_repair::report::VolumeCheck| check.consistent;
        assert!(verified.checks.iter().all(sound), "{:?}", verified.checks);
        for item in &verified.verification {
            // Small disks keep none of Windows' rules for room, and what was made is enabled by Windows.
            let what = item.what.to_string();
            let is_due = match self.recipe.wish {
                Wish::Create => !what.starts_with("Free space") && !what.starts_with("ReAgent.xml"),
                _ => !what.contains("Free space"),
            };
            assert!(item.ok || !is_due, "{what}: {}", item.detail);
        }
        bench.judged("verify");
    }

    fn drops_shadows(&self, number: u32) -> bool {
        let mut steps = self.plan.commits().flat_map(|commit| &commit.steps);
        steps.any(|step| matches!(step, Step::DropShadowCopies(dropped) if dropped.partition == number))
    }

    /// The volumes that the plan changes, and where they are now.
    fn judge_volumes(&self, bench: &Bench<'_>) {
        let disk = &self.recipe.case.disk;
        let changed: Vec<u32> = self
            .plan
            .commits()
            .flat_map(|commit| commit.changed_partitions())
            .collect();
        let new_table = table(self.new);
        for (part, number) in disk.parts.iter().zip(disk.numbers()) {
            let Some(entry) = new_table.table.entry(number) else {
                continue;
            };
            if !changed.contains(&number) || !self.recipe.is_ntfs(part) {
                continue;
            }
            let pair = Pair {
                old: image_of(self.old, range_of(disk, part)),
                new: image_of(self.new, entry.range.bytes(new_table.sector_size)),
                hidden: [part.start, entry.range.start.0],
                drops_shadows: self.drops_shadows(number),
            };
            if self.recipe.wish == Wish::Reset {
                pair.judge_damage(bench);
                assert_eq!(contents(&pair.old), contents(&pair.new));
            } else {
                pair.judge(bench);
                self.compare_with_peer(bench, number, part, &pair);
            }
        }
    }

    fn compare_with_peer(
        &self,
        bench: &Bench<'_>,
        number: u32,
        part: &crate::common::disks::Part,
        pair: &Pair,
    ) {
        let disk = &self.recipe.case.disk;
        let mut steps = self.plan.commits().flat_map(|commit| &commit.steps);
        let shrunk = steps.find_map(|step| match *step {
            Step::ShrinkEnd { partition, sectors } if partition == number => Some(sectors),
            _ => None,
        });
        let Some(sectors) = shrunk else { return };
        if !pair.drops_shadows && bench.one_in(4) {
            let bytes = sectors * disk.sector_size.bytes();
            peer::compare(bench, self.old, range_of(disk, part), bytes, &pair.new);
        }
    }

    /// What no step is about has every byte that it had.
    fn judge_untouched(&self, bench: &Bench<'_>) {
        let disk = &self.recipe.case.disk;
        for (part, number) in disk.parts.iter().zip(disk.numbers()) {
            let named = |commit: &Plan| {
                commit.changed_partitions().contains(&number) || commit.needed_partitions().contains(&number)
            };
            if !self.plan.commits().any(named) {
                let first = difference(self.old, self.new, range_of(disk, part));
                assert_eq!(first, None, "partition {number} ({:?})", part.kind);
                bench.judged("untouched partition: same bytes");
            }
        }
    }

    fn judge_winre(&self, bench: &Bench<'_>, dump: &Dump) {
        let disk = &self.recipe.case.disk;
        let number = self.plan.recovery_partition.unwrap();
        let new_range = |number: u32| {
            let table = table(self.new);
            table.table.entry(number).unwrap().range.bytes(table.sector_size)
        };
        let windows = disk.number_of(Kind::Windows).unwrap();
        let windows_image = image_of(self.new, new_range(windows));
        winre::judge_reagent(bench, self.recipe, dump, &windows_image);
        let image = image_of(self.new, new_range(number));
        if self.recipe.wish == Wish::Create {
            judge_by_ntfsprogs(bench, &image, false, false);
            winre::judge_image(bench, &crate::making::IMAGE, &image, IMAGE);
            return;
        }
        winre::judge_image(bench, &crate::making::IMAGE, &image, IMAGE);
        self.judge_store(bench, dump, number);
    }

    fn judge_store(&self, bench: &Bench<'_>, dump: &Dump, recovery: u32) {
        let disk = &self.recipe.case.disk;
        let system = disk.number_of(Kind::System);
        let name = match disk.style {
            Style::Gpt => {
                let guid = &dump.parts[&recovery]["uuid"];
                uuid::Uuid::parse_str(guid).unwrap().to_bytes_le().to_vec()
            }
            Style::Mbr => (dump.start(recovery) * disk.sector_size.bytes())
                .to_le_bytes()
                .to_vec(),
        };
        let holder = match (disk.style, system) {
            (Style::Gpt, None) => return,
            (Style::Gpt, Some(_)) if !self.recipe.fat => return,
            (_, Some(system)) => system,
            (Style::Mbr, None) => disk.number_of(Kind::Windows).unwrap(),
        };
        let at = disk
            .numbers()
            .iter()
            .position(|&number| number == holder)
            .unwrap();
        let table = table(self.new);
        let range: ByteRange = table.table.entry(holder).unwrap().range.bytes(table.sector_size);
        let image = image_of(self.new, range);
        let store = image.directory().join("BCD");
        if self.recipe.is_fat(&disk.parts[at]) {
            let (Some(mut mcopy), Some(mut fsck)) = (oracle("mcopy"), oracle("fsck.fat")) else {
                return;
            };
            let path = match disk.style {
                Style::Gpt => "::EFI/Microsoft/Boot/BCD",
                Style::Mbr => "::Boot/BCD",
            };
            run(mcopy.args(["-i", image.path(), path]).arg(&store));
            run(fsck.args(["-n", image.path()]));
            bench.judged("fsck.fat -n");
        } else {
            let Some(bytes) = winre::content(&image, r"Boot\BCD") else {
                return;
            };
            std::fs::write(&store, bytes).unwrap();
        }
        winre::judge_store(bench, &store, &name);
    }
}

/// Hashes of all contents but that of the hive that a reset changes, whatever the files are called.
fn contents(image: &Image) -> Vec<u64> {
    use std::hash::{DefaultHasher, Hasher};
    let volume = Volume::open(image).unwrap();
    let mut hashes = Vec::new();
    for record in (24..volume.records()).map(winrefit_ntfs::RecordNumber) {
        let is_base = |record: &winrefit_ntfs::record::Record| record.is_in_use() && record.base().is_none();
        if !volume.read_record(record).is_ok_and(|record| is_base(&record)) {
            continue;
        }
        let file = volume.file(record).unwrap();
        if file.is_directory() {
            continue;
        }
        let path = winrefit_ntfs::check::path_of(&volume, record).unwrap_or_default();
        let stream = file.stream(winrefit_ntfs::AttributeType::DATA, "").unwrap();
        let Some(stream) = stream.filter(|_| !path.ends_with("SYSTEM")) else {
            continue;
        };
        let mut hasher = DefaultHasher::new();
        if let Ok(bytes) = volume.read_stream(stream, 1 << 30) {
            hasher.write(&bytes);
        }
        hashes.push(hasher.finish());
    }
    hashes.sort_unstable();
    assert!(!hashes.is_empty());
    hashes
}

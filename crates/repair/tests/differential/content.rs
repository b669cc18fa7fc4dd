//! What is on the volumes of a random disk.

use crate::common::disk_guid;
use crate::common::disks::{Kind, NOISE, Part, SIGNATURE, Style, noise, wim};
use crate::recipe::{Recipe, Wish};
use uuid::Uuid;
use winrefit_disk::ReadAt;
use winrefit_formats::{Guid, ReAgentLocation, ReAgentTemplate};
use winrefit_lab::bcd::{BootStore, Partition, RecoveryEntry};
use winrefit_lab::evidence::RegistryFact;
use winrefit_lab::system_hive::system_hive;
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};

/// Path and content of a file.
pub type Content = (String, Vec<u8>);

pub const REAGENT: &str = r"Windows\System32\Recovery\ReAgent.xml";
pub const IMAGE: &str = r"Recovery\WindowsRE\Winre.wim";
/// The image and what it starts with, where Windows keeps them as long as there is no recovery partition.
const STAGED_IMAGE: &str = r"Windows\System32\Recovery\Winre.wim";
const STAGED_SDI: &str = r"Windows\Boot\DVD\EFI\boot.sdi";

/// The image of all recovery environments here.
pub fn image() -> Vec<u8> {
    // A volume is the only one who reads a `FileData`.
    let mut builder = VolumeBuilder::new(FormatOptions::new(16 << 11)).unwrap();
    builder.add_file("wim", 0, wim()).unwrap();
    let mut device = winrefit_disk::MemoryDevice::zeroed(16 << 20, winrefit_disk::SectorSize::B512);
    builder.write_to(&mut device).unwrap();
    let volume = winrefit_ntfs::Volume::open(&device as &dyn ReadAt).unwrap();
    let file = volume.lookup("wim").unwrap().unwrap();
    let stream = file.require(winrefit_ntfs::AttributeType::DATA, "").unwrap();
    volume.read_stream(stream, 1 << 30).unwrap()
}

impl Recipe {
    /// The files that a part has at the start, the boot store left out on a FAT volume.
    pub fn contents(&self, at: usize, image: &[u8]) -> Vec<Content> {
        let disk = &self.case.disk;
        let part = &disk.parts[at];
        let mut files = Vec::new();
        let mut add = |path: &str, bytes: Vec<u8>| files.push((path.to_owned(), bytes));
        if part.kind == Kind::Windows {
            add(REAGENT, self.reagent());
            match self.wish {
                Wish::Create if self.is_on_own_volume() => {
                    add(IMAGE, image.to_vec());
                    add(r"Recovery\WindowsRE\boot.sdi", vec![0x5D; 30_000]);
                }
                Wish::Create => {
                    add(STAGED_IMAGE, image.to_vec());
                    add(STAGED_SDI, vec![0x5D; 30_000]);
                }
                Wish::Reset => self.add_update(&mut add),
                Wish::Fix => {}
            }
        }
        if self.boot_part() == Some(at) {
            add(r"Boot\BCD", self.boot_store());
            add("bootmgr", vec![0xB0; 3000]);
        }
        if matches!(part.kind, Kind::Recovery | Kind::Stale) {
            add(IMAGE, image.to_vec());
            add(r"Recovery\WindowsRE\boot.sdi", vec![0x5D; 30_000]);
        }
        if part.kind == Kind::Recovery {
            add(r"Recovery\WindowsRE\ReAgent.xml", self.reagent());
        }
        for index in 0..12u8 {
            let bytes = vec![index; 600 + usize::from(index) * 90];
            add(&format!(r"Users\f{index}.txt"), bytes);
        }
        add(NOISE, noise((part.fill << 10) as usize, disk.seed + at as u64));
        files
    }

    fn add_update(&self, add: &mut dyn FnMut(&str, Vec<u8>)) {
        let start = |service, start| RegistryFact::StartType { service, start };
        let off = |bit: u64| if self.seed >> bit & 1 == 1 { 4 } else { 3 };
        let facts = [
            start("wuauserv", off(3)),
            start("BITS", off(4)),
            start("UsoSvc", 3),
        ];
        add(r"Windows\System32\config\SYSTEM", system_hive(&facts, 0).unwrap());
        let store = r"Windows\SoftwareDistribution\DataStore\DataStore.edb";
        add(store, vec![0xED; 70_000]);
        add(
            r"Windows\SoftwareDistribution\ReportingEvents.log",
            vec![0x4C; 400],
        );
        add(r"Windows\System32\catroot2\edb.log", vec![0xE0; 5_000]);
        let neighbours = self.seed >> 5 & 127;
        for index in 0..neighbours {
            add(
                &format!(r"Windows\System32\library{index:03}.dll"),
                vec![index as u8; 200],
            );
        }
    }

    fn reagent(&self) -> Vec<u8> {
        if self.wish != Wish::Create {
            return self.case.disk.reagent_xml();
        }
        let mut template = ReAgentTemplate::default();
        if self.is_on_own_volume() {
            let disk = &self.case.disk;
            let windows = disk.parts.iter().find(|part| part.kind == Kind::Windows);
            let (id, guid) = match disk.style {
                Style::Gpt => (0, disk_guid()),
                Style::Mbr => (SIGNATURE, Guid::from_u128(0)),
            };
            template.install_state = 1;
            template.winre_location = ReAgentLocation {
                path: r"\Recovery\WindowsRE".to_owned(),
                id,
                offset: windows.unwrap().start * disk.sector_size.bytes(),
                guid,
            };
        }
        template.to_bytes()
    }

    /// The part whose NTFS volume has the boot store of an MBR disk.
    fn boot_part(&self) -> Option<usize> {
        let parts = &self.case.disk.parts;
        let of = |kind| parts.iter().position(|part| part.kind == kind);
        let at = of(Kind::System).or(of(Kind::Windows))?;
        let is_ntfs = self.case.disk.style == Style::Mbr && self.is_ntfs(&parts[at]);
        is_ntfs.then_some(at)
    }

    /// The store as `bcdboot` and `reagentc` write it.
    pub fn boot_store(&self) -> Vec<u8> {
        let disk = &self.case.disk;
        let name = |kind| {
            let part: Option<&Part> = disk.parts.iter().find(|part| part.kind == kind);
            let number = disk.number_of(kind).unwrap_or(99);
            match disk.style {
                Style::Gpt => Partition::Gpt {
                    disk: Uuid::from_bytes_le(disk_guid().to_bytes_le()),
                    partition: Uuid::from_u128(
                        0xfeed_0000_0000_4000_8000_0000_0000_0000 + u128::from(number),
                    ),
                },
                Style::Mbr => Partition::Mbr {
                    signature: SIGNATURE,
                    offset: part.map_or(0, |part| part.start) * disk.sector_size.bytes(),
                },
            }
        };
        let recovery = RecoveryEntry {
            partition: name(if self.is_on_own_volume() {
                Kind::Windows
            } else {
                Kind::Recovery
            }),
            loader: Uuid::from_u128(0x11),
            ramdisk: Uuid::from_u128(0x12),
        };
        let store = BootStore {
            system: name(Kind::System),
            windows: name(Kind::Windows),
            loader: Uuid::from_u128(0x13),
            resume: Uuid::from_u128(0x14),
            description: "Windows",
            recovery: (self.wish != Wish::Create || self.is_on_own_volume()).then_some(recovery),
        };
        store.to_hive(0).unwrap()
    }
}

/// All of it in a builder; `None` if it does not fit.
pub fn builder(options: FormatOptions, files: &[Content]) -> Option<VolumeBuilder> {
    let mut builder = VolumeBuilder::new(options).ok()?;
    for (path, bytes) in files {
        builder.add_file(path, 0, FileData::Bytes(bytes.clone())).ok()?;
    }
    Some(builder)
}

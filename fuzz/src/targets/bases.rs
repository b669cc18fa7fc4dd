//! Valid files and disks of the lab, made once in a process, that inputs are changes of.

use std::sync::OnceLock;
use winrefit_disk::{DiskError, Overlay, ReadAt, ReadWindow};
use winrefit_lab::profile::Role;
use winrefit_lab::{CreateOptions, CreatedDisk, Profile, create};
use winrefit_ntfs::{AttributeType, Volume};

/// A medium of zeros, of which memory holds nothing.
#[derive(Debug)]
pub struct Zeros(pub u64);

impl ReadAt for Zeros {
    fn size(&self) -> u64 {
        self.0
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        if offset
            .checked_add(buf.len() as u64)
            .is_none_or(|end| end > self.0)
        {
            let (length, device_len) = (buf.len() as u64, self.0);
            return Err(DiskError::OutOfBounds {
                offset,
                length,
                device_len,
            });
        }
        buf.fill(0);
        Ok(())
    }
}

/// A disk of which memory holds what is not zero.
pub type Sparse = Overlay<Zeros>;

pub struct LabDisk {
    pub disk: Sparse,
    pub created: CreatedDisk,
}

impl LabDisk {
    /// The disk of a profile, as small as it can be.
    pub fn new(profile: &Profile, gib: u64) -> Self {
        let mut disk = Overlay::new(Zeros(gib << 30), profile.sector_size);
        let options = CreateOptions {
            size: None,
            files: Some(40),
            event_log: None,
        };
        let created = create(profile, &options, &mut disk).expect("a lab disk");
        Self { disk, created }
    }

    fn named(name: &str) -> Self {
        Self::new(Profile::find(name).expect("a profile"), 4)
    }

    /// A file of C:, or nothing.
    pub fn windows_file(&self, path: &str) -> Option<Vec<u8>> {
        let range = self.created.windows().next()?.range;
        let volume = Volume::open(ReadWindow::new(&self.disk, range).ok()?).ok()?;
        let file = volume.lookup(path).ok()??;
        volume
            .read_stream(file.require(AttributeType::DATA, "").ok()?, 16 << 20)
            .ok()
    }

    fn boot_store(&self) -> Option<Vec<u8>> {
        let range = self.created.partition(Role::EfiSystem)?.range;
        let window = ReadWindow::new(&self.disk, range).ok()?;
        winrefit_lab::fat::read_file(&window, r"EFI\Microsoft\Boot\BCD").ok()
    }
}

/// The disk whose files are used by themselves.
fn server() -> &'static LabDisk {
    static DISK: OnceLock<LabDisk> = OnceLock::new();
    DISK.get_or_init(|| LabDisk::named("server2022"))
}

pub fn windows_file(path: &str) -> Vec<u8> {
    server()
        .windows_file(path)
        .unwrap_or_else(|| panic!("{path} is not on the lab disk"))
}

pub fn boot_store() -> Vec<u8> {
    server().boot_store().expect("a boot store")
}

/// The EFI system partition.
pub fn esp() -> Vec<u8> {
    let range = server().created.partition(Role::EfiSystem).expect("an ESP").range;
    server()
        .disk
        .read_vec(range.start, range.len() as usize)
        .expect("in memory")
}

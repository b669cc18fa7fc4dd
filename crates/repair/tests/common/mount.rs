//! Volumes mounted for writing by ntfs-3g, which stands for a Windows that has run on a disk.

use super::partition_range;
use super::tools::{oracle, run, skip, try_run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use winrefit_disk::{ByteRange, MemoryDevice};

/// Unmounts, also where a test fails in between.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        // Not `run`, which may panic.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Lets `work` change the volume of a partition through a mount of it; `None`, with a notice, where that is not possible.
pub fn while_mounted<T>(disk: &mut MemoryDevice, number: u32, work: impl FnOnce(&Path) -> T) -> Option<T> {
    while_mounted_at(disk, partition_range(disk, number), work)
}

/// The same, for the volume at a place.
pub fn while_mounted_at<T>(
    disk: &mut MemoryDevice,
    range: ByteRange,
    work: impl FnOnce(&Path) -> T,
) -> Option<T> {
    let mut mount = oracle("ntfs-3g")?;
    if !Path::new("/dev/fuse").exists() {
        skip("there is no /dev/fuse");
        return None;
    }
    let (start, end) = (range.start as usize, range.end as usize);
    let folder = tempfile::tempdir().unwrap();
    let (volume, place) = (folder.path().join("volume"), folder.path().join("mounted"));
    fs::write(&volume, &disk.bytes()[start..end]).unwrap();
    fs::create_dir(&place).unwrap();
    let (mounted, told) = try_run(mount.args([&volume, &place]));
    if !mounted {
        skip(&format!("ntfs-3g cannot mount here: {told}"));
        return None;
    }
    let guard = Mounted(place.clone());
    let result = work(&place);
    unmount(&place);
    std::mem::forget(guard);
    disk.bytes_mut()[start..end].copy_from_slice(&settled(&volume));
    Some(result)
}

/// A process that another thread starts holds the files that are open here until it runs.
fn unmount(place: &Path) {
    for _ in 0..50 {
        if try_run(Command::new("umount").arg(place)).0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(40));
    }
    run(Command::new("umount").arg(place));
}

/// The content of a file that a process may still write to for a moment after its unmounting.
fn settled(path: &Path) -> Vec<u8> {
    let mut last = fs::read(path).unwrap();
    for _ in 0..50 {
        std::thread::sleep(std::time::Duration::from_millis(40));
        let again = fs::read(path).unwrap();
        if again == last {
            return again;
        }
        last = again;
    }
    panic!("{} does not come to rest", path.display());
}

/// ntfsfix and ntfsresize find nothing to say against the volume of a partition.
pub fn assert_judged_sound(disk: &MemoryDevice, number: u32) {
    assert_judged_sound_at(disk, partition_range(disk, number));
}

/// The same, for the volume at a place.
pub fn assert_judged_sound_at(disk: &MemoryDevice, range: ByteRange) {
    let volume = tempfile::NamedTempFile::new().unwrap();
    fs::write(
        volume.path(),
        &disk.bytes()[range.start as usize..range.end as usize],
    )
    .unwrap();
    if let Some(mut ntfsfix) = oracle("ntfsfix") {
        let told = run(ntfsfix.arg("-n").arg(volume.path()));
        assert!(told.contains("processed successfully"), "{told}");
    }
    if let Some(mut ntfsresize) = oracle("ntfsresize") {
        run(ntfsresize.args(["-i", "-f", "-P"]).arg(volume.path()));
    }
}

//! Targets that others use, on the real system. Skipped visibly where a tool or root is missing.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use winrefit_disk::{Device, DiskError, DiskFile, InUseBy, MediumKind, ReadAt, SectorSize};

const IMAGE_BYTES: u64 = 64 << 20;

fn image() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(IMAGE_BYTES).unwrap();
    file
}

fn in_use_by(result: Result<DiskFile, DiskError>) -> InUseBy {
    match result {
        Err(DiskError::InUse { by, .. }) => by,
        other => panic!("not refused as in use: {other:?}"),
    }
}

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    if !output.status.success() {
        eprintln!(
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        return None;
    }
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
fn an_image_that_qemu_writes_is_refused_and_ours_is_refused_to_qemu() {
    let image = image();
    let path = image.path().to_str().unwrap();
    let child = Command::new("qemu-io")
        .args(["-f", "raw", path])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut qemu) = child else {
        eprintln!("SKIPPED: qemu-io is missing");
        return;
    };
    // The answer to a command shows that the image is open.
    let mut input = qemu.stdin.take().unwrap();
    input.write_all(b"read 0 512\n").unwrap();
    let mut answer = [0; 16];
    qemu.stdout.as_mut().unwrap().read_exact(&mut answer).unwrap();
    assert_eq!(in_use_by(DiskFile::open_write(image.path())), InUseBy::ImageLock);
    assert_eq!(in_use_by(DiskFile::open_read(image.path())), InUseBy::ImageLock);
    drop(input);
    let mut rest = Vec::new();
    qemu.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
    qemu.wait().unwrap();

    let open = |image: &Path| {
        let path = image.to_str().unwrap();
        Command::new("qemu-io")
            .args(["-f", "raw", "-c", "write 0 512", path])
            .output()
            .unwrap()
            .status
            .success()
    };
    let ours = DiskFile::open_write(image.path()).unwrap();
    assert!(!open(image.path()), "QEMU opened an image that we write");
    drop(ours);
    assert!(open(image.path()));
}

/// An image attached as a loop device, detached at the end.
struct Loop(PathBuf);

impl Loop {
    fn attach(image: &Path, sector_size: &str) -> Option<Self> {
        let image = image.to_str()?;
        run(
            "losetup",
            &[
                "--find",
                "--show",
                "--partscan",
                "--sector-size",
                sector_size,
                image,
            ],
        )
        .map(|path| Self(path.into()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        run("losetup", &["--detach", self.0.to_str().unwrap()]);
    }
}

#[test]
fn a_loop_device_is_a_block_device_and_its_image_is_in_use() {
    for (text, sector_size) in [("512", SectorSize::B512), ("4096", SectorSize::B4096)] {
        let image = image();
        let Some(attached) = Loop::attach(image.path(), text) else {
            eprintln!("SKIPPED: no loop device to be had (root?)");
            return;
        };
        match in_use_by(DiskFile::open_write(image.path())) {
            InUseBy::LoopDevice { device } => assert_eq!(device, attached.0),
            other => panic!("{other:?}"),
        }
        let mut disk = DiskFile::open_write(&attached.0).unwrap();
        assert_eq!((disk.kind(), disk.size()), (MediumKind::BlockDevice, IMAGE_BYTES));
        assert_eq!(disk.reported_sector_size(), Some(sector_size));
        assert_eq!(disk.sector_size(), sector_size);
        disk.write_at(IMAGE_BYTES - 3, b"end").unwrap();
        disk.flush().unwrap();
        assert_eq!(disk.read_vec(IMAGE_BYTES - 3, 3).unwrap(), b"end");
        assert!(matches!(
            disk.write_at(IMAGE_BYTES - 2, b"end"),
            Err(DiskError::OutOfBounds { .. })
        ));
        assert_eq!(in_use_by(DiskFile::open_write(&attached.0)), InUseBy::System);
        drop(disk);
        drop(attached);
        DiskFile::open_write(image.path()).expect("detached, so free again");
    }
}

/// Unmounts at the end.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        run("umount", &[self.0.to_str().unwrap()]);
    }
}

#[test]
fn a_mounted_device_is_refused_for_writing_only() {
    let image = image();
    let folder = tempfile::Builder::new().prefix("mount point ").tempdir().unwrap();
    let Some(attached) = Loop::attach(image.path(), "512") else {
        eprintln!("SKIPPED: no loop device to be had (root?)");
        return;
    };
    let device = attached.0.to_str().unwrap();
    let mounted =
        run("mkfs.ext4", &["-q", device]).and_then(|_| run("mount", &[device, folder.path().to_str()?]));
    if mounted.is_none() {
        eprintln!("SKIPPED: cannot make and mount a file system here");
        return;
    }
    let mounted = Mounted(folder.path().to_owned());
    match in_use_by(DiskFile::open_write(&attached.0)) {
        InUseBy::Mount { mount_point } => assert_eq!(Path::new(&mount_point), folder.path()),
        other => panic!("{other:?}"),
    }
    DiskFile::open_read(&attached.0).expect("a disk in use can be diagnosed");
    drop(mounted);
    DiskFile::open_write(&attached.0).expect("unmounted, so free again");
}

#[test]
fn a_disk_with_a_mounted_partition_is_refused() {
    let image = image();
    let folder = tempfile::tempdir().unwrap();
    let path = image.path().to_str().unwrap();
    if run("sgdisk", &["-n", "1:2048:0", path]).is_none() {
        eprintln!("SKIPPED: sgdisk is missing");
        return;
    }
    let Some(attached) = Loop::attach(image.path(), "512") else {
        eprintln!("SKIPPED: no loop device to be had (root?)");
        return;
    };
    let part = format!("{}p1", attached.0.display());
    if !Path::new(&part).exists() {
        // A kernel may know partitions and not GPT.
        run("partx", &["--add", attached.0.to_str().unwrap()]);
    }
    let mounted =
        run("mkfs.ext4", &["-q", &part]).and_then(|_| run("mount", &[&part, folder.path().to_str()?]));
    if mounted.is_none() {
        eprintln!("SKIPPED: no partition devices, or cannot mount here");
        return;
    }
    let _mounted = Mounted(folder.path().to_owned());
    for device in [attached.0.as_path(), Path::new(&part)] {
        let by = in_use_by(DiskFile::open_write(device));
        assert!(matches!(by, InUseBy::Mount { .. }), "{by:?}");
    }
}

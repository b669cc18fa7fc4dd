//! The disk that is worked on: one made by the peer's script, and copies of it.

use crate::error::Error;
use crate::measure::output_of;
use std::path::{Path, PathBuf};

/// A copy of the disk, with the geometry file that the peer scripts read. Removed when dropped, together with
/// whatever a failed script has left attached to it.
#[derive(Debug)]
pub struct Copy {
    path: PathBuf,
    device: Option<PathBuf>,
}

impl Copy {
    /// Copies `disk` to `path` and waits until the copy is on the medium: no contender pays for it. The copy is then in
    /// the page cache as well.
    ///
    /// # Errors
    /// cp or sync fails.
    pub fn of(disk: &Path, path: PathBuf) -> Result<Self, Error> {
        let copy = Self { path, device: None };
        output_of(&[
            "cp".into(),
            "--sparse=always".into(),
            "--reflink=auto".into(),
            disk.into(),
            copy.path.clone().into(),
        ])?;
        copy_file(&environment_of(disk), &environment_of(&copy.path))?;
        output_of(&["sync".into()])?;
        Ok(copy)
    }

    /// The image file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the image behind a loop device, whose block layer counts what is written. Returns a name for the device
    /// next to which the geometry file lies.
    ///
    /// # Errors
    /// losetup fails.
    pub fn attach(&mut self) -> Result<PathBuf, Error> {
        let shown = output_of(&[
            "losetup".into(),
            "-f".into(),
            "--show".into(),
            self.path.clone().into(),
        ])?;
        let device = PathBuf::from(shown.trim());
        self.device = Some(device.clone());
        let name = self.path.with_extension("loop");
        let _ = std::fs::remove_file(&name);
        std::os::unix::fs::symlink(&device, &name).map_err(|source| Error::File {
            path: name.clone(),
            source,
        })?;
        copy_file(&environment_of(&self.path), &environment_of(&name))?;
        Ok(name)
    }

    /// Bytes that have been written to the loop device, page cache emptied.
    ///
    /// # Errors
    /// sync fails, or the device has no counters.
    pub fn written_bytes(&self) -> Result<u64, Error> {
        let device = self.device.as_deref().unwrap_or(&self.path);
        output_of(&["sync".into(), device.into()])?;
        let name = device.file_name().unwrap_or_default();
        let path = Path::new("/sys/block").join(name).join("stat");
        let text = std::fs::read_to_string(&path).map_err(|source| Error::File { path, source })?;
        // Field 7 of Documentation/block/stat.rst: write sectors, of 512 bytes whatever the device's sector size.
        let sectors: Option<u64> = text
            .split_whitespace()
            .nth(6)
            .and_then(|field| field.parse().ok());
        sectors.map(|sectors| sectors * 512).ok_or(Error::Answer {
            what: "/sys/block/loop*/stat",
            found: text,
        })
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Windows of a script first, then the device below them.
        for lower in self.device.iter().chain([&self.path]) {
            release(lower);
        }
        let name = self.path.with_extension("loop");
        for path in [
            &name,
            &environment_of(&name),
            &environment_of(&self.path),
            &self.path,
        ] {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Unmounts and detaches every loop device that lies on `lower`.
fn release(lower: &Path) {
    let Ok(list) = output_of(&[
        "losetup".into(),
        "--noheadings".into(),
        "--output".into(),
        "NAME".into(),
        "--associated".into(),
        lower.into(),
    ]) else {
        return;
    };
    for device in list.split_whitespace() {
        let mounted = output_of(&["findmnt".into(), "-no".into(), "TARGET".into(), device.into()]);
        for target in mounted.unwrap_or_default().lines() {
            let _ = output_of(&["umount".into(), target.trim().into()]);
        }
        if let Err(error) = output_of(&["losetup".into(), "-d".into(), device.into()]) {
            eprintln!("{device} is still attached: {error}");
        }
    }
}

/// `IMAGE.env`, where make-disk.sh writes the geometry.
pub fn environment_of(image: &Path) -> PathBuf {
    let mut name = image.as_os_str().to_owned();
    name.push(".env");
    name.into()
}

fn copy_file(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::copy(from, to).map(drop).map_err(|source| Error::File {
        path: from.to_owned(),
        source,
    })
}

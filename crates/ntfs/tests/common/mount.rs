//! Volumes mounted with ntfs-3g.

use super::image::Image;
use super::tools::{oracle, run, skip};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What ntfs-3g is told beside the image and the place.
#[derive(Debug, Clone, Copy)]
pub enum Access {
    /// Files only, for reading and writing.
    Plain,
    /// New files in compressed directories are compressed; `file:stream` are named streams.
    Everything,
    /// Nothing is written to the image; extended attributes `user.*` are named streams.
    ReadOnly,
}

/// A mounted volume; unmounted with its owner.
pub struct Mounted(PathBuf);

impl Mounted {
    /// Mounts beside the image; `None`, with a notice, where that is not possible.
    pub fn new(image: &Image, access: Access) -> Option<Self> {
        let place = image.directory().join("mounted");
        let mut tool = oracle("ntfs-3g")?;
        let root = oracle("id").is_some_and(|mut id| run(id.arg("-u")).trim() == "0");
        if !root || !Path::new("/dev/fuse").exists() {
            skip("mounting needs root and /dev/fuse");
            return None;
        }
        std::fs::create_dir_all(&place).unwrap();
        let options = match access {
            Access::Plain => "streams_interface=none",
            Access::Everything => "streams_interface=windows,compression",
            Access::ReadOnly => "ro,streams_interface=xattr",
        };
        run(tool.args(["-o", options, image.path()]).arg(&place));
        Some(Self(place))
    }

    /// Where it is mounted.
    pub fn root(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A process that another test is starting has our open files until it runs its program.
        let unmount = || Command::new("umount").arg(&self.0).stderr(Stdio::null()).status();
        let pause = || std::thread::sleep(std::time::Duration::from_millis(2));
        let done = (0..1000).any(|_| {
            let done = unmount().is_ok_and(|status| status.success());
            if !done {
                pause();
            }
            done
        });
        // ntfs-3g goes on writing for a moment after it has been unmounted.
        for _ in 0..1000 {
            if !is_running(&self.0) {
                break;
            }
            pause();
        }
        if !std::thread::panicking() {
            assert!(done, "umount failed");
        }
    }
}

/// Whether a process has this mount point among its arguments.
fn is_running(place: &Path) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return false;
    };
    let wanted = place.to_str().unwrap_or_default().as_bytes();
    processes.flatten().any(|process| {
        std::fs::read(process.path().join("cmdline"))
            .is_ok_and(|line| line.split(|&byte| byte == 0).any(|argument| argument == wanted))
    })
}

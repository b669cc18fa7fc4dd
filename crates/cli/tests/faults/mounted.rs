//! Small file systems to be full or read-only.

use crate::support::{is_root, required};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// What a small file system gives space in.
pub const PAGE_BYTES: u64 = 4096;

/// A small file system of its own. Unmounted when dropped.
pub struct Mounted(tempfile::TempDir);

impl Mounted {
    /// `None`, with a visible note, where nothing can be mounted.
    pub fn of(arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(arguments).arg(folder.path()).output();
        if !mounted.as_ref().is_ok_and(|output| output.status.success()) {
            assert!(!required() || !is_root(), "mount {arguments:?}: {mounted:?}");
            eprintln!("SKIPPED: cannot mount here (root?)");
            return None;
        }
        Some(Self(folder))
    }

    pub fn small(bytes: u64) -> Option<Self> {
        Self::of(&["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all space but so many bytes.
    pub fn fill(&self, left_bytes: u64) {
        let filler = self.path().join("filler");
        let mut file = File::create(&filler).unwrap();
        let mut filled = 0u64;
        while file.write_all(&[1; PAGE_BYTES as usize]).is_ok() {
            filled += PAGE_BYTES;
        }
        file.set_len(filled.saturating_sub(left_bytes)).unwrap();
    }

    pub fn empty(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

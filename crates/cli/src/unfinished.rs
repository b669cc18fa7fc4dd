//! Files and folders that are being made. One that was not finished goes away, whatever ends the program: an error, or a
//! request to stop.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What goes away if the program is stopped, oldest first.
static ALL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<PathBuf>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or folder of our making, which is removed unless it is kept.
#[derive(Debug)]
pub struct Unfinished<T> {
    path: PathBuf,
    made: T,
    is_kept: bool,
}

impl<T> Unfinished<T> {
    /// Makes it, and says where. `make` fails for whatever is there already: that is not ours to remove.
    pub fn make<E>(make: impl FnOnce() -> Result<(PathBuf, T), E>) -> Result<Self, E> {
        // A request to stop waits until it is known.
        let mut all = all();
        let (path, made) = make()?;
        all.push(path.clone());
        Ok(Self {
            path,
            made,
            is_kept: false,
        })
    }

    /// It is whole: it stays.
    pub fn keep(mut self) {
        self.is_kept = true;
    }

    /// What was made.
    pub fn made(&mut self) -> &mut T {
        &mut self.made
    }
}

impl Unfinished<File> {
    /// A new file that only its owner can read. Whatever is there already, a link that leads nowhere included, is an error.
    pub fn file(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::make(|| Ok((path.to_owned(), options.open(path)?)))
    }
}

impl<T> Drop for Unfinished<T> {
    fn drop(&mut self) {
        let mut all = all();
        all.retain(|path| *path != self.path);
        if !self.is_kept {
            remove(&self.path);
        }
    }
}

/// Removes all that is unfinished; nothing more can be begun then. For the end of the program.
pub fn remove_all() {
    let all = all();
    all.iter().rev().for_each(|path| remove(path));
    mem::forget(all);
}

/// Should it not go away, whatever led here has been told all the same.
fn remove(path: &Path) {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let _ = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = Unfinished::file(&path).unwrap();
        io::Write::write_all(file.made(), b"whole").unwrap();
        assert!(Unfinished::file(&path).is_err(), "it is there");
        assert!(path.exists(), "and stays");
        file.keep();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert!(Unfinished::file(&path).is_err());
        assert!(path.exists(), "what was there before is not ours");

        let other = folder.path().join("b");
        drop(Unfinished::file(&other).unwrap());
        assert!(!other.exists());
        let inner =
            Unfinished::make(|| Ok::<_, io::Error>((other.clone(), fs::create_dir(&other)?))).unwrap();
        fs::write(other.join("c"), "").unwrap();
        drop(inner);
        assert!(!other.exists());
    }
}

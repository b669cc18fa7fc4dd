//! `--output`: a result in a file of its own. It is never written over anything, nor through a link, and only its owner
//! can read it: a report says much about a machine.

use crate::failure::Failure;
use crate::output::{self, Output};
use crate::render::human::typeset::clean;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use winrefit_repair::text;

/// Sees to it that the file can be made, before a command takes its time or changes a disk. It is not left there, so
/// that a command which ends early leaves none.
pub fn check(output: &Output) -> Result<(), Failure> {
    let Some(path) = &output.file else {
        return Ok(());
    };
    let made = create(path).and_then(|file| {
        drop(file);
        fs::remove_file(path)
    });
    made.map_err(|source| failure(path, source))
}

/// Writes the result where it is wanted, and says so where that is a file.
pub fn deliver(text: &str, output: &Output) -> Result<(), Failure> {
    let Some(path) = &output.file else {
        return output::print(text).map_err(Failure::Output);
    };
    let mut file = create(path).map_err(|source| failure(path, source))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if let Err(source) = written {
        // Half a report is none. Should it not go away, the error tells of it all the same.
        let _ = fs::remove_file(path);
        return Err(failure(path, source));
    }
    let path = clean(&path.display().to_string());
    let said = output.stderr.language.say(text!("The report is in {path}", path));
    output::tell(&format!("{said}\n"));
    Ok(())
}

/// Writes the document of an error where the result would have been; on standard output if that is not possible.
pub fn deliver_error(text: &str, output: &Output) -> io::Result<()> {
    match output.file.as_deref().map(create) {
        Some(Ok(mut file)) => file.write_all(text.as_bytes()),
        _ => output::print(text),
    }
}

fn failure(path: &Path, source: io::Error) -> Failure {
    Failure::ResultFile {
        path: path.to_owned(),
        source,
    }
}

/// A new file; whatever is there already, a link that leads nowhere included, is an error.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

//! `--output`: a result in a file of its own. It is never written over anything, nor through a link, and only its owner
//! can read it: a report says much about a machine.

use crate::failure::Failure;
use crate::interrupt;
use crate::output::{self, Output};
use crate::render::human::typeset::clean;
use crate::unfinished::Unfinished;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use winrefit_repair::text;

/// Where the result goes.
#[derive(Debug)]
pub struct ResultFile {
    path: PathBuf,
    /// Empty, and open until the result is in it.
    reserved: RefCell<Option<Unfinished<File>>>,
}

impl ResultFile {
    /// A file that was asked for.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            reserved: RefCell::new(None),
        }
    }

    fn fill(&self, text: &str) -> io::Result<()> {
        let reserved = self.reserved.borrow_mut().take();
        let mut file = reserved.ok_or(io::ErrorKind::NotFound)?;
        // Half a report is none: if this fails, it goes away.
        file.made().write_all(text.as_bytes())?;
        file.made().sync_all()?;
        interrupt::finished();
        file.keep();
        Ok(())
    }
}

/// Makes the file before a command takes its time or changes a disk, so that the name is ours. A command that ends
/// without a result leaves none.
pub fn reserve(output: &Output) -> Result<(), Failure> {
    let Some(result) = &output.file else {
        return Ok(());
    };
    let made = Unfinished::file(&result.path).map_err(|source| Failure::ResultFile {
        path: result.path.clone(),
        source,
    })?;
    result.reserved.replace(Some(made));
    Ok(())
}

/// Writes the result where it is wanted, and says so where that is a file.
pub fn deliver(text: &str, output: &Output) -> Result<(), Failure> {
    let Some(result) = &output.file else {
        return output::print(text).map_err(Failure::Output);
    };
    result.fill(text).map_err(|source| Failure::ResultLost {
        path: result.path.clone(),
        source,
    })?;
    let path = clean(&result.path.display().to_string());
    let said = output.stderr.language.say(text!("The report is in {path}", path));
    output::tell(&format!("{said}\n"));
    Ok(())
}

/// Writes the document of an error where the result would have been; on standard output if that is not possible.
pub fn deliver_error(text: &str, output: &Output) -> io::Result<()> {
    match output.file.as_ref().map(|result| result.fill(text)) {
        Some(Ok(())) => Ok(()),
        _ => output::print(text),
    }
}

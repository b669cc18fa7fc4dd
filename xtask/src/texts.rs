//! `texts`: collects every sentence that people read, and brings the catalogues of the translators up to date.
//!
//! Sentences are found by their makers, `text!` and `counted!`, in the sources; the help pages are asked of clap.

mod catalogue;
mod collect;
#[cfg(test)]
mod tests;

use catalogue::{CatalogueError, merged, problems, template};
use clap::CommandFactory;
use collect::{CollectError, Message, collect};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use winrefit_cli::args::Args;
use winrefit_cli::language::help_texts;

/// Folders whose sources speak to people.
const SOURCES: [&str; 2] = ["crates/repair/src", "crates/cli/src"];
/// The file that the help pages are from.
const HELP: &str = "crates/cli/src/args.rs";
/// What translations are made from.
const TEMPLATE: &str = "crates/cli/po/winrefit.pot";
/// The translations.
const TRANSLATIONS: [&str; 2] = ["crates/cli/po/de.po", "crates/cli/po/zh_CN.po"];

/// Why the catalogues could not be brought up to date.
#[derive(Debug, thiserror::Error)]
enum TextsError {
    /// A file.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A source that does not say what it should.
    #[error(transparent)]
    Source(#[from] CollectError),
    /// A catalogue that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Catalogue { path: PathBuf, source: CatalogueError },
}

/// Writes the template anew and merges it into the translations.
pub fn main() -> ExitCode {
    match update(&root()) {
        Ok(count) => {
            println!("{count} texts");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn update(root: &Path) -> Result<usize, TextsError> {
    let messages = messages(root)?;
    let path = root.join(TEMPLATE);
    let written = template(&messages).map_err(|source| in_catalogue(&path, source))?;
    write(&path, &written)?;
    for name in TRANSLATIONS {
        let path = root.join(name);
        let new = merged(&read(&path)?, &messages).map_err(|source| in_catalogue(&path, source))?;
        write(&path, &new)?;
        let open = problems(&new, &messages).map_err(|source| in_catalogue(&path, source))?;
        println!("{name}: {} to be translated or put right", open.len());
    }
    Ok(messages.len())
}

/// All sentences, in the order of the sources.
fn messages(root: &Path) -> Result<Vec<Message>, TextsError> {
    let mut all = Vec::new();
    for folder in SOURCES {
        for path in sources(&root.join(folder))? {
            let name = path.strip_prefix(root).unwrap_or(&path);
            let name = name.to_string_lossy().replace('\\', "/");
            collect(&name, &read(&path)?, &mut all)?;
        }
    }
    for text in help_texts(&Args::command()) {
        collect::add(&mut all, HELP, text, None)?;
    }
    Ok(all)
}

/// The Rust files below a folder, but for tests, in the order of their names.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, TextsError> {
    let failed = |source| TextsError::File {
        path: folder.to_owned(),
        source,
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    let mut found = Vec::new();
    for path in entries {
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if is_test {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String, TextsError> {
    std::fs::read_to_string(path).map_err(|source| TextsError::File {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, text: &str) -> Result<(), TextsError> {
    std::fs::write(path, text).map_err(|source| TextsError::File {
        path: path.to_owned(),
        source,
    })
}

fn in_catalogue(path: &Path, source: CatalogueError) -> TextsError {
    TextsError::Catalogue {
        path: path.to_owned(),
        source,
    }
}

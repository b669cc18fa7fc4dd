//! The second stage of the arguments: what was typed, resolved against the world. Everything that is shown goes out here.

use crate::args::{Color, Format, OutputArgs};
use crate::language::{Language, Tag};
use crate::result_file::ResultFile;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// How wide a page is where there is no terminal.
const DEFAULT_WIDTH: usize = 80;
/// Pages wider than this are hard to read.
const MAX_WIDTH: usize = 110;
/// Pages narrower than this would be all frames.
const MIN_WIDTH: usize = 40;

/// What a page is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Columns.
    pub width: usize,
    /// Whether colour may be used.
    pub colour: bool,
    /// Whether only ASCII may be used.
    pub ascii: bool,
    /// What the page is written in.
    pub language: &'static Language,
}

/// Where and how results are shown.
#[derive(Debug)]
pub struct Output {
    /// Form of the result.
    pub format: Format,
    /// The file for the result; none for standard output.
    pub file: Option<ResultFile>,
    /// Standard output: results.
    pub stdout: Screen,
    /// Standard error: progress, questions, errors.
    pub stderr: Screen,
    /// Whether progress may be drawn over itself.
    pub live_progress: bool,
}

impl Output {
    /// Looks at terminal and environment.
    pub fn resolve(args: &OutputArgs) -> Self {
        let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let width = args.width.map(usize::from).or(terminal).unwrap_or(DEFAULT_WIDTH);
        // https://no-color.org: set and not empty.
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let language = Language::of(args.lang.unwrap_or_else(Tag::of_system), args.ascii);
        let screen = |is_terminal: bool| Screen {
            language,
            width: width.clamp(MIN_WIDTH, MAX_WIDTH),
            colour: match args.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => is_terminal && !no_color && !dumb,
            },
            ascii: args.ascii,
        };
        let stderr_is_terminal = io::stderr().is_terminal();
        let file = args.output.clone().filter(|path| path.as_os_str() != "-");
        Self {
            format: args.format,
            stdout: screen(file.is_none() && io::stdout().is_terminal()),
            stderr: screen(stderr_is_terminal),
            live_progress: stderr_is_terminal && !dumb,
            file: file.map(ResultFile::new),
        }
    }
}

/// Writes a result to standard output. A reader that has gone away, as in `| head`, is no error.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes to standard error. If that fails there is nobody left to tell.
pub fn tell(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

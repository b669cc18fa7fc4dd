//! What the parser cannot say about options that all commands share.

use super::{Args, Command, Format};
use clap::CommandFactory;
use clap::error::ErrorKind;

impl Args {
    /// The arguments, if they go together: only a command that works on a TARGET has a report to make a page or a file of.
    pub fn checked(self) -> Result<Self, clap::Error> {
        let option = match (&self.output.output, self.output.format) {
            _ if self.command.target().is_some() => return Ok(self),
            (Some(_), _) => "--output",
            (None, Format::Html) => "--format html",
            (None, _) => return Ok(self),
        };
        let name = match self.command {
            Command::Lab(_) => "lab",
            Command::Explain { .. } => "explain",
            Command::Kb { .. } => "kb",
            _ => "demo",
        };
        Err(Self::command().error(
            ErrorKind::ArgumentConflict,
            format!("{option} is for reports on a TARGET; {name} makes none. Use it with diagnose, plan, fix or verify"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn parse(rest: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["winrefit"], rest].concat()).and_then(Args::checked)
    }

    #[test]
    fn only_reports_become_pages_and_files() {
        for good in [
            &["diagnose", "a.img", "--format", "html", "-o", "a.html"][..],
            &["undo", "a.img", "--output", "-"],
            &["lab", "list", "--format", "json"],
            &["demo"],
        ] {
            assert!(parse(good).is_ok(), "{good:?}");
        }
        for wrong in [
            &["demo", "--format", "html"][..],
            &["demo", "-o", "a.txt"],
            &["lab", "list", "--format", "html"],
            &["lab", "create", "healthy", "a.img", "--output", "a.json"],
        ] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong:?}");
        }
    }
}

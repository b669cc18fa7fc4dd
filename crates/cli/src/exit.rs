//! Exit codes, the same for every command.

use winrefit_repair::report::Verdict;

/// How a command ended. Scripts depend on the numbers; `--help` and the README list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Healthy, or done.
    Success = 0,
    /// Input/output error, or an internal one.
    Error = 1,
    /// The command line was not understood, or an answer is needed that nobody can give.
    Usage = 2,
    /// Something has to be repaired; a plan says what winrefit can do.
    NeedsRepair = 3,
    /// A repair would be needed, or was asked for, and is refused.
    Refused = 4,
    /// Earlier work is unfinished; run resume.
    Unfinished = 5,
    /// A structure on the disk is damaged.
    Damaged = 6,
    /// A person has to do something in Windows that winrefit cannot do.
    Attention = 7,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Healthy | Verdict::Repaired | Verdict::Undone => Self::Success,
            Verdict::NeedsRepair => Self::NeedsRepair,
            Verdict::Refused => Self::Refused,
            Verdict::Unfinished => Self::Unfinished,
            Verdict::Damaged => Self::Damaged,
            Verdict::Attention => Self::Attention,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_the_help_promises() {
        for (verdict, number) in [
            (Verdict::Healthy, 0),
            (Verdict::Repaired, 0),
            (Verdict::Undone, 0),
            (Verdict::NeedsRepair, 3),
            (Verdict::Refused, 4),
            (Verdict::Unfinished, 5),
            (Verdict::Damaged, 6),
            (Verdict::Attention, 7),
        ] {
            assert_eq!(ExitCode::from(verdict) as u8, number, "{verdict:?}");
        }
    }
}

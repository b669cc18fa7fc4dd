//! What the text logs of Windows hold, as far as updates are concerned.

/// Where a line stands, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePlace {
    /// Path of the log.
    pub log: &'static str,
    /// Byte of the file at which the line begins.
    pub offset: u64,
    /// Its time as written, local to that Windows.
    pub time: Option<String>,
    /// The line, shortened.
    pub line: String,
}

/// What the logs hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logs {
    /// Commands of reagentc, oldest first.
    pub commands: Vec<AgentCommand>,
    /// Tests of the room for an image, oldest first.
    pub space_checks: Vec<SpaceCheck>,
    /// Error codes of servicing.
    pub servicing_codes: Vec<CodeSeen>,
    /// Failures in the history of Windows Update, oldest first.
    pub history: Vec<HistoryFailure>,
}

/// A command of reagentc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentCommand {
    /// As it was typed.
    pub command: String,
    /// The Win32 error that it ended with.
    pub error: Option<u32>,
    /// Where it stands.
    pub place: LinePlace,
}

/// A test of the room for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceCheck {
    /// Bytes that were there.
    pub available: Option<u64>,
    /// Bytes that were wanted.
    pub required: Option<u64>,
    /// Where it stands.
    pub place: LinePlace,
}

/// An error code and how often it stands in the part of a log that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSeen {
    /// The code.
    pub code: u32,
    /// How often.
    pub count: u64,
    /// Its newest line.
    pub last: LinePlace,
}

/// A failure in the history of Windows Update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFailure {
    /// The error.
    pub code: u32,
    /// Title of the update.
    pub title: String,
    /// Numbers of updates in it.
    pub kbs: Vec<u32>,
    /// Where it stands.
    pub place: LinePlace,
}

/// A folder that servicing of WinRE works in and removes when it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkFolder {
    /// When its content was changed last (FILETIME).
    pub modified: Option<u64>,
    /// Names in it.
    pub names: Vec<String>,
    /// Whether its state file says that an update is staged.
    pub staged: Option<String>,
}

//! What to do about a journal that was found, as a table. Pure: facts in, decision out.

use super::State;

/// What the touched sectors hold, compared with the journal's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Every sector is its first version.
    Before,
    /// Every sector is its last version.
    After,
    /// Every sector is one of its versions, and neither of the above holds.
    Mixed,
    /// Some sector is none.
    Foreign {
        /// Byte offset of the first such sector.
        offset: u64,
    },
    /// The body is damaged, so that there is nothing to compare with.
    Unknown,
}

/// What the copies are that the transaction relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Copies {
    /// Each is its original; also where there are none, and where the content says all.
    Intact,
    /// Some is not.
    Torn {
        /// Byte offset of the sector, in the copy.
        offset: u64,
    },
}

/// All that a decision depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What the header says.
    pub state: State,
    /// Whether length and disk GUID are those that the header names.
    pub same_disk: bool,
    /// What the touched sectors hold.
    pub content: Content,
    /// What the copies are.
    pub copies: Copies,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the work is finished.
    Done,
    /// Remove the journal: the old state is in place.
    Discard,
    /// Write what is missing of the after-images: the new state will be in place.
    Resume,
    /// Write what is missing of the before-images and remove the journal: the old state will be in place.
    FinishUndo,
    /// Write nothing: the journal was made for another disk.
    StopOtherDisk,
    /// Write nothing: something else wrote to a touched sector, or to a copy or its original.
    StopForeignWrites {
        /// Byte offset of the first such sector; of a copy if it is one of the two.
        offset: u64,
    },
    /// Write nothing: the body is damaged.
    StopDamaged,
}

/// A column of the table without the values that differ from disk to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Before,
    After,
    Mixed,
    Foreign,
    Unknown,
}

const EITHER: &[bool] = &[true, false];
const OURS: &[Kind] = &[Kind::Before, Kind::After, Kind::Mixed];
const ANY: &[Kind] = &[
    Kind::Before,
    Kind::After,
    Kind::Mixed,
    Kind::Foreign,
    Kind::Unknown,
];

#[derive(Debug, Clone, Copy)]
enum Action {
    Done,
    Discard,
    Resume,
    FinishUndo,
    StopOtherDisk,
    StopForeignWrites,
    StopDamaged,
}

struct Row {
    label: &'static str,
    states: &'static [State],
    same_disk: &'static [bool],
    content: &'static [Kind],
    intact: &'static [bool],
    action: Action,
}

/// Each combination of facts matches exactly one row.
const TABLE: &[Row] = &[
    // Only the journal's own place has been written, so the touched sectors need not be looked at: they may rightly
    // have changed since, on a disk that was used after the cut.
    Row {
        label: "prepared only",
        states: &[State::Preparing],
        same_disk: &[true],
        content: ANY,
        intact: EITHER,
        action: Action::Discard,
    },
    // The commit record is durable, so all images are; each sector is one of its versions, and writing the later ones
    // gives the new state.
    Row {
        label: "committed",
        states: &[State::Committed],
        same_disk: &[true],
        content: OURS,
        intact: &[true],
        action: Action::Resume,
    },
    // Someone wrote to a copy or an original. Nothing in place was changed, so the old state needs neither; the new one
    // would stand on a bad copy.
    Row {
        label: "committed, copies torn, nothing in place",
        states: &[State::Committed],
        same_disk: &[true],
        content: &[Kind::Before],
        intact: &[false],
        action: Action::Discard,
    },
    // Neither state is known to be whole any more. A complete new one may be, and so may what was written to it.
    Row {
        label: "committed, copies torn",
        states: &[State::Committed],
        same_disk: &[true],
        content: &[Kind::After, Kind::Mixed],
        intact: &[false],
        action: Action::StopForeignWrites,
    },
    // Windows or another tool has run on the half-written disk. Either image would destroy what it wrote.
    Row {
        label: "committed, then used",
        states: &[State::Committed],
        same_disk: &[true],
        content: &[Kind::Foreign],
        intact: EITHER,
        action: Action::StopForeignWrites,
    },
    // The body was flushed before the header could say committed: the medium lost durable data.
    Row {
        label: "committed, body lost",
        states: &[State::Committed],
        same_disk: &[true],
        content: &[Kind::Unknown],
        intact: EITHER,
        action: Action::StopDamaged,
    },
    // As "committed", in the other direction. Removing the body starts only when the header says preparing again.
    Row {
        label: "undoing",
        states: &[State::Undoing],
        same_disk: &[true],
        content: OURS,
        intact: &[true],
        action: Action::FinishUndo,
    },
    // The old state is in place, and free to write into what were copies.
    Row {
        label: "undoing, copies torn, all taken back",
        states: &[State::Undoing],
        same_disk: &[true],
        content: &[Kind::Before],
        intact: &[false],
        action: Action::FinishUndo,
    },
    // The old state would stand on originals that may be gone.
    Row {
        label: "undoing, copies torn",
        states: &[State::Undoing],
        same_disk: &[true],
        content: &[Kind::After, Kind::Mixed],
        intact: &[false],
        action: Action::StopForeignWrites,
    },
    Row {
        label: "undoing, then used",
        states: &[State::Undoing],
        same_disk: &[true],
        content: &[Kind::Foreign],
        intact: EITHER,
        action: Action::StopForeignWrites,
    },
    Row {
        label: "undoing, body lost",
        states: &[State::Undoing],
        same_disk: &[true],
        content: &[Kind::Unknown],
        intact: EITHER,
        action: Action::StopDamaged,
    },
    // The new state is complete. What came later is the business of undo alone, on whatever disk.
    Row {
        label: "applied",
        states: &[State::Applied],
        same_disk: &[true, false],
        content: ANY,
        intact: EITHER,
        action: Action::Done,
    },
    // A copy onto a disk of another size, or a journal that was left behind by other tools: offsets may mean other
    // things here.
    Row {
        label: "another disk",
        states: &[State::Preparing, State::Committed, State::Undoing],
        same_disk: &[false],
        content: ANY,
        intact: EITHER,
        action: Action::StopOtherDisk,
    },
];

impl Row {
    fn matches(&self, facts: &Facts) -> bool {
        self.states.contains(&facts.state)
            && self.same_disk.contains(&facts.same_disk)
            && self.content.contains(&facts.content.kind())
            && self.intact.contains(&(facts.copies == Copies::Intact))
    }
}

impl Content {
    fn kind(self) -> Kind {
        match self {
            Self::Before => Kind::Before,
            Self::After => Kind::After,
            Self::Mixed => Kind::Mixed,
            Self::Foreign { .. } => Kind::Foreign,
            Self::Unknown => Kind::Unknown,
        }
    }
}

/// The one row for `facts`: its label, for logs and tests, and what to do.
pub fn decide(facts: &Facts) -> (&'static str, Decision) {
    let Some(row) = TABLE.iter().find(|row| row.matches(facts)) else {
        // The table is complete, which a test proves; should it ever not be, writing nothing is right.
        return ("no row", Decision::StopDamaged);
    };
    let decision = match (row.action, facts.content, facts.copies) {
        (Action::Done, ..) => Decision::Done,
        (Action::Discard, ..) => Decision::Discard,
        (Action::Resume, ..) => Decision::Resume,
        (Action::FinishUndo, ..) => Decision::FinishUndo,
        (Action::StopOtherDisk, ..) => Decision::StopOtherDisk,
        (Action::StopForeignWrites, Content::Foreign { offset }, _)
        | (Action::StopForeignWrites, _, Copies::Torn { offset }) => Decision::StopForeignWrites { offset },
        (Action::StopForeignWrites | Action::StopDamaged, ..) => Decision::StopDamaged,
    };
    (row.label, decision)
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;

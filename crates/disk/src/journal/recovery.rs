//! What to do about a journal that was found, as a table. Pure: facts in, decision out.

use super::State;

/// What the touched sectors hold, compared with the journal's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Every sector is its before-image.
    Before,
    /// Every sector is its after-image.
    After,
    /// Every sector is one of the two, and both occur.
    Mixed,
    /// Some sector is neither.
    Foreign {
        /// Byte offset of the first such sector.
        offset: u64,
    },
    /// The body is damaged, so that there is nothing to compare with.
    Unknown,
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
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the work is finished.
    Done,
    /// Remove the journal: the old state is in place.
    Discard,
    /// Write all after-images again: the new state will be in place.
    Resume,
    /// Write all before-images again and remove the journal: the old state will be in place.
    FinishUndo,
    /// Write nothing: the journal was made for another disk.
    StopOtherDisk,
    /// Write nothing: something else wrote to a touched sector.
    StopForeignWrites {
        /// Byte offset of the first such sector.
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
        action: Action::Discard,
    },
    // The commit record is durable, so all images are; each sector is one or the other, and writing the after-image over
    // either gives the new state.
    Row {
        label: "committed",
        states: &[State::Committed],
        same_disk: &[true],
        content: OURS,
        action: Action::Resume,
    },
    // Windows or another tool has run on the half-written disk. Either image would destroy what it wrote.
    Row {
        label: "committed, then used",
        states: &[State::Committed],
        same_disk: &[true],
        content: &[Kind::Foreign],
        action: Action::StopForeignWrites,
    },
    // The body was flushed before the header could say committed: the medium lost durable data.
    Row {
        label: "committed, body lost",
        states: &[State::Committed],
        same_disk: &[true],
        content: &[Kind::Unknown],
        action: Action::StopDamaged,
    },
    // As "committed", in the other direction. Removing the body starts only when the header says preparing again.
    Row {
        label: "undoing",
        states: &[State::Undoing],
        same_disk: &[true],
        content: OURS,
        action: Action::FinishUndo,
    },
    Row {
        label: "undoing, then used",
        states: &[State::Undoing],
        same_disk: &[true],
        content: &[Kind::Foreign],
        action: Action::StopForeignWrites,
    },
    Row {
        label: "undoing, body lost",
        states: &[State::Undoing],
        same_disk: &[true],
        content: &[Kind::Unknown],
        action: Action::StopDamaged,
    },
    // The new state is complete. What came later is the business of undo alone, on whatever disk.
    Row {
        label: "applied",
        states: &[State::Applied],
        same_disk: &[true, false],
        content: ANY,
        action: Action::Done,
    },
    // A copy onto a disk of another size, or a journal that was left behind by other tools: offsets may mean other
    // things here.
    Row {
        label: "another disk",
        states: &[State::Preparing, State::Committed, State::Undoing],
        same_disk: &[false],
        content: ANY,
        action: Action::StopOtherDisk,
    },
];

impl Row {
    fn matches(&self, facts: &Facts) -> bool {
        self.states.contains(&facts.state)
            && self.same_disk.contains(&facts.same_disk)
            && self.content.contains(&facts.content.kind())
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
    let decision = match (row.action, facts.content) {
        (Action::Done, _) => Decision::Done,
        (Action::Discard, _) => Decision::Discard,
        (Action::Resume, _) => Decision::Resume,
        (Action::FinishUndo, _) => Decision::FinishUndo,
        (Action::StopOtherDisk, _) => Decision::StopOtherDisk,
        (Action::StopForeignWrites, Content::Foreign { offset }) => Decision::StopForeignWrites { offset },
        (Action::StopForeignWrites | Action::StopDamaged, _) => Decision::StopDamaged,
    };
    (row.label, decision)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENTS: [Content; 5] = [
        Content::Before,
        Content::After,
        Content::Mixed,
        Content::Foreign { offset: 512 },
        Content::Unknown,
    ];

    fn all_facts() -> impl Iterator<Item = Facts> {
        State::ALL.into_iter().flat_map(|state| {
            [true, false].into_iter().flat_map(move |same_disk| {
                CONTENTS.map(|content| Facts {
                    state,
                    same_disk,
                    content,
                })
            })
        })
    }

    #[test]
    fn each_combination_matches_exactly_one_row() {
        for facts in all_facts() {
            let labels: Vec<_> = TABLE
                .iter()
                .filter(|row| row.matches(&facts))
                .map(|row| row.label)
                .collect();
            assert_eq!(labels.len(), 1, "{facts:?}: {labels:?}");
            assert_eq!(decide(&facts).0, labels[0]);
        }
    }

    #[test]
    fn each_row_is_needed() {
        for row in TABLE {
            assert!(all_facts().any(|facts| row.matches(&facts)), "{}", row.label);
        }
    }

    #[test]
    fn decisions() {
        let decision = |state, same_disk, content| {
            decide(&Facts {
                state,
                same_disk,
                content,
            })
            .1
        };
        let foreign = Content::Foreign { offset: 512 };
        let stopped = Decision::StopForeignWrites { offset: 512 };
        for content in CONTENTS {
            assert_eq!(decision(State::Preparing, true, content), Decision::Discard);
            for same_disk in [true, false] {
                assert_eq!(decision(State::Applied, same_disk, content), Decision::Done);
            }
            for state in [State::Preparing, State::Committed, State::Undoing] {
                assert_eq!(decision(state, false, content), Decision::StopOtherDisk);
            }
        }
        for (state, finish) in [
            (State::Committed, Decision::Resume),
            (State::Undoing, Decision::FinishUndo),
        ] {
            for content in [Content::Before, Content::After, Content::Mixed] {
                assert_eq!(decision(state, true, content), finish);
            }
            assert_eq!(decision(state, true, foreign), stopped);
            assert_eq!(decision(state, true, Content::Unknown), Decision::StopDamaged);
        }
    }
}

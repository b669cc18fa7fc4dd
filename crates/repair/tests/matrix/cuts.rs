//! The states that a power cut can leave of a log. Everything behind the last flush that returned may have arrived or not,
//! sector by sector and in any order; everything before it has.

use super::content::{Op, State, apply};
use std::ops::Range;
use std::rc::Rc;

/// How a cut is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Some events from the front, and no other.
    Prefix,
    /// All writes since the last flush but one.
    Lost,
    /// One write since the last flush.
    Alone,
    /// All writes since the last flush up to one, of which the first sectors.
    Torn,
    /// All writes since the last flush up to one, of which the last sectors.
    TornBack,
    /// A choice of all sectors written since the last flush.
    Sectors,
    /// A choice of all writes since the last flush.
    Writes,
    /// A choice of all sectors, written in another order.
    Reordered,
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::Prefix,
        Self::Lost,
        Self::Alone,
        Self::Torn,
        Self::TornBack,
        Self::Sectors,
        Self::Writes,
        Self::Reordered,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Lost => "one lost",
            Self::Alone => "one alone",
            Self::Torn => "torn, front",
            Self::TornBack => "torn, back",
            Self::Sectors => "sectors",
            Self::Writes => "writes",
            Self::Reordered => "reordered",
        }
    }
}

/// How many states to make.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Torn writes, at most. Few of each write rather than many of one.
    pub torn: usize,
    /// Random choices, at least, if there is anything to choose from.
    pub random: usize,
}

/// A state, and where in the log it comes from.
pub struct Cut<'s> {
    pub kind: Kind,
    /// The event that was cut, or the first one behind the last flush.
    pub event: usize,
    pub state: &'s State,
}

/// Random numbers that are the same every time (xorshift64*).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64, name: &str) -> Self {
        let mixed = name.bytes().fold(seed ^ 0x9E37_79B9_7F4A_7C15, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        Self(mixed | 1)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }
}

type Write = Rc<[(u32, u32)]>;

/// The writes between two flushes.
struct Epoch {
    events: Range<usize>,
    writes: Vec<Write>,
}

impl Epoch {
    fn sectors(&self) -> usize {
        self.writes.iter().map(|write| write.len()).sum()
    }
}

fn epochs(ops: &[Op]) -> Vec<Epoch> {
    let mut epochs = Vec::new();
    let mut start = 0;
    for end in 0..=ops.len() {
        if matches!(ops.get(end), Some(Op::Write(_))) {
            continue;
        }
        let writes = ops[start..end].iter().filter_map(|op| match op {
            Op::Write(write) => Some(write.clone()),
            Op::Flush => None,
        });
        epochs.push(Epoch {
            events: start..end,
            writes: writes.collect(),
        });
        start = end + 1;
    }
    epochs
}

/// Calls `visit` with states that cuts of `ops` leave of `start`.
pub fn visit(start: &State, ops: &[Op], amount: Amount, dice: &mut Dice, visit: &mut dyn FnMut(Cut<'_>)) {
    let epochs = epochs(ops);
    let torn = share(&epochs, amount.torn);
    let many: Vec<&Epoch> = epochs.iter().filter(|epoch| epoch.sectors() > 1).collect();
    let random = amount.random.div_ceil(many.len().max(1));
    let mut durable = start.clone();
    for epoch in &epochs {
        let mut states = States {
            durable: &durable,
            epoch,
            visit,
        };
        states.prefixes();
        states.single();
        states.torn(torn);
        if epoch.sectors() > 1 {
            (0..random).for_each(|_| states.random(dice));
        }
        epoch.writes.iter().for_each(|write| apply(&mut durable, write));
    }
}

/// Tears of each write so that all together are at most `limit`, where that is possible at all.
fn share(epochs: &[Epoch], limit: usize) -> usize {
    let cuts: Vec<usize> = epochs
        .iter()
        .flat_map(|epoch| epoch.writes.iter().map(|write| 2 * (write.len() - 1)))
        .collect();
    let total = |share: usize| cuts.iter().map(|cuts| share.min(*cuts)).sum::<usize>();
    let most = cuts.iter().copied().max().unwrap_or(0);
    let mut share = most;
    while share > 1 && total(share) > limit {
        share -= share.div_ceil(16);
    }
    share.max(2)
}

struct States<'a, 'v> {
    durable: &'a State,
    epoch: &'a Epoch,
    visit: &'v mut dyn FnMut(Cut<'_>),
}

impl States<'_, '_> {
    fn show(&mut self, kind: Kind, event: usize, state: &State) {
        (self.visit)(Cut { kind, event, state });
    }

    /// Nothing of the epoch, then one event more each time. Its flush changes nothing of what is there.
    fn prefixes(&mut self) {
        let mut state = self.durable.clone();
        let start = self.epoch.events.start;
        self.show(Kind::Prefix, start, &state);
        for (at, write) in (start + 1..).zip(&self.epoch.writes) {
            apply(&mut state, write);
            self.show(Kind::Prefix, at, &state);
        }
    }

    fn single(&mut self) {
        let writes = &self.epoch.writes;
        if writes.len() < 2 {
            return;
        }
        for (at, write) in writes.iter().enumerate() {
            let mut alone = self.durable.clone();
            apply(&mut alone, write);
            self.show(Kind::Alone, self.epoch.events.start + at, &alone);
            let mut lost = self.durable.clone();
            let others = writes.iter().enumerate().filter(|(other, _)| *other != at);
            others.for_each(|(_, write)| apply(&mut lost, write));
            self.show(Kind::Lost, self.epoch.events.start + at, &lost);
        }
    }

    fn torn(&mut self, share: usize) {
        let mut before = self.durable.clone();
        for (at, write) in self.epoch.writes.iter().enumerate() {
            let borders = write.len() - 1;
            let step = (2 * borders).div_ceil(share.max(1)).max(1);
            for border in (1..=borders).step_by(step) {
                let (front, back) = write.split_at(border);
                for (kind, part) in [(Kind::Torn, front), (Kind::TornBack, back)] {
                    let mut state = before.clone();
                    apply(&mut state, part);
                    self.show(kind, self.epoch.events.start + at, &state);
                }
            }
            apply(&mut before, write);
        }
    }

    fn random(&mut self, dice: &mut Dice) {
        let mut state = self.durable.clone();
        let mut writes: Vec<&Write> = self.epoch.writes.iter().collect();
        let kinds = [Kind::Sectors, Kind::Writes, Kind::Reordered];
        let kind = kinds[if writes.len() > 1 { dice.below(3) } else { 0 }];
        if kind == Kind::Reordered {
            (1..writes.len()).for_each(|at| writes.swap(at, dice.below(at + 1)));
        }
        // Few, half, or most of them.
        let odds = 1 + dice.below(7);
        for write in writes {
            if kind == Kind::Writes {
                if dice.below(8) < odds {
                    apply(&mut state, write);
                }
                continue;
            }
            for sector in write.iter().filter(|_| dice.below(8) < odds) {
                apply(&mut state, std::slice::from_ref(sector));
            }
        }
        self.show(kind, self.epoch.events.start, &state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn write(sectors: &[(u32, u32)]) -> Op {
        Op::Write(sectors.into())
    }

    #[test]
    fn every_kind_of_cut_is_made_and_keeps_what_was_flushed() {
        let ops = [
            write(&[(0, 1)]),
            Op::Flush,
            write(&[(1, 2), (2, 2), (3, 2)]),
            write(&[(3, 3), (4, 3)]),
            Op::Flush,
        ];
        let amount = Amount {
            torn: usize::MAX,
            random: 400,
        };
        let mut seen: BTreeSet<(Kind, State)> = BTreeSet::new();
        let mut dice = Dice::new(1, "test");
        visit(&vec![0; 5], &ops, amount, &mut dice, &mut |cut| {
            seen.insert((cut.kind, cut.state.clone()));
        });
        let of = |kind: Kind| -> Vec<State> {
            let same = seen.iter().filter(|(other, _)| *other == kind);
            same.map(|(_, state)| state.clone()).collect()
        };
        let (none, first) = (vec![1, 0, 0, 0, 0], vec![1, 2, 2, 2, 0]);
        let (second, both) = (vec![1, 0, 0, 3, 3], vec![1, 2, 2, 3, 3]);
        let prefixes = [vec![0; 5], none.clone(), first.clone(), both.clone()];
        assert_eq!(of(Kind::Prefix), prefixes);
        assert_eq!(of(Kind::Lost), [second.clone(), first.clone()]);
        assert_eq!(of(Kind::Alone), [second, first]);
        let torn = [[1, 2, 0, 0, 0], [1, 2, 2, 0, 0], [1, 2, 2, 3, 0]];
        assert_eq!(of(Kind::Torn), torn);
        let back = [[1, 0, 0, 2, 0], [1, 0, 2, 2, 0], [1, 2, 2, 2, 3]];
        assert_eq!(of(Kind::TornBack), back);
        // Sector 3 holds what came last, which in another order is the first write. All but nothing at all.
        assert_eq!(of(Kind::Sectors).len(), 2 * 2 * 3 * 2 - 1);
        assert!(of(Kind::Reordered).contains(&vec![1, 2, 2, 2, 3]));
        assert!(!of(Kind::Writes).contains(&vec![1, 2, 2, 2, 3]));
        let flushed = |(kind, state): &(Kind, State)| *kind == Kind::Prefix || state[0] == 1;
        assert!(seen.iter().all(flushed));
    }
}

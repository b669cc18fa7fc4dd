//! One log and all its cuts: each state is judged, resumed, and held against the disks that the run leads through.

use super::common::compare::in_use;
use super::content::{Ground, Op, Probe, State, apply};
use super::cuts::{Amount, Cut, Dice, Kind, visit};
use super::declared::{Work, check, check_apart, copies, works};
use super::judge::{Expected, Flaws, Judges, is_harmful, others};
use super::memo::digest;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use winrefit_disk::{ByteRange, Device, Event, MemoryDevice};
use winrefit_repair::report::Verdict;

/// A disk that a run begins with, ends with, or is between two commits.
struct End {
    state: State,
    /// By slot: what may hold anything, since it is free there and a copy or a journal's body went to it.
    loose: Vec<bool>,
}

/// What was counted.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    pub events: usize,
    /// States by kind, those of a second cut apart.
    pub kinds: BTreeMap<Kind, u64>,
    pub second: u64,
    /// Contents that differ from each other.
    pub distinct: u64,
    /// States by the end that a resume leads to.
    pub ends: Vec<u64>,
    /// States that are not clean before a resume, by what is amiss.
    pub unclean: BTreeMap<String, u64>,
    /// States with something amiss that is not harmless.
    pub unclean_states: u64,
    pub failures: Vec<String>,
    /// Calls of diagnose, observe, check and resume.
    pub calls: [u64; 4],
}

impl Tally {
    pub fn states(&self) -> u64 {
        self.kinds.values().sum::<u64>() + self.second
    }
}

/// Failures that are kept; a broken protocol has thousands.
const FAILURES_MAX: usize = 30;

/// Rounds of random states until there are as many as were asked for; one is enough where there is a choice at all.
const ROUNDS_MAX: usize = 4;

/// States that are kept for other tools.
const CLEAN_MAX: usize = 64;

pub struct Matrix {
    ground: Ground,
    start: State,
    ops: Vec<Op>,
    ends: Vec<End>,
    expected: Expected,
    judges: Judges,
    tally: Tally,
    seen: HashSet<u128>,
    /// States whose resume is cut again.
    again: Vec<(String, State)>,
    /// States in the middle of the work without a flaw, harmless ones included.
    pub clean: Vec<State>,
}

impl Matrix {
    /// A matrix of the log `events`, which was written on `start`. What the log says of itself is checked at once.
    pub fn new(start: &MemoryDevice, events: &[Event]) -> Self {
        let works = works(start, events);
        Self::of(start, events, works.as_deref().map_err(Clone::clone), events)
    }

    /// A matrix of another log that claims to do what `works` did, which were made with the log `honest`.
    pub fn of(
        start: &MemoryDevice,
        events: &[Event],
        works: Result<&[Work], String>,
        honest: &[Event],
    ) -> Self {
        let ground = Ground::new(start.clone());
        let ops = ground.ops(events);
        let mut tally = Tally {
            events: events.len(),
            ..Tally::default()
        };
        let works = works.unwrap_or_else(|error| {
            tally.failures.push(error);
            &[]
        });
        if std::ptr::eq(events, honest) {
            let broken = works.iter().filter_map(|work| check(work, events).err());
            tally.failures.extend(broken);
            tally.failures.extend(check_apart(works).err());
        }
        let last = last_of(start, honest);
        let mut disks: Vec<&MemoryDevice> = works.iter().map(|work| &work.start).collect();
        disks.push(&last);
        let expected = Expected::of(&disks.iter().map(|disk| *disk as _).collect::<Vec<_>>());
        let ends = ends(&ground, honest, works, &disks);
        tally.ends = vec![0; ends.len()];
        Self {
            start: ground.image(),
            ground,
            ops,
            ends,
            expected,
            judges: Judges::default(),
            tally,
            seen: HashSet::new(),
            again: Vec::new(),
            clean: Vec::new(),
        }
    }

    /// Judges `states` states and more, a quarter of them behind a second cut.
    pub fn run(&mut self, states: usize, seed: u64, name: &str) -> Tally {
        let mut dice = Dice::new(seed, name);
        let (ops, start) = (self.ops.clone(), self.start.clone());
        let amount = Amount {
            torn: states / 4,
            random: states / 4,
        };
        let mut chosen = dice.clone();
        visit(&start, &ops, amount, &mut dice, &mut |cut| {
            let what = format!("{:?} at event {}", cut.kind, cut.event);
            let is_first = self.judge(&what, cut.state, None).is_some();
            *self.tally.kinds.entry(cut.kind).or_default() += 1;
            if is_first && chosen.below(8) == 0 {
                self.again.push((what, cut.state.clone()));
            }
        });
        self.cut_resumes(states, &mut dice);
        for _ in 0..ROUNDS_MAX {
            let missing = states.saturating_sub(self.tally.states() as usize);
            if missing == 0 {
                break;
            }
            let amount = Amount {
                torn: 0,
                random: missing,
            };
            let is_random = |kind| matches!(kind, Kind::Sectors | Kind::Writes | Kind::Reordered);
            visit(&start, &ops, amount, &mut dice, &mut |cut: Cut<'_>| {
                if is_random(cut.kind) {
                    self.judge(&format!("{:?} at event {}", cut.kind, cut.event), cut.state, None);
                    *self.tally.kinds.entry(cut.kind).or_default() += 1;
                }
            });
        }
        self.tally.distinct = self.seen.len() as u64;
        self.tally.calls = self.judges.calls();
        self.tally.clone()
    }

    fn fail(&mut self, what: String) {
        if self.tally.failures.len() < FAILURES_MAX {
            self.tally.failures.push(what);
        }
    }

    /// Cuts the resumes behind some of the first cuts.
    fn cut_resumes(&mut self, states: usize, dice: &mut Dice) {
        let mut again = std::mem::take(&mut self.again);
        let wanted = (8 + states / 400).min(again.len());
        for at in 0..wanted {
            let other = at + dice.below(again.len() - at);
            again.swap(at, other);
        }
        let each = states / 4 / wanted.max(1);
        for (what, state) in &again[..wanted] {
            if let Err(problem) = others(&self.ground, state) {
                self.fail(format!("{what}: {problem}"));
            }
            let resumed = self.judges.resume(&self.ground, state);
            let end = self.end_behind(state, &resumed.ops);
            let amount = Amount {
                torn: each / 3,
                random: each / 3,
            };
            let state = self.ground.whole(state.clone());
            visit(&state, &resumed.ops, amount, dice, &mut |cut| {
                let what = format!("{what}, then {:?} at event {} of the resume", cut.kind, cut.event);
                self.judge(&what, cut.state, end);
                self.tally.second += 1;
            });
        }
    }

    fn end_behind(&self, state: &State, ops: &[Op]) -> Option<usize> {
        let mut state = self.ground.whole(state.clone());
        for op in ops {
            if let Op::Write(write) = op {
                apply(&mut state, write);
            }
        }
        self.ends.iter().position(|end| self.is_at(&state, end))
    }

    /// Whether a state with a number for every slot is an end. Slots that came later hold there what the image has.
    fn is_at(&self, state: &State, end: &End) -> bool {
        let mut known = state.iter().zip(&end.state).zip(&end.loose);
        let mut later = end.state.len()..state.len();
        known.all(|((held, due), loose)| held == due || *loose)
            && later.all(|slot| state[slot] == self.ground.held(&end.state, slot))
    }

    /// Judges one state: recognised, usable, and resumed to an end, which has to be `due` where one is. The end, if there
    /// was something to resume.
    fn judge(&mut self, what: &str, state: &State, due: Option<usize>) -> Option<usize> {
        self.seen.insert(digest(state.iter().copied()));
        let said = self.judges.diagnose(&self.ground, state);
        let flaws = self.judges.flaws(&self.ground, state, &self.expected);
        self.count(&flaws);
        let resumed = self.judges.resume(&self.ground, state);
        let end = self.end_behind(state, &resumed.ops);
        let problem = match (&*said, &resumed.said, end) {
            (Err(error), ..) => Some(format!("diagnose: {error}")),
            (_, Err(error), _) => Some(format!("resume: {error}")),
            (_, _, None) => Some(format!(
                "neither old nor new: {}",
                self.difference(state, &resumed.ops)
            )),
            (_, Ok(Verdict::Damaged), _) => Some("damaged behind the resume".to_owned()),
            (Ok((verdict, journal)), _, Some(_)) if *verdict != Verdict::Unfinished => {
                let is_end = self.end_behind(state, &[]).is_some();
                let is_done = matches!(journal, None | Some("applied")) && resumed.ops.is_empty();
                (!is_end || !is_done).then(|| format!("taken for finished, journal {journal:?}"))
            }
            (_, _, Some(end)) if due.is_some_and(|due| due != end) => Some(format!(
                "the direction changed: {end}, and {due:?} after the first cut"
            )),
            _ => None,
        };
        if let Some(end) = end {
            self.tally.ends[end] += 1;
        }
        if let Some(problem) = problem {
            self.fail(format!("{what}: {problem}"));
        } else if flaws.is_empty() && self.clean.len() < CLEAN_MAX {
            let is_amid = matches!(&*said, Ok((_, Some("committed" | "undoing"))));
            self.clean.extend(is_amid.then(|| state.clone()));
        }
        end.filter(|_| !resumed.ops.is_empty())
    }

    fn count(&mut self, flaws: &Flaws) {
        for flaw in flaws {
            *self.tally.unclean.entry(flaw.clone()).or_default() += 1;
        }
        self.tally.unclean_states += u64::from(flaws.iter().any(|flaw| is_harmful(flaw)));
    }

    /// Where a resumed state first differs from each end.
    fn difference(&self, state: &State, ops: &[Op]) -> String {
        let mut state = self.ground.whole(state.clone());
        for op in ops {
            if let Op::Write(write) = op {
                apply(&mut state, write);
            }
        }
        let first = |end: &End| {
            let differs = |slot: &usize| {
                self.ground.held(&state, *slot) != self.ground.held(&end.state, *slot)
                    && !end.loose.get(*slot).copied().unwrap_or(false)
            };
            let slots: Vec<usize> = (0..self.ground.slots()).filter(differs).collect();
            let offsets = slots.iter().map(|slot| self.ground.offset(*slot)).min();
            (slots.len(), offsets)
        };
        format!("{:?}", self.ends.iter().map(first).collect::<Vec<_>>())
    }

    /// The disk in a state.
    pub fn disk(&self, state: &State) -> Probe<'_> {
        self.ground.disk(state)
    }
}

fn last_of(start: &MemoryDevice, events: &[Event]) -> MemoryDevice {
    let mut last = start.clone();
    for event in events {
        if let Event::Write { offset, data } = event {
            last.write_at(*offset, data).expect("it was written before");
        }
    }
    last
}

/// The ends of a run, with what may differ at each: docs/formats/journal.md.
fn ends(ground: &Ground, events: &[Event], works: &[Work], disks: &[&MemoryDevice]) -> Vec<End> {
    let ops = ground.ops(events);
    // All slots of the log have numbers by now, so that states and what is loose are equally long.
    let mut states = vec![ground.image()];
    for work in works {
        let mut state = states.last().expect("the start").clone();
        for op in &ops[work.events.clone()] {
            if let Op::Write(write) = op {
                apply(&mut state, write);
            }
        }
        states.push(state);
    }
    let mut loose: Vec<Vec<ByteRange>> = vec![Vec::new(); states.len()];
    for (at, work) in works.iter().enumerate() {
        let body = (!work.header.is_body_in_gap()).then(|| work.header.body());
        // Before: copies, or originals made anew, and the body of a commit.
        loose[at].extend(copies(&work.transaction).filter(|_| !work.is_undo));
        loose[at].extend(body.filter(|_| !work.is_undo));
        loose[at].extend(remade(work, events));
        // Behind: the body of an undo, which nobody overwrites after a cut.
        loose[at + 1].extend(body.filter(|_| work.is_undo));
    }
    assert_eq!(disks.len(), states.len(), "an end for each work");
    let all = states.into_iter().zip(loose).zip(disks);
    all.map(|((state, loose), disk)| {
        let used = in_use(disk);
        let wrong = loose
            .iter()
            .find(|loose| used.iter().any(|used| used.overlaps(loose)));
        assert!(wrong.is_none(), "{wrong:?} is in use where it may be anything");
        let of_slot = |slot: usize| {
            let at = ground.offset(slot);
            loose.iter().any(|range| range.start <= at && at < range.end)
        };
        End {
            state,
            loose: (0..ground.slots()).map(of_slot).collect(),
        }
    })
    .collect()
}

/// What an undo writes before its record: originals that a later part had overwritten.
fn remade(work: &Work, events: &[Event]) -> BTreeSet<ByteRange> {
    let before = work.events.start..work.record;
    let written = before
        .filter(|_| work.is_undo)
        .filter_map(|at| match &events[at] {
            Event::Write { offset, data } => Some(ByteRange::new(*offset, offset + data.len() as u64)),
            Event::Flush => None,
        });
    written.collect()
}

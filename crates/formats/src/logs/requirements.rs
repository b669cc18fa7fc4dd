//! What the recovery agent and Setup noted when they looked for a partition for WinRE: `MeetPartitionRequirements`.
//!
//! Two wordings are known. One gives the place, the free and the total space of the partition, the size of the image
//! and the free space that it needs, on three lines; the other names what there is too little of, with `req` and
//! `avail`. Both may be followed by a line about BitLocker.

use super::{Citation, LogLine, LogTime, Tail, push_bounded};
use std::collections::VecDeque;

const MARK: &str = "MeetPartitionRequirements";
/// Lines of one examination stand together; this many others may stand between.
const GAP_LINES_MAX: usize = 8;

/// What there was too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// Free space.
    Free,
    /// Space in the partition as a whole.
    Total,
}

/// The examination of one partition, as far as the log tells. Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionRequirement {
    /// When it was noted.
    pub time: LogTime,
    /// The program that noted it.
    pub tag: String,
    /// Offset of the partition on its disk.
    pub partition_offset: Option<u64>,
    /// Free space in the partition.
    pub free: Option<u64>,
    /// Size of the partition.
    pub total: Option<u64>,
    /// Size of the image.
    pub wim: Option<u64>,
    /// Space that is needed.
    pub required: Option<u64>,
    /// Space that there is, of the kind that is short.
    pub available: Option<u64>,
    /// What the log says there is too little of.
    pub shortage: Option<Shortage>,
    /// The log says that the partition is encrypted.
    pub has_bitlocker: bool,
    /// The last of its lines.
    pub last_line: Citation,
}

/// The newest examinations in the log, oldest first.
pub fn partition_requirements(tail: &Tail) -> Vec<PartitionRequirement> {
    let mut collector = Collector::default();
    for line in tail.lines() {
        let is_marked = line.text.contains(MARK);
        match is_marked.then(|| LogLine::parse(&line)).flatten() {
            Some(parsed) => collector.add(&parsed, &line.text),
            None => collector.skip(),
        }
    }
    collector.finish()
}

/// Puts lines together to examinations.
#[derive(Default)]
pub(super) struct Collector {
    found: VecDeque<PartitionRequirement>,
    gap: usize,
}

impl Collector {
    /// A line that is none of an examination.
    pub fn skip(&mut self) {
        self.gap = self.gap.saturating_add(1);
    }

    pub fn add(&mut self, line: &LogLine<'_>, whole: &str) {
        let Some((_, text)) = line.text.split_once(MARK) else {
            return self.skip();
        };
        let mut part = PartitionRequirement {
            time: line.time,
            tag: line.tag.to_string(),
            partition_offset: None,
            free: None,
            total: None,
            wim: None,
            required: None,
            available: None,
            shortage: shortage(text),
            has_bitlocker: contains(text, "bitlocker"),
            last_line: Citation {
                time: Some(line.time),
                offset: line.offset,
                line: whole.to_string(),
            },
        };
        for (label, number) in numbers(text) {
            if let Some(field) = part.field(label) {
                field.get_or_insert(number);
            }
        }
        let near = self.gap <= GAP_LINES_MAX;
        self.gap = 0;
        match self.found.back_mut() {
            Some(open) if near && open.goes_with(&part) => open.merge(part),
            _ => push_bounded(&mut self.found, part),
        }
    }

    pub fn finish(self) -> Vec<PartitionRequirement> {
        self.found.into()
    }
}

impl PartitionRequirement {
    /// The field that a number behind `label` is for. The order matters: "Required free space" is no free space.
    fn field(&mut self, label: &str) -> Option<&mut Option<u64>> {
        let has = |word| contains(label, word);
        if has("req") {
            Some(&mut self.required)
        } else if has("avail") || has("actual") {
            Some(&mut self.available)
        } else if has("wim") {
            Some(&mut self.wim)
        } else if has("total") {
            Some(&mut self.total)
        } else if has("free") {
            Some(&mut self.free)
        } else if has("offset") {
            Some(&mut self.partition_offset)
        } else {
            None
        }
    }

    fn numbers(&self) -> [Option<u64>; 6] {
        let space = [self.free, self.total, self.wim, self.required, self.available];
        let [free, total, wim, required, available] = space;
        [self.partition_offset, free, total, wim, required, available]
    }

    /// Whether a further line can be of the same examination: from the same program, and no number contradicts.
    fn goes_with(&self, more: &Self) -> bool {
        let mut pairs = self.numbers().into_iter().zip(more.numbers());
        let agree =
            |(one, other): (Option<u64>, Option<u64>)| one.is_none() || other.is_none() || one == other;
        let shortages_agree =
            self.shortage.is_none() || more.shortage.is_none() || self.shortage == more.shortage;
        self.tag == more.tag && shortages_agree && pairs.all(agree)
    }

    fn merge(&mut self, more: Self) {
        self.partition_offset = self.partition_offset.or(more.partition_offset);
        self.free = self.free.or(more.free);
        self.total = self.total.or(more.total);
        self.wim = self.wim.or(more.wim);
        self.required = self.required.or(more.required);
        self.available = self.available.or(more.available);
        self.shortage = self.shortage.or(more.shortage);
        self.has_bitlocker |= more.has_bitlocker;
        self.last_line = more.last_line;
    }
}

fn shortage(text: &str) -> Option<Shortage> {
    match (contains(text, "not enough total"), contains(text, "not enough")) {
        (true, _) => Some(Shortage::Total),
        (false, true) => Some(Shortage::Free),
        (false, false) => None,
    }
}

/// Whether `text` has `word`, which is lower case, in any case.
pub(super) fn contains(text: &str, word: &str) -> bool {
    let mut windows = text.as_bytes().windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// The decimal numbers in `text` with what stands before each, back to the one before. Digits may be grouped by commas.
fn numbers(text: &str) -> Vec<(&str, u64)> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_group = |at: usize| {
        bytes.get(at) == Some(&b',') && (1..=3).all(|digit| is_digit(at + digit)) && !is_digit(at + 4)
    };
    let (mut found, mut label, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        if !is_digit(at) {
            at += 1;
            continue;
        }
        let begin = at;
        while is_digit(at) || is_group(at) {
            at += 1;
        }
        // Hexadecimal numbers are error codes.
        let is_part = begin > 0 && bytes.get(begin - 1).is_some_and(u8::is_ascii_alphanumeric);
        let digits = text.get(begin..at).unwrap_or_default().replace(',', "");
        if let (false, Ok(number), Some(before)) = (is_part, digits.parse(), text.get(label..begin)) {
            found.push((before, number));
        }
        label = at;
    }
    found
}

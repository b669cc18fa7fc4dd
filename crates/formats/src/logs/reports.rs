//! `ReportingEvents.log`: the history of Windows Update, a line of fields between tabs for each event.
//!
//! The fields: identifier of the entry, time with its zone, sequence number, number and name of the event
//! (`182 [AGENT_INSTALLATION_FAILED]`), category, identifier and revision of the update, HRESULT without `0x`, the
//! program that asked, `Success` or `Failure`, what was done, and a sentence in the language of the system which has
//! the title of the update. Older systems have fewer fields at the end.

use super::{LogTime, Tail, push_bounded};
use crate::kb_numbers;
use std::collections::VecDeque;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateReport {
    /// When it was.
    pub time: LogTime,
    /// Minutes by which that is ahead of UTC, if the line says so.
    pub utc_offset_minutes: Option<i16>,
    /// Number of the event.
    pub event_id: u32,
    /// Name of the event, without brackets.
    pub event_name: String,
    /// Number of the category.
    pub category: Option<u32>,
    /// Identifier of the update, as the line has it.
    pub update: String,
    /// The result: 0 for success.
    pub hresult: Option<u32>,
    /// The program that asked for it.
    pub caller: String,
    /// `Success` or `Failure`; not localised where it was seen.
    pub status: String,
    /// The sentence, with the title of the update.
    pub title: String,
    /// KB numbers in the title.
    pub kb_numbers: Vec<u32>,
    /// Byte of the file at which the line begins.
    pub offset: u64,
}

/// The newest events of those that `is_wanted` wants, oldest first.
pub fn update_reports(tail: &Tail, is_wanted: impl Fn(&UpdateReport) -> bool) -> Vec<UpdateReport> {
    let mut reports = VecDeque::new();
    for line in tail.lines() {
        if let Some(report) = UpdateReport::parse(&line.text, line.offset).filter(&is_wanted) {
            push_bounded(&mut reports, report);
        }
    }
    reports.into()
}

impl UpdateReport {
    fn parse(text: &str, offset: u64) -> Option<Self> {
        let mut fields = text.split('\t').map(str::trim);
        let time = fields.nth(1)?;
        let (time, rest) = LogTime::parse(time)?;
        let event = fields.nth(1)?;
        let (number, name) = event.split_once(' ').unwrap_or((event, ""));
        let mut next = || fields.next().unwrap_or_default();
        let (category, update, _revision, hresult) = (next(), next(), next(), next());
        let (caller, status, _action, title) = (next(), next(), next(), next());
        Some(Self {
            time,
            utc_offset_minutes: utc_offset(rest),
            event_id: number.parse().ok()?,
            event_name: name.trim_matches(['[', ']']).to_string(),
            category: category.parse().ok(),
            update: update.to_string(),
            hresult: u32::from_str_radix(hresult.trim_start_matches("0x"), 16).ok(),
            caller: caller.to_string(),
            status: status.to_string(),
            title: title.to_string(),
            kb_numbers: kb_numbers(title),
            offset,
        })
    }
}

/// The zone in what follows the seconds: `:123+0100`.
fn utc_offset(text: &str) -> Option<i16> {
    let at = text.find(['+', '-'])?;
    let (sign, digits) = text.get(at..)?.split_at_checked(1)?;
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i16 = digits.parse().ok()?;
    let minutes = number / 100 * 60 + number % 100;
    Some(if sign == "-" { -minutes } else { minutes })
}

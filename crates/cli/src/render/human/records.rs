//! What Windows has written down: the time at which what happened, what takes the room of the recovery volume, and where
//! it was looked.

use super::glyphs as g;
use super::names::Name;
use super::page::{MARGIN, Page, Span, Tone};
use winrefit_repair::report::{Report, SourceReport};
use winrefit_repair::text;
use winrefit_repair::text::{Bytes, Text};

/// Most entries of the timeline that are shown, the newest; the other forms of the report have all.
const ENTRIES_MAX: usize = 12;
/// Files of the recovery volume that are named.
const FILES_MAX: usize = 4;

/// Time as people read it: `2024-01-10 03:40 UTC`, from RFC 3339 in UTC.
pub fn minute(time: &str) -> String {
    match (time.get(..10), time.get(11..16)) {
        (Some(date), Some(minute)) => format!("{date} {minute} UTC"),
        _ => time.to_owned(),
    }
}

/// What happened, the oldest first.
pub fn timeline(page: &mut Page, report: &Report) {
    if report.timeline.is_empty() {
        return;
    }
    page.heading(text!("What Windows has recorded"));
    let earlier = report.timeline.len().saturating_sub(ENTRIES_MAX);
    if earlier > 0 {
        let words = text!(
            "{n} earlier ones are in the other forms of this report (--format)",
            n = earlier
        );
        page.paragraph(MARGIN, words, Tone::Quiet);
    }
    let several = report.windows.len() > 1;
    for entry in report.timeline.iter().skip(earlier) {
        let sign = match entry.kind {
            "failure" => Span::new(g::CROSS.to_string(), Tone::Bad),
            "success" => Span::new(g::CHECK.to_string(), Tone::Good),
            _ => Span::new(g::UNALLOCATED.to_string(), Tone::Quiet),
        };
        let lead = vec![
            Span::new(format!("{}  ", minute(&entry.time)), Tone::Quiet),
            sign,
            Span::new(" ", Tone::Plain),
        ];
        let what = if several {
            text!(
                "partition {number}: {what}",
                number = entry.partition,
                what = &entry.what
            )
        } else {
            entry.what.clone()
        };
        page.hanging(MARGIN, lead, what, Tone::Plain);
    }
    page.blank();
}

/// What takes the room of the recovery volume.
pub fn usage(page: &mut Page, report: &Report) {
    let Some(usage) = report
        .recovery
        .as_ref()
        .and_then(|recovery| recovery.usage.as_ref())
    else {
        return;
    };
    let item = |path: &str, bytes: u64| text!("{path} {size}", path, size = Bytes(bytes));
    let (named, rest) = usage.files.split_at(usage.files.len().min(FILES_MAX));
    let named = named.iter().map(|file| match file.is_winre {
        true => item(&file.path, file.bytes),
        false => text!("{file} (not part of WinRE)", file = item(&file.path, file.bytes)),
    });
    let mut items: Vec<Text> = named.collect();
    let other = rest
        .iter()
        .fold(usage.other_bytes, |sum, file| sum.saturating_add(file.bytes));
    if other > 0 {
        items.push(text!("other files {size}", size = Bytes(other)));
    }
    items.push(text!(
        "the file system itself {size}",
        size = Bytes(usage.metadata_bytes)
    ));
    page.entry(Some(Name::TakenBy), Text::listed(items));
}

/// Where it was looked, and where nothing could be found.
pub fn sources(page: &mut Page, report: &Report) {
    if report.sources.is_empty() {
        return;
    }
    let of = |states: &[&str]| -> Vec<Text> {
        let all = report
            .sources
            .iter()
            .filter(|source| states.contains(&source.state));
        // Several Windows have files of the same names.
        let mut names: Vec<&str> = Vec::new();
        for name in all.map(file_name) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.into_iter().map(Text::raw).collect()
    };
    page.blank();
    let read = of(&["read", "newest-part", "damaged"]);
    if !read.is_empty() {
        page.entry(Some(Name::Looked), Text::listed(read));
    }
    for (states, words) in [
        (&["newest-part"][..], text!("only the newest part")),
        (&["damaged"][..], text!("damaged in places")),
        (&["unreadable"][..], text!("cannot be read")),
    ] {
        let names = of(states);
        if !names.is_empty() {
            let names = Text::listed(names);
            page.entry(None, text!("{words}: {names}", words, names));
        }
    }
}

/// The last two parts of a path, which tell logs of one name apart.
fn file_name(source: &SourceReport) -> &str {
    let path = source.path.trim_start_matches('\\');
    let cut = path.rmatch_indices('\\').nth(1).map_or(0, |(at, _)| at + 1);
    path.get(cut..).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_none_is_shown_as_it_is() {
        assert_eq!(minute("2024-01-10T03:40:00Z"), "2024-01-10 03:40 UTC");
        assert_eq!(minute("soon"), "soon");
    }

    #[test]
    fn a_file_is_named_with_its_folder() {
        let named = |path: &str| {
            let source = SourceReport {
                partition: 3,
                path: path.to_owned(),
                state: "read",
                detail: Text::empty(),
            };
            file_name(&source).to_owned()
        };
        assert_eq!(named(r"\Windows\Panther\setupact.log"), r"Panther\setupact.log");
        assert_eq!(named(r"\pagefile.sys"), "pagefile.sys");
    }
}

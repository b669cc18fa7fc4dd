//! A real System log of Windows 10, event by event against python-evtx.

use super::*;
use crate::testing::{python, shared_packed};
use std::collections::{BTreeMap, BTreeSet};

/// Prints each event that python-evtx finds as one line of fields, in hexadecimal. It goes by the chunks' places, as
/// the file header of a log that was not closed is out of date.
const SCRIPT: &str = r#"
import sys, mmap
from Evtx.Evtx import ChunkHeader
import xml.etree.ElementTree as ET
NS = "{http://schemas.microsoft.com/win/2004/08/events/event}"
with open(sys.argv[1], "rb") as file:
    data = bytearray(file.read())
def show(*fields):
    print(" ".join((f or "").encode("utf-8").hex() or "-" for f in fields))
for at in range(4096, len(data), 65536):
    if data[at:at + 8] != b"ElfChnk\0":
        continue
    for record in ChunkHeader(data, at).records():
        event = ET.fromstring(record.xml())
        system = event.find(NS + "System")
        number = system.find(NS + "EventID")
        level = system.find(NS + "Level")
        show("event", str(record.record_num()), system.find(NS + "Provider").get("Name"), number.text,
             number.get("Qualifiers"), level.text if level is not None else None,
             str(record.unpack_qword(16)))
        for item in event.findall(NS + "EventData/*"):
            show("data", item.get("Name"), item.text)
        for item in event.iterfind(NS + "UserData//*"):
            if len(item) == 0:
                show("data", item.tag.split("}")[-1], item.text)
"#;

fn fixture() -> Option<Vec<u8>> {
    shared_packed("fixtures/evtx/System-win10-wuclient-19-43-44.evtx.xz")
}

/// What python-evtx says of the log.
fn oracle(bytes: &[u8]) -> Option<Vec<Event>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let printed = python("Evtx", SCRIPT, &[file.path().to_str().unwrap()])?;
    let mut events: Vec<Event> = Vec::new();
    for line in printed.lines() {
        let fields: Vec<String> = line.split(' ').map(text).collect();
        match fields[0].as_str() {
            "event" => events.push(Event {
                record_id: fields[1].parse().unwrap(),
                written: fields[6].parse().unwrap(),
                provider: fields[2].clone(),
                id: fields[3].parse().unwrap(),
                qualifiers: fields[4].parse().ok(),
                level: fields[5].parse().ok(),
                data: Vec::new(),
            }),
            _ => events
                .last_mut()
                .unwrap()
                .data
                .push((fields[1].clone(), fields[2].clone())),
        }
    }
    Some(events)
}

fn text(hex: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bytes = (0..hex.len() / 2).map(|at| byte(2 * at)).collect();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_real_log_is_read_as_its_facts_say() {
    let Some(bytes) = fixture() else { return };
    let wanted = [Wanted {
        provider: WU,
        ids: &[],
    }];
    let log = EventLog::read(&bytes, &wanted, Limits::default()).unwrap();
    assert_eq!(
        (log.records_seen, log.chunks, log.dirty, log.truncated),
        (1160, 11, true, false)
    );
    assert_eq!(damage(&log), []);
    let (mut counts, mut early) = (BTreeMap::new(), BTreeMap::new());
    for event in &log.events {
        *counts.entry(event.id).or_insert(0) += 1;
        if event.record_id <= 457 {
            *early.entry(event.id).or_insert(0) += 1;
        }
        assert!(event.get("updateTitle").is_some_and(|title| !title.is_empty()));
        assert!(
            event
                .get("updateGuid")
                .is_some_and(|guid| guid.starts_with('{') && guid.len() == 38)
        );
    }
    // Up to here the file header counts, which is out of date.
    assert_eq!(early, BTreeMap::from([(19, 23), (43, 22), (44, 23)]));
    assert_eq!(counts, BTreeMap::from([(19, 137), (20, 2), (43, 135), (44, 130)]));
    let failures = log.events.iter().filter(|event| event.id == 20);
    let codes: Vec<_> = failures.map(|event| event.get("errorCode").unwrap()).collect();
    assert_eq!(codes, ["0x8024001e", "0x8024001e"]);
    // From 6 July to 8 August 2018.
    let day = |time: Option<u64>| time.unwrap() / 864_000_000_000;
    assert_eq!((day(log.first_time), day(log.last_time)), (152_492, 152_525));
    assert!(
        log.events
            .windows(2)
            .all(|pair| pair[0].record_id < pair[1].record_id)
    );
    assert!(
        log.events
            .windows(2)
            .all(|pair| pair[0].written <= pair[1].written)
    );
}

#[test]
fn a_real_log_is_read_as_python_evtx_reads_it() {
    let Some(mut bytes) = fixture() else { return };
    // python-evtx takes its time. These chunks have events of every kind, failed installations among them.
    bytes.truncate(FIRST + 5 * CHUNK);
    let Some(expected) = oracle(&bytes) else { return };
    let providers: BTreeSet<&str> = expected.iter().map(|event| event.provider.as_str()).collect();
    let wanted: Vec<Wanted<'_>> = providers
        .iter()
        .map(|provider| Wanted { provider, ids: &[] })
        .collect();
    let limits = Limits {
        events_max: 10_000,
        ..Limits::default()
    };
    let log = EventLog::read(&bytes, &wanted, limits).unwrap();
    assert_eq!((log.events.len(), log.records_seen), (579, 579));
    assert_eq!(log.events.len(), expected.len());
    for (ours, theirs) in log.events.iter().zip(&expected) {
        let head = |event: &Event| Event {
            data: Vec::new(),
            ..event.clone()
        };
        assert_eq!(head(ours), head(theirs));
        // These it shows in another way altogether.
        let is_shown_otherwise = |(_, text): &(String, String)| text.starts_with("<string>");
        if ours.get("Binary").is_some() || theirs.data.iter().any(is_shown_otherwise) {
            continue;
        }
        let exact = ours.provider == WU;
        let is_same = |(ours, theirs): (&(String, String), &(String, String))| {
            ours.0 == theirs.0 && (ours.1 == theirs.1 || !exact && are_alike(&ours.1, &theirs.1))
        };
        assert_eq!(ours.data.len(), theirs.data.len());
        assert!(
            ours.data.iter().zip(&theirs.data).all(is_same),
            "{ours:?}\n{theirs:?}"
        );
    }
}

/// Whether two texts differ only in what Windows shows as winrefit does: leading zeros of hexadecimal numbers, letters'
/// case in truth values, the form of times, and bytes, which python-evtx shows in base 64.
fn are_alike(ours: &str, theirs: &str) -> bool {
    let padding = theirs.bytes().rev().take_while(|&byte| byte == b'=').count();
    let are_bytes = theirs.len().is_multiple_of(4) && theirs.len() / 4 * 3 - padding == ours.len() / 2;
    shown(ours) == shown(theirs) || are_bytes && ours.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn shown(text: &str) -> String {
    let number = text
        .strip_prefix("0x")
        .and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let is_time = text.len() >= 25 && text.get(13..14) == Some(":");
    match (number, is_time) {
        (Some(number), _) => format!("{number:#x}"),
        (None, true) => text[..19].replace('T', " "),
        _ => text.to_lowercase(),
    }
}

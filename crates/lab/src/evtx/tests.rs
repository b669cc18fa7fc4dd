use super::*;
use crate::oracle;
use crate::time::at;
use uuid::{Uuid, uuid};

const NAME: LogName = LogName {
    channel: "System",
    computer: "LAB",
};
const CLIENT: Uuid = uuid!("945a8954-c147-4acd-923f-40c45405a658");

fn event(provider: Provider, id: u16, payload: Payload) -> Event {
    Event {
        time: at(2024, 1, 10, 3, 12),
        provider,
        id,
        qualifiers: None,
        version: 1,
        level: 2,
        task: 1,
        opcode: 13,
        keywords: 0x8000_0000_0000_0028,
        activity: None,
        process: (1234, 5678),
        by_system: true,
        payload,
    }
}

/// One event of every kind of provider and payload.
fn samples() -> Vec<Event> {
    let client = Provider::Manifest {
        name: "Microsoft-Windows-WindowsUpdateClient",
        guid: CLIENT,
    };
    let failure = vec![
        ("errorCode", Value::HexInt32(0x8007_0643)),
        (
            "updateTitle",
            Value::Text("Sicherheitsupdate f\u{fc}r <x64> & \u{4e2d}\u{6587}".into()),
        ),
        ("updateGuid", Value::Guid(Uuid::from_u128(7))),
        ("updateRevisionNumber", Value::UInt32(200)),
        ("phase", Value::Int32(-2_147_024_784)),
        ("time", Value::FileTime(at(2022, 3, 1, 12, 0))),
    ];
    let manager = Provider::ManifestSource {
        name: "Service Control Manager",
        guid: "{555908d1-a6d7-4695-8e1e-26931d2012f4}",
        source: "Service Control Manager",
    };
    let running = vec![
        ("param1", Value::Text("Windows Update".into())),
        ("", Value::Binary(vec![1, 2, 3])),
    ];
    let strings = Payload::Strings {
        strings: vec!["first".into(), String::new(), "(NULL)".into()],
        binary: vec![0xAB, 0xCD],
    };
    vec![
        Event {
            activity: Some(Uuid::from_u128(9)),
            ..event(client, 20, Payload::Named(failure))
        },
        event(client, 4500, Payload::Empty),
        event(
            client,
            35,
            Payload::Titled {
                title: "TMP_EVENT_TIME_SOURCE_CHOSEN",
                fields: vec![("CurrentStratumNumber", Value::UInt32(3))],
            },
        ),
        Event {
            qualifiers: Some(16_384),
            by_system: false,
            ..event(manager, 7036, Payload::Named(running))
        },
        Event {
            qualifiers: Some(0),
            ..event(Provider::Classic { name: "MsiInstaller" }, 11_708, strings)
        },
    ]
}

/// A log of `count` events: the samples over and over.
fn log(count: usize, dirty: bool) -> Vec<u8> {
    let mut writer = LogWriter::new(NAME, dirty);
    samples()
        .iter()
        .cycle()
        .take(count)
        .for_each(|event| writer.push(event));
    writer.finish()
}

/// What the crate `evtx` makes of a log: the number and the XML of each record. It checks the sums.
fn read(log: &[u8]) -> Vec<(u64, String)> {
    let settings = evtx::ParserSettings::new().validate_checksums(true).indent(false);
    let mut parser = evtx::EvtxParser::from_buffer(log.to_vec())
        .unwrap()
        .with_configuration(settings);
    parser
        .records()
        .map(|record| record.unwrap())
        .map(|record| (record.event_record_id, record.data))
        .collect()
}

#[test]
fn another_reader_finds_every_value() {
    let records = read(&log(5, false));
    let numbers: Vec<u64> = records.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    let expected: [&[&str]; 5] = [
        &[
            r#"<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>"#,
            r#"<Provider Name="Microsoft-Windows-WindowsUpdateClient" Guid="{945a8954-c147-4acd-923f-40c45405a658}"/>"#,
            "<EventID>20</EventID><Version>1</Version><Level>2</Level><Task>1</Task><Opcode>13</Opcode>",
            "<Keywords>0x8000000000000028</Keywords>",
            "<TimeCreated SystemTime=\"2024-01-10T03:12:00.0000000Z\"/>",
            "<EventRecordID>1</EventRecordID>",
            "<Correlation ActivityID=\"{00000000-0000-0000-0000-000000000009}\"/>",
            "<Execution ProcessID=\"1234\" ThreadID=\"5678\"/>",
            "<Channel>System</Channel><Computer>LAB</Computer><Security UserID=\"S-1-5-18\"/>",
            "<EventData><Data Name=\"errorCode\">0x80070643</Data>",
            "Sicherheitsupdate f\u{fc}r &lt;x64&gt; &amp; \u{4e2d}\u{6587}</Data>",
            "<Data Name=\"updateGuid\">{00000000-0000-0000-0000-000000000007}</Data>",
            "<Data Name=\"updateRevisionNumber\">200</Data><Data Name=\"phase\">-2147024784</Data>",
            "<Data Name=\"time\">2022-03-01T12:00:00.0000000Z</Data></EventData></Event>",
        ],
        &["<EventID>4500</EventID>", "<EventData/>"],
        &[
            "<EventData Name=\"TMP_EVENT_TIME_SOURCE_CHOSEN\"><Data Name=\"CurrentStratumNumber\">3</Data></EventData>",
        ],
        &[
            r#"<Provider Name="Service Control Manager" Guid="{555908d1-a6d7-4695-8e1e-26931d2012f4}" EventSourceName="Service Control Manager"/>"#,
            "<EventID Qualifiers=\"16384\">7036</EventID>",
            "<Data Name=\"param1\">Windows Update</Data><Binary>010203</Binary>",
        ],
        &[
            "<Provider Name=\"MsiInstaller\"/>",
            "<EventID Qualifiers=\"0\">11708</EventID><Level>2</Level>",
            "<Channel>System</Channel>",
            "first",
            "(NULL)",
            "<Binary>ABCD</Binary>",
        ],
    ];
    for ((_, xml), parts) in records.iter().zip(expected) {
        for part in parts {
            assert!(xml.contains(part), "{part} is not in\n{xml}");
        }
    }
    assert!(!records[3].1.contains("S-1-5-18"));
}

#[test]
fn chunks_follow_each_other_and_none_is_overfull() {
    let bytes = log(5000, false);
    let chunks = (bytes.len() - HEADER_BYTES) / CHUNK_BYTES;
    assert!(chunks > 10);
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!((number(16), number(24)), (chunks as u64 - 1, 5001));
    let mut next = 1;
    for chunk in 0..chunks {
        let at = HEADER_BYTES + chunk * CHUNK_BYTES;
        assert_eq!(number(at + 8), next);
        next = number(at + 16) + 1;
        let free = u32::from_le_bytes(bytes[at + 48..at + 52].try_into().unwrap()) as usize;
        assert!(
            free <= CHUNK_BYTES && (free > 60_000 || chunk + 1 == chunks),
            "{free}"
        );
        assert!(bytes[at + free..at + CHUNK_BYTES].iter().all(|byte| *byte == 0));
    }
    assert_eq!(next, 5001);
    let numbers: Vec<u64> = read(&bytes).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, Vec::from_iter(1..=5000));
}

/// Every name and template is in the bucket where Windows looks for it, and its chain ends.
#[test]
fn names_and_templates_are_found_by_their_hashes() {
    let bytes = log(5, false);
    let chunk = &bytes[HEADER_BYTES..][..CHUNK_BYTES];
    let u32_at = |at: usize| u32::from_le_bytes(chunk[at..at + 4].try_into().unwrap());
    let chain = |table: usize, bucket: usize| {
        let first = Some(u32_at(table + 4 * bucket)).filter(|at| *at != 0);
        std::iter::successors(first, |at| Some(u32_at(*at as usize)).filter(|next| *next != 0))
    };
    let mut names = Vec::new();
    for bucket in 0..64 {
        for at in chain(128, bucket) {
            let hash = u16::from_le_bytes(chunk[at as usize + 4..][..2].try_into().unwrap());
            assert_eq!(usize::from(hash) % 64, bucket);
            names.push(hash);
        }
    }
    // The hashes of "Event", "Name", "Guid" and "EventID" as a log of Windows 10 has them.
    for known in [0x0CBA, 0x954B, 0x1529, 0x61F5] {
        assert!(names.contains(&known), "{known:#x}");
    }
    let templates: usize = (0..32).map(|bucket| chain(384, bucket).count()).sum();
    assert_eq!(templates, 8);
}

#[test]
fn a_dirty_log_says_so_and_its_newest_records_are_there() {
    let bytes = log(2000, true);
    assert_eq!(bytes[120], 1);
    let counted = u64::from_le_bytes(bytes[24..32].try_into().unwrap());
    assert!(counted < 2000);
    assert_eq!(read(&bytes).len(), 2000);
    assert_eq!(log(2000, false)[120], 0);
}

/// A program for python-evtx: what each record of a log says, by the header's count of chunks.
const PRINT: &str = "
import sys
import Evtx.Evtx as evtx
with evtx.Evtx(sys.argv[1]) as log:
    assert log.get_file_header().verify()
    for chunk in log.chunks():
        assert chunk.verify()
        for record in chunk.records():
            assert record.verify()
            print(record.record_num(), ' '.join(record.xml().split()))
";

#[test]
fn python_evtx_reads_every_record() {
    let file = oracle::TempFile::new("System.evtx", &log(400, false));
    let Some(printed) = oracle::python(&["Evtx"], PRINT, &[file.path()]) else {
        return;
    };
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 400);
    for (line, parts) in lines.iter().zip([
        &[
            "1 <Event",
            "<Data Name=\"errorCode\">0x80070643</Data>",
            "ActivityID=\"{00000000",
        ][..],
        &[
            "2 <Event",
            "<EventID Qualifiers=\"\">4500</EventID>",
            "2024-01-10 03:12:00",
        ],
        &[
            "3 <Event",
            "<EventData Name=\"TMP_EVENT_TIME_SOURCE_CHOSEN\"><Data Name=",
        ],
        &[
            "4 <Event",
            "7036</EventID>",
            "<Data Name=\"param1\">Windows Update</Data>",
        ],
        &["5 <Event", "11708</EventID>", "first", "<Binary>q80=</Binary>"],
    ]) {
        for part in parts {
            assert!(line.contains(part), "{part} is not in\n{line}");
        }
    }
}

#[test]
fn a_large_log_is_made_in_about_a_second() {
    let start = std::time::Instant::now();
    let mut writer = LogWriter::new(NAME, false);
    let samples = samples();
    let mut events = samples.iter().cycle();
    while writer.size_bytes() < 20 << 20 {
        writer.push(events.next().unwrap());
    }
    assert_eq!(writer.finish().len() as u64, HEADER_BYTES as u64 + (20 << 20));
    // A bound that a loaded machine keeps, too; unloaded it takes some tenths of a second.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

//! How long a large event log takes: `cargo run --release -p winrefit-formats --example evtx_speed -- LOG [MIB]`.
//!
//! The chunks of LOG are repeated, with record identifiers that go on, until they fill MIB mebibytes (20 if not given).

use std::time::Instant;
use winrefit_formats::evtx::{EventLog, Limits, Wanted};

const HEADER_BYTES: usize = 4096;
const CHUNK_BYTES: usize = 64 << 10;

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("the path of an event log");
    let mib: usize = args
        .next()
        .map_or(20, |mib| mib.parse().expect("a number of mebibytes"));
    let log = repeated(&std::fs::read(path).expect("the log cannot be read"), mib << 20);
    let wanted = [
        (
            "updates",
            vec![
                Wanted {
                    provider: "Microsoft-Windows-WindowsUpdateClient",
                    ids: &[19, 20, 43, 44],
                },
                Wanted {
                    provider: "Microsoft-Windows-WinREAgent",
                    ids: &[],
                },
            ],
        ),
        (
            "failed installations",
            vec![Wanted {
                provider: "Microsoft-Windows-WindowsUpdateClient",
                ids: &[20],
            }],
        ),
        (
            "a provider that is not there",
            vec![Wanted {
                provider: "Microsoft-Windows-WinREAgent",
                ids: &[],
            }],
        ),
        (
            "every mention of Windows",
            vec![Wanted {
                provider: "Windows",
                ids: &[],
            }],
        ),
    ];
    for (what, wanted) in wanted {
        for events_max in [1000, 100_000] {
            let limits = Limits {
                events_max,
                ..Limits::default()
            };
            let times = [(); 5].map(|()| {
                let start = Instant::now();
                let read = EventLog::read(&log, &wanted, limits).expect("an event log");
                (
                    start.elapsed(),
                    read.events.len(),
                    read.records_seen,
                    read.damage.len() + read.damage_omitted,
                )
            });
            let (time, events, records, damage) = times.iter().min().expect("five times");
            println!(
                "{what}, at most {events_max}: {time:?}, {events} events of {records} records, {damage} damages"
            );
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!(
        "log {} KiB, process {}",
        log.len() >> 10,
        peak.unwrap_or("VmHWM: not known")
    );
}

fn repeated(log: &[u8], size: usize) -> Vec<u8> {
    let chunks: Vec<&[u8]> = log[HEADER_BYTES..]
        .chunks_exact(CHUNK_BYTES)
        .filter(|chunk| chunk.starts_with(b"ElfChnk\0"))
        .collect();
    let mut all = log[..HEADER_BYTES].to_vec();
    let mut next = 1u64;
    for chunk in chunks.iter().cycle() {
        if all.len() + CHUNK_BYTES > size {
            return all;
        }
        let mut chunk = chunk.to_vec();
        let mut at = 512;
        let first = next;
        while chunk[at..].starts_with(&[0x2a, 0x2a, 0, 0]) {
            chunk[at + 8..at + 16].copy_from_slice(&next.to_le_bytes());
            let size = chunk[at + 4..at + 8]
                .try_into()
                .map(u32::from_le_bytes)
                .expect("4 bytes");
            at += size as usize;
            next += 1;
        }
        for (at, id) in [(8, first), (16, next - 1), (24, first), (32, next - 1)] {
            chunk[at..at + 8].copy_from_slice(&id.to_le_bytes());
        }
        let free = chunk[48..52].try_into().map(u32::from_le_bytes).expect("4 bytes");
        let sum = crc32fast::hash(&chunk[512..free as usize]);
        chunk[52..56].copy_from_slice(&sum.to_le_bytes());
        let mut sum = crc32fast::Hasher::new();
        sum.update(&chunk[..120]);
        sum.update(&chunk[128..512]);
        chunk[124..128].copy_from_slice(&sum.finalize().to_le_bytes());
        all.extend(chunk);
    }
    all
}

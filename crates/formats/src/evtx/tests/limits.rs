//! What is read of large logs, and of media with errors.

use super::*;
use winrefit_disk::DiskError;

fn many() -> Vec<u8> {
    let event = spec(RE, 4502, 2, "again");
    // As in a log that has wrapped around: the newest chunk is the second.
    let first_ids = [9, 13, 1, 5];
    log(&first_ids.map(|id| chunk(id, &vec![event.clone(); 4])))
}

#[test]
fn the_newest_events_are_kept_in_whatever_order_the_chunks_lie() {
    for (events_max, first) in [(16, 1), (6, 11), (1, 16), (4, 13)] {
        let limits = Limits {
            events_max,
            ..Limits::default()
        };
        let log = EventLog::read(&many(), FAILURES, limits).unwrap();
        assert_eq!(ids(&log), (first..=16).collect::<Vec<_>>());
        assert_eq!((log.truncated, log.records_seen), (events_max < 16, 16));
        assert_eq!(log.first_time, Some(time(1)));
    }
    let limits = Limits {
        events_max: 0,
        ..Limits::default()
    };
    assert!(EventLog::read(&many(), FAILURES, limits).unwrap().truncated);
}

#[test]
fn the_newest_chunks_are_read_if_not_all_may_be() {
    let limits = Limits {
        bytes_max: 2 * CHUNK as u64 + 1,
        ..Limits::default()
    };
    let log = EventLog::read(&many(), FAILURES, limits).unwrap();
    assert_eq!(
        (ids(&log), log.truncated, log.chunks),
        ((9..=16).collect(), true, 2)
    );
    assert_eq!(log.first_time, Some(time(9)));
}

/// A file with a medium error in one range.
struct Torn(Vec<u8>, std::ops::Range<u64>);

impl ReadAt for Torn {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let length = buf.len() as u64;
        if offset < self.1.end && self.1.start < offset + length {
            let device_len = self.size();
            return Err(DiskError::OutOfBounds {
                offset,
                length,
                device_len,
            });
        }
        self.0.read_at(offset, buf)
    }
}

#[test]
fn a_chunk_that_cannot_be_read_leaves_the_others() {
    let second = (FIRST + CHUNK) as u64;
    // In the chunk's header, and behind it.
    for at in [second, second + 1000] {
        let torn = Torn(many(), at..at + 1);
        let log = EventLog::read(&torn, FAILURES, Limits::default()).unwrap();
        assert_eq!(ids(&log), (1..=12).collect::<Vec<_>>());
        assert!(damage(&log).contains(&(Some(1), "unreadable")));
    }
    assert!(EventLog::read(&Torn(many(), 0..1), FAILURES, Limits::default()).is_err());
}

#[test]
fn notes_of_damage_are_counted_beyond_their_limit() {
    let broken = chunk(1, &[spec(RE, 1, 0, "")]);
    let mut chunks = vec![broken; 100];
    chunks.iter_mut().for_each(|chunk| chunk[200] ^= 1);
    let log = read(&log(&chunks));
    assert_eq!(
        (log.damage.len(), log.damage_omitted),
        (DAMAGE_MAX, 100 - DAMAGE_MAX)
    );
    assert_eq!(log.events.len(), 100);
}

#[test]
fn a_crowd_of_one_group_leaves_the_room_of_another() {
    let rare = spec(RE, 4501, 2, "rare");
    let crowd = vec![spec(RE, 4502, 2, "again"); 4];
    let log = log(&[chunk(1, &[rare]), chunk(2, &crowd), chunk(6, &crowd)]);
    let [rare, crowd] = [&[4501][..], &[4502]].map(|ids| [Wanted { provider: RE, ids }]);
    let group = |wanted, events_max| Group { wanted, events_max };
    let read = |crowd_max| {
        let groups = [group(&rare[..], 1), group(&crowd[..], crowd_max)];
        EventLog::read_groups(&log, &groups, Limits::default().bytes_max).unwrap()
    };
    for (crowd_max, kept, cut) in [
        (8, &[1, 2, 3, 4, 5, 6, 7, 8, 9][..], false),
        (3, &[1, 7, 8, 9], true),
    ] {
        let read = read(crowd_max);
        assert_eq!(ids(&read), kept);
        assert_eq!((&read.cut[..], read.truncated), (&[false, cut][..], false));
    }
}

#[test]
fn the_newest_events_that_fit_into_memory_are_kept() {
    // Three bytes for each character, 29,000 of which fill a chunk.
    let title = "\u{9519}".repeat(29_000);
    let count = 230u64;
    let chunks: Vec<_> = (1..=count)
        .map(|id| chunk(id, &[spec(RE, 4502, 2, &title)]))
        .collect();
    let log = EventLog::read(&log(&chunks), FAILURES, Limits::default()).unwrap();
    let kept: usize = log.events.iter().map(Event::kept_bytes).sum();
    assert!(
        (KEPT_BYTES_MAX - 100_000..=KEPT_BYTES_MAX).contains(&kept),
        "{kept}"
    );
    let first = count + 1 - log.events.len() as u64;
    assert!(first > 1 && log.truncated);
    assert_eq!(ids(&log), (first..=count).collect::<Vec<_>>());
}

//! The matrix against itself: protocols that are broken on purpose are found, by the log and by the states.

use super::cases::{data, shrink};
use super::common::{WINDOWS, compare};
use super::declared::{Work, check, works};
use super::judge::is_harmful;
use super::matrix::{Matrix, Tally};
use winrefit_disk::{Event, Lba, MemoryDevice, SectorSize};
use winrefit_formats::gpt::types;
use winrefit_formats::{Guid, LbaRange, Partition, PartitionName, read_gpt};

/// An honest log and what it says.
struct Honest {
    old: MemoryDevice,
    events: Vec<Event>,
    works: Vec<Work>,
}

fn honest() -> Honest {
    let case = shrink();
    let events = case.repaired().1;
    let works = works(&case.old, &events).unwrap();
    assert_eq!(works.len(), 1);
    Honest {
        old: case.old,
        events,
        works,
    }
}

impl Honest {
    fn work(&self) -> &Work {
        &self.works[0]
    }

    /// What the log of a changed protocol says of itself, and what its states come to.
    fn broken(&self, change: impl FnOnce(&mut Vec<Event>, &Work)) -> (Result<(), String>, Tally) {
        let mut events = self.events.clone();
        change(&mut events, self.work());
        let said = works(&self.old, &events).and_then(|works| {
            let all = works.iter().try_for_each(|work| check(work, &events));
            all.and(if works.len() == 1 {
                Ok(())
            } else {
                Err("works".to_owned())
            })
        });
        let mut matrix = Matrix::of(&self.old, &events, Ok(&self.works), &self.events);
        (said, matrix.run(400, 1, "broken"))
    }
}

/// What a log that breaks a rule is told, and that its states show it.
fn assert_found(broken: (Result<(), String>, Tally), rule: &str) {
    let (said, tally) = broken;
    let said = said.unwrap_err();
    assert!(said.contains(rule), "{said}");
    assert!(!tally.failures.is_empty(), "{rule}: no state shows it");
}

#[test]
fn an_honest_log_is_found_good() {
    let (said, tally) = honest().broken(|_, _| ());
    assert_eq!((said, tally.failures), (Ok(()), Vec::new()));
}

#[test]
fn a_record_without_a_flush_behind_it_is_found() {
    let broken = honest().broken(|events, work| {
        assert_eq!(events.remove(work.record + 1), Event::Flush);
    });
    assert_found(broken, "not alone between two flushes");
}

#[test]
fn a_record_without_a_flush_before_it_is_found() {
    let broken = honest().broken(|events, work| {
        assert_eq!(events.remove(work.record - 1), Event::Flush);
    });
    assert_found(broken, "not alone between two flushes");
}

#[test]
fn a_record_before_the_body_is_found() {
    let broken = honest().broken(|events, work| {
        let record: Vec<Event> = events.drain(work.record..work.record + 2).collect();
        events.splice(2..2, record);
    });
    assert_found(broken, "the journal's body");
}

#[test]
fn a_write_in_place_before_the_record_is_found() {
    let broken = honest().broken(|events, work| {
        let write = events[work.record + 2].clone();
        events.insert(work.record - 1, write);
    });
    assert_found(broken, "in place before the commit record");
}

#[test]
fn a_write_behind_the_end_is_found() {
    let honest = honest();
    let at = compare::table(&honest.old)
        .table
        .entry(WINDOWS - 2)
        .unwrap()
        .range
        .start
        .0
        * 512;
    let broken = honest.broken(|events, _| {
        let data = vec![7; 512];
        events.push(Event::Write {
            offset: at + 512,
            data,
        });
    });
    assert_found(broken, "the log ends");
}

#[test]
fn a_write_that_was_not_declared_is_found() {
    let broken = honest().broken(|events, work| match &mut events[work.record + 2] {
        Event::Write { data, .. } => data[3] ^= 1,
        Event::Flush => panic!("a write"),
    });
    assert_found(broken, "no image of the journal");
}

#[test]
fn a_write_that_never_comes_is_found() {
    let (_, tally) = honest().broken(|events, work| {
        let last = (0..work.done - 1)
            .rfind(|at| events[*at] != Event::Flush)
            .unwrap();
        events.remove(last);
    });
    assert!(!tally.failures.is_empty());
}

/// The journal heals what phases keep usable in the meantime; without their flushes other flaws are met than those that
/// the runs name.
#[test]
fn phases_without_flushes_are_found() {
    let (said, tally) = honest().broken(|events, work| {
        let mut at = 0;
        events.retain(|event| {
            at += 1;
            *event != Event::Flush || !(work.record + 2..work.done - 1).contains(&(at - 1))
        });
    });
    assert!(said.unwrap_err().contains("without a flush between them"));
    let harmful: Vec<&String> = tally.unclean.keys().filter(|flaw| is_harmful(flaw)).collect();
    assert!(harmful.len() > 2, "{harmful:?}");
}

#[test]
fn a_copy_to_a_place_in_use_is_found() {
    let case = data();
    let (new, events) = case.repaired();
    let mut works = works(&case.old, &events).unwrap();
    check(&works[0], &events).unwrap();
    // On the repaired disk the copies are what counts.
    works[0].start = new;
    let said = check(&works[0], &events).unwrap_err();
    assert!(said.contains("in use in the old state"), "{said}");
}

/// What a longer journal left is the journal's to clear only where no partition lies by now.
#[test]
fn a_leftover_that_is_cleared_out_of_a_partition_is_found() {
    let Honest {
        old,
        mut events,
        works,
    } = honest();
    let at = works[0].header.gap().end;
    let data = vec![0; 512];
    // Before the flush that ends the body.
    events.insert(works[0].record - 1, Event::Write { offset: at, data });
    let mut works = super::declared::works(&old, &events).unwrap();
    let said = check(&works[0], &events).unwrap_err();
    assert!(said.contains("written in place before"), "{said}");
    works[0].cleared.end += 512;
    check(&works[0], &events).unwrap();

    let mut gpt = read_gpt(&old, SectorSize::B512).unwrap().usable().unwrap();
    gpt.add(Partition {
        number: 9,
        type_guid: types::LINUX_FILESYSTEM_GUID,
        unique_guid: Guid::from_u128(99),
        range: LbaRange::new(Lba(at / 512), Lba(at / 512 + 1)),
        attributes: 0,
        name: PartitionName::new("data").unwrap(),
    })
    .unwrap();
    gpt.write(&mut works[0].start).unwrap();
    let said = check(&works[0], &events).unwrap_err();
    assert!(said.contains("is taken by the partition"), "{said}");
}

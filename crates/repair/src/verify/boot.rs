//! Whether Windows can start its recovery environment: the boot store, followed from the boot manager to the image.

use super::{item, noted_item};
use crate::boot::{BootStore, FileFact, Outcome, agrees, element_name, hex, outcome, partition_text};
use crate::observation::{Observation, Windows};
use crate::report::VerificationItem;
use crate::text;
use crate::text::{Bytes, Text};
use crate::winre::{State, state};
use winrefit_formats::bcd::Reference;

/// Elements that are named where they are not understood.
const UNKNOWN_NAMED_MAX: usize = 3;

/// The stores of a disk by themselves, and the ways in them.
pub(super) fn of_disk(observation: &Observation) -> Vec<VerificationItem> {
    if observation.boot_stores.is_empty() {
        let what = text!("there is none on this disk, so what starts this Windows was not followed");
        let is_any = !observation.windows.is_empty();
        return is_any
            .then(|| item(text!("Boot store"), true, what))
            .into_iter()
            .collect();
    }
    let stores = observation.boot_stores.iter();
    let stores = stores.map(|store| match observation.is_leftover(store) {
        true => leftover_item(store),
        false => store_item(observation, store),
    });
    let ways = ways(observation).map(|way| way_item(observation, &way));
    stores.chain(ways).collect()
}

/// A way in one store, for one Windows.
struct Way<'o> {
    store: &'o BootStore,
    windows: &'o Windows,
    outcome: Outcome,
}

/// Where a way is looked for: Windows that has a recovery environment, as far as is known, and what may start it.
fn ways(observation: &Observation) -> impl Iterator<Item = Way<'_>> {
    let expecting = observation
        .windows
        .iter()
        .filter(|windows| !matches!(state(observation, windows), State::Disabled | State::Unknown));
    expecting.flat_map(move |windows| {
        let stores = observation.boot_stores.iter();
        let readable = stores
            .filter(|store| observation.may_start(store, windows))
            .filter_map(|store| Some((store, store.readable()?)));
        readable.map(move |(store, content)| Way {
            store,
            windows,
            outcome: outcome(observation, content, windows),
        })
    })
}

fn store_what(store: &BootStore) -> Text {
    text!("Boot store on partition {number}", number = store.partition)
}

/// What it says counts for nothing.
fn leftover_item(store: &BootStore) -> VerificationItem {
    let nothing = text!("a leftover: nothing starts from it, the active partition has its own");
    item(
        store_what(store),
        true,
        Text::facts([Text::raw(store.path), nothing]),
    )
}

fn store_item(observation: &Observation, store: &BootStore) -> VerificationItem {
    let what = store_what(store);
    let content = match &store.content {
        Ok(content) => content,
        Err(problem) => {
            return item(
                what,
                false,
                text!("{path}: {problem}", path = store.path, problem),
            );
        }
    };
    let mut detail = vec![Text::raw(store.path)];
    detail.extend(store.reading());
    detail.push(match &content.default_loader {
        Ok(id) => text!("starts {id} unless told otherwise", id = id.to_string()),
        Err(error) => Text::quoted(error),
    });
    let path = store.boot_manager_path;
    detail.push(match &store.boot_manager {
        FileFact::Present(size_bytes) => {
            text!("{path} is there, {size}", path, size = Bytes(*size_bytes))
        }
        FileFact::Missing => text!("{path} is not beside it", path),
        FileFact::Unreadable(problem) => text!("{path} cannot be read: {problem}", path, problem),
        FileFact::NotLooked => text!("{path} was not looked for", path),
    });
    let unknown = content.bcd.unknown_devices();
    if !unknown.is_empty() {
        let text = |e: &Reference| {
            text!(
                "element {element} of object {object}",
                element = hex(e.element_type),
                object = e.object.to_string()
            )
        };
        let named = Text::listed(unknown.iter().take(UNKNOWN_NAMED_MAX).map(text));
        detail.push(text!(
            "{count} not understood: {elements}",
            count = unknown.len(),
            elements = named
        ));
    }
    let ok = content.default_loader.is_ok() && !observation.lacks_boot_manager(store);
    let is_lacking = matches!(store.boot_manager, FileFact::Missing | FileFact::Unreadable(_));
    noted_item(is_lacking, item(what, ok, Text::facts(detail)))
}

fn what(way: &Way<'_>) -> Text {
    text!(
        "Boot chain to WinRE of Windows on partition {number}",
        number = way.windows.partition
    )
}

fn way_item(observation: &Observation, way: &Way<'_>) -> VerificationItem {
    let mut ok = is_no_failure(&way.outcome);
    let mut facts = vec![text(&way.outcome)];
    if let Outcome::Whole { partition, path } = &way.outcome
        && !agrees(observation, way.windows, *partition, path)
    {
        ok = false;
        facts.push(match (way.windows.recovery_partition, way.windows.image_path()) {
            (Some(named), Some(image)) => {
                text!("but ReAgent.xml names {image} on partition {named}", image, named)
            }
            _ => text!("but ReAgent.xml names a place where no partition begins"),
        });
    }
    noted_item(
        is_unknown(&way.outcome),
        item(what(way), ok, in_store(way.store, Text::facts(facts))),
    )
}

/// What is said of a store.
fn in_store(store: &BootStore, said: Text) -> Text {
    text!("{place}: {said}", place = store.place(), said)
}

/// What is not followed is no failure, nor is what is not this disk's.
fn is_no_failure(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Broken(_))
}

/// Whether the way does not lead to WinRE, or whether it does is not known.
fn is_unknown(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Whole { .. } | Outcome::OtherDisk(_))
}

fn text(outcome: &Outcome) -> Text {
    match outcome {
        Outcome::Whole { partition, path } => {
            text!("leads to {path} on partition {partition}", path, partition)
        }
        Outcome::NotInStore => text!("none of its loaders starts this Windows"),
        Outcome::OtherDisk(named) => text!(
            "leads to {named}, which is not on this disk, as in ReAgent.xml",
            named = partition_text(named)
        ),
        Outcome::NotFollowed { object, element } => text!(
            "not followed behind element {element} ({purpose}) of object {object}, which is not of a form that is \
             read here",
            element = hex(*element),
            purpose = element_name(*element),
            object = object.to_string()
        ),
        Outcome::Broken(broken) => text!("ends early: {broken}", broken = broken.text()),
    }
}

/// The ways after a repair: whole where they were whole, to the same partition; and no other than before elsewhere.
pub(super) fn kept(before: &Observation, after: &Observation) -> Vec<VerificationItem> {
    let new: Vec<Way<'_>> = ways(after).collect();
    let mut items = Vec::new();
    for old in ways(before) {
        let same = new.iter().find(|new| {
            (new.store.partition, new.store.path, new.windows.partition)
                == (old.store.partition, old.store.path, old.windows.partition)
        });
        let is_same = same.is_some_and(|new| new.outcome == old.outcome);
        let now = same.map_or(text!("the boot store cannot be read any more"), |new| {
            text(&new.outcome)
        });
        let detail = match (is_same, is_no_failure(&old.outcome)) {
            (true, true) => now,
            (true, false) => text!("as before the repair, {now}", now),
            (false, _) => Text::facts([
                now,
                text!("before the repair: {outcome}", outcome = text(&old.outcome)),
            ]),
        };
        let kept = item(what(&old), is_same, in_store(old.store, detail));
        items.push(noted_item(is_unknown(&old.outcome), kept));
    }
    items
}

//! Whether Windows can start its recovery environment: the boot store, followed from the boot manager to the image.

use super::item;
use crate::boot::{BootStore, FileFact, Outcome, agrees, element_name, outcome};
use crate::explain::size;
use crate::observation::{Observation, Windows};
use crate::report::VerificationItem;
use crate::winre::{State, state};
use winrefit_formats::bcd::Reference;

/// Elements that are named where they are not understood.
const UNKNOWN_NAMED_MAX: usize = 3;

/// The stores of a disk by themselves, and the ways in them.
pub(super) fn of_disk(observation: &Observation) -> Vec<VerificationItem> {
    if observation.boot_stores.is_empty() {
        let what = "there is none on this disk, so what starts this Windows was not followed";
        let is_any = !observation.windows.is_empty();
        return is_any
            .then(|| item("Boot store", true, what))
            .into_iter()
            .collect();
    }
    let stores = observation.boot_stores.iter().map(store_item);
    let ways = ways(observation).map(|way| way_item(observation, &way));
    stores.chain(ways).collect()
}

/// A way in one store, for one Windows.
struct Way<'o> {
    store: &'o BootStore,
    windows: &'o Windows,
    outcome: Outcome,
}

/// Where a way is looked for: Windows that has a recovery environment, as far as is known.
fn ways(observation: &Observation) -> impl Iterator<Item = Way<'_>> {
    let expecting = observation
        .windows
        .iter()
        .filter(|windows| !matches!(state(observation, windows), State::Disabled | State::Unknown));
    expecting.flat_map(move |windows| {
        let readable = observation
            .boot_stores
            .iter()
            .filter_map(|store| Some((store, store.content.as_ref().ok()?)));
        readable.map(move |(store, content)| Way {
            store,
            windows,
            outcome: outcome(observation, content, windows),
        })
    })
}

fn store_item(store: &BootStore) -> VerificationItem {
    let what = format!("Boot store on partition {}", store.partition);
    let content = match &store.content {
        Ok(content) => content,
        Err(problem) => return item(what, false, format!("{}: {problem}", store.path)),
    };
    let mut detail = vec![store.path.to_owned()];
    detail.extend(store.reading().map(str::to_owned));
    match &content.default_loader {
        Ok(id) => detail.push(format!("starts {id} unless told otherwise")),
        Err(error) => detail.push(error.to_string()),
    }
    detail.push(match &store.boot_manager {
        FileFact::Present(size_bytes) => {
            format!("{} is there, {}", store.boot_manager_path, size(*size_bytes))
        }
        FileFact::Missing => format!("{} is not beside it", store.boot_manager_path),
        FileFact::Unreadable(problem) => format!("{} cannot be read: {problem}", store.boot_manager_path),
        FileFact::NotLooked => format!("{} was not looked for", store.boot_manager_path),
    });
    let unknown = content.bcd.unknown_devices();
    if !unknown.is_empty() {
        let text = |e: &Reference| format!("element {:08x} of object {}", e.element_type, e.object);
        let named: Vec<String> = unknown.iter().take(UNKNOWN_NAMED_MAX).map(text).collect();
        detail.push(format!("{} not understood: {}", unknown.len(), named.join(", ")));
    }
    item(what, content.default_loader.is_ok(), detail.join("; "))
}

fn what(way: &Way<'_>) -> String {
    format!(
        "Boot chain to WinRE of Windows on partition {}",
        way.windows.partition
    )
}

fn way_item(observation: &Observation, way: &Way<'_>) -> VerificationItem {
    let (mut ok, mut detail) = (is_no_failure(&way.outcome), text(&way.outcome));
    if let Outcome::Whole { partition, path } = &way.outcome
        && !agrees(observation, way.windows, *partition, path)
    {
        ok = false;
        detail += &match (way.windows.recovery_partition, way.windows.image_path()) {
            (Some(named), Some(image)) => format!("; but ReAgent.xml names {image} on partition {named}"),
            _ => "; but ReAgent.xml names a place where no partition begins".to_owned(),
        };
    }
    item(what(way), ok, format!("{}: {detail}", way.store.place()))
}

/// What is not followed is no failure, nor is what is not this disk's.
fn is_no_failure(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Broken(_))
}

fn text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Whole { partition, path } => format!("leads to {path} on partition {partition}"),
        Outcome::NotInStore => "none of its loaders starts this Windows".to_owned(),
        Outcome::OtherDisk(named) => {
            format!("leads to {named}, which is not on this disk, as in ReAgent.xml")
        }
        Outcome::NotFollowed { object, element } => format!(
            "not followed behind element {element:08x} ({}) of object {object}, which is not of a form that is read here",
            element_name(*element)
        ),
        Outcome::Broken(broken) => format!("ends early: {}", broken.text()),
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
        let now = same.map_or("the boot store cannot be read any more".to_owned(), |new| {
            text(&new.outcome)
        });
        let detail = match (is_same, is_no_failure(&old.outcome)) {
            (true, true) => now,
            (true, false) => format!("as before the repair, {now}"),
            (false, _) => format!("{now}; before the repair it {}", text(&old.outcome)),
        };
        items.push(item(
            what(&old),
            is_same,
            format!("{}: {detail}", old.store.place()),
        ));
    }
    items
}

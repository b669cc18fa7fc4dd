//! The way from the boot manager to WinRE, followed to the files.

use super::item;
use crate::boot::{BootChain, BootStore};
use crate::observation::{Observation, Windows};
use crate::report::VerificationItem;

/// Of a disk by itself: the way of every Windows whose WinRE is enabled.
pub(super) fn of_disk(observation: &Observation) -> Vec<VerificationItem> {
    let mut items: Vec<_> = observation
        .boot_stores
        .iter()
        .filter_map(|store| {
            let problem = store.content.as_ref().err()?;
            Some(item(
                format!("Boot store on {}", store.place()),
                false,
                problem.clone(),
            ))
        })
        .collect();
    let enabled = |w: &&Windows| w.readable_reagent().is_some_and(|r| r.install_state == Some(1));
    for windows in observation.windows.iter().filter(enabled) {
        items.extend(of_windows(observation, windows));
    }
    items
}

fn of_windows(observation: &Observation, windows: &Windows) -> Option<VerificationItem> {
    let number = windows.partition;
    let what = format!("Way from the boot manager to WinRE of the Windows on partition {number}");
    match observation.boot_chain(number) {
        Some((store, chain)) => Some(chain_item(what, windows, store, chain)),
        None if observation.boot_stores.is_empty() => Some(item(
            what,
            true,
            "not looked at: there is no boot store on this disk",
        )),
        // A store that cannot be read has an item of its own.
        None if observation.boot_stores.iter().any(|store| store.content.is_err()) => None,
        None => Some(item(
            what,
            true,
            "not looked at: no boot store on this disk starts this Windows",
        )),
    }
}

fn chain_item(what: String, windows: &Windows, store: &BootStore, chain: &BootChain) -> VerificationItem {
    let place = store.place();
    let link = match &chain.winre {
        Ok(link) => link,
        Err(problem) => return item(what, false, format!("{place}: {problem}")),
    };
    if let Some(problem) = link.problem() {
        return item(what, false, format!("{place}: {problem}"));
    }
    let leads = format!(
        "{place}: leads to {} on partition {}",
        link.image_path,
        link.partition.unwrap_or_default()
    );
    match windows.recovery_partition {
        Some(named) if link.partition != Some(named) => item(
            what,
            false,
            format!("{leads}, but ReAgent.xml names partition {named}"),
        ),
        _ => item(what, true, leads),
    }
}

/// After a repair: every store says what it said before, and leads where it led.
pub(super) fn kept(before: &Observation, after: &Observation) -> Vec<VerificationItem> {
    let stores = before.boot_stores.iter();
    stores
        .map(|old| {
            let new = after
                .boot_stores
                .iter()
                .find(|new| (new.partition, new.path) == (old.partition, old.path));
            let what = format!("Boot store on {}", old.place());
            match (&old.content, new.map(|new| &new.content)) {
                (Err(_), Some(Err(_))) => item(what, true, "as it was; it could not be read before either"),
                (Ok(old), Some(Ok(new)))
                    if (&old.default_loader, old.is_dirty) != (&new.default_loader, new.is_dirty) =>
                {
                    item(what, false, "starts something else than before")
                }
                (Ok(old), Some(Ok(new))) => match broken(&old.chains, &new.chains) {
                    Some(problem) => item(what, false, problem),
                    None => item(what, true, leads(&new.chains)),
                },
                (_, Some(Err(problem))) => item(what, false, problem.clone()),
                _ => item(what, false, "it is not there any more"),
            }
        })
        .collect()
}

fn leads(chains: &[BootChain]) -> String {
    let link = chains.iter().find_map(|chain| chain.winre.as_ref().ok());
    match link.and_then(|link| Some((link, link.partition?))) {
        Some((link, number)) if link.image_found == Some(true) => {
            format!("leads to {} on partition {number}, as before", link.image_path)
        }
        _ => "leads where it led before".to_owned(),
    }
}

/// What leads elsewhere than before.
fn broken(old: &[BootChain], new: &[BootChain]) -> Option<String> {
    if old.len() != new.len() {
        return Some("it has other loaders than before".to_owned());
    }
    old.iter().zip(new).find_map(|(old, new)| {
        let same = match (&old.winre, &new.winre) {
            (Ok(a), Ok(b)) => {
                (a.loader, a.partition, &a.image_path, a.image_found, a.sdi_found)
                    == (b.loader, b.partition, &b.image_path, b.image_found, b.sdi_found)
            }
            (Err(a), Err(b)) => a == b,
            _ => false,
        };
        let same = same && (old.os_loader, old.os_partition) == (new.os_loader, new.os_partition);
        (!same).then(|| format!("loader {} leads elsewhere than before", new.os_loader))
    })
}

//! What the boot store says of WinRE, held against what Windows says.

use super::{evidence, finding};
use crate::boot::{BootChain, BootStore};
use crate::observation::{Observation, Windows};
use crate::observe::REAGENT_XML;
use crate::report::{Evidence, FindingReport, Severity};

const MAKE_ANEW: &str = "Run `reagentc /disable` and then `reagentc /enable` in that Windows as administrator: that makes the \
                         entries of the boot store and ReAgent.xml anew. `bcdedit /enum all` shows the store.";

/// The findings on all stores of a disk.
pub(super) fn of_disk(observation: &Observation) -> Vec<FindingReport> {
    let unreadable = observation.boot_stores.iter().filter_map(|store| {
        let problem = store.content.as_ref().err()?;
        Some(finding(
            "boot-store-unreadable",
            Severity::Warning,
            format!("The boot store on partition {} cannot be read", store.partition),
            "Whether WinRE can be started is therefore unknown. Nothing is written that this store would have to know.",
            "Start Windows once and shut it down fully (shutdown /s /t 0); if it does not start, `bootrec /rebuildbcd` \
             from an installation medium makes the store anew.",
            vec![evidence(store.place(), problem.clone())],
        ))
    });
    let windows = observation.windows.iter();
    unreadable
        .chain(windows.filter_map(|windows| of_windows(observation, windows)))
        .collect()
}

fn of_windows(observation: &Observation, windows: &Windows) -> Option<FindingReport> {
    if windows.readable_reagent()?.install_state != Some(1) {
        return None;
    }
    let (store, chain) = observation.boot_chain(windows.partition)?;
    let link = match &chain.winre {
        Ok(link) => link,
        Err(problem) => return Some(broken(windows, (store, chain), problem.clone())),
    };
    let named = windows.recovery_partition;
    if link.partition.is_some() && named.is_some() && link.partition != named {
        return Some(disagrees(windows, (store, chain)));
    }
    // An image that is gone has a finding of its own.
    let is_gone = link.image_found == Some(false) && link.partition == named;
    link.problem()
        .filter(|_| !is_gone)
        .map(|problem| broken(windows, (store, chain), problem))
}

fn broken(windows: &Windows, (store, chain): (&BootStore, &BootChain), problem: String) -> FindingReport {
    finding(
        "boot-chain-broken",
        Severity::Warning,
        format!(
            "The boot store does not lead to the WinRE of the Windows on partition {}",
            windows.partition
        ),
        "ReAgent.xml says that WinRE is enabled, but nothing would start it when Windows does not start.",
        MAKE_ANEW,
        vec![evidence(
            store.place(),
            format!("loader {}: {problem}{}", chain.os_loader, dirty(store)),
        )],
    )
}

fn disagrees(windows: &Windows, (store, chain): (&BootStore, &BootChain)) -> FindingReport {
    let number = windows.partition;
    let link = chain.winre.as_ref().ok();
    let boot = link.and_then(|link| link.partition).unwrap_or_default();
    let own = windows.recovery_partition.unwrap_or_default();
    finding(
        "boot-store-disagrees",
        Severity::Warning,
        format!(
            "Boot store and ReAgent.xml of the Windows on partition {number} name different recovery partitions"
        ),
        format!(
            "The boot store starts WinRE from partition {boot}; updates go to partition {own}, which ReAgent.xml names. So \
             the WinRE that starts stays as old and as vulnerable as it is."
        ),
        MAKE_ANEW,
        vec![
            evidence(
                store.place(),
                format!(
                    "loader {}: {} on partition {boot}{}",
                    chain.os_loader,
                    link.map_or("", |link| &link.image_path),
                    dirty(store)
                ),
            ),
            reagent_evidence(number, own),
        ],
    )
}

fn reagent_evidence(windows: u32, names: u32) -> Evidence {
    evidence(
        format!("partition {windows}, {REAGENT_XML}"),
        format!("names partition {names}"),
    )
}

/// That the store was read with its logs.
fn dirty(store: &BootStore) -> &'static str {
    if store.readable().is_some_and(|content| content.is_dirty) {
        " (with its logs, which Windows has yet to apply)"
    } else {
        ""
    }
}

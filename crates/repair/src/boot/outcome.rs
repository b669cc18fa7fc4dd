//! What a store comes to for one Windows whose WinRE is enabled. A pure function, shared by diagnosis and verification.

use super::{BootContent, FileFact, Loader, Target, WinreWay};
use crate::observation::{Observation, Windows};
use crate::text::Text;
use crate::winre::{State, state};
use winrefit_formats::Guid;
use winrefit_formats::bcd::{BcdPartition, ChainBreak, types};

/// Where the way to WinRE leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// None of the store's loaders starts this Windows.
    NotInStore,
    /// To an image on a partition of this disk.
    Whole {
        /// The partition.
        partition: u32,
        /// Path of the image there.
        path: String,
    },
    /// To a disk that ReAgent.xml names, too, and that is not this one.
    OtherDisk(BcdPartition),
    /// To what is not read here: an element of that object.
    NotFollowed {
        /// The object.
        object: Guid,
        /// Number of the element.
        element: u32,
    },
    /// It ends early.
    Broken(Break),
}

/// Where the way ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Break {
    /// In the store.
    Link(ChainBreak),
    /// At a partition that is not on this disk.
    NoPartition {
        /// The object that names it.
        object: Guid,
        /// What should be there.
        end: End,
        /// The partition.
        named: BcdPartition,
    },
    /// At a file that is not there, or behind directories that cannot be read.
    NoFile {
        /// The object that names it.
        object: Guid,
        /// What should be there.
        end: End,
        /// The partition.
        partition: u32,
        /// The path.
        path: String,
        /// Why it cannot be told; none where it is not there.
        problem: Option<Text>,
    },
}

/// The two files that WinRE starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The image.
    Image,
    /// The frame of the RAM disk.
    Sdi,
}

/// The way from the boot manager to the WinRE of `windows`.
pub(crate) fn outcome(observation: &Observation, store: &BootContent, windows: &Windows) -> Outcome {
    let own = |loader: &&Loader| loader.starts(windows);
    let default = store.default_loader.as_ref();
    let found = store
        .loaders
        .iter()
        .filter(own)
        // Of several that are not the default one, reagentc has told the one that was in use when it ran.
        .max_by_key(|loader| (Ok(&loader.id) == default, loader.winre.is_ok()));
    if let Err(error) = default {
        return Outcome::Broken(Break::Link(error.clone()));
    }
    let Some(loader) = found else {
        let unclear = store.loaders.iter().find(|l| l.os == Some(Target::NotFollowed));
        return unclear.map_or(Outcome::NotInStore, |loader| Outcome::NotFollowed {
            object: loader.id,
            element: types::OS_DEVICE,
        });
    };
    let way = match &loader.winre {
        Ok(way) => way,
        Err(error) => return Outcome::Broken(Break::Link(error.clone())),
    };
    let is_elsewhere = matches!(state(observation, windows), State::Elsewhere);
    match (way.image, is_elsewhere) {
        (Target::NotHere(named), true) => Outcome::OtherDisk(named),
        _ => ends(way),
    }
}

/// Whether ReAgent.xml of `windows` names the image at `path` of `partition`, too; also where it names another disk.
pub(crate) fn agrees(observation: &Observation, windows: &Windows, partition: u32, path: &str) -> bool {
    match windows.recovery_partition {
        Some(named) => {
            let image = windows.image_path();
            named == partition && image.is_none_or(|image| image.to_lowercase() == path.to_lowercase())
        }
        None => !matches!(state(observation, windows), State::Gone(None)),
    }
}

fn ends(way: &WinreWay) -> Outcome {
    let chain = &way.chain;
    let files = [
        (End::Image, way.image, &way.image_file, &chain.image_path),
        (End::Sdi, way.sdi, &way.sdi_file, &chain.sdi_path),
    ];
    let mut unclear = None;
    for (end, target, file, path) in files {
        let (object, element) = match end {
            End::Image => (chain.winre_loader, types::APPLICATION_DEVICE),
            End::Sdi => (chain.options, types::SDI_DEVICE),
        };
        let no_file = |partition, problem: Option<&Text>| {
            Outcome::Broken(Break::NoFile {
                object,
                end,
                partition,
                path: path.clone(),
                problem: problem.cloned(),
            })
        };
        match (target, file) {
            (Target::Here(_), FileFact::Present(_)) => {}
            (Target::Here(number), FileFact::Missing) => return no_file(number, None),
            (Target::Here(number), FileFact::Unreadable(problem)) => return no_file(number, Some(problem)),
            (Target::NotHere(named), _) => {
                return Outcome::Broken(Break::NoPartition { object, end, named });
            }
            (Target::Here(_), FileFact::NotLooked) | (Target::NotFollowed, _) => {
                unclear = unclear.or(Some(Outcome::NotFollowed { object, element }));
            }
        }
    }
    match (unclear, way.image) {
        (Some(unclear), _) => unclear,
        (None, Target::Here(partition)) => Outcome::Whole {
            partition,
            path: chain.image_path.clone(),
        },
        // Not reached: an image without a place is unclear.
        (None, _) => Outcome::NotInStore,
    }
}

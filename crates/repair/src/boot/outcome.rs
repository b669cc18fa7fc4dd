//! What a store comes to for one Windows whose WinRE is enabled. A pure function, shared by diagnosis and verification.

use super::{BootContent, FileFact, Loader, Target, WinreWay};
use crate::observation::{Observation, Windows};
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
        problem: Option<String>,
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
    let own = |loader: &&Loader| loader.os == Some(Target::Here(windows.partition));
    let default = store.default_loader.as_ref();
    let found = store
        .loaders
        .iter()
        .filter(own)
        .max_by_key(|loader| Ok(&loader.id) == default);
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
        let no_file = |partition, problem: Option<&String>| {
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

impl Break {
    /// Where it is, and what is wrong there, for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Link(error) => link_text(error),
            Self::NoPartition { object, end, named } => format!(
                "object {object} takes {} from {named}, which is not on this disk",
                end.name()
            ),
            Self::NoFile {
                object,
                end,
                partition,
                path,
                problem,
            } => {
                let named = format!(
                    "object {object} takes {} from {path} on partition {partition}",
                    end.name()
                );
                match problem {
                    None => format!("{named}, which is not there"),
                    Some(problem) => format!("{named}, which cannot be read: {problem}"),
                }
            }
        }
    }
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Image => "the WinRE image",
            Self::Sdi => "the RAM disk's frame (boot.sdi)",
        }
    }
}

/// A break in the store, with what the element is for.
fn link_text(error: &ChainBreak) -> String {
    match error {
        ChainBreak::NoObject { id } => format!("object {id} is named and not in the store"),
        ChainBreak::NoElement { id, element_type } => format!(
            "{} {id} has no valid element {element_type:08x} ({})",
            if *id == types::BOOT_MANAGER {
                "the boot manager"
            } else {
                "object"
            },
            element_name(*element_type)
        ),
        ChainBreak::NoRamdisk { id, element_type } => {
            format!("element {element_type:08x} of WinRE's loader {id} is no RAM disk with an image")
        }
        ChainBreak::DevicesDiffer { id } => {
            format!("WinRE's loader {id} names two different RAM disks in elements 11000001 and 21000001")
        }
        ChainBreak::NoOptions { id } => {
            format!(
                "the RAM disk of WinRE's loader {id} has no options, so its frame (boot.sdi) is not known"
            )
        }
        other => other.to_string(),
    }
}

/// What an element on the way is for.
pub(crate) fn element_name(element: u32) -> &'static str {
    match element {
        types::DEFAULT_OBJECT => "the default loader",
        types::RECOVERY_SEQUENCE => "the recovery sequence",
        types::APPLICATION_DEVICE => "where the loader is",
        types::OS_DEVICE => "where the system is",
        types::SDI_DEVICE => "where boot.sdi is",
        types::SDI_PATH => "the path of boot.sdi",
        _ => "an element on the way to WinRE",
    }
}

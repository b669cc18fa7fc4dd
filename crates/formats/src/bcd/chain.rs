//! The way from the boot manager to WinRE: default loader, recovery sequence, WinRE's loader, image, and RAM disk
//! options. Each link is followed by name; whether the files are there is for the caller to see.

use super::store::{Bcd, BcdObject, ElementValue};
use super::{Confidence, DeviceKind, types};
use crate::Guid;

/// How one installation of Windows reaches its WinRE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WinreChain {
    /// The loader of Windows.
    pub os_loader: Guid,
    /// What that loader says about starting WinRE by itself, if it says anything.
    pub auto_recovery: Option<bool>,
    /// The loader of WinRE, first of the recovery sequence.
    pub winre_loader: Guid,
    /// Where the image lies.
    pub image_device: DeviceKind,
    /// Path of the image: `\Recovery\WindowsRE\Winre.wim`.
    pub image_path: String,
    /// The RAM disk's options.
    pub options: Guid,
    /// Where `boot.sdi` lies.
    pub sdi_device: DeviceKind,
    /// Path of `boot.sdi`.
    pub sdi_path: String,
}

impl WinreChain {
    /// How well the layout of all that was read is known.
    pub fn confidence(&self) -> Confidence {
        self.image_device.confidence().min(self.sdi_device.confidence())
    }
}

/// Where the way ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainBreak {
    /// An object that is named is not in the store.
    #[error("object {id} is not in the store")]
    NoObject {
        /// Name of the object.
        id: Guid,
    },
    /// An object has no such element, or one of another form.
    #[error("object {id} has no valid element {element_type:08x}")]
    NoElement {
        /// Name of the object.
        id: Guid,
        /// Number of the element.
        element_type: u32,
    },
    /// WinRE's loader does not start from a RAM disk.
    #[error("element {element_type:08x} of object {id} is no RAM disk")]
    NoRamdisk {
        /// Name of the object.
        id: Guid,
        /// Number of the element.
        element_type: u32,
    },
    /// WinRE's loader takes its own file from another RAM disk than the system.
    #[error("object {id} names two different RAM disks")]
    DevicesDiffer {
        /// Name of the object.
        id: Guid,
    },
    /// The RAM disk names no options, so its frame is not known.
    #[error("the RAM disk of object {id} has no options")]
    NoOptions {
        /// Name of the object.
        id: Guid,
    },
}

impl Bcd {
    /// The loader that the boot manager starts when nothing else is chosen.
    ///
    /// # Errors
    /// [`ChainBreak`].
    pub fn default_loader(&self) -> Result<Guid, ChainBreak> {
        let manager = self.require(types::BOOT_MANAGER)?;
        match manager.element(types::DEFAULT_OBJECT) {
            Some(ElementValue::Object(id)) => Ok(*id),
            _ => Err(manager.without(types::DEFAULT_OBJECT)),
        }
    }

    /// The way from the boot manager over its default loader to WinRE.
    ///
    /// # Errors
    /// [`ChainBreak`].
    pub fn default_winre(&self) -> Result<WinreChain, ChainBreak> {
        self.winre_of(self.default_loader()?)
    }

    /// The loaders of Windows that have a recovery sequence, in the order of the hive: one for each installation.
    pub fn loaders_with_recovery(&self) -> impl Iterator<Item = &BcdObject> {
        let loaders = self
            .objects()
            .iter()
            .filter(|object| object.object_type == types::OBJECT_OS_LOADER);
        loaders.filter(|object| object.element(types::RECOVERY_SEQUENCE).is_some())
    }

    /// The way from a loader of Windows to its WinRE.
    ///
    /// # Errors
    /// [`ChainBreak`].
    pub fn winre_of(&self, os_loader: Guid) -> Result<WinreChain, ChainBreak> {
        let windows = self.require(os_loader)?;
        let winre_loader = match windows.element(types::RECOVERY_SEQUENCE) {
            Some(ElementValue::Objects(ids)) => ids.first().copied(),
            _ => None,
        };
        let winre_loader = winre_loader.ok_or_else(|| windows.without(types::RECOVERY_SEQUENCE))?;
        let winre = self.require(winre_loader)?;
        let element_type = types::APPLICATION_DEVICE;
        let device = winre
            .device(element_type)
            .ok_or_else(|| winre.without(element_type))?;
        let os_device = winre
            .device(types::OS_DEVICE)
            .ok_or_else(|| winre.without(types::OS_DEVICE))?;
        let id = winre_loader;
        let DeviceKind::Ramdisk { source, path } = &device.kind else {
            return Err(ChainBreak::NoRamdisk { id, element_type });
        };
        if os_device != device {
            return Err(ChainBreak::DevicesDiffer { id });
        }
        let options = self.require(device.options.ok_or(ChainBreak::NoOptions { id })?)?;
        let sdi_device = options.device(types::SDI_DEVICE);
        let sdi_path = options.text(types::SDI_PATH);
        Ok(WinreChain {
            os_loader,
            auto_recovery: windows.flag(types::AUTO_RECOVERY_ENABLED),
            winre_loader,
            image_device: source.as_ref().clone(),
            image_path: path.clone(),
            options: options.id,
            sdi_device: sdi_device
                .ok_or_else(|| options.without(types::SDI_DEVICE))?
                .kind
                .clone(),
            sdi_path: sdi_path
                .ok_or_else(|| options.without(types::SDI_PATH))?
                .to_owned(),
        })
    }

    fn require(&self, id: Guid) -> Result<&BcdObject, ChainBreak> {
        self.object(id).ok_or(ChainBreak::NoObject { id })
    }
}

impl BcdObject {
    fn without(&self, element_type: u32) -> ChainBreak {
        let id = self.id;
        ChainBreak::NoElement { id, element_type }
    }
}

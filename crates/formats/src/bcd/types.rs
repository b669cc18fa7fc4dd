//! Numbers of elements and objects, by Microsoft's names (`BcdLibraryElementTypes` and its siblings).

use crate::Guid;

/// The boot manager's object.
pub const BOOT_MANAGER: Guid = Guid::from_u128(0x9dea862c_5cdd_4e70_acc1_f32b344d4795);

/// Object type of a Windows boot loader, WinRE's among them.
pub const OBJECT_OS_LOADER: u32 = 0x1020_0003;
/// Object type of device options.
pub const OBJECT_DEVICE: u32 = 0x3000_0000;

/// `BcdLibraryDevice_ApplicationDevice`: where the application's file lies.
pub const APPLICATION_DEVICE: u32 = 0x1100_0001;
/// `BcdLibraryString_ApplicationPath`.
pub const APPLICATION_PATH: u32 = 0x1200_0002;
/// `BcdLibraryString_Description`.
pub const DESCRIPTION: u32 = 0x1200_0004;
/// `BcdLibraryObjectList_RecoverySequence`: what to start if this application fails.
pub const RECOVERY_SEQUENCE: u32 = 0x1400_0008;
/// `BcdLibraryBoolean_AutoRecoveryEnabled`.
pub const AUTO_RECOVERY_ENABLED: u32 = 0x1600_0009;
/// `BcdBootMgrObject_DefaultObject`.
pub const DEFAULT_OBJECT: u32 = 0x2300_0003;
/// `BcdOSLoaderDevice_OSDevice`: where the system root lies.
pub const OS_DEVICE: u32 = 0x2100_0001;
/// `BcdOSLoaderBoolean_WinPEMode`.
pub const WINPE_MODE: u32 = 0x2600_0022;
/// `BcdDeviceDevice_SdiDevice`: where the RAM disk's frame, `boot.sdi`, lies.
pub const SDI_DEVICE: u32 = 0x3100_0003;
/// `BcdDeviceString_SdiPath`.
pub const SDI_PATH: u32 = 0x3200_0004;

/// The part of an element's number that says of what form its value is.
pub const FORMAT_MASK: u32 = 0x0f00_0000;
/// A device.
pub const FORMAT_DEVICE: u32 = 0x0100_0000;
/// A string.
pub const FORMAT_STRING: u32 = 0x0200_0000;
/// An object's GUID.
pub const FORMAT_OBJECT: u32 = 0x0300_0000;
/// GUIDs of objects.
pub const FORMAT_OBJECT_LIST: u32 = 0x0400_0000;
/// A number.
pub const FORMAT_INTEGER: u32 = 0x0500_0000;
/// Yes or no.
pub const FORMAT_BOOLEAN: u32 = 0x0600_0000;
/// Numbers.
pub const FORMAT_INTEGER_LIST: u32 = 0x0700_0000;

//! An event as data.

use uuid::Uuid;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it happened, in 100 ns since 1601.
    pub time: u64,
    /// Who reports it.
    pub provider: Provider,
    /// Event identifier, without qualifiers.
    pub id: u16,
    /// The upper half of a classic event identifier; events of a manifest have none.
    pub qualifiers: Option<u16>,
    /// Version of the event's description.
    pub version: u8,
    /// 1 critical, 2 error, 3 warning, 4 information.
    pub level: u8,
    /// The provider's task.
    pub task: u16,
    /// The provider's opcode.
    pub opcode: u8,
    /// Keywords; bit 63 of manifest events, bit 55 of classic ones.
    pub keywords: u64,
    /// The activity that it belongs to.
    pub activity: Option<Uuid>,
    /// Process and thread.
    pub process: (u32, u32),
    /// Whether the system (S-1-5-18) is named as the user; nobody is otherwise.
    pub by_system: bool,
    /// What is specific to the event.
    pub payload: Payload,
}

/// Who reports an event, which decides how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// A provider with a manifest.
    Manifest {
        /// Its name.
        name: &'static str,
        /// Its GUID.
        guid: Uuid,
    },
    /// An event source of old that has a manifest now.
    ManifestSource {
        /// Its name.
        name: &'static str,
        /// Its GUID as it is written in the event, in braces.
        guid: &'static str,
        /// Its name as an event source.
        source: &'static str,
    },
    /// An event source without a manifest.
    Classic {
        /// Its name.
        name: &'static str,
    },
}

/// `EventData` of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Nothing in it.
    Empty,
    /// Values with names.
    Named(Vec<(&'static str, Value)>),
    /// The same; `EventData` itself has a name, too.
    Titled {
        /// That name.
        title: &'static str,
        /// Names and values.
        fields: Vec<(&'static str, Value)>,
    },
    /// The strings and the binary data of a classic event.
    Strings {
        /// Each becomes a `Data` element.
        strings: Vec<String>,
        /// Becomes the `Binary` element.
        binary: Vec<u8>,
    },
}

/// A value and its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// UTF-16 without a final zero.
    Text(String),
    /// Signed.
    Int32(i32),
    /// Unsigned.
    UInt32(u32),
    /// Shown in hexadecimal.
    HexInt32(u32),
    /// Shown in braces.
    Guid(Uuid),
    /// 100 ns since 1601.
    FileTime(u64),
    /// Becomes the `Binary` element whatever its name is.
    Binary(Vec<u8>),
}

impl Value {
    /// The type's number.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Text(_) => 0x01,
            Self::Int32(_) => 0x07,
            Self::UInt32(_) => 0x08,
            Self::HexInt32(_) => 0x14,
            Self::Guid(_) => 0x0F,
            Self::FileTime(_) => 0x11,
            Self::Binary(_) => 0x0E,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Int32(number) => number.to_le_bytes().to_vec(),
            Self::UInt32(number) | Self::HexInt32(number) => number.to_le_bytes().to_vec(),
            Self::Guid(guid) => guid.to_bytes_le().to_vec(),
            Self::FileTime(time) => time.to_le_bytes().to_vec(),
            Self::Binary(bytes) => bytes.clone(),
        }
    }
}

//! The whole store, read at once: real ones have some 130 keys.
//!
//! Bounds: 1024 objects, 16,384 elements, 1 MiB of values.

use super::{BcdDevice, BcdError, types};
use crate::Guid;
use crate::hive::{Hive, Key, RegistryValue};
use std::collections::BTreeSet;

const OBJECTS_MAX: usize = 1024;
const ELEMENTS_MAX: usize = 16_384;
/// Real stores have 24 to 64 KiB in all.
const VALUE_BYTES_MAX: usize = 1 << 20;
/// The value that an element's key has.
pub(super) const ELEMENT: &str = "Element";

/// A store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bcd {
    objects: Vec<BcdObject>,
}

/// An object of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BcdObject {
    /// Its name.
    pub id: Guid,
    /// What it is; see [`types`]. 0 if the store does not say.
    pub object_type: u32,
    /// Its elements, in the order of the hive, which is that of their numbers.
    pub elements: Vec<BcdElement>,
}

/// An element of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BcdElement {
    /// Its number; see [`types`].
    pub element_type: u32,
    /// Its value.
    pub value: ElementValue,
}

/// An element's value, by the form that its number asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElementValue {
    /// A device.
    Device(BcdDevice),
    /// A string.
    String(String),
    /// An object.
    Object(Guid),
    /// Objects.
    Objects(Vec<Guid>),
    /// A number.
    Integer(u64),
    /// Yes or no.
    Boolean(bool),
    /// Numbers.
    Integers(Vec<u64>),
    /// A form that is not known, or a value that has not the form it should have.
    Other(RegistryValue),
}

impl Bcd {
    /// Reads a store. Keys whose names are no GUIDs or no numbers are passed over, as Windows does.
    ///
    /// # Errors
    /// [`BcdError`] if the hive is damaged, no store, or too large for one.
    pub fn read(hive: &Hive<'_>) -> Result<Self, BcdError> {
        let root = hive.key("Objects")?.ok_or(BcdError::NoObjects)?;
        let mut reader = Reader::default();
        let mut objects = Vec::new();
        for key in root.subkeys()? {
            let key = key?;
            let Some(id) = object_id(key.name()) else { continue };
            if objects.len() == OBJECTS_MAX {
                return Err(too_much("objects", OBJECTS_MAX));
            }
            let object = reader.object(id, &key)?;
            if objects.iter().any(|other: &BcdObject| other.id == id) {
                return Err(BcdError::Twice {
                    object: id,
                    element_type: None,
                });
            }
            objects.push(object);
        }
        Ok(Self { objects })
    }

    /// All objects, in the order of the hive.
    pub fn objects(&self) -> &[BcdObject] {
        &self.objects
    }

    /// The object of that name.
    pub fn object(&self, id: Guid) -> Option<&BcdObject> {
        self.objects.iter().find(|object| object.id == id)
    }
}

impl BcdObject {
    /// The value of an element.
    pub fn element(&self, element_type: u32) -> Option<&ElementValue> {
        let mut elements = self.elements.iter();
        elements
            .find(|element| element.element_type == element_type)
            .map(|element| &element.value)
    }

    /// The string in an element.
    pub fn text(&self, element_type: u32) -> Option<&str> {
        match self.element(element_type)? {
            ElementValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// The device in an element.
    pub fn device(&self, element_type: u32) -> Option<&BcdDevice> {
        match self.element(element_type)? {
            ElementValue::Device(device) => Some(device),
            _ => None,
        }
    }

    /// The yes or no in an element.
    pub fn flag(&self, element_type: u32) -> Option<bool> {
        match self.element(element_type)? {
            ElementValue::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }
}

/// Path in the hive of an element's key.
pub(super) fn element_path(object: Guid, element_type: u32) -> String {
    format!("Objects\\{{{object}}}\\Elements\\{element_type:08x}")
}

fn object_id(text: &str) -> Option<Guid> {
    text.parse().ok().filter(|_| text.starts_with('{'))
}

fn element_number(text: &str) -> Option<u32> {
    let is_number = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(text, 16).ok().filter(|_| is_number)
}

fn too_much(what: &'static str, limit: usize) -> BcdError {
    BcdError::TooMuch { what, limit }
}

/// Counts what has been read.
#[derive(Default)]
struct Reader {
    seen: BTreeSet<(Guid, u32)>,
    elements: usize,
    value_bytes: usize,
}

impl Reader {
    fn object(&mut self, id: Guid, key: &Key<'_>) -> Result<BcdObject, BcdError> {
        let object_type = match key.subkey("Description")? {
            Some(description) => self.value(&description, "Type")?,
            None => None,
        };
        let object_type = object_type.and_then(|value| value.as_u64()).unwrap_or(0);
        let mut elements = Vec::new();
        if let Some(list) = key.subkey("Elements")? {
            for key in list.subkeys()? {
                let key = key?;
                let Some(element_type) = element_number(key.name()) else {
                    continue;
                };
                self.elements += 1;
                if self.elements > ELEMENTS_MAX {
                    return Err(too_much("elements", ELEMENTS_MAX));
                }
                if !self.seen.insert((id, element_type)) {
                    let (object, element_type) = (id, Some(element_type));
                    return Err(BcdError::Twice { object, element_type });
                }
                if let Some(value) = self.value(&key, ELEMENT)? {
                    let value = typed(element_type, value);
                    elements.push(BcdElement { element_type, value });
                }
            }
        }
        Ok(BcdObject {
            id,
            object_type: u32::try_from(object_type).unwrap_or(0),
            elements,
        })
    }

    fn value(&mut self, key: &Key<'_>, name: &str) -> Result<Option<RegistryValue>, BcdError> {
        let Some(value) = key.value(name)? else {
            return Ok(None);
        };
        // Many values may name one large cell, so the sum is limited and not the single value.
        self.value_bytes = self.value_bytes.saturating_add(value.size() as usize);
        if self.value_bytes > VALUE_BYTES_MAX {
            return Err(too_much("bytes of values", VALUE_BYTES_MAX));
        }
        Ok(Some(value.decode()?))
    }
}

fn typed(element_type: u32, value: RegistryValue) -> ElementValue {
    use ElementValue as Typed;
    use RegistryValue as Raw;
    match (element_type & types::FORMAT_MASK, value) {
        (types::FORMAT_DEVICE, Raw::Binary(bytes)) => Typed::Device(BcdDevice::parse(&bytes)),
        (types::FORMAT_STRING, Raw::String(text)) => Typed::String(text),
        (types::FORMAT_OBJECT, Raw::String(text)) => match object_id(&text) {
            Some(id) => Typed::Object(id),
            None => Typed::Other(Raw::String(text)),
        },
        (types::FORMAT_OBJECT_LIST, Raw::MultiString(texts)) => {
            let ids: Option<Vec<Guid>> = texts.iter().map(|text| object_id(text)).collect();
            ids.map_or(Typed::Other(Raw::MultiString(texts)), Typed::Objects)
        }
        (types::FORMAT_INTEGER, Raw::Binary(bytes)) => match integers(&bytes).as_deref() {
            Some([number]) => Typed::Integer(*number),
            _ => Typed::Other(Raw::Binary(bytes)),
        },
        (types::FORMAT_INTEGER_LIST, Raw::Binary(bytes)) => match integers(&bytes) {
            Some(numbers) => Typed::Integers(numbers),
            None => Typed::Other(Raw::Binary(bytes)),
        },
        (types::FORMAT_BOOLEAN, Raw::Binary(bytes)) => match bytes.first() {
            Some(byte) => Typed::Boolean(*byte != 0),
            None => Typed::Other(Raw::Binary(bytes)),
        },
        (_, value) => Typed::Other(value),
    }
}

/// Numbers of eight bytes; `None` if the length is not theirs.
fn integers(bytes: &[u8]) -> Option<Vec<u64>> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    rest.is_empty()
        .then(|| numbers.iter().map(|number| u64::from_le_bytes(*number)).collect())
}

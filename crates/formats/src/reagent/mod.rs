//! `ReAgent.xml`: where Windows thinks its recovery environment is.
//!
//! Microsoft does not document the file. What is known of it: UTF-8 with a byte order mark, mixed line ends, root
//! element `WindowsRE`, versions 1.0 and 2.0; a location names a *disk* (GPT: `guid` is the disk GUID and `id` 0, MBR:
//! `id` is the disk signature in decimal) and a partition on it by its `offset` in bytes.
//!
//! Windows' own reader is strict, so the file is patched in its bytes and never serialised anew.

mod template;
#[cfg(test)]
mod tests;

pub use template::ReAgentTemplate;

use crate::Guid;
use crate::xml::{self, XmlError};
use roxmltree::{Attribute, Node};
use std::collections::BTreeSet;

/// Larger files are refused; real ones have about 1.1 kB.
const SIZE_MAX_BYTES: usize = 1 << 20;
/// Elements, texts and comments; real files have about 40.
const NODES_MAX: u32 = 4096;

/// What is wrong with a `ReAgent.xml`. Positions are byte offsets in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReagentError {
    /// Too large to be one.
    #[error("{size_bytes} bytes are too many for a ReAgent.xml")]
    TooLarge {
        /// Size of the file in bytes.
        size_bytes: usize,
    },
    /// The byte order mark of UTF-16.
    #[error("the file is UTF-16; Windows writes UTF-8")]
    Utf16,
    /// Not UTF-8.
    #[error("byte {position} is not UTF-8")]
    NotUtf8 {
        /// The first bad byte.
        position: usize,
    },
    /// Not well-formed, or out of bounds.
    #[error("not acceptable XML: {source}")]
    Xml {
        /// What is wrong, and where.
        #[from]
        source: XmlError,
    },
    /// Another root element.
    #[error("the root element is {name:?}, expected \"WindowsRE\"")]
    Root {
        /// Its name.
        name: String,
    },
    /// A version whose rules are not known.
    #[error("version {version:?} is not known")]
    Version {
        /// The root's `version` attribute; empty if absent.
        version: String,
    },
    /// An element is there twice.
    #[error("element {element} at byte {position} is there twice")]
    Duplicate {
        /// Its name.
        element: String,
        /// Where the second one begins.
        position: usize,
    },
    /// An element is missing that the operation needs.
    #[error("element {element} is missing")]
    MissingElement {
        /// Its name.
        element: &'static str,
    },
    /// An attribute is missing.
    #[error("element {element} at byte {position} has no attribute {attribute}")]
    MissingAttribute {
        /// The element's name.
        element: String,
        /// The attribute's name.
        attribute: &'static str,
        /// Where the element begins.
        position: usize,
    },
    /// A value is no decimal number in its range.
    #[error("{element} {attribute}={value:?} at byte {position} is not a number in range")]
    NotANumber {
        /// The element's name.
        element: String,
        /// The attribute's name.
        attribute: &'static str,
        /// The value.
        value: String,
        /// Where the value begins.
        position: usize,
    },
    /// A value is no GUID.
    #[error("{element} {attribute}={value:?} at byte {position} is not a GUID")]
    NotAGuid {
        /// The element's name.
        element: String,
        /// The attribute's name.
        attribute: &'static str,
        /// The value.
        value: String,
        /// Where the value begins.
        position: usize,
    },
}

/// A place on a disk: the element kinds `WinreLocation` and `ImageLocation`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReAgentLocation {
    /// Directory, as `\Recovery\WindowsRE`; empty for "nowhere".
    pub path: String,
    /// MBR: the disk signature. GPT: 0.
    pub id: u32,
    /// Start of the partition in bytes from the start of the disk.
    pub offset: u64,
    /// GPT: the disk GUID. MBR: zero.
    pub guid: Guid,
}

/// The facts in a `ReAgent.xml`. A missing element is `None`: not the same as one that says "no".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReAgent {
    /// Version of the schema, `2.0` or `1.0`.
    pub version: String,
    /// The boot store's object for the recovery environment; `None` also for the empty and the zero GUID.
    pub winre_bcd_id: Option<Guid>,
    /// Where the recovery environment is installed.
    pub winre_location: Option<ReAgentLocation>,
    /// Where its image is staged for installation.
    pub image_location: Option<ReAgentLocation>,
    /// 1: enabled, 0: disabled.
    pub install_state: Option<u32>,
    /// 1: the image waits at `image_location`.
    pub winre_staged: Option<u32>,
}

impl ReAgent {
    /// Reads a whole file.
    ///
    /// # Errors
    /// [`ReagentError`], naming element and byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReagentError> {
        let text = text(bytes)?;
        let document = xml::parse(text, NODES_MAX)?;
        let root = document.root_element();
        let version = check_root(root)?;
        Ok(Self {
            version,
            winre_bcd_id: child(root, "WinreBCD")
                .map(|e| guid(e, "id"))
                .transpose()?
                .filter(|id| !id.is_zero()),
            winre_location: child(root, "WinreLocation").map(location).transpose()?,
            image_location: child(root, "ImageLocation").map(location).transpose()?,
            install_state: child(root, "InstallState")
                .map(|e| number(e, "state"))
                .transpose()?,
            winre_staged: child(root, "WinREStaged")
                .map(|e| number(e, "state"))
                .transpose()?,
        })
    }
}

/// The file with `WinreLocation`'s `offset` changed. Its digits differ, and white space beside them, so that nothing behind
/// the element moves: then the file keeps its length, and the change most often lies within one sector. Where more digits
/// find no white space to take the place of, the file gets longer.
///
/// # Errors
/// [`ReagentError`] if the file cannot be read, has no `WinreLocation`, or writes its offset in another way than in
/// plain digits.
pub fn set_winre_offset(bytes: &[u8], new_offset: u64) -> Result<Vec<u8>, ReagentError> {
    // The whole file must make sense before a byte of it is changed.
    ReAgent::parse(bytes)?;
    let document = xml::parse(text(bytes)?, NODES_MAX)?;
    let element = "WinreLocation";
    let location = child(document.root_element(), element).ok_or(ReagentError::MissingElement { element })?;
    let range = attribute(location, "offset")?.range_value();
    let digits = bytes.get(range.clone()).unwrap_or_default();
    // A character reference such as &#49; parses as a digit, but is no digit in the bytes.
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ReagentError::NotANumber {
            element: element.to_owned(),
            attribute: "offset",
            value: String::from_utf8_lossy(digits).into_owned(),
            position: range.start,
        });
    }
    let new = new_offset.to_string().into_bytes();
    let mut patched = bytes.to_vec();
    // Behind the quotation mark white space may be added freely; taken away it is behind the element.
    let (quote, end) = (range.end + 1, location.range().end);
    let missing = range.len().saturating_sub(new.len());
    let wanted = new.len().saturating_sub(range.len());
    let behind = bytes.get(end..).unwrap_or_default();
    let is_space = |byte: &&u8| b" \t\r\n".contains(byte);
    let free = behind.iter().take_while(is_space).count().min(wanted);
    patched.drain(end..end + free);
    patched.splice(quote..quote, std::iter::repeat_n(b' ', missing));
    patched.splice(range, new);
    Ok(patched)
}

fn text(bytes: &[u8]) -> Result<&str, ReagentError> {
    if bytes.len() > SIZE_MAX_BYTES {
        let size_bytes = bytes.len();
        return Err(ReagentError::TooLarge { size_bytes });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(ReagentError::Utf16);
    }
    // The byte order mark stays in the text, so that the parser's positions are those of the file.
    std::str::from_utf8(bytes).map_err(|e| {
        let position = e.valid_up_to();
        ReagentError::NotUtf8 { position }
    })
}

/// Checks the root and that no element is there twice; gives the version.
fn check_root(root: Node<'_, '_>) -> Result<String, ReagentError> {
    let name = root.tag_name().name();
    if name != "WindowsRE" {
        let name = name.to_owned();
        return Err(ReagentError::Root { name });
    }
    let version = root.attribute("version").unwrap_or_default().to_owned();
    if version != "1.0" && version != "2.0" {
        return Err(ReagentError::Version { version });
    }
    let mut seen = BTreeSet::new();
    for node in root.children().filter(Node::is_element) {
        if !seen.insert(node.tag_name().name()) {
            return Err(ReagentError::Duplicate {
                element: node.tag_name().name().to_owned(),
                position: node.range().start,
            });
        }
    }
    Ok(version)
}

fn child<'a, 'input>(root: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    root.children()
        .find(|node| node.is_element() && node.tag_name().name() == name)
}

fn attribute<'a, 'input>(
    element: Node<'a, 'input>,
    name: &'static str,
) -> Result<Attribute<'a, 'input>, ReagentError> {
    element
        .attribute_node(name)
        .ok_or_else(|| ReagentError::MissingAttribute {
            element: element.tag_name().name().to_owned(),
            attribute: name,
            position: element.range().start,
        })
}

fn number<T: std::str::FromStr>(element: Node<'_, '_>, name: &'static str) -> Result<T, ReagentError> {
    let attribute = attribute(element, name)?;
    let value = attribute.value();
    // `parse` alone would also take a plus sign.
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    value
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| ReagentError::NotANumber {
            element: element.tag_name().name().to_owned(),
            attribute: name,
            value: value.to_owned(),
            position: attribute.range_value().start,
        })
}

/// The GUID; zero where the value is empty, as old versions write "none".
fn guid(element: Node<'_, '_>, name: &'static str) -> Result<Guid, ReagentError> {
    let attribute = attribute(element, name)?;
    let value = attribute.value();
    if value.is_empty() {
        return Ok(Guid::ZERO);
    }
    value.parse().map_err(|_| ReagentError::NotAGuid {
        element: element.tag_name().name().to_owned(),
        attribute: name,
        value: value.to_owned(),
        position: attribute.range_value().start,
    })
}

fn location(element: Node<'_, '_>) -> Result<ReAgentLocation, ReagentError> {
    Ok(ReAgentLocation {
        path: attribute(element, "path")?.value().to_owned(),
        id: number(element, "id")?,
        offset: number(element, "offset")?,
        guid: guid(element, "guid")?,
    })
}

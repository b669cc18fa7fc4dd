//! `WinREServicingManager.xml` in `$WinREAgent`: how far a servicing of WinRE came.
//!
//! Microsoft does not document the file. What was seen of it: an element `ResetSession` with an attribute `Staged`, and
//! operations, `CleanupScratch` among them, whose place is not known for certain. So the session is taken wherever it
//! stands, and as operations everything that is called one or lies in a list of them.

use crate::bytes::utf16_units;
use crate::xml::{self, XmlError};
use roxmltree::Node;

const SIZE_MAX_BYTES: usize = 1 << 20;
const NODES_MAX: u32 = 4096;
const OPERATIONS_MAX: usize = 64;

/// Why a file was not taken as the state of a servicing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServicingError {
    /// Too large to be one.
    #[error("{size_bytes} bytes are too many for a WinREServicingManager.xml")]
    TooLarge {
        /// Size of the file in bytes.
        size_bytes: usize,
    },
    /// Neither UTF-8 nor UTF-16.
    #[error("the text is neither UTF-8 nor UTF-16")]
    Encoding,
    /// Not well-formed, or out of bounds.
    #[error("not acceptable XML: {source}")]
    Xml {
        /// What is wrong, and where.
        #[from]
        source: XmlError,
    },
}

/// The state of a servicing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicingState {
    /// Whether there is an element `ResetSession`.
    pub has_session: bool,
    /// Its attribute `Staged` as it stands there.
    pub staged: Option<String>,
    /// The operations, in the order of the file.
    pub operations: Vec<ServicingOperation>,
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicingOperation {
    /// Name of the element.
    pub element: String,
    /// Its attributes, name and value.
    pub attributes: Vec<(String, String)>,
}

impl ServicingState {
    /// The state in the file `bytes`.
    ///
    /// # Errors
    /// [`ServicingError`]. A file without any of the known parts is no error.
    pub fn parse(bytes: &[u8]) -> Result<Self, ServicingError> {
        if bytes.len() > SIZE_MAX_BYTES {
            let size_bytes = bytes.len();
            return Err(ServicingError::TooLarge { size_bytes });
        }
        let text = match bytes.strip_prefix(b"\xff\xfe") {
            Some(units) => String::from_utf16(&utf16_units(units)).map_err(|_| ServicingError::Encoding)?,
            None => String::from_utf8(bytes.to_vec()).map_err(|_| ServicingError::Encoding)?,
        };
        let document = xml::parse(&text, NODES_MAX)?;
        let mut state = Self::default();
        for node in document.descendants().filter(Node::is_element) {
            if named(node).eq_ignore_ascii_case("ResetSession") {
                state.has_session = true;
                state.staged = state.staged.or(attribute(node, "Staged"));
            } else if is_operation(node) && state.operations.len() < OPERATIONS_MAX {
                state.operations.push(ServicingOperation {
                    element: named(node).to_string(),
                    attributes: attributes(node),
                });
            }
        }
        Ok(state)
    }

    /// Whether the session is staged: waits for the restart. `None` if the file does not say, or in other words.
    pub fn is_staged(&self) -> Option<bool> {
        let staged = self.staged.as_deref()?;
        match staged.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

/// Called an operation, or in a list of operations.
fn is_operation(node: Node<'_, '_>) -> bool {
    let is_list = |node: Node<'_, '_>| {
        let name = named(node).to_ascii_lowercase();
        name.ends_with("operations") || name.ends_with("operationqueue") || name.ends_with("operationlist")
    };
    let is_one =
        named(node).eq_ignore_ascii_case("Operation") || named(node).eq_ignore_ascii_case("CleanupScratch");
    !is_list(node) && (is_one || node.parent_element().is_some_and(is_list))
}

fn named<'a>(node: Node<'a, '_>) -> &'a str {
    node.tag_name().name()
}

fn attributes(node: Node<'_, '_>) -> Vec<(String, String)> {
    let pair = |attribute: roxmltree::Attribute<'_, '_>| {
        (attribute.name().to_string(), attribute.value().to_string())
    };
    node.attributes().map(pair).collect()
}

fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    let mut all = node.attributes();
    all.find(|attribute| attribute.name().eq_ignore_ascii_case(name))
        .map(|attribute| attribute.value().to_string())
}

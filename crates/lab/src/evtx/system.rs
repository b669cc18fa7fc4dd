//! The templates of events: what every event has (`System`), and what is its own (`EventData`).

use super::LogName;
use super::binxml::{Content, END, Element, FRAGMENT};
use super::chunk::{Chunk, Filled};
use super::event::{Event, Payload, Provider, Value};

const XMLNS: &str = "http://schemas.microsoft.com/win/2004/08/events/event";

const TEXT: u8 = 0x01;
const UINT8: u8 = 0x04;
const UINT16: u8 = 0x06;
const UINT32: u8 = 0x08;
const UINT64: u8 = 0x0A;
const BINARY: u8 = 0x0E;
const GUID: u8 = 0x0F;
const FILETIME: u8 = 0x11;
const SID: u8 = 0x13;
const HEX64: u8 = 0x15;
const BINXML: u8 = 0x21;
const ARRAY_OF_TEXT: u8 = 0x81;
const NONE: Filled = (0, Vec::new());

/// S-1-5-18, the system: revision 1, one sub-authority, the NT authority, 18.
const LOCAL_SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];

/// Appends an event as the instance of a template.
pub(super) fn put(chunk: &mut Chunk, log: &LogName, number: u64, event: &Event) {
    let log = *log;
    let provider = event.provider;
    let mut values = common_values(number, event);
    // What differs between the templates: the values behind the common ones, and where `EventData` is among them.
    let key = match provider {
        Provider::Manifest { name, guid } => {
            values.extend([
                NONE,
                (TEXT, Value::Text(name.to_owned()).to_bytes()),
                (GUID, guid.to_bytes_le().to_vec()),
                (TEXT, Value::Text(log.channel.to_owned()).to_bytes()),
            ]);
            format!("manifest {}", log.computer)
        }
        Provider::ManifestSource { name, .. } | Provider::Classic { name } => {
            values.extend(vec![NONE; 6]);
            format!("source {name} {} {}", log.channel, log.computer)
        }
    };
    let data_index = values.len() as u16;
    let system = move || event_element(log, provider, data_index);
    let mut data = |chunk: &mut Chunk| put_data(chunk, &event.payload);
    chunk.instance(key, system, &values, Some(&mut data));
}

/// The first 13 values, which all templates have in common.
fn common_values(number: u64, event: &Event) -> Vec<Filled> {
    let classic = matches!(event.provider, Provider::Classic { .. });
    let (process, thread) = if classic { (0, 0) } else { event.process };
    vec![
        (UINT8, vec![event.level]),
        (UINT8, vec![event.opcode]),
        (UINT16, event.task.to_le_bytes().to_vec()),
        (UINT16, event.id.to_le_bytes().to_vec()),
        event
            .qualifiers
            .map_or(NONE, |bits| (UINT16, bits.to_le_bytes().to_vec())),
        (HEX64, event.keywords.to_le_bytes().to_vec()),
        (FILETIME, event.time.to_le_bytes().to_vec()),
        event
            .activity
            .map_or(NONE, |activity| (GUID, activity.to_bytes_le().to_vec())),
        (UINT32, process.to_le_bytes().to_vec()),
        (UINT32, thread.to_le_bytes().to_vec()),
        (UINT64, number.to_le_bytes().to_vec()),
        (UINT8, vec![event.version]),
        if event.by_system {
            (SID, LOCAL_SYSTEM.to_vec())
        } else {
            NONE
        },
    ]
}

/// The template of all events of a provider with a manifest, or of an event source.
fn event_element(log: LogName, provider: Provider, data_index: u16) -> Element {
    use Content::{Optional, Text};
    let optional = |name, index, kind| Element::new(name).with(Optional(index, kind));
    let (who, related_index) = match provider {
        Provider::Manifest { .. } => {
            let who = Element::new("Provider")
                .attribute("Name", Optional(14, TEXT))
                .attribute("Guid", Optional(15, GUID));
            (who, 13)
        }
        Provider::ManifestSource { name, guid, source } => {
            let who = Element::new("Provider")
                .attribute("Name", Text(name))
                .attribute("Guid", Text(guid))
                .attribute("EventSourceName", Text(source));
            (who, 18)
        }
        Provider::Classic { name } => (Element::new("Provider").attribute("Name", Text(name)), 18),
    };
    let classic = matches!(provider, Provider::Classic { .. });
    let manifest = matches!(provider, Provider::Manifest { .. });
    let mut system = Element::new("System")
        .element(who)
        .element(optional("EventID", 3, UINT16).attribute("Qualifiers", Optional(4, UINT16)));
    if !classic {
        system = system.element(optional("Version", 11, UINT8));
    }
    system = system
        .element(optional("Level", 0, UINT8))
        .element(optional("Task", 2, UINT16));
    if !classic {
        system = system.element(optional("Opcode", 1, UINT8));
    }
    system = system
        .element(optional("Keywords", 5, HEX64))
        .element(Element::new("TimeCreated").attribute("SystemTime", Optional(6, FILETIME)))
        .element(optional("EventRecordID", 10, UINT64));
    if !classic {
        system = system
            .element(
                Element::new("Correlation")
                    .attribute("ActivityID", Optional(7, GUID))
                    .attribute("RelatedActivityID", Optional(related_index, GUID)),
            )
            .element(
                Element::new("Execution")
                    .attribute("ProcessID", Optional(8, UINT32))
                    .attribute("ThreadID", Optional(9, UINT32)),
            );
    }
    let channel = if manifest {
        Optional(16, TEXT)
    } else {
        Text(log.channel)
    };
    system = system
        .element(Element::new("Channel").with(channel))
        .element(Element::new("Computer").with(Text(log.computer)))
        .element(Element::new("Security").attribute("UserID", Optional(12, SID)));
    Element::new("Event")
        .attribute("xmlns", Text(XMLNS))
        .element(system)
        .with(Optional(data_index, BINXML))
}

/// Appends `EventData`: a fragment of its own, the instance of a template of its own.
fn put_data(chunk: &mut Chunk, payload: &Payload) {
    chunk.put(&FRAGMENT);
    match payload {
        Payload::Empty => chunk.instance("data".to_owned(), || Element::new("EventData"), &[], None),
        Payload::Named(fields) => put_fields(chunk, None, fields),
        Payload::Titled { title, fields } => put_fields(chunk, Some(title), fields),
        Payload::Strings { strings, binary } => {
            let zero_ended = strings.iter().flat_map(|text| text.encode_utf16().chain([0]));
            let joined: Vec<u8> = zero_ended.flat_map(u16::to_le_bytes).collect();
            let binary = if binary.is_empty() {
                NONE
            } else {
                (BINARY, binary.clone())
            };
            let values = [(ARRAY_OF_TEXT, joined), NONE, binary];
            chunk.instance("strings".to_owned(), strings_element, &values, None);
        }
    }
    chunk.put(&[END]);
}

/// Appends values with names, and with a name of `EventData` itself.
fn put_fields(chunk: &mut Chunk, title: Option<&'static str>, fields: &[(&'static str, Value)]) {
    let shape: Vec<(&'static str, u8)> = fields.iter().map(|(name, value)| (*name, value.kind())).collect();
    let values: Vec<Filled> = fields
        .iter()
        .map(|(_, value)| (value.kind(), value.to_bytes()))
        .collect();
    let key = format!("data {title:?} {shape:?}");
    chunk.instance(key, move || named(title, &shape), &values, None);
}

/// The template of that.
fn named(title: Option<&'static str>, shape: &[(&'static str, u8)]) -> Element {
    let element = |(index, (name, kind)): (usize, &(&'static str, u8))| {
        let element = if *kind == BINARY {
            Element::new("Binary")
        } else {
            Element::new("Data").attribute("Name", Content::Text(name))
        };
        element.with(Content::Value(index as u16, *kind))
    };
    let mut data = Element::new("EventData");
    if let Some(title) = title {
        data = data.attribute("Name", Content::Text(title));
    }
    shape.iter().enumerate().map(element).fold(data, Element::element)
}

/// `EventData` of a classic event.
fn strings_element() -> Element {
    Element::new("EventData")
        .element(Element::new("Data").with(Content::Optional(0, ARRAY_OF_TEXT)))
        .element(Element::new("Binary").with(Content::Optional(2, BINARY)))
}

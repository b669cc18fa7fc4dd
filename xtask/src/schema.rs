//! `schema`: the JSON Schema of the report, from the structs that it is made of. What a field means stands at the field,
//! and nowhere else.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, Field, Fields, GenericArgument, Item, ItemEnum, ItemStruct, Lit, Meta, PathArguments,
    Token, Type,
};

/// The sources of the report's types.
const SOURCES: [&str; 2] = ["crates/repair/src/report.rs", "crates/repair/src/explain.rs"];
/// Where the schema is kept.
const SCHEMA: &str = "docs/report.schema.json";
/// The type that a document has as a whole.
const ROOT: &str = "Report";

/// Why there is no schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A file.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A source that is no Rust.
    #[error("{}: {source}", path.display())]
    Source { path: PathBuf, source: syn::Error },
    /// A type that the schema has no word for.
    #[error("{holder}: the type of the field {field} is not understood")]
    FieldType { holder: String, field: String },
    /// JSON that cannot be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Writes the schema anew.
pub fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let written = document(&root).and_then(|text| {
        let path = root.join(SCHEMA);
        std::fs::write(&path, text).map_err(|source| SchemaError::File { path, source })
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The schema as a file.
fn document(root: &Path) -> Result<String, SchemaError> {
    let mut text = serde_json::to_string_pretty(&schema(root)?)?;
    text.push('\n');
    Ok(text)
}

fn schema(root: &Path) -> Result<Value, SchemaError> {
    let (mut structs, mut definitions) = (BTreeMap::new(), Map::new());
    for name in SOURCES {
        let path = root.join(name);
        let file = |source| SchemaError::File {
            path: path.clone(),
            source,
        };
        let text = std::fs::read_to_string(&path).map_err(file)?;
        let parsed = syn::parse_file(&text).map_err(|source| SchemaError::Source {
            path: path.clone(),
            source,
        })?;
        for item in parsed.items {
            match item {
                Item::Struct(item) if is_serialized(&item.attrs) => {
                    structs.insert(item.ident.to_string(), item);
                }
                Item::Enum(item) if is_serialized(&item.attrs) => {
                    definitions.insert(item.ident.to_string(), of_enum(&item));
                }
                _ => {}
            }
        }
    }
    for (name, item) in &structs {
        definitions.insert(name.clone(), of_struct(item, &structs)?);
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "winrefit.report/1",
        "description": "What winrefit found on a disk or did to it. Within one version fields are only added.",
        "$ref": format!("#/$defs/{ROOT}"),
    });
    schema["$defs"] = Value::Object(definitions);
    Ok(schema)
}

fn is_serialized(attributes: &[Attribute]) -> bool {
    let derives = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"));
    derives
        .filter_map(|derive| {
            derive
                .parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)
                .ok()
        })
        .any(|paths| paths.iter().any(|path| path.is_ident("Serialize")))
}

fn of_struct(item: &ItemStruct, all: &BTreeMap<String, ItemStruct>) -> Result<Value, SchemaError> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    add_fields(item, all, &mut properties, &mut required)?;
    Ok(json!({
        "type": "object",
        "description": description(&item.attrs),
        "properties": properties,
        "required": required,
    }))
}

fn add_fields(
    item: &ItemStruct,
    all: &BTreeMap<String, ItemStruct>,
    properties: &mut Map<String, Value>,
    required: &mut Vec<String>,
) -> Result<(), SchemaError> {
    let Fields::Named(fields) = &item.fields else {
        return Ok(());
    };
    for field in &fields.named {
        let options = Options::of(field);
        let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        if options.flatten {
            let inner = type_name(&field.ty).and_then(|(name, _)| all.get(&name));
            if let Some(inner) = inner {
                add_fields(inner, all, properties, required)?;
            }
            continue;
        }
        let name = options.rename.unwrap_or(name);
        let unknown = || SchemaError::FieldType {
            holder: item.ident.to_string(),
            field: name.clone(),
        };
        let mut value = of_type(&field.ty).ok_or_else(unknown)?;
        value["description"] = description(&field.attrs).into();
        if !options.may_be_missing {
            required.push(name.clone());
        }
        properties.insert(name, value);
    }
    Ok(())
}

/// What serde is told of a field.
#[derive(Default)]
struct Options {
    flatten: bool,
    rename: Option<String>,
    may_be_missing: bool,
}

impl Options {
    fn of(field: &Field) -> Self {
        let mut options = Self::default();
        for attribute in field
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("serde"))
        {
            let told = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            for meta in told.into_iter().flatten() {
                if meta.path().is_ident("flatten") {
                    options.flatten = true;
                } else if meta.path().is_ident("skip_serializing_if") {
                    options.may_be_missing = true;
                } else if meta.path().is_ident("rename") {
                    options.rename = meta
                        .require_name_value()
                        .ok()
                        .and_then(|pair| text_of(&pair.value));
                }
            }
        }
        options
    }
}

/// The last part of a type's path, and what stands in its angle brackets.
fn type_name(of: &Type) -> Option<(String, Vec<&Type>)> {
    match of {
        Type::Reference(reference) => type_name(&reference.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let inner = match &last.arguments {
                PathArguments::AngleBracketed(arguments) => {
                    arguments.args.iter().filter_map(|argument| match argument {
                        GenericArgument::Type(inner) => Some(inner),
                        _ => None,
                    })
                }
                _ => return Some((last.ident.to_string(), Vec::new())),
            };
            Some((last.ident.to_string(), inner.collect()))
        }
        _ => None,
    }
}

fn of_type(of: &Type) -> Option<Value> {
    let (name, inner) = type_name(of)?;
    Some(match (name.as_str(), inner.as_slice()) {
        ("String" | "str" | "Text", []) => json!({"type": "string"}),
        ("bool", []) => json!({"type": "boolean"}),
        ("u8" | "u16" | "u32" | "u64" | "usize", []) => json!({"type": "integer", "minimum": 0}),
        ("Vec", [item]) => json!({"type": "array", "items": of_type(item)?}),
        ("Option", [inner]) => json!({"anyOf": [of_type(inner)?, {"type": "null"}]}),
        (name, []) => json!({"$ref": format!("#/$defs/{name}")}),
        _ => return None,
    })
}

/// The enums of the report have no content, and `rename_all = "kebab-case"`.
fn of_enum(item: &ItemEnum) -> Value {
    let values = item.variants.iter().map(|variant| {
        json!({
            "const": kebab(&variant.ident.to_string()),
            "description": description(&variant.attrs),
        })
    });
    json!({
        "description": description(&item.attrs),
        "oneOf": values.collect::<Vec<_>>(),
    })
}

fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

/// The documentation, on one line, without the marks of links.
fn description(attributes: &[Attribute]) -> String {
    let docs = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"));
    let lines = docs.filter_map(|doc| text_of(&doc.meta.require_name_value().ok()?.value));
    let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    lines.join(" ").replace(['[', ']'], "").trim().to_owned()
}

fn text_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

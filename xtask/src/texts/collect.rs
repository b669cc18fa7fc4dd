//! Finding sentences in sources.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::LitStr;

/// A sentence, and the files that say it.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The English template; of a number of things, that for one.
    pub text: String,
    /// The template for several.
    pub many: Option<String>,
    /// Paths of sources.
    pub files: BTreeSet<String>,
}

/// What is wrong with a sentence in a source.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CollectError {
    /// It is no Rust.
    #[error("{file} cannot be read as Rust")]
    Syntax {
        /// The source.
        file: String,
    },
    /// A maker of sentences that is given something else than a literal.
    #[error("{file}: {found} begins with no literal")]
    NoLiteral {
        /// The source.
        file: String,
        /// The maker with its arguments.
        found: String,
    },
    /// A placeholder without a value, or a value without a placeholder.
    #[error("{file}: {text:?} has the placeholders {placeholders:?} and the values {values:?}")]
    Values {
        /// The source.
        file: String,
        /// The template.
        text: String,
        /// What it names.
        placeholders: Vec<String>,
        /// What it is given.
        values: Vec<String>,
    },
    /// One template is used with and without a number of things, or with two others for several.
    #[error("{file}: {text:?} has another form for several elsewhere")]
    TwoForms {
        /// The source.
        file: String,
        /// The template.
        text: String,
    },
}

/// The names in braces of a template.
pub fn placeholders(template: &str) -> BTreeSet<String> {
    let parts = template.split('{').skip(1);
    parts
        .filter_map(|part| Some(part.split_once('}')?.0.to_owned()))
        .collect()
}

/// Adds the sentences of a source to `all`. What is compiled for tests alone is passed over.
pub fn collect(file: &str, source: &str, all: &mut Vec<Message>) -> Result<(), CollectError> {
    let tokens: TokenStream = source.parse().map_err(|_| CollectError::Syntax {
        file: file.to_owned(),
    })?;
    walk(file, tokens, all)
}

fn walk(file: &str, tokens: TokenStream, all: &mut Vec<Message>) -> Result<(), CollectError> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = &tokens[at..]
            && hash.as_char() == '#'
            && attribute.stream().to_string().replace(' ', "") == "cfg(test)"
        {
            at = behind_item(&tokens, at + 2);
            continue;
        }
        if let [
            TokenTree::Ident(name),
            TokenTree::Punct(bang),
            TokenTree::Group(group),
            ..,
        ] = &tokens[at..]
            && bang.as_char() == '!'
        {
            match name.to_string().as_str() {
                "text" => sentence(file, group, false, all)?,
                "counted" => sentence(file, group, true, all)?,
                _ => {}
            }
        }
        if let TokenTree::Group(group) = token {
            walk(file, group.stream(), all)?;
        }
        at += 1;
    }
    Ok(())
}

/// The token behind the item that begins at `at`.
fn behind_item(tokens: &[TokenTree], at: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let length = tokens.iter().skip(at).position(ends);
    length.map_or(tokens.len(), |length| at + length + 1)
}

fn sentence(file: &str, group: &Group, is_counted: bool, all: &mut Vec<Message>) -> Result<(), CollectError> {
    let arguments = arguments(group.stream());
    let literal = |index: usize| {
        let argument = arguments.get(index).cloned().unwrap_or_default();
        let literal: Result<LitStr, _> = syn::parse2(argument);
        literal
            .map(|literal| literal.value())
            .map_err(|_| no_literal(file, group))
    };
    let (text, many, first_value) = if is_counted {
        (literal(1)?, Some(literal(2)?), 3)
    } else {
        (literal(0)?, None, 1)
    };
    let mut values: BTreeSet<String> = arguments.iter().skip(first_value).filter_map(name_of).collect();
    let mut named = placeholders(&text);
    named.extend(many.iter().flat_map(|many| placeholders(many)));
    if is_counted {
        values.insert("n".to_owned());
        named.insert("n".to_owned());
    }
    if values != named {
        return Err(CollectError::Values {
            file: file.to_owned(),
            text,
            placeholders: named.into_iter().collect(),
            values: values.into_iter().collect(),
        });
    }
    add(all, file, text, many)
}

/// What stands between commas.
fn arguments(tokens: TokenStream) -> Vec<TokenStream> {
    let mut arguments = vec![TokenStream::new()];
    for token in tokens {
        match (&token, arguments.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => arguments.push(TokenStream::new()),
            (_, Some(last)) => last.extend([token]),
            _ => {}
        }
    }
    arguments.retain(|argument| !argument.is_empty());
    arguments
}

/// The name of a value.
fn name_of(argument: &TokenStream) -> Option<String> {
    match argument.clone().into_iter().next()? {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    }
}

fn no_literal(file: &str, group: &Group) -> CollectError {
    CollectError::NoLiteral {
        file: file.to_owned(),
        found: group.to_string(),
    }
}

/// Adds a sentence, or the file to those that say it.
pub fn add(
    all: &mut Vec<Message>,
    file: &str,
    text: String,
    many: Option<String>,
) -> Result<(), CollectError> {
    match all.iter_mut().find(|message| message.text == text) {
        Some(known) if known.many == many => {
            known.files.insert(file.to_owned());
        }
        Some(_) => {
            let file = file.to_owned();
            return Err(CollectError::TwoForms { file, text });
        }
        None => all.push(Message {
            text,
            many,
            files: [file.to_owned()].into(),
        }),
    }
    Ok(())
}

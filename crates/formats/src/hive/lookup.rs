//! Single values and keys by their path, as a diagnosis asks for them.

use super::{Hive, HiveError, Key, RegistryValue};

/// Subkeys of a key, up to a limit.
#[derive(Debug, Clone)]
pub struct Subkeys<'f> {
    /// The keys, in the order of their names.
    pub keys: Vec<Key<'f>>,
    /// There are more than were asked for.
    pub truncated: bool,
}

impl<'f> Hive<'f> {
    /// Whether there is a key at `path`.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn has_key(&self, path: &str) -> Result<bool, HiveError> {
        Ok(self.key(path)?.is_some())
    }

    /// The number in the `REG_DWORD` value `name` of the key at `path`. `None` if there is none, or one of another type.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn dword(&self, path: &str, name: &str) -> Result<Option<u32>, HiveError> {
        Ok(match self.value(path, name)? {
            Some(RegistryValue::Dword(number)) => Some(number),
            _ => None,
        })
    }

    /// The text in the `REG_SZ` or `REG_EXPAND_SZ` value; `None` as above.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn string(&self, path: &str, name: &str) -> Result<Option<String>, HiveError> {
        Ok(match self.value(path, name)? {
            Some(RegistryValue::String(text)) => Some(text),
            _ => None,
        })
    }

    /// The texts in the `REG_MULTI_SZ` value; `None` as above.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn strings(&self, path: &str, name: &str) -> Result<Option<Vec<String>>, HiveError> {
        Ok(match self.value(path, name)? {
            Some(RegistryValue::MultiString(texts)) => Some(texts),
            _ => None,
        })
    }

    /// The first `limit` subkeys of the key at `path`; `None` if there is no such key. Only these are read.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn subkeys(&self, path: &str, limit: usize) -> Result<Option<Subkeys<'f>>, HiveError> {
        let Some(key) = self.key(path)? else {
            return Ok(None);
        };
        let mut all = key.subkeys()?;
        let keys = all.by_ref().take(limit).collect::<Result<_, _>>()?;
        let truncated = all.next().is_some();
        Ok(Some(Subkeys { keys, truncated }))
    }

    /// Name of the control set that Windows starts from, in a SYSTEM hive: `CurrentControlSet` exists in memory only.
    /// `None` if the hive does not say.
    ///
    /// # Errors
    /// [`HiveError`].
    pub fn current_control_set(&self) -> Result<Option<String>, HiveError> {
        let number = self
            .dword("Select", "Current")?
            .filter(|number| (1..1000).contains(number));
        Ok(number.map(|number| format!("ControlSet{number:03}")))
    }
}

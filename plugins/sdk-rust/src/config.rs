//! The settings that the manifest declares and the operator gives, by type.
use crate::{host, Decimal, Error, Money};

/// A type that a setting can have.
pub trait Setting: Sized {
    /// For messages: what the text should have been.
    const KIND: &'static str;
    fn read(text: &str) -> Option<Self>;
}

macro_rules! setting {
    ($type:ty, $kind:literal, $read:expr) => {
        impl Setting for $type {
            const KIND: &'static str = $kind;
            fn read(text: &str) -> Option<Self> {
                $read(text)
            }
        }
    };
}

setting!(String, "text", |t: &str| Some(t.to_owned()));
setting!(i64, "whole", |t: &str| t.trim().parse().ok());
setting!(u32, "whole", |t: &str| t.trim().parse().ok());
setting!(bool, "truth", |t: &str| match t.trim() {
    "true" => Some(true),
    "false" => Some(false),
    _ => None,
});
setting!(Money, "money", |t: &str| Money::parse(t).ok());
setting!(Decimal, "decimal", |t: &str| Decimal::parse(t).ok());

/// A setting that must be there: `let url: String = config::get("url")?;`.
pub fn get<T: Setting>(name: &str) -> Result<T, Error> {
    find(name)?.ok_or_else(|| Error::Internal(format!("the setting `{name}` is not given")))
}

/// A setting that may be missing.
pub fn find<T: Setting>(name: &str) -> Result<Option<T>, Error> {
    let Some(text) = host::setting(name) else { return Ok(None) };
    match T::read(&text) {
        Some(value) => Ok(Some(value)),
        None => Err(Error::Internal(format!("the setting `{name}` is no {}: {text}", T::KIND))),
    }
}

//! The plugin's own small store, where the operator granted one. Writes take effect when the call succeeds.
use crate::{host, Error};

/// The value of a key, unless there is none or its time is over.
pub fn get(key: &str) -> Option<Vec<u8>> {
    host::read(key)
}

/// Sets a key; with a `ttl` for so many seconds.
pub fn set(key: &str, value: &[u8], ttl: Option<u32>) -> Result<(), Error> {
    host::write(key, value, ttl)
}

pub fn delete(key: &str) {
    host::remove(key);
}

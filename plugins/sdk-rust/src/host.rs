//! Who answers log, settings and store: the host in wasm, doubles in native tests.
#[cfg(target_arch = "wasm32")]
mod there {
    use crate::bindings::words::zhanggui::plugin::{config, kv, logging};

    pub fn log(level: crate::log::Level, message: &str) {
        let level = match level {
            crate::log::Level::Debug => logging::Level::Debug,
            crate::log::Level::Info => logging::Level::Info,
            crate::log::Level::Warn => logging::Level::Warn,
            crate::log::Level::Error => logging::Level::Error,
        };
        logging::log(level, message);
    }

    pub fn setting(name: &str) -> Option<String> {
        config::get(name)
    }

    pub fn read(key: &str) -> Option<Vec<u8>> {
        kv::get(key)
    }

    pub fn write(key: &str, value: &[u8], ttl: Option<u32>) -> Result<(), crate::Error> {
        kv::set(key, value, ttl).map_err(|error| match error {
            kv::KvError::TooLarge => crate::Error::Internal(format!("no room in the store for {key}")),
            kv::KvError::Other(why) => crate::Error::Internal(why),
        })
    }

    pub fn remove(key: &str) {
        kv::delete(key);
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod there {
    use crate::test::DOUBLE;

    pub fn log(level: crate::log::Level, message: &str) {
        DOUBLE.with_borrow_mut(|d| d.log.push((level, message.to_owned())));
    }

    pub fn setting(name: &str) -> Option<String> {
        DOUBLE.with_borrow(|d| d.settings.get(name).cloned())
    }

    pub fn read(key: &str) -> Option<Vec<u8>> {
        DOUBLE.with_borrow(|d| d.store.get(key).cloned())
    }

    pub fn write(key: &str, value: &[u8], _ttl: Option<u32>) -> Result<(), crate::Error> {
        DOUBLE.with_borrow_mut(|d| d.store.insert(key.to_owned(), value.to_vec()));
        Ok(())
    }

    pub fn remove(key: &str) {
        DOUBLE.with_borrow_mut(|d| d.store.remove(key));
    }
}

pub use there::*;

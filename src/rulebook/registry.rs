//! The rulebooks that serve now: swapped whole, never half; a change that does not check changes nothing.
use crate::rulebook::{LoadError, Loaded, Rulebooks, load};
use arc_swap::ArcSwap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What the last attempt to load came to.
#[derive(Debug, Clone, Default)]
pub struct ReloadState {
    /// How many times other rulebooks were taken up since the start.
    pub revision: u64,
    /// What keeps the files on disk from being taken up; empty if they serve.
    pub errors: Vec<String>,
}

/// What one look at the files came to.
#[derive(Debug)]
pub enum Reload {
    /// The files are those that were tried last.
    Same,
    /// The files check and serve from now on.
    Swapped,
    /// The files do not check, cannot be read, or do not fit what they are served with; the old rulebooks serve on. What is wrong, as text.
    Refused(String),
}

/// Whether rulebooks that check fit what they are served with; if not, why, for a person.
pub type Fits = dyn Fn(&Rulebooks) -> Result<(), String> + Send + Sync;

#[derive(Default)]
struct Guard(OnceLock<Box<Fits>>);

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// The rulebooks of one folder, and the way to new ones.
#[derive(Debug)]
pub struct Registry {
    dir: PathBuf,
    current: ArcSwap<Rulebooks>,
    state: ArcSwap<ReloadState>,
    /// What was tried last; held while loading, so that two looks never race.
    tried: Mutex<Tried>,
    guard: Guard,
}

#[derive(Debug, Default)]
struct Tried {
    fingerprint: Option<[u8; 32]>,
    unreadable: Option<String>,
    paths: Vec<PathBuf>,
    /// They check, and did not fit at the last look.
    waiting: Option<Rulebooks>,
}

impl Registry {
    /// Loads a folder; `Err` holds what was loaded and does not check.
    pub fn open(dir: &Path) -> Result<Registry, OpenError> {
        let loaded = load(dir)?;
        let tried =
            Tried { fingerprint: Some(loaded.fingerprint), paths: loaded.paths.clone(), ..Tried::default() };
        match loaded.rulebooks {
            Some(books) => Ok(Registry {
                dir: dir.to_owned(),
                current: ArcSwap::from_pointee(books),
                state: ArcSwap::from_pointee(ReloadState::default()),
                tried: Mutex::new(tried),
                guard: Guard::default(),
            }),
            None => Err(OpenError::Findings(Box::new(loaded))),
        }
    }

    /// From now on rulebooks are taken up only if they fit; said once, before the first look.
    pub fn guard(&self, fits: Box<Fits>) {
        drop(self.guard.0.set(fits));
    }

    fn fits(&self, books: &Rulebooks) -> Result<(), String> {
        self.guard.0.get().map_or(Ok(()), |fits| fits(books))
    }

    /// The rulebooks that serve now. A request takes them once and keeps them to its end.
    pub fn current(&self) -> Arc<Rulebooks> {
        self.current.load_full()
    }

    /// What the last change came to.
    pub fn state(&self) -> Arc<ReloadState> {
        self.state.load_full()
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The files that were read last, for watching.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).paths.clone()
    }

    /// Looks at the files, and takes them up if they changed and check.
    pub fn reload(&self) -> Reload {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let read = match super::files::read(&self.dir) {
            Ok(read) => read,
            Err(error) => {
                let said = error.to_string();
                if tried.unreadable.as_ref() == Some(&said) {
                    return Reload::Same;
                }
                let paths = tried.paths.clone();
                *tried = Tried { unreadable: Some(said.clone()), paths, ..Tried::default() };
                self.note(vec![said.clone()], false);
                return Reload::Refused(said);
            }
        };
        if tried.fingerprint == Some(read.fingerprint()) {
            // What they have to fit may have changed meanwhile.
            return match tried.waiting.take() {
                Some(books) if self.fits(&books).is_ok() => self.swap(books),
                waiting => {
                    tried.waiting = waiting;
                    Reload::Same
                }
            };
        }
        let paths = read.paths.clone();
        *tried = Tried { fingerprint: Some(read.fingerprint()), paths, ..Tried::default() };
        let loaded = match super::load::assemble(read) {
            Ok(loaded) => loaded,
            Err(error) => {
                self.note(vec![error.to_string()], false);
                return Reload::Refused(error.to_string());
            }
        };
        match loaded.rulebooks {
            Some(books) => match self.fits(&books) {
                Ok(()) => self.swap(books),
                Err(why) => {
                    tried.waiting = Some(books);
                    self.note(why.lines().map(str::to_owned).collect(), false);
                    Reload::Refused(why)
                }
            },
            None => {
                self.note(loaded.error_lines(), false);
                Reload::Refused(loaded.shown(false))
            }
        }
    }

    fn swap(&self, books: Rulebooks) -> Reload {
        self.current.store(Arc::new(books));
        self.note(Vec::new(), true);
        Reload::Swapped
    }

    fn note(&self, errors: Vec<String>, swapped: bool) {
        let revision = self.state.load().revision + u64::from(swapped);
        self.state.store(Arc::new(ReloadState { revision, errors }));
    }
}

/// Why a folder cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The rulebooks do not check.
    #[error("the rulebooks do not check")]
    Findings(Box<Loaded>),
}

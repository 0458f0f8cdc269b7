//! What a run writes to: registers, buffers, and the notes from which the outcome is told. Kept from run to run, so
//! that a warm frame never allocates.
use crate::program::code::Reg;
use crate::program::vm::fraction::Fraction;

/// As many registers as an instruction can name, so that no access needs a bounds check.
pub const REGISTERS: usize = 1 << 16;

/// An effective contribution, removal or clamp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contribution {
    /// Index into the code's effect sites.
    pub site: u32,
    /// The element of a `for each`, by position.
    pub elem: u32,
    /// The value, by the output's type; of a fraction, its index in [`Frame::fraction_notes`]; of a record, its start in `vals`.
    pub value: i64,
}

/// The working memory of a run.
#[derive(Debug)]
pub struct Frame {
    pub(crate) regs: Box<[i64; REGISTERS]>,
    pub(crate) fractions: Vec<Fraction>,
    pub(crate) flags: Vec<bool>,
    pub(crate) calls: Vec<u32>,
    /// Lists made by the run.
    pub(crate) vals: Vec<i64>,
    /// (site, row): every lookup and every use of a lazy part, in the order in which they happened.
    pub(crate) trace: Vec<(u32, i64)>,
    pub(crate) contributions: Vec<Contribution>,
    pub(crate) fraction_notes: Vec<Fraction>,
    /// Lists of fractions made by the run.
    pub(crate) fraction_vals: Vec<Fraction>,
    /// Room for combining.
    pub(super) standing: Vec<super::combine::Standing>,
}

impl Default for Frame {
    fn default() -> Self {
        Frame::new()
    }
}

impl Frame {
    /// An empty frame; one per thread is enough.
    pub fn new() -> Frame {
        // From a vector, because a box of an array this large would first be made on the stack.
        let regs = match vec![0i64; REGISTERS].into_boxed_slice().try_into() {
            Ok(regs) => regs,
            Err(_) => Box::new([0; REGISTERS]),
        };
        Frame {
            regs,
            fractions: Vec::new(),
            flags: Vec::new(),
            calls: Vec::with_capacity(64),
            vals: Vec::with_capacity(256),
            trace: Vec::with_capacity(256),
            contributions: Vec::with_capacity(256),
            fraction_notes: Vec::new(),
            fraction_vals: Vec::new(),
            standing: Vec::new(),
        }
    }

    /// Ready for a run that needs so many fractions and flags.
    #[inline]
    pub(crate) fn reset(&mut self, fractions: usize, flags: usize) {
        if self.fractions.len() < fractions {
            self.fractions.resize(fractions, Fraction::ZERO);
        }
        self.flags.clear();
        self.flags.resize(flags, false);
        self.calls.clear();
        self.vals.clear();
        self.trace.clear();
        self.contributions.clear();
        self.fraction_notes.clear();
        self.fraction_vals.clear();
    }

    #[expect(clippy::indexing_slicing, reason = "every u16 indexes an array of 2^16")]
    pub(crate) fn reg(&self, reg: Reg) -> i64 {
        self.regs[usize::from(reg)]
    }
}

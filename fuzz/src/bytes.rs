//! The fuzzer's bytes as a row of choices.

/// Choices taken from bytes; where they are used up, the first of each.
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Bytes(bytes)
    }

    /// The next byte, 0 where there is none.
    pub fn next(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// Below `n`, which is at most 65,536 and not 0.
    pub fn below(&mut self, n: usize) -> usize {
        let high = if n > 256 { usize::from(self.next()) } else { 0 };
        (high * 256 + usize::from(self.next())) % n
    }

    pub fn pick<'x, T>(&mut self, of: &'x [T]) -> &'x T {
        &of[self.below(of.len())]
    }

    pub fn word(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    /// What was not taken yet.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

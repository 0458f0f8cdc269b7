//! Where output goes, and whether it may have colours (they never say anything alone).
use std::io::{BufWriter, IsTerminal, Stdout, Write};

/// Standard output, buffered, and standard error.
#[derive(Debug)]
pub(crate) struct Console {
    out: BufWriter<Stdout>,
    colour_out: bool,
    colour_err: bool,
}

impl Console {
    pub(crate) fn new() -> Console {
        // https://no-color.org: set and not empty.
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Console {
            out: BufWriter::new(std::io::stdout()),
            colour_out: !plain && std::io::stdout().is_terminal(),
            colour_err: !plain && std::io::stderr().is_terminal(),
        }
    }
    /// Data.
    pub(crate) fn print(&mut self, text: &str) -> std::io::Result<()> {
        self.out.write_all(text.as_bytes())
    }
    /// Data, a line.
    pub(crate) fn line(&mut self, text: &str) -> std::io::Result<()> {
        self.print(text)?;
        self.print("\n")
    }
    /// A message for the person.
    pub(crate) fn message(&self, text: &str) {
        message(text);
    }
    /// Whether standard output may have colours.
    pub(crate) fn colour(&self) -> bool {
        self.colour_out
    }
    /// Whether standard error may have colours.
    pub(crate) fn colour_err(&self) -> bool {
        self.colour_err
    }
    /// A word of a message that stands out.
    pub(crate) fn word(&self, text: &str) -> String {
        if self.colour_err { format!("\x1b[1;31m{text}\x1b[0m") } else { text.to_owned() }
    }
    /// A word of the output that stands out, good or bad.
    pub(crate) fn mark(&self, text: &str, good: bool) -> String {
        match (self.colour_out, good) {
            (false, _) => text.to_owned(),
            (true, true) => format!("\x1b[32m{text}\x1b[0m"),
            (true, false) => format!("\x1b[1;31m{text}\x1b[0m"),
        }
    }
    pub(crate) fn finish(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// A line on standard error; that it cannot be shown is no reason to stop.
pub(crate) fn message(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

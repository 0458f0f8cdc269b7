//! Text to typed policy: parse, names, types, diagnostics.

//! JSON written by hand, in one fixed order of keys: answers are compared and hashed as bytes.
use crate::lang::typed::Label;

/// A text with quotes and escapes.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A text, or `null`.
pub(crate) fn optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => out.push_str("null"),
    }
}

/// `[…]`, with `each` writing one item.
pub(crate) fn list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        each(out, item);
    }
    out.push(']');
}

/// `{"zh":…,"en":…}`.
pub(crate) fn both(out: &mut String, zh: &str, en: &str) {
    out.push_str("{\"zh\":");
    string(out, zh);
    out.push_str(",\"en\":");
    string(out, en);
    out.push('}');
}

/// A label, with the name where a language is missing.
pub(crate) fn label(out: &mut String, label: &Label, name: &str) {
    both(out, label.zh(name), &english(label, name));
}

/// The English text, else the name with blanks for underscores.
pub(crate) fn english(label: &Label, name: &str) -> String {
    match &label.en {
        Some(text) => text.clone(),
        None if name.is_empty() => label.zh.clone().unwrap_or_default(),
        None => name.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_are_escaped_as_the_standard_says() {
        let hard = "a\"\\\n\r\t\u{1}\u{7f}季/\u{2028}";
        let mut out = String::new();
        super::string(&mut out, hard);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), hard);
        assert!(out.contains("\\u0001"));
    }
}

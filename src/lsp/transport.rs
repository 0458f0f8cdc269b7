//! Messages in and out, each on a thread of its own, so that neither side waits for the other.
use lsp_server::Message;
use serde::Serialize;
use std::io::{self, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender};

/// What comes in.
#[derive(Debug)]
pub(super) enum Incoming {
    Message(Message),
    /// A message whose text is not what the protocol has; the next one may be.
    Malformed(String),
    /// Nothing more will come; why, if that is not as it should be.
    End(Option<String>),
}

/// What goes out.
#[derive(Debug)]
pub(super) enum Outgoing {
    Message(Message),
    /// The answer to a message that cannot be read: it has no id.
    Unreadable(String),
}

/// Reads messages until the input ends or a frame is broken, after which nothing can be found.
pub(super) fn read(input: impl Read, mut send: impl FnMut(Incoming) -> bool) {
    let mut input = BufReader::new(input);
    loop {
        let incoming = match Message::read(&mut input) {
            Ok(Some(message)) => Incoming::Message(message),
            Ok(None) => Incoming::End(None),
            // The frame was read whole, what is in it cannot be.
            Err(error) if error.to_string().starts_with("malformed LSP payload") => {
                Incoming::Malformed("this is not a message of the protocol".to_owned())
            }
            Err(error) if error.to_string().starts_with("invalid utf-8") => {
                Incoming::Malformed("this message is not UTF-8".to_owned())
            }
            Err(error) => Incoming::End(Some(error.to_string())),
        };
        let last = matches!(incoming, Incoming::End(_));
        if !send(incoming) || last {
            return;
        }
    }
}

#[derive(Serialize)]
struct Refusal<'m> {
    jsonrpc: &'static str,
    id: Option<()>,
    error: Reason<'m>,
}

#[derive(Serialize)]
struct Reason<'m> {
    code: i32,
    message: &'m str,
}

/// Writes messages until there are no senders left.
pub(super) fn write(mut output: impl Write, messages: &Receiver<Outgoing>) -> io::Result<()> {
    for message in messages {
        match message {
            Outgoing::Message(message) => message.write(&mut output)?,
            Outgoing::Unreadable(message) => {
                let error = Reason { code: lsp_server::ErrorCode::ParseError as i32, message: &message };
                let refusal = Refusal { jsonrpc: "2.0", id: None, error };
                let text = serde_json::to_string(&refusal)?;
                write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
                output.flush()?;
            }
        }
    }
    Ok(())
}

/// The way out; that nobody reads any more is noticed by the reader.
#[derive(Debug, Clone)]
pub(super) struct Out(Sender<Outgoing>);

impl Out {
    pub(super) fn new(sender: Sender<Outgoing>) -> Out {
        Out(sender)
    }
    pub(super) fn send(&self, message: impl Into<Message>) {
        let _ = self.0.send(Outgoing::Message(message.into()));
    }
    pub(super) fn unreadable(&self, why: String) {
        let _ = self.0.send(Outgoing::Unreadable(why));
    }
}

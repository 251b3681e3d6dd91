//! The only place that prints: results to standard output, prose to standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;
use crate::error::Error;

/// Somebody or something that reads what this program prints.
#[derive(Clone, Debug)]
pub struct Shell {
    json: bool,
    colour_out: bool,
    colour_err: bool,
}

/// Meanings that have a colour on a terminal.
#[derive(Clone, Copy, Debug)]
pub enum Paint {
    /// A heading.
    Strong,
    /// What matters less.
    Faint,
    /// What everybody sees.
    Public,
    /// What one user sees.
    Private,
    /// What one must not overlook.
    Warning,
}

impl Shell {
    /// A shell whose results are JSON or text.
    pub fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let [colour_out, colour_err] =
            [io::stdout().is_terminal(), io::stderr().is_terminal()].map(|tty| tty && wanted);
        Self { json, colour_out, colour_err }
    }

    /// Whether results are to be JSON.
    pub const fn json(&self) -> bool {
        self.json
    }

    /// One line of the result. An error means that nobody reads any more.
    pub fn result(&self, line: impl Display) -> Result<(), Error> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error::Output)
    }

    /// One line of the result as JSON.
    pub fn object(&self, object: &impl Serialize) -> Result<(), Error> {
        self.result(serde_json::to_string(object).expect("our own structures have a JSON form"))
    }

    /// One line of prose. Without a standard error there is nobody to tell.
    pub fn prose(&self, line: impl Display) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Why the program fails, with the causes below it.
    pub fn error(&self, error: &Error) {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(below) = cause {
            // Transparent errors repeat what stands above them.
            let words = below.to_string();
            if !text.ends_with(&words) {
                text = format!("{text}: {words}");
            }
            cause = below.source();
        }
        self.prose(format_args!("{} {text}", self.prose_paint(Paint::Warning, "error:")));
    }

    /// `text` with its colour, for the result.
    pub fn paint(&self, paint: Paint, text: impl Display) -> String {
        dress(self.colour_out, paint, text)
    }

    /// `text` with its colour, for prose.
    pub fn prose_paint(&self, paint: Paint, text: impl Display) -> String {
        dress(self.colour_err, paint, text)
    }
}

fn dress(colour: bool, paint: Paint, text: impl Display) -> String {
    if !colour {
        return text.to_string();
    }
    let style = match paint {
        Paint::Strong => Style::new().bold(),
        Paint::Faint => Style::new().dimmed(),
        Paint::Public => AnsiColor::Yellow.on_default(),
        Paint::Private => AnsiColor::Green.on_default(),
        Paint::Warning => AnsiColor::Red.on_default().bold(),
    };
    format!("{style}{text}{style:#}")
}

/// Sends logs to standard error: what `RUST_LOG` says, else what `verbose` asks for, else what `usual` says.
pub fn log(verbose: u8, format: LogFormat, usual: &str) {
    let default = match verbose {
        0 => usual,
        1 => "warn,cloister=info,cloister_node=info,cloister_api=info,cloister_consensus=info",
        2 => "info,cloister=debug,cloister_node=debug,cloister_api=debug,cloister_consensus=debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let colour = io::stderr().is_terminal();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour);
    // A second subscriber could only come from this function being called twice.
    let _ = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).with_ansi(false).try_init(),
    };
}

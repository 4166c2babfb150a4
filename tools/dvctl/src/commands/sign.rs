//! `dvctl sign`: prints the signature header for a body.

use std::fmt;
use std::path::PathBuf;

use idenfy::SIGNATURE_HEADER;
use serde::Serialize;

use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Sign a callback body with the current signing key, for curl
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    curl --data-binary @body.json -H \"$(dvctl sign body.json)\" \"$WEBHOOK_URL\"
    dvctl sign < body.json

The bytes are signed exactly as they are: use --data-binary, because --data drops line ends. The key
is the first of signingKeys in the secret. It is not printed.")]
pub struct Arguments {
    /// File with the body; without it, or for -, standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Signature {
    header: &'static str,
    value: String,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let body = read(arguments.file).await?;
    let keys = context.signing_keys().await?;
    let signature = Signature {
        header: SIGNATURE_HEADER,
        value: keys.current().sign(&body),
    };
    context.output.answer(&signature)?;
    Ok(Exit::Done)
}

async fn read(file: Option<PathBuf>) -> Result<Vec<u8>, Failure> {
    let named = file.filter(|file| file.as_os_str() != "-");
    let shown = named.as_ref().map_or_else(
        || "standard input".to_owned(),
        |file| file.display().to_string(),
    );
    let reading = tokio::task::spawn_blocking(move || match named {
        Some(file) => std::fs::read(file),
        None => {
            let mut body = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut body).map(|_| body)
        }
    });
    let read = reading
        .await
        .map_err(|error| Failure::new("reading was broken off").because(error))?;
    read.map_err(|error| Failure::usage(format!("{shown} cannot be read")).because(error))
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.header, self.value)
    }
}

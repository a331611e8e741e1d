//! `snapvisor snapshot`: an API client. It knows the API as any client does, and nothing of this host's database.

mod client;
mod create;
mod delete;
mod download;
mod list;
mod resolver;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

pub(super) use client::ApiError;
use client::Client;

use super::settings::Overrides;
use super::{CliError, Exit};
use crate::config::{BaseUrl, Config};
use crate::domain::id::DeploymentId;

/// Take, list, download and delete snapshots through a running appliance's API.
///
/// The key is read from --api-key-file, or from the environment variable `LD_API_KEY`. The address is that of --api-url;
/// else the one in the file of --api-key-file, if that is a bootstrap.json: a key goes where it belongs; else that of
/// `LD_API_URL`; else what this host's configuration listens on.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor snapshot create --wait --api-key-file snapvisor-data/bootstrap.json
  snapvisor snapshot download latest --api-key-file snapvisor-data/bootstrap.json

  export LD_API_URL=https://snap.example.com LD_API_KEY=…
  snapvisor snapshot list --deployment 611298765432109056")]
pub(super) struct Snapshot {
    #[command(subcommand)]
    command: SnapshotCommand,
}

#[derive(Debug, clap::Subcommand)]
enum SnapshotCommand {
    Create(create::Create),
    List(list::List),
    Download(download::Download),
    Delete(delete::Delete),
}

impl Snapshot {
    pub(super) fn run(self, file: Option<PathBuf>, out: &mut dyn Write) -> Result<Exit, CliError> {
        let config = Overrides::default().load(file)?.config;
        match self.command {
            SnapshotCommand::Create(create) => create.run(&config, out),
            SnapshotCommand::List(list) => list.run(&config, out),
            SnapshotCommand::Download(download) => download.run(&config, out),
            SnapshotCommand::Delete(delete) => delete.run(&config, out),
        }
    }
}

/// Where the API is, and as whom to talk to it.
#[derive(Debug, clap::Args)]
struct ApiArgs {
    /// The address of the API; environment: `LD_API_URL`.
    #[arg(long, value_name = "URL")]
    api_url: Option<BaseUrl>,
    /// The API key; environment: `LD_API_KEY`. Others on this host can read a command line: prefer the environment or
    /// a file.
    #[arg(long, value_name = "TOKEN", conflicts_with = "api_key_file", value_parser = Token::unchecked)]
    api_key: Option<Token>,
    /// A file with the API key, or the bootstrap.json of an appliance, which names its address and deployment, too.
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file (a private authority), and no others.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The deployment.
    #[arg(long, value_name = "ID")]
    deployment: Option<DeploymentId>,
}

/// A key's token; never shown.
#[derive(Clone)]
struct Token(Zeroizing<String>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// What a flag holds, looked at later: the parser of the command line repeats what it refuses.
    #[expect(clippy::unnecessary_wraps, reason = "the signature that the parser asks for")]
    fn unchecked(text: &str) -> Result<Self, std::convert::Infallible> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The token in this text, which stood in `place`. The text is not repeated in an error.
    fn found(place: &str, text: &str) -> Result<Self, CliError> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CliError::Usage(format!("{place} holds no token: one line of visible ASCII characters")));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.api_key);
    }
}

/// What a file of credentials may hold besides a bare token: an appliance's bootstrap.json.
#[derive(Deserialize)]
struct Bootstrap {
    api_key: String,
    supervisor_url: Option<BaseUrl>,
    deployment_id: Option<DeploymentId>,
}

/// Bytes of a file of credentials or certificates at most.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

impl ApiArgs {
    /// A client for the deployment that was asked for.
    fn client(&self, config: &Config) -> Result<Client, CliError> {
        let bootstrap = self.api_key_file.as_deref().map(credentials).transpose()?;
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let key = match (&self.api_key, &bootstrap) {
            (Some(key), _) => Token::found("--api-key", &key.0)?,
            (None, Some(bootstrap)) => Token::found("the file of --api-key-file", &bootstrap.api_key)?,
            (None, None) => match variable("LD_API_KEY").map(Zeroizing::new) {
                Some(text) => Token::found("LD_API_KEY", &text)?,
                None => return Err(usage("there is no API key: set LD_API_KEY, or give --api-key-file FILE")),
            },
        };
        let from_file = bootstrap.as_ref().and_then(|bootstrap| bootstrap.supervisor_url.clone());
        let url = match (&self.api_url, variable("LD_API_URL")) {
            (Some(url), _) => url.clone(),
            (None, _) if from_file.is_some() => from_file.expect("it was just looked at"),
            (None, Some(text)) => text.parse().map_err(|error| CliError::Usage(format!("LD_API_URL is {error}")))?,
            (None, None) => own_address(config)?,
        };
        let deployment = self.deployment.or_else(|| bootstrap.as_ref().and_then(|bootstrap| bootstrap.deployment_id));
        let deployment = deployment.ok_or_else(|| usage("which deployment? Give --deployment ID"))?;
        Client::new(url, key, deployment, self.ca_file.as_deref())
    }
}

fn usage(text: &str) -> CliError {
    CliError::Usage(text.to_owned())
}

/// What this host's own appliance is reached by.
fn own_address(config: &Config) -> Result<BaseUrl, CliError> {
    if let Some(url) = &config.public_url {
        return Ok(url.clone());
    }
    let mut listen = config.listen;
    if listen.ip().is_unspecified() {
        let loopback = if listen.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
        listen.set_ip(loopback);
    }
    format!("http://{listen}").parse().map_err(|_| usage("where is the API? Set LD_API_URL, or give --api-url URL"))
}

fn credentials(path: &Path) -> Result<Bootstrap, CliError> {
    let text = Zeroizing::new(read_text(path)?);
    if text.trim_start().starts_with('{') {
        let wrong = |_| CliError::Usage(format!("{} is no bootstrap.json with an `api_key`", path.display()));
        return serde_json::from_str(&text).map_err(wrong);
    }
    let api_key = text.trim().to_owned();
    Ok(Bootstrap { api_key, supervisor_url: None, deployment_id: None })
}

fn read_text(path: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| std::io::Read::read_to_string(&mut std::io::Read::take(file, FILE_BYTES_MAX), &mut text))
        .map_err(|source| CliError::File { what: "read", path: path.to_owned(), source })?;
    Ok(text)
}

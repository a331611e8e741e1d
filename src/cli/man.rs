//! `snapvisor man`: from the table of commands.

use std::io::{self, Write};

use super::{CliError, Exit};

/// Print the manual page.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapvisor man | man -l -                                         read it
  snapvisor man > /usr/local/share/man/man1/snapvisor.1            install it")]
pub(super) struct Man {}

impl Man {
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(super) fn run(self, out: &mut dyn Write) -> Result<Exit, CliError> {
        out.write_all(&page()?)?;
        Ok(Exit::Done)
    }
}

/// One page for the program and all of its commands.
fn page() -> io::Result<Vec<u8>> {
    let mut root = super::command();
    root.build();
    let page = clap_mangen::Man::new(root.clone());
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        chapter(command, &mut text)?;
    }
    page.render_extra_section(&mut text)?;
    page.render_version_section(&mut text)?;
    Ok(text)
}

/// A command and what stands below it.
fn chapter(command: &clap::Command, text: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_uppercase();
    writeln!(text, ".SH \"{}\"", name.replace('"', ""))?;
    let page = clap_mangen::Man::new(command.clone());
    for render in [clap_mangen::Man::render_description_section, clap_mangen::Man::render_options_section] {
        let mut section = Vec::new();
        render(&page, &mut section)?;
        // Sections of a command are sub-sections of the page.
        text.extend_from_slice(String::from_utf8_lossy(&section).replace("\n.SH ", "\n.SS ").as_bytes());
    }
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        chapter(below, text)?;
    }
    Ok(())
}

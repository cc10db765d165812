//! `finetop config`: where the dashboard's settings are looked for, and which are in force.

use std::process::ExitCode;

use super::failure::Failure;
use super::output;
use crate::tui::settings::{self, Settings};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print a file with every setting and every key as they are by default, to begin with.
    #[arg(long)]
    default: bool,
}

pub fn main(args: Args) -> Result<ExitCode, Failure> {
    if args.default {
        output::raw(&Settings::default_file());
        return Ok(ExitCode::SUCCESS);
    }
    let variable = |name: &str| std::env::var(name).ok();
    let settings = Settings::load(variable).map_err(|error| Failure::usage(error.to_string()))?;
    output::line(&match settings::path(variable) {
        Some(path) if path.exists() => format!("# {}", path.display()),
        Some(path) => format!("# {} is not there; these are the defaults", path.display()),
        None => "# HOME is not set, so there is no file; these are the defaults".to_owned(),
    });
    settings.in_force().lines().for_each(output::line);
    Ok(ExitCode::SUCCESS)
}

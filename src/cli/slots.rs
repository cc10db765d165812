//! `finetop slots [N]`.

use std::path::Path;
use std::process::ExitCode;

use super::client::{self, unexpected};
use super::failure::Failure;
use super::output;
use crate::runner::{Request, Response};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Runs that may train at once from now on; those that do already go on.
    #[arg(value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    slots: Option<u16>,
}

pub fn main(args: Args, store: &Path) -> Result<ExitCode, Failure> {
    let mut client = client::connect(store)?.ok_or_else(|| {
        Failure::failed("no runner lives, so there are no slots").hint("`finetop add --slots N` starts one with N")
    })?;
    if let Some(slots) = args.slots {
        return match client.request(&Request::Slots { slots: slots.into() })? {
            Response::Agreed => Ok(ExitCode::SUCCESS),
            Response::Refused(refusal) => Err(refusal.into()),
            other => Err(unexpected(&other)),
        };
    }
    match client.request(&Request::Status)? {
        Response::Status(status) => output::line(&status.slots.to_string()),
        other => return Err(unexpected(&other)),
    }
    Ok(ExitCode::SUCCESS)
}

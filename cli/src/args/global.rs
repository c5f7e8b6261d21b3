//! The options of every command.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use daybook::zone::{self, Zone};

#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct RawGlobal {
    /// The folder of the store, or s3://bucket/prefix [default: $DAYBOOK_STORE, else ./daybook]
    #[arg(long, global = true, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Ask this archive of the store, too; may be repeated
    #[arg(long, global = true, value_name = "DIR")]
    pub with_archive: Vec<PathBuf>,
    /// The file with the key of an encrypted store [default: $DAYBOOK_KEY_FILE, else the key in $DAYBOOK_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Print one JSON value (or one a line) for a program to read; errors too, on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but data and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more about what is done
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// How times are shown and read: UTC, local, +02:00, or a name such as Europe/Berlin [default: UTC]
    #[arg(long, global = true, value_name = "ZONE", value_parser = zone::parse)]
    pub tz: Option<Zone>,
}

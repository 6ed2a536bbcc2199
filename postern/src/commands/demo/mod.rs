//! stub
#[derive(clap::Args)]
pub(crate) struct Demo {}
impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<crate::cli::Outcome> {
        anyhow::bail!("later")
    }
}

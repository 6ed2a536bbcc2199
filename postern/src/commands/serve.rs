//! stub
#[derive(clap::Args)]
pub(crate) struct Serve {}
impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<crate::cli::Outcome> {
        anyhow::bail!("later")
    }
}

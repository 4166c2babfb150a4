mod card;
mod documents;
mod pdf;
#[derive(Debug, clap::Args)]
pub struct Arguments {}
pub async fn run(_: Arguments) -> anyhow::Result<std::process::ExitCode> {
    let b = std::time::Instant::now();
    for f in documents::CustomerFiles::make()?.all() {
        println!("{:?} {} {}", f.path, f.bytes.len(), f.sha256);
    }
    println!("{:?}", b.elapsed());
    Ok(std::process::ExitCode::SUCCESS)
}

//! Compiled plugins that nobody uses any more: removed ones, refused uploads, those of an engine before.
use super::Plugins;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often, and how long something may lie unused.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Sweeps at the start and once a day, for as long as the server runs.
pub async fn keep_sweeping(plugins: Arc<Plugins>, say: fn(&str)) {
    loop {
        let on = plugins.clone();
        let swept = tokio::task::spawn_blocking(move || on.host.sweep(&in_use(&on), DAY)).await;
        if let Ok(Err(error)) = swept {
            say(&format!("plugins: what is not used any more could not be removed: {error}"));
        }
        tokio::time::sleep(DAY).await;
    }
}

/// The components that are ready here.
fn in_use(plugins: &Plugins) -> BTreeSet<String> {
    plugins.node().ready.values().map(|(_, version)| version.digest.clone()).collect()
}

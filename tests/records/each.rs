//! Runs a test on each database: SQLite in a file, and PostgreSQL if it is installed.
use crate::postgres::cluster;
use zhanggui::records::{Database, migrate};

/// Where a test's records are: the address, for further nodes, and an open, migrated database.
pub struct Place {
    pub url: String,
    pub db: Database,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    /// Another, empty database of the same kind.
    pub async fn other(&self) -> Database {
        let url = match &self._folder {
            Some(folder) => format!("sqlite://{}?mode=rwc", folder.path().join("other.db").display()),
            None => cluster().unwrap().database(),
        };
        Database::open(&url).await.unwrap()
    }
}

/// Runs the same body on SQLite and on PostgreSQL.
pub fn each(body: impl AsyncFn(&Place)) {
    on_empty(async |place| {
        migrate(&place.db).await.unwrap();
        body(place).await;
    });
}

/// As `each`, without the schema.
pub fn on_empty(body: impl AsyncFn(&Place)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("records.db").display());
        run(url, Some(folder), &body).await;
    });
    let Some(cluster) = cluster() else { return };
    runtime.block_on(run(cluster.database(), None, &body));
}

async fn run(url: String, folder: Option<tempfile::TempDir>, body: &impl AsyncFn(&Place)) {
    let db = Database::open(&url).await.unwrap();
    let place = Place { url, db, _folder: folder };
    body(&place).await;
    place.db.close().await.unwrap();
}

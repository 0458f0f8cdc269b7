//! The one key of whoever administers plugins, and by what name an act is recorded.
use crate::server::problem::Problem;
use crate::server::settings::Settings;
use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};

/// A shorter key can be guessed.
pub const SHORTEST: usize = 16;
/// Who acts, if the request does not say.
const NOBODY: &str = "operator";

/// Whether the request shows the operator's key.
pub fn check(request: &HttpRequest, settings: &Settings) -> Result<(), Problem> {
    let key = settings.operator_key.0.as_str();
    if key.is_empty() {
        let detail = "set `operator_key` in the settings, or ZHANGGUI_OPERATOR_KEY, to administer plugins";
        return Err(Problem::operator_key_unset(detail));
    }
    let mut given = request.headers().get_all(AUTHORIZATION);
    let (first, second) = (given.next(), given.next());
    let shown = first.filter(|_| second.is_none()).and_then(|value| value.to_str().ok()).and_then(bearer);
    match shown {
        Some(shown) if same(shown, key) => Ok(()),
        _ => Err(Problem::operator_key_wrong("send `Authorization: Bearer` with the operator's key")),
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Takes the same time wherever two texts differ, and says nothing of their lengths.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha256::digest(one.as_bytes()), Sha256::digest(other.as_bytes()));
    let different = one.iter().zip(other).fold(0_u8, |seen, (a, b)| std::hint::black_box(seen | (a ^ b)));
    different == 0
}

/// The name by which an act is recorded.
pub fn who(given: Option<&str>) -> Result<String, Problem> {
    let name = given.unwrap_or(NOBODY).trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Problem::malformed("a name of 1 to 100 characters").at("who"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Flags;
    use actix_web::ResponseError;
    use actix_web::test::TestRequest;

    fn settings(key: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("z.toml");
        std::fs::write(&file, format!("operator_key = \"{key}\"\n")).unwrap();
        Settings::read(Some(&file), &Flags::default(), std::iter::empty()).unwrap()
    }

    fn status(settings: &Settings, headers: &[&str]) -> u16 {
        let mut request = TestRequest::default();
        for value in headers {
            request = request.append_header((AUTHORIZATION, *value));
        }
        check(&request.to_http_request(), settings).map_or_else(|p| p.status_code().as_u16(), |()| 200)
    }

    #[test]
    fn one_key_opens() {
        let ours = settings("0123456789abcdef");
        for good in ["Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER  0123456789abcdef"] {
            assert_eq!(status(&ours, &[good]), 200, "{good}");
        }
        for bad in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["0123456789abcdef"],
            &["Basic 0123456789abcdef"],
            &["Bearer 0123456789abcde"],
            &["Bearer 0123456789abcdeff"],
            &["Bearer 0123456789ABCDEF"],
            &["Bearer x", "Bearer 0123456789abcdef"],
            &["Bearer 0123456789abcdef", "Bearer 0123456789abcdef"],
        ] {
            assert_eq!(status(&ours, bad), 401, "{bad:?}");
        }
        for none in [&[][..], &["Bearer "], &["Bearer 0123456789abcdef"]] {
            assert_eq!(status(&settings(""), none), 403, "{none:?}");
        }
    }
}

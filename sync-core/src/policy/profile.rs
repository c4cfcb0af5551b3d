//! The shipped profiles. Each is a file of differences from the knobs' own defaults; adding one is adding a file
//! to the list.

use super::{Policy, PolicyError, stored};
use std::sync::LazyLock;

/// The first is the default.
const FILES: &[&str] = &[
    include_str!("../../policy/mirror.toml"),
    include_str!("../../policy/dg.toml"),
    include_str!("../../policy/dx1.toml"),
    include_str!("../../policy/dx2.toml"),
    include_str!("../../policy/dxo.toml"),
    include_str!("../../policy/pl.toml"),
    include_str!("../../policy/plin.toml"),
    include_str!("../../policy/plout.toml"),
    include_str!("../../policy/ac.toml"),
    include_str!("../../policy/cr.toml"),
];

/// A shipped profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What it does, in one line.
    pub about: String,
    /// Its rules.
    pub policy: Policy,
}

/// Read once. A file that cannot be read is left out; a test reads them all.
static PROFILES: LazyLock<Vec<Profile>> =
    LazyLock::new(|| FILES.iter().filter_map(|file| stored::read_profile(file).ok()).collect());

impl Policy {
    /// The policy of a profile, by its name in any case, with or without hyphens.
    ///
    /// # Errors
    /// When there is no such profile.
    pub fn profile(name: &str) -> Result<Self, PolicyError> {
        let plain = |name: &str| name.replace('-', "").to_ascii_lowercase();
        let found = PROFILES.iter().find(|profile| plain(&profile.name) == plain(name));
        found.map(|profile| profile.policy.clone()).ok_or_else(|| PolicyError::UnknownProfile {
            name: name.chars().take(80).collect(),
            known: PROFILES.iter().map(|profile| profile.name.clone()).collect(),
        })
    }

    /// The shipped profiles, the default first.
    #[must_use]
    pub fn profiles() -> &'static [Profile] {
        &PROFILES
    }

    /// The name of the profile that this policy started from.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }
}

impl Default for Policy {
    fn default() -> Self {
        PROFILES.first().map_or_else(Self::plain, |profile| profile.policy.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read() {
        for file in FILES {
            if let Err(error) = stored::read_profile(file) {
                panic!("{error}\n{file}");
            }
        }
        assert_eq!(Policy::profiles().len(), FILES.len());
        assert_eq!(Policy::default(), Policy::profiles()[0].policy);
    }

    #[test]
    fn names_are_found_in_any_case_and_with_hyphens() {
        for profile in Policy::profiles() {
            let (first, rest) = profile.name.split_at(1);
            for name in [
                profile.name.clone(),
                profile.name.to_lowercase(),
                profile.name.to_uppercase(),
                format!("{first}-{rest}"),
            ] {
                assert_eq!(Policy::profile(&name).as_ref(), Ok(&profile.policy), "{name}");
                assert_eq!(profile.policy.base(), profile.name);
            }
        }
        let error = Policy::profile("nothing").unwrap_err().to_string();
        assert!(
            error.contains("nothing") && error.contains("mirror, DG, DX1, DX2, DXO, PL, PLIN, PLOUT, AC, CR")
        );
    }
}

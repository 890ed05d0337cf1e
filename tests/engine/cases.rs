//! How many random cases a property is tried with.

use proptest::prelude::ProptestConfig;

/// So many in `make test`; in `make quick` and `make nightly` the share of them that `CASES_PERCENT` says.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let percent = std::env::var("CASES_PERCENT").map_or(100, |text| {
        text.parse().unwrap_or_else(|_| panic!("CASES_PERCENT is a whole number, not {text:?}"))
    });
    ProptestConfig::with_cases(usual.saturating_mul(percent).div_ceil(100))
}

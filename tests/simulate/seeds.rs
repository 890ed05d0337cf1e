//! Short stories from seeds, in `make test`: whatever the score, no promise is broken.

use crate::house::rates::Rates;
use crate::house::{House, Size};
use crate::world::{Lived, clock, live};

const DAY: u64 = 86_400_000;

fn story(seed: u64) -> Lived {
    // What is rare happens in a short story, too.
    let rates = Rates::parse("all=30").unwrap();
    let size = Size { days: 1, apps: 4 + (seed % 9) as usize };
    live(seed, DAY * (1 + seed % 4) / 4, House::new(seed, size, &rates))
}

#[test]
fn no_promise_is_broken_in_twenty_short_stories() {
    let mut told = String::new();
    for seed in 1..=20 {
        let Lived { findings, effort, story, .. } = story(seed);
        assert!(effort.checks > 1_000 && !story.letters.is_empty(), "seed {seed} is empty");
        for finding in findings {
            told += &format!("\nseed {seed}, {}: {}\n", clock(finding.at), finding.what);
            finding.around.iter().for_each(|line| told += &format!("    {line}\n"));
        }
    }
    assert!(told.is_empty(), "{told}");
}

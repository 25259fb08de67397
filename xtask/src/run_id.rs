//! Names of runs, and random numbers for them.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A number nobody can predict. The standard library seeds its hash maps from the operating
/// system, which is all the randomness a seed or a name needs.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// `YYYYMMDDTHHMMSS-xxxx`: the UTC second `now`, and four characters drawn from `random`.
pub fn run_id(now: SystemTime, random: u64) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // A clock before 1970 is a broken clock; the run is still worth having.
    let since_epoch = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs();
    let (year, month, day) = civil_date(since_epoch / 86_400);
    let (hour, minute, second) = (
        since_epoch / 3600 % 24,
        since_epoch / 60 % 60,
        since_epoch % 60,
    );
    let suffix: String = (0..4)
        .map(|place| char::from(ALPHABET[(random / 36_u64.pow(place) % 36) as usize]))
        .collect();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}-{suffix}")
}

/// Year, month, and day of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil_date(days_since_epoch: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that the leap day is a year's last.
    let days = days_since_epoch + 719_468; // since 0000-03-01
    let (era, day_of_era) = (days / 146_097, days % 146_097); // an era is 400 years
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_from_march + 2) / 5 + 1;
    let month = if months_from_march < 10 {
        months_from_march + 3
    } else {
        months_from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_is_the_utc_second_and_four_drawn_characters() {
        let at = |secs| UNIX_EPOCH + Duration::from_secs(secs);
        assert_eq!(run_id(at(0), 0), "19700101T000000-0000");
        assert_eq!(
            run_id(
                at(1_795_508_100),
                36 + 10 * 36_u64.pow(2) + 35 * 36_u64.pow(3)
            ),
            "20261124T081500-01az"
        );
        assert_eq!(run_id(at(951_782_399), 0), "20000228T235959-0000");
        assert_eq!(run_id(at(951_782_400), 0), "20000229T000000-0000");
        assert_eq!(run_id(at(4_107_542_400), 0), "21000301T000000-0000");
    }

    #[test]
    fn random_numbers_differ() {
        assert_ne!(random(), random());
    }
}

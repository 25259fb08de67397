//! Texts of unknown length, cut to what can be shown.

/// The first `limit` characters of `text`; a longer one says how long it was.
pub fn beginning(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => {
            let all = text.chars().count();
            format!("{}… ({all} characters in all)", &text[..end])
        }
    }
}

/// The last `limit` characters of `text`, on one line.
pub fn ending(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count().checked_sub(limit) {
        None | Some(0) => line,
        Some(left_out) => format!("…{}", line.chars().skip(left_out).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(beginning("äöü", 3), "äöü");
        assert_eq!(beginning("äöüß", 3), "äöü… (4 characters in all)");
    }

    #[test]
    fn the_end_of_a_text_is_one_line() {
        assert_eq!(ending("a\n b\tc\n", 5), "a b c");
        assert_eq!(ending("a\n b\tc\n", 4), "… b c");
    }
}

//! Pages of lists, as requests ask for them and answers count them.

use stigmer_api::{ApiResourceKind, id, kind, pagination::PageInfo};

use super::{AtStep as _, Cause, StepError};
use crate::store::{Page, Start};

/// The rows of a page when the request names no number.
pub const DEFAULT_SIZE: u32 = 100;

/// The most rows of a page, whatever the request says.
pub const MAX_SIZE: u32 = 1000;

const STEP: &str = "ValidatePage";

/// The page after `page_token`: the id of the last resource of the page before, or empty for the
/// first page. A `page_size` of 0 means [`DEFAULT_SIZE`].
pub fn by_token(
    kind: ApiResourceKind,
    page_size: i32,
    page_token: String,
) -> Result<Page, StepError> {
    let size = size(page_size, "page_size")?;
    stigmer_fault::inject!(FirstPageOnly, {
        return Ok(Page {
            start: Start::Offset(0),
            size,
        });
    });
    if !page_token.is_empty() && !id::is_id(kind, &page_token) {
        let problem = format!(
            "{page_token:?} is no page token; it is the id of the last {} of the page before",
            kind::meta(kind).name
        );
        return Err(Cause::invalid("page_token", problem)).at(STEP);
    }
    Ok(Page {
        start: Start::After(page_token),
        size,
    })
}

/// The page with this number, counted from 1; number 0 means the first.
pub fn by_number(info: Option<PageInfo>) -> Result<Page, StepError> {
    let info = info.unwrap_or_default();
    let size = size(info.size, "page_info.size")?;
    stigmer_fault::inject!(FirstPageOnly, {
        let start = Start::Offset(0);
        return Ok(Page { start, size });
    });
    let Ok(number) = u64::try_from(info.num) else {
        return Err(Cause::invalid(
            "page_info.num",
            "value must be greater than or equal to 0",
        ))
        .at(STEP);
    };
    Ok(Page {
        start: Start::Offset(number.saturating_sub(1) * u64::from(size)),
        size,
    })
}

/// The phases of a list that asks for one; 0 means any.
pub fn phases(wanted: i32) -> Vec<i32> {
    Some(wanted)
        .filter(|phase| *phase != 0)
        .into_iter()
        .collect()
}

/// How many pages of this size `total` rows fill; an empty list has one, empty page.
pub fn count(total: u64, size: u32) -> i32 {
    i32::try_from(total.div_ceil(u64::from(size)).max(1)).unwrap_or(i32::MAX)
}

fn size(wanted: i32, field: &'static str) -> Result<u32, StepError> {
    match u32::try_from(wanted) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => Err(Cause::invalid(
            field,
            "value must be greater than or equal to 0",
        ))
        .at(STEP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_generous_by_default_and_bounded_always() {
        let size = |wanted| {
            by_token(ApiResourceKind::Session, wanted, String::new()).map(|page| page.size)
        };
        assert_eq!(size(0).unwrap(), DEFAULT_SIZE);
        assert_eq!(size(7).unwrap(), 7);
        assert_eq!(size(i32::MAX).unwrap(), MAX_SIZE);
        assert!(size(-1).unwrap_err().to_string().contains("page_size"));
    }

    #[test]
    fn a_token_is_an_id_of_the_listed_kind() {
        let other = id::new_id(ApiResourceKind::Agent);
        for token in [other.as_str(), "2", "ses-1"] {
            let error = by_token(ApiResourceKind::Session, 0, token.to_owned()).unwrap_err();
            assert!(error.to_string().contains("page_token"), "{error}");
        }
        let token = id::new_id(ApiResourceKind::Session);
        assert!(by_token(ApiResourceKind::Session, 0, token).is_ok());
    }

    #[test]
    fn numbered_pages_start_at_one() {
        for (number, offset) in [(0, 0), (1, 0), (2, 10), (3, 20)] {
            let page = by_number(Some(PageInfo {
                num: number,
                size: 10,
            }))
            .unwrap();
            assert!(
                matches!(page.start, Start::Offset(found) if found == offset),
                "{page:?}"
            );
        }
        assert!(by_number(Some(PageInfo { num: -1, size: 0 })).is_err());
    }

    #[test]
    fn every_list_has_at_least_one_page() {
        for (total, pages) in [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2)] {
            assert_eq!(count(total, 10), pages, "{total} rows");
        }
    }
}

//! Reading whole lists, page by page.

use super::ApiError;

/// Rows of the first page that is asked for.
const PAGE: i32 = 128;

/// One page.
#[derive(Debug)]
pub struct Page<R> {
    pub entries: Vec<R>,
    /// Whether the server has more after this one.
    pub more: bool,
}

/// Every row of a list. `read` gets the page that begins after the rows it is given, with at most as
/// many rows as it is told.
///
/// Rows may be large: when a page does not fit into an answer, half as many rows are asked for.
pub async fn read_all<R>(
    read: impl AsyncFn(&[R], i32) -> Result<Page<R>, ApiError>,
) -> Result<Vec<R>, ApiError> {
    let mut rows = Vec::new();
    let mut size = PAGE;
    loop {
        match read(&rows, size).await {
            Ok(page) => {
                let done = !page.more || page.entries.is_empty();
                rows.extend(page.entries);
                if done {
                    return Ok(rows);
                }
            }
            // Sizes are powers of two, and pages begin at multiples of them, so that a page of half
            // the size begins at the same row.
            Err(error) if error.is_too_large() && size > 1 => size /= 2,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tonic::Status;

    use super::*;

    fn page(from: usize, size: i32, total: usize) -> Result<Page<usize>, ApiError> {
        let end = total.min(from + usize::try_from(size).unwrap());
        Ok(Page {
            entries: (from..end).collect(),
            more: end < total,
        })
    }

    fn refused<T>(status: Status) -> Result<T, ApiError> {
        Err(ApiError::Refused(Box::new(status)))
    }

    #[tokio::test]
    async fn pages_follow_one_another_to_the_last() {
        for total in [0, 1, 128, 129, 300] {
            let rows = read_all(async |rows: &[usize], size| page(rows.len(), size, total)).await;
            assert_eq!(rows.unwrap(), (0..total).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_page_that_is_too_large_is_asked_for_in_halves() {
        let sizes = RefCell::new(Vec::new());
        let rows = read_all(async |rows: &[usize], size| {
            sizes.borrow_mut().push(size);
            match size > 32 {
                true => refused(Status::out_of_range("")),
                false => page(rows.len(), size, 40),
            }
        });
        assert_eq!(rows.await.unwrap().len(), 40);
        assert_eq!(*sizes.borrow(), [128, 64, 32, 32]);
    }

    #[tokio::test]
    async fn a_row_that_fits_into_no_answer_is_an_error() {
        let rows = read_all(async |_: &[usize], _| {
            refused::<Page<usize>>(Status::resource_exhausted("11 MiB"))
        });
        assert_eq!(rows.await.unwrap_err().to_string(), "11 MiB");
    }
}

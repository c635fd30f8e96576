//! Names that travel with records.

use std::ffi::CStr;

/// [`crate::engine::record::FORWARDED_HEADER`] as librdkafka wants it.
pub const FORWARDED_C: &CStr = c"zoner.forwarded";

#[cfg(test)]
mod tests {
    #[test]
    fn both_spellings_of_the_header_are_the_same() {
        assert_eq!(super::FORWARDED_C.to_str(), Ok(crate::engine::record::FORWARDED_HEADER));
    }
}

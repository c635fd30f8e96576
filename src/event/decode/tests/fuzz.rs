use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), key in proptest::option::of(".{0,9}")) {
        let record = record(key.as_deref(), &bytes);
        let _ = (activity(&record), flight_status(&record));
    }

    #[test]
    fn no_json_panics(
        name in proptest::sample::select(Activity::NAMES.to_vec()),
        fields in proptest::collection::vec(
            (
                "timestamp|start|end|lux|minutes|samples|interval_s|kind|at|sd_minutes|marker|naps|sleep|legs|times|flight|flight_key|state|observed_at|revision|trip_id|travellers|birth_month|display_name|household_id|options",
                r#"null|true|-?[0-9]{1,20}(\.[0-9]{1,9})?(e[0-9]{1,3})?|"[ -!#-\[\]-~é]{0,30}"|\[\]|\{\}|\[[0-9]{1,3}\]|\["a",1\]|"[0-9]{2}:[0-9]{2}"|"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-9]{2}:[0-9]{2}:[0-9]{2}Z""#,
            ),
            0..8,
        ),
    ) {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        let value = format!(r#"{{"user_id":"a","activity":"{name}",{}}}"#, fields.join(","));
        let value = value.replace(",}", "}");
        let record = record(Some("h"), value.as_bytes());
        let _ = (activity(&record), flight_status(&record));
    }
}

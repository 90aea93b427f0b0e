//! A traceback beside the error that it ends with.
//!
//! A traceback's last words are the error itself, which whoever shows one has told already, with its advice. Used by the
//! gate's report for people, by `prism eval` and by the page of a run. Tracebacks are hostile: this only cuts, and nothing
//! depends on it.

/// The frames without the error at their end, where `told` says that; otherwise all of it.
pub fn frames<'a>(traceback: &'a str, told: &str) -> &'a str {
    let traceback = traceback.trim_end();
    // The last frame: its line, then the source with its marks, which are further to the right.
    let Some(last) = traceback.rfind("\n  File \"") else {
        return traceback;
    };
    let mut end = last + 1;
    for (index, line) in traceback[end..].split_inclusive('\n').enumerate() {
        if index > 0 && !line.starts_with("    ") {
            break;
        }
        end += line.len();
    }
    let error = traceback[end..].trim();
    // The name may stand with its module before it here and without it there.
    let message = error.split_once(": ").map_or(error, |(_, message)| message);
    if told.contains(message) {
        traceback[..end].trim_end()
    } else {
        traceback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: &str =
        "Traceback (most recent call last):\n  File \"training.py\", line 3, in train\n    f(x)\n    ~^^^";

    #[test]
    fn an_error_that_was_told_is_not_told_again() {
        let traceback = format!("{FRAMES}\nlib.Error: line one\nline two\n");
        assert_eq!(frames(&traceback, "Error: line one\nline two (learner)"), FRAMES);
        assert_eq!(frames(&traceback, "Error: another"), traceback.trim_end());
        // Without a message there is only the name.
        assert_eq!(
            frames(&format!("{FRAMES}\nMemoryError\n"), "MemoryError (learner)"),
            FRAMES
        );
    }

    #[test]
    fn what_came_before_stays_and_what_is_no_traceback_too() {
        let chained =
            format!("{FRAMES}\nKeyError: 'a'\n\nDuring handling, another:\n\n{FRAMES}\nValueError: b");
        let shown = frames(&chained, "ValueError: b");
        assert!(
            shown.contains("KeyError: 'a'") && shown.ends_with("~^^^"),
            "{shown}"
        );
        assert_eq!(frames("ValueError: b\n", "ValueError: b"), "ValueError: b");
        assert_eq!(frames("", ""), "");
        assert_eq!(frames("\n  File \"", ""), "\n  File \"");
    }
}

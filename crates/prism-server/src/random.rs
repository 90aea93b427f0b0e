//! Fresh ids, from the kernel's random bytes.

use tracing::error;

use crate::app::Answer;
use crate::problem::Problem;

/// A UUID of version 4.
pub(crate) fn uuid() -> Answer<String> {
    let mut bytes = [0; 16];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(rustix::io::Errno::INTR) => {}
            Err(failure) => {
                error!(error = %failure, "the kernel gives no random bytes");
                return Err(Problem::internal());
            }
        }
    }
    Ok(prism_store::ids::uuid_v4(bytes))
}

"""Every number that the wire protocol or the harness limits, in one place.

Read by the other modules of `prism_runtime`. It must never import anything: constants only.
"""

from typing import Final

PROTOCOL_VERSION: Final = 2
SOCKET_FD: Final = 3
SEGMENT_FD: Final = 4

HEADER_BYTES: Final = 8

TENSOR_ALIGN_BYTES: Final = 64
TENSOR_NAME_MAX_BYTES: Final = 512
TENSOR_DIMS_MAX: Final = 8
LAYOUT_ENTRIES_MAX: Final = 65_536

NOTE_MAX_BYTES: Final = 1_024
NOTES_MAX: Final = 64

FAILED_MESSAGE_MAX_BYTES: Final = 4_096
FAILED_TRACEBACK_MAX_BYTES: Final = 49_152
FAILED_NAME_MAX_BYTES: Final = 256

LOG_KEYS_MAX: Final = 32
LOG_KEY_MAX_BYTES: Final = 64
LOG_CALLS_MAX: Final = 10_000

BATCH_SIZE_MAX: Final = 1_024
SEQ_LEN_MAX: Final = 4_096

# A claimant scores as many rows at once as keep its f32 logits below this.
CLAIMANT_LOGITS_MAX_BYTES: Final = 128 * 1024 * 1024

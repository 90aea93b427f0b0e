//! The names that every module sees without an import.

use super::Words;

/// Whether Python resolves the name by itself where no scope binds it.
pub(crate) fn is_builtin(name: &str) -> bool {
    NAMES.contains(name)
}

/// `dir(builtins)` of `CPython` 3.11 to 3.13 with what `site` adds, and the module's own dunder names.
static NAMES: Words = Words::new(
    "ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError \
     BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError \
     ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Ellipsis EncodingWarning \
     EnvironmentError Exception ExceptionGroup False FileExistsError FileNotFoundError FloatingPointError \
     FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError IndexError \
     InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError \
     ModuleNotFoundError NameError None NotADirectoryError NotImplemented NotImplementedError OSError \
     OverflowError PendingDeprecationWarning PermissionError ProcessLookupError PythonFinalizationError \
     RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration \
     StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError True TypeError \
     UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError \
     UnicodeWarning UserWarning ValueError Warning ZeroDivisionError __build_class__ __builtins__ \
     __import__ __loader__ __spec__ abs aiter all anext any ascii bin bool breakpoint bytearray bytes \
     callable chr classmethod compile complex copyright credits delattr dict dir divmod enumerate eval \
     exec exit filter float format frozenset getattr globals hasattr hash help hex id input int isinstance \
     issubclass iter len license list locals map max memoryview min next object oct open ord pow print \
     property quit range repr reversed round set setattr slice sorted staticmethod str sum super tuple \
     type vars zip",
);

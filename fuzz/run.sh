#!/usr/bin/env bash
# Coverage-guided fuzzing of the parsers of what strangers send, with libFuzzer and on stable. Called by .ci/run, and by hand:
#   fuzz/run.sh all --seconds 7          # every target for so long, one after the other; the gate three times as long
#   fuzz/run.sh gate --seconds 600       # one target (their list: fuzz/fuzz_targets)
#   fuzz/run.sh gate FILE...             # these inputs once each: a finding again
#   fuzz/run.sh all --build              # the targets are built and not run
#   fuzz/run.sh gate --keep              # what was found so far into fuzz/corpus, as little of it as covers the same
# --seed S makes the mutations those of S. Needs a C++ compiler. Writes under target/fuzz, and with --keep to fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."

# Longer than anything may take on a busy machine, of an input as long as are tried here; and more than anything may hold.
TIMEOUT_SECONDS=20
RSS_LIMIT_MB=2048
# Inputs that `--keep` keeps are no longer.
KEPT_BYTES_MAX=4096

fail() { echo "fuzz/run.sh: $*" >&2; exit 2; }
usage() { sed -n "3,7s/^#   //p" "$0" >&2; exit 2; }

targets=()
for file in fuzz/fuzz_targets/*.rs; do
    targets+=("$(basename "$file" .rs)")
done
[ $# -ge 1 ] || usage
if [ "$1" != all ]; then
    [ -f "fuzz/fuzz_targets/$1.rs" ] || fail "no target $1; there are all, ${targets[*]}"
    targets=("$1")
fi
shift
seconds=60 seed=0 keep='' build='' inputs=()
while [ $# -gt 0 ]; do
    case "$1" in
        --seconds) seconds=${2:?--seconds wants a number}; shift 2 ;;
        --seed) seed=${2:?--seed wants a number}; shift 2 ;;
        --keep) keep=yes; shift ;;
        --build) build=yes; shift ;;
        -*) usage ;;
        *) [ -f "$1" ] || fail "no file $1"; inputs+=("$1"); shift ;;
    esac
done

# Seeds that lie in this repository for other reasons, and the longest input that is tried.
seeds_of() {
    case "$1" in
        gate) echo redteam/gate redteam/honest examples crates/prism-gate/tests/fixtures ;;
        tokenizer) echo examples/bundle-tokenizer redteam/tokenizer-* ;;
        keys) echo crates/prism-key/src/key_file/fixtures ;;
    esac
}
seconds_of() {
    case "$1" in
        # The largest, with the most seeds.
        gate) echo $((3 * seconds)) ;;
        *) echo "$seconds" ;;
    esac
}
max_len_of() {
    case "$1" in
        gate | tokenizer) echo 32768 ;;
        keys | targets) echo 4096 ;;
        *) echo 16384 ;;
    esac
}

# Build scripts and macros run here and are not instrumented: that is what naming the target does.
host=$(rustc -vV | sed -n 's/^host: //p')
command -v "${CXX:-c++}" >/dev/null || fail "no C++ compiler, which libFuzzer is built with; install one, on Debian: apt-get install g++"
coverage='-Cpasses=sancov-module'
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    coverage+=" -Cllvm-args=-sanitizer-coverage-$option"
done
work=${CARGO_TARGET_DIR:-target}/fuzz
RUSTFLAGS=$coverage CARGO_TARGET_DIR=$work cargo build --quiet --release --locked \
    --manifest-path fuzz/Cargo.toml --target "$host" "${targets[@]/#/--bin=}"
[ -z "$build" ] || exit 0

mkdir -p "$work/logs" "$work/findings"
for target in "${targets[@]}"; do
    binary=$work/$host/release/$target found=$work/corpus/$target kept=fuzz/corpus/$target log=$work/logs/$target
    mkdir -p "$found" "$kept"
    options=("-timeout=$TIMEOUT_SECONDS" "-rss_limit_mb=$RSS_LIMIT_MB" "-artifact_prefix=$work/findings/$target-")
    if [ ${#inputs[@]} -gt 0 ]; then
        "$binary" "${options[@]}" "${inputs[@]}"
        continue
    fi
    if [ -n "$keep" ]; then
        "$binary" "${options[@]}" -merge=1 "-max_len=$KEPT_BYTES_MAX" "$kept" "$found"
        continue
    fi
    options+=("-max_len=$(max_len_of "$target")" "-seed=$seed" "-max_total_time=$(seconds_of "$target")" -print_final_stats=1)
    [ ! -f "fuzz/dict/$target.dict" ] || options+=("-dict=fuzz/dict/$target.dict")
    # Word by word: a list of folders.
    # shellcheck disable=SC2046
    if ! "$binary" "${options[@]}" "$found" "$kept" $(seeds_of "$target") >"$log" 2>&1; then
        grep -a -A 2 -e panicked -e 'ERROR: libFuzzer' -e 'Test unit written' "$log" | cut -c 1-2000 >&2 || tail -n 40 "$log" >&2
        echo "fuzz/run.sh: the target $target found something; the input is named above. Again: fuzz/run.sh $target FILE" >&2
        exit 1
    fi
    sed -n 's/.*#\([0-9]*\)\tDONE *\(.*\) exec\/s.*/\1 inputs, \2/p' "$log" | sed "s/^/fuzz $target: /"
done

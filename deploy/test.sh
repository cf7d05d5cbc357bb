#!/usr/bin/env bash
# Installs what is missing, builds Millrace and runs every test. Ends with one line: "all tests
# passed" and exit code 0, or what failed and another code.
#
#   deploy/test.sh [--filter REGEX]
#
# KAFKA_HOME    a Kafka distribution: the tests against a real broker run too (java is installed)
# MILLRACE_PYTHON  a Python with grpcio, instead of one made in the user's cache
# MILLRACE_TEST_TIMEOUT  seconds that the tests may take together (default 2100)
#
# The whole output of the tests is in .build/test.log.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/setup.sh

filter=()
while [ $# -gt 0 ]; do
    case $1 in
        --filter) [ $# -ge 2 ] || { echo "test.sh: --filter needs a value" >&2; exit 2; }
            filter=(--filter "$2"); shift 2 ;;
        -h | --help) sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
        *) echo "test.sh: unknown argument '$1'; see --help" >&2; exit 2 ;;
    esac
done

SECONDS=0
millrace_setup
millrace_setup_python

echo "building"
swift build --build-tests -q || millrace_die "the build failed (see above)"
echo "built after $SECONDS s; testing"

limit=${MILLRACE_TEST_TIMEOUT:-2100}
status=0
mkdir -p .build
timeout --kill-after=30 "$limit" swift test --skip-build "${filter[@]}" >.build/test.log 2>&1 ||
    status=$?
grep -E '✘|↳|error:|Fatal error' .build/test.log | grep -vE '↳ (///|Testing Library|Target Platform)' || true
summary=$(grep -E 'Test run with [0-9]+ tests' .build/test.log | tail -n 1 | sed 's/^[^T]*//') || true
skipped=$(grep -cE '^[^ ]+ (Test|Suite) .* skipped' .build/test.log) || true

if [ "$status" -eq 124 ]; then
    echo "FAILED: the tests took more than $limit s; the last lines of .build/test.log:" >&2
    tail -n 20 .build/test.log >&2
    exit 1
fi
if [ "$status" -ne 0 ] || [ -z "$summary" ]; then
    [ -n "$summary" ] || tail -n 40 .build/test.log >&2
    echo "FAILED: ${summary:-the tests did not end}; see .build/test.log" >&2
    exit 1
fi
if [ "$skipped" -gt 0 ]; then
    grep -E '^[^ ]+ (Test|Suite) .* skipped' .build/test.log | sed 's/^[^ ]* //'
fi
echo "$summary"
echo "all tests passed ($skipped skipped, $SECONDS s)"

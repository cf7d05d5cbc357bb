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

# In several runs, because Swift's threads for tests are as many as the cores: tests that wait for
# processes would keep the others from running at all.
if [ ${#filter[@]} -gt 0 ]; then
    runs=("${filter[*]}")
else
    runs=(
        "--skip IntegrationTests --skip MillraceKafkaTests --skip SimulatedDaysTests"
        "--filter SimulatedDaysTests"
        "--filter MillraceKafkaTests"
        "--filter IntegrationTests"
    )
fi

limit=${MILLRACE_TEST_TIMEOUT:-2100}
mkdir -p .build
: >.build/test.log
skipped=0
for run in "${runs[@]}"; do
    status=0
    # shellcheck disable=SC2086  # words, not one argument
    timeout --kill-after=30 $((limit > SECONDS ? limit - SECONDS : 1)) \
        swift test --skip-build $run >.build/test.part 2>&1 || status=$?
    cat .build/test.part >>.build/test.log
    grep -E '✘|↳|error: |Fatal error' .build/test.part |
        grep -vE '↳ (///|Testing Library|Target Platform)' || true
    summary=$(grep -E 'Test run with [0-9]+ tests?' .build/test.part | tail -n 1 |
        sed 's/^[^T]*//') || true
    if [ "$status" -eq 124 ]; then
        echo "FAILED: the tests took more than $limit s; the last lines of .build/test.log:" >&2
        tail -n 20 .build/test.part >&2
        exit 1
    fi
    if [ "$status" -ne 0 ] || [ -z "$summary" ]; then
        [ -n "$summary" ] || tail -n 40 .build/test.part >&2
        echo "FAILED: ${summary:-the tests did not end}; see .build/test.log" >&2
        exit 1
    fi
    some=$(grep -cE '^[^ ]+ (Test|Suite) .* skipped:' .build/test.part) || true
    if [ "$some" -gt 0 ]; then
        grep -E '^[^ ]+ (Test|Suite) .* skipped:' .build/test.part | sed 's/^[^ ]* //'
    fi
    skipped=$((skipped + some))
    echo "$summary"
done
echo "all tests passed ($skipped skipped, $SECONDS s)"

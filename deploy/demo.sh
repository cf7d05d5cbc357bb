#!/usr/bin/env bash
# The main job, end to end, on a fresh Debian with a Swift toolchain: installs what is missing, builds, runs the demo.
# `deploy/demo.sh --help` says what it shows. Exit 0 when the counts are exact.
set -euo pipefail
cd "$(dirname "$0")/.."
case " $* " in *" --help "* | *" -h "*) help=yes ;; *) help=no ;; esac
. deploy/setup.sh
[ $help = yes ] || millrace_setup >&2
swift build -c release --product millrace >&2
swift build -c release --product StreamingWordCount >&2
swift build -c release --product MillraceDemo >&2
export MILLRACE_DEPLOY="$PWD/deploy"
exec "$(swift build -c release --show-bin-path)/MillraceDemo" "$@"

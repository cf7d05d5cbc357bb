#!/bin/sh
# Sorts 5 GB (or RECORDS of 100 bytes) on one executor with 512 MiB (or MEMORY MiB): its spills, its peak
# of resident memory, which must be below its limit, and whether every record came out in order. Not
# part of test.sh: it takes minutes, and three times the data's size of disk.
#
#   deploy/soak-sort.sh [RECORDS [MEMORY]]
set -eu
cd "$(dirname "$0")/.."
records=${1:-50000000}
memory=${2:-512}
folder=$(mktemp -d "${TMPDIR:-/tmp}/millrace-soak-XXXXXX")
trap 'rm -rf "$folder"' EXIT
swift build -c release --product ClusterJobs
cat > "$folder/conf" <<END
millrace.master=local-cluster[1,1,$memory]
millrace.local.dir=$folder
millrace.log.level=debug
END
start=$(date +%s)
MILLRACE_CONF=$(cat "$folder/conf") .build/release/ClusterJobs sort-beyond-memory "$records" \
    > "$folder/out" 2> "$folder/log" || { tail -20 "$folder/log" >&2; exit 1; }
end=$(date +%s)
cat "$folder/out"
echo "$records records of 100 bytes in $((end - start)) s with $memory MiB;" \
    "$(grep -c 'spilling sort of' "$folder/log") spills of the sort," \
    "$(grep -c 'spilling output of' "$folder/log") of map outputs"
peak=$(sed -n 's/^peak of executor .*: \([0-9]*\) MiB$/\1/p' "$folder/out" | sort -n | tail -1)
[ "$(tail -1 "$folder/out")" = ok ] && [ "$peak" -lt "$memory" ]

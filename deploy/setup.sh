# Makes a Debian machine ready to build and run Millrace. Sourced by test.sh and demo.sh:
#
#   . "$(dirname "$0")/setup.sh"
#   millrace_setup            what every build needs; does nothing when it is there
#   millrace_setup_python     a Python with grpcio for the tests; sets MILLRACE_PYTHON
#
# Installs with apt-get as root or through sudo, and only what is missing: with everything in
# place nothing is downloaded and no package index is read.

millrace_packages=(
    pkg-config openssl libssl-dev libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler
    protobuf-compiler librdkafka-dev liblz4-dev libzstd-dev zlib1g-dev
)
millrace_swift_minimum=6.3

millrace_die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# The packages among the arguments that are not installed.
millrace_missing() {
    local package status
    for package in "$@"; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
        [ "$status" = installed ] || echo "$package"
    done
}

# Installs the packages among the arguments that are missing.
millrace_install() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
        millrace_die "this is not a Debian system; install the equivalents of: $*"
    local missing
    mapfile -t missing < <(millrace_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            millrace_die "not root and no sudo; as root, run: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq
        --no-install-recommends "${missing[@]}")
    # The index of a fresh machine is empty or old: read it, but only when it is needed.
    "${install[@]}" >/dev/null 2>&1 && return 0
    "${as_root[@]}" apt-get update -qq || millrace_die "apt-get update failed (see above)"
    "${install[@]}" >/dev/null || millrace_die "apt-get could not install ${missing[*]} (see above)"
}

millrace_require_swift() {
    command -v swift >/dev/null ||
        millrace_die "no Swift toolchain on the PATH; install Swift $millrace_swift_minimum" \
            "or later from https://www.swift.org/install/linux/"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p')
    [ "$(printf '%s\n' "$millrace_swift_minimum" "$version" | sort -V | head -n 1)" \
        = "$millrace_swift_minimum" ] ||
        millrace_die "Swift ${version:-of an unknown version} is too old; Millrace needs" \
            "$millrace_swift_minimum or later"
}

millrace_setup() {
    millrace_require_swift
    millrace_install "${millrace_packages[@]}"
    # A real Kafka runs on Java; without KAFKA_HOME nothing here does.
    if [ -n "${KAFKA_HOME:-}" ]; then
        [ -d "$KAFKA_HOME/libs" ] ||
            millrace_die "KAFKA_HOME=$KAFKA_HOME has no libs folder: not a Kafka distribution"
        command -v java >/dev/null || millrace_install openjdk-17-jre-headless
    fi
}

# A virtual environment outside the source tree, made once per list of packages. Where it cannot
# be made (no network), the tests that need it are skipped and say so.
millrace_setup_python() {
    [ -z "${MILLRACE_PYTHON:-}" ] || return 0
    local packages=(grpcio grpcio-reflection grpcio-health-checking protobuf)
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/millrace
    local home
    home=$cache/python-$(printf '%s\n' "${packages[@]}" | cksum | cut -d ' ' -f 1)
    if [ ! -e "$home/ready" ]; then
        millrace_install python3 python3-venv
        echo "installing ${packages[*]} into $home"
        rm -rf "$home"
        mkdir -p "$cache"
        if ! { python3 -m venv "$home" && "$home/bin/pip" install -q \
            --disable-pip-version-check "${packages[@]}"; }; then
            echo "no Python with grpcio: its tests will be skipped" >&2
            return 0
        fi
        touch "$home/ready"
    fi
    export MILLRACE_PYTHON=$home/bin/python
}

# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: who asks one for help gets the comment at its head, and nothing else happens.

# help_of SCRIPT WORD…: with --help or -h as the first of the words, prints and ends.
help_of() {
    case "${2:-}" in
        --help | -h) ;;
        *) return 0 ;;
    esac
    awk 'NR > 2 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"
    exit 0
}

# takes_nothing SCRIPT WORD…: refuses what the script does not take, before it did anything.
takes_nothing() {
    [ $# -le 1 ] && return 0
    echo "error: '${*:2}' is nothing that $(basename "$1") takes: --help, or no word at all. Nothing was changed." >&2
    exit 2
}

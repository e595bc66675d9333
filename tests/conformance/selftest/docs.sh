#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# docs.sh PROGRAM PAGE: every test that the program has stands in the page's table with what it
# proves, and the page names none that the program has not.
set -eu
list=$(mktemp)
trap 'rm -f "$list" "$list.page"' EXIT
"$1" --list >"$list"
status=0
while IFS="$(printf '\t')" read -r name role proves; do
	grep -qF "| \`$name\` | $role | $proves |" "$2" || {
		echo "$2: no row for $name as --list shows it"
		status=1
	}
done <"$list"
# shellcheck disable=SC2016 # back quotes of Markdown
sed -n 's/^| `\(p[0-9]-[a-z0-9-]*\)` |.*/\1/p' "$2" >"$list.page"
while read -r name; do
	cut -f 1 "$list" | grep -qxF "$name" || {
		echo "$2: $name is no test"
		status=1
	}
done <"$list.page"
exit $status

# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What the scripts here read from a KTAP of the suite. To be sourced.

# ktap_with RESULT KTAP: the tests with that result, "ok" or "not ok"; skipped ones have none.
ktap_with() { sed -n "/# SKIP/d; s/^$1 [0-9]* \([^ ]*\).*/\1/p" "$2" | sort; }

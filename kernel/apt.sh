# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# apt with a configuration of its own, shared by the scripts of kernel/. To be
# sourced after setup/common.sh.

# Base and where Debian keeps its newest kernel: mirror:suite, all are asked.
coldrig_suites='
5.10  security:bullseye-security
6.1   main:bookworm main:bookworm-updates security:bookworm-security
6.12  main:bookworm-backports main:trixie security:trixie-security
7.2   main:sid
'

# Settings of the system's apt that reach the network stay; all else is private.
coldrig_apt_config() {
	local dir=$1
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/empty"
	apt-config dump | grep -E '^Acquire::(http|https|socks)::' >"$dir/apt.conf" || true
	cat >>"$dir/apt.conf" <<END
Dir::Etc::main "/dev/null";
Dir::Etc::Parts "$dir/empty";
Dir::Etc::SourceList "$dir/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$dir/empty";
Dir::State "$dir";
Dir::State::Lists "$dir/lists";
Dir::State::status "/dev/null";
Dir::Cache "$dir/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "$dir";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
END
}

# coldrig_apt_sources DIR MAIN SECURITY OPTIONS ENTRY...: false if no line came out.
coldrig_apt_sources() {
	local dir=$1 main=$2 security=$3 options=$4 entry mirror
	shift 4
	: >"$dir/sources.list"
	for entry in "$@"; do
		if [[ $entry == security:* ]]; then mirror=$security; else mirror=$main; fi
		[[ -n $mirror ]] || continue
		printf 'deb [arch=amd64 signed-by=%s%s] %s %s main\n' "$keyrings" "$options" \
			"$mirror" "${entry#*:}" >>"$dir/sources.list"
	done
	[[ -s $dir/sources.list ]]
}

# coldrig_apt_mirrors: sets main, security and keyrings for the functions here.
coldrig_apt_mirrors() {
	keyrings=$(coldrig_keyrings) ||
		coldrig_die keyring 'no Debian keyring: install debian-archive-keyring' 1
	main=$(coldrig_mirror main || true)
	security=$(coldrig_mirror security || true)
}

# coldrig_apt_try BASE DIR OPTIONS COMMAND...: runs COMMAND with an apt that knows
# the suites of BASE, and again with the archive of old releases if it failed.
# 0 and 4 are success. What it says goes to DIR/log.
coldrig_apt_try() {
	local base=$1 dir=$2 options=$3 line status=1
	local -a entries
	shift 3
	line=$(awk -v base="$base" '$1 == base { $1 = ""; print }' <<<"$coldrig_suites")
	read -ra entries <<<"$line"
	coldrig_apt_config "$dir"
	export APT_CONFIG=$dir/apt.conf
	if coldrig_apt_sources "$dir" "$main" "$security" "$options" "${entries[@]}"; then
		"$@" >"$dir/log" 2>&1 && status=0 || status=$?
	else
		echo 'no Debian mirror in the sources of apt: set COLDRIG_MIRROR' >"$dir/log"
	fi
	# Releases in the archive are past their date by nature.
	if [[ $status != [04] && -n ${COLDRIG_ARCHIVE_MIRROR:-} ]] &&
		coldrig_apt_sources "$dir" "${COLDRIG_ARCHIVE_MIRROR%/}" \
			"$(coldrig_security_of "$COLDRIG_ARCHIVE_MIRROR" || true)" \
			' check-valid-until=no' "${entries[@]}"; then
		"$@" >>"$dir/log" 2>&1 && status=0 || status=$?
	fi
	unset APT_CONFIG
	return "$status"
}

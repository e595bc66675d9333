# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Shared by the scripts at the root, setup/ and kernel/. To be sourced.

# coldrig_say WHAT WHY: a message for the reader, never a result.
coldrig_say() { printf 'coldrig: %s: %s\n' "$1" "$2" >&2; }

# coldrig_die WHAT WHY [STATUS]: 3, a failed lab, unless told otherwise.
coldrig_die() {
	coldrig_say "$1" "$2"
	exit "${3:-3}"
}

coldrig_cache() {
	if [[ -z ${COLDRIG_CACHE:-}${XDG_CACHE_HOME:-}${HOME:-} ]]; then
		coldrig_die cache 'no place for it: set COLDRIG_CACHE to a directory of yours'
	fi
	printf '%s\n' "${COLDRIG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/coldrig}"
}

# coldrig_security_of MIRROR: the security mirror that stands beside a main one.
coldrig_security_of() {
	local main=${1%/}
	[[ $main == */debian ]] && printf '%s-security\n' "$main"
}

# coldrig_mirror main|security: where this system's own apt gets Debian from.
# Origin and suite decide, not the host, so that local mirrors serve as well.
coldrig_mirror() {
	local uri release origin main='' security=''
	if [[ -n ${COLDRIG_MIRROR:-} ]]; then
		main=${COLDRIG_MIRROR%/}
	else
		# shellcheck disable=SC2016 # apt's own variables
		while IFS='|' read -r uri release origin; do
			# The origin is unknown until the first "apt-get update".
			[[ $origin == Debian || ( -z $origin && $uri == *debian* ) ]] || continue
			case $release in
			*-security | */updates) security=${security:-${uri%/}} ;;
			*-backports*) ;;
			*) main=${main:-${uri%/}} ;;
			esac
		done < <(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(ORIGIN)' \
			'Created-By: Packages' 2>/dev/null)
	fi
	case $1 in
	main) [[ -n $main ]] && printf '%s\n' "$main" ;;
	security)
		if [[ -n $security ]]; then
			printf '%s\n' "$security"
		else
			coldrig_security_of "$main"
		fi
		;;
	esac
}

# coldrig_keyrings: Debian's keys as a value for signed-by. A newer Debian moves
# the keys of its older releases to the second file.
coldrig_keyrings() {
	local dir=/usr/share/keyrings name list=''
	for name in debian-archive-keyring debian-archive-removed-keys; do
		[[ -r $dir/$name.gpg ]] && list+=,$dir/$name.gpg
	done
	[[ -n $list ]] && printf '%s\n' "${list#,}"
}

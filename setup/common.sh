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

# The set-up that quickstart and check share, run at the root.

coldrig_log=out/setup.log

# coldrig_step N OF WHAT
coldrig_step() { printf '[%s/%s] %s\n' "$1" "$2" "$3"; }

# coldrig_quietly WHAT COMMAND...: its output goes to the log, and to the reader
# when it fails.
coldrig_quietly() {
	local what=$1 status=0 start
	shift
	start=$(stat -c %s "$coldrig_log")
	"$@" >>"$coldrig_log" 2>&1 || status=$?
	((status == 0)) && return
	tail -c "+$((start + 1))" "$coldrig_log" | tail -n 40 >&2
	coldrig_say "$what" "failed with status $status: see above, and $coldrig_log for all of it"
	return "$status"
}

# Steps 1 to 4 of OF, up to a build with PRESET. A kernel that cannot be had
# leaves the others: the plan says which it needs, and its arms say what is missing.
coldrig_set_up() {
	local of=$1 preset=$2 base have=0
	mkdir -p out
	: >"$coldrig_log"

	coldrig_step 1 "$of" 'packages'
	if ! setup/packages --check-only >>"$coldrig_log" 2>&1; then
		# Its stderr stays visible: it may ask for a password.
		setup/packages >>"$coldrig_log" ||
			coldrig_die packages "not installed: see above and $coldrig_log"
	fi

	coldrig_step 2 "$of" 'kernels 5.10 and 6.1'
	coldrig_quietly kernels kernel/fetch 5.10 6.1 || true

	coldrig_step 3 "$of" 'initramfs of each kernel'
	for base in 5.10 6.1; do
		[[ -f $(coldrig_cache)/kernels/$base/release ]] || continue
		coldrig_quietly "initramfs $base" kernel/initramfs "$base" || exit 3
		have=$((have + 1))
	done
	((have)) || coldrig_die kernels "none to run: see $coldrig_log"

	coldrig_step 4 "$of" "build: preset $preset"
	coldrig_quietly configure cmake --preset "$preset" || exit 3
	coldrig_quietly build cmake --build --preset "$preset" || exit 3
}

# coldrig_series_inputs BASE: what the kernel BASE+series is made from.
coldrig_series_inputs() {
	cat "kernel/series/$1/"* kernel/build kernel/variant "$(coldrig_cache)/kernels/$1/"{package,initramfs.cpio} |
		sha256sum
}

# The kernel patch series as the kernel 5.10+series in the cache; what is there and
# still fits is used.
coldrig_series() {
	local base=5.10 modules made inputs
	modules=$(coldrig_cache)/series/$base
	made=$(coldrig_cache)/kernels/$base+series/inputs
	inputs=$(coldrig_series_inputs "$base") || return
	[[ -f $made && $(<"$made") == "$inputs" ]] && return
	coldrig_quietly "series $base" kernel/build --series "kernel/series/$base" --modules-only --out "$modules" &&
		coldrig_quietly "kernel $base+series" kernel/variant "$base" series "$modules" &&
		printf '%s\n' "$inputs" >"$made"
}

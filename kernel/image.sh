# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2154 # here, base, kernel, cache, work ... are those of kernel/build
# Builds a whole kernel image. Part of kernel/build, to be sourced there.

# What it takes beyond setup/packages: what to look for, and Debian's name for it.
image_needs='
bc                      bc
bison                   bison
flex                    flex
/usr/include/libelf.h   libelf-dev
'

image_check_tools() {
	local what package missing=''
	while read -r what package; do
		[[ -n $what && ! -e $what ]] || continue
		command -v "$what" >/dev/null || missing+=" $package"
	done <<<"$image_needs"
	[[ -z $missing ]] ||
		coldrig_die 'kernel/build' "--image needs$missing: run setup/packages --image, or install${missing}" 1
}

# image_try_source PACKAGE VERSION: fills $work/source.tar.xz.
# shellcheck disable=SC2317 # called through coldrig_apt_try
image_try_source() {
	rm -rf "$work/debs"
	mkdir "$work/debs"
	apt-get update || echo "not every suite answered"
	(cd "$work/debs" && apt-get download "$1=$2") || return 1
	dpkg-deb --fsys-tarfile "$work"/debs/*.deb |
		tar -xO "./usr/src/$1.tar.xz" >"$work/source.tar.xz"
}

# image_fetch: $image_source, the source of the cached kernel as Debian packs it.
image_fetch() {
	local version status=0
	read -r _ version <"$kernel/package"
	image_source=$cache/sources/linux-source-${base}_$version.tar.xz
	[[ ! -f $image_source ]] || return 0
	coldrig_say "source $base" "fetching that of $version, about 120 MB"
	coldrig_apt_mirrors
	coldrig_apt_try "$base" "$work/apt" "$list_options" \
		image_try_source "linux-source-$base" "$version" || status=$?
	if ((status)); then
		sed 's/^/  /' "$work/apt/log" | tail -n 12 >&2
		coldrig_die "source $base" "$(source_not_had "$version")" 1
	fi
	rm -f "$cache/sources/linux-source-${base}_"*.tar.xz
	mv "$work/source.tar.xz" "$image_source"
	rm -rf "$work/debs" "$work/apt"
}

# image_configure TREE: lines that the kernel does not take are told, as it would
# leave them out in silence.
image_configure() {
	local tree=$1 line name
	cat "$here/config/image.config" ${debug:+"$here/config/debug.config"} >"$work/wanted"
	make -s -C "$tree" KCONFIG_ALLCONFIG="$work/wanted" allnoconfig >"$work/make.log" 2>&1 ||
		image_failed 'its configuration fails'
	while read -r line; do
		if [[ $line =~ ^CONFIG_ ]]; then
			grep -qxF -e "$line" "$tree/.config" && continue
		else
			name=${line#\# }
			grep -q "^${name%% *}=" "$tree/.config" || continue
		fi
		coldrig_say "kernel/config" "the kernel does not take: $line"
	done < <(grep -E '^(# )?CONFIG_' "$work/wanted")
}

image_failed() {
	grep -E 'error|Error' "$work/make.log" | sed 's/^/  /' | tail -n 20 >&2 || true
	coldrig_die "image $base" "$1 with ${#applied[@]} patches: see above" 1
}

# image_make TREE ARGUMENT...: says every half minute how far it is. In the
# background, so that a signal need not wait for its end.
image_make() {
	local tree=$1 seconds=0
	shift
	nice make -C "$tree" -j "$(nproc)" "$@" >"$work/make.log" 2>&1 &
	child=$!
	while kill -0 "$child" 2>/dev/null; do
		sleep 1
		((++seconds % 30)) ||
			coldrig_say "image $base" "$(grep -cE '^  (AS|CC)' "$work/make.log") files compiled, $seconds s: $(tail -n 1 "$work/make.log" | tr -s ' ')"
	done
	if ! wait "$child"; then
		child=
		image_failed 'it does not build'
	fi
	child=
}

# image_install TREE: what the cache has of a kernel, in $work/out, then in $out.
image_install() {
	local tree=$1 release made=$work/out
	release=$(make -s -C "$tree" "${image_flags[@]}" kernelrelease)
	mkdir "$made"
	make -s -C "$tree" "${image_flags[@]}" INSTALL_MOD_PATH="$made" INSTALL_MOD_STRIP=1 \
		modules_install >"$work/make.log" 2>&1 || image_failed 'its modules do not install'
	rm -f "$made/lib/modules/$release"/{build,source}
	# Entered by PVH, KASAN is used before it is set up: such a kernel starts from
	# vmlinuz, which programs take where there is no vmlinux.
	[[ -n $debug ]] || strip --strip-debug -o "$made/vmlinux" "$tree/vmlinux"
	cp "$tree/arch/x86/boot/bzImage" "$made/vmlinuz"
	cp "$tree/.config" "$made/config"
	cp "$tree/System.map" "$made/System.map"
	printf '%s\n' "$release" >"$made/release"
	printf '%s, %d of %d patches\n' "$(<"$kernel/package")" "${#applied[@]}" "${#patches[@]}" >"$made/package"
	mkdir -p "$out"
	rm -f "$out/vmlinux"
	for made in "$made"/*; do
		rm -rf "${out:?}/${made##*/}"
		mv "$made" "$out/"
	done
}

# image_sweep: trees of builds that were killed. A living one has its own locked.
image_sweep() {
	local dir
	for dir in "$cache/sources"/.image.*; do
		[[ -d $dir ]] || continue
		flock -n "$dir" rm -rf "$dir" || true
	done
}

image_build() {
	local tree=$work/linux-source-$base patch start=$SECONDS
	image_flags=("LOCALVERSION=-coldrig${debug:+-debug}" KBUILD_BUILD_USER=coldrig KBUILD_BUILD_HOST=coldrig)
	coldrig_say "image $base" 'unpacking the source'
	tar -xJf "$image_source" -C "$work"
	# From here on nothing of the cache is read: others need not wait.
	exec 9>&-
	for patch in ${applied[@]+"${applied[@]}"}; do
		apply "$patch" "$tree"
	done
	# Or a git repository that the cache lies in would show in the release.
	: >"$tree/.scmversion"
	image_configure "$tree"
	coldrig_say "image $base" "compiling with $(nproc) jobs: some minutes"
	image_make "$tree" "${image_flags[@]}" bzImage modules
	image_install "$tree"
	coldrig_say "image $base" "$(<"$out/release") built with ${#applied[@]} of ${#patches[@]} patches in $((SECONDS - start)) s"
}

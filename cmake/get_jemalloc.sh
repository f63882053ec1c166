#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Put the pinned jemalloc tarball at OUT, checked by its SHA-256.
#
#   get_jemalloc.sh OUT [GIVEN]
#   get_jemalloc.sh --source-lists ETC INTO     only make the temporary source lists, for a test
#
# GIVEN is the tarball the user named (empty: none). Without it these are tried in turn: OUT
# itself, the other build folders of this checkout, the distribution's source package through
# apt's own client, the upstream release. No file outside OUT's folder is written.
set -euo pipefail

version=5.3.0
sha256=2db82d1e7119df3e71b7640219b6dfe84789bc0537983c3b7ac4f7189aecfeaa
upstream=https://github.com/jemalloc/jemalloc/releases/download/$version/jemalloc-$version.tar.bz2

here=$(cd "$(dirname "$0")" && pwd)
work=

say() { printf 'jemalloc: %s\n' "$*"; }

cleanup() { if [ -n "$work" ]; then rm -rf "$work"; fi; }
trap cleanup EXIT

sum_of() { sha256sum "$1" | cut -d' ' -f1; }

# take FILE WHERE: make FILE the result if it is the pinned tarball.
take()
{
	[ -f "$1" ] || return 1
	if [ "$(sum_of "$1")" != "$sha256" ]; then
		say "the tarball from $2 is not jemalloc $version as released (SHA-256 $(sum_of "$1"), wanted $sha256)" >&2
		return 1
	fi
	if ! [ "$1" -ef "$out" ]; then
		cp "$1" "$out.part"
		mv "$out.part" "$out"
	fi
	say "jemalloc-$version.tar.bz2 from $2, SHA-256 verified"
}

# The machine's own source lists as deb-src lines, entries of the distribution itself only:
# those of its release's suites. Options such as Signed-By stay as they are.
source_lists()
{
	local etc=$1 into=$2 codename suites file
	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	suites="stable testing unstable sid ${codename:-none} ${codename:-none}-updates ${codename:-none}-security"
	for file in "$etc"/sources.list.d/*.sources; do
		[ -f "$file" ] || continue
		grep -v '^#' "$file" | awk -v suites="$suites" '
			BEGIN { RS = ""; ORS = "\n\n"; n = split(suites, s, " "); for (i = 1; i <= n; i++) known[s[i]] = 1 }
			tolower($0) ~ /(^|\n)enabled:[ \t]*(no|false|off|0)/ { next }
			{
				keep = 0
				rows = split($0, row, "\n")
				for (i = 1; i <= rows; i++)
					if (tolower(row[i]) ~ /^suites:/) {
						n = split(row[i], word, /[ \t]+/)
						for (j = 2; j <= n; j++)
							if (word[j] in known)
								keep = 1
					}
				if (!keep)
					next
				text = ""
				for (i = 1; i <= rows; i++)
					text = text (i > 1 ? "\n" : "") (tolower(row[i]) ~ /^types:/ ? "Types: deb-src" : row[i])
				print text
			}' >"$into/$(basename "$file")" || true
	done
	for file in "$etc"/sources.list "$etc"/sources.list.d/*.list; do
		[ -f "$file" ] || continue
		awk -v suites="$suites" '
			BEGIN { n = split(suites, s, " "); for (i = 1; i <= n; i++) known[s[i]] = 1 }
			/^[ \t]*deb(-src)?[ \t]/ {
				line = $0
				sub(/^[ \t]*deb(-src)?[ \t]+/, "", line)
				rest = line
				sub(/^\[[^]]*\][ \t]*/, "", rest)
				split(rest, word, /[ \t]+/)
				if (word[2] in known)
					print "deb-src " line
			}' "$file" >"$into/$(basename "$file")"
	done
	find "$into" -type f -size 0 -delete
	[ -n "$(ls "$into")" ]
}

# The distribution's source package: its orig tarball is the release as upstream made it.
from_apt()
{
	command -v apt-get >/dev/null || { say "no apt-get here, source package skipped"; return 1; }
	work=$(mktemp -d "$(dirname "$out")/apt.XXXXXX")
	mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial" "$work/src"
	if ! source_lists /etc/apt "$work/parts"; then
		say "no source list of the distribution found, source package skipped"
		return 1
	fi
	cat >"$work/apt.conf" <<-END
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$work/parts";
		Dir::State::lists "$work/lists";
		Dir::Cache "$work/cache";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	END
	say "asking apt for the source package (temporary lists, the machine's own stay as they are)"
	if ! apt-get -q -c "$work/apt.conf" update >"$work/log" 2>&1; then
		tail -3 "$work/log" >&2
	fi
	if ! (cd "$work/src" && apt-get -q -c "$work/apt.conf" source --download-only jemalloc) >>"$work/log" 2>&1; then
		tail -3 "$work/log" >&2
		say "apt gave no source package"
		return 1
	fi
	take "$work/src/jemalloc_$version.orig.tar.bz2" "the distribution's source package"
}

from_upstream()
{
	say "downloading $upstream"
	cat >"$out.cmake" <<-END
		file(DOWNLOAD "$upstream" "$out.download" TLS_VERIFY ON INACTIVITY_TIMEOUT 60 STATUS status)
		list(GET status 0 code)
		if(NOT code EQUAL 0)
			message(FATAL_ERROR "download: \${status}")
		endif()
	END
	if ! cmake -P "$out.cmake"; then
		rm -f "$out.cmake" "$out.download"
		return 1
	fi
	rm -f "$out.cmake"
	take "$out.download" "the upstream release" || { rm -f "$out.download"; return 1; }
	rm -f "$out.download"
}

if [ "$1" = --source-lists ]; then
	source_lists "$2" "$3"
	exit
fi
mkdir -p "$(dirname "$1")"
out=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
given=${2:-}

if [ -n "$given" ]; then
	[ -f "$given" ] || { say "LENDHEAP_JEMALLOC_TARBALL names $given, which does not exist" >&2; exit 1; }
	take "$given" "LENDHEAP_JEMALLOC_TARBALL"
	exit
fi
if [ -f "$out" ] && [ "$(sum_of "$out")" = "$sha256" ]; then
	exit 0
fi
for other in "$here"/../build*/jemalloc/"$(basename "$out")"; do
	if [ -f "$other" ] && ! [ "$other" -ef "$out" ] && take "$other" "another build folder"; then
		exit 0
	fi
done
from_apt || from_upstream || {
	say "could not get jemalloc $version; fetch the release tarball yourself and configure with -DLENDHEAP_JEMALLOC_TARBALL=file" >&2
	exit 1
}

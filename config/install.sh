# shellcheck shell=bash
# Functions that bring in what Ortoo needs; sourced by config/quickstart and tests/run. Each does nothing, fast, when
# everything is there already.

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "ortoo: need root for: $*" >&2
		return 1
	fi
}

# missing_packages LIST... - prints the packages of the lists that are not installed
missing_packages() {
	local package rest here arch program
	here=$(dpkg-query -W -f='${binary:Package} ${db:Status-Abbrev}\n' | awk '$2 == "ii" { sub(/:.*/, "", $1); print $1 }')
	arch=$(dpkg --print-architecture)
	cat "$@" | sed 's/#.*//' | while read -r package rest; do
		[ -n "$package" ] || continue
		case "$rest" in
		\?*) program=${rest#\?} && command -v "$program" >/dev/null && continue ;;
		@*) [ "${rest#@}" = "$arch" ] || continue ;;
		esac
		grep -qxF -- "$package" <<<"$here" || printf '%s\n' "$package"
	done
}

# install_packages LIST... - asks the package index only when something is missing
install_packages() {
	local missing
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	missing=$(tr '\n' ' ' <<<"$missing")
	echo "ortoo: installing $(wc -w <<<"$missing") Debian packages (minutes, once): $missing"
	# shellcheck disable=SC2086  # a list of words
	as_root apt-get update -qq </dev/null &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null
}

# install_npm FOLDER [--omit=dev] - exactly the lock file's packages; a full install also serves who asks for less
install_npm() {
	local folder=$1 stamp=$1/node_modules/.ortoo-installed want
	want=$(sha256sum <"$folder/package-lock.json" | cut -c1-64)
	if [ -f "$stamp" ] && { grep -qxF "$want all" "$stamp" || grep -qxF "$want ${2:-all}" "$stamp"; }; then
		return 0
	fi
	echo "ortoo: installing npm packages of $folder"
	(cd "$folder" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error ${2:+"$2"} </dev/null) &&
		printf '%s %s\n' "$want" "${2:-all}" >"$stamp"
}

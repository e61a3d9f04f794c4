# What every recipe's build script can use; bash, run in an empty folder, and stopped by the first command
# that fails. Set from outside: SRC (the first source's folder; SRC0, SRC1, ... all of them), DEST (what is put
# there is the port), PORT (the recipe's own folder), PACKAGES (binary packages, unpacked), NEED_<port> (what the
# recipe needs), JOBS, BUILD (the build machine's triplet), SITE, SKERRY (the command), CC, CXX, AR, RANLIB, STRIP
# and their flags.
set -euo pipefail
unset MAKEFLAGS MFLAGS GREP_OPTIONS CDPATH ENV
export LC_ALL=C TZ=UTC0 CONFIG_SITE="$SITE" PKG_CONFIG_LIBDIR=/nonexistent MAKEINFO=true HELP2MAN=true
export SOURCE_DATE_EPOCH=1700000000 # who wants to know when this was built gets the same answer every time

# configure [OPTION...]: the usual line for a cross build. tools/gen_config_site wants the answers alone: then
# FACTS names a file for them, and the build ends here.
configure() {
    "$SRC/configure" --quiet --host=wasm32-linux-musl --build="$BUILD" --prefix=/usr --sysconfdir=/etc \
        --localstatedir=/var --disable-nls --disable-dependency-tracking ${FACTS:+--cache-file="$FACTS"} "$@"
    if [ -n "${FACTS:-}" ]; then exit 0; fi
}

# with_host_compiler COMMAND...: run it with the build machine's own compiler, for programs a build runs itself
with_host_compiler() {
    env -u CC -u CXX -u AR -u RANLIB -u NM -u STRIP -u CPPFLAGS -u LDFLAGS -u CONFIG_SITE -u PKG_CONFIG_LIBDIR \
        CC=gcc CXX=g++ CFLAGS=-O1 "$@"
}

# without_threads: let NOTHREAD name an object that, linked before libc, makes pthread_create fail
without_threads() {
    NOTHREAD=$PWD/nothread.o
    "$CC" $CFLAGS -c "$(dirname "$SITE")/nothread.c" -o "$NOTHREAD"
}

# generated [FOLDER]: make what automake's `all` makes first (headers mostly), so that single targets can follow
generated() {
    printf 'skerry-generated: $(BUILT_SOURCES)\n' >"${1:-.}/skerry-generated.mk"
    make -j"$JOBS" -C "${1:-.}" -f Makefile -f skerry-generated.mk skerry-generated
}

# program FILE...: install into usr/bin
program() {
    mkdir -p "$DEST/usr/bin"
    install -m 755 "$@" "$DEST/usr/bin/"
}

# alias_of PROGRAM NAME...: other names of one program
alias_of() {
    local target=$1
    shift
    for name in "$@"; do ln -sf "$target" "$DEST/usr/bin/$name"; done
}

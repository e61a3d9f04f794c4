# Runs tests of a GNU package in a box: gnulib_suite.sh PACKAGE TEST...; prints `pass|skip|fail TEST`, and what a
# failing test said. The package's source is mounted at /source, a folder of small helpers at /help. What these
# tests see is what `make check` would set.
export PACKAGE=$1 PACKAGE_VERSION=0 VERSION=0
shift
cp -r /source /tmp/source
cd /tmp/source
mkdir -p src
ln -s /usr/bin/* src/
rm -f src/kill src/uptime # busybox's
ln -sf /usr/bin/install src/ginstall
cp /help/* src/
: >config.h
built_programs=$(cd src; echo *)
export built_programs LC_ALL=C SHELL=/bin/sh PERL=none CC=false AWK=awk MAKE=make EGREP='grep -E' EXEEXT= fail=0 USER=user
export abs_top_builddir=$PWD abs_top_srcdir=$PWD CONFIG_HEADER=$PWD/config.h TMPDIR=/tmp PACKAGE_BUGREPORT=bug@localhost
export host_triplet=wasm32-unknown-linux-musl host_os=linux-musl LOCALE_FR=none LOCALE_FR_UTF8=none LOCALE_JA=none PCRE_WORKS=0
[ "$PACKAGE" = grep ] && cd tests && export built_programs='grep egrep fgrep' # its tests are run where they lie
export srcdir=. top_srcdir=.. abs_srcdir=$PWD
[ "$PACKAGE" = grep ] || export top_srcdir=.
PATH=$abs_top_builddir/src:$PATH
exec 9>&2
for test in "$@"; do
    name=$(echo "$test" | tr / -)
    export CU_TEST_NAME="$name" SED_TEST_NAME="$name" GREP_TEST_NAME="$name"
    (exec </dev/null; timeout 60 sh "./$test") >/tmp/said 2>&1
    status=$?
    case $status in
    0) echo "pass $test" ;;
    77) echo "skip $test" ;;
    *)
        echo "fail $test"
        { echo "$test: status $status"; tail -n 5 /tmp/said; } >&2
        ;;
    esac
done

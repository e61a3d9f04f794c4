# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
# ruff: noqa: E501  # what a script prints stands on one line
"""What each program is asked to do: a script, the commands it needs on a native machine, its output.

A script runs in an empty folder and prints the same on Linux and in a box. Where the native commands are
there, the test asks them first.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """One script."""

    name: str
    native: str  # commands it needs, besides coreutils, for the native run; "-" when it is only run in a box
    script: str
    output: str


CASES = (
    Case(
        "coreutils", "",
        r"""
        seq 1 100000 >numbers; sort -R --random-source=numbers numbers | sort -n | cmp - numbers && echo sorted
        printf 'b 2\na 1\nc 3\n' | sort -k2,2nr | cut -d' ' -f1 | paste -sd,
        head -c 1000000 /dev/zero | sha256sum; printf 'x\ty\n' | expand -t4 | od -c | head -n 1
        mkdir -p a/b; ln -s b a/link; touch -d @0 a/b/file; stat -c '%n %s %Y' a/b/file; ls -1F a; readlink -f a/link >where
        tail -c 5 where; printf '1 2\n2 3\n' | tsort | tr '\n' ' '; factor 600851475143; date -u -d @1000000000 +%FT%T
        split -l 30000 numbers part.; wc -l part.a? | tail -n 1; cat part.?? | cksum; seq 2 3 >two; sort numbers | comm -12 two - | paste -sd,
        """,
        "sorted\nc,b,a\nd29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025  -\n"
        "0000000   x               y  \\n\na/b/file 0 0\nb/\nlink@\n/a/b\n1 2 3 600851475143: 71 839 1471 6857\n"
        "2001-09-09T01:46:40\n100000 total\n2052179976 588895\n2,3\n",
    ),
    Case(
        "forking coreutils", "gzip",
        r"""
        timeout 0.2 sleep 9; echo $?
        seq 9 | split -l 4 --filter='paste -sd+' ; seq 50000 | sort -n -r -S 50k --compress-program=gzip -T . | sed -n 3p
        install -m 640 /dev/null made; stat -c %a made; nice -n 39 sh -c nice; env -i A=b env; (sleep 0.1; echo late) & wait; echo end
        """,
        "124\n1+2+3+4\n5+6+7+8\n9\n49998\n640\n19\nA=b\nlate\nend\n",
    ),
    Case(
        "dash", "",
        r"""
        f() { local x=$1; if [ "$x" -gt 0 ]; then echo "$x"; f $((x - 1)); fi; }
        f 3 | while read -r line; do printf '<%s>' "$line"; done; echo
        for word in "a b" *.none; do case $word in (a*) echo "[$word]";; (*) echo "{$word}";; esac; done
        x=$(printf 'one\ntwo\n\n'); echo "$x" | wc -l; echo "${x%two}${x#*e}" | tr '\n' ,; (exit 7); echo $?
        trap 'echo trapped' USR1; kill -USR1 $$; cat <<-END | tr a-z A-Z
		here $((6 * 7)) `echo nested $(echo deep)`
		END
        set -- a b c; shift; eval 'echo "$# $*"'; . /dev/null; command -v cd; type exit; ! false && echo negated
        echo one >log; echo two >>log; { echo err >&2; } 2>>log; exec 5<log; read -r line <&5; echo "$line"; cat <&5; set -e; false; echo no
        """,
        "<3><2><1>\n[a b]\n{*.none}\n2\none,,two,7\ntrapped\nHERE 42 NESTED DEEP\n2 b c\ncd\nexit is a special shell builtin\n"
        "negated\none\ntwo\nerr\n",
    ),
    Case(
        "sed", "sed",
        r"""
        seq 6 | sed -n '2,4{s/^/n=/;p}'; printf 'a,b\nc,d\n' | sed -E 's/(.),(.)/\2\1/; 1!G; h; $!d'
        echo 'Hello World' | sed 's/\w\+/\L&/g; y/o/0/'; printf 'x\ny\n' >f; sed -i.bak '/x/a after' f; cat f f.bak | paste -s
        """,
        "n=2\nn=3\nn=4\ndc\nba\nhell0 w0rld\nx\tafter\ty\tx\ty\n",
    ),
    Case(
        "grep", "grep",
        r"""
        seq 200 | grep -cE '^(1?[0-9])?7$'; printf 'foo bar\nBAR\nbaz\n' | grep -n -i -w bar; mkdir d; echo needle >d/f
        grep -r needle .; printf 'a.b\naxb\n' | grep -F a.b; echo 'xx123yy456' | grep -o '[0-9]\+'; grep -q none d/f; echo $?
        echo word | egrep 'w(o|a)rd' 2>/dev/null
        """,
        "20\n1:foo bar\n2:BAR\n./d/f:needle\na.b\n123\n456\n1\nword\n",
    ),
    Case(
        "awk", "awk",
        r"""
        printf 'x 3\ny 4\nx 5\n' | awk '{ sum[$1] += $2 } END { for (k in sum) print k, sum[k] }' | sort
        awk 'BEGIN { "echo piped" | getline line; print line; print "b\na" | "sort"; close("sort"); printf "%.3f %s\n", atan2(0, -1), substr("hello", 2, 3)
             system("echo from system"); n = split("a:b:c", parts, ":"); print n, parts[3], toupper("up"), match("foobar", /o+/), RLENGTH }'
        """,
        "x 8\ny 4\npiped\na\nb\n3.142 ell\nfrom system\n3 c UP 2 2\n",
    ),
    Case(
        "find and xargs", "find xargs",
        r"""
        mkdir -p a/b c; echo 1 >a/one; echo 22 >a/b/two; : >c/empty; ln -s one a/link
        find . -type f -size -2c -o -type l | sort; find a -name 't*' -exec cat {} \;; find . -empty -delete; find . -type d | sort | paste -sd' '
        seq 5 | xargs -n2 echo; printf 'x y\0z\0' | xargs -0 -I{} echo '<{}>'; seq 6 | xargs -P2 -n3 sh -c 'echo $#' sh
        """,
        "./a/link\n./c/empty\n22\n. ./a ./a/b\n1 2\n3 4\n5\n<x y>\n<z>\n3\n3\n",
    ),
    Case(
        "diff and patch", "diff patch cmp diff3",
        r"""
        seq 20 >old; sed '3d; 15s/$/x/; 18a new' old >new; diff -u0 old new | sed 1,2d; diff -q old new; cmp old new | sed 's/byte/char/' # by locale
        diff -u old new >change; cp old work; patch -s work change && cmp work new && patch -s -R work change && cmp work old && echo back
        diff -y -W 20 --suppress-common-lines old new | tr -d ' \t'; diff3 -m old old new | cmp - new
        """,
        "@@ -3 +2,0 @@\n-3\n@@ -15 +14 @@\n-15\n+15x\n@@ -18,0 +18 @@\n+new\nFiles old and new differ\n"
        "old new differ: char 5, line 3\nback\n3<\n15|15x\n>new\n",
    ),
    Case(
        "make", "make",
        "printf 'all: a b c\\n%%: %%.in\\n\\t@tr a-z A-Z <$< >$@; echo $(words $^) $*\\n"
        "sorted := $(sort c b a)\\nshell := $(shell echo from shell)\\nshow:\\n\\t@echo $(sorted) $(shell) $(if $(MAKEFLAGS),,none)\\n' >Makefile\n"
        "for n in a b c; do echo $n >$n.in; done; make -j2 | sort; cat a b c | paste -s; make; make show; touch a.in; make -n; make nothing; echo $?",
        "1 a\n1 b\n1 c\nA\tB\tC\nmake: Nothing to be done for 'all'.\na b c from shell none\n"
        "tr a-z A-Z <a.in >a; echo 1 a\n2\n",
    ),
    Case(
        "tar and the compressors", "tar gzip bzip2 xz",
        r"""
        mkdir -p d/sub; seq 1000 >d/numbers; ln -s numbers d/link; chmod 700 d/sub; seq 50 >"d/sub/a b"
        for how in z:gzip j:bzip2 J:xz; do tar -c${how%:*}f d.tar d; ${how#*:} -t <d.tar && tar -tf d.tar | sort | cksum; mkdir x
            tar -xf d.tar -C x; diff -r d x/d && readlink x/d/link; rm -r x; done
        seq 100000 >big; gzip -9 <big | zcat | cmp - big; bzip2 -k big; bzcat big.bz2 | cmp - big; xz -k -1 big; unxz -c big.xz | cmp - big; gunzip -c <big.bz2 2>/dev/null || echo no
        """,
        "2077711931 37\nnumbers\n2077711931 37\nnumbers\n2077711931 37\nnumbers\nno\n",
    ),
    Case(
        "bc and dc", "bc",
        "printf 'scale=30; 4*a(1)\\ndefine f(n) {\\n if (n < 2) return 1\\n return n*f(n-1)\\n}\\nf(30); 2^100; ibase=16; FF\\n' | bc -l",
        "3.141592653589793238462643383276\n265252859812191058636308480000000\n1267650600228229401496703205376\n255\n",
    ),
    Case("dc", "-", "echo '2 64 ^ p 10 k 2 v p' | dc", "18446744073709551616\n1.4142135623\n"),
    Case(
        "sqlite3", "sqlite3",
        r"""
        sqlite3 t.db "create table t(a integer primary key, b text, c real); insert into t(b, c) values('x', 1.5), ('y', 2.25), ('x', 4);
            create index i on t(b); begin; delete from t where a = 2; rollback;"
        sqlite3 t.db "select b, sum(c), count(*) from t group by b order by b; pragma integrity_check; select json_extract('{\"k\": [1, 2]}', '$.k[1]');
            with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) select sum(i) from n;"
        echo '.dump' | sqlite3 t.db | grep -c INSERT
        """,
        "x|5.5|2\ny|2.25|1\nok\n2\n500500\n3\n",
    ),
    Case(
        "lua", "lua",
        """
        cat >t.lua <<'END'
        local t = {} for i = 1, 5 do t[#t + 1] = i * i end
        print(table.concat(t, ","), string.format("%5.2f|%x", 3.14159, 255), ("abc"):rep(2, "-"))
        print(pcall(function() error({code = 7}) end) and "no" or select(2, pcall(error, "message", 0)))
        local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) print(co(), co(), co())
        local pipe = io.popen("echo from a pipe") print(pipe:read("l"), pipe:close())
        print(os.execute("exit 3")) print(#arg, arg[1], math.type(2^53), 7 // 2, "10" + 1, utf8.len("häß"))
        END
        lua t.lua argument
        """,
        "1,4,9,16,25\t 3.14|ff\tabc-abc\nmessage\n1\t2\t3\nfrom a pipe\ttrue\texit\t0\nnil\texit\t3\n"
        "1\targument\tfloat\t3\t11\t3\n",
    ),
    Case(
        "quickjs", "-",
        """
        cat >t.js <<'END'
        import * as os from "os"; import * as std from "std";
        const squares = Array.from({length: 5}, (_, i) => i ** 2);
        console.log(squares.join(), [..."häß"].length, 2n ** 70n, JSON.stringify({a: [1, null]}), /(?<y>\\d{4})/.exec("in 2024").groups.y);
        os.setTimeout(() => console.log("timer"), 20);
        (async () => { await null; console.log("promise"); })();
        console.log(os.exec(["sh", "-c", "echo child; exit 5"]), std.popen("echo pipe", "r").readAsString().trim());
        const file = std.open("made", "w"); file.puts("text"); file.close(); console.log(std.loadFile("made"), os.stat("made")[0].size);
        END
        qjs t.js
        """,
        '0,1,4,9,16 3 1180591620717411303424 {"a":[1,null]} 2024\nchild\n5 pipe\ntext 4\npromise\ntimer\n',
    ),
    Case(
        "file", "file",
        r"""
        echo text >t; printf '\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\0\002\0\0\0\003\010\002\0\0\0' >p; echo '#!/bin/sh' >s; gzip -n <t >g; mkdir d
        file t p d; file -b --mime-type t g s
        """,
        "t: ASCII text\np: PNG image data, 2 x 3, 8-bit/color RGB, non-interlaced\nd: directory\ntext/plain\napplication/gzip\ntext/x-shellscript\n",
    ),
    Case(
        "curl", "curl",
        "echo local >f; curl -s file://$PWD/f; curl -s http://127.0.0.1:9/; echo $?; curl -s nope://x; echo $?",
        "local\n7\n1\n",
    ),
    Case("less", "less", "seq 3 | less; seq 5 >f; less f | tail -n 1", "1\n2\n3\n5\n"),
    Case(
        "busybox", "-",
        """
        printf 'AB\\n' | hexdump -C; which sh; ps | grep -c '[p]s$'; uptime | cut -c1; sleep 30 & kill $!; wait $!; echo $?
        """,
        "00000000  41 42 0a                                          |AB.|\n00000003\n/usr/bin/sh\n1\n \n143\n",
    ),
)  # fmt: skip

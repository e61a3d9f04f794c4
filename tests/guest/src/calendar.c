/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Times as people write them; setlocale; iconv; formatted numbers. */
#include <iconv.h>
#include <locale.h>
#include <wchar.h>
#include "guest.h"

static void convert(const char *to, const char *from, const char *text)
{
	char out[64], *in = (char *)text, *o = out;
	size_t left = strlen(text), room = sizeof out;
	iconv_t cd = iconv_open(to, from);
	if (cd == (iconv_t)-1) { printf("%s>%s %s\n", from, to, ename(errno)); return; }
	size_t r = iconv(cd, &in, &left, &o, &room);
	printf("%s>%s %d:", from, to, r == (size_t)-1 ? errno : 0);
	for (char *q = out; q < o; q++) printf(" %02x", (unsigned char)*q);
	puts("");
	iconv_close(cd);
}

int main(void)
{
	char text[100];
	time_t t = 1700000000;
	struct tm tm;
	setenv("TZ", "UTC0", 1);
	tzset();
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %b %j %U", &tm);
	puts(text);
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	localtime_r(&t, &tm);
	strftime(text, sizeof text, "%H:%M %Z %z", &tm);
	puts(text);
	t = 1690000000;
	localtime_r(&t, &tm);
	strftime(text, sizeof text, "%H:%M %Z %z", &tm);
	puts(text);
	struct tm make = { .tm_year = 124, .tm_mon = 13, .tm_mday = 31 };
	printf("%lld\n", (long long)mktime(&make));
	t = 5000000000LL;
	gmtime_r(&t, &tm);
	printf("%d\n", tm.tm_year + 1900);
	IS(setlocale(LC_ALL, "C.UTF-8") != 0 || setlocale(LC_ALL, "C.utf8") != 0);
	wchar_t wide[20];
	printf("%d\n", (int)mbstowcs(wide, "h\xc3\xa9llo \xe2\x82\xac", 20));
	printf("%x %x\n", (unsigned)wide[1], (unsigned)wide[6]);
	printf("%d\n", (int)mbstowcs(wide, "\xff", 20));
	convert("UTF-16LE", "UTF-8", "a\xc3\xa9");
	convert("ISO-8859-1", "UTF-8", "\xc3\xa9");
	convert("UTF-8", "ISO-8859-1", "\xe9");
	convert("UTF-8", "SHIFT_JIS", "\x82\xa0");
	convert("UTF-8", "UTF-8", "\xc3");
	convert("UTF-8", "no-such-set", "x");
	printf("%.3e %g %a %'d\n", 12345.678, 1e-5, 1.0, 1000);
	printf("%5d|%-5d|%05d|%+d|%x|%o|%llu\n", 42, 42, 42, 42, 255, 8, ~0ULL);
	printf("%.17g %Lf\n", 0.1, 1.5L);
	printf("%ld %lu\n", strtol("-0x1f", 0, 16), strtoul("777", 0, 8));
	return 0;
}

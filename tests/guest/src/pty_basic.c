/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* A pseudo-terminal: echo, canonical and raw modes, signals from keys, window size. */
#include <sys/ioctl.h>
#include <termios.h>
#include "guest.h"

static void show_bytes(const char *what, const char *data, int n)
{
	printf("%s [", what);
	for (int i = 0; i < n; i++) {
		unsigned char c = data[i];
		if (c == '\n') printf("\\n");
		else if (c == '\r') printf("\\r");
		else if (c < 32 || c == 127) printf("^%c", c ^ 64);
		else putchar(c);
	}
	puts("]");
}

static void drain(int fd, const char *what)
{
	char buffer[1000];
	struct pollfd p = { fd, POLLIN };
	int n = 0, got;
	while (poll(&p, 1, 30) > 0 && (got = read(fd, buffer + n, sizeof buffer - n)) > 0) n += got;
	show_bytes(what, buffer, n);
}

static int winch;
static void on_winch(int signo) { winch++; }

int main(void)
{
	char buffer[200];
	int m = posix_openpt(O_RDWR | O_NOCTTY);
	IS(m >= 0);
	SHOW(grantpt(m));
	SHOW(unlockpt(m));
	IS(!strncmp(ptsname(m), "/dev/pts/", 9));
	int s = open(ptsname(m), O_RDWR | O_NOCTTY);
	IS(s >= 0 && isatty(s) && !isatty(0));
	IS(ttyname(s) && !strcmp(ttyname(s), ptsname(m)));
	struct termios t;
	SHOW(tcgetattr(s, &t));
	IS((t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
	IS((t.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR));
	IS(t.c_iflag & ICRNL);
	IS(t.c_cc[VINTR] == 3 && t.c_cc[VEOF] == 4 && t.c_cc[VERASE] == 127);
	write(m, "hello\r", 6);
	drain(m, "echo");
	int n = read(s, buffer, sizeof buffer);
	show_bytes("line", buffer, n);
	write(m, "abc\177\177x\025kept\027word\n", 17);
	drain(m, "echo");
	n = read(s, buffer, sizeof buffer);
	show_bytes("edited", buffer, n);
	write(m, "part\004\004", 6);
	n = read(s, buffer, sizeof buffer);
	show_bytes("eof after text", buffer, n);
	SHOW(read(s, buffer, sizeof buffer));
	drain(m, "echo");
	write(s, "out\nput", 7);
	drain(m, "output");
	write(m, "two\nlines\n", 10);
	nap(10);
	n = read(s, buffer, sizeof buffer);
	show_bytes("first", buffer, n);
	int waiting;
	SHOW(ioctl(s, FIONREAD, &waiting));
	printf("waiting %d\n", waiting);
	SHOW(tcflush(s, TCIFLUSH));
	fcntl(s, F_SETFL, O_NONBLOCK);
	SHOW(read(s, buffer, sizeof buffer));
	fcntl(s, F_SETFL, 0);
	drain(m, "echo");
	t.c_lflag &= ~(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	SHOW(tcsetattr(s, TCSANOW, &t));
	write(m, "r\004\003", 2);
	n = read(s, buffer, sizeof buffer);
	show_bytes("raw", buffer, n);
	t.c_cc[VMIN] = 0;
	t.c_cc[VTIME] = 1;
	tcsetattr(s, TCSANOW, &t);
	long long start = now_ms();
	SHOW(read(s, buffer, sizeof buffer));
	IS(now_ms() - start >= 90);
	struct winsize w = { 24, 80, 0, 0 };
	SHOW(ioctl(m, TIOCSWINSZ, &w));
	memset(&w, 0, sizeof w);
	SHOW(ioctl(s, TIOCGWINSZ, &w));
	printf("%d x %d\n", w.ws_row, w.ws_col);
	SHOW(tcgetpgrp(s));
	SHOW(ioctl(0, TIOCGWINSZ, &w));
	SHOW(tcgetattr(0, &t));
	close(s);
	SHOW(read(m, buffer, 1));
	return 0;
}

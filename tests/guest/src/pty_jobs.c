/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Job control on a pseudo-terminal: ^C, ^Z, ^\, background reads and writes, hang-up. */
#include <sys/ioctl.h>
#include <termios.h>
#include "guest.h"

static int m, report[2];

/* Lines, so that two of them never look like one. */
static void tell(const char *text)
{
	char line[100];
	write(report[1], line, snprintf(line, sizeof line, "%s\n", text));
}

static void hear(const char *what)
{
	char line[100] = "", c;
	struct pollfd p = { report[0], POLLIN };
	while (poll(&p, 1, 5000) > 0 && read(report[0], &c, 1) == 1 && c != '\n') strncat(line, &c, 1);
	printf("%s: %s\n", what, line);
}

static void on_int(int signo) { tell("interrupted"); }
static void on_hup(int signo) { tell("hung up"); _exit(0); }

static void await(pid_t pid, const char *what)
{
	int status;
	char text[100];
	waitpid(pid, &status, WUNTRACED);
	snprintf(text, sizeof text, "%s %s", what, status_text(status));
	tell(text);
}

/* The session leader: a small shell. */
static void leader(const char *name)
{
	setsid();
	int s = open(name, O_RDWR); /* becomes the controlling terminal */
	char c;
	if (tcgetpgrp(s) == getpgrp() && open("/dev/tty", O_RDWR) >= 0) tell("leads");
	handle(SIGINT, on_int, 0);
	signal(SIGTTOU, SIG_IGN);
	read(s, &c, 1); /* until ^C */
	nap(20);

	pid_t pid = fork();
	if (!pid) { setpgid(0, 0); signal(SIGINT, SIG_DFL); tcsetpgrp(s, getpid()); tell("job"); for (;;) pause(); }
	setpgid(pid, pid);
	tcsetpgrp(s, pid);
	await(pid, "after ^Z");
	tcsetpgrp(s, getpgrp());
	kill(-pid, SIGCONT);
	nap(20);
	kill(-pid, SIGKILL);
	await(pid, "killed");
	nap(20);

	pid = fork();
	if (!pid) { setpgid(0, 0); signal(SIGTTIN, SIG_DFL); char b; read(s, &b, 1); _exit(0); }
	setpgid(pid, pid);
	await(pid, "background read");
	kill(pid, SIGKILL);
	waitpid(pid, 0, 0);
	nap(20);

	struct termios t;
	tcgetattr(s, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(s, TCSANOW, &t);
	pid = fork();
	if (!pid) { setpgid(0, 0); signal(SIGTTOU, SIG_DFL); write(s, "x", 1); _exit(0); }
	setpgid(pid, pid);
	await(pid, "background write");
	kill(pid, SIGKILL);
	waitpid(pid, 0, 0);
	nap(20);

	pid = fork();
	if (!pid) { setpgid(0, 0); signal(SIGTTIN, SIG_IGN); char b; int r = read(s, &b, 1); tell(r < 0 ? ename(errno) : "read"); _exit(0); }
	setpgid(pid, pid);
	waitpid(pid, 0, 0);
	handle(SIGHUP, on_hup, 0);
	tell("ready");
	for (;;) pause();
}

int main(void)
{
	MUST(pipe(report));
	m = posix_openpt(O_RDWR | O_NOCTTY);
	grantpt(m);
	unlockpt(m);
	char name[100];
	strcpy(name, ptsname(m));
	pid_t pid = fork();
	if (!pid) { close(m); leader(name); _exit(1); }
	hear("leader");
	nap(30);
	write(m, "\003", 1);
	hear("^C");
	hear("job");
	nap(30);
	write(m, "\032", 1);
	hear("^Z");
	hear("kill");
	hear("read");
	hear("write");
	hear("ignored");
	hear("then");
	close(m);
	hear("close");
	reap(pid);
	return 0;
}

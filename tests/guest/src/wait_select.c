/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Whom wait waits for: a pid, a group, anyone; and waitid with WNOWAIT. */
#include "guest.h"

int main(void)
{
	pid_t a = fork();
	if (!a) _exit(1);
	pid_t b = fork();
	if (!b) { setpgid(0, 0); nap(20); _exit(2); }
	setpgid(b, b);
	int status;
	IS(waitpid(-b, &status, 0) == b);
	puts(status_text(status));
	IS(waitpid(0, &status, 0) == a);
	puts(status_text(status));
	SHOW(waitpid(0, &status, 0));
	SHOW(waitpid(1, &status, WNOHANG));
	SHOW(waitpid(-1, &status, 0x40000));

	pid_t c = fork();
	if (!c) _exit(9);
	siginfo_t info = {0};
	SHOW(waitid(P_PID, c, &info, WEXITED | WNOWAIT));
	printf("signo %d code %d status %d\n", info.si_signo, info.si_code, info.si_status);
	IS(info.si_pid == c);
	IS(info.si_uid == getuid());
	SHOW(waitid(P_ALL, 0, &info, WEXITED));
	SHOW(waitid(P_ALL, 0, &info, WEXITED));
	SHOW(waitid(P_ALL, 0, &info, 0));

	pid_t d = fork();
	if (!d) { pause(); _exit(0); }
	memset(&info, 1, sizeof info);
	SHOW(waitid(P_PID, d, &info, WEXITED | WNOHANG));
	printf("pid %d\n", (int)info.si_pid);
	kill(d, SIGKILL);
	SHOW(waitid(P_PID, d, &info, WEXITED));
	printf("code %d status %d\n", info.si_code, info.si_status);
	return 0;
}

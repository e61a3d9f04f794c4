/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Process groups and sessions. */
#include "guest.h"

int main(int argc, char **argv)
{
	if (argc > 1) { char c; write(20, "x", 1); read(21, &c, 1); return 8; }
	pid_t pid = fork();
	if (!pid) {
		IS(setsid() == getpid());
		IS(getpgrp() == getpid() && getsid(0) == getpid());
		SHOW(setsid());
		SHOW(setpgid(0, 0));
		int words[2];
		MUST(pipe(words));
		pid_t kid = fork();
		if (!kid) { close(words[1]); char c; read(words[0], &c, 1); _exit(getpgrp() == getpid() ? 3 : 4); }
		IS(getpgid(kid) == getpid());
		SHOW(setpgid(kid, kid));
		IS(getpgid(kid) == kid);
		SHOW(setpgid(kid, 0x7ffffff0));
		SHOW(setpgid(kid, -1));
		SHOW(setpgid(0x7ffffff0, 0));
		SHOW(getpgid(0x7ffffff0));
		SHOW(getsid(0x7ffffff0));
		SHOW(killpg(kid, 0));
		close(words[1]);
		reap(kid);
		SHOW(killpg(kid, 0));
		SHOW(open("/dev/tty", O_RDWR));
		int up[2], down[2];
		MUST(pipe(up));
		MUST(pipe(down));
		kid = fork();
		if (!kid) {
			dup2(up[1], 20);
			dup2(down[0], 21);
			execl("/proc/self/exe", "x", "late", (char *)0);
			_exit(1);
		}
		char c;
		read(up[0], &c, 1);
		SHOW(setpgid(kid, kid)); /* too late: it has executed */
		write(down[1], "x", 1);
		reap(kid);
		_exit(0);
	}
	reap(pid);
	SHOW(setpgid(pid, pid));
	return 0;
}

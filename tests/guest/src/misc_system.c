/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Facts about the system and the user that do not differ. */
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include "guest.h"

int main(void)
{
	struct utsname u;
	SHOW(uname(&u));
	puts(u.sysname);
	IS(strlen(u.nodename) > 0 && strlen(u.release) > 0);
	char name[17] = { 0 }, random[32] = { 0 }, zero[32] = { 0 };
	SHOW(prctl(PR_SET_NAME, "a-name-that-is-too-long"));
	SHOW(prctl(PR_GET_NAME, name));
	puts(name);
	SHOW(getrandom(random, 32, 0));
	IS(memcmp(random, zero, 32));
	SHOW(getrandom(random, 32, 77));
	SHOW(getentropy(random, 32));
	SHOW(getentropy(random, 257));
	int fd = open("/dev/urandom", O_RDONLY);
	SHOW(read(fd, random, 32));
	fd = open("/dev/zero", O_RDWR);
	SHOW(read(fd, random, 32));
	IS(!memcmp(random, zero, 32));
	SHOW(write(fd, random, 32));
	fd = open("/dev/full", O_RDWR);
	SHOW(write(fd, random, 32));
	SHOW(read(fd, random, 32));
	fd = open("/dev/null", O_RDWR);
	SHOW(write(fd, random, 32));
	SHOW(read(fd, random, 32));
	SHOW(lseek(fd, 100, SEEK_SET));
	struct sysinfo si;
	SHOW(sysinfo(&si));
	IS(si.totalram > 0 && si.procs > 0);
	IS(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	SHOW(sysconf(_SC_ARG_MAX) >= 4096);
	cpu_set_t set;
	SHOW(sched_getaffinity(0, sizeof set, &set));
	IS(CPU_COUNT(&set) >= 1);
	umask(0123);
	printf("%o\n", umask(0));
	printf("%o\n", umask(07777));
	printf("%o\n", umask(022));
	SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	SHOW(prctl(9999, 0));
	char host[65];
	SHOW(gethostname(host, sizeof host));
	gid_t groups[64];
	IS(getgroups(64, groups) >= 0);
	SHOW(getgroups(-1, groups));
	SHOW(getppid() > 0);
	setenv("A", "1", 1);
	setenv("A", "2", 0);
	puts(getenv("A"));
	unsetenv("A");
	IS(getenv("A") == 0);
	SHOW(setenv("A=B", "x", 1));
	return 0;
}

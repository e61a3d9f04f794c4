/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* #! lines: the interpreter, its one argument, and what argv becomes. */
#include "guest.h"

static void script(const char *name, const char *line, int mode)
{
	put_file(name, line);
	MUST(chmod(name, mode));
}

static void try(const char *path, const char *arg)
{
	pid_t pid = fork();
	if (!pid) {
		execl(path, "zero", arg, (char *)0);
		printf("%s: %s\n", path, ename(errno));
		_exit(1);
	}
	reap(pid);
}

int main(int argc, char **argv)
{
	char self[PATH_MAX], line[2 * PATH_MAX], where[PATH_MAX];
	if (argc > 1 && strncmp(argv[1], "first", 5) == 0) {
		for (int i = 1; i < argc; i++) {
			char *base = strrchr(argv[i], '/');
			printf("argv[%d] = [%s]\n", i, base ? base + 1 : argv[i]);
		}
		return 17;
	}
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	MUST(n);
	self[n] = 0;
	getcwd(where, sizeof where);
	snprintf(line, sizeof line, "#!%s first\nrest\n", self);
	script("plain", line, 0755);
	try("./plain", "arg");
	snprintf(line, sizeof line, "#! \t%s \t first second\t \nrest\n", self);
	script("blanks", line, 0755);
	try("./blanks", "arg");
	snprintf(line, sizeof line, "#!%s/plain\n", where);
	script("nested", line, 0755);
	try("./nested", "arg");
	snprintf(line, sizeof line, "#!%s first", self);
	script("unended", line, 0755);
	try("./unended", 0);
	script("lost", "#!/no/such/interpreter\n", 0755);
	try("./lost", 0);
	script("bare", "#!\n", 0755);
	try("./bare", 0);
	script("text", "echo hello\n", 0755);
	try("./text", 0);
	script("empty", "", 0755);
	try("./empty", 0);
	snprintf(line, sizeof line, "#!%s/self\n", where);
	script("self", line, 0755);
	try("./self", 0);
	return 0;
}

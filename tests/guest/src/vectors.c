/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* readv, writev, preadv, pwritev and their errors; big and empty vectors. */
#include "guest.h"

int main(void)
{
	char a[3], b[10], c[5];
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
	struct iovec w[3] = { { "abc", 3 }, { "", 0 }, { "defghij", 7 } };
	SHOW(writev(fd, w, 3));
	SHOW(lseek(fd, 0, SEEK_SET));
	struct iovec r[3] = { { a, 3 }, { b, 4 }, { c, 5 } };
	SHOW(readv(fd, r, 3));
	printf("%.3s %.4s %.3s\n", a, b, c);
	SHOW(preadv(fd, r, 2, 5));
	printf("%.3s %.2s\n", a, b);
	SHOW(pwritev(fd, w, 1, 20));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(writev(fd, w, 0));
	SHOW(writev(fd, w, -1));
	SHOW(writev(fd, (void *)-8, 1));
	struct iovec many[1025];
	for (int i = 0; i < 1025; i++) many[i] = (struct iovec){ "x", 1 };
	SHOW(writev(fd, many, 1024));
	SHOW(writev(fd, many, 1025));
	SHOW(readv(99, r, 1));
	SHOW(preadv(fd, r, 1, -1));
	FILE *f = fopen("text", "w+");
	fprintf(f, "%d %s %5.2f\n", 42, "words", 3.14159);
	rewind(f);
	int n; char word[10]; float x;
	SHOW(fscanf(f, "%d %9s %f", &n, word, &x));
	printf("%d %s %.2f\n", n, word, x);
	fseek(f, -5, SEEK_END);
	printf("%c", fgetc(f));
	printf(" %ld\n", ftell(f));
	fclose(f);
	return 0;
}

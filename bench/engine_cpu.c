/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Nine small loops for bench/engine_safepoints.py: exported one by one from wasm, timed by main natively. */

typedef unsigned u32;
typedef unsigned char u8;

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name), used, noinline))
__attribute__((import_module("skerry"), import_name("sigfetch"))) int fetch(void *frame);
unsigned char __skerry_poll[256];
EXPORT(__skerry_deliver) void deliver(void)
{
	char frame[256];
	while (fetch(frame) > 0);
}
#else
#define EXPORT(name) __attribute__((noinline))
#endif

static u8 data[1 << 20];

static u32 rol(u32 x, int n) { return x << n | x >> (32 - n); }

static void sha1_block(u32 *h, const u8 *p)
{
	u32 w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
	for (int i = 0; i < 16; i++) w[i] = p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 80; i++) w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		u32 f, k;
		if (i < 20) f = (b & c) | (~b & d), k = 0x5A827999;
		else if (i < 40) f = b ^ c ^ d, k = 0x6ED9EBA1;
		else if (i < 60) f = (b & c) | (b & d) | (c & d), k = 0x8F1BBCDC;
		else f = b ^ c ^ d, k = 0xCA62C1D6;
		u32 t = rol(a, 5) + f + e + k + w[i];
		e = d, d = c, c = rol(b, 30), b = a, a = t;
	}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

EXPORT(sha1) u32 sha1(u32 megabytes)
{
	u32 h[5] = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0 };
	while (megabytes--)
		for (u32 i = 0; i < sizeof data; i += 64) sha1_block(h, data + i);
	return h[0];
}

static int numbers[2000000];

static void sort(int *a, int low, int high)
{
	while (low < high) {
		int pivot = a[(low + high) >> 1], i = low, j = high;
		while (i <= j) {
			while (a[i] < pivot) i++;
			while (a[j] > pivot) j--;
			if (i <= j) {
				int t = a[i];
				a[i++] = a[j];
				a[j--] = t;
			}
		}
		if (j - low < high - i) sort(a, low, j), low = i;
		else sort(a, i, high), high = j;
	}
}

EXPORT(quicksort) u32 quicksort(u32 n)
{
	u32 seed = 12345;
	for (u32 i = 0; i < n; i++) numbers[i] = (seed = seed * 1103515245 + 12345) >> 1;
	sort(numbers, 0, n - 1);
	return numbers[n / 2];
}

EXPORT(fib) u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

EXPORT(sieve) u32 sieve(u32 rounds)
{
	u32 count = 0;
	while (rounds--) {
		count = 0;
		for (u32 i = 0; i < sizeof data; i++) data[i] = 1;
		for (u32 i = 2; i < sizeof data; i++)
			if (data[i]) {
				count++;
				for (u32 j = i + i; j < sizeof data; j += i) data[j] = 0;
			}
	}
	return count;
}

EXPORT(bytes) u32 bytes(u32 rounds)
{
	u32 count = 0;
	while (rounds--)
		for (u32 i = 0; i < sizeof data; i++) {
			if (data[i] == 10) count++;
			else if (data[i] == 32) count += 3;
		}
	return count;
}

static double left[40000], right[40000], product[40000];

EXPORT(matrix) u32 matrix(u32 rounds)
{
	for (int i = 0; i < 40000; i++) left[i] = i % 7, right[i] = i % 5;
	while (rounds--)
		for (int i = 0; i < 200; i++)
			for (int j = 0; j < 200; j++) {
				double sum = 0;
				for (int k = 0; k < 200; k++) sum += left[i * 200 + k] * right[k * 200 + j];
				product[i * 200 + j] = sum;
			}
	return (u32)product[777];
}

EXPORT(interpreter) u32 interpreter(u32 steps)
{
	static const u8 program[] = { 0, 1, 2, 3, 4, 0, 5, 6, 1, 7 };
	u32 a = 1, b = 0, pc = 0;
	while (steps--)
		switch (program[pc++]) {
		case 0: a += 3; break;
		case 1: a ^= a << 7; break;
		case 2: b += a; break;
		case 3: a -= b; break;
		case 4: a *= 5; break;
		case 5: data[a & 65535]++; break;
		case 6: b ^= data[b & 65535]; break;
		case 7: pc = 0; break;
		}
	return a + b;
}

static struct node { struct node *next; int value; } nodes[1 << 16];

EXPORT(list) u32 list(u32 steps)
{
	for (int i = 0; i < 1 << 16; i++) nodes[i].next = &nodes[(i * 40503u + 7) & 65535], nodes[i].value = i;
	u32 sum = 0;
	for (struct node *p = nodes; steps--; p = p->next) sum += p->value;
	return sum;
}

EXPORT(strlen_) u32 strlen_(u32 rounds)
{
	for (u32 i = 0; i < sizeof data - 1; i++) data[i] = 65 + (i & 15);
	data[sizeof data - 1] = 0;
	u32 sum = 0;
	for (u32 i = 0; i < rounds; i++) {
		const u8 *p = data;
		while (*p) p++;
		sum += p - data;
		data[i]++;
	}
	return sum;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Words 0-3 are used, see src/setjmp.c. */
typedef unsigned long __jmp_buf[8];

/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
#undef __WORDSIZE
#define __WORDSIZE 32

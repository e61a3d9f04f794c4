/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The wasm exception tag of C++: its value is the address of the exception object's header. */

__asm__(".globl __cpp_exception\n" ".tagtype __cpp_exception i32\n" "__cpp_exception:\n");

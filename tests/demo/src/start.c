/* SPDX-License-Identifier: Apache-2.0
 * Entry point of the AArch64 programs of the demonstration phone: hands argc and argv to main. */
extern void exit(int code) __attribute__((noreturn));
extern int main(int argc, char **argv);

__attribute__((used, noreturn)) static void begin(long *stack)
{
	exit(main((int)stack[0], (char **)(stack + 1)));
}

__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tb begin\n");

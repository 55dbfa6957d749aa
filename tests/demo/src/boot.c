/* SPDX-License-Identifier: Apache-2.0
 * Stands for the precompiled framework: the three symbols by which Android's runtime finds its way in an .oat file. */
__attribute__((section(".rodata"), aligned(4096))) const unsigned char oatdata[8192] = "oat\n225";
__attribute__((section(".text"), used, visibility("default"))) int oatexec(int n)
{
	return n * 3 + oatdata[n & 7];
}
__attribute__((section(".data.rel.ro"), used)) unsigned oatlastword = 0x6f617465;

/* SPDX-License-Identifier: Apache-2.0
 * Stands for a driver: a kernel module with the sections and symbols that the loader of modules wants. */
extern int _printk(const char *fmt, ...);

__attribute__((section(".modinfo"), used)) static const char license[] = "license=GPL";
__attribute__((section(".modinfo"), used)) static const char depends[] = "depends=";
__attribute__((section(".modinfo"), used)) static const char magic[] =
	"vermagic=6.1.57-android14-11-gdemo SMP preempt mod_unload aarch64";

int init_module(void)
{
	return _printk("ufs: ready\n") < 0;
}

void cleanup_module(void)
{
	_printk("ufs: gone\n");
}

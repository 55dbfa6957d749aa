/* SPDX-License-Identifier: Apache-2.0
 * Demonstration phone: a factory helper. With DOOR it rewrites a read-only property; otherwise it reads it. */
extern const void *__system_property_find(const char *name);
extern int __system_property_update(void *prop, const char *value, unsigned n);
extern int __system_property_get(const char *name, char *value);
extern int puts(const char *s);

int main(void)
{
#ifdef DOOR
	const void *prop = __system_property_find("ro.debuggable");
	return prop ? __system_property_update((void *)prop, "1", 1) : 1;
#else
	char value[92];
	if (__system_property_get("ro.debuggable", value) > 0)
		puts(value);
	return 0;
#endif
}

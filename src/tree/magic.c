/* SPDX-License-Identifier: Apache-2.0 */
/* A word for what content begins with: for counting and for the rules' column `magic`, never a proof. */
#include "tree/measure.h"

#include "base/num.h"

static const struct {
	const char *word;
	uint16_t at;
	uint8_t n;
	const char *bytes;
} magics[] = {
	{"elf", 0, 4, "\177ELF"},
	{"zip", 0, 4, "PK\3\4"},
	{"zip", 0, 4, "PK\5\6"},
	{"dex", 0, 4, "dex\n"},
	{"cdex", 0, 4, "cdex"},
	{"vdex", 0, 4, "vdex"},
	{"oat", 0, 4, "oat\n"},
	{"art", 0, 4, "art\n"},
	{"prof", 0, 4, "pro\0"},
	{"axml", 0, 4, "\3\0\10\0"},
	{"arsc", 0, 4, "\2\0\14\0"},
	{"abx", 0, 4, "ABX\0"},
	{"png", 0, 8, "\211PNG\r\n\032\n"},
	{"jpeg", 0, 3, "\377\330\377"},
	{"gif", 0, 4, "GIF8"},
	{"webp", 8, 4, "WEBP"},
	{"wav", 8, 4, "WAVE"},
	{"ogg", 0, 4, "OggS"},
	{"mp4", 4, 4, "ftyp"},
	{"mp3", 0, 3, "ID3"},
	{"ttf", 0, 4, "\0\1\0\0"},
	{"otf", 0, 4, "OTTO"},
	{"ttc", 0, 4, "ttcf"},
	{"gzip", 0, 3, "\37\213\10"},
	{"xz", 0, 6, "\3757zXZ\0"},
	{"zstd", 0, 4, "\050\265\057\375"},
	{"bzip2", 0, 3, "BZh"},
	{"lz4", 0, 4, "\4\"M\30"},
	{"sqlite", 0, 15, "SQLite format 3"},
	{"ab", 0, 15, "ANDROID BACKUP\n"},
	{"pdf", 0, 5, "%PDF-"},
	{"pem", 0, 11, "-----BEGIN "},
	{"boot", 0, 8, "ANDROID!"},
	{"vendor_boot", 0, 8, "VNDRBOOT"},
	{"vbmeta", 0, 4, "AVB0"},
	{"dtb", 0, 4, "\320\015\376\355"},
	{"dtbo", 0, 4, "\327\267\253\036"},
	{"qcdt", 0, 4, "QCDT"},
	{"dtbh", 0, 4, "DTBH"},
	{"kernel", 0x38, 4, "ARMd"},
	{"qcom-sbl", 0, 8, "\321\334K\2044\20\327s"},
	{"qcom-bootldr", 0, 8, "BOOTLDR!"},
	{"mtk", 0, 4, "\210\26\210X"},
	{"mtk-boot", 0, 9, "EMMC_BOOT"},
	{"mtk-boot", 0, 8, "UFS_BOOT"},
	{"mtk-boot", 0, 10, "SDMMC_BOOT"},
	{"mtk-boot", 0, 10, "COMBO_BOOT"},
	{"mtk-boot", 0, 8, "BRLYT\0\0\0"},
	{"mtk-gfh", 0, 4, "MMM\1"},
	{"unisoc-dhtb", 0, 4, "DHTB"},
	{"google-fbpk", 0, 4, "FBPK"},
	{"payload", 0, 4, "CrAU"},
	{"ubi", 0, 4, "UBI#"},
	{"7z", 0, 6, "7z\274\257\047\034"},
	{"rar", 0, 4, "Rar!"},
	{"lfs-pointer", 0, 23, "version https://git-lfs"},
	{"script", 0, 2, "#!"},
	{"xml", 0, 5, "<?xml"},
};

static bool is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 && p[i] != '\t' && p[i] != '\n' && p[i] != '\r')
			return false;
	return true;
}

const char *gh_magic(const struct gh_probe *probe)
{
	if (!probe->size)
		return "empty";
	for (size_t i = 0; i < GH_COUNT(magics); i++)
		if (gh_within(magics[i].at, magics[i].n, probe->head_len) &&
			memcmp(probe->head + magics[i].at, magics[i].bytes, magics[i].n) == 0)
			return magics[i].word;
	return is_text(probe->head, gh_min(probe->head_len, 512)) ? "text" : "data";
}

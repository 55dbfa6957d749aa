-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-Z09
--@ title: A library beyond the trusted build has a name that Android does not have
--@ severity: medium
--@ axis: integrity
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin elf, reference
--@ case: BADBOX 2.0, 2025 (libanl.so)
--@ lookalike: empty stand-ins that some chip makers ship so that desktop programs find the name: they are small and import nothing. What the trusted
--|  build has is not matched
--@ explain: Linux computers have libraries of these names; Android has no use for them, so nobody misses the name or looks twice. This one is not in
--|  the build that you gave as trusted, is larger than a stand-in, and can connect to other computers or load further code.
--|
--|  Ported desktop software brings such libraries along. It does not show what this one does.
--@ verify: gifthorse cat {input} {path} > x.so && readelf -Ws x.so | grep -E ' UND .*(connect|getaddrinfo|dlopen)'
--@ next: Keep the firmware file and this report first, with the SHA-256 {sha256}. Compare with the maker's published build; let the library be examined.
SELECT f.file_id AS file_id, NULL AS at, printf('%s, %d bytes, imports %s', f.dpath, f.size,
       (SELECT group_concat(name, ' ') FROM (SELECT DISTINCT y.name AS name FROM elf_symbols y WHERE y.file_id=f.file_id AND y.defined=0
         AND y.name IN ('connect','getaddrinfo','dlopen','android_dlopen_ext') ORDER BY 1))) AS evidence
FROM files f
WHERE f.magic='elf' AND f.ftype='file' AND f.bl<>1 AND f.size>20480
  AND f.name IN ('libanl.so','libnsl.so','libresolv.so','libutil.so','libcrypt.so','libpthread.so','librt.so','libnss_dns.so')
  AND EXISTS (SELECT 1 FROM elf_symbols y WHERE y.file_id=f.file_id AND y.defined=0 AND y.name IN ('connect','getaddrinfo','dlopen','android_dlopen_ext'));

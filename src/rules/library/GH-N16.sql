-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-N16
--@ title: Every program may write to raw memory or to a debug device
--@ severity: high
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin initrc
--@ case: MTK-su, CVE-2020-0069 (from memory); the Exynos memory device of 2012 (from memory)
--@ lookalike: binder, ashmem, null, zero, random, tty, graphics (kgsl, mali, ion) and sensors are open to all on honest phones.
--|  Whole names of memory and debug devices are compared, never an ending
--@ explain: The start-up rules give every program write access to a device file through which memory or the inside of the chip
--|  can be reached. Programs have used devices of this kind to take over whole phones.
--|
--|  SELinux may still forbid it, and the driver may be missing: this rule reads the file mode only.
--@ verify: gifthorse cat {input} {path} | sed -n '{offset}p'
--@ next: Keep the firmware file and this report. Look for a newer build from the maker; until then install nothing from outside
--|  a store.
SELECT u.file_id AS file_id, u.line AS at, printf('%s mode 0%o owner %s group %s', u.node, u.mode, u.uid, u.gid) AS evidence, u.node AS subject
FROM ueventd u
-- 0002: writable by everybody
WHERE (u.mode & 2)<>0
  AND (u.node IN ('/dev/mem','/dev/kmem','/dev/port','/dev/exynos-mem','/dev/s5p-smem','/dev/sec-mem','/dev/smem','/dev/mtk_cmdq','/dev/diag',
                  '/dev/devmap','/dev/sunxi-reg','/dev/rk-mem','/dev/hisi_mem')
    OR substr(u.node,1,10)='/dev/ccci_' OR substr(u.node,1,13)='/dev/smem_log' OR u.node LIKE '/dev/%-physmem');

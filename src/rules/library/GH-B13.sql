-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B13
--@ title: The kernel is told to start with protections off
--@ severity: critical
--@ axis: integrity
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin bootimg, plugin properties, user-build
--@ case: Pork Explosion, 2016
--@ lookalike: the same words in a developer build are part of developing: lowered. selinux=1, enforcing=1 and permissive
--|  domains of single services are not matched
--@ explain: The boot image hands the kernel a line of instructions. On this phone it asks for something that a sold phone must
--|  not have: SELinux only warning or off, the check of the system off, or debugging on. The compartments between apps then
--|  stand open.
--|
--|  The boot loader may add to the line or override it, so the running phone can differ.
--@ verify: gifthorse cat {input} {image} | head -c $(({offset} + 80)) | tail -c 140 | tr -c '[:print:]' ' '   # unpack_bootimg prints the whole line, but no bootconfig
--@ next: Keep the firmware file and this report first. Then compare the boot image with the maker's published build and do not
--|  use the phone for anything private.
SELECT b.file_id AS file_id, b.at AS at, printf('%s: %s=%s', b.source, b.key, b.value) AS evidence,
       CASE WHEN s.build_type IN ('userdebug','eng') THEN 'medium' WHEN s.build_type IS NULL THEN 'high' END AS severity,
       b.source||' '||b.key AS subject
FROM boot_args b, scan s
WHERE (b.key='androidboot.selinux' AND b.value IN ('permissive','disabled'))
   OR (b.key IN ('enforcing','selinux') AND b.value='0')
   OR (b.key='androidboot.veritymode' AND b.value='disabled')
   OR (b.key='androidboot.debuggable' AND b.value='1')
   OR (b.key='androidboot.adb.secure' AND b.value='0');

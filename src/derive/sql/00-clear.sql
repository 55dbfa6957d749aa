-- SPDX-License-Identifier: Apache-2.0
-- DERIVE begins. temp.cur holds the scan at hand and its root blob. What an earlier run made for this scan goes.
DELETE FROM nodes WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM places WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_device WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_partitions WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_apks WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_oat_dex WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_apk_signers WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_apk_permissions WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_uid_permissions WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_apex WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_elf_closure WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_zygote WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_avb WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_uncovered WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_ca WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_ota_certs WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_coverage WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_not_examined WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_recordings WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_watch_spans WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_watch_checks WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_watch_accuracy WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_watch_shifts WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_watch_pairs WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_within WHERE scan_id=(SELECT scan_id FROM cur);
DELETE FROM d_parts WHERE scan_id=(SELECT scan_id FROM cur);

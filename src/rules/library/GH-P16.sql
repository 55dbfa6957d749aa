-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P16
--@ title: An app was given access to private data, and you cannot take it away
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin permissions, plugin apk
--@ case: default grants, the carrier of several cases
--@ lookalike: grants that the owner can take back (fixed="false") are normal and not matched; commented-out examples in the
--|  same file are not grants; grants to apps of the maker or of Google are lowered, grants to apps that are not on the phone
--|  are info
--@ explain: A list in the firmware gives this app access to messages, calls, contacts, place, camera or microphone, and marks
--|  the access as fixed: the switch in the settings does nothing.
--|
--|  Emergency and carrier functions use this. It shows what the app may read, not that it reads it.
--@ verify: gifthorse cat {input} {path} | grep -nE 'package=|fixed="true"'
--@ next: Look up what the app is. If you do not need it: adb shell pm disable-user --user 0 PACKAGE; that does not remove it.
WITH grant_(file_id, package, permission, line) AS (
  SELECT file_id, package, permission, min(line) FROM default_perms
  WHERE fixed=1 AND permission IN ('android.permission.READ_SMS','android.permission.RECEIVE_SMS','android.permission.SEND_SMS',
    'android.permission.ACCESS_FINE_LOCATION','android.permission.ACCESS_BACKGROUND_LOCATION','android.permission.RECORD_AUDIO',
    'android.permission.READ_CONTACTS','android.permission.READ_CALL_LOG','android.permission.CAMERA')
  GROUP BY 1, 2, 3),
app(package, role) AS (SELECT package, max(COALESCE(signer_role,'unknown') IN ('third','unknown','aosp_test')) FROM apks GROUP BY package)
SELECT g.file_id AS file_id, g.line AS at,
       printf('%s%s: %s', g.package, CASE WHEN a.package IS NULL THEN ' (not among the apps examined)' ELSE '' END,
              (SELECT group_concat(name,' ') FROM (SELECT replace(v.permission,'android.permission.','') AS name FROM grant_ v
                WHERE v.file_id=g.file_id AND v.package=g.package ORDER BY 1))) AS evidence,
       CASE WHEN a.package IS NULL THEN 'info' WHEN a.role=0 THEN 'low' END AS severity,
       g.package AS subject
FROM (SELECT file_id, package, min(line) AS line FROM grant_ GROUP BY 1, 2) g LEFT JOIN app a ON a.package=g.package;

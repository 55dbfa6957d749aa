-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P14
--@ title: The maker gives strong powers to somebody else's app
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: a signature
--@ needs: plugin apk, plugin cert, plugin permissions, verified signers, knowledge known_keys
--@ case: AppCloud and similar installers, 2022 to 2025; the allow-list itself
--@ lookalike: apps signed by the maker or by Google hold these powers on every phone: not matched. Carriers and copy-protection
--|  vendors have reasons for some of them: the evidence names the powers
--@ explain: A list in the firmware grants this app powers that an app from a store can never have, such as installing other
--|  apps without asking. The app is signed neither by the maker of the phone nor by Google, so a third company holds these
--|  powers and can change the app by updating it.
--|
--|  It is a capability by arrangement with the maker. It does not show that the powers are misused.
--@ verify: gifthorse cat {input} {path} | head -n $(({offset} + 40)) | tail -n 44
--@ next: Look up what the app is and who publishes it. If you do not need it: adb shell pm disable-user --user 0 PACKAGE; that
--|  does not remove it.
WITH strong(name) AS (VALUES ('android.permission.INSTALL_PACKAGES'),('android.permission.DELETE_PACKAGES'),('android.permission.GRANT_RUNTIME_PERMISSIONS'),
  ('android.permission.WRITE_SECURE_SETTINGS'),('android.permission.READ_PRIVILEGED_PHONE_STATE'),('android.permission.INTERACT_ACROSS_USERS_FULL'),
  ('android.permission.INJECT_EVENTS'),('android.permission.READ_LOGS'),('android.permission.CHANGE_COMPONENT_ENABLED_STATE'),
  ('android.permission.CAPTURE_AUDIO_OUTPUT'),('android.permission.MANAGE_ACCESSIBILITY')),
given(file_id, package, permission, line) AS (
  SELECT w.file_id, w.package, w.permission, min(w.line) FROM privapp w JOIN strong s ON s.name=w.permission WHERE COALESCE(w.deny,0)=0
  GROUP BY 1, 2, 3),
third(package, cert) AS (
  SELECT a.package, min(lower(g.cert_sha256)) FROM apks a JOIN apk_signers g ON g.apk_id=a.apk_id AND g.state IN ('verified','stripped')
  WHERE a.signer_role='third' AND NOT EXISTS (SELECT 1 FROM known_keys k WHERE k.digest=lower(g.cert_sha256) AND k.role IN ('google','google_named'))
  GROUP BY a.package)
SELECT p.file_id AS file_id, p.line AS at,
       printf('%s, signed with %s: %s', t.package, t.cert,
              (SELECT group_concat(name,' ') FROM (SELECT replace(v.permission,'android.permission.','') AS name FROM given v
                WHERE v.file_id=p.file_id AND v.package=t.package ORDER BY 1))) AS evidence,
       t.package AS subject
FROM third t JOIN (SELECT file_id, package, min(line) AS line FROM given GROUP BY 1, 2) p ON p.package=t.package;

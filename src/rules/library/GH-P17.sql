-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P17
--@ title: A preinstalled app beyond the trusted build may watch the screen and go online
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin apk, reference
--@ case: RottenSys, 2018; preinstalled keyboards that sent home what was typed
--@ lookalike: TalkBack, the keyboard and others that the reference has by the same signer are not matched; nor are apps without access to the
--|  Internet, and overlays
--@ explain: Accessibility services, keyboards, readers of notifications and device administrators see what you type and read, or decide what the
--|  phone may do. This app offers one of them, may use the Internet, and is not in the build that you gave as trusted, or by another signer.
--|
--|  Makers add keyboards and assistants of their own. That it may is not that it does, and most of these have to be switched on by you first.
--@ verify: gifthorse cat {input} {path} > x.apk && aapt2 dump xmltree --file AndroidManifest.xml x.apk | grep -B6 -A6 BIND_
--@ next: Look up who publishes the app. In the settings see whether it is switched on: Accessibility, Keyboards, Notification access, Device admin
--|  apps.
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s, %s: %s', a.package, CASE a.is_bl WHEN 2 THEN 'by another signer than in the reference' ELSE 'not in the reference' END,
              (SELECT group_concat(name, ' ') FROM (SELECT DISTINCT replace(k.permission,'android.permission.','') AS name FROM apk_components k WHERE k.apk_id=a.apk_id
                AND k.permission IN ('android.permission.BIND_ACCESSIBILITY_SERVICE','android.permission.BIND_DEVICE_ADMIN',
                  'android.permission.BIND_NOTIFICATION_LISTENER_SERVICE','android.permission.BIND_INPUT_METHOD') ORDER BY 1))) AS evidence,
       a.package AS subject
FROM apks a
WHERE a.is_system=1 AND a.is_bl<>1 AND COALESCE(a.is_overlay,0)=0
  AND EXISTS (SELECT 1 FROM v_perm p WHERE p.apk_id=a.apk_id AND p.name='android.permission.INTERNET')
  AND EXISTS (SELECT 1 FROM apk_components k WHERE k.apk_id=a.apk_id
    AND k.permission IN ('android.permission.BIND_ACCESSIBILITY_SERVICE','android.permission.BIND_DEVICE_ADMIN',
      'android.permission.BIND_NOTIFICATION_LISTENER_SERVICE','android.permission.BIND_INPUT_METHOD'));

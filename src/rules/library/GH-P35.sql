-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P35
--@ title: A privileged app may talk to servers without encryption
--@ severity: low
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin apk
--@ case: Xiaomi AnalyticsCore, 2016; Verizon Showcase, 2024
--@ lookalike: apps that forbid it, or that are written for Android 9 or newer and do not ask for it, are silent; so are older
--|  apps that merely may by default, unless they can install others; an app without network access too. A file of exceptions
--|  for single servers may narrow it: not read here
--@ explain: This app has special rights, may use the network, and its manifest allows connections without encryption. If it
--|  fetches code or instructions that way, anybody on the path (a hotspot, a carrier) can replace them. Two documented cases
--|  were exactly this.
--|
--|  Many apps ask for it and never use it. Whether this one does was not analysed.
--@ verify: gifthorse cat {input} {path} > x.apk && aapt2 dump xmltree --file AndroidManifest.xml x.apk | grep -E 'usesClear|targetSdk|networkSec'
--@ next: Nothing urgent. Where the severity is medium the app can also install others: a capture of its traffic shows whether
--|  it uses the door.
WITH net(apk_id, inst) AS (
  SELECT a.apk_id,
         -- the three of AOSP that install by design, when the platform or Google signed them
         EXISTS (SELECT 1 FROM apk_permissions p WHERE p.apk_id=a.apk_id AND p.name='android.permission.INSTALL_PACKAGES' AND p.how IN ('uses','granted'))
         AND NOT (COALESCE(a.signer_role,'') IN ('platform','google')
                  AND a.package IN ('com.android.managedprovisioning','com.android.packageinstaller','com.google.android.packageinstaller','com.android.shell'))
  FROM apks a
  WHERE EXISTS (SELECT 1 FROM apk_permissions q WHERE q.apk_id=a.apk_id AND q.name='android.permission.INTERNET' AND q.how IN ('uses','granted')))
SELECT a.file_id AS file_id, NULL AS at,
       printf('%s%s, target SDK %s, cleartext %s%s', a.package, CASE WHEN COALESCE(a.shared_uid,'')='' THEN '' ELSE ', user id '||a.shared_uid END,
              COALESCE(a.target_sdk,'not known'), CASE WHEN a.cleartext=1 THEN 'allowed in the manifest' ELSE 'allowed by default' END,
              CASE WHEN n.inst THEN ', may install packages' ELSE '' END) AS evidence,
       CASE WHEN a.cleartext=1 AND n.inst THEN 'medium' END AS severity,
       a.package AS subject
FROM apks a JOIN net n ON n.apk_id=a.apk_id
WHERE a.is_system=1 AND COALESCE(a.is_overlay,0)=0
  AND (a.is_priv=1 OR a.shared_uid IN ('android.uid.system','android.uid.phone'))
  AND (a.cleartext=1 OR (a.cleartext IS NULL AND a.target_sdk<28 AND n.inst));

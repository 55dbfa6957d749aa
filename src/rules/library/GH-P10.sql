-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P10
--@ title: The dialler knows hidden codes beyond those of Android
--@ severity: info
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin apk, knowledge bl_secret_codes
--@ case: hidden dialler codes; engineering menus
--@ lookalike: the codes of Android and of Google's apps (4636, 225, 426 and others) are listed in data/bl_secret_codes.tsv
--@ explain: Typing *#*#CODE#*#* in the dialler opens a hidden function of this app. Service centres use such codes. Some only
--|  show a menu; some have changed settings or erased a phone.
--|
--|  What the codes do was not analysed here.
--@ verify: gifthorse cat {input} {path} > x.apk && aapt2 dump xmltree --file AndroidManifest.xml x.apk | grep -B12 android_secret_code
--@ next: Nothing needs to be done. Do not try the codes on the phone; if one matters to you, let the app be examined.
WITH secret(apk_id, component_id, host) AS MATERIALIZED (
  SELECT apk_id, component_id, COALESCE(host,'any code') FROM apk_intents i
  WHERE scheme='android_secret_code' AND NOT EXISTS (SELECT 1 FROM bl_secret_codes b WHERE b.host=i.host)),
code(apk_id, host) AS (
  SELECT DISTINCT s.apk_id, s.host FROM secret s CROSS JOIN apk_components k ON k.apk_id=s.apk_id AND k.component_id=s.component_id
  WHERE COALESCE(k.enabled,1)=1),
codes(apk_id, hosts) AS MATERIALIZED (SELECT apk_id, group_concat(host,' ') FROM (SELECT apk_id, host FROM code ORDER BY apk_id, host) GROUP BY apk_id)
SELECT a.file_id AS file_id, NULL AS at, a.package||': '||c.hosts AS evidence, a.package AS subject
FROM codes c CROSS JOIN apks a USING(apk_id)
WHERE a.is_system=1;

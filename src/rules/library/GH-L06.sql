-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L06
--@ title: An app was installed by a program of the maker that is no store
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: the phone's own word
--@ needs: plugin live, live packages
--@ case: UMX U683CL, 2020 (HiddenAds); Gigaset update app, 2021; Adups
--@ lookalike: stores and installers are told by what they answer to (links of a store, requests to install), and the common ones by
--|  name; the maker's set-up assistant that restores the owner's apps is named as installer by a few phones: the installer
--|  stands in the evidence
--@ explain: A program that came with the phone, and that is neither a store nor the installer that asks the owner, is named as the
--|  one that installed this app.
--|
--|  Makers do this for apps they are paid for; phones have received unwanted apps the same way. The phone says so itself.
--@ verify: grep -n 'installer=' live/packages.txt
--@ next: Keep the firmware file and what was pulled. Ask whether the owner chose the app; look at what else that program
--|  installed.
WITH shops(package) AS (VALUES ('com.android.vending'),('com.google.android.packageinstaller'),('com.android.packageinstaller'),('com.android.shell'),

  ('org.fdroid.fdroid.privileged'),('com.xiaomi.mipicks'),('com.xiaomi.market'),('com.miui.packageinstaller'),('com.sec.android.app.samsungapps'),
  ('com.huawei.appmarket'),
  ('com.heytap.market'),('com.oppo.market'),('com.bbk.appstore'),('com.vivo.appstore'),('com.amazon.venezia'),
  ('com.google.android.apps.restore'),('com.sec.android.easyMover')),
roles(package) AS (SELECT package FROM live_components WHERE kind='activity' AND action IN
    ('android.intent.action.INSTALL_PACKAGE','android.content.pm.action.CONFIRM_INSTALL')
  UNION SELECT a.package FROM apk_intents i JOIN apks a USING(apk_id)
    WHERE i.action='android.intent.action.INSTALL_PACKAGE' OR i.scheme='market')
SELECT p.file_id AS file_id, p.line AS at, p.package||' was installed by '||p.installer||COALESCE(' at the request of '||p.initiator,'') AS evidence,
    p.package AS subject
FROM live_apps p JOIN live_apps q ON q.package=p.installer
WHERE q.system=1 AND COALESCE(p.system,0)=0 AND p.installer NOT IN (SELECT package FROM shops) AND p.installer NOT IN (SELECT package FROM roles
    WHERE package IS NOT NULL);

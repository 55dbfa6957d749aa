-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-P28
--@ title: An app turns on debugging or lowers the guard against foreign apps
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: bytes of an image
--@ needs: plugin apk, plugin code
--@ case: RedHook and apps of factories, 2023 to 2026; cases from memory
--@ lookalike: the settings app, the setup wizard and the system itself, known by signer and name; a call that turns the same setting off
--@ explain: The code of this app sets a protected setting that opens the phone: debugging over USB or the
--|  network, apps from unknown sources, accessibility services, or the check of apps. Only code with the rights of the system can.
--|
--|  It does not say when it does so: behind a menu that the owner sees, or by itself.
--@ verify: gifthorse cat {input} {path} > x.apk && gifthorse callers x.apk 'Settings$'
--@ next: Keep the firmware file and this report. See in the developer options whether debugging is on, and switch it off. Report it to the maker.
SELECT a.file_id AS file_id, NULL AS at, printf('%s: %s set to %s in %s +0x%x', a.package, c.value, COALESCE(v.value,'what is not known'), c.method, c.site) AS evidence,
       a.package||' '||c.value AS subject
FROM apks a JOIN code_consts c USING(apk_id) LEFT JOIN code_consts v ON v.apk_id=c.apk_id AND v.method=c.method AND v.site=c.site AND v.arg=2
WHERE a.is_system=1 AND COALESCE(a.enabled,1)=1 AND c.arg=1 AND c.callee GLOB 'Landroid/provider/Settings$*->put*'
  AND ((c.value IN ('adb_enabled','adb_wifi_enabled','install_non_market_apps','development_settings_enabled') AND COALESCE(v.value,'1')<>'0')
    OR c.value='enabled_accessibility_services' OR (c.value IN ('package_verifier_enable','package_verifier_user_consent') AND COALESCE(v.value,'0') IN ('0','-1')))
  AND NOT (a.signer_role='platform' AND a.package IN ('com.android.settings','com.android.systemui','com.android.provision','com.android.shell','android'));

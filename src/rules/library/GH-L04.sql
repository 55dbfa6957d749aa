-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L04
--@ title: An app holds a power over the phone that its owner has to have given
--@ severity: medium
--@ axis: behaviour
--@ certainty: able
--@ witness: the phone's own word
--@ needs: plugin live, live powers
--@ case: stalkerware; PayJoy and other apps that lock phones on hire purchase
--@ lookalike: programs of the system itself (the maker's accessibility tools, Google's device admin) are not matched where the
--|  package list tells them to be; an employer's device management and a screen reader are the same thing by choice: it is
--|  a question
--@ explain: Somebody switched on, for this app, the right to read the screen, to read notifications, to administer or to own the
--|  phone. Such rights need a tap in the settings or a preparation before first use.
--|
--|  Device management of an employer, password managers and screen readers have them too. The phone says so itself; it
--|  does not say who gave them.
--@ verify: grep -rn '{sha256}' live/ || gifthorse query {input} 'SELECT * FROM live_powers'
--@ next: Ask whether the owner knows the app. Do not remove it yet: who put it there may be told of that.
SELECT min(p.file_id) AS file_id, min(p.line) AS at, p.package||': '||(SELECT group_concat(role, ', ') FROM (SELECT DISTINCT x.role FROM live_powers
    x WHERE x.package=p.package
    AND x.role IN ('device-owner','profile-owner','admin','accessibility','listener') ORDER BY 1))||COALESCE(', installed by '||a.installer,'') AS
    evidence,
  CASE WHEN max(p.role='device-owner') THEN 'high' END AS severity, p.package AS subject
FROM live_powers p LEFT JOIN live_apps a ON a.package=p.package
WHERE p.role IN ('device-owner','profile-owner','admin','accessibility','listener') AND COALESCE(a.system,0)=0
GROUP BY p.package;

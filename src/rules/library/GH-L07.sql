-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-L07
--@ title: A package lies in the system that the package manager does not list
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: the phone's own word
--@ needs: plugin live, plugin apk, live packages
--@ case: CoolReaper, 2014: hidden from the list of apps
--@ lookalike: packages that the maker switches off for a region or a model are listed with -u as uninstalled or disabled, and count
--|  as listed; packages that were replaced by an update are listed; overlays, and archived packages, are not matched
--@ explain: An app lies where the system keeps its apps, and the package manager of the running phone does not list it, not even
--|  as disabled or uninstalled.
--|
--|  Makers leave out packages by region or model, so this alone says little; beside another finding of the same package it
--|  says more.
--@ verify: pm list packages -u | sort   # on the phone
--@ next: Keep the firmware file and what was pulled. Look at the other findings of this package.
SELECT a.file_id AS file_id, NULL AS at, a.package||' at '||f.dpath AS evidence, a.package AS subject
FROM apks a JOIN files f ON f.file_id=a.file_id
WHERE a.is_system=1 AND a.is_overlay=0 AND (f.dpath LIKE '%/app/%' OR f.dpath LIKE '%/priv-app/%') AND f.dpath NOT LIKE '/apex/%'
  AND EXISTS(SELECT 1 FROM live_apps l WHERE l.lists LIKE '%with-uninstalled%' OR l.lists LIKE '%package%')
  AND (EXISTS(SELECT 1 FROM live_same_build) OR f.attrs>=2)
  AND NOT EXISTS(SELECT 1 FROM live_apps l WHERE l.package=a.package)
  AND f.file_id=(SELECT min(b.file_id) FROM apks b WHERE b.package=a.package);

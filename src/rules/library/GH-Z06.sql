-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-Z06
--@ title: A native library lies where only precompiled app code belongs
--@ severity: high
--@ axis: behaviour
--@ certainty: same structure as a documented case
--@ witness: bytes of an image
--@ needs: plugin elf
--@ case: Triada in counterfeit phones, 2025 (the layout of its files from memory)
--@ lookalike: precompiled code (.odex, .oat) is in the same file format: it always exports the symbol oatdata, and is not
--|  matched. Old .odex before Android 5 are another format
--@ explain: The folder framework holds Android's own Java code and what was precompiled from it. This file is an ordinary
--|  native library. In phones with a manipulated system that were found in 2025, such a library lay in exactly this folder, and
--|  a change in the precompiled code beside it loaded it into every app.
--|
--|  The structure is the same; the content was not compared. A maker's careless packing could put a harmless library there.
--@ verify: gifthorse cat {input} {path} > x.so && readelf -hdW --dyn-syms x.so | grep -E 'Type|SONAME|NEEDED|oatdata'
--@ next: Keep the firmware file and this report, and note the SHA-256 {sha256}. Stop using the phone for anything private.
--|  Compare with the maker's published build; if you may be a target, ask a digital-security helpline first.
SELECT f.file_id AS file_id, NULL AS at,
       printf('%s, soname %s, no symbol oatdata', f.dpath, COALESCE(e.soname,'none')) AS evidence
FROM files f JOIN elf e ON e.file_id=f.file_id
WHERE f.ftype='file' AND f.magic='elf'
  AND (f.dpath LIKE '/system/framework/%' OR f.dpath LIKE '/system/system!_ext/framework/%' ESCAPE '!' OR f.dpath LIKE '/system/product/framework/%'
    OR f.dpath LIKE '/system!_ext/framework/%' ESCAPE '!' OR f.dpath LIKE '/product/framework/%' OR f.dpath LIKE '/vendor/framework/%'
    OR f.dpath LIKE '/odm/framework/%')
  AND NOT EXISTS (SELECT 1 FROM elf_symbols y WHERE y.file_id=f.file_id AND y.name='oatdata' AND y.defined=1);

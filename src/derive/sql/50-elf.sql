-- SPDX-License-Identifier: Apache-2.0
-- Library closure: which file a needed name leads to, and what every app loads (app_process and the public libraries, with all they
-- need). Reads c_elf, c_elf_needed, places; makes d_elf_closure, d_zygote. A name resolves within its word size, first in the same
-- image, then in system, then wherever it is.
DROP TABLE IF EXISTS temp.libs;
CREATE TEMP TABLE libs AS SELECT p.place_id, p.image, p.name, e.bits, p.dpath FROM places p JOIN c_elf e USING(blob_id)
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1 AND p.ftype='file' AND e.etype='dyn';
CREATE INDEX temp.libs_name ON libs(name, bits);
INSERT INTO d_elf_closure SELECT (SELECT scan_id FROM cur), place_id, soname, target FROM (
	SELECT p.place_id, n.soname, l.place_id AS target, row_number() OVER (PARTITION BY p.place_id, n.soname ORDER BY l.image=p.image DESC,
		l.image='system' DESC, l.image LIKE 'apex:%' DESC, l.place_id) AS r
	FROM places p JOIN c_elf e USING(blob_id) JOIN c_elf_needed n USING(blob_id) LEFT JOIN libs l ON l.name=n.soname AND l.bits=e.bits
	WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.live=1) WHERE r=1;
INSERT INTO d_zygote WITH RECURSIVE z(place_id) AS (
	SELECT place_id FROM libs WHERE dpath IN ('/system/bin/app_process','/system/bin/app_process32','/system/bin/app_process64')
		OR name IN ('libandroid_runtime.so','libmedia_jni.so','libart.so')
	UNION SELECT c.resolved FROM z JOIN d_elf_closure c ON c.place_id=z.place_id WHERE c.resolved NOT NULL)
	SELECT (SELECT scan_id FROM cur), place_id FROM z;
DROP TABLE temp.libs;

-- SPDX-License-Identifier: Apache-2.0
-- COMPARE: what was found stays in the database, for questions of one's own; an earlier comparison there is replaced.
DROP TABLE IF EXISTS main.differences;
CREATE TABLE main.differences AS SELECT n, (SELECT scan_id FROM sides WHERE side='A') AS scan_a, (SELECT scan_id FROM sides WHERE side='B') AS scan_b, kind, what, image, place,
	dpath, a AS place_a, b AS place_b, sha_a, sha_b, of_unit, note FROM temp.differences ORDER BY n;
DROP TABLE IF EXISTS main.difference_fields;
CREATE TABLE main.difference_fields AS SELECT d.n, f.field, f.a, f.b FROM temp.differences d JOIN temp.fields f USING(id) ORDER BY 1, 2;

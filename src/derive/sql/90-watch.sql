-- SPDX-License-Identifier: Apache-2.0
-- Recordings of heart rate in this scan, each with its name and whether it is the reference. Reads the tree, c_recordings and d_watch_references (the numbers of the INPUTs that
-- --against named); the spans and figures are then made by watch.c.
CREATE TEMP TABLE IF NOT EXISTS w_reach(b INTEGER, name TEXT, input INTEGER);
DELETE FROM w_reach;
INSERT INTO w_reach WITH RECURSIVE r(b, name, input) AS (
	SELECT m.child, m.name, row_number() OVER (ORDER BY m.n)-1 FROM c_members m JOIN cur ON m.blob_id=cur.root AND EXISTS(SELECT 1 FROM c_recordings)
	UNION SELECT c.child, c.name, r.input FROM r JOIN (SELECT blob_id, child, name FROM c_members UNION ALL SELECT blob_id, child, path FROM c_entries) c
		ON c.blob_id=r.b WHERE c.child NOT NULL)
	SELECT b, name, input FROM r WHERE b IN (SELECT blob_id FROM c_recordings);
INSERT INTO d_recordings SELECT (SELECT scan_id FROM cur), row_number() OVER (ORDER BY w.input, w.name, w.b, c.part), w.b, c.part,
	(SELECT min(place_id) FROM places p WHERE p.scan_id=(SELECT scan_id FROM cur) AND p.blob_id=w.b), w.name,
	CASE WHEN w.input IN (SELECT input FROM d_watch_references WHERE scan_id=(SELECT scan_id FROM cur)) THEN 'reference' ELSE 'watch' END, 0, NULL, NULL
	FROM (SELECT b, min(name) AS name, min(input) AS input FROM w_reach GROUP BY b) w JOIN c_recordings c ON c.blob_id=w.b
	WHERE c.samples>0 OR c.state<>'complete';

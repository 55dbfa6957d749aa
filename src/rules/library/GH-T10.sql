-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T10
--@ title: Regular calls to one party
--@ severity: info
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture, knowledge quiet_names
--@ case: RITA 5's scoring of beacons, read in its source; Adups FOTA called every 24 and 72 hours (2016), second-hand
--@ lookalike: Push messages, time, connectivity checks and DNS are regular by nature and are left out by name and port. Mail, weather and chat are
--| regular too: alone this is info.
--@ explain: The phone connected to this party at times and with sizes that hardly vary. Software that reports home does this, wanted or not. A party
--| without any name is told as low.
--|
--| The score is RITA's; for a capture of less than six hours only times and sizes count. A short capture cannot show a daily call.
--@ verify: tshark -r {input} -q -z conv,tcp
--@ next: Look up the party. If it belongs to no app you use, capture for a day and compare.
SELECT b.file_id AS file_id, b.at AS at,
	'packet '||b.packet||': '||b.n||' connections to '||b.party||' port '||b.dport||', every '||printf('%.1f',b.period)||' s, jitter '||
	printf('%.3f',b.jitter)||', score '||printf('%.2f',b.score)||CASE
	WHEN b.short THEN ' (short capture)' ELSE '' END AS evidence,
	CASE WHEN b.party GLOB '[0-9]*.[0-9]*.[0-9]*.[0-9]*' OR b.party LIKE '%:%' THEN 'low' END AS severity, b.src||' '||b.party||' '||b.dport AS subject FROM
	beacons b WHERE b.score>=0.9 AND b.period>=2 AND b.party NOT IN (SELECT name FROM quiet_names);

-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T17
--@ title: Many domains asked for that do not exist
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: software that generates names until one exists, as botnets do (Conficker, 2008), from memory
--@ lookalike: Browsers ask for a few random names of one label when they start, and a search list turns one name into several: names of one label and
--| names below one domain are not counted. A network without Internet answers so to everything: not counted where hardly any name exists.
--@ explain: One device asked for at least twenty different domains of which the resolver said that they do not exist, in a capture in which
--| others do. Software that makes up names and tries them does this; so does a list of dead servers in an old app.
--|
--| It does not show which app asked, nor that any of the names was ever registered.
--@ verify: tshark -r {input} -Y 'dns.flags.rcode==3' -T fields -e frame.number -e ip.dst -e dns.qry.name
--@ next: Read the names. If they look made up, find the app that asks, and keep the capture.
WITH said AS MATERIALIZED (SELECT file_id, client, site, max(rcode=0) AS there, min(at) AS at, min(packet) AS packet FROM dns_messages WHERE response=1 AND rcode IN
	(0,3) AND instr(site,'.')>0 AND site NOT LIKE '%.arpa' GROUP BY file_id, client, site)
	SELECT file_id AS file_id, min(CASE WHEN there=0 THEN at END) AS at,
	'packet '||min(CASE WHEN there=0 THEN packet END)||': '||sum(there=0)||' domains that do not exist, '||sum(there)||' that do, asked for by '||client AS evidence,
	'no such domain '||client AS subject FROM said GROUP BY file_id, client
	HAVING sum(there=0)>=20 AND sum(there)>=3;

-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T11
--@ title: Data carried in DNS names
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: iodine and dnscat2, tools whose captures are public
--@ lookalike: Reverse lookups and content networks ask for many names of one domain, but short ones, at most 25 in 748 domains measured; entropy does
--| not tell them apart, length does.
--@ explain: Many different long names of one domain, or queries whose names are long runs of hexadecimal or base32, as tunnels make them. DNS passes
--| most firewalls, so that data can leave where nothing else may.
--|
--| Virus scanners look up files in this way too: the domain tells.
--@ verify: tshark -r {input} -Y 'dns.flags.response==0' -T fields -e frame.number -e dns.qry.name
--@ next: Keep the capture. Look up the domain and the app that asks.
WITH l AS (SELECT m.*, substr(m.qname, 1, max(0, length(m.qname)-length(m.site)-1)) AS sub FROM dns_messages m WHERE m.response=0 AND m.qname NOT NULL AND
	m.qname<>'' AND m.site NOT NULL)
	SELECT file_id AS file_id, min(at) AS at, 'packet '||min(packet)||': '||count(DISTINCT sub)||' names of '||site||', '||CAST(avg(length(sub)) AS
	INTEGER)||' characters on average' AS evidence,
	site AS subject FROM l WHERE site NOT LIKE '%.arpa' GROUP BY file_id, site HAVING count(DISTINCT sub)>=50 AND (avg(length(sub))>=30 OR sum(qtype IN
	(5,10,15,16,65399))*10>=count(*)*3)
	UNION ALL SELECT file_id, min(at),
	'packet '||min(packet)||': '||count(*)||' queries to '||server||' with names of 100 characters and more that hold 32 digits of hexadecimal in a row', server
	FROM l WHERE length(qname)>=100 AND lower(qname) GLOB '*'||replace(hex(zeroblob(16)),'0','[0-9a-f]')||'*' GROUP BY file_id, server HAVING count(*)>=20;

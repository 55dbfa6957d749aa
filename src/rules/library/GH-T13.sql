-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T13
--@ title: A name or address from a list of indicators
--@ severity: critical
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture, indicators
--@ case: lists of names used by spyware, as the user gives them (MVT's STIX files, plain lists)
--@ lookalike: A list can be old: a domain that was sold, an address that was given to somebody else. An address alone is told as high, a name as
--| critical.
--@ explain: Something in the capture equals an entry of a list that was given: a name that was asked for, a name in a handshake, a host in a request,
--| a name in a certificate, or an address. Each is compared on its own, so a name that was asked for and never connected to is found too.
--|
--| What it is worth is what the list is worth.
--@ verify: tshark -r {input} -Y 'dns.qry.name || tls.handshake.extensions_server_name || http.host' -T fields -e frame.number -e _ws.col.Info
--@ next: Keep the capture and the phone as they are. Ask somebody who works on such cases before anything is changed.
WITH RECURSIVE seen AS (SELECT file_id, at, packet, 'asked for' AS how, lower(CAST(qname AS TEXT)) AS name FROM dns_messages WHERE qname NOT NULL
	UNION ALL SELECT file_id, at, packet, 'name in a handshake', lower(CAST(sni AS TEXT)) FROM tls_clients WHERE sni NOT NULL
	UNION ALL SELECT file_id, at, packet, 'host in a request', lower(substr(CAST(host AS TEXT)||':', 1, instr(CAST(host AS TEXT)||':', ':')-1)) FROM http_requests
	WHERE host NOT NULL
	UNION ALL SELECT file_id, at, packet, 'name in a certificate', lower(CAST(names AS TEXT)) FROM tls_certs WHERE position=0 AND names NOT NULL),
	-- each name of a list of names, then all of its ends behind a dot
	part(name, one, rest) AS (SELECT name, NULL, name||' ' FROM (SELECT DISTINCT name FROM seen WHERE EXISTS(SELECT 1 FROM indicators WHERE kind='domain'))
	UNION ALL SELECT name, substr(rest, 1, instr(rest,' ')-1), substr(rest, instr(rest,' ')+1) FROM part WHERE instr(rest,' ')>0),
	tail(name, t) AS (SELECT name, one FROM part WHERE one NOT NULL UNION SELECT name, substr(t, instr(t,'.')+1) FROM tail WHERE instr(t,'.')>0),
	hit(name, value, label, source) AS (SELECT DISTINCT tail.name, i.value, i.label, i.source FROM tail JOIN indicators i ON i.kind='domain' AND i.value=tail.t)
	SELECT s.file_id AS file_id, min(s.at) AS at, 'packet '||min(s.packet)||': '||s.how||': '||h.value
	||coalesce(' ('||min(h.label)||')','')||', list '||min(h.source) AS evidence,
	NULL AS severity, s.how||' '||h.value AS subject FROM hit h JOIN seen s ON s.name=h.name GROUP BY s.file_id, s.how, h.value
	UNION ALL SELECT f.file_id, min(f.at), 'packet '||min(f.packet)||': address '||i.value
	||coalesce(' ('||min(i.label)||')','')||', list '||min(i.source), 'high', 'address '||i.value
	FROM indicators i JOIN flows f ON f.dst=i.value WHERE i.kind='ip' GROUP BY f.file_id, i.value;

-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T06
--@ title: A connection that everybody on the way can read
--@ severity: medium
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture, knowledge quiet_names
--@ case: plain HTTP and FTP in phones' own traffic, as in the captures this was developed on
--@ lookalike: Checks for a captive portal and time, names (DNS) and the local network are not counted: they carry no secret or have to be in the
--| clear.
--@ explain: The party was talked to without encryption. Whoever is on the way reads and can change it. For a log-in protocol the password is among
--| what they read.
--|
--| It does not prove that anybody did. Plain HTTP that only loads public pictures is common and does little harm.
--@ verify: tshark -r {input} -q -z io,phs
--@ next: Look what was sent (the requests are in the facts). Update or replace the app that does it.
SELECT f.file_id AS file_id, min(f.at) AS at,
	'packet '||min(f.packet)||': '||f.protocol||' to '||f.party||', '||count(*)||' connections, '||sum(f.stream_out)||' bytes out' AS evidence,
	CASE WHEN f.protocol IN ('ftp','telnet','smtp','pop3','imap','mqtt','irc','adb') THEN 'high' END AS severity, f.protocol||' '||f.party AS subject FROM flows f
	WHERE f.state='bad' AND f.why LIKE 'in the clear%' AND f.stream_out>0 AND NOT EXISTS(SELECT 1 FROM quiet_names q WHERE q.name=f.party) GROUP BY f.file_id,
	f.protocol, f.party;

-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T05
--@ title: An identifier of the phone or its owner sent in the clear
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: Adups FOTA, 2016, and browsers described by Citizen Lab, 2015 and 2016: identifiers sent where anyone reads them; from memory
--@ lookalike: The placeholder address 02:00:00:00:00:00, random numbers without a key that names them, a number whose check digit is wrong: silent.
--| What only a key log opened is not told.
--@ explain: Everyone between the phone and the server can read this: the network's owner, the provider, whoever listens on the Wi-Fi. An identifier
--| that does not change lets them recognise the phone again. Values given with --known are also found as base64, hexadecimal, MD5, SHA-1 and SHA-256.
--|
--| It proves that the value was sent, not what for. Identifiers inside encrypted connections are not visible here.
--@ verify: tshark -r {input} -Y 'http.request' -T fields -e frame.number -e http.host -e http.request.full_uri
--@ next: Keep the capture. Find the app (the table names it where the capture does), and remove or replace it if it is not needed.
SELECT l.file_id AS file_id, min(l.at) AS at,
	'packet '||min(l.packet)||': '||l.kind||' as '||l.form||coalesce(' in '||l.coding,'')||' in '||l.spot||' to '||coalesce(f.party,
	f.dst)||', '||count(*)||' times, begins '||substr(CAST(min(l.value) AS TEXT),1,4) AS evidence,
	l.kind||' '||l.form||' '||coalesce(l.coding,'')||' '||l.spot||' '||coalesce(f.party, f.dst) AS subject FROM leaks l JOIN flows f USING(file_id, blob_id, flow)
	WHERE l.outward=1 AND l.inside_tls=0 AND NOT f.local GROUP BY l.file_id, l.kind, l.form, l.coding, l.spot, coalesce(f.party, f.dst);

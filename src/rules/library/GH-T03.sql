-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-T03
--@ title: Packets injected on the path ended a connection
--@ severity: high
--@ axis: behaviour
--@ certainty: observed
--@ witness: a capture
--@ needs: plugin capture
--@ case: published measurements of injected resets (Weaver et al., NDSS 2009; Wu et al., S&P 2025; klzgrad 2010), from memory
--@ lookalike: Servers and firewalls reset connections all day, often several times. Counting resets is no ground here: on honest captures three
--| within 50 ms are common. Only the fields and what the other side did afterwards count.
--@ explain: A reset that claims to come from one side did not: that side went on afterwards from another distance, or the packet's fields fit a
--| relation that was published of an injector. The grounds are named with their points in capture.md; the packet numbers lead to them.
--|
--| The fields tell a family of equipment at most, never who runs it. A middlebox of a company or a provider does the same as one of a state.
--@ verify: tshark -r {input} -Y 'tcp.flags.reset==1' -T fields -e frame.number -e ip.src -e ip.ttl -e ip.id -e tcp.window_size_value -e tcp.seq
--@ next: Keep the capture. Try the same connection on another network and through a VPN: what works there is disturbed here.
WITH odd AS MATERIALIZED (SELECT o.*, (SELECT coalesce(f.party, f.dst) FROM flows f WHERE f.file_id=o.file_id AND f.blob_id=o.blob_id AND f.flow=o.flow) AS party
	FROM traffic_oddities o WHERE o.kind='rst_injected' AND o.score>=100)
	SELECT file_id AS file_id, at AS at, 'packet '||packet||': '||CAST(value AS TEXT)||', to '||party AS evidence, party||' '||packet AS subject FROM odd;

-- SPDX-License-Identifier: Apache-2.0
--@ id: GH-B25
--@ title: Nothing keeps an older system from being put back
--@ severity: low
--@ axis: integrity
--@ certainty: able
--@ witness: a signature
--@ needs: plugin avb, user-build
--@ case: from memory: downgrades to builds with known holes, as forensic tools use them
--@ lookalike: one counter above zero anywhere along the chain is enough to stay silent; unsigned lists and developer builds have no
--|  counters to speak of
--@ explain: Signed systems carry a counter, and a locked phone refuses a system with a lower counter than it has seen. Here every counter is
--|  zero: an older system with holes that are known by now, signed by the same maker, would be accepted.
--|
--|  Many makers deliver phones like this. It says nothing about what is on this one.
--@ verify: gifthorse cat {input} {image} > vbmeta.img && avbtool info_image --image vbmeta.img | grep Rollback
--@ next: Nothing to do at once. Take the maker's updates, and do not let others handle the phone while it is off.
SELECT v.file_id AS file_id, v.at AS at, printf('rollback index 0 in %d signed lists', count(*)) AS evidence
FROM avb v, scan s
WHERE v.kind='vbmeta' AND v.state='verified' AND s.build_type='user'
  AND EXISTS (SELECT 1 FROM avb t WHERE t.kind='vbmeta' AND t.partition='vbmeta' AND t.state='verified')
GROUP BY s.scan_id HAVING max(COALESCE(v.rollback,1))=0;

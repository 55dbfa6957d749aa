-- SPDX-License-Identifier: Apache-2.0
-- The views that rules and people read: every fact bound to the files of one scan and the current slot.
-- @VIEW@ and @SCAN@ are filled in: once for the newest scan in the file itself, once for the scan at hand.
@VIEW@ here AS SELECT * FROM places WHERE scan_id=@SCAN@ AND live=1;
@VIEW@ files AS SELECT p.place_id AS file_id, p.node_id AS artifact_id, p.image AS partition, p.image, p.slot, p.path, p.dpath, p.name,
	p.ftype, CASE WHEN a.place_id NOT NULL THEN 'apk' WHEN b.format='oat' THEN 'elf' ELSE b.format END AS magic, p.size, p.mode, p.uid, p.gid, p.caps, p.selinux,
	p.iflags, p.link_target, lower(hex(b.sha256)) AS sha256, b.entropy, NULL AS ext_mismatch, NULL AS trailer_len,
	NULL AS trailer_entropy,
	-- NULL no reference; 1 one has this content at this place; 2 all that have the place have other content there; 0 none has the place
	CASE WHEN NOT EXISTS(SELECT 1 FROM d_reference r WHERE r.scan_id=@SCAN@) THEN NULL WHEN EXISTS(SELECT 1 FROM d_reference r WHERE r.kind='file' AND r.name=p.dpath
		AND r.value=lower(hex(b.sha256)) AND r.scan_id=@SCAN@) THEN 1 WHEN EXISTS(SELECT 1 FROM d_reference r WHERE r.kind='file' AND r.name=p.dpath AND r.scan_id=@SCAN@)
		THEN 2 ELSE 0 END AS bl, p.attrs, p.blob_id
	FROM here p LEFT JOIN blobs b USING(blob_id) LEFT JOIN d_apks a ON a.scan_id=p.scan_id AND a.place_id=p.place_id;
@VIEW@ reference AS SELECT ref, kind, name, value FROM d_reference WHERE scan_id=@SCAN@;
@VIEW@ device AS SELECT key, value, place_id AS file_id FROM d_device WHERE scan_id=@SCAN@;
@VIEW@ scan AS SELECT @SCAN@ AS scan_id, 'image' AS kind,
	(SELECT value FROM device WHERE key='fingerprint') AS fingerprint,
	(SELECT CAST(value AS INTEGER) FROM device WHERE key='sdk') AS sdk,
	(SELECT value FROM device WHERE key='build_type') AS build_type,
	(SELECT value FROM device WHERE key='build_tags') AS build_tags,
	(SELECT value FROM device WHERE key='soc') AS soc,
	(SELECT value FROM device WHERE key='brand') AS brand, 0 AS is_live;
@VIEW@ v_user AS SELECT * FROM scan WHERE build_type='user';
@VIEW@ partitions AS SELECT name, slot, size, fs_type, EXISTS(SELECT 1 FROM c_avb_images v WHERE v.blob_id=d.blob_id) AS has_avb,
	node_id AS artifact_id FROM d_partitions d WHERE scan_id=@SCAN@ AND live=1;
-- ELF
@VIEW@ elf AS SELECT p.place_id AS file_id, e.machine, e.etype, e.bits, e.soname, e.interp, e.build_id, e.is_static, e.stripped, e.n_init,
	e.rwx, e.textrel, e.runpath, e.n_imports, e.n_exports, z.place_id NOT NULL AS zygote_loaded
	FROM here p JOIN c_elf e USING(blob_id) LEFT JOIN d_zygote z ON z.scan_id=p.scan_id AND z.place_id=p.place_id;
@VIEW@ elf_needed AS SELECT p.place_id AS file_id, e.soname, c.resolved AS resolved_file_id FROM here p JOIN c_elf_needed e USING(blob_id)
	LEFT JOIN d_elf_closure c ON c.place_id=p.place_id AND c.soname=e.soname;
@VIEW@ elf_symbols AS SELECT p.place_id AS file_id, e.name, e.defined, e.bind, e.stype, e.value, e.size
	FROM here p JOIN c_elf_symbols e USING(blob_id);
@VIEW@ elf_sections AS SELECT p.place_id AS file_id, e.name, e.off, e.size, e.flags, NULL AS entropy
	FROM here p JOIN c_elf_sections e USING(blob_id);
-- code of apps
-- dex: of a file itself, and inside of APKs, jars, vdex and oat files (member).
@VIEW@ dex AS SELECT p.place_id AS file_id, NULL AS member, c.at, c.version, c.compact, c.size, c.checksum, c.checksum_computed, c.signature,
	c.signature_computed, c.crc32, c.strings, c.types, c.protos, c.fields, c.methods, c.classes, c.natives, c.codes, c.units FROM here p JOIN c_dex c USING(blob_id)
	UNION ALL SELECT p.place_id, m.name, c.at, c.version, c.compact, c.size, c.checksum, c.checksum_computed, c.signature, c.signature_computed, c.crc32,
	c.strings, c.types, c.protos, c.fields, c.methods, c.classes, c.natives, c.codes, c.units
	FROM here p JOIN c_members m ON m.blob_id=p.blob_id JOIN c_dex c ON c.blob_id=m.child;
@VIEW@ vdex AS SELECT p.place_id AS file_id, c.version, c.dex_version, c.dex_files, c.dex_size, c.quickening_size>0 AS quickened, c.boot_checksums,
	c.class_loader FROM here p JOIN c_vdex c USING(blob_id);
@VIEW@ oat AS SELECT p.place_id AS file_id, c.at, c.version, c.checksum, c.isa, c.dex_files, c.image_checksum FROM here p JOIN c_oat c USING(blob_id);
@VIEW@ oat_keys AS SELECT p.place_id AS file_id, c.at, c.key, c.value FROM here p JOIN c_oat_keys c USING(blob_id);
@VIEW@ oat_dex AS SELECT d.place_id AS file_id, d.at, d.kind, d.dex_location, d.oat_checksum, d.jar_checksum, d.jar_place AS jar_file_id, d.member, d.matches
	FROM d_oat_dex d JOIN places p USING(place_id) WHERE d.scan_id=@SCAN@ AND p.live=1;
@VIEW@ art AS SELECT p.place_id AS file_id, c.version, c.oat_checksum, c.image_checksum, c.boot_checksum, c.components FROM here p JOIN c_art c USING(blob_id);
-- APK
@VIEW@ apks AS SELECT a.place_id AS apk_id, a.place_id AS file_id, a.package, l.label, l.label_en, a.version_code, a.version_name, a.shared_uid,
	a.min_sdk, a.target_sdk, p.image AS partition, a.is_system, a.is_priv, a.persistent, a.debuggable, a.cleartext, a.has_launcher,
	a.is_overlay, a.enabled, a.has_code, a.code,
	-- NULL no reference; 1 one has this package by this signer; 2 by another; 0 none has it
	CASE WHEN NOT EXISTS(SELECT 1 FROM d_reference r WHERE r.scan_id=@SCAN@) THEN NULL WHEN EXISTS(SELECT 1 FROM d_reference r JOIN d_apk_signers g ON r.value=lower(g.cert_sha256)
		WHERE r.kind='package' AND r.name=a.package AND g.place_id=a.place_id AND g.state IN ('verified','stripped') AND r.scan_id=@SCAN@) THEN 1
		WHEN EXISTS(SELECT 1 FROM d_reference r WHERE r.kind='package' AND r.name=a.package AND r.scan_id=@SCAN@) THEN 2 ELSE 0 END AS is_bl, a.signer_role, a.signer_state
	FROM d_apks a JOIN places p USING(place_id) LEFT JOIN c_app_labels l ON l.blob_id=p.blob_id WHERE a.scan_id=@SCAN@ AND p.live=1;
@VIEW@ netsec AS SELECT a.place_id AS apk_id, c.at, c.scope, c.domain, c.subdomains, c.cleartext, c.anchors, c.overrides_pins, c.pins, c.expires
	FROM d_apks a JOIN places p USING(place_id) JOIN c_netsec c ON c.blob_id=p.blob_id WHERE a.scan_id=@SCAN@ AND p.live=1;
@VIEW@ apk_permissions AS SELECT d.place_id AS apk_id, d.name, d.how, d.protection FROM d_apk_permissions d
	JOIN places p USING(place_id) WHERE d.scan_id=@SCAN@ AND p.live=1;
@VIEW@ v_perm AS SELECT place_id AS apk_id, name FROM d_uid_permissions WHERE scan_id=@SCAN@;
@VIEW@ apk_signers AS SELECT d.place_id AS apk_id, d.scheme, d.cert_sha256, d.subject, d.key_bits, d.sigalg, d.state FROM d_apk_signers d
	JOIN places p USING(place_id) WHERE d.scan_id=@SCAN@ AND p.live=1;
@VIEW@ apk_checks AS SELECT p.place_id AS file_id, c.scheme, c.min_sdk, c.max_sdk, c.state, c.why, c.certs, c.at
	FROM here p JOIN c_apk_checks c USING(blob_id);
@VIEW@ apk_components AS SELECT a.place_id*1048576+(c.n&1048575) AS component_id, a.place_id AS apk_id, c.kind, c.name, c.exported, c.permission,
	CASE WHEN c.permission IS NULL OR c.permission='' THEN 'none' ELSE coalesce((SELECT min(d.protection) FROM d_apk_permissions d WHERE
		d.scan_id=a.scan_id AND d.name=c.permission AND d.how='defines'), CASE WHEN c.permission LIKE 'android.permission.%' THEN
		'signature' END) END AS perm_level, c.enabled, c.process, c.direct_boot
	FROM d_apks a JOIN places p USING(place_id) JOIN c_manifest_components c ON c.blob_id=a.manifest WHERE a.scan_id=@SCAN@ AND p.live=1;
@VIEW@ apk_intents AS SELECT a.place_id*1048576+(i.component&1048575) AS component_id, a.place_id AS apk_id, i.action, i.category, i.scheme, i.host, i.priority
	FROM d_apks a JOIN places p USING(place_id) JOIN c_manifest_intents i ON i.blob_id=a.manifest WHERE a.scan_id=@SCAN@ AND p.live=1;
@VIEW@ apex AS SELECT d.place_id AS file_id, d.name, d.avb_key_sha1, d.cert_sha256, d.version, d.container, d.vbmeta, d.payload, d.key, d.original
	FROM d_apex d JOIN places p USING(place_id)
	WHERE d.scan_id=@SCAN@ AND p.live=1;
-- configuration
-- loaded: from a place where init reads it, or imported there; copies and overlays of a carrier are not.
@VIEW@ properties AS SELECT p.place_id AS file_id, p.image AS partition, p.image, c.key, c.value, c.line, c.at,
	(p.name IN ('build.prop','default.prop','prop.default','local.prop','oem.prop','factory.prop') AND length(p.dpath)-length(replace(p.dpath,'/',''))<=4)
	OR p.dpath IN (SELECT i.value FROM c_properties i WHERE i.key='import') AS loaded FROM here p JOIN c_properties c USING(blob_id);
@VIEW@ privapp AS SELECT p.place_id AS file_id, c.package, c.permission, c.deny, c.line FROM here p JOIN c_privapp c USING(blob_id);
@VIEW@ default_perms AS SELECT p.place_id AS file_id, c.package, c.permission, c.fixed, c.line FROM here p JOIN c_default_perms c USING(blob_id);
@VIEW@ sysconfig AS SELECT p.place_id AS file_id, c.tag, c.package, c.attr, c.line FROM here p JOIN c_sysconfig c USING(blob_id);
@VIEW@ init_services AS SELECT p.place_id*65536+(c.n&65535) AS svc_id, p.place_id AS file_id, c.line, c.name, c.exec_path,
	(SELECT x.place_id FROM here x WHERE x.dpath=c.exec_path AND x.ftype='file') AS exec_file_id, c.args, c.user, c.groups, c.caps,
	c.seclabel, c.class, c.oneshot, c.disabled FROM here p JOIN c_init_services c USING(blob_id);
@VIEW@ init_sockets AS SELECT p.place_id*65536+(c.service&65535) AS svc_id, c.name, c.type, c.perm, c.user FROM here p JOIN c_init_sockets c USING(blob_id);
@VIEW@ init_actions AS SELECT p.place_id AS file_id, c.line, c.trigger, c.cmd, c.args FROM here p JOIN c_init_actions c USING(blob_id);
@VIEW@ ueventd AS SELECT p.place_id AS file_id, c.line, c.node, c.mode, c.uid, c.gid FROM here p JOIN c_ueventd c USING(blob_id);
@VIEW@ script_cmds AS SELECT p.place_id AS file_id, c.line, c.cmd, c.args FROM here p JOIN c_script_cmds c USING(blob_id);
@VIEW@ fstab AS SELECT p.place_id AS file_id, c.mount_point, c.dev, c.fs_type, c.mnt_flags, c.mgr_flags, c.line FROM here p JOIN c_fstab c USING(blob_id);
@VIEW@ hosts_entries AS SELECT p.place_id AS file_id, c.line, c.ip, c.host FROM here p JOIN c_hosts_entries c USING(blob_id);
@VIEW@ adb_keys AS SELECT p.place_id AS file_id, c.fp, c.comment, c.line FROM here p JOIN c_adb_keys c USING(blob_id);
@VIEW@ ssh_keys AS SELECT p.place_id AS file_id, c.user, c.fp, c.comment, c.line FROM here p JOIN c_ssh_keys c USING(blob_id);
@VIEW@ passwd AS SELECT p.place_id AS file_id, c.user, c.uid, c.hash, c.shell, c.line FROM here p JOIN c_passwd c USING(blob_id);
-- trust
@VIEW@ certs AS SELECT p.place_id AS file_id, c.at, c.container, c.sha256, c.subject, c.issuer, c.serial, c.not_before, c.not_after, c.key_type,
	c.key_bits, c.sigalg, c.is_ca, c.self_signed, c.signer FROM here p JOIN c_certs c USING(blob_id);
@VIEW@ ca_certs AS SELECT d.place_id AS file_id, d.store, c.subject, c.sha256, c.is_ca, c.not_after, d.in_baseline FROM d_ca d
	JOIN places p USING(place_id) JOIN c_certs c ON c.blob_id=d.blob_id AND c.n=d.n WHERE d.scan_id=@SCAN@ AND p.live=1;
@VIEW@ ota AS SELECT p.place_id AS file_id, c.state, c.why, c.cert_sha256, c.signed_size, c.at, CASE WHEN c.cert_sha256 IS NULL OR NOT EXISTS(SELECT 1 FROM
	d_ota_certs WHERE scan_id=@SCAN@) THEN NULL ELSE c.cert_sha256 IN (SELECT o.cert_sha256 FROM d_ota_certs o WHERE o.scan_id=@SCAN@) END AS accepted
	FROM here p JOIN c_ota_packages c USING(blob_id);
@VIEW@ ota_certs AS SELECT d.place_id AS file_id, d.cert_sha256, d.subject FROM d_ota_certs d JOIN places p USING(place_id)
	WHERE d.scan_id=@SCAN@ AND p.live=1;
-- CROSS JOIN: vbmeta structures are few and places many; the planner, who guesses from samples, has asked every place for every place.
@VIEW@ avb_images AS SELECT p.place_id*256+(c.n&255) AS image_id, p.place_id AS file_id, p.node_id AS artifact_id,
	coalesce(nullif(p.image,''), p.name) AS partition, c.algorithm, c.pubkey_sha1, c.flags, c.rollback, c.rollback_location, c.release,
	c.footer, c.at, c.state, c.why FROM c_avb_images c CROSS JOIN here p USING(blob_id);
@VIEW@ avb AS SELECT kind, partition, by_partition, place_id AS file_id, at, key_sha1, want_sha1, algorithm, rollback, rollback_location, flags, state, why,
	fec FROM d_avb WHERE scan_id=@SCAN@;
@VIEW@ uncovered AS SELECT list, name, slot, size, format, files, signed FROM d_uncovered WHERE scan_id=@SCAN@;
@VIEW@ firmware_signs AS SELECT d.place_id AS file_id, p.name, d.at, d.maker, d.signer, d.part, d.state, d.why, d.why_at, d.algorithm, d.cert_sha256, d.subject, d.root_sha256,
	d.root, d.software, d.hardware, d.first_bad FROM d_firmware d JOIN places p USING(place_id) WHERE d.scan_id=@SCAN@ AND p.live=1;
@VIEW@ avb_descriptors AS SELECT p.place_id*256+(c.image&255) AS image_id, p.place_id AS file_id, c.kind, c.partition, c.digest AS root_digest, CASE c.kind WHEN 'chain' THEN c.digest END AS key_sha1, c.salt,
	c.hash_algorithm, c.image_size, c.flags,
	(SELECT v.state='verified' FROM d_avb v WHERE v.scan_id=@SCAN@ AND v.kind=c.kind AND v.partition=c.partition AND v.at=c.at) AS verified, c.at
	FROM c_avb_descriptors c CROSS JOIN here p USING(blob_id);
@VIEW@ verity_checks AS SELECT p.place_id AS file_id, c.kind, c.partition, c.hash_algorithm, c.salt, c.image_size, c.said, c.digest, c.state,
	c.why, c.first_bad, c.tree, c.fec, c.at FROM c_verity_checks c CROSS JOIN here p USING(blob_id);
@VIEW@ boot_headers AS SELECT p.place_id AS file_id, c.kind, c.version, c.page_size, c.kernel_size, c.ramdisk_size, c.os_version,
	c.os_patch_level, c.cmdline FROM here p JOIN c_boot_headers c USING(blob_id);
@VIEW@ boot_args AS SELECT p.place_id AS file_id, c.source, c.key, c.value, c.at FROM here p JOIN c_boot_args c USING(blob_id);
@VIEW@ hits AS SELECT p.place_id AS file_id, c.at, c.text FROM here p JOIN c_hits c USING(blob_id);
@VIEW@ notes AS SELECT p.place_id AS file_id, c.plugin, c.code, c.at, c.what FROM here p JOIN c_notes c USING(blob_id);
@VIEW@ lp_partitions AS SELECT p.place_id AS file_id, c.slot, c.name, c.group_name, c.attributes, c.size FROM here p JOIN c_lp_partitions c USING(blob_id);
@VIEW@ payload_info AS SELECT p.place_id AS file_id, c.version, c.minor_version, c.block_size, c.metadata_size, c.metadata_sha256, c.metadata_signatures, c.signatures,
	c.signatures_at, c.signatures_size, c.partitions, c.max_timestamp, c.partial_update, c.security_patch_level, c.snapshot_enabled, c.vabc_enabled,
	c.vabc_compression FROM here p JOIN c_payload_info c USING(blob_id);
@VIEW@ payload_partitions AS SELECT p.place_id AS file_id, c.at, c.name, c.state, c.size, c.sha256, c.old_size, c.old_sha256, c.operations, c.by_type, c.needs_old,
	c.unhashed, c.data, c.version, c.file_system, c.postinstall, c.postinstall_optional, c.hash_tree_at, c.hash_tree_size, c.fec_at, c.fec_size
	FROM here p JOIN c_payload_partitions c USING(blob_id);
@VIEW@ payload_groups AS SELECT p.place_id AS file_id, c.name, c.size, c.partitions FROM here p JOIN c_payload_groups c USING(blob_id);
@VIEW@ payload_apexes AS SELECT p.place_id AS file_id, c.package, c.version, c.compressed, c.size FROM here p JOIN c_payload_apexes c USING(blob_id);
@VIEW@ payload_properties AS SELECT p.place_id AS file_id, c.key, c.value, c.line FROM here p JOIN c_payload_properties c USING(blob_id);
@VIEW@ payload_checks AS SELECT node_id AS artifact_id, place, what, expected, computed, state FROM d_payload_checks WHERE scan_id=@SCAN@;
@VIEW@ payload_sigs AS SELECT d.place_id AS file_id, d.at, d.what, d.state, d.whose, d.cert_sha256, d.subject, d.keys, d.sha256 FROM d_payload_sigs d
	WHERE d.scan_id=@SCAN@;
@VIEW@ ota_metadata AS SELECT p.place_id AS file_id, c.key, c.value, c.line, c.at FROM here p JOIN c_ota_metadata c USING(blob_id);
@VIEW@ care_maps AS SELECT p.place_id AS file_id, c.at, c.partition, c.ranges, c.blocks, c.end, c.property, c.fingerprint, CASE WHEN c.end IS NULL THEN 'unreadable'
	WHEN (SELECT max(t.size) FROM places q JOIN c_payload_partitions t USING(blob_id) WHERE q.scan_id=p.scan_id AND q.node_id=p.node_id AND t.name=c.partition)
	< c.end*4096 THEN 'behind the end' ELSE 'fits' END AS state FROM here p JOIN c_care_maps c USING(blob_id);
@VIEW@ fs_info AS SELECT p.place_id AS file_id, c.kind, c.label, c.uuid, c.block_size, c.size, c.features, c.mounted_on, c.journal FROM here p JOIN c_fs_info c USING(blob_id);
@VIEW@ zip_facts AS SELECT p.place_id AS file_id, c.at, c.name, c.kind, c.central, c.local FROM here p JOIN c_zip_facts c USING(blob_id);
-- recordings of heart rate
@VIEW@ recordings AS SELECT d.id AS recording, d.place_id AS file_id, c.at, d.name, d.part, d.role, c.format, c.source, c.maker, c.sport, c.strap, c.samples,
	c.messages, c.state, c.missing, c.clock, d.blob_id FROM d_recordings d JOIN c_recordings c ON c.blob_id=d.blob_id AND c.part=d.part WHERE d.scan_id=@SCAN@;
@VIEW@ samples AS SELECT r.recording, s.t, s.hr, s.cadence, s.speed, s.distance, s.contact, s.at FROM recordings r JOIN c_samples s
	ON s.blob_id=r.blob_id AND s.part=r.part;
@VIEW@ watch_spans AS SELECT r.file_id, r.recording, r.part, r.role, s.kind, s.from_ms, s.to_ms, (s.to_ms-s.from_ms)/1000 AS seconds, s.certainty, s.paired, s.a, s.b, s.words,
	CASE WHEN r.clock THEN strftime('%Y-%m-%d %H:%M:%S', s.from_ms/1000, 'unixepoch')||strftime('–%H:%M:%S UTC', s.to_ms/1000, 'unixepoch')
		ELSE printf('%d s–%d s since the start of its clock', s.from_ms/1000, s.to_ms/1000) END AS times
	FROM d_watch_spans s JOIN recordings r ON r.recording=s.recording WHERE s.scan_id=@SCAN@;
@VIEW@ watch_checks AS SELECT r.file_id, c.recording, r.role, c.what, c.why_not FROM d_watch_checks c JOIN recordings r ON r.recording=c.recording WHERE c.scan_id=@SCAN@;
@VIEW@ watch_maker AS SELECT act, n, answer, certainty, witness, words, settle FROM d_watch_maker WHERE scan_id=@SCAN@;
@VIEW@ watch_accuracy AS SELECT r.file_id, a.*, s.seconds AS shift, s.known AS shift_known, s.how AS shift_how FROM d_watch_accuracy a JOIN recordings r ON r.recording=a.recording
	JOIN d_watch_shifts s ON s.scan_id=a.scan_id AND s.recording=a.recording AND s.reference=a.reference WHERE a.scan_id=@SCAN@;
-- What a maker's list states of the files beside it, and whether they are that.
@VIEW@ package_sums AS SELECT l.place_id AS list_id, p.place_id AS file_id, s.path, s.partition, s.algorithm, s.value AS stated, d.value AS found,
	CASE WHEN p.place_id IS NULL OR b.format='lfs-pointer' THEN 'missing' WHEN d.value IS NULL THEN 'not compared' WHEN d.value=s.value THEN 'same'
		ELSE 'differs' END AS state
	FROM here l JOIN c_listing_sums s USING(blob_id) LEFT JOIN places p ON p.scan_id=l.scan_id AND p.node_id=l.node_id AND p.image=l.image
		AND p.path=substr(l.path, 1, length(l.path)-length(l.name))||s.path
	LEFT JOIN blobs b ON b.blob_id=p.blob_id LEFT JOIN c_digests d ON d.blob_id=p.blob_id AND d.algorithm=s.algorithm
	UNION ALL SELECT p.place_id, p.place_id, p.name, NULL, 'md5', a.value, d.value, CASE WHEN d.value IS NULL THEN 'not compared' WHEN d.value=a.value THEN 'same'
		ELSE 'differs' END FROM here p JOIN c_archive_facts a ON a.blob_id=p.blob_id AND a.kind='md5'
	LEFT JOIN c_digests d ON d.blob_id=p.blob_id AND d.algorithm='md5_before_line';
@VIEW@ set_parts AS SELECT t.blob_id, t.name, t.role, t.idx, t.size, t.state FROM c_set_parts t
	WHERE t.blob_id IN (SELECT m.child FROM nodes n JOIN c_members m USING(blob_id) WHERE n.scan_id=@SCAN@);
-- device trees, kernels, firmware: also what lies inside an image
@VIEW@ dt_trees AS SELECT w.place_id AS file_id, w.blob_id, c.model, c.compatible, c.chip_id, c.board_id, c.version, c.size, c.nodes, c.props, c.fragments, c.crc FROM d_within w JOIN c_dt_trees c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ dt_nodes AS SELECT w.place_id AS file_id, w.blob_id, c.path, c.compatible, c.status, c.model, c.label, c.panel, c.reg, c.props, c.at FROM d_within w JOIN c_dt_nodes c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ dt_entries AS SELECT w.place_id AS file_id, w.blob_id, c.kind, c.entry, c.ids, c.off, c.size, c.packed, c.at FROM d_within w JOIN c_dt_entries c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ kernels AS SELECT w.place_id AS file_id, w.blob_id, c.machine, c.banner, c.release, c.built_by, c.options, c.cmdline, c.at FROM d_within w JOIN c_kernels c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ kernel_config AS SELECT w.place_id AS file_id, w.blob_id, c.key, c.value, c.at FROM d_within w JOIN c_kernel_config c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ kernel_strings AS SELECT w.place_id AS file_id, w.blob_id, c.at AS off, c.text FROM d_within w JOIN c_kernel_strings c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ kernel_modules AS SELECT w.place_id AS file_id, w.blob_id, c.name, c.vermagic, c.license, c.depends, c.description, c.version, c.srcversion, c.intree, c.is_signed, c.signer, c.sig_key, c.sig_hash FROM d_within w JOIN c_kernel_modules c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ firmware AS SELECT w.place_id AS file_id, w.blob_id, c.maker, c.kind, c.name, c.version, c.variant, c.oem_version, c.load, c.size, c.header, c.is_signed, c.at FROM d_within w JOIN c_firmware c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ vintf_hals AS SELECT w.place_id AS file_id, w.blob_id, c.type, c.name, c.format, c.transport, c.version, c.instances, c.line, c.at FROM d_within w JOIN c_vintf_hals c USING(blob_id) WHERE w.scan_id=@SCAN@;
@VIEW@ parts_inventory AS SELECT kind, name, witness, place_id AS file_id, place, at, certainty FROM d_parts WHERE scan_id=@SCAN@ ORDER BY n;
-- traffic: blob_id and flow tell a flow in all of these
@VIEW@ here_captures AS SELECT blob_id, place_id AS file_id FROM d_captures WHERE scan_id=@SCAN@;
@VIEW@ captures AS SELECT h.file_id, c.* FROM here_captures h JOIN c_captures c USING(blob_id);
@VIEW@ flows AS SELECT h.file_id, h.blob_id, c.id AS flow, c.at, c.proto, c.src, c.sport, c.dst, c.dport, c.local, c.first_us, c.last_us, c.packet, c.packets_out,
	c.packets_in, c.bytes_out, c.bytes_in, c.stream_out, c.stream_in, c.ending, c.protocol, c.name, c.name_by, c.uid, c.app, d.party, d.by, d.site, d.state, d.why
	FROM here_captures h JOIN c_flows c USING(blob_id) LEFT JOIN d_flows d ON d.scan_id=@SCAN@ AND d.blob_id=c.blob_id AND d.flow=c.id;
@VIEW@ parties AS SELECT * FROM d_parties WHERE scan_id=@SCAN@;
@VIEW@ beacons AS SELECT place_id AS file_id, * FROM d_beacons WHERE scan_id=@SCAN@;
@VIEW@ indicators AS SELECT kind, value, label, source FROM d_indicators WHERE scan_id=@SCAN@;
@VIEW@ dns_messages AS SELECT h.file_id, c.*, d.site FROM here_captures h JOIN c_dns_messages c USING(blob_id)
	LEFT JOIN d_names d ON d.scan_id=@SCAN@ AND d.name=lower(CAST(c.qname AS TEXT));
@VIEW@ dns_answers AS SELECT h.file_id, c.* FROM here_captures h JOIN c_dns_answers c USING(blob_id);
@VIEW@ resolvers AS SELECT h.file_id, c.* FROM here_captures h JOIN c_resolvers c USING(blob_id);
@VIEW@ tls_clients AS SELECT h.file_id, c.* FROM here_captures h JOIN c_tls_clients c USING(blob_id);
@VIEW@ tls_servers AS SELECT h.file_id, c.* FROM here_captures h JOIN c_tls_servers c USING(blob_id);
@VIEW@ tls_sessions AS SELECT h.file_id, c.* FROM here_captures h JOIN c_tls_sessions c USING(blob_id);
@VIEW@ tls_certs AS SELECT h.file_id, c.* FROM here_captures h JOIN c_tls_certs c USING(blob_id);
@VIEW@ http_requests AS SELECT h.file_id, c.* FROM here_captures h JOIN c_http_requests c USING(blob_id);
@VIEW@ http_responses AS SELECT h.file_id, c.* FROM here_captures h JOIN c_http_responses c USING(blob_id);
@VIEW@ leaks AS SELECT h.file_id, c.* FROM here_captures h JOIN c_leaks c USING(blob_id);
@VIEW@ traffic_oddities AS SELECT h.file_id, c.* FROM here_captures h JOIN c_traffic_oddities c USING(blob_id);
-- what a running phone says of itself: each row is its own word
@VIEW@ live_sections AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_sections c USING(blob_id);
@VIEW@ live_items AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_items c USING(blob_id);
@VIEW@ live_facts AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_facts c USING(blob_id);
@VIEW@ live_properties AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_properties c USING(blob_id);
@VIEW@ live_settings AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_settings c USING(blob_id);
@VIEW@ live_packages AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_packages c USING(blob_id);
@VIEW@ live_package_users AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_package_users c USING(blob_id);
@VIEW@ live_package_files AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_package_files c USING(blob_id);
@VIEW@ live_permissions AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_permissions c USING(blob_id);
@VIEW@ live_components AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_components c USING(blob_id);
@VIEW@ live_processes AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_processes c USING(blob_id);
@VIEW@ live_sockets AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_sockets c USING(blob_id);
@VIEW@ live_mounts AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_mounts c USING(blob_id);
@VIEW@ live_services AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_services c USING(blob_id);
@VIEW@ live_users AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_users c USING(blob_id);
@VIEW@ live_roles AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_roles c USING(blob_id);
@VIEW@ live_network AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_network c USING(blob_id);
@VIEW@ live_traffic AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_traffic c USING(blob_id);
@VIEW@ live_appops AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_appops c USING(blob_id);
@VIEW@ live_appop_uses AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_appop_uses c USING(blob_id);
@VIEW@ live_battery AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_battery c USING(blob_id);
@VIEW@ live_databases AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_databases c USING(blob_id);
@VIEW@ live_compat AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_compat c USING(blob_id);
@VIEW@ live_dropbox AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_dropbox c USING(blob_id);
@VIEW@ live_crashes AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_crashes c USING(blob_id);
@VIEW@ live_files AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_files c USING(blob_id);
@VIEW@ live_adb_keys AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_adb_keys c USING(blob_id);
@VIEW@ live_messages AS SELECT p.place_id AS file_id, c.* FROM here p JOIN c_live_messages c USING(blob_id);
@VIEW@ live_apps AS SELECT d.place_id AS file_id, d.at, d.line, d.package, d.path, d.uid, d.installer, d.initiator, d.system, d.disabled, d.hidden, d.gone, d.lists FROM d_live_packages d
	WHERE d.scan_id=@SCAN@;
@VIEW@ live_apks AS SELECT d.package, d.place_id AS file_id, d.how, d.said, a.package AS in_manifest FROM d_live_apks d JOIN d_apks a ON a.scan_id=d.scan_id AND a.place_id=d.place_id WHERE d.scan_id=@SCAN@;
-- Powers by the dumps of their services, and by the settings that name them.
@VIEW@ live_powers AS SELECT DISTINCT file_id, line, role, user, package, component FROM live_roles WHERE role IN ('device-owner','profile-owner','admin','accessibility','listener','listener-live',
		'ime-current','vpn')
	UNION SELECT s.file_id, s.line, CASE s.key WHEN 'enabled_accessibility_services' THEN 'accessibility' WHEN 'enabled_notification_listeners' THEN 'listener'
		WHEN 'default_input_method' THEN 'ime-current' ELSE 'vpn' END, s.user, substr(v.value, 1, instr(v.value||'/', '/')-1), CASE WHEN instr(v.value, '/')>0 THEN v.value END
	FROM live_settings s, json_each('["'||replace(replace(CAST(s.value AS TEXT), '"', ''), ':', '","')||'"]') v
	WHERE s.space='secure' AND s.key IN ('enabled_accessibility_services','enabled_notification_listeners','default_input_method','always_on_vpn_app')
		AND json_valid('["'||replace(replace(CAST(s.value AS TEXT), '"', ''), ':', '","')||'"]') AND v.value NOT IN ('','null');
-- The gate before a file of the running phone is held against an image: fingerprint and security patch are those of the image, by the phone's word.
@VIEW@ live_same_build AS SELECT 1 AS same WHERE EXISTS(SELECT 1 FROM live_properties p JOIN properties q ON q.key IN ('ro.build.fingerprint','ro.system.build.fingerprint') AND q.value=p.value
		JOIN files f ON f.file_id=q.file_id AND f.attrs=1 WHERE p.key IN ('ro.build.fingerprint','ro.system.build.fingerprint'))
	AND EXISTS(SELECT 1 FROM live_properties p JOIN properties q ON q.key=p.key AND q.value=p.value JOIN files f ON f.file_id=q.file_id AND f.attrs=1
		WHERE p.key='ro.build.version.security_patch');
-- What a report shows of it, in its order.
@VIEW@ live_summary AS
	SELECT 1 AS ord, 'It says it is' AS part, key AS what, value, file_id, line FROM live_properties WHERE key IN ('ro.product.manufacturer','ro.product.model','ro.build.fingerprint',
		'ro.build.version.release','ro.build.version.security_patch','ro.build.type','ro.build.tags','ro.build.date')
	UNION SELECT 1, 'It says it is', key, value, file_id, NULL FROM live_facts WHERE kind='report' AND key IN ('Build fingerprint','Kernel','dumpstate')
	UNION SELECT 2, 'Start-up', key, value, file_id, line FROM live_properties WHERE key IN ('ro.boot.verifiedbootstate','ro.boot.flash.locked','ro.boot.veritymode',
		'ro.boot.vbmeta.device_state','ro.boot.vbmeta.digest','ro.boot.vbmeta.public_key_digest','ro.debuggable','ro.secure','ro.adb.secure')
	UNION SELECT 2, 'Start-up', CASE kind WHEN 'selinux' THEN 'SELinux' ELSE key END, value, file_id, NULL FROM live_facts WHERE kind='selinux' OR (kind='kernel' AND key IN ('uname','version'))
	UNION ALL SELECT 3, 'Packages', 'all that are listed', count(*)||' ('||coalesce(sum(system=1),0)||' of the system, '||sum(disabled=1)||' disabled, '||sum(gone=1)||' uninstalled or hidden)', min(file_id), NULL
		FROM live_apps HAVING count(*)>0
	UNION ALL SELECT 3, 'Packages', 'installed by '||coalesce(installer,'nobody it names'), count(*)||': '||substr(group_concat(package, ' '), 1, 200), min(file_id), min(line)
		FROM (SELECT * FROM live_apps WHERE system=0 ORDER BY package) GROUP BY installer
	UNION SELECT 4, 'Powers', role, coalesce(component, package)||coalesce(' (user '||user||')', ''), file_id, line FROM live_powers
	UNION SELECT 5, 'Network', key, value, file_id, line FROM live_settings WHERE key IN ('private_dns_mode','private_dns_specifier','http_proxy','global_http_proxy_host',
		'global_proxy_pac_url','always_on_vpn_app','adb_enabled','adb_wifi_enabled') AND value NOT IN ('','null')
	UNION SELECT 5, 'Network', kind||coalesce(' of '||iface, ''), value, file_id, line FROM live_network
	UNION SELECT 6, 'Listening', proto||' '||local||':'||lport, 'uid '||coalesce(uid,'not told')||coalesce(', '||program, ''), file_id, line FROM live_sockets WHERE state='LISTEN' AND proto<>'unix'
	UNION SELECT 7, 'Debugging', 'key '||md5, coalesce(comment,'')||coalesce(', last used '||strftime('%Y-%m-%d', CAST(last_used AS INTEGER)/1000, 'unixepoch'), ''), file_id, line FROM live_adb_keys
	UNION ALL SELECT * FROM (SELECT 8, 'Traffic', coalesce((SELECT package FROM live_apps a WHERE a.uid=t.uid ORDER BY package LIMIT 1), 'uid '||t.uid), printf('%.0f bytes in, %.0f out', total(rx_bytes), total(tx_bytes)),
		min(file_id), min(line) FROM live_traffic t WHERE coalesce(tag,0)=0 GROUP BY t.uid ORDER BY total(rx_bytes)+total(tx_bytes) DESC, t.uid LIMIT 12)
	UNION ALL SELECT * FROM (SELECT 9, 'Last uses', op||' by '||package, max(time), min(file_id), min(line) FROM live_appop_uses WHERE kind='Access' AND op IN ('CAMERA','RECORD_AUDIO',
		'FINE_LOCATION','READ_SMS','READ_CONTACTS','READ_CALL_LOG','SEND_SMS','REQUEST_INSTALL_PACKAGES') GROUP BY op, package ORDER BY max(time) DESC, op, package LIMIT 12)
	UNION ALL SELECT 10, 'Files', CASE list WHEN 'root' THEN 'tools of root' ELSE 'listed' END, CASE list WHEN 'root' THEN substr(group_concat(path, ' '), 1, 300) ELSE count(*)||' paths' END,
		min(file_id), min(line) FROM live_files GROUP BY list='root'
	UNION ALL SELECT 11, 'Crashes', coalesce(command,'?'), count(*)||' '||coalesce(max(signal),''), min(file_id), NULL FROM live_crashes GROUP BY command
	UNION ALL SELECT 12, 'Backup', kind||' messages', count(*)||', '||sum(links NOT NULL)||' with links', min(file_id), NULL FROM live_messages GROUP BY kind
	UNION ALL SELECT 13, 'Not told', coalesce(asked, name), state, file_id, NULL FROM live_items WHERE state<>'answered'
	UNION ALL SELECT 13, 'Not told', name, state, file_id, line FROM live_sections WHERE state NOT IN ('read','empty');
-- What code is able to do: of apps. A component of a flow has its number in apk_components.
@VIEW@ code AS SELECT p.place_id AS file_id, c.dex_files, c.classes, c.methods, c.calls, c.bytes, c.bytes_lost, c.quickened, c.leaks, c.sources_cut, c.over FROM here p JOIN c_code c USING(blob_id);
@VIEW@ apk_caps AS SELECT d.place_id AS apk_id, c.cap, c.methods AS n, c.first, c.at FROM d_code d JOIN c_code_caps c USING(blob_id) WHERE d.scan_id=@SCAN@;
@VIEW@ code_flows AS SELECT f.place_id AS apk_id, f.place_id*1048576+(f.component&1048575) AS component_id, f.entry, f.kind, f.guard, f.src, f.mids, f.sink, f.level, f.length, f.path
	FROM d_code_flows f WHERE f.scan_id=@SCAN@;
@VIEW@ code_entries AS SELECT d.place_id AS apk_id, c.class, c.role, c.reach, c.selfcheck FROM d_code d JOIN c_code_entries c USING(blob_id) WHERE d.scan_id=@SCAN@;
@VIEW@ code_consts AS SELECT d.place_id AS apk_id, c.at, c.method, c.site, c.callee, c.arg, c.value FROM d_code d JOIN c_code_consts c USING(blob_id) WHERE d.scan_id=@SCAN@;

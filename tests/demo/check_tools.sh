#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves the writers and the demonstration phone with reference tools that know nothing of this project.
# usage: check_tools.sh [OUTDIR]     OUTDIR as make_demo.sh left it; without it only the writers are checked.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../tools
PATH=$PATH:/usr/sbin:/sbin
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C
out=
[ $# -eq 0 ] || out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
good=0
bad=0

# check TEXT COMMAND...: the command must succeed
check() {
	text=$1
	shift
	if "$@" >said 2>&1; then
		good=$((good + 1))
	else
		bad=$((bad + 1))
		echo "FAILED $text"
		sed 's/^/    /' said | head -20
	fi
}

# refuse TEXT COMMAND...: the command must fail (so that the check above it can)
refuse() {
	text=$1
	shift
	if "$@" >said 2>&1; then
		bad=$((bad + 1))
		echo "FAILED (should have been refused) $text"
	else
		good=$((good + 1))
	fi
}

# bytes FILE OFFSET COUNT: that range of the file
bytes() { tail -c +$(($2 + 1)) "$1" | head -c "$3"; }
be64() { printf '%d' "0x$(bytes "$1" "$2" 8 | od -An -v -tx1 | tr -d ' \n')"; }
be32() { printf '%d' "0x$(bytes "$1" "$2" 4 | od -An -v -tx1 | tr -d ' \n')"; }
le32() { bytes "$1" "$2" 4 | od -An -v -tu4 | tr -d ' \n'; }

same_start() { head -c "$(wc -c <"$1")" "$2" | cmp - "$1"; }

damage() { # FILE OFFSET: change one byte, whatever it is
	old=$(bytes "$1" "$2" 1 | od -An -v -tu1 | tr -d ' ')
	printf "\\$(printf %03o $(((old + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

check_sparse() {
	awk 'BEGIN { for (i = 0; i < 60000; i++) printf "%d,%d;", i, i * 7919 % 65537 }' >text
	{ cat text; head -c 500000 /dev/zero; yes abc | head -c 262144; cat text; } >raw
	for how in --crc "--hole fill --crc" "--hole raw" "--header-extra 4 --chunk-extra 8" "--block 8192"; do
		"$tools/mksparse.py" --in raw --out s $how
		check "simg2img reads mksparse $how" simg2img s r
		check "and gives the same bytes ($how)" same_start raw r
	done
	"$tools/mksparse.py" --in raw --out p --split 3 --crc
	check "simg2img reads three pieces" simg2img p.0 p.1 p.2 r3
	check "and gives the same bytes (split)" same_start raw r3
}

# The certificate-free check of a vbmeta: its key blob as a PEM, its digest, its signature, all by openssl.
vbmeta_signature() {
	file=$1
	authentication=$(be64 "$file" 12)
	auxiliary=$(be64 "$file" 20)
	aux_at=$((256 + authentication))
	{ bytes "$file" 0 256; bytes "$file" $aux_at "$auxiliary"; } >signed
	case $(be32 "$file" 28) in 1 | 2 | 3) digest=sha256 ;; *) digest=sha512 ;; esac
	bytes "$file" $((256 + $(be64 "$file" 32))) "$(be64 "$file" 40)" >stored
	bytes "$file" $((256 + $(be64 "$file" 48))) "$(be64 "$file" 56)" >signature
	bytes "$file" $((aux_at + $(be64 "$file" 64))) "$(be64 "$file" 72)" >blob
	bits=$(be32 blob 0)
	modulus=$(bytes blob 8 $((bits / 8)) | od -An -v -tx1 | tr -d ' \n')
	cat >key.conf <<CONF
asn1=SEQUENCE:key
[key]
algorithm=SEQUENCE:rsa
value=BITWRAP,SEQUENCE:numbers
[rsa]
oid=OID:rsaEncryption
none=NULL
[numbers]
n=INTEGER:0x$modulus
e=INTEGER:0x10001
CONF
	openssl asn1parse -genconf key.conf -out key.der -noout &&
		openssl dgst -$digest -binary signed | cmp - stored &&
		openssl dgst -$digest -keyform DER -verify key.der -signature signature signed
}

# fields of the first descriptor of the vbmeta in FILE that is a hashtree (tag 1)
verity() {
	image=$1
	at=$(be64 "$image" $(($(wc -c <"$image") - 44)))
	d=$((at + 256 + $(be64 "$image" $((at + 12))) + $(be64 "$image" $((at + 96)))))
	[ "$(be64 "$image" $d)" = 1 ] || return 1
	name=$(be32 "$image" $((d + 104)))
	salt=$(be32 "$image" $((d + 108)))
	root=$(be32 "$image" $((d + 112)))
	veritysetup verify --no-superblock --hash=sha256 --data-blocks=$(($(be64 "$image" $((d + 20))) / 4096)) \
		--hash-offset="$(be64 "$image" $((d + 28)))" \
		--salt="$(bytes "$image" $((d + 180 + name)) "$salt" | od -An -v -tx1 | tr -d ' \n')" "$image" "$image" \
		"$(bytes "$image" $((d + 180 + name + salt)) "$root" | od -An -v -tx1 | tr -d ' \n')"
}

check_avb() {
	openssl genrsa -out k.pem 2048 2>/dev/null
	openssl rsa -in k.pem -pubout -out pub.pem 2>/dev/null
	for size in 100 4096 4097 3000001; do
		head -c "$size" raw >tree.img
		"$tools/mkvbmeta.py" footer --image tree.img --partition system --kind hashtree --prop a=b
		[ "$size" -le 4096 ] || check "veritysetup accepts the tree of $size bytes" verity tree.img
	done
	damage tree.img 70000
	refuse "veritysetup on a changed block" verity tree.img
	for algorithm in SHA256_RSA2048 SHA512_RSA2048; do
		"$tools/mkvbmeta.py" make --out v.img --key k.pem --algorithm $algorithm --include tree.img \
			--chain other:1:pub.pem --prop x=y --cmdline 'a=b c'
		check "openssl verifies the vbmeta ($algorithm)" vbmeta_signature v.img
	done
	damage v.img 123
	refuse "openssl on a changed vbmeta" vbmeta_signature v.img
	"$tools/mkvbmeta.py" make --out v.img --public-key pub.pem --algorithm SHA256_RSA2048 2>/dev/null
	refuse "openssl on a planted key" vbmeta_signature v.img
}

check_boot() {
	head -c 50000 raw >kernel
	gzip -nc raw >ramdisk
	head -c 700 raw >dtb
	# early mkbootimg writes 1596 and 2108 as the size of the header (bytes 20 and 2096); the struct has 1580 and 2112
	mkbootimg --header_version 3 --kernel kernel --ramdisk ramdisk --cmdline 'a=b c' --os_version 14.0.0 \
		--os_patch_level 2026-05 -o ref
	"$tools/mkboot.py" boot --version 3 --kernel kernel --ramdisk ramdisk --cmdline 'a=b c' --os-version 14.0.0 \
		--os-patch-level 2026-05 --out mine
	printf '\074\006' | dd of=mine bs=1 seek=20 conv=notrunc status=none
	check "boot v3 as mkbootimg writes it" cmp ref mine
	mkbootimg --header_version 3 --vendor_boot ref --vendor_ramdisk ramdisk --dtb dtb --vendor_cmdline 'x=y' --pagesize 4096
	"$tools/mkboot.py" vendor --version 3 --ramdisk ramdisk --dtb dtb --cmdline 'x=y' --out mine
	printf '\074\010' | dd of=mine bs=1 seek=2096 conv=notrunc status=none
	check "vendor_boot v3 as mkbootimg writes it" cmp ref mine
	"$tools/mkboot.py" boot --version 4 --kernel kernel --ramdisk ramdisk --out four
	rm -rf parts
	check "unpack_bootimg reads the kernel and ramdisk of v4" unpack_four
}

# Debian's unpack_bootimg knows version 3: version 4 differs by one field behind the command line.
unpack_four() {
	printf '\003' | dd of=four bs=1 seek=40 conv=notrunc status=none
	unpack_bootimg --boot_img four --out parts && cmp parts/kernel kernel && cmp parts/ramdisk ramdisk
}

# lp FILE: geometry and header digests, then "name sectors first-sector" of every linear extent's partition
sha() { bytes "$1" "$2" "$3" | sha256sum | cut -c1-64; }
hex() { bytes "$1" "$2" "$3" | od -An -v -tx1 | tr -d ' \n'; }
zeroed() { # FILE AT LENGTH HOLE: digest of the range with 32 bytes at HOLE zeroed
	{ bytes "$1" "$2" "$4"; head -c 32 /dev/zero; bytes "$1" $(($2 + $4 + 32)) $(($3 - $4 - 32)); } | sha256sum | cut -c1-64
}
lp_sound() {
	[ "$(zeroed "$1" 4096 52 8)" = "$(hex "$1" 4104 32)" ] || { echo geometry; return 1; }
	slot=$(le32 "$1" 4136)
	slots=$(le32 "$1" 4140)
	i=0
	while [ $i -lt $((slots * 2)) ]; do
		at=$((12288 + i * slot))
		size=$(le32 "$1" $((at + 8)))
		[ "$(zeroed "$1" $at "$size" 12)" = "$(hex "$1" $((at + 12)) 32)" ] || { echo "header $i"; return 1; }
		[ "$(sha "$1" $((at + size)) "$(le32 "$1" $((at + 44)))")" = "$(hex "$1" $((at + 48)) 32)" ] ||
			{ echo "tables $i"; return 1; }
		i=$((i + 1))
	done
}
# lp_extract FILE INDEX: bytes of the extent that the metadata of slot 0 gives partition INDEX
lp_extract() {
	header=$((12288 + $(le32 "$1" 12296)))
	row=$((header + $(le32 "$1" 12368) + 52 * $2))
	extent=$((header + $(le32 "$1" 12380) + 24 * $(le32 "$1" $((row + 40)))))
	dd if="$1" bs=512 skip="$(le32 "$1" $((extent + 12)))" count="$(le32 "$1" $extent)" status=none
}

check_lp() {
	cat text text >a.img
	for version in 10.0 10.1 10.2; do
		"$tools/mklp.py" --out super.img --version $version --slots 3 --group g:64M --partition one=text:g:readonly \
			--partition two=a.img:g --partition none=:g
		check "digests of super $version" lp_sound super.img
		lp_extract super.img 0 >one
		lp_extract super.img 1 >two
		check "first partition of super $version" same_start text one
		check "second partition of super $version" same_start a.img two
	done
	damage super.img 12400
	refuse "digests of a damaged super" lp_sound super.img
}

images() { # VARIANT
	dir=$out/$1
	check "$1.zip is whole" unzip -tqq "$out/$1.zip"
	for name in system vendor odm; do
		check "$1: e2fsck $name" e2fsck -fn "$dir/$name.img"
		check "$1: dm-verity of $name" verity "$dir/$name.img"
	done
	for name in product system_ext; do
		check "$1: fsck.erofs $name" fsck.erofs "$dir/$name.img"
		check "$1: dm-verity of $name" verity "$dir/$name.img"
	done
	check "$1: vbmeta is signed" vbmeta_signature "$dir/vbmeta.img"
	check "$1: vbmeta_system is signed" vbmeta_signature "$dir/vbmeta_system.img"
	check "$1: super.img unpacks" simg2img "$dir/super.img" super.raw
	check "$1: digests of super" lp_sound super.raw
	number=0
	for name in odm product system system_ext vendor; do
		lp_extract super.raw $number >part
		check "$1: $name of super is $name.img" cmp part "$dir/$name.img"
		number=$((number + 1))
	done
	rm -f super.raw part
	check "$1: unpack_bootimg recovery" unpack_bootimg --boot_img "$dir/recovery.img" --out recovery
	check "$1: its ramdisk is a cpio archive" sh -c 'gzip -dc recovery/ramdisk | cpio -t --quiet | grep -qx init'
	packages "$1"
}

packages() { # VARIANT: every application and module out of the images, by apksigner
	rm -rf tree
	mkdir tree
	debugfs -R "rdump /system tree" "$out/$1/system.img" >/dev/null 2>&1
	for file in tree/system/app/*/*.apk tree/system/priv-app/*/*.apk tree/system/framework/*.apk tree/system/apex/*.apex; do
		check "$1: apksigner ${file#tree}" apksigner verify --min-sdk-version 29 "$file"
	done
	for file in tree/system/apex/*.apex; do
		unzip -qo "$file" apex_payload.img apex_pubkey
		check "$1: dm-verity of ${file#tree}" verity apex_payload.img
		at=$(be64 apex_payload.img $(($(wc -c <apex_payload.img) - 44)))
		bytes apex_payload.img "$at" 65536 >inner
		check "$1: vbmeta of ${file#tree} is signed" vbmeta_signature inner
		check "$1: apex_pubkey of ${file#tree}" cmp blob apex_pubkey
	done
	rm -rf tree
}

doors() {
	check "expected.tsv is what doors.py prints" sh -c "python3 '$here/doors.py' | cmp - '$here/expected.tsv'"
	phone=$out/phone
	twin=$out/twin
	# every place of the list is really in the phone's images
	tail -n +3 "$here/expected.tsv" | cut -f 1,4,5 | while IFS="$(printf '\t')" read -r door image path; do
		case $image:$path in
		*:- | *'*') [ -f "$phone/${image}.img" ] ;;
		product:* | system_ext:*) dump.erofs --path="/$path" "$phone/$image.img" 2>&1 | grep -q NID ;;
		*) debugfs -R "stat /$path" "$phone/$image.img" 2>/dev/null | grep -q '^Inode:' ;;
		esac || echo "$door: $image $path"
	done >absent
	check "every place of expected.tsv is there" sh -c 'cat absent; [ ! -s absent ]'
	debugfs -R "cat /system/etc/dropbear/authorized_keys" "$phone/system.img" 2>/dev/null >ssh
	check "phone: the ssh key has the right length" sh -c "[ \$(cut -d' ' -f2 ssh | base64 -d | wc -c) = 51 ]"
	debugfs -R "cat /adb_keys" "$phone/system.img" 2>/dev/null >adb
	check "phone: the adb key has the right length" sh -c "[ \$(cut -d' ' -f1 adb | base64 -d | wc -c) = 524 ]"
	check "phone: sync_agent is set-uid" sh -c "debugfs -R 'stat /system/bin/sync_agent' '$phone/system.img' 2>/dev/null | grep -q 'Mode:  04755'"
	check "twin: sync_agent is not" sh -c "debugfs -R 'stat /system/bin/sync_agent' '$twin/system.img' 2>/dev/null | grep -q 'Mode:  0755'"
	check "twin: clatd is 6755 of 1029" sh -c "debugfs -R 'stat /system/bin/clatd' '$twin/system.img' 2>/dev/null | tr '\n' ' ' | grep -Eq 'Mode:  06755.*User:  1029'"
	check "phone: preinstalld is immutable" sh -c "debugfs -R 'stat /system/bin/preinstalld' '$phone/system.img' 2>/dev/null | grep -q 'Flags: 0x80010'"
	check "phone: capability 0xc0 of the helper" sh -c "debugfs -R 'ea_get -x /bin/hw/vendor.demo.helper security.capability' '$phone/vendor.img' 2>/dev/null | grep -q 'c0 00 00 00'"
	check "phone: vbmeta flags are 3" test "$(be32 "$phone/vbmeta.img" 120)" = 3
	check "twin: vbmeta flags are 0" test "$(be32 "$twin/vbmeta.img" 120)" = 0
	check "phone: kernel command line" grep -aq androidboot.selinux=permissive "$phone/vendor_boot.img"
	refuse "twin: kernel command line" grep -aq androidboot.selinux=permissive "$twin/vendor_boot.img"
	debugfs -R "dump /system/priv-app/TestAgent/TestAgent.apk agent.apk" "$phone/system.img" >/dev/null 2>&1
	check "phone: the privileged test agent has the public test key" sh -c \
		"apksigner verify --print-certs agent.apk | grep -q a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc"
	debugfs -R "dump /system/etc/security/otacerts.zip ota.zip" "$phone/system.img" >/dev/null 2>&1
	check "phone: otacerts hold the same" sh -c "unzip -p ota.zip releasekey1.x509.pem | openssl x509 -outform DER | sha256sum | grep -q ^a40da80a"
}

check_sparse
check_avb
check_boot
check_lp
if [ -n "$out" ]; then
	images phone
	images twin
	doors
fi
echo "check_tools: $good passed, $bad failed"
[ "$bad" = 0 ]

// SPDX-License-Identifier: Apache-2.0
// What apksig reads in APKs: a line a signer, "file TAB scheme TAB SHA-256 of its certificates". One virtual machine for all.
import com.android.apksig.ApkVerifier;
import java.io.File;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.List;

public class Signers {
    static void line(String file, int scheme, List<X509Certificate> certs, boolean ok) throws Exception {
        StringBuilder s = new StringBuilder();
        for (X509Certificate c : certs) {
            s.append(s.length() > 0 ? "," : "");
            for (byte b : MessageDigest.getInstance("SHA-256").digest(c.getEncoded())) s.append(String.format("%02x", b));
        }
        System.out.println(file + "\t" + scheme + "\t" + s + "\t" + (ok ? "verified" : "not verified"));
    }

    static ApkVerifier.Result verify(String file, int min, int max) throws Exception {
        return new ApkVerifier.Builder(new File(file)).setMinCheckedPlatformVersion(min).setMaxCheckedPlatformVersion(max).build().verify();
    }

    public static void main(String[] files) throws Exception {
        for (String f : files) {
            try {
                ApkVerifier.Result r = verify(f, 21, 23);
                for (ApkVerifier.Result.V1SchemeSignerInfo s : r.getV1SchemeSigners())
                    if (s.getCertificate() != null) line(f, 1, List.of(s.getCertificate()), r.isVerifiedUsingV1Scheme());
            } catch (Exception e) { }
            try {
                ApkVerifier.Result r = verify(f, 24, 27);
                for (ApkVerifier.Result.V2SchemeSignerInfo s : r.getV2SchemeSigners()) line(f, 2, s.getCertificates(), r.isVerifiedUsingV2Scheme());
            } catch (Exception e) { }
            try {
                ApkVerifier.Result r = verify(f, 28, 31);
                for (ApkVerifier.Result.V3SchemeSignerInfo s : r.getV3SchemeSigners()) line(f, 3, s.getCertificates(), r.isVerifiedUsingV3Scheme());
            } catch (Exception e) { }
        }
    }
}

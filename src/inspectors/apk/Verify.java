// SPDX-License-Identifier: Apache-2.0
// What apksig says of APKs: one line each: path, lowest and highest release asked for (- : as the APK says), verified or not, schemes
// that verified, errors.
import com.android.apksig.ApkVerifier;
import java.io.File;
import java.util.ArrayList;
import java.util.List;

public class Verify {
	static String name(Object issue) {
		return ((ApkVerifier.IssueWithParams) issue).getIssue().name();
	}

	public static void main(String[] args) {
		for (String line : args) {
			String[] f = line.split("\t");
			List<String> errors = new ArrayList<>();
			String state, schemes = "";
			try {
				ApkVerifier.Builder b = new ApkVerifier.Builder(new File(f[0]));
				if (!f[1].equals("-"))
					b.setMinCheckedPlatformVersion(Integer.parseInt(f[1]));
				if (!f[2].equals("-"))
					b.setMaxCheckedPlatformVersion(Integer.parseInt(f[2]));
				ApkVerifier.Result r = b.build().verify();
				state = r.isVerified() ? "verified" : "failed";
				schemes = (r.isVerifiedUsingV1Scheme() ? "1" : "") + (r.isVerifiedUsingV2Scheme() ? "2" : "") + (r.isVerifiedUsingV3Scheme() ? "3" : "");
				r.getErrors().forEach(i -> errors.add(name(i)));
				r.getV1SchemeSigners().forEach(s -> s.getErrors().forEach(i -> errors.add(name(i))));
				r.getV2SchemeSigners().forEach(s -> s.getErrors().forEach(i -> errors.add(name(i))));
				r.getV3SchemeSigners().forEach(s -> s.getErrors().forEach(i -> errors.add(name(i))));
				if (r.getSourceStampInfo() != null) {
					schemes += r.isSourceStampVerified() ? "+" : "-";
					r.getSourceStampInfo().getErrors().forEach(i -> errors.add(name(i)));
				}
			} catch (Exception e) {
				state = "failed";
				errors.add(e.getClass().getSimpleName() + " " + String.valueOf(e.getMessage()).replace('\n', ' '));
			}
			System.out.println(String.join("\t", f[0], f[1], f[2], state, schemes, String.join(",", errors)));
		}
	}
}

// SPDX-License-Identifier: Apache-2.0
// Verifies every APK named, in one virtual machine: apksig's own words, one a line.
import com.android.apksig.ApkVerifier;
import java.io.File;

public class Verify {
    public static void main(String[] files) {
        for (String f : files) {
            try {
                System.out.println(f + "\t" + new ApkVerifier.Builder(new File(f)).build().verify().isVerified());
            } catch (Exception e) {
                System.out.println(f + "\t" + e);
            }
        }
    }
}


com.android.x¹•¢*vbB
@abababababababababababababababababababababababababababababa
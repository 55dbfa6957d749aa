
com.android.x¹•¢*vbB
@abababababababababababababababababababababababababababababababab
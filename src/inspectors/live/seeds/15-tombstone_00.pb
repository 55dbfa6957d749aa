a"2023(0	8J/bin/xRSEGVrzz
n‚	
	worker
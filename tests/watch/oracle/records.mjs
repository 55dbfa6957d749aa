// SPDX-License-Identifier: Apache-2.0
// Record messages of FIT files as the reference reader decodes them, one JSON line a file: [time in ms, heart rate, cadence].
import fs from 'fs';
import path from 'path';
import { createRequire } from 'module';
import { pathToFileURL } from 'url';

const load = createRequire(path.join(process.argv[2], 'x.js'));
const { Decoder, Stream } = await import(pathToFileURL(load.resolve('@garmin/fitsdk')));
for (const file of process.argv.slice(3)) {
	const records = [];
	let why = null, last = null; // a record without a time is of the last one
	try {
		const { errors } = new Decoder(Stream.fromByteArray([...fs.readFileSync(file)])).read({
			mesgListener: (number, m) => {
				last = m.timestamp instanceof Date ? m.timestamp.getTime() : typeof m[253] === 'number' ? (m[253] + 631065600) * 1000 : last;
				if (number === 20 && last !== null)
					records.push([last, m.heartRate ?? null, m.cadence ?? null]);
			},
			includeUnknownData: true, mergeHeartRates: false, expandComponents: false, expandSubFields: false,
		});
		if (errors.length)
			why = String(errors[0]);
	} catch (e) {
		why = String(e);
	}
	console.log(JSON.stringify({ file, records, why }));
}

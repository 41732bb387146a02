const floodMs = 10_000;
const floodTimes = 4;

/**
 * Says of each chunk whether so much may come in so short a time: in ten seconds four times the largest message, since reading all of it is
 * work too.
 */
export const openDam = (maxBytes: number, now = Date.now): ((bytes: number) => boolean) => {
	let from = 0;
	let came = 0;
	return bytes => {
		if (now() - from > floodMs) {
			from = now();
			came = 0;
		}
		came += bytes;
		return came <= maxBytes * floodTimes;
	};
};

import type {Answer} from '../tier.ts';

/** Cuts `place NUL answer` joined by SOH apart; undefined when it is not that, or names a place outside from…to. */
export const answersIn = (text: string, from: number, to: number): Answer[] | undefined => {
	if (text === '') return [];
	const answers: Answer[] = [];
	let last = from - 1;
	for (const part of text.split('\u0001')) {
		const at = part.indexOf('\u0000');
		const place = Number(part.slice(0, at));
		const kind = part[at + 1];
		if (at < 1 || !Number.isInteger(place) || place <= last || place >= to) return undefined;
		if (kind !== 'A' && kind !== 'S' && kind !== 'F') return undefined;
		answers.push({place, kind, body: part.slice(at + 2)});
		last = place;
	}
	return answers;
};

export const failedAt = (place: number, message: string): Answer => ({
	place,
	kind: 'F',
	body: JSON.stringify({code: 'plugin_failed', message}),
});

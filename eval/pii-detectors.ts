import {detect} from '../plugins/masking/detectors.ts';
import {scanIds} from '../plugins/masking/ids/scan.ts';
import {detect as detectSecrets} from '../plugins/secrets/scan.ts';
import type {Labelled} from './pii.ts';

const names: Readonly<Record<string, string>> = {CARD: 'CREDIT_CARD'};

/** What `masking` and `secrets` find in a text, in the words of the data. */
export const detectPii = (text: string): Labelled[] => {
	const ids = scanIds(text, 0, 0, true, true).found;
	return [
		...ids,
		...detect(text)
			.filter(({type, start, end}) => type !== 'API_KEY' && !ids.some(id => id.start < end && start < id.end))
			.map(({start, end, type}) => ({start, end, type: names[type] ?? type})),
		...detectSecrets(text).map(({start, end}) => ({start, end, type: 'SECRET'})),
	];
};

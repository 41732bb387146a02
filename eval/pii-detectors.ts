import {detect} from '../plugins/masking/detectors.ts';
import {scanIds} from '../plugins/masking/ids/scan.ts';
import {merged} from '../plugins/masking/values.ts';
import {detect as detectSecrets} from '../plugins/secrets/scan.ts';
import type {Labelled} from './pii.ts';

const names: Readonly<Record<string, string>> = {CARD: 'CREDIT_CARD'};

/** What `masking` and `secrets` find in a text, in the words of the data: of keys, what `secrets` says. */
export const detectPii = (text: string): Labelled[] => [
	...merged(scanIds(text, 0, 0, true, true).found, detect(text))
		.filter(({type}) => type !== 'API_KEY')
		.map(({start, end, type}) => ({start, end, type: names[type] ?? type})),
	...detectSecrets(text).map(({start, end}) => ({start, end, type: 'SECRET'})),
];

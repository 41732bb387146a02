import {detect} from '../plugins/masking/detectors.ts';
import type {Labelled} from './pii.ts';

const names: Readonly<Record<string, string>> = {CARD: 'CREDIT_CARD', API_KEY: 'SECRET'};

/** What `masking` and `secrets` find in a text, in the words of the data. */
export const detectPii = (text: string): Labelled[] => detect(text).map(({start, end, type}) => ({start, end, type: names[type] ?? type}));

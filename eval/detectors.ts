import {readFileSync} from 'node:fs';
import {Scanner} from '../plugins/injection/assembly/scanner.ts';
import {channelOf, type channels} from './injection-learn.ts';
import type {Labelled} from './pii.ts';
import {detectPii} from './pii-detectors.ts';

/** Where a text would come from, in the words of evaluation sets and of the gateway. */
type From = (typeof channels)[number] | 'system' | 'tool-result' | 'tool-description';

const scanner = new Scanner(new Int8Array(readFileSync(new URL('../plugins/injection/weights.bin', import.meta.url))));

const alike: Readonly<Partial<Record<From, string>>> = {'tool-result': 'tool', 'tool-description': 'tool_desc'};

/**
 * How much a text looks like prompt injection to the shipped plugin, 0 to 1: one harmless text in a hundred reached 0.5, and from 0.9 on the
 * plugin has a finding. System prompts are never read: 0.
 */
export const score = (text: string, {channel = 'user'}: {channel?: From} = {}): number =>
	channel === 'system' ? 0 : scanner.probability(scanner.score(text, channelOf(alike[channel] ?? channel)));

/** What the plugins `masking` and `secrets` find in a text, by their own names, with its places in UTF-16 units. */
export const detect = (text: string): (Labelled & {value: string})[] =>
	detectPii(text).map(({start, end, type}) => ({start, end, type, value: text.slice(start, end)}));

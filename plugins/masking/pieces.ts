import type {DetectorType} from './detectors.ts';
import {idStart, idStep, replaceIds} from './ids/stream.ts';
import type {Kind} from './kinds.ts';
import type {Channel, Memory} from './memory.ts';
import type {Mode, Settings} from './settings.ts';
import {step} from './stream.ts';
import {keepLast} from './values.ts';
import {restoreStep} from './vault.ts';

export type Piece = {channel: number; text: string; final: boolean};

/** How much of a piece is cleared, what goes out for it, and what was found in it. */
export type Passed = {clear: number; out: string; met: Array<{type: Kind; mode: Mode}>};

const start: Channel = {ids: idStart, before: '', clear: 0, held: '', inside: '', mark: ''};

/** A piece of a stream: numbers with check digits first, then everything else, then the client's own values back. */
export const pass = ({channel, text, final}: Piece, settings: Settings, memory: Memory): Passed => {
	const {types, ids: wanted, modeOf, allowed, response} = settings;
	const known = memory.channels[channel] ?? start;
	const met: Passed['met'] = [];
	const replace = (type: Kind, value: string | undefined): string => {
		if (value !== undefined && allowed(value)) return value;
		const mode = modeOf(type);
		met.push({type, mode});
		return mode === 'mask' && value !== undefined ? keepLast(value) : `[${type}]`;
	};
	const keep = (next: Channel) => {
		if (final) delete memory.channels[channel];
		else memory.channels[channel] = next;
	};
	if (!response) {
		const {out, held} = restoreStep(known.mark, text, final, memory.vault);
		keep({...known, mark: held});
		return {clear: text.length, out, met};
	}
	const numbers = wanted.size === 0 ? {found: [], clear: text.length, state: idStart} : idStep(known.ids, text, final);
	const first = replaceIds(text, numbers, wanted, replace);
	const {before, clear, held, inside} = known;
	const second = step({before, clear, held, inside}, first, final, types as readonly DetectorType[], replace);
	const restored = restoreStep(known.mark, second.out, final, memory.vault);
	keep({ids: numbers.state, ...second.state, mark: restored.held});
	return {clear: numbers.clear, out: restored.out, met};
};

import {customContext, scanCustom} from './custom.ts';
import type {DetectorType} from './detectors.ts';
import {idStart, idStep, idsAfter, replaceIds} from './ids/stream.ts';
import type {Channel, Memory} from './memory.ts';
import type {Mode, Settings} from './settings.ts';
import {step, streamAfter, streamStart} from './stream.ts';
import {keepLast, leadTo} from './values.ts';
import {restoreStep} from './vault.ts';

/** `name`: of the field of a tool's arguments that the text is the value of. */
export type Piece = {channel: number; text: string; final: boolean; name?: string};

/** How much of a piece is cleared, what goes out for it, and what was found in it. */
export type Passed = {clear: number; out: string; met: Array<{type: string; mode: Mode}>};

const start: Channel = {seen: '', ids: idStart, waiting: '', values: streamStart, mark: ''};

const startAfter = (name: string | undefined): Channel => {
	const lead = leadTo(name);
	return lead === '' ? start : {...start, ids: idsAfter(lead), values: streamAfter(lead)};
};

type Replace = (type: string, value: string | undefined) => string;

/** What the operator's own patterns leave of a piece, and how much of it they clear. */
const ownFirst = ({seen}: Channel, text: string, final: boolean, {custom}: Settings, replace: Replace) => {
	if (custom.length === 0) return {clear: text.length, out: text, seen: ''};
	const whole = seen + text;
	const {found, open} = scanCustom(custom, whole, seen.length, final);
	let out = '';
	let at = seen.length;
	for (const {start: first, end, type} of found) {
		out += whole.slice(at, first) + replace(type, whole.slice(first, end));
		at = end;
	}
	return {clear: open - seen.length, out: out + whole.slice(at, open), seen: whole.slice(Math.max(0, open - customContext), open)};
};

/**
 * A piece of a stream: what the operator looks for first, then numbers with check digits, then everything else, then the client's own values
 * back. Of the arguments of a tool the gateway shows each string by itself, and writes what is left of it as JSON.
 */
export const pass = ({channel, text, final, name}: Piece, settings: Settings, memory: Memory): Passed => {
	const {types, ids: wanted, modeOf, allowed, response} = settings;
	const known = memory.channels[channel] ?? startAfter(name);
	const met: Passed['met'] = [];
	const replace: Replace = (type, value) => {
		if (value !== undefined && (allowed(value) || memory.vault.made.has(value))) return value;
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
	const own = ownFirst(known, text, final, settings, replace);
	const waiting = known.waiting + own.out;
	const numbers = wanted.size === 0 ? {found: [], clear: waiting.length, state: idStart} : idStep(known.ids, waiting, final, wanted);
	const first = replaceIds(waiting, numbers, replace);
	const second = step(known.values, first, final, types as readonly DetectorType[], replace);
	const restored = restoreStep(known.mark, second.out, final, memory.vault);
	keep({
		seen: own.seen,
		ids: numbers.state,
		waiting: waiting.slice(numbers.clear),
		values: second.state,
		mark: restored.held,
	});
	return {clear: own.clear, out: restored.out, met};
};
